# SPDX-License-Identifier: Apache-2.0
"""Duration leaves for plans given as volumes: shift by shift, as brute force has it."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pytest

import keepclear
from keepclear.agreement.findings import Finding, Interval, Verdict
from keepclear.agreement.insides import look_at
from keepclear.agreement.stays import Asked, Clock, Inside, Stay, judge_stay, shifts_between
from keepclear.detect import sweep as column
from tests.stay_oracle import Scene, Span, Together, longest, verdict
from tests.test_check import written

A_SECOND_US: Final = 1_000_000
a_second: Final = 1.0
half_a_second: Final = 0.5
# One degree of the equator: WGS 84, NGA.STND.0036 (2014), a = 6 378 137 m, a * pi / 180.
DEGREE_M: Final = 111_319.4908
RULES: Final = """
name = "short stays"
[rules.any-pair]
any = [
  { lateral = "3 NM" }, { vertical = "3000 ft" }, { duration = "180 s", reset = "60 s" },
]
floor = { lateral = "1 NM", vertical = "1000 ft" }
""".replace("any = [\n  ", "any = [").replace(",\n]", "]")
NEAR_DEG: Final = 3 * 1852 / DEGREE_M


# --- in whole seconds, against fractions ------------------------------------------------------


def rows_of(scene: Scene) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the rows that the kernel gives for the parts of a scene, over all its shifts."""
    low, high = scene.shifts
    rows = []
    for (a_from, a_to), (b_from, b_to) in scene.parts:
        if a_from - b_to < high and a_to - b_from > low:
            row = np.zeros(column.COLUMNS)
            start, end = max(a_from, b_from + low), min(a_to, b_to + high)
            row[[column.START_A, column.END_A]] = start, end
            row[[column.START_B, column.END_B]] = max(b_from, start - high), min(b_to, end - low)
            rows.append(row)
    return np.array(rows) * A_SECOND_US


def judged(scene: Scene, early_late: Sequence[int]) -> Stay | None:
    """Return what the program says of a scene; None where nothing is ever inside."""
    rows = rows_of(scene)
    if not len(rows):
        return None
    early_a, late_a, early_b, late_b, time = (each * A_SECOND_US for each in early_late)
    a, b = (
        Clock(int(life[0]) * A_SECOND_US, int(life[1]) * A_SECOND_US, early, late)
        for life, early, late in ((scene.life_a, early_a, late_a), (scene.life_b, early_b, late_b))
    )
    gaps_a, gaps_b = (
        [Interval(start_us=int(s) * A_SECOND_US, end_us=int(e) * A_SECOND_US) for s, e in gaps]
        for gaps in (scene.gaps_a, scene.gaps_b)
    )
    asked = Asked(look_at(rows), a, b, gaps_a, gaps_b, scene.limit * A_SECOND_US,
                  scene.reset * A_SECOND_US)  # fmt: skip
    return judge_stay(asked, None, shifts_between(a, b, time))


def some_spans(choose: random.Random, count: int, last: int) -> list[Span]:
    ends: list[Fraction | int] = sorted(choose.sample(range(last), 2 * count))
    return list(zip(ends[::2], ends[1::2], strict=True))


def some_scene(choose: random.Random) -> tuple[Scene, list[int]]:
    """Return two plans of a few volumes in a minute, of which most pairs are near.

    With early_a, late_a, early_b, late_b and what a time leaf adds.
    """
    last = choose.choice([24, 60])
    a, b = (some_spans(choose, choose.randint(1, 4), last) for _ in range(2))
    if choose.random() < 0.3:  # side by side in time
        b = [(6 * k, 6 * k + 6) for k in range(choose.randint(1, 5))]
    parts = [Together(x, y) for x in a for y in b if choose.random() < 0.7]
    early_late = [*(choose.choice([0, 0, 3, 9]) for _ in range(4)), choose.choice([0, 0, 4])]
    early_a, late_a, early_b, late_b, time = early_late
    gaps_a, gaps_b = (
        some_spans(choose, 1, last) if choose.random() < 0.25 else [] for _ in range(2)
    )
    scene = Scene(
        parts, gaps_a, gaps_b, some_life(choose, a), some_life(choose, b),
        (-(late_a + early_b) - time, early_a + late_b + time),
        choose.randint(2, 20), choose.choice([1, 2, 4]),
    )  # fmt: skip
    return scene, early_late


