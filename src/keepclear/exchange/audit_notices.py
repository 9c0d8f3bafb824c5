# SPDX-License-Identifier: Apache-2.0
"""Notices decided again: both sides of each conflict were told what the rules of the door say."""

from collections.abc import Iterator

from msgspec.structs import replace

from keepclear.exchange.audit_found import Found
from keepclear.exchange.views import Notice
from keepclear.plans.conflicts import Conflict


class Notices:
    """The notices of a record. Written by the audit alone. notices: how many there were."""

    def __init__(self, found: Found) -> None:
        self._found, self.notices = found, 0
        self._due: dict[str, list[Notice]] = {}
        self._given: dict[str, list[Notice]] = {}

    def begin(self) -> None:
        """Begin with another entry."""
        self._due, self._given = {}, {}

    def give(self, party: str, value: Notice) -> None:
        """Take a notice that was given."""
        self._given.setdefault(party, []).append(value)

    def expect(self, conflict: Conflict) -> None:
        """Take a conflict that both sides are to be told of."""
        for party, each in self._expected(conflict):
            self._due.setdefault(party, []).append(each)

    def check(self) -> None:
        """Compare what was given in an entry with what was due."""
        for party in sorted(self._due.keys() | self._given.keys()):
            self._check_told(party, self._due.get(party, []), self._given.get(party, []))

    def _expected(self, conflict: Conflict) -> Iterator[tuple[str, Notice]]:
        """Yield what each party is to be told, but for the notes, which are words."""
        for told in self._found.deciding.notices(conflict, ""):
            yield told.party, told.value

    def _check_told(self, party: str, expected: list[Notice], given: list[Notice]) -> None:
        """Compare the notices of one party in one entry with what it was to be told."""
        self.notices += len(given)
        for place in range(max(len(expected), len(given))):
            if place >= len(given):
                self._found.differs(
                    f"conflict {expected[place].conflict[:8]}",
                    f"{party} was not told that it is {expected[place].state}",
                )
            elif place >= len(expected):
                self._found.differs(
                    f"conflict {given[place].conflict[:8]}",
                    f"{party} was told of what did not happen here",
                )
            else:
                right = replace(expected[place], note=given[place].note)
                off = [
                    name for name in right.__struct_fields__
                    if getattr(right, name) != getattr(given[place], name)
                ]  # fmt: skip
                if off:
                    self._found.differs(
                        f"conflict {right.conflict[:8]}",
                        f"{party} was told otherwise than the rules of the door say: "
                        f"{', '.join(off)}",
                    )
