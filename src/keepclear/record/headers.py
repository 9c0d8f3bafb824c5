# SPDX-License-Identifier: Apache-2.0
"""The act: what a party says it does, in one header for all kinds of acts.

The payload belongs to the part that decides on it (`agreement`, `plans`, ...); what is here
says only who, where, when, and which version of which type it is.

1. An act is of one region, one incarnation of its record and one status: Actual, Exercise and
   Test never meet.
2. It expires after at most 24 hours (`LONGEST_US`), or what its type is allowed.
3. It is not from the future by more than clocks are allowed to differ; distress may be.
"""

import re
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from keepclear.record.encoding import Signed, decode
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import Malformed, NotProven

ACT: Final = "application/vnd.keepclear.act+json"
LONGEST_US: Final = 24 * 3_600_000_000
CLOCK_US: Final = 30_000_000  # how far a sender's clock may be ahead
# \Z, as $ would also let a newline stand behind what it ends.
NAME: Final = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z"
Name = Annotated[str, msgspec.Meta(pattern=NAME)]
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z-]+(?:\.[a-z-]+)*/[1-9][0-9]{0,3}\Z")]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
# 9999-12-31T00:00:00Z: what is later no calendar can show; the last day is left for rounding.
TIMES_END_US: Final = 253_402_214_400_000_000
TimeUs = Annotated[int, msgspec.Meta(ge=0, lt=TIMES_END_US)]
_NAME: Final = re.compile(NAME)


class Status(StrEnum):
    """Whether an act is meant."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


class PersonalDigest(Signed, frozen=True, kw_only=True):
    """What stands for a personal value in what is signed; see `personal`."""

    name: Name
    digest: Bytes32


class Act(Signed, frozen=True, kw_only=True):
    """One act; see the module.

    region, incarnation: of the record it is for. party, post: who acts. id: 32 hexadecimal
    digits, random. created_us, expires_us: microseconds UTC. agreement: which version the
    sender has seen, as its hash; empty where there is none. kind: name and version of the
    payload's type, as in "key-document/1". personal: digests of values that travel beside it.
    """

    region: Name
    incarnation: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    status: Status
    party: Name
    post: Name
    id: Id
    created_us: TimeUs
    expires_us: TimeUs
    agreement: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")]
    kind: Kind
    payload: msgspec.Raw
    personal: tuple[PersonalDigest, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an act that ends before it begins, or has two values of one personal field."""
        names = [each.name for each in self.personal]
        if len(set(names)) < len(names):
            raise ValueError("has one personal field twice; give each a name of its own")
        if self.expires_us <= self.created_us:
            raise ValueError("expires before it is created; give it time")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when an act is received. now_us: microseconds UTC."""

    region: str
    incarnation: int
    now_us: int


def is_name(text: str) -> bool:
    """Tell whether a text can name a party, a post or a region."""
    return _NAME.match(text) is not None


def read_act(envelope: Envelope, path: str = "act") -> Act:
    """Return the act in an envelope; `Malformed` where there is none. Verifies nothing."""
    if envelope.payload_type != ACT:
        raise Malformed(
            f"{path}.payloadType", envelope.payload_type, f"is not {ACT}", "send acts as acts"
        )
    return decode(envelope.payload, Act, path)


def check_act(
    act: Act, place: Place, longest_us: int = LONGEST_US, clock_us: int = CLOCK_US, *,
    has_clock: bool = True,
) -> None:  # fmt: skip
    """Refuse an act that does not belong here and now; `NotProven` says what and what to do.

    has_clock: False for one that is taken whatever its sender's clock says, which is distress.
    """
    if act.region != place.region:
        raise NotProven(
            "act.region", act.region, f"is not {place.region}", "send it to its own region"
        )
    if act.incarnation != place.incarnation:
        raise NotProven(
            "act.incarnation", act.incarnation, f"is not {place.incarnation}",
            "a backup was restored here: look at the record, then act again",
        )  # fmt: skip
    if has_clock and act.created_us > place.now_us + clock_us:
        raise NotProven(
            "act.created_us", act.created_us,
            f"is {(act.created_us - place.now_us) / 1e6:.0f} s ahead, above {clock_us / 1e6:.0f} s",
            "set the sender's clock",
        )  # fmt: skip
    if act.expires_us - act.created_us > longest_us:
        raise NotProven(
            "act.expires_us", act.expires_us,
            f"is more than {longest_us / 3.6e9:g} h after its creation", "let it expire earlier",
        )  # fmt: skip
    if has_clock and act.expires_us <= place.now_us:
        raise NotProven(
            "act.expires_us", act.expires_us,
            f"was {(place.now_us - act.expires_us) / 1e6:.0f} s ago", "act again, with a new id",
        )  # fmt: skip
