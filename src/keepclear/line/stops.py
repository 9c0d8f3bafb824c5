# SPDX-License-Identifier: Apache-2.0
"""What those who are told of a STOP or a SAR case know of its place: the area to keep out of.

1. The volume that was sent is grown and then rounded, so that none of its sides can be read from
   the area: who calls a STOP shows where his people are as coarsely as an operation is shown.
2. All who are told of it get the same area.
"""

from enum import StrEnum

from keepclear.agreement.emergencies import InDanger, Phase
from keepclear.airspace.altitudes import Altitude
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, TimeUs


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
    FOLLOWED = "followed"  # a later message says where and how now
    ENDED = "ended"


class Sar(Signed, frozen=True, kw_only=True):
    """What those named are told of a SAR case: how sure it is, and what is in danger.

    within_m: of a position that they are told, how far from it they may be; None without one.
    """

    phase: Phase
    what: InDanger
    within_m: int | None = None


class Called(Signed, frozen=True, kw_only=True):
    """The STOP or SAR case of a message: where to keep out, and how it stands. sar: of a case."""

    area: Area
    stands: Stands
    sar: Sar | None = None

    @property
    def is_standing(self) -> bool:
        """Tell whether it is this message that says where to keep out now."""
        return self.stands in {Stands.IN_FORCE, Stands.UNCONFIRMED}


class KeepOut(Signed, frozen=True, kw_only=True):
    """Where an operation must keep out, in order. operation: its id."""

    operation: Id
    areas: tuple[Area, ...]
