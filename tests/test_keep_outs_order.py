# SPDX-License-Identifier: Apache-2.0
"""The order of areas to keep out of: an audit on another machine has to come to the same."""

from itertools import permutations
from typing import Final

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.exchange.keep_outs import in_order
from keepclear.line.stops import Area

HEIGHT_TMM: Final = 5_000_000


def area(lower: Altitude | None, upper: Altitude | None) -> Area:
    return Area(
        south_deg=33.0, west_deg=38.5, north_deg=34.0, east_deg=39.0, lower=lower, upper=upper,
        from_us=0, to_us=600_000_000,
    )  # fmt: skip


def test_areas_that_differ_in_nothing_but_their_heights_are_always_in_one_order() -> None:
    heights = (
        None,
        Altitude(height_tmm=0, reference=Reference.STANDARD),
        *(Altitude(height_tmm=HEIGHT_TMM, reference=each) for each in Reference),
        Altitude(height_tmm=HEIGHT_TMM, reference=Reference.QNH, datum="1013"),
    )
    areas = [area(each, None) for each in heights[:4]] + [area(None, each) for each in heights[1:3]]

    assert {in_order(each) for each in permutations(areas)} == {in_order(areas)}
    datums = [area(each, None) for each in heights[-4:]]
    assert {in_order(each) for each in permutations(datums)} == {in_order(datums)}
