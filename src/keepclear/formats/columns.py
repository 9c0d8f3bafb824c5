# SPDX-License-Identifier: Apache-2.0
"""Columns of a table of positions, as numpy arrays, and the faults of its rows.

CSV and Parquet both come here; `positions` makes flights of them.
Text is kept as codes into its different values: a day of 100,000 rows has some hundred
callsigns and some thousand times, so each is parsed once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from keepclear.errors import InputError
from keepclear.formats.contents import Floats, Integers
from keepclear.formats.faults import Faults
from keepclear.units import parse_time_us

T = TypeVar("T")
Booleans = npt.NDArray[np.bool_]

MOST_COLUMNS: Final = 1_000
LONGEST_TEXT: Final = 200

TIME: Final = "timestamp"
PLACE: Final = ("latitude", "longitude")
HEIGHTS: Final = ("altitude", "geoaltitude")
WHO: Final = ("icao24", "callsign", "id")
NUMBERS: Final = (
    *PLACE, *HEIGHTS, "lateral_uncertainty_m", "lateral_uncertainty_nm", "vertical_uncertainty_ft",
    "vertical_uncertainty_m", "time_uncertainty_s",
)  # fmt: skip
TEXTS: Final = (
    *WHO, "party", "class", "rvsm", "altitude_reference", "lateral_uncertainty",
    "vertical_uncertainty", "time_uncertainty",
)  # fmt: skip
KNOWN: Final = (TIME, *NUMBERS, *TEXTS)
NEEDED: Final = ((TIME,), ("latitude",), ("longitude",), WHO, HEIGHTS)  # one of each


@dataclass(frozen=True, kw_only=True, eq=False)
class Texts:
    """A column of text: for each row the index into `values`, -1 for nothing."""

    codes: Integers
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Instants:
    """A column of times in microseconds UTC, and where there is one."""

    time_us: Integers
    present: Booleans


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """What a table of positions holds; NaN for no number."""

    time: Instants
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Texts]


class Rows:
    """The rows of one table: their numbers as an editor shows them, and which are usable."""

    def __init__(self, faults: Faults, numbers: Integers) -> None:
        self.faults, self.numbers = faults, numbers
        self.usable = np.ones(len(numbers), dtype=np.bool_)
        self._told: dict[str, Booleans] = {}

    def told(self, column: str) -> Booleans:
        """Tell in which rows this column was refused already."""
        return self._told.get(column, np.zeros(len(self.numbers), dtype=np.bool_))

    def _leave_out(self, bad: Booleans, column: str) -> None:
        self._told[column] = self.told(column) | bad
        self.usable &= ~bad

    def refuse(
        self, bad: Booleans, kind: str, column: str, limit: str | Callable[[int], str],
        way_out: str, value: Callable[[int], object] | None = None,
    ) -> None:  # fmt: skip
        """Note a fault in each row of `bad` and leave the row out."""
        for i in np.flatnonzero(bad).tolist():
            self.faults.add(
                kind, row=int(self.numbers[i]), column=column, way_out=way_out,
                value=None if value is None else value(i),
                limit=limit if isinstance(limit, str) else limit(i),
            )  # fmt: skip
        self._leave_out(bad, column)

    def parse(
        self, texts: Texts, kind: str, column: str, read: Callable[[str], T]
    ) -> list[T | None]:
        """Return what `read` makes of each different value; its errors are faults of the rows."""
        found: list[T | None] = []
        errors: dict[int, InputError] = {}
        for code, text in enumerate(texts.values):
            try:
                found.append(read(_short(text, column)))
            except InputError as error:
                found.append(None)
                errors[code] = error
        if errors:
            self._refuse_errors(texts, kind, column, errors)
        return found

    def _refuse_errors(
        self, texts: Texts, kind: str, column: str, errors: Mapping[int, InputError]
    ) -> None:
        bad = np.isin(texts.codes, list(errors))
        for i in np.flatnonzero(bad).tolist():
            error = errors[int(texts.codes[i])]
            self.faults.add(
                kind, row=int(self.numbers[i]), column=column, limit=error.limit,
                value=texts.values[texts.codes[i]], way_out=error.way_out,
            )  # fmt: skip
        self._leave_out(bad, column)


def _short(text: str, column: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise InputError(column, text, f"is longer than {LONGEST_TEXT} characters", "shorten it")
    return text


def texts_of(values: Sequence[str | None], codes: Integers) -> Texts:
    """Return a column of text with its values stripped; blank is nothing."""
    numbers: dict[str, int] = {}
    to_code = np.full(len(values) + 1, -1, dtype=np.int64)  # the last one is that of code -1
    for i, value in enumerate(values):
        if value is not None and (text := value.strip()):
            to_code[i] = numbers.setdefault(text, len(numbers))
    return Texts(codes=to_code[codes], values=tuple(numbers))


def texts_of_dictionary(column: "pa.Array[Any]") -> Texts:
    """Return a dictionary-encoded column of text."""
    if not isinstance(column, pa.DictionaryArray):
        raise TypeError(str(column.type))
    codes = np.nan_to_num(column.indices.to_numpy(zero_copy_only=False), nan=-1)
    return texts_of(column.dictionary.to_pylist(), codes.astype(np.int64))


def one_array(column: "pa.ChunkedArray[Any]") -> "pa.Array[Any]":
    """Return a column as one array."""
    chunks = list(column.iterchunks())
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def instants_of(texts: Texts, rows: Rows) -> Instants:
    """Return a column of RFC 3339 times; what is none is a fault of its rows."""
    found = rows.parse(texts, "time", TIME, lambda text: parse_time_us(text, TIME))
    time_us = np.array([*(us or 0 for us in found), 0], dtype=np.int64)
    present = np.array([*(us is not None for us in found), False])
    return Instants(time_us=time_us[texts.codes], present=present[texts.codes])


def column_places(names: Sequence[str], faults: Faults) -> dict[str, int]:
    """Return where each column that is read stands; `FileErrors` where one is missing or twice.

    Names count without white space around them and without regard to case.
    """
    if len(names) > MOST_COLUMNS:
        raise faults.fatal("columns", value=f"{len(names):,} columns",
                           limit=f"are more than {MOST_COLUMNS:,}",
                           way_out="leave out those that are not read")  # fmt: skip
    folded = [name.strip().lower() for name in names]
    before = len(faults.found)
    for name in KNOWN:
        if folded.count(name) > 1:
            faults.add("columns", column=name, value=f"{folded.count(name)} times",
                       limit="stands more than once", way_out="keep one")  # fmt: skip
    for group in NEEDED:
        if not any(name in folded for name in group):
            faults.add("columns", column=" or ".join(group), limit="is missing",
                       way_out=_nearest(group, folded))  # fmt: skip
    for kind in ("lateral", "vertical", "time"):
        given = {n for n in folded if n in KNOWN and n.startswith(f"{kind}_uncertainty")}
        if len(given) > 1:
            faults.add("columns", column=", ".join(sorted(given)), limit="say the same thing",
                       way_out="keep one")  # fmt: skip
    if len(faults.found) > before:
        last = faults.found.pop()
        raise faults.fatal(last.kind, column=last.column, value=last.value, limit=last.limit,
                           way_out=last.way_out)  # fmt: skip
    return {name: folded.index(name) for name in KNOWN if name in folded}


def _nearest(group: Sequence[str], names: Sequence[str]) -> str:
    for name in group:
        near = get_close_matches(name, [other for other in names if other not in KNOWN], n=1,
                                 cutoff=0.45)  # fmt: skip
        if near:
            return f"the nearest column is {near[0][:60]!r}: rename it"
    shown = ", ".join(name[:40] for name in names[:20])
    return f"add it; the columns are {shown or 'none'}"


def unused_note(names: Sequence[str]) -> tuple[str, ...]:
    """Return a note of the columns that are not read; none where all are."""
    unused = [ascii(name)[1:-1][:40] for name in names if name.strip().lower() not in KNOWN]
    if not unused:
        return ()
    more = f" and {len(unused) - 20} more" if len(unused) > 20 else ""
    return (f"columns not used: {', '.join(unused[:20])}{more}",)