def some_life(choose: random.Random, spans: Sequence[Span]) -> Span:
    """Return first and last instant of a plan that may be elsewhere before and after."""
    before, after = choose.choice([0, 20]), choose.choice([0, 20])
    return spans[0][0] - before, spans[-1][1] + after


@pytest.mark.slow
def test_stays_of_volumes_are_what_every_shift_says() -> None:
    choose = random.Random(11)
    seen: Counter[Verdict] = Counter()
    more_careful = 0

    for _ in range(700):
        scene, early_late = some_scene(choose)
        found = judged(scene, early_late)
        if found is None:
            continue
        right = verdict(scene)
        seen[right] += 1
        if found.verdict is not right:
            # undecided within a millisecond of a shift at which pieces join: the worse one
            assert found.verdict is Verdict.CONFLICT or right is Verdict.LIMITED, scene
            more_careful += 1
        if found.verdict is Verdict.CONFLICT and right is Verdict.CONFLICT:
            over_s = float(longest(scene) - scene.limit)
            assert found.over_us / A_SECOND_US <= over_s + half_a_second, scene
            assert found.over_us / A_SECOND_US > over_s - a_second, scene

    assert (
        min(seen[each] for each in (Verdict.CONFLICT, Verdict.UNDETERMINED, Verdict.LIMITED)) > 50
    )
    assert more_careful < 0.02 * seen.total()


def test_a_window_as_long_as_the_limit_holds_at_every_shift() -> None:
    # b's window of 20 s lies within a's whatever the shift is, and a goes on before and after.
    scene = Scene([Together((0, 100), (30, 50))], [], [], (-500, 500), (-500, 500), (-9, 9), 20, 1)

    found = judged(scene, [9, 0, 0, 9, 0])

    assert verdict(scene) is Verdict.LIMITED
    assert found == Stay(Verdict.LIMITED, 0, "")


def test_a_gap_of_the_other_plan_moves_with_its_clock() -> None:
    # Inside 0-10 and 20-30 of a; b's gap 40-50 lies between them only when b runs 30 s early.
    scene = Scene(
        [Together((0, 10), (-500, 500)), Together((20, 30), (-500, 500))],
        [], [(40, 50)], (-500, 500), (-500, 500), (-120, 0), 15, 1,
    )  # fmt: skip

    found = judged(scene, [0, 60, 60, 0, 0])

    assert verdict(scene) is Verdict.CONFLICT
    assert found is not None
    assert found.verdict is Verdict.CONFLICT


# --- from files ------------------------------------------------------------------------------


class Volume(NamedTuple):
    """A box across the equator: longitudes, flight levels, seconds after 10:00."""

    west: float
    east: float
    lower: int
    upper: int
    start_s: int
    end_s: int


class Flight(NamedTuple):
    """A flight along the equator at one flight level: (second, longitude), a leg between each."""

    level: int
    points: Sequence[tuple[int, float]]


def clock(second: int) -> str:
    return f"2015-09-30T{10 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def file_of(folder: Path, name: str, plan: Flight | Sequence[Volume]) -> str:
    if isinstance(plan, Flight):
        rows = [f"{clock(s)},,{name},0.0,{x!r},{100 * plan.level}" for s, x in plan.points]
        return written(folder, f"{name}.csv", rows)
    features = []
    for west, east, lower, upper, start_s, end_s in plan:
        ring = [[west, -0.5], [east, -0.5], [east, 0.5], [west, 0.5], [west, -0.5]]
        features.append({
            "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"id": name, "lower": f"FL{lower}", "upper": f"FL{upper}",
                           "start": clock(start_s), "end": clock(end_s)},
        })  # fmt: skip
    file = folder / f"{name}.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(file)


