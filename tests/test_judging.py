# SPDX-License-Identifier: Apache-2.0
"""What the kept index says is broken is what comes out of each pair by itself, without it."""

import random
from typing import Any, Final

import msgspec
import pytest

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Compiled, breaches, compile_claim, limited
from keepclear.agreement.clauses import Disclosure, Field, ProbingBound, Separation
from keepclear.agreement.probing import DEFAULT, widened
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.detect.compiled import compiled, plain
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import Functions
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.judging import broken_with
from keepclear.exchange.objects import Rechecking
from keepclear.plans.filing import Craft, Domain
from keepclear.plans.operations import Operation, claim_of
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.agreement_plays import clause
from tests.exchange_plays import CountedIds
from tests.incident_plays import file, volume
from tests.record_plays import START_US
from tests.two_worlds import between

HOUSE: Final = read_rules("""
name = "by class, level and approval"
[rules.any-pair]
default = true
any = [
  { lateral = "6 NM" },
  { vertical = "2000 ft", rvsm = { up_to = "FL410", vertical = "1000 ft" } },
]
[rules.drones]
classes = ["uav*", "any"]
any = [{ lateral = "2 NM" }, { vertical = "500 ft" }]
""")
STAY: Final = read_rules("""
name = "a stay"
[rules.stay]
default = true
any = [{ lateral = "9 NM" }, { vertical = "1000 ft" }, { duration = "40 min" }]
floor = { lateral = "2 NM", vertical = "500 ft" }
""")
SHOWN: Final = (
    (),
    (Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND),
    (Field.EVERYTHING,),
)


