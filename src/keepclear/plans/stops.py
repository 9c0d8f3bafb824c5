# SPDX-License-Identifier: Apache-2.0
"""STOP: cease activity in this volume, our people are there; and SAR cases, which are kept so too.

1. The volume is grown on every side, upward and downward too, before anything is compared with it
   or shown of it: by what is agreed when it is sent, 5 km without a clause.
2. It lasts to the end that its sender gives, at most 6 hours from now, or until he ends it.
3. Every 60 minutes its sender is asked whether it still holds. Unanswered for 10 minutes it is
   UNCONFIRMED, and protects all the same; a renewal confirms it again.
4. It is metered: its area-hours are capped, and so is how many a party has at a time. A SAR case
   (`sar`) is not: what it takes is shown.
"""

import math
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from keepclear.agreement.claims import Claim
from keepclear.airspace.volumes import Volume4D
from keepclear.errors import InputError
from keepclear.plans.filing import FiledVolume, volumes_of
from keepclear.plans.in_words import InWords, Named
from keepclear.plans.sar import Case
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs
from keepclear.units import TMM_PER_M, format_time

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
LONGEST_US: Final = 6 * HOUR_US
RENEWED_US: Final = HOUR_US
ASKED_US: Final = 10 * MINUTE_US
DEFAULT_GROWN_TMM: Final = 5_000 * TMM_PER_M
MOST: Final = 4


class SendStop(InWords, frozen=True, kw_only=True):
    """Tell the parties named to cease activity in a volume."""

    to: Named
    datum: Literal["WGS84"]
    volume: FiledVolume


class RenewStop(Signed, frozen=True, kw_only=True):
    """Say that a STOP still holds. id: of the STOP."""

    id: Id


class EndStop(Signed, frozen=True, kw_only=True):
    """End a STOP. id: of the STOP."""

    id: Id


class State(StrEnum):
    """How a STOP stands for its sender."""

    ACTIVE = "active"
    ASKED = "asked"  # whether it still holds
    UNCONFIRMED = "unconfirmed"
    ENDED = "ended"


class Stop(Signed, frozen=True, kw_only=True):
    """A STOP or a SAR case, as rules use it; for its sender alone.

    act: that sent it. volume: as it was sent, not grown. messages: to each of `to`, in that order;
    of a SAR case the latest. takes_km2h: area-hours of what others are told, but for what is agreed
    beyond 5 km. next_us: when it is looked at next, None where it has ended. grown_tmm: by how much
    its volume is grown, as was agreed when it was sent. sar: of a SAR case, None of a STOP.
    """

    id: Id
    act: Id
    party: Name
    status: Status
    to: tuple[Name, ...]
    volume: Volume4D
    messages: tuple[Id, ...]
    sent_us: TimeUs
    takes_km2h: int
    state: State
    next_us: TimeUs | None
    grown_tmm: Annotated[int, msgspec.Meta(ge=1)] = DEFAULT_GROWN_TMM
    sar: Case | None = None

    @property
    def is_protecting(self) -> bool:
        """Tell whether others must keep out."""
        return self.state is not State.ENDED


def stop_volume(filed: FiledVolume, now_us: int) -> Volume4D:
    """Return the volume of a STOP as it was sent; `InputError` where none can be made of it."""
    [volume] = volumes_of((filed,), "volume")
    if volume.end_us <= now_us:
        raise InputError(
            "volume.end", format_time(volume.end_us), "has passed", "give a time to come"
        )
    if volume.end_us > now_us + LONGEST_US or volume.end_us - volume.start_us > LONGEST_US:
        raise InputError(
            "volume.end", format_time(volume.end_us),
            f"is more than 6 h after its start, or after now, {format_time(now_us)}",
            "end it sooner, and send it again where it is to last",
        )  # fmt: skip
    return volume


def grown(stop_id: str, party: str, volume: Volume4D, grown_tmm: int = DEFAULT_GROWN_TMM) -> Claim:
    """Return what a STOP takes up: its volume, grown on every side."""
    return Claim(
        id=stop_id, party=party, craft_class="any", has_rvsm=False, volumes=(volume,),
        lateral_tmm=grown_tmm, vertical_tmm=grown_tmm,
    )  # fmt: skip


def claim_of_stop(stop: Stop) -> Claim:
    """Return what a STOP takes up."""
    return grown(stop.id, stop.party, stop.volume, stop.grown_tmm)


def takes_km2h(km2: float, from_us: int, to_us: int) -> int:
    """Return area-hours, rounded up."""
    return math.ceil(km2 * (to_us - from_us) / HOUR_US)
