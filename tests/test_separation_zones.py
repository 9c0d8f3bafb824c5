# SPDX-License-Identifier: Apache-2.0
"""Zones in a file of rules: what is no area is refused, what crosses 180 degrees is taken."""

import pytest

from keepclear.agreement.rules_toml import read_rules
from keepclear.airspace.volumes import Polygon
from keepclear.errors import RulesError


def in_file(zone: str) -> str:
    return f'name = "n"\n[rules.r]\nlateral = "5 NM"\n[zones.z]\n{zone}'


ORBIT = 'orbit = { first = "0N 0E", second = "1N 0E", radius = "1 NM" }'


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        ("", "zones.z: has no shape"),
        ('circle = { centre = "47.5, 8.25", radius = "1 NM" }', "is not a position"),
        ('circle = { centre = "91N 8E", radius = "1 NM" }', "is beyond 90 degrees"),
        ('circle = { centre = "47N 8E", radius = "0 NM" }', "is not above 0"),
        ('circle = { center = "47N 8E", radius = "1 NM" }', 'did you mean "centre"?'),
        ('polygon = { ring = ["0N 0E", "1N 1E"] }', "positions are no area"),
        ('polygon = { ring = ["0N 0E", "1N 1E", "2N 2E"] }', "encloses nothing"),
        ('polygon = { ring = ["0N 0E", "1N 1E", "0N 1E", "1N 0E"] }', "cross or touch"),
        ('polygon = { ring = ["0N 179E", "1N 179W", "0N 179W", "1N 179E"] }', "cross or touch"),
        ('corridor = { route = ["0N 0E"], width = "1 NM" }', "positions are no route"),
        ('corridor = { route = [1, "0N 0E"], width = "1 NM" }', "corridor.route[0] 1"),
        ("arc_polygon = []", "has no lines and arcs"),
        (f'{ORBIT}\nlower = "500 ft"', "has no reference"),
        (f'{ORBIT}\nlower = "FL200"\nupper = "FL100"', "is above upper FL100"),
    ],
)
def test_a_zone_that_is_no_zone_is_refused(zone: str, says: str) -> None:
    with pytest.raises(RulesError) as refused:
        read_rules(in_file(zone))

    assert says in str(refused.value)


def test_a_square_across_the_antimeridian_is_a_zone() -> None:
    ring = '["0N 179E", "0N 179W", "1N 179W", "1N 179E"]'

    found = read_rules(in_file(f"polygon = {{ ring = {ring} }}"))

    assert isinstance(found.zones["z"].shape, Polygon)


def test_a_dented_area_across_the_antimeridian_is_not_taken_for_a_bow_tie() -> None:
    ring = '["0N 179E", "0N 179W", "2N 179W", "1N 180E", "2N 179E"]'

    found = read_rules(in_file(f"polygon = {{ ring = {ring} }}"))

    assert isinstance(found.zones["z"].shape, Polygon)
