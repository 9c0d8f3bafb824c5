# SPDX-License-Identifier: Apache-2.0
"""Reports made by hand, for the tests of what is printed and drawn.

`encounter` flies two plans and looks at every half second how close they come: a check of its
own, slow and simple, so that the numbers in a drawing fit its lines. All names say EXERCISE.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.findings import ClosestPoint, Finding, Interval, Verdict
from keepclear.airspace.altitudes import Altitude, Reference, are_comparable
from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Polygon, Shape, Volume3D, Volume4D
from keepclear.checks.report import Gap, Path, PathPoint, Report, RulesUsed
from keepclear.reports.pieces import place_at
from keepclear.units import TMM_PER_FOOT, TMM_PER_NM, US_PER_S, parse_time_us

START_US: Final = parse_time_us("2026-11-22T10:00:00Z")
MINUTE_US: Final = 60 * US_PER_S
RULES: Final = RulesUsed(name="5 NM / 1000 ft", text="5 NM or 1000 ft", was_default=True)
LATERAL_M: Final = 9260.0
VERTICAL_M: Final = 304.8


def level(
    feet: float, reference: Reference = Reference.STANDARD, datum: str | None = None
) -> Altitude:
    return Altitude(height_tmm=round(feet * TMM_PER_FOOT), reference=reference, datum=datum)


def flight(
    name: str, party: str, *, over: tuple[float, float], course_deg: float,
    speed_mps: float = 220.0, at_us: int = START_US + 15 * MINUTE_US,
    feet: Sequence[float] | None = (35_000, 35_000), reference: Reference = Reference.STANDARD,
    datum: str | None = None, minutes: int = 30,
) -> Path:  # fmt: skip
    """Return a flight that passes `over` (longitude, latitude) at a time, halfway along.

    `feet`: height at the start and at the end; None for no height at all.
    """
    points = []
    for i in range(minutes * 2 + 1):
        time_us = at_us + (i * 30 - minutes * 30) * US_PER_S
        off_m = speed_mps * (time_us - at_us) / US_PER_S
        longitude_deg, latitude_deg, _ = geod().fwd(*over, course_deg, off_m)
        share = i / (minutes * 2)
        height = None if feet is None else feet[0] + (feet[-1] - feet[0]) * share
        points.append(PathPoint(
            time_us=time_us, latitude_deg=float(latitude_deg), longitude_deg=float(longitude_deg),
            altitude=None if height is None else level(height, reference, datum),
        ))  # fmt: skip
    return Path(name=name, party=party, stretches=(tuple(points),))


def area(
    name: str, party: str, shape: Shape, lower: Altitude | None, upper: Altitude | None,
    minutes: tuple[int, int] = (5, 30),
) -> Path:  # fmt: skip
    """Return a plan of one volume, there from and to so many minutes after the start."""
    start_us, end_us = (START_US + minute * MINUTE_US for minute in minutes)
    volume = Volume3D(shape=shape, lower=lower, upper=upper)
    window = Volume4D(volume=volume, start_us=start_us, end_us=end_us)
    return Path(name=name, party=party, volumes=(window,))


def circle(longitude_deg: float, latitude_deg: float, radius_nm: float) -> Circle:
    centre = Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    return Circle(centre=centre, radius_tmm=round(radius_nm * TMM_PER_NM))


def polygon(*corners: tuple[float, float]) -> Polygon:
    return Polygon(ring=tuple(Position(latitude_deg=y, longitude_deg=x) for x, y in corners))


def vertical_m(a: PathPoint, b: PathPoint) -> float | None:
    if a.altitude is None or b.altitude is None or not are_comparable(a.altitude, b.altitude):
        return None
    return abs(a.altitude.height_tmm - b.altitude.height_tmm) / 10_000


def encounter(a: Path, b: Path, places: tuple[int, int], **changed: object) -> Finding:
    """Return what was found for two flights; `changed` overrides fields."""
    close: list[tuple[float, float, int, float, float, float | None]] = []
    first, last = a.stretches[0][0].time_us, a.stretches[0][-1].time_us
    for time_us in range(first, last, US_PER_S // 2):
        at, other = place_at(a, time_us), place_at(b, time_us)
        if at is None or other is None:
            continue
        azimuth, _, lateral_m = geod().inv(
            at.longitude_deg, at.latitude_deg, other.longitude_deg, other.latitude_deg
        )
        height_m = vertical_m(at, other)
        if lateral_m < LATERAL_M and (height_m is None or height_m < VERTICAL_M):
            x, y, _ = geod().fwd(at.longitude_deg, at.latitude_deg, azimuth, lateral_m / 2)
            close.append((lateral_m, height_m or 0, time_us, float(y), float(x), height_m))
    interval = Interval(start_us=close[0][2], end_us=close[-1][2])
    lateral_m, _, time_us, latitude, longitude, height_m = min(close)
    short_m = None if height_m is None else min(LATERAL_M - lateral_m, VERTICAL_M - height_m)
    fields: dict[str, object] = {
        "id": f"f{places[0]}-{places[1]}", "a": a.name, "b": b.name,
        "a_index": places[0], "b_index": places[1], "parties": (a.party, b.party),
        "verdict": Verdict.UNDETERMINED if height_m is None else Verdict.CONFLICT,
        "intervals": (interval,), "intervals_a": (interval,), "intervals_b": (interval,),
        "cpa": ClosestPoint(time_us=time_us, latitude_deg=latitude, longitude_deg=longitude,
                            lateral_m=lateral_m, vertical_m=height_m),
        "rule": "5 NM or 1000 ft", "leaf": "any/vertical", "short_by_m": short_m,
        "short_by_s": None, "margin_m": None if short_m is None else -short_m,
        "margin_without_uncertainty_m": None if short_m is None else -short_m,
    }  # fmt: skip
    return Finding(**(fields | changed))  # type: ignore[arg-type]


def report(
    findings: Sequence[Finding], paths: Sequence[Path], unknown: Sequence[Gap] = (),
    left_out: Sequence[str] = (), plans: int | None = None,
) -> Report:  # fmt: skip
    plans = len(paths) if plans is None else plans
    return Report(
        kernel="0.1.0", rules=RULES, files=("north.csv", "south.csv"), plans=plans,
        pairs=plans * (plans - 1) // 2, findings=tuple(findings), unknown=tuple(unknown),
        notes=("Heights: pressure altitude, both.", "RVSM approval assumed."),
        left_out=tuple(left_out), faults_left_out=len(left_out), paths=dict(enumerate(paths)),
    )  # fmt: skip


@cache
def simple_report() -> Report:
    """Two flights that cross west of Cyprus, 300 ft apart."""
    paths = crossing()
    return report([encounter(*paths, (0, 1))], paths)


def crossing() -> tuple[Path, Path]:
    return (
        flight("N101 EXERCISE", "north", over=(31.6, 34.55), course_deg=128, feet=(34_400, 35_000)),
        flight("S88 EXERCISE", "south", over=(31.63, 34.52), course_deg=31,
               feet=(35_000, 35_000), speed_mps=180),
    )  # fmt: skip


@cache
def eastern_mediterranean() -> Report:
    """One of everything, over the eastern Mediterranean."""
    paths = [
        *crossing(),
        flight("N202 EXERCISE", "north", over=(34.2, 33.9), course_deg=95, feet=(3_000, 3_000),
               reference=Reference.WGS84, speed_mps=70),
        flight("T7 EXERCISE", "third", over=(34.21, 33.92), course_deg=185, feet=(2_500, 3_400),
               reference=Reference.AMSL, datum="EGM96", speed_mps=60),
        flight("S99 EXERCISE", "south", over=(33.0, 32.6), course_deg=270, feet=None),
        flight("T3 EXERCISE", "third", over=(33.0, 32.63), course_deg=350),
        area("T-AREA EXERCISE", "third", circle(30.4, 33.4, 18), None, level(24_000)),
        flight("N303 EXERCISE", "north", over=(30.55, 33.5), course_deg=60, feet=(22_000, 26_000)),
        area("S-BOX EXERCISE", "south",
             polygon((32.0, 33.2), (32.9, 33.2), (32.9, 33.7), (32.0, 33.7)),
             level(1_000, Reference.AGL), level(19_500), (0, 40)),
        area("N-BOX EXERCISE", "north", polygon((32.6, 33.5), (33.4, 33.4), (33.2, 34.0)),
             level(17_000), level(21_000), (10, 25)),
    ]  # fmt: skip
    inside = Interval(start_us=START_US + 13 * MINUTE_US, end_us=START_US + 18 * MINUTE_US)
    both = Interval(start_us=START_US + 10 * MINUTE_US, end_us=START_US + 25 * MINUTE_US)
    late = Interval(start_us=START_US + 14 * MINUTE_US, end_us=START_US + 17 * MINUTE_US)
    shifted = encounter(paths[0], paths[1], (0, 1))
    findings = [
        shifted,
        encounter(paths[2], paths[3], (2, 3),
                  reason="heights above WGS 84 and above mean sea level cannot be compared"),
        encounter(paths[4], paths[5], (4, 5), reason="S99 EXERCISE: the file gives no height"),
        encounter(paths[1], paths[0], (1, 0), id="late", verdict=Verdict.LIMITED, short_by_s=92.0,
                  intervals_a=(late,), leaf="any/duration", short_by_m=None),
        *(volume_finding(paths, place, interval, verdict) for place, interval, verdict in (
            ((6, 7), inside, Verdict.BOUNDARY), ((8, 9), both, Verdict.CONFLICT))),
    ]  # fmt: skip
    gap = Gap(plan="T3 EXERCISE", start_us=START_US + 20 * MINUTE_US,
              end_us=START_US + 28 * MINUTE_US, why="no position for 8 min")  # fmt: skip
    return report(findings, paths, [gap], ["north.csv: row 17, column 'latitude' '91': left out"])


def volume_finding(
    paths: Sequence[Path], places: tuple[int, int], interval: Interval, verdict: Verdict
) -> Finding:
    a, b = (paths[i] for i in places)
    at = (30.5, 33.48) if places == (6, 7) else (32.75, 33.58)
    cpa = ClosestPoint(time_us=interval.start_us, latitude_deg=at[1], longitude_deg=at[0],
                       lateral_m=0.0, vertical_m=0.0)  # fmt: skip
    return Finding(
        id=f"f{places[0]}-{places[1]}", a=a.name, b=b.name, a_index=places[0], b_index=places[1],
        parties=(a.party, b.party), verdict=verdict, intervals=(interval,), intervals_a=(interval,),
        intervals_b=(interval,), cpa=cpa, rule="5 NM or 1000 ft", leaf="any/lateral",
        short_by_m=LATERAL_M, short_by_s=None, margin_m=-LATERAL_M,
        margin_without_uncertainty_m=-LATERAL_M + 120,
    )  # fmt: skip


@cache
def antimeridian_report() -> Report:
    """Two flights that cross on 180 degrees, and an area that lies across it."""
    paths = [
        flight("W1 EXERCISE", "west", over=(179.99, 52.0), course_deg=75),
        flight("E1 EXERCISE", "east", over=(-179.98, 52.01), course_deg=330, feet=(35_500, 35_500)),
        area("E-BOX EXERCISE", "east", polygon((179.5, 51.8), (-179.4, 51.8), (-179.4, 52.3),
                                               (179.5, 52.3)), level(34_000), None),
    ]  # fmt: skip
    inside = Interval(start_us=START_US + 10 * MINUTE_US, end_us=START_US + 20 * MINUTE_US)
    second = volume_finding(paths, (0, 2), inside, Verdict.CONFLICT)
    cpa = ClosestPoint(time_us=inside.start_us, latitude_deg=52.0, longitude_deg=-180.0,
                       lateral_m=0.0, vertical_m=0.0)  # fmt: skip
    return report([encounter(paths[0], paths[1], (0, 1)), replace(second, cpa=cpa)], paths)


@cache
def pole_report() -> Report:
    """Two flights that cross beside the North Pole, and a circle round the pole."""
    paths = [
        flight("P1 EXERCISE", "polar", over=(20.0, 89.97), course_deg=45),
        flight("P2 EXERCISE", "other", over=(170.0, 89.96), course_deg=10),
        area("P-AREA EXERCISE", "other", circle(0.0, 90.0, 30), level(30_000), level(40_000)),
    ]
    inside = Interval(start_us=START_US + 10 * MINUTE_US, end_us=START_US + 20 * MINUTE_US)
    second = volume_finding(paths, (0, 2), inside, Verdict.CONFLICT)
    cpa = ClosestPoint(time_us=inside.start_us, latitude_deg=89.9, longitude_deg=10.0,
                       lateral_m=0.0, vertical_m=0.0)  # fmt: skip
    return report([encounter(paths[0], paths[1], (0, 1)), replace(second, cpa=cpa)], paths)


HOSTILE: Final = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(2)>",
    "\x1b[31mred\x1b[0m\x00\u202ebackwards",
    "[bold]not markup[/bold] ]]> &amp; --> </style>",
    "L" * 200,
)


@cache
def hostile_report() -> Report:
    """Names, parties, rules and files that try to be something else than text."""
    paths, findings = [], []
    for i, name in enumerate(HOSTILE):
        a, b = crossing()
        paths += [replace(a, name=name, party=HOSTILE[i - 1]), replace(b, name=name, party=name)]
        findings.append(encounter(paths[-2], paths[-1], (2 * i, 2 * i + 1), id=name, rule=name,
                                  leaf=name, reason=name))  # fmt: skip
    gaps = [Gap(plan=name, start_us=START_US, end_us=START_US + MINUTE_US, why=name)
            for name in HOSTILE]  # fmt: skip
    bare = report(findings, paths, gaps, HOSTILE)
    rules = RulesUsed(name=HOSTILE[0], text=HOSTILE[1], source=HOSTILE[2], note=HOSTILE[3])
    return replace(bare, rules=rules, files=HOSTILE, notes=HOSTILE)


@cache
def many_report(n: int = 300) -> Report:
    """Hundreds of findings over the Alps, as of a day of traffic."""
    paths: list[Path] = []
    findings: list[Finding] = []
    for i in range(n):
        longitude, latitude = 6.0 + (i * 37 % 100) / 22, 45.8 + (i * 61 % 100) / 50
        at_us = START_US + i * 4 * MINUTE_US
        a = flight(
            f"EX{i}A", "north", over=(longitude, latitude), course_deg=i * 53 % 360, at_us=at_us
        )
        b = flight(
            f"EX{i}B", "south", over=(longitude + 0.02, latitude), at_us=at_us,
            course_deg=i * 31 % 360 + 90, feet=(35_300, 35_300),
        )  # fmt: skip
        paths += [a, b]
        found = findings[0] if findings else encounter(a, b, (0, 1))
        cpa = ClosestPoint(time_us=at_us, latitude_deg=latitude, longitude_deg=longitude + 0.01,
                           lateral_m=1_540.0, vertical_m=91.44)  # fmt: skip
        interval = (Interval(start_us=at_us - 20 * US_PER_S, end_us=at_us + 21 * US_PER_S),)
        findings.append(replace(
            found, id=f"m{i}", a=a.name, b=b.name, a_index=2 * i, b_index=2 * i + 1, cpa=cpa,
            intervals=interval, intervals_a=interval, intervals_b=interval,
        ))  # fmt: skip
    return report(findings, paths, plans=1243)


@cache
def clear_report() -> Report:
    return report([], crossing())


@cache
def only_gaps_report() -> Report:
    gap = Gap(plan="N101 EXERCISE", start_us=START_US, end_us=START_US + 9 * MINUTE_US,
              why="no position for 9 min")  # fmt: skip
    return report([], crossing(), [gap])