def staged(functions: Functions, fields: tuple[Field, ...]) -> Stage:
    """Return a stage: of a and b two rules bind, of a and c one with a duration, else the house."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), functions)
    for party in "abcd":
        stage.join(party)
    grade = Disclosure(
        fields=fields, grain_tmm=50_000_000, level_grain_tmm=3_048_000, time_grain_us=300_000_000
    )
    for made in (
        between("a", "b", "a-b", clause("1", "Far.", Separation(rules=HOUSE)),
                clause("2", "Near.", Separation(rules=parse_short("3 NM / 3000 ft"))),
                clause("3", "Shown.", grade)),
        between("a", "c", "a-c", clause("1", "A stay.", Separation(rules=STAY))),
    ):  # fmt: skip
        stage.carry(stage.signed(made), made)
    return stage


def filed_by_chance(rng: random.Random, stage: Stage, party: str) -> Operation:
    """File an operation near the others, of any class, size, height and time.

    Some come near for a while only, from far away and back.
    """
    level, latitude = rng.randrange(270, 330, 5), 35 + rng.uniform(0, 0.6)
    start, minutes = rng.randrange(30, 200), rng.choice([3, 30, 90])
    high = rng.choice([10, 30])
    radius, lower = rng.choice(["0.2 NM", "0.2 NM", "4 NM"]), rng.choice([None, f"FL{level}"])
    more: dict[str, Any] = {"craft_class": rng.choice(["any", "any", "uav-small"])}
    more["has_rvsm"] = rng.random() < 0.5
    if rng.random() < 0.4:
        more |= {"domain": Domain.GROUND, "craft": Craft.VEHICLE}
    places = [(start, latitude)]
    if rng.random() < 0.4:
        places = [(start - minutes, latitude + 3), *places, (start + minutes, latitude + 3)]
    volumes = tuple(
        volume(begins, minutes, at, radius, lower, f"FL{level + high}") for begins, at in places
    )
    return file(stage, party, volumes[0], volumes=volumes, **more)


class ByItself:
    """Pairs, each operation compiled by itself and judged as it stands."""

    def __init__(self, deciding: Deciding) -> None:
        self._deciding, self._datums = deciding, Datums()
        self._forms: dict[tuple[str, ProbingBound | None], Compiled] = {}

    def broken(self, one: Operation, other: Operation) -> set[tuple[str, str]]:
        """Return what a pair breaks."""
        bound = self._deciding.between(one.party, other.party).bound(one, other)
        a, b = (self._form(each, bound) for each in (one, other))
        minima: tuple[Minima, ...] = self._deciding.minima(one, other)
        return {(each.agreement, each.clause) for each in breaches(plain(), a, b, minima)}

    def limited(self, one: Operation, other: Operation) -> bool:
        """Tell whether a pair is within some minima for no longer than a duration allows."""
        bound = self._deciding.between(one.party, other.party).bound(one, other)
        a, b = (self._form(each, bound) for each in (one, other))
        return bool(limited(plain(), a, b, self._deciding.minima(one, other)))

    def _form(self, operation: Operation, bound: ProbingBound | None) -> Compiled:
        if (operation.id, bound) not in self._forms:
            claim = claim_of(operation)
            made = claim if bound is None else widened(claim, bound)
            self._forms[operation.id, bound] = compile_claim(made, self._datums)
        return self._forms[operation.id, bound]


@pytest.mark.slow
@pytest.mark.parametrize("fields", SHOWN)
def test_what_many_break_is_what_each_breaks_by_itself(fields: tuple[Field, ...]) -> None:
    rng = random.Random(len(fields))
    stage = staged(compiled(), fields)
    made = [filed_by_chance(rng, stage, rng.choice("aabcd")) for _ in range(90)]
    exchange = stage.exchange
    deciding = exchange._deciding(exchange._clock.now_us())
    by_itself = ByItself(deciding)
    found, stays, compared = 0, 0, 0

    for one in made:
        others = [each for each in made if each.party != one.party]
        broken = broken_with(deciding, one, others)
        near = set(deciding.near.near(one.id))
        for other in others:
            expected = by_itself.broken(one, other)
            assert {(each.agreement, each.clause) for each in broken[other.id]} == expected
            is_limited = by_itself.limited(one, other)
            assert other.id in near or not (expected or is_limited)
            found += bool(expected)
            stays += is_limited
            compared += 1
    assert 60 < found < compared / 2
    assert stays > 5


def test_what_is_kept_wider_than_it_is_judged_is_judged_as_it_is() -> None:
    # b's small one is 9.2 NM off a's: 6.7 as the two are judged, and nothing as it is kept for c
    stage = staged(plain(), ())
    wide = msgspec.structs.replace(DEFAULT, across_tmm=20 * 18_520_000)
    for_c = between("b", "c", "b-c", clause("1", "Apart.", Separation(rules=HOUSE)),
                    clause("2", "Wide.", wide))  # fmt: skip
    stage.carry(stage.signed(for_c), for_c)
    large: dict[str, Any] = {"lower": "FL200", "upper": "FL300"}
    own = file(stage, "a", volume(radius="12 NM", **large))
    like = file(stage, "b", volume(latitude=38.0, radius="12 NM", **large))
    small = file(stage, "b", volume(latitude=35 + 21.4 / 60, radius="0.2 NM", **large))
    deciding = stage.exchange._deciding(START_US)

    found = broken_with(deciding, own, [like, small])

    assert not found[small.id]
    assert deciding.near.inside(own.id, [small.id], HOUSE) == [small.id]
    assert broken_with(deciding, own, [small, like]) == found


def test_what_is_rechecking_is_judged_by_the_rules_before_too() -> None:
    stage = staged(plain(), ())
    large: dict[str, Any] = {"radius": "6 NM", "lower": "FL200", "upper": "FL300"}
    own = file(stage, "a", volume(**large))
    one, other = (file(stage, "b", volume(latitude=35 + 20 / 60, **large)) for _ in range(2))
    world = stage.exchange.world
    [(own_hash, carried)] = [
        (key, each) for key, each in world.agreements.items() if each.agreement.id == "a-b"
    ]
    farther = clause("9", "Farther.", Separation(rules=parse_short("20 NM / 5000 ft")))
    world.before[f"{own_hash}/1"] = msgspec.structs.replace(carried, clauses=(farther,))
    world.rechecking[other.id] = Rechecking(waits=(f"{own_hash}/1",))

    found = broken_with(stage.exchange._deciding(START_US), own, [one, other])

    assert not found[one.id]
    assert [each.clause for each in found[other.id]] == ["9"]


def test_an_operation_that_no_bound_widens_is_kept_as_it_is_judged() -> None:
    stage = staged(plain(), ())
    large = file(stage, "a", volume(radius="6 NM", lower="FL200", upper="FL300"))
    small = file(stage, "b", volume(radius="1 NM", minutes=5))
    near = stage.exchange._deciding(START_US).near

    assert near.is_as_filed(large.id)
    assert not near.is_as_filed(small.id)
    assert near.compiled(small.id, DEFAULT).claim.volumes != small.volumes
    assert near.compiled(small.id, None).claim.volumes == small.volumes
    assert not near.is_kept_as_judged(large.id, small.id, None)
    assert near.is_kept_as_judged(
        large.id, large.id, msgspec.structs.replace(DEFAULT, lasts_us=DEFAULT.lasts_us // 2)
    )
