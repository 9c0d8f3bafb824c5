# SPDX-License-Identifier: Apache-2.0
"""When and how something was said that is keyed in later: a LATE ENTRY, after an outage.

What was said by telephone or radio while the line was down is entered once it is up, with when it
was said. That time is a claim of who enters it; when it was entered is the record's.

1. It is no later than now, and no longer ago than `OLDEST_US`. DISTRESS is taken whatever it says.
2. An acknowledgement was said no earlier than what it acknowledges, give or take `CLOCKS_US`: both
   times are written down by people, each by a clock of his own.
3. What is read is in the order in which it was said; the order of the record stays as it is.
"""

from typing import Annotated, Final

import msgspec

from keepclear.agreement.words import LINES
from keepclear.errors import InputError
from keepclear.record.encoding import Signed
from keepclear.record.headers import TimeUs
from keepclear.units import format_time

DAY_US: Final = 86_400_000_000
OLDEST_US: Final = 7 * DAY_US
OLDEST: Final = "7 days"
CLOCKS_US: Final = 60_000_000
Means = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=LINES)]


class Said(Signed, frozen=True, kw_only=True):
    """When something was said, and by what means: "frequency 122.5"; None where it is not told."""

    at_us: TimeUs
    by: Means | None = None


def check_said(said: Said | None, now_us: int, after_us: int = 0) -> None:
    """Refuse a time that cannot be when something was said; `InputError` with the way out.

    after_us: of what it is said about.
    """
    if said is None:
        return
    value = f"{format_time(said.at_us)[:19]}Z"
    if said.at_us > now_us:
        raise InputError(
            "said.at_us", value, f"is after now, {format_time(now_us)[:19]}Z",
            "give the time in UTC at which it was said, or leave it out where it is said now",
        )  # fmt: skip
    if said.at_us < now_us - OLDEST_US:
        raise InputError(
            "said.at_us", value, f"is more than {OLDEST} ago",
            "enter it as said now, and tell in its text when it was, or open an incident case",
        )  # fmt: skip
    if said.at_us < after_us - CLOCKS_US:
        raise InputError(
            "said.at_us", value, f"is before what it is about, {format_time(after_us)[:19]}Z",
            "give the time at which it was acknowledged",
        )  # fmt: skip
