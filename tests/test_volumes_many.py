# SPDX-License-Identifier: Apache-2.0
"""Many volumes and flights: the tree finds what brute force finds, and so does a kept index."""

import math
import random
from types import SimpleNamespace

import numpy as np
import pytest

from keepclear.airspace.volumes import Circle, Corridor, Volume4D
from keepclear.detect.box_tree import WIDTH, probe_tree
from keepclear.detect.boxes import boxes_of_volumes, tree_of
from keepclear.detect.compiled import compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.fragments import Fragments, compile_points
from keepclear.detect.index import Detected, farthest_m
from keepclear.detect.points import Points
from keepclear.detect.skeletons import PX, PY, PZ, QX, QY, QZ, Tolerance, Volumes, compile_volumes
from keepclear.detect.sweep import COLUMNS
from keepclear.detect.volume_arrays import take_volumes
from keepclear.detect.volume_detection import (
    Things,
    detect_entries,
    detect_volumes,
    every_entry,
    every_volume_pair,
)
from keepclear.detect.volume_index import Hits, VolumeIndex
from keepclear.errors import InputError
from tests.volume_scenes import (
    ENTERING,
    FIVE_MILES,
    FOOT_TMM,
    FUNCTIONS,
    HOUR_US,
    NM_TMM,
    at,
    box,
    flight,
    minima,
    polygon,
    volume,
)

LATERAL_AND_TIME = Cylinder(lateral_tmm=NM_TMM, vertical_tmm=0, time_us=300_000_000)
VERTICAL_ONLY = Cylinder(vertical_tmm=500 * FOOT_TMM)


def scene(rng: random.Random, count: int) -> list[Volume4D]:
    """Return volumes of many sizes and durations near the antimeridian and the pole."""
    return [some_volume(rng) for _ in range(count)]


def some_volume(rng: random.Random) -> Volume4D:
    y = rng.choice([rng.uniform(-3, 3), rng.uniform(-3, 3), rng.uniform(80, 83)])
    scale = 1 / math.cos(math.radians(y))
    x = 180 + rng.uniform(-2, 2) * scale
    size = 0.02 * 4 ** rng.uniform(0, 3)

    def near(turn: float, by: float) -> tuple[float, float]:
        east = x + size * by * math.cos(turn) * scale
        return (east + 180) % 360 - 180, min(y + size * by * math.sin(turn), 88.9)

    kind = rng.randrange(4)
    if kind == 0:
        shape: object = Circle(centre=at(*near(0, 0)), radius_tmm=round(size * 4e8))
    elif kind == 1:
        route = (at(*near(rng.uniform(0, 6), 1)), at(*near(rng.uniform(0, 6), 1)))
        shape = Corridor(route=route, width_tmm=round(size * 1e8))
    else:
        corners = rng.randint(3, 6)
        shape = polygon(*(near(6.28 * k / corners + rng.uniform(0, 0.5), rng.uniform(0.5, 1))
                          for k in range(corners)))  # fmt: skip
    low = rng.randrange(0, 300, 10)
    start = rng.randrange(0, 4 * HOUR_US)
    return volume(shape, f"FL{low:03}" if rng.random() < 0.9 else None,  # type: ignore[arg-type]
                  f"FL{low + rng.randrange(10, 100):03}" if rng.random() < 0.9 else None,
                  start, start + round(HOUR_US * 4 ** rng.uniform(-3, 1)))  # fmt: skip


