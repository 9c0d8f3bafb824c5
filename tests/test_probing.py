# SPDX-License-Identifier: Apache-2.0
"""Caps and the bound on probing: what many small plans learn, and what they cost."""

import math
from typing import Final

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import (
    AnyDecision,
    Caps,
    Disclosure,
    Field,
    ProbingBound,
    Separation,
)
from keepclear.agreement.documents import Agreement
from keepclear.agreement.probing import DEFAULT, widened
from keepclear.agreement.rules_toml import parse_short
from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Edge, Position, positions
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Volume3D, Volume4D
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.events import KINDS, FilingsCounted
from keepclear.exchange.folding import fold
from keepclear.plans import acts
from keepclear.plans.filing import Domain, FiledCircle, FiledCorridor, FiledOperation, FiledVolume
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Entry, Part
from keepclear.record.files import EntryLine
from keepclear.record.headers import Status
from keepclear.units import format_time
from tests.agreement_plays import agreement, clause
from tests.exchange_plays import CountedIds
from tests.record_plays import START_US

MINUTE_US: Final = 60_000_000
HOUSE: Final = parse_short("5 NM / 1000 ft")
CAPS: Final = Caps(
    area_hours_km2h=5_000, day_area_hours_km2h=3_000, duration_us=24 * 60 * MINUTE_US, vertices=20
)


def capped(*more: AnyDecision, caps: Caps = CAPS) -> Agreement:
    """Return an agreement of a and b with caps and the default bound on probing."""
    decisions = (Separation(rules=HOUSE), caps, DEFAULT, *more)
    return agreement(clauses=tuple(
        clause(str(number), "EXERCISE", each) for number, each in enumerate(decisions, start=1)
    ))  # fmt: skip


