# SPDX-License-Identifier: Apache-2.0
"""A TOML table read key by key, so that all that is wrong with a text is listed at once.

Nothing here raises: what is missing, unknown or of the wrong type goes to `Faults` with its
path, the value, the limit and the way out, and the caller goes on with a stand-in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from keepclear.errors import CallerError, RulesError

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(kw_only=True)
class Faults:
    """What is wrong so far, a line each."""

    lines: list[str] = field(default_factory=list)

    def add(self, path: str, limit: str, way_out: str, value: object = None) -> None:
        """Note one fault."""
        shown = "" if value is None else f" {value!r}"
        self.lines.append(f"{path}{shown}: {limit}; {way_out}")

    def attempt(self, path: str, make: Callable[[], T], stand_in: T) -> T:
        """Return what `make` makes; where it refuses, note why and return the stand-in.

        path: where, "" where the messages say it themselves.
        """
        try:
            return make()
        except CallerError as fault:
            for line in str(fault).splitlines():
                is_placed = not path or line.startswith(path)
                self.lines.append(line if is_placed else f"{path}: {line}")
        return stand_in

    def raise_if_any(self) -> None:
        """Raise `RulesError` with all lines, each once."""
        if self.lines:
            raise RulesError("\n".join(dict.fromkeys(self.lines)))


@dataclass(kw_only=True)
class Table:
    """One table and where it stands."""

    values: Mapping[str, object]
    path: str
    faults: Faults

    def at(self, key: str) -> str:
        """Return the path of a key of this table."""
        return f"{self.path}.{key}" if self.path else key

    def allow(self, keys: Sequence[str]) -> bool:
        """Note every key that is not one of these, with the nearest that is; True for none."""
        unknown = [key for key in self.values if key not in keys]
        for key in unknown:
            near = get_close_matches(key, keys, n=1)
            way_out = f'did you mean "{near[0]}"?' if near else f"keys are {', '.join(keys)}"
            self.faults.add(self.at(key), "is not a key here", way_out)
        return not unknown

    def text(self, key: str, stand_in: str | None = None) -> str:
        """Return a text; noted as missing where there is neither the key nor a stand-in."""
        value = self._of_type(key, str, "a text", "put it in quotes", stand_in is None)
        return value if value is not None else stand_in or ""

    def flag(self, key: str) -> bool:
        """Return true or false, false where the key is absent."""
        return bool(self._of_type(key, bool, "true or false", "without quotes", False))

    def quantity(self, key: str, parse: Callable[[str, str], T], stand_in: T) -> T:
        """Return a number with its unit as `parse` reads it; noted where it is missing."""
        text = self._of_type(key, str, "a number with its unit", 'write "5 NM" in quotes', True)
        if text is None:
            return stand_in
        return self.faults.attempt(self.at(key), lambda: parse(text, self.at(key)), stand_in)

    def choice(self, key: str, choices: type[Choice], stand_in: Choice) -> Choice:
        """Return one of a closed list of words; the stand-in where the key is absent."""
        text = self.text(key, stand_in.value)
        if text in list(choices):
            return choices(text)
        near = get_close_matches(text, list(choices), n=1)
        words = ", ".join(choices)
        way_out = f'did you mean "{near[0]}"?' if near else "take one of these"
        self.faults.add(self.at(key), f"is not one of {words}", way_out, text)
        return stand_in

    def table(self, key: str) -> "Table":
        """Return a table below this one, empty where it is missing or something else."""
        value = self._of_type(key, dict, "a table", "write { key = value }", True)
        return Table(values=value or {}, path=self.at(key), faults=self.faults)

    def tables(self, key: str) -> list["Table"]:
        """Return the tables of a list below this one."""
        found = []
        for number, value in enumerate(self.list(key)):
            path = f"{self.at(key)}[{number}]"
            if isinstance(value, dict):
                found.append(Table(values=value, path=path, faults=self.faults))
            else:
                self.faults.add(path, "is not a table", "write { key = value }", value)
        return found

    def list(self, key: str) -> Sequence[object]:
        """Return a list, empty where it is missing or something else."""
        return self._of_type(key, list, "a list", "write [ ... ]", True) or []

    def _of_type(
        self,
        key: str,
        of_type: type[T],
        meaning: str,
        way_out: str,
        is_needed: bool,  # noqa: FBT001
    ) -> T | None:
        if key not in self.values:
            if is_needed:
                self.faults.add(self.at(key), "is missing", f"give {meaning}")
            return None
        value = self.values[key]
        if isinstance(value, of_type):
            return value
        self.faults.add(self.at(key), f"is not {meaning}", way_out, value)
        return None
