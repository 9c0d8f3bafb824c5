# SPDX-License-Identifier: Apache-2.0
"""What those who are told of a STOP know of its place: the area to keep out of, rounded.

1. The volume that was sent is grown and then rounded, so that none of its sides can be read from
   the area: who calls a STOP shows where his people are as coarsely as an operation is shown.
2. All who are told of it get the same area.
"""

from enum import StrEnum

from keepclear.airspace.altitudes import Altitude
from keepclear.record.encoding import Signed
from keepclear.record.headers import TimeUs


class Area(Signed, frozen=True, kw_only=True):
    """A box in degrees (east of west, past 180 too), two heights, two times (microseconds UTC).

    No height is no limit.
    """

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float
    lower: Altitude | None
    upper: Altitude | None
    from_us: TimeUs
    to_us: TimeUs


class Stands(StrEnum):
    """How a STOP stands for those who were told of it."""

    IN_FORCE = "in force"
    UNCONFIRMED = "unconfirmed"  # its renewal was not answered; it protects all the same
    ENDED = "ended"


class Called(Signed, frozen=True, kw_only=True):
    """The STOP of a message: where to keep out, and how it stands."""

    area: Area
    stands: Stands
