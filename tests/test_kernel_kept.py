# SPDX-License-Identifier: Apache-2.0
"""One plan against those that are kept finds what brute force over all pairs finds."""

import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from keepclear.detect import kept
from keepclear.detect.compiled import compiled, plain
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import Rows, every_pair
from keepclear.detect.kept import Met, PlanIndex
from keepclear.detect.kernel import limits_of
from keepclear.errors import InputError
from tests.kernel_pairs import EN_ROUTE, US, fragments_of
from tests.motion import Fix, Plan
from tests.test_kernel_index import CYLINDERS, scattered, some_world

Found = dict[tuple[str, str], Rows]


@pytest.fixture(scope="session")
def fast() -> SimpleNamespace:
    """The compiled kernel; compiling takes a minute where `make` has not done it."""
    return compiled()


def key_of(plan: int) -> str:
    """Return a key; keys stand in the order of the plans, as `detect` compares them."""
    return f"plan {plan:04}"


def by_brute_force(kernel: SimpleNamespace, f: Fragments, name: str) -> Found:
    found = every_pair(kernel, f, np.arange(f.plans), True, limits_of(CYLINDERS[name]))
    return {
        (key_of(found.a[pair]), key_of(found.b[pair])): found.rows[found.row_pair == pair]
        for pair in np.unique(found.row_pair)
    }


def by_pair(key: str, met: Met) -> Found:
    rows: Found = {}
    for number, (other, is_turned) in enumerate(zip(met.keys, met.is_turned, strict=True)):
        assert is_turned == (other < key)
        rows[min(key, other), max(key, other)] = met.rows[met.row_met == number]
    return rows


def same(one: Found, other: Found) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[pair], other[pair], equal_nan=True) for pair in one
    )


def among(found: Found, key: str, others: set[str]) -> Found:
    return {
        pair: rows for pair, rows in found.items()
        if key in pair and (set(pair) - {key}) <= others
    }  # fmt: skip


def play(kernel: SimpleNamespace, name: str, seed: int, plans: int, steps: int) -> int:
    """Add, remove and ask at random; return how many rows were compared."""
    choose = random.Random(seed)
    farthest_m = max((c.lateral_tmm or 0) / 10_000 for c in CYLINDERS[name])
    f = fragments_of(some_world(seed, plans), farthest_m)
    truth = by_brute_force(kernel, f, name)
    index = PlanIndex(kernel, limits_of(CYLINDERS[name]))
    there: set[str] = set()
    compared = 0
    for _ in range(steps):
        plan = choose.randrange(plans)
        key = key_of(plan)
        if key in there and choose.random() < 0.4:
            index.remove(key)
            there.remove(key)
        elif key not in there and choose.random() < 0.7:
            index.add(key, plan, f, plan)
            there.add(key)
        met = by_pair(key, index.query(key, plan, f, plan))
        assert same(met, among(truth, key, there - {key}))
        assert len(index) == len(there)
        compared += sum(len(rows) for rows in met.values())
    return compared


@pytest.mark.slow
@pytest.mark.parametrize("name", CYLINDERS)
def test_a_query_finds_of_those_kept_what_brute_force_finds(
    name: str, fast: SimpleNamespace
) -> None:
    assert sum(play(fast, name, seed, 40, 150) for seed in range(200, 206)) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["en route", "timed"])
def test_a_query_finds_the_same_where_nothing_is_compiled(name: str) -> None:
    assert sum(play(plain(), name, seed, 12, 30) for seed in range(220, 224)) > 0


@pytest.mark.slow
def test_those_in_neighbouring_cells_are_met_in_every_direction() -> None:
    found = 0
    for seed in range(2):
        f = fragments_of(scattered(seed, 0.0, 0))
        truth = by_brute_force(plain(), f, "en route")
        index = PlanIndex(plain(), limits_of([EN_ROUTE]))
        keys = [key_of(plan) for plan in range(f.plans)]
        index.add_many(keys, range(f.plans), f)
        for plan, key in enumerate(keys):
            met = by_pair(key, index.query(key, plan, f, plan))
            assert same(met, among(truth, key, set(keys)))
        found += len(truth)
    assert found > 10


@pytest.mark.slow
def test_plans_added_at_once_and_one_by_one_are_found_alike(fast: SimpleNamespace) -> None:
    f = fragments_of(some_world(230, 60))
    truth = by_brute_force(fast, f, "en route")
    index = PlanIndex(fast, limits_of([EN_ROUTE]))
    keys = [key_of(plan) for plan in range(60)]

    index.add_many(keys[:40], range(40), _take(f, 0, 40))
    for plan in range(40, 50):
        index.add(keys[plan], plan, f, plan)
    index.add_many(keys[50:], range(50, 60), _take(f, 50, 60))

    for plan, key in enumerate(keys):
        found = by_pair(key, index.query(key, plan, f, plan))
        assert same(found, among(truth, key, set(keys)))
    assert truth