def some_flights(rng: random.Random, count: int) -> Fragments:
    points = []
    for _ in range(count):
        start, legs = rng.uniform(0, 14_000), rng.randint(0, 4)
        x, y = 180 + rng.uniform(-3, 3), rng.uniform(-3, 3)
        for leg in range(legs + 1):
            points.append((leg == 0, start + 600 * leg, (x + 180) % 360 - 180, y,
                           rng.randrange(0, 40_000, 500)))  # fmt: skip
            x, y = x + rng.uniform(-1, 1), y + rng.uniform(-1, 1)
    starts = np.array([point[0] for point in points])
    n = len(points)
    return compile_points(Points(
        offsets=np.append(np.flatnonzero(starts), n),
        time_us=np.array([round(p[1] * 1e6) for p in points]),
        latitude_deg=np.array([p[3] for p in points]),
        longitude_deg=np.array([p[2] for p in points]),
        height_tmm=np.array([p[4] * FOOT_TMM for p in points]), datum=np.zeros(n, dtype=np.int64),
        lateral_m=np.zeros(n), vertical_tmm=np.zeros(n, dtype=np.int64), starts_stretch=starts,
        edge=np.zeros(count, dtype=np.int64),
        early_us=np.array([rng.choice([0, 0, 60_000_000]) for _ in range(count)]),
        late_us=np.array([rng.choice([0, 0, 90_000_000]) for _ in range(count)]),
        clock_us=np.zeros(count, dtype=np.int64),
    ))  # fmt: skip


def tolerances(rng: random.Random, count: int) -> list[Tolerance]:
    return [
        Tolerance(lateral_m=rng.choice([0.0, 3000.0]), early_us=rng.choice([0, 600_000_000]),
                  late_us=rng.choice([0, 300_000_000])) for _ in range(count)
    ]  # fmt: skip


def things(rng: random.Random, count: int) -> Things:
    owners = np.sort(np.array([rng.randrange(count) for _ in range(count)]))
    return Things(owners=owners, groups=owners % 3)


def listed(found: Detected) -> list[tuple[float, ...]]:
    return [
        (int(found.a[pair]), int(found.b[pair]), *np.nan_to_num(row).tolist())
        for pair, row in zip(found.row_pair.tolist(), found.rows, strict=True)
    ]


@pytest.fixture(scope="module")
def fast() -> SimpleNamespace:
    """The compiled functions, those of volumes among them."""
    return compiled()


@pytest.mark.slow
@pytest.mark.parametrize("cylinder", [FIVE_MILES, LATERAL_AND_TIME, VERTICAL_ONLY])
@pytest.mark.parametrize("within", [False, True])
def test_the_tree_finds_all_that_brute_force_finds(
    cylinder: Cylinder,
    within: bool,  # noqa: FBT001 a parameter of the test
    fast: SimpleNamespace,
) -> None:
    rng = random.Random(7)
    count = 60 if cylinder is VERTICAL_ONLY else 250
    v = compile_volumes(scene(rng, count), Datums(), tolerances(rng, count))
    whose = things(rng, count)

    found = detect_volumes(fast, v, whose, within, minima(cylinder))

    brute = every_volume_pair(fast, v, whose, within, minima(cylinder))
    assert listed(found) == listed(brute)
    assert len(found.rows) > 20


@pytest.mark.slow
@pytest.mark.parametrize("cylinder", [FIVE_MILES, LATERAL_AND_TIME])
def test_the_tree_finds_all_flights_that_brute_force_finds(
    cylinder: Cylinder, fast: SimpleNamespace
) -> None:
    rng = random.Random(8)
    v, f = compile_volumes(scene(rng, 150), Datums(), tolerances(rng, 150)), some_flights(rng, 80)
    flights = Things(owners=np.arange(1000, 1080), groups=np.arange(80) % 3)
    whose = things(rng, 150)

    found = detect_entries(fast, f, flights, v, whose, False, minima(cylinder))

    brute = every_entry(fast, f, flights, v, whose, False, minima(cylinder))
    assert listed(found) == listed(brute)
    assert len(found.rows) > 20


