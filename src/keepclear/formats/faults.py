# SPDX-License-Identifier: Apache-2.0
"""The faults of one file, gathered until the whole file has been looked at.

A reader makes one `Faults`, tells it what it finds, and calls `settle` at the end.

1. Strict: any fault raises `FileErrors` with all of them, and nothing of the file is used.
2. Lenient: what has a fault is left out, and `settle` hands back the list of it.
3. At a million faults reading stops, also where it is lenient.
4. A file that cannot be followed at all (cut in the middle, no such column) is refused in both.
"""

from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypeVar

from keepclear.errors import Fault, FileErrors, InputError

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")

MOST_FAULTS: Final = 1_000_000  # a gigabyte of them; then reading stops
SHOWN: Final = 60  # characters of a value that a message repeats


class InputErrors(InputError):
    """Several values of one list cannot be used; `errors` has them all."""

    def __init__(self, errors: Sequence[InputError]) -> None:
        self.errors = tuple(errors)
        first = errors[0]
        super().__init__(first.path, first.value, first.limit, first.way_out)


def each(read: Callable[[V, str], T], values: Sequence[V], path: str) -> list[T]:
    """Return what `read` makes of each value and its path; all that fails in one `InputErrors`."""
    found: list[T] = []
    errors: list[InputError] = []
    for i, value in enumerate(values):
        try:
            found.append(read(value, f"{path}[{i}]"))
        except InputErrors as several:
            errors.extend(several.errors)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    return found


def both(one: Callable[[], T], other: Callable[[], V]) -> tuple[T, V]:
    """Return what two functions return; all that fails in one `InputErrors`."""
    found = each(lambda read, _: read(), [one, other], "")
    return found[0], found[1]  # type: ignore[return-value]


class Faults:
    """What was found wrong in one file so far."""

    def __init__(self, file: str, *, lenient: bool) -> None:
        self.file, self.lenient = file, lenient
        self.found: list[Fault] = []

    def add(
        self, kind: str, *, limit: str, way_out: str, row: int | None = None,
        column: str | None = None, value: object = None,
    ) -> None:  # fmt: skip
        """Note one fault; `value` is shown shortened. `FileErrors` from the millionth on."""
        self.found.append(
            Fault(kind=kind, row=row, column=column, value=shown(value), limit=limit,
                  way_out=way_out)
        )  # fmt: skip
        if len(self.found) >= MOST_FAULTS:
            raise FileErrors(self.file, self.found)

    def trial(
        self, kind: str, where: str, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Return what `read` returns; where it raises `InputError`, note that and return None."""
        try:
            return read(*args, **kwargs)
        except InputError as error:
            for one in error.errors if isinstance(error, InputErrors) else (error,):
                self.add(kind, column=joined(where, one.path), value=one.value,
                         limit=one.limit, way_out=one.way_out)  # fmt: skip
            return None

    def fatal(
        self, kind: str, *, limit: str, way_out: str, row: int | None = None,
        column: str | None = None, value: object = None,
    ) -> FileErrors:  # fmt: skip
        """Return the error to raise where the file cannot be read any further."""
        self.add(kind, limit=limit, way_out=way_out, row=row, column=column, value=value)
        return FileErrors(self.file, self.found)

    def settle(self) -> tuple[Fault, ...]:
        """Return what was left out, or raise `FileErrors` where nothing may be left out."""
        if self.found and not self.lenient:
            raise FileErrors(self.file, self.found)
        return tuple(self.found)


def shown(value: object) -> str | None:
    """Return a value as a message shows it: short, printable, None for None."""
    if value is None:
        return None
    if isinstance(value, dict):
        return "{...}"
    if isinstance(value, list):
        return "[...]"
    if isinstance(value, int) and abs(value) > 10**SHOWN:
        return "a number of more than 60 digits"
    text = str(value)
    text = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return text.encode("utf-8", "backslashreplace").decode()


def joined(where: str, path: str) -> str:
    """Return one path from the place of a value and the path inside it."""
    if not where or not path:
        return where or path
    return f"{where}{path}" if path.startswith("[") else f"{where}.{path}"