@pytest.mark.slow
def test_those_that_stay_are_found_after_the_others_are_forgotten(
    fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_GONE", 3)
    assert sum(play(fast, "timed", seed, 40, 200) for seed in range(240, 244)) > 10


def _take(f: Fragments, first: int, last: int) -> Fragments:
    """Return plans first..last - 1 of f, with legs of their own."""
    pieces = slice(int(f.offsets[first]), int(f.offsets[last]))
    leg = int(f.leg[pieces][0])
    columns = {
        name: getattr(f, name)[pieces]
        for name in ("start_us", "end_us", "px", "py", "pz", "qx", "qy", "qz")
    }
    legs = {name: getattr(f, name)[leg:] for name in f._fields if name.startswith("leg_")}
    plans = {name: getattr(f, name)[first:last] for name in ("early_us", "late_us", "clock_us")}
    offsets = f.offsets[first : last + 1] - f.offsets[first]
    return f._replace(offsets=offsets, leg=f.leg[pieces] - leg, **columns, **legs, **plans)


def crossing(height_ft: int = 33_000) -> Fragments:
    """Return two plans that cross over the equator, and one that is elsewhere."""
    height_tmm = height_ft * 3048

    def flight(*places: tuple[int, float, float]) -> Plan:
        return Plan(fixes=tuple(
            Fix(time_us=at_s * US, latitude_deg=lat, longitude_deg=lon, height_tmm=height_tmm)
            for at_s, lat, lon in places
        ))  # fmt: skip

    east = flight((0, 0.0, -0.5), (600, 0.0, 0.5))
    north = flight((0, -0.5, 0.0), (600, 0.5, 0.0))
    return fragments_of([east, north, replace(flight((0, 40.0, 40.0), (600, 40.0, 41.0)))])


def test_a_plan_meets_the_other_group_and_within_its_own_too() -> None:
    f = crossing()
    index = PlanIndex(plain(), limits_of([EN_ROUTE]))
    index.add_many(["east", "north", "far"], [1, 1, 2], f)

    assert index.query("new", 2, f, 0).keys == ("east", "north")
    assert index.query("new", 1, f, 0).keys == ()
    assert index.query("new", 1, f, 0, within=True).keys == ("east", "north")
    assert index.query("east", 2, f, 0).keys == ("north",)


def test_what_is_removed_is_met_no_longer_and_can_be_added_again() -> None:
    f = crossing()
    index = PlanIndex(plain(), limits_of([EN_ROUTE]))
    index.add("north", 1, f, 1)

    index.remove("north")
    assert index.query("new", 2, f, 0).keys == ()

    index.add("north", 1, f, 2)
    assert index.query("new", 2, f, 0).keys == ()

    index.remove("north")
    index.add("north", 1, f, 1)
    assert index.query("new", 2, f, 0).keys == ("north",)


def test_asking_changes_neither_those_kept_nor_the_plan_that_is_asked_about() -> None:
    f = crossing()
    index = PlanIndex(plain(), limits_of([EN_ROUTE]))
    index.add_many(["east", "north", "far"], [1, 1, 1], f)
    before = [column.copy() for column in f]

    for plan in (2, 1, 0):
        index.query("new", 2, f, plan)

    assert all(np.array_equal(x, y) for x, y in zip(before, f, strict=True))
    assert len(index) == 3


def test_a_query_of_nothing_kept_finds_nothing() -> None:
    met = PlanIndex(plain(), limits_of([EN_ROUTE])).query("new", 1, crossing())

    assert met.keys == ()
    assert len(met.rows) == 0


def test_a_key_that_is_kept_or_stands_twice_is_refused_and_nothing_is_added() -> None:
    f = crossing()
    index = PlanIndex(plain(), limits_of([EN_ROUTE]))
    index.add("east", 1, f, 0)

    with pytest.raises(InputError, match="key 'east': is kept already; remove it first"):
        index.add_many(["north", "east", "far"], [1, 1, 1], f)
    with pytest.raises(InputError, match="key 'north': stands twice"):
        index.add_many(["north", "north", "far"], [1, 1, 1], f)
    with pytest.raises(InputError, match="key 'north': is not kept; add it first"):
        index.remove("north")

    assert len(index) == 1
    assert index.query("new", 2, f, 1).keys == ("east",)
