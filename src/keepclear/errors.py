# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, split by who must act.

    KeepclearError
    ├── CallerError (ValueError)   you: correct the value and call again
    │   ├── InputError             a value, named by its path
    │   ├── FileErrors             a file, all its faults at once
    │   └── RulesError             a separation rule that cannot be used
    └── OperatorError              whoever runs this machine: a folder, a package, a limit

A message names the value, the limit and the way out.
Errors of libraries do not leave the module that uses the library.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

LISTED_FAULTS: Final = 100


class KeepclearError(Exception):
    """Anything that keepclear raises on purpose."""


class CallerError(KeepclearError, ValueError):
    """The caller gave something that cannot be used."""


class OperatorError(KeepclearError):
    """The machine keepclear runs on lacks something."""


class InputError(CallerError):
    """One value cannot be used: its path, the value, the limit, the way out."""

    def __init__(self, path: str, value: object, limit: str, way_out: str) -> None:
        self.path, self.value, self.limit, self.way_out = path, value, limit, way_out
        super().__init__(f"{path} {value!r}: {limit}; {way_out}")


class RulesError(CallerError):
    """A separation rule cannot be read or cannot be used here."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault in a file.

    `row` counts from 1, the header line included, as an editor shows it; None where the
    format has no rows. `kind` groups like faults when there are very many.
    """

    kind: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    limit: str
    way_out: str

    def line(self) -> str:
        """Return the fault as one line of text."""
        where = [f"row {self.row}" if self.row is not None else "", self.column or ""]
        value = f" {self.value!r}" if self.value is not None else ""
        place = ", ".join(part for part in where if part)
        said = f"{self.limit}; {self.way_out}"
        return f"{place or 'file'}{value}: {said}" if place or value else said


class FileErrors(CallerError):
    """A file has faults: all of them are listed; from a hundred on they are counted by kind."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        self.file, self.faults = file, tuple(faults)
        super().__init__("\n".join(f"{file}: {line}" for line in fault_lines(faults)))


def fault_lines(faults: Sequence[Fault]) -> list[str]:
    """Return one line a fault, or one line a kind (count and first example) from a hundred on."""
    if len(faults) < LISTED_FAULTS:
        return [fault.line() for fault in faults]
    counts = Counter(fault.kind for fault in faults)
    first = {fault.kind: fault for fault in reversed(faults)}
    return [f"{kind}: {n} times, first at {first[kind].line()}" for kind, n in counts.most_common()]
