# SPDX-License-Identifier: Apache-2.0
"""What things are called in a story: by name where there is one, else by owner and id.

1. An operation has its name in the play, or is "north's 1a2b3c4d"; conflicts are numbered in the
   order in which the story comes to them.
2. Ids in what the exchange says in words are led back to names in the same way.
3. What is not known to who is told the story has no name here, so none can slip in.
"""

import re
from collections.abc import Mapping
from typing import Final

from keepclear.reports.texts import printable

ID: Final = re.compile(
    r"(?P<what>operation|conflict|version|agreement|incident|none-here|line|message|call) "
    r"(?P<id>[0-9a-f]{32}|[0-9a-f]{8})\b"
    r"(?: of (?!operation\b)[a-z0-9-]+)?"
)
SHORT: Final = 8
ID_DIGITS: Final = 32  # of an id; the hash of a part has more


class Names:
    """What operations, conflicts and versions are called; learned as the story goes on."""

    def __init__(self, operations: Mapping[str, str]) -> None:
        self._operations = dict(operations)
        self._owners: dict[str, str] = {}
        self._conflicts: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._agreements: dict[str, str] = {}
        self._cases: dict[str, str] = {}
        self._statements: dict[str, str] = {}
        self._messages: dict[str, str] = {}
        self._checks: dict[str, str] = {}
        self._calls: dict[str, str] = {}
        self._lines: dict[str, tuple[str, int]] = {}  # its case, its number in it

    def learn_owner(self, operation: str, party: str) -> None:
        """Keep whose an operation is."""
        self._owners[operation] = party

    def learn_version(self, ovn: str | None, words: str) -> None:
        """Keep what a version is called; the first name stays."""
        if ovn is not None:
            self._versions.setdefault(ovn, words)

    def learn_agreement(self, own_hash: str, words: str) -> None:
        """Keep what an agreement is called."""
        self._agreements[own_hash] = words

    def operation(self, operation: str) -> str:
        """Return what an operation is called."""
        if operation in self._operations:
            return self._operations[operation]
        owner = self._owners.get(operation)
        return f"{owner}'s {operation[:SHORT]}" if owner else f"operation {operation[:SHORT]}"

    def conflict(self, conflict: str) -> str:
        """Return what a conflict is called; it gets its number when it is first asked for."""
        return self._conflicts.setdefault(conflict, f"conflict {len(self._conflicts) + 1}")

    def case(self, case: str) -> str:
        """Return what an incident case is called; numbered when it is first asked for."""
        return self._cases.setdefault(case, f"incident case {len(self._cases) + 1}")

    def statement(self, statement: str) -> str:
        """Return what a none-here is called; numbered when it is first asked for."""
        return self._statements.setdefault(statement, f"none-here {len(self._statements) + 1}")

    def message(self, message: str) -> str:
        """Return what a message is called; numbered when it is first asked for."""
        return self._messages.setdefault(message, f"message {len(self._messages) + 1}")

    def check(self, check: str) -> str:
        """Return what a check of a line is called; numbered when it is first asked for."""
        return self._checks.setdefault(check, f"check {len(self._checks) + 1}")

    def call(self, call: str) -> str:
        """Return what a voice call is called; numbered when it is first asked for."""
        return self._calls.setdefault(call, f"call {len(self._calls) + 1}")

    def learn_line(self, line: str, case: str) -> None:
        """Keep which line of which case it is; the first number stays."""
        known = sum(own == case for own, _ in self._lines.values())
        self._lines.setdefault(line, (case, known + 1))

    def line(self, line: str) -> str:
        """Return what a line of a case is called."""
        if line not in self._lines:
            return f"line {line[:SHORT]}"
        case, number = self._lines[line]
        return f"line {number} of {self.case(case)}"

    def thing(self, own: str) -> str:
        """Return what something is called that a case is about, whatever it is."""
        if own in self._statements:
            return self.statement(own)
        if own in self._conflicts:
            return self.conflict(own)
        return self.operation(own) if len(own) == ID_DIGITS else f"the part {own[:SHORT]}"

    def version(self, ovn: str) -> str:
        """Return what a version is called."""
        return self._versions.get(ovn, f"version {ovn[:SHORT]}")

    def agreement(self, own_hash: str) -> str:
        """Return what an agreement is called."""
        return self._agreements.get(own_hash, f"agreement {own_hash[:SHORT]}")

    def in_words(self, text: str) -> str:
        """Return what the exchange or a party says, with names for ids, fit for a terminal."""
        return ID.sub(self._named, printable(text))

    def _named(self, found: re.Match[str]) -> str:
        what, short = found["what"], found["id"][:SHORT]
        known = {
            "operation": [*self._operations, *self._owners], "conflict": self._conflicts,
            "version": self._versions, "agreement": self._agreements, "incident": self._cases,
            "none-here": self._statements, "line": self._lines, "message": self._messages,
            "check": self._checks, "call": self._calls,
        }[what]  # fmt: skip
        own = next((each for each in known if each.startswith(short)), None)
        if own is None:
            return found[0]
        return {
            "operation": self.operation, "conflict": self.conflict, "version": self.version,
            "agreement": self.agreement, "incident": self.case, "none-here": self.statement,
            "line": self.line, "message": self.message, "check": self.check,
            "call": self.call,
        }[what](own)  # fmt: skip
