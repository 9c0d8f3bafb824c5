# SPDX-License-Identifier: Apache-2.0
"""What a key may sign for its party, and from when to when.

A *deed* is what is done, as dotted words: the kind of an act without its version
("operations.file"), or one of `Power`, which take a representative. A mandate covers a deed, all
deeds below it, or, as "routine", everything that takes no representative.

    >>> mandate = Mandate(covers=("suspension",), from_us=0, until_us=1_000)
    >>> is_covered((mandate,), "suspension.begin", 999)
    True
    >>> is_covered((mandate,), "suspension.begin", 1_000)
    False

1. What no mandate covers at that time is refused, and the error names what is missing.
2. A mandate holds from its first instant up to, and not at, its last.
3. A post never has a mandate for what takes a representative.
4. What binds the party for good takes two representatives, within 24 hours, unless its key
   document says that one may (`one_person`). Two are two persons with two keys: neither a new
   name for a key nor a new key for a name makes one of them two.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.record.encoding import Signed
from keepclear.record.faults import NotProven
from keepclear.record.headers import TimeUs

ROUTINE: Final = "routine"
TWO_PERSONS: Final = 2
WITHIN_US: Final = 24 * 3_600_000_000
_LAST_S: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that a calendar has
Deed = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]*(?:\.[a-z-]+)*\Z")]


class Power(StrEnum):
    """What takes a representative."""

    AGREEMENT = "agreement"
    SUSPENSION = "suspension"
    KEYS = "keys"
    MASS_CANCEL = "mass-cancel"
    SITE_RELEASE = "site-release"


_POWERS: Final = {each.value: each for each in Power}
OF_TWO: Final = frozenset({Power.AGREEMENT, Power.KEYS, Power.MASS_CANCEL, Power.SITE_RELEASE})


class Mandate(Signed, frozen=True, kw_only=True):
    """What may be signed, from when to when (microseconds UTC, the last not included)."""

    covers: Annotated[tuple[Deed, ...], msgspec.Meta(min_length=1)]
    from_us: TimeUs
    until_us: TimeUs

    def __post_init__(self) -> None:
        """Refuse a mandate that ends before it begins."""
        if self.until_us <= self.from_us:
            raise ValueError("ends before it begins; swap its times")


class Signing(NamedTuple):
    """That a representative of a party signed, with which key, at a time."""

    representative: str
    key: str
    at_us: int


def power_of(deed: str) -> Power | None:
    """Return which power a deed takes, None for one of routine."""
    first = deed.partition(".")[0]
    return _POWERS.get(first)


def is_covered(mandates: Iterable[Mandate], deed: str, at_us: int) -> bool:
    """Tell whether one of some mandates covers a deed at a time."""
    return any(
        mandate.from_us <= at_us < mandate.until_us and _covers(mandate, deed)
        for mandate in mandates
    )


def check_mandate(mandates: Sequence[Mandate], deed: str, at_us: int, who: str, path: str) -> None:
    """Refuse a deed that no mandate covers at a time; `NotProven` names what is missing.

    who: as it is told, with the party ("representative rep-1 of north").
    """
    if is_covered(mandates, deed, at_us):
        return
    has = "; ".join(mandate_text(each) for each in mandates) or "none"
    raise NotProven(
        path, who, f"has no mandate for {deed} at {time_text(at_us)} (has: {has})",
        f"let somebody with a mandate for {deed} sign, or appoint one (keepclear key appoint)",
    )  # fmt: skip


def mandate_text(mandate: Mandate) -> str:
    """Return a mandate in words."""
    covers = ", ".join(mandate.covers)
    return f"{covers} from {time_text(mandate.from_us)} to {time_text(mandate.until_us)}"


def needed_for(power: Power, one_person: Iterable[Power]) -> int:
    """Return how many representatives a power takes, by the party's key document."""
    return TWO_PERSONS if power in OF_TWO and power not in one_person else 1


def bound_us(signed: Iterable[Signing], needed: int) -> tuple[int, str]:
    """Return when a party was bound, and an empty text; or 0, and what is missing.

    signed: each of one party. needed: how many of its representatives, within 24 hours.
    """
    own = sorted(signed, key=lambda each: each.at_us)
    people = min(len({each.representative for each in own}), len({each.key for each in own}))
    missing = needed - people
    if missing > 0:
        return 0, f"{missing} more representative{'s' if missing > 1 else ''}"
    if needed == 1:
        return own[0].at_us, ""
    for other in own:
        for one in own:
            is_soon = one.at_us <= other.at_us <= one.at_us + WITHIN_US
            is_another = other.representative != one.representative and other.key != one.key
            if is_another and is_soon:
                return other.at_us, ""
    return 0, "its two representatives signed more than 24 hours apart; sign again"


def _covers(mandate: Mandate, deed: str) -> bool:
    return any(
        (each == ROUTINE and power_of(deed) is None) or deed == each or deed.startswith(f"{each}.")
        for each in mandate.covers
    )


def time_text(time_us: int) -> str:
    """Return a time to the second: 2015-10-01T00:00:00Z."""
    first = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = min(time_us // 1_000_000, _LAST_S)
    return f"{first + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