@pytest.mark.slow
def test_plain_and_compiled_give_the_same_bits(fast: SimpleNamespace) -> None:
    rng = random.Random(9)
    v, f = compile_volumes(scene(rng, 90), Datums(), tolerances(rng, 90)), some_flights(rng, 40)
    flights = Things(owners=np.arange(1000, 1040), groups=np.arange(40))
    whose = things(rng, 90)
    limits = minima(FIVE_MILES, Cylinder(lateral_tmm=0, vertical_tmm=0))
    found = []

    for functions in (fast, FUNCTIONS):
        both = detect_volumes(functions, v, whose, True, limits)
        entries = detect_entries(functions, f, flights, v, whose, True, limits)
        found.append((listed(both), listed(entries)))
        assert min(len(both.rows), len(entries.rows)) > 10

    assert found[0] == found[1]


def test_volumes_of_one_plan_are_never_compared() -> None:
    v = compile_volumes([volume(box(0, 0, 1, 1)), volume(box(0, 0, 1, 1))], Datums())
    one = Things(owners=np.array([4, 4]), groups=np.array([0, 0]))

    assert len(detect_volumes(FUNCTIONS, v, one, True, minima()).rows) == 0


def test_a_tree_of_nothing_or_one_box_is_asked_in_vain_or_not() -> None:
    out = np.empty(4, dtype=np.int64)
    everything = np.array([-1e9, 1e9] * 4)

    for count in (0, 1, 2, 8, 9, 64, 65, 73):
        boxes = np.tile(np.array([0.0, 1.0] * 4), (count, 1))
        assert probe_tree(tree_of(boxes), everything, -1, out, 0) == count
        assert probe_tree(tree_of(boxes), everything + 5e9, -1, out, 0) == 0
    assert WIDTH == 8


def test_each_volume_lies_in_its_box() -> None:
    v = compile_volumes(scene(random.Random(3), 60), Datums())
    boxes = boxes_of_volumes(v)

    for k, (x, y, z) in enumerate(
        (
            (v.pieces[:, PX], v.pieces[:, PY], v.pieces[:, PZ]),
            (v.pieces[:, QX], v.pieces[:, QY], v.pieces[:, QZ]),
        )
    ):
        del k
        owner = np.repeat(np.arange(v.volumes), np.diff(v.offsets))
        for column, axis in ((x, 0), (y, 2), (z, 4)):
            assert np.all(boxes[owner, axis] < column)
            assert np.all(column < boxes[owner, axis + 1])


def test_a_region_bulges_out_of_the_box_of_its_corners_and_its_box_knows() -> None:
    cap = compile_volumes([volume(polygon((0, 70), (90, 70), (179, 70), (-90, 70)))], Datums())

    assert boxes_of_volumes(cap)[0, 5] > 6_356_752.3  # the pole


# --- the kept index -------------------------------------------------------------------------


def one(four: Volume4D) -> Volumes:
    return compile_volumes([four], Datums())