def checked(
    folder: Path, north: Flight | Sequence[Volume], south: Flight | Sequence[Volume],
    rules: str = RULES, **options: Any,  # noqa: ANN401 options of check
) -> Finding | None:  # fmt: skip
    """Return what is found, if anything, between two plans."""
    file = folder / "rules.toml"
    file.write_text(rules)
    files = [file_of(folder, "N1", north), file_of(folder, "S1", south)]
    found = keepclear.check(files, rules=str(file), **{"max_gap": "20 min"} | options).findings
    return found[0] if found else None


def life_of(plan: Flight | Sequence[Volume]) -> Span:
    if isinstance(plan, Flight):
        return micro(plan.points[0][0]), micro(plan.points[-1][0])
    return micro(min(v.start_s for v in plan)), micro(max(v.end_s for v in plan))


def micro(second: float) -> int:
    return round(second * A_SECOND_US)


def parts_of(one: Flight | Sequence[Volume], other: Flight | Sequence[Volume]) -> list[Together]:
    """Return where two plans, one at least of volumes, are inside the minima, by hand."""
    if isinstance(other, Flight):
        return [Together(b, a) for a, b in parts_of(other, one)]
    if isinstance(one, Flight):
        return [
            Together(span, (micro(v.start_s), micro(v.end_s)))
            for v in other if is_level_near(one.level, one.level, v) for span in passes(one, v)
        ]  # fmt: skip
    return [
        Together((micro(v.start_s), micro(v.end_s)), (micro(w.start_s), micro(w.end_s)))
        for v in one for w in other
        if is_level_near(v.lower, v.upper, w) and v.west < w.east and w.west < v.east
    ]  # fmt: skip


def is_level_near(lower: int, upper: int, other: Volume) -> bool:
    return other.lower - upper < 30 and lower - other.upper < 30


def passes(flight: Flight, v: Volume) -> list[Span]:
    """Return when a flight is within 3 NM of a box: the equator's arc is the distance."""
    found: list[Span] = []
    for (s0, x0), (s1, x1) in pairwise(flight.points):
        inside = sorted(
            s0 + (s1 - s0) * min(max((x - x0) / (x1 - x0), 0.0), 1.0)
            for x in (v.west - NEAR_DEG, v.east + NEAR_DEG)
        )
        if inside[0] < inside[1]:
            found.append((micro(inside[0]), micro(inside[1])))
    return found


def scene_of(
    one: Flight | Sequence[Volume], other: Flight | Sequence[Volume], tolerance_s: int
) -> Scene:
    most_us = 2 * tolerance_s * A_SECOND_US
    return Scene(parts_of(one, other), [], [], life_of(one), life_of(other), (-most_us, most_us),
                 180 * A_SECOND_US, 60 * A_SECOND_US)  # fmt: skip


def some_volumes(choose: random.Random, lower: int) -> list[Volume]:
    """Return one to four volumes after each other, some far above, in any order."""
    found, start_s = [], choose.randrange(0, 400)
    for _ in range(choose.randint(1, 4)):
        end_s = start_s + choose.randrange(30, 400)
        west = choose.choice([10.0, 10.3])
        base = choose.choice([lower, lower, lower, lower + 240])
        found.append(
            Volume(west, west + choose.choice([0.2, 1.0]), base, base + 50, start_s, end_s)
        )
        start_s = end_s + choose.choice([0, 20, 100, -20])
    choose.shuffle(found)
    return found


