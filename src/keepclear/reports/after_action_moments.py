# SPDX-License-Identifier: Apache-2.0
"""Moments of a record: what was entered together, as values for the reports made after it."""

from typing import Any, Final, NamedTuple

from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.record.headers import Act
from keepclear.record.parts import ACT_KIND, LATE_ACT_KIND

ACTS: Final = frozenset({ACT_KIND, LATE_ACT_KIND})


class Seen(NamedTuple):
    """One part: for whom, its kind, its value; None for a kind that is not retold."""

    audience: str
    kind: str
    value: Any


class Moment(NamedTuple):
    """What was entered together. line: where it begins in the file."""

    at_us: int
    line: int
    parts: tuple[Seen, ...]

    @property
    def act(self) -> Act | None:
        """Return the act that it begins with, None where time passed or the act is not shown."""
        return next((each.value for each in self.parts if each.kind in ACTS), None)

    @property
    def notices(self) -> list[tuple[str, Notice]]:
        """Return who was told what."""
        return [(each.audience, each.value) for each in self.parts if each.kind == NOTICE_KIND]