@pytest.mark.slow
@pytest.mark.parametrize("cylinder", [FIVE_MILES, LATERAL_AND_TIME, VERTICAL_ONLY])
def test_a_kept_index_finds_what_all_against_all_finds(
    cylinder: Cylinder, fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.detect.volume_index.ROOM", 2)  # so that it grows on the way
    rng = random.Random(11)
    volumes, may_be_off = scene(rng, 60), tolerances(rng, 60)
    v = compile_volumes(volumes, Datums(), may_be_off)
    limits = minima(cylinder)
    groups = [k % 3 for k in range(60)]
    index = VolumeIndex(fast, limits)
    found = set()

    for k, four in enumerate(volumes):
        asked = compile_volumes([four], Datums(), [may_be_off[k]])
        hits = index.query(f"{k:03}", groups[k], asked)
        for hit, row in zip(hits.row_hit.tolist(), hits.rows, strict=True):
            found.add((int(hits.keys[hit]), k, *np.nan_to_num(row).tolist()))
        index.add(f"{k:03}", groups[k], asked)

    whose = Things(owners=np.arange(60), groups=np.array(groups))
    assert found == set(listed(every_volume_pair(fast, v, whose, False, limits)))
    assert len(found) >= 3
    assert len(index) == 60


@pytest.mark.slow
def test_a_kept_index_gives_the_same_bits_compiled(fast: SimpleNamespace) -> None:
    rng = random.Random(12)
    kept, asked = (compile_volumes(scene(rng, 300), Datums(), tolerances(rng, 300)) for _ in "ab")
    flights = some_flights(rng, 20)
    removed = {f"{k:03}" for k in range(0, 100, 7)}
    found = []

    for functions in (fast, FUNCTIONS):
        index = VolumeIndex(functions, minima(FIVE_MILES))
        index.add_many([f"{k // 3:03}" for k in range(300)], [k // 3 % 2 for k in range(300)], kept)
        for key in removed:
            index.remove(key)
        for k in range(100):
            three = take_volumes(asked, range(3 * k, 3 * k + 3))
            found.append((f"{k:03}", index.query(f"{k:03}", k % 2, three)))
        found += [
            (f"{k:03}", index.query_trajectory(f"{k:03}", 2, flights, k)) for k in range(20)
        ]  # fmt: skip

    assert [_told(hits) for _, hits in found[:120]] == [_told(hits) for _, hits in found[120:]]
    assert not any(removed & set(hits.keys) or key in hits.keys for key, hits in found)
    assert sum(len(hits.keys) for _, hits in found[:100]) > 20
    assert sum(len(hits.keys) for _, hits in found[100:120]) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("cylinder", [ENTERING, FIVE_MILES, LATERAL_AND_TIME, VERTICAL_ONLY])
def test_a_plan_is_marked_where_any_of_its_volumes_gives_a_row(
    cylinder: Cylinder, fast: SimpleNamespace
) -> None:
    rng = random.Random(17)
    limits, marked, near = minima(cylinder), 0, 0
    for _ in range(30):
        v = compile_volumes(scene(rng, 40), Datums(), tolerances(rng, 40))
        firsts, lasts = np.arange(20, 38, 3), np.arange(23, 41, 3)  # plans of three
        is_turned = np.array([rng.randrange(2) for _ in firsts])
        marks = np.full(len(firsts), 7)

        fast.mark_inside(v, limits, farthest_m(limits), 0, 20, firsts, lasts, is_turned, marks)

        for k, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
            a, b = (each.ravel() for each in np.meshgrid(range(20), range(first, last)))
            rows, row_pair = np.empty((60, COLUMNS)), np.empty(60, dtype=np.int64)
            turned = np.full(len(a), is_turned[k])
            _, count = fast.overlap_pairs(
                v, v, limits, farthest_m(limits), a, b, turned, 0, len(a), rows, row_pair, 0
            )
            assert marks[k] == (count > 0)
            marked += count > 0
            near += 1
    assert marked > 5
    assert marked < near - 5 or cylinder is VERTICAL_ONLY  # at any distance: some of 20 are inside


@pytest.mark.slow
@pytest.mark.parametrize("cylinder", [ENTERING, FIVE_MILES, LATERAL_AND_TIME, VERTICAL_ONLY])
def test_near_leaves_out_what_times_or_heights_keep_apart_and_nothing_that_is_found(
    cylinder: Cylinder, fast: SimpleNamespace
) -> None:
    rng, left_out, met = random.Random(23), 0, 0
    for _ in range(6):
        plans = [compile_volumes(scene(rng, 2), Datums(), tolerances(rng, 2)) for _ in range(60)]
        index = VolumeIndex(fast, minima(cylinder))
        for k, plan in enumerate(plans):
            index.add(f"{k:03}", k % 3, plan)
        for k, plan in enumerate(plans):
            near = set(index.near(f"{k:03}", k % 3))
            found = set(index.query(f"{k:03}", k % 3, plan).keys)
            boxes = index._near(f"{k:03}", k % 3, plan.sizes, plan.terms, within=False)[1]
            by_boxes = {index._kept.keys[place] for place in boxes.tolist()}
            assert found <= near <= by_boxes
            left_out += len(by_boxes - near)
            met += len(found)
    assert met > 20
    assert left_out > 20


@pytest.mark.slow
def test_a_kept_index_of_any_history_finds_what_a_new_one_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # small numbers, so that stores are joined and places left and filled again and again
    monkeypatch.setattr("keepclear.detect.volume_index.LAST_FEW", 3)
    monkeypatch.setattr("keepclear.detect.volume_index.GROWS_BY", 2)
    monkeypatch.setattr("keepclear.detect.kept_volumes.FEW", 4)
    monkeypatch.setattr("keepclear.detect.kept_volumes.ROOM", 2)
    rng, limits = random.Random(41), minima(Cylinder(lateral_tmm=60 * NM_TMM))
    index, found = VolumeIndex(FUNCTIONS, limits), 0
    kept: dict[str, tuple[int, Volumes]] = {}
    for step in range(120):
        key = f"{rng.randrange(40):02}"
        if key in kept:
            index.remove(key)
            del kept[key]
        else:
            plan = compile_volumes(scene(rng, rng.randrange(1, 4)), Datums())
            group = rng.randrange(3)
            index.add(key, group, plan)
            kept[key] = (group, plan)
        if step % 3:
            continue
        asked = compile_volumes(scene(rng, 2), Datums())
        new = VolumeIndex(FUNCTIONS, limits)
        for other, (group, plan) in rng.sample(sorted(kept.items()), len(kept)):
            new.add(other, group, plan)

        hits = index.query("20", 1, asked)

        assert _told(hits) == _told(new.query("20", 1, asked))
        found += len(hits.keys)
        for own, (group, plan) in kept.items():
            hits, near = index.query(own, group, plan), index.near(own, group)
            assert set(hits.keys) <= set(near) <= kept.keys() - {own}
            if near:
                assert set(index.inside(own, near, limits)) == set(hits.keys)
    assert found > 25
    assert len(index) == len(kept)
    assert all(len(index.places(key)) == plan.volumes for key, (_, plan) in kept.items())


def _told(hits: Hits) -> tuple[object, ...]:
    rows = np.nan_to_num(hits.rows).tolist()
    return hits.keys, hits.number, hits.own, hits.is_turned, hits.row_hit.tolist(), rows


def test_a_pair_asked_from_either_side_is_the_same_bits() -> None:
    rng = random.Random(5)
    limits = minima(Cylinder(lateral_tmm=300 * NM_TMM))
    for _ in range(20):
        a, b = one(some_volume(rng)), one(some_volume(rng))
        with_a, with_b = VolumeIndex(FUNCTIONS, limits), VolumeIndex(FUNCTIONS, limits)
        with_a.add("a", 0, a)
        with_b.add("b", 1, b)
        asked_b, asked_a = with_a.query("b", 1, b), with_b.query("a", 0, a)
        assert np.array_equal(asked_b.rows, asked_a.rows, equal_nan=True)
        if len(asked_b.rows):
            assert (asked_b.is_turned, asked_a.is_turned) == ((True,), (False,))


def test_what_is_removed_is_not_found_and_its_key_is_free() -> None:
    index = VolumeIndex(FUNCTIONS, minima())
    here = one(volume(box(0, 0, 0.02, 0.02)))
    for k in range(40):
        index.add(f"k{k}", 0, here)

    index.remove("k7")

    assert "k7" not in index.query("q", 1, here).keys
    assert len(index.query("q", 1, here).keys) == 39
    index.add("k7", 0, here)
    assert len(index.query("q", 1, here).keys) == 40
    with pytest.raises(InputError, match="is kept already"):
        index.add("k7", 0, here)
    index.remove("k7")
    with pytest.raises(InputError, match="is not kept"):
        index.remove("k7")


def test_groups_and_own_plans_are_left_out() -> None:
    index = VolumeIndex(FUNCTIONS, minima())
    here = one(volume(box(0, 0, 0.02, 0.02)))
    index.add("a", 0, here)
    index.add("b", 1, here)

    assert index.query("c", 0, here).keys == ("b",)
    assert index.query("c", 0, here, within=True).keys == ("a", "b")
    assert index.query("a", 0, here, within=True).keys == ("b",)


def test_a_trajectory_is_asked_about_too() -> None:
    index = VolumeIndex(FUNCTIONS, minima(FIVE_MILES))
    areas = [volume(box(k, 0, k + 0.5, 0.5)) for k in range(30)]
    index.add_many([f"{k:02}" for k in range(30)], [0] * 30, compile_volumes(areas, Datums()))

    hits = index.query_trajectory("f", 1, flight((0, 3.2, 0.2, 0), (3000, 6.7, 0.2, 0)), 0)

    assert hits.keys == ("03", "04", "05", "06")
    assert set(hits.is_turned) == {False}


# Boxes of 2 km, 5.5 km apart; windows 550 s apart: too much for one of two tolerances alone.
HERE = box(0, 0, 0.02, 0.02)
ASIDE = Tolerance(lateral_m=3_000.0)
SOON_US, LATER_US = 1_000_000_000, 1_550_000_000


@pytest.mark.parametrize(
    ("kept", "its", "asked", "own"),
    [
        (volume(HERE), ASIDE, volume(box(0.07, 0, 0.09, 0.02)), ASIDE),
        (
            volume(HERE, end_us=SOON_US), Tolerance(late_us=500_000_000),
            volume(HERE, start_us=LATER_US), Tolerance(early_us=100_000_000),
        ),
        (
            volume(HERE, start_us=LATER_US), Tolerance(early_us=500_000_000),
            volume(HERE, end_us=SOON_US), Tolerance(late_us=100_000_000),
        ),
    ],
)  # fmt: skip
def test_what_either_plan_may_be_off_by_is_counted_in(
    kept: Volume4D, its: Tolerance, asked: Volume4D, own: Tolerance
) -> None:
    index = VolumeIndex(FUNCTIONS, minima())
    index.add("kept", 0, compile_volumes([kept], Datums(), [its]))

    hits = index.query("asked", 1, compile_volumes([asked], Datums(), [own]))

    assert hits.keys == ("kept",)


@pytest.mark.parametrize(("early_s", "lateral_m"), [(100.0, 0.0), (0.0, 3_000.0)])
def test_what_a_trajectory_may_be_off_by_is_counted_in(early_s: float, lateral_m: float) -> None:
    start_s, west = (1_550, 0.0) if early_s else (0, 0.07)
    off_by = Tolerance(lateral_m=lateral_m, late_us=round(early_s * 5e6))
    index = VolumeIndex(FUNCTIONS, minima())
    index.add("kept", 0, compile_volumes([volume(HERE, end_us=SOON_US)], Datums(), [off_by]))
    f = flight(
        (start_s, west, 0.01, 0), (start_s + 600, west + 0.02, 0.01, 0),
        early_s=early_s, lateral_m=lateral_m,
    )  # fmt: skip

    assert index.query_trajectory("asked", 1, f, 0).keys == ("kept",)


def test_a_plan_of_several_volumes_says_which_is_met() -> None:
    index = VolumeIndex(FUNCTIONS, minima())
    plan = compile_volumes([volume(box(k, 0, k + 0.5, 0.5)) for k in range(5)], Datums())
    index.add("plan", 0, plan)

    hits = index.query("q", 1, compile_volumes(
        [volume(box(9, 9, 10, 10)), volume(box(3.2, 0.2, 3.3, 0.3))], Datums()))  # fmt: skip

    assert (hits.keys, hits.number, hits.own) == (("plan",), (3,), (1,))