def some_flight(choose: random.Random) -> Flight:
    """Return a flight to and fro, at 0.002 to 0.01 degrees of longitude a second."""
    second, x = choose.randrange(0, 600), 10.0 + choose.uniform(-1, 2)
    points = [(second, x)]
    for _ in range(choose.randint(1, 3)):
        lasts_s = choose.randrange(60, 600)
        second, x = (
            second + lasts_s,
            x + choose.choice([-1, 1]) * lasts_s * choose.uniform(2e-3, 1e-2),
        )
        points.append((second, x))
    return Flight(270, points)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_duration_leaf_for_volumes_in_files_is_as_defined(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)
    seen: Counter[Verdict] = Counter()
    more_careful = 0

    for _ in range(50):
        one = some_volumes(choose, 200)
        other = some_flight(choose) if choose.random() < 0.6 else some_volumes(choose, 265)
        tolerance_s = choose.choice([0, 0, 30, 120])
        if choose.random() < 0.5:
            one, other = other, one  # type: ignore[assignment]
        scene = scene_of(one, other, tolerance_s)
        finding = checked(tmp_path, one, other, time_tolerance=f"{tolerance_s} s")
        found = Verdict.CLEAR if finding is None else finding.verdict
        right = verdict(scene, samples=50) if longest(scene) > 0 else Verdict.CLEAR
        seen[right] += 1

        # undecided within a millisecond of a shift at which pieces join: the worse one
        assert found is right or (found is Verdict.CONFLICT and right is not Verdict.CLEAR)
        more_careful += found is not right

    assert min(seen.values()) >= 2, seen
    assert len(seen) == 4
    assert more_careful <= 1


AREA: Final = (Volume(10.0, 10.2, 200, 250, 0, 3600),)


def pass_by(speed: float) -> Flight:
    """Return a flight 2000 ft over `AREA` and past it, at a speed in degrees a second."""
    return Flight(270, [(0, 10.1 - 600 * speed), (1200, 10.1 + 600 * speed)])


def test_a_flight_that_passes_an_area_for_less_than_the_limit_is_limited(tmp_path: Path) -> None:
    # 0.2 degrees and 3 NM on both sides at 0.002 degrees a second: 150 s of 180 s
    finding = checked(tmp_path, AREA, pass_by(0.002), time_tolerance="3 min")

    assert finding is not None
    assert finding.verdict is Verdict.LIMITED
    assert finding.short_by_s is None


def test_a_flight_that_passes_an_area_for_longer_is_short_by_the_rest(tmp_path: Path) -> None:
    # at 0.001 degrees a second: twice 150 s less 0.09 s, of which 180 s are allowed
    lasts_s = (0.2 + 2 * NEAR_DEG) / 0.001

    alone = checked(tmp_path, AREA, pass_by(0.001))
    tolerant = checked(tmp_path, AREA, pass_by(0.001), time_tolerance="3 min")

    for finding in (alone, tolerant):
        assert finding is not None
        assert finding.verdict is Verdict.CONFLICT
        assert finding.short_by_s == pytest.approx(lasts_s - 180, abs=0.01)


def test_two_short_stays_with_a_gap_in_the_data_between_them_are_one(tmp_path: Path) -> None:
    # Inside from 10:01:26 on; no position from 10:02 to 10:12; inside until 10:12:14.
    flight = Flight(270, [(0, 9.74), (60, 9.86), (120, 9.98), (720, 10.22), (780, 10.34)])

    for pair in ((AREA, flight), (flight, AREA)):
        finding = checked(tmp_path, *pair, max_gap="5 min")

        assert finding is not None
        assert finding.verdict is Verdict.CONFLICT


def test_a_time_leaf_widens_the_shifts_of_a_stay(tmp_path: Path) -> None:
    # The flight is over the area for 300 s, from a minute after it has ended.
    ends = [Volume(10.0, 10.2, 200, 250, 0, 390)]
    flight = pass_by(0.001)

    at_once = checked(tmp_path, ends, flight)
    later = checked(
        tmp_path, ends, flight, rules=RULES.replace("{ duration", '{ time = "10 min" }, { duration')
    )

    assert at_once is None
    assert later is not None
    assert later.verdict is Verdict.CONFLICT


