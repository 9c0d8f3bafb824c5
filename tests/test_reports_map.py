# SPDX-License-Identifier: Apache-2.0
"""The map of a finding: which way and when a plan flies, and words that keep off its line."""

import re
from typing import Final

from msgspec.structs import replace

from keepclear.checks.report import Path
from keepclear.reports.map_labels import Labels
from keepclear.reports.sides import party_colours, sides_of
from keepclear.reports.svg_map import finding_map
from keepclear.units import US_PER_S
from tests.sample_reports import encounter, flight, report

ARROW: Final = r'<path d="M7 0L-5 5\.5L-5-5\.5Z" fill="{colour}"'
TIME: Final = re.compile(r">(\d\d):(\d\d)(?::\d\d)?Z<")


def there_and_back(path: Path) -> Path:
    """Return a flight that turns at its end and comes back the same way."""
    (points,) = path.stretches
    last_us = points[-1].time_us
    back = tuple(
        replace(point, time_us=2 * last_us - point.time_us + 60 * US_PER_S)
        for point in reversed(points)
    )
    return replace(path, stretches=((*points, *back),))


def drawn() -> tuple[str, str]:
    """Return the map of a flight that comes back over it, and the colour of that flight."""
    a = there_and_back(
        flight("N101 EXERCISE", "north", over=(31.6, 34.55), course_deg=128, feet=(34_800, 34_800))
    )
    b = flight("S88 EXERCISE", "south", over=(31.63, 34.52), course_deg=31, speed_mps=180)
    whole = report([encounter(a, b, (0, 1))], (a, b))
    (finding,) = whole.findings
    sides = sides_of(whole, finding, party_colours(whole))
    picture = finding_map(finding, sides, None)
    assert picture is not None
    return str(picture), sides[0].colour


def test_a_plan_that_comes_back_over_the_map_has_arrows_on_the_way_in_conflict() -> None:
    picture, colour = drawn()

    arrows = re.findall(ARROW.format(colour=colour), picture)
    minutes = {int(hour) * 60 + int(minute) for hour, minute in TIME.findall(picture)}

    assert len(arrows) >= 3
    # It is there about 10:15 and again about 10:46; times of both would say two ways at once.
    assert minutes
    assert max(minutes) < 10 * 60 + 25


def test_words_keep_off_a_line_where_they_can_and_stand_all_the_same_where_not() -> None:
    line = [(0.0, 45.0, 200.0, 55.0)]

    clear = str(
        Labels(width=200, height=200).put("closest", [(100, 50), (100, 150)], 10, avoid=line)
    )
    crowded = str(Labels(width=200, height=200).put("closest", [(100, 50)], 10, avoid=line))

    assert float(re.search(r' y="([\d.]+)"', clear)[1]) > 100  # type: ignore[index]
    assert "closest" in crowded