def staged(made: Agreement | None = None) -> Stage:
    """Return an exchange with a, b and an agreement."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    made = made or capped()
    stage.carry(stage.signed(made), made)
    return stage


def circle(
    latitude: float = 35.0, radius: str = "0.5 NM", level: int = 240, minutes: int = 5,
    start: int = 60,
) -> FiledOperation:  # fmt: skip
    """Return an operation in a circle."""
    times = [f"{format_time(START_US + m * MINUTE_US)[:19]}Z" for m in (start, start + minutes)]
    volume = FiledVolume(
        shape=FiledCircle(centre=(latitude, 35.5), radius=radius),
        lower=f"FL{level}", upper=f"FL{level + 10}", start=times[0], end=times[1],
    )  # fmt: skip
    return FiledOperation(
        datum="WGS84", domain=Domain.AIR, craft_class="any", volumes=(volume,)
    )  # fmt: skip


def file(stage: Stage, party: str, operation: FiledOperation) -> None:
    stage.submit(party, "operations.file/1", acts.FileOperation(operation=operation))


def test_a_sweep_learns_at_most_cap_by_cost_bits_and_the_other_side_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = staged()
    file(stage, "b", circle(latitude=36.0, radius="10 NM", minutes=120))
    bits = alarm = 0
    refused = ""
    for number in range(500):
        stage.clock.move_to(stage.clock.now_us() + 1)
        probe = circle(latitude=34.0 + number * 0.01, start=60 + number % 60)
        try:
            file(stage, "a", probe)
        except CallerError as fault:
            refused = refused or str(fault)
            continue
        bits += 1
        told = [each for each in _told(stage, "b") if isinstance(each, FilingsCounted)]
        alarm = alarm or (bits if told else 0)
    # 5 NM across, for half an hour: pi * (2.5 * 1.852 km)^2 / 2, rounded up
    cost = math.ceil(math.pi * (2.5 * 1.852) ** 2 / 2)
    print(f"{bits} bits, {cost} km2h each, alarm at filing {alarm}")  # noqa: T201 what it learns

    assert cost == 34
    assert bits == CAPS.day_area_hours_km2h // cost
    assert alarm == DEFAULT.filings_an_hour
    assert "area-hours of the day 2,992 taken and 34 more km2h: above 3,000 km2h" in refused
    assert "which clause 2 allows one party in a day; file it later, or less" in refused
    assert f"{bits} bits" in capsys.readouterr().out
    assert fold(stage.lines).hash == stage.exchange.world.hash


def _told(stage: Stage, party: str) -> list[Signed]:
    """Return the events of the last entry that a party sees."""
    line = decode(stage.lines[-1], EntryLine, "line")
    entry = msgspec.json.decode(line.entry, type=Entry)
    parts = [
        msgspec.json.decode(leaf.part, type=Part)
        for leaf in entry.leaves
        if party in leaf.audience.split(",")
    ]
    return [msgspec.json.decode(p.data, type=KINDS[p.kind]) for p in parts if p.kind in KINDS]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (circle(radius="40 NM", minutes=60), "area-hours 17,241 km2h: above 5,000 km2h, which cl"),
        (circle(minutes=25 * 60), "duration 1500 min: above 1440 min, which clause 2 allows one"),
    ],
)
def test_what_takes_more_than_was_agreed_is_refused_before_it_is_compared(
    made: FiledOperation, why: str
) -> None:
    stage = staged()
    before = (stage.exchange.world.hash, len(stage.lines))

    with pytest.raises(CallerError, match="one operation"):
        file(stage, "a", made)
    try:
        file(stage, "a", made)
    except CallerError as fault:
        assert why in str(fault)  # noqa: PT017
    assert (stage.exchange.world.hash, len(stage.lines)) == before


def test_a_volume_above_the_cap_is_refused_and_one_without_a_limit_reaches_to_the_highest() -> None:
    # a cylinder of 10 NM and 1000 ft: pi * (10 * 1.852 km)^2 * 0.3048 km, rounded up
    cylinder_km3 = math.ceil(math.pi * 18.52**2 * 0.3048)
    assert cylinder_km3 == 329
    made = circle(radius="10 NM", minutes=30)
    open_above = msgspec.structs.replace(
        made, volumes=(msgspec.structs.replace(made.volumes[0], upper=None),)
    )

    def caps(limit_km3: int) -> Agreement:
        return capped(caps=msgspec.structs.replace(CAPS, volume_km3=limit_km3))

    file(staged(caps(cylinder_km3)), "a", made)
    with pytest.raises(CallerError, match="volume 329 km3: above 328 km3, which clause 2 allows"):
        file(staged(caps(cylinder_km3 - 1)), "a", made)
    # FL240 to 100,000 ft: 76 times as high
    with pytest.raises(CallerError, match=r"volume 24,96. km3: above 24,000 km3"):
        file(staged(caps(24_000)), "a", open_above)


def test_shapes_with_too_many_positions_are_refused() -> None:
    times = [f"{format_time(START_US + m * MINUTE_US)[:19]}Z" for m in (60, 70)]
    route = tuple((35.0 + n * 0.001, 35.0) for n in range(21))
    volume = FiledVolume(
        shape=FiledCorridor(route=positions(route), width="1 NM"), start=times[0], end=times[1]
    )
    made = FiledOperation(
        datum="WGS84", domain=Domain.AIR, craft_class="any", volumes=(volume,)
    )  # fmt: skip

    with pytest.raises(CallerError, match=r"vertices 21: above 20, .*; draw it simpler"):
        file(staged(), "a", made)


def test_contingent_volumes_pass_every_cap() -> None:
    stage = staged()
    file(stage, "a", circle(start=1, minutes=30))
    [operation] = stage.exchange.world.operations.values()
    stage.submit("a", "operations.activate/1", acts.ActivateOperation(id=operation.id))
    wide = circle(radius="100 NM", minutes=600).volumes

    stage.submit("a", "operations.contingent/1",
                 acts.MakeContingent(id=operation.id, off_nominal=wide))  # fmt: skip

    assert stage.exchange.world.operations[operation.id].state == "contingent"


def test_contingent_volumes_count_as_a_filing_and_cannot_step_over_the_alarm() -> None:
    stage = staged()
    file(stage, "a", circle(start=1, minutes=30))
    [operation] = stage.exchange.world.operations.values()
    stage.submit("a", "operations.activate/1", acts.ActivateOperation(id=operation.id))
    for number in range(8):
        file(stage, "a", circle(latitude=40.0 + number))

    stage.submit("a", "operations.contingent/1", acts.MakeContingent(id=operation.id))

    assert FilingsCounted(party="a", filings=10) in _told(stage, "b")


def test_without_an_agreement_nothing_is_capped_and_small_volumes_are_widened() -> None:
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    # 9 NM apart, circles of 0.5 NM: 8 NM between them, and 4 NM once each is 5 NM across
    file(stage, "a", circle(latitude=35.0))
    file(stage, "b", circle(latitude=35.15))

    assert len(stage.exchange.world.conflicts) == 1


def test_an_agreement_that_discloses_in_full_widens_nothing() -> None:
    full = Disclosure(
        fields=(Field.EVERYTHING,), grain_tmm=0, level_grain_tmm=0, time_grain_us=0
    )  # fmt: skip
    stage = staged(capped(full))
    file(stage, "a", circle(latitude=35.0))
    file(stage, "b", circle(latitude=35.15))
    assert not stage.exchange.world.conflicts

    file(stage, "b", circle(latitude=35.09))
    assert len(stage.exchange.world.conflicts) == 1


def claim(shape: object, lower: int, upper: int, minutes: int) -> Claim:
    band = [Altitude(height_tmm=ft * 3_048, reference=Reference.STANDARD) for ft in (lower, upper)]
    volume = Volume4D(
        volume=Volume3D(shape=shape, lower=band[0], upper=band[1]),  # type: ignore[arg-type]
        start_us=START_US, end_us=START_US + minutes * MINUTE_US,
    )  # fmt: skip
    return Claim(id="0", party="a", craft_class="any", has_rvsm=False, volumes=(volume,))


def place(latitude: float, longitude: float) -> Position:
    return Position(latitude_deg=latitude, longitude_deg=longitude)


shapes = st.one_of(
    st.builds(
        lambda r: Circle(centre=place(35, 35), radius_tmm=r), st.integers(1_000, 200_000_000)
    ),
    st.builds(
        lambda w: Corridor(route=(place(35, 35), place(35.2, 35.1)), width_tmm=w),
        st.integers(1_000, 200_000_000),
    ),
    st.builds(
        lambda r: Orbit(first=place(35, 35), second=place(35.1, 35), radius_tmm=r),
        st.integers(1_000, 100_000_000),
    ),
)  # fmt: skip


@given(shape=shapes, lower=st.integers(0, 40_000), thick=st.integers(0, 5_000),
       minutes=st.integers(1, 90))  # fmt: skip
def test_what_is_widened_is_as_large_as_asked_and_holds_what_was_filed(
    shape: Circle | Corridor | Orbit, lower: int, thick: int, minutes: int
) -> None:
    filed = claim(shape, lower, lower + thick, minutes)
    [old], [new] = filed.volumes, widened(filed, DEFAULT).volumes
    before, after = old.volume, new.volume
    assert before.lower is not None
    assert before.upper is not None
    assert after.lower is not None
    assert after.upper is not None

    assert new.start_us <= old.start_us
    assert old.end_us <= new.end_us
    assert new.end_us - new.start_us == max(DEFAULT.lasts_us, old.end_us - old.start_us)
    assert after.lower.height_tmm <= before.lower.height_tmm
    assert after.upper.height_tmm >= before.upper.height_tmm
    assert after.upper.height_tmm - after.lower.height_tmm >= DEFAULT.height_tmm
    across = {"radius_tmm": 2, "width_tmm": 1}
    for name, times in across.items():
        if hasattr(shape, name):
            assert getattr(after.shape, name) * times >= DEFAULT.across_tmm
            assert getattr(after.shape, name) >= getattr(shape, name)


def test_an_area_of_thin_arms_is_thin_however_far_they_reach() -> None:
    # two arms of 20 NM by a tenth of a mile: its outline is wide, and nothing in it is
    corners = [
        (35, 35),
        (35, 35.4),
        (35.0017, 35.4),
        (35.0017, 35.002),
        (35.33, 35.002),
        (35.33, 35),
    ]
    filed = claim(
        Polygon(ring=tuple(place(*each) for each in corners), edge=Edge.GEODESIC), 0, 3_000, 60
    )

    grown = widened(filed, DEFAULT)

    a_tenth_of_a_mile = 0.1 * 18_520_000
    assert grown.lateral_tmm >= (DEFAULT.across_tmm - 2 * a_tenth_of_a_mile) / 2


@pytest.mark.parametrize("latitude", [0.0, 61.0, -80.0, 88.5])
def test_what_a_circle_fits_into_is_not_measured(
    latitude: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = Polygon(ring=round_about(latitude, 6.0), edge=Edge.GEODESIC)
    narrow = Polygon(ring=round_about(latitude, 4.8), edge=Edge.GEODESIC)
    assert widened(claim(narrow, 0, 3_000, 60), DEFAULT).lateral_tmm > 0
    monkeypatch.setattr("keepclear.agreement.probing.inscribed_m", lambda _: 0.0)

    grown_tmm = widened(claim(wide, 0, 3_000, 60), DEFAULT).lateral_tmm

    assert grown_tmm == (0 if latitude < 85 else DEFAULT.across_tmm // 2)


def round_about(latitude: float, across_nm: float) -> tuple[Position, ...]:
    """Return 17 corners round a place."""
    turns = [360.0 * corner / 17 for corner in range(17)]
    found = [geod().fwd(35.0, latitude, turn, across_nm * 926.0) for turn in turns]
    return tuple(place(at, longitude) for longitude, at, _ in found)


@given(angle=st.floats(0, 180), long_m=st.floats(10, 60_000), wide_m=st.floats(1, 20_000),
       latitude=st.floats(-80, 80))  # fmt: skip
def test_a_polygon_is_grown_until_it_is_as_wide_as_asked(
    angle: float, long_m: float, wide_m: float, latitude: float
) -> None:
    ring = []
    for along, across in ((-1, -1), (-1, 1), (1, 1), (1, -1)):
        turn = angle + np.degrees(np.arctan2(across * wide_m, along * long_m))
        far_m = math.hypot(long_m, wide_m) / 2
        longitude, at, _ = geod().fwd(35.0, latitude, turn, far_m)
        ring.append(place(at, longitude))
    filed = claim(Polygon(ring=tuple(ring), edge=Edge.GEODESIC), 0, 3_000, 60)

    grown = widened(filed, DEFAULT)

    narrow_m = min(long_m, wide_m)
    grown_m = grown.lateral_tmm / 10_000
    asked_m = DEFAULT.across_tmm / 10_000
    a_part_in_a_thousand = 1e-3 * max(long_m, wide_m) + 0.01
    assert narrow_m + 2 * grown_m >= asked_m - a_part_in_a_thousand
    assert grown_m <= max(0.0, (asked_m - narrow_m) / 2) + a_part_in_a_thousand


def test_the_widest_of_some_bounds_counts() -> None:
    wide = ProbingBound(
        across_tmm=2 * DEFAULT.across_tmm, height_tmm=1, lasts_us=1, filings_an_hour=3
    )
    filed = claim(Circle(centre=place(35, 35), radius_tmm=10), 0, 100, 1)

    [volume] = widened(filed, wide).volumes
    assert isinstance(volume.volume.shape, Circle)
    assert volume.volume.shape.radius_tmm == DEFAULT.across_tmm