def test_one_position_at_the_first_instant_of_an_area_is_undetermined(tmp_path: Path) -> None:
    area = [Volume(10.0, 10.2, 200, 250, 600, 1200)]

    for pair in ((area, Flight(270, [(600, 10.1)])), (Flight(270, [(600, 10.1)]), area)):
        finding = checked(tmp_path, *pair)

        assert finding is not None
        assert finding.verdict is Verdict.UNDETERMINED


def test_what_halving_leaves_undecided_counts_as_broken() -> None:
    # Too long at one shift that no halving of 0 to 10 s meets.
    there_us = 3_333_333

    def look(low_us: int, high_us: int) -> Inside:
        end_us = 40 if low_us <= there_us <= high_us else 20
        stay = [Interval(start_us=0, end_us=end_us * A_SECOND_US)]
        return Inside(on_a=stay, on_b=stay)

    clock = Clock(-500 * A_SECOND_US, 500 * A_SECOND_US, 0, 10 * A_SECOND_US)
    asked = Asked(look, clock, clock, (), (), 30 * A_SECOND_US, A_SECOND_US)

    assert judge_stay(asked, None, (0, 10 * A_SECOND_US)) == Stay(Verdict.CONFLICT, 0, "")


def test_a_volume_shorter_than_the_limit_breaks_it_at_no_shift(tmp_path: Path) -> None:
    # Two minutes in the middle of twenty: two minutes at every shift, ten over all shifts.
    below = [
        Volume(10.0, 10.2, 100, 120, 0, 600), Volume(10.0, 10.2, 200, 250, 600, 720),
        Volume(10.0, 10.2, 100, 120, 720, 1200),
    ]  # fmt: skip
    above = [Volume(10.0, 10.2, 270, 300, 0, 1200)]

    finding = checked(tmp_path, below, above, time_tolerance="2 min")

    assert finding is not None
    assert finding.verdict is Verdict.LIMITED


def test_a_gap_between_two_flights_is_looked_for_where_the_shift_puts_it(tmp_path: Path) -> None:
    # S1 is there for 240 s with a gap in the middle; N1 comes 80 s later, so that only 170 s
    # are left, gap and all, unless S1 runs late.
    north = Flight(270, [(s, 10.1) for s in range(80, 601, 20)])
    south = Flight(250, [(s, 10.1) for s in (*range(0, 71, 10), *range(170, 241, 10))])

    at_once = checked(tmp_path, north, south, max_gap="1 min")
    late = checked(tmp_path, north, south, max_gap="1 min", time_tolerance="60 s")

    assert at_once is not None
    assert at_once.verdict is Verdict.UNDETERMINED
    assert late is not None
    assert late.verdict is Verdict.CONFLICT
    assert late.short_by_s == pytest.approx(60, abs=a_second)


def test_what_is_within_the_guard_band_counts_as_inside_before_and_after(tmp_path: Path) -> None:
    # From 1 m inside 3 NM to 1 m outside in 400 s: 200 s by the numbers, some seconds more as
    # far as they can be trusted (the guard band is 1 cm or more, at most 10 cm: 220 s).
    edge, metre = 10.2 + NEAR_DEG, 1 / DEGREE_M
    slow = [(300, edge - metre), (700, edge + metre)]
    flight = Flight(270, [(200, edge + 0.2), *slow, (800, edge + 0.2)])
    hovering: Flight | Sequence[Volume] = Flight(250, [(s, 10.2) for s in range(0, 1001, 100)])
    allowed = {limit: RULES.replace("180 s", f"{limit} s") for limit in (202, 221)}

    for other, tolerance in product([AREA, hovering], ["0 s", "60 s"]):
        found = {
            limit: checked(tmp_path, other, flight, rules, time_tolerance=tolerance)
            for limit, rules in allowed.items()
        }

        assert found[202] is not None
        assert found[202].verdict is Verdict.CONFLICT
        assert found[221] is not None
        assert found[221].verdict is Verdict.LIMITED
