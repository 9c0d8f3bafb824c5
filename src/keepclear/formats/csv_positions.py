# SPDX-License-Identifier: Apache-2.0
"""CSV of positions: RFC 4180, UTF-8, a header line, commas.

    timestamp,icao24,callsign,latitude,longitude,altitude
    2018-08-01T05:00:00Z,4067f2,TOM2XE,46.6792,10.2022,38000

What the columns mean: `positions`. Row numbers are lines, the header being row 1.

1. A value does not run over the end of a line; a line has as many values as the header.
2. Times are RFC 3339; a blank instead of T is read too (pandas writes 2018-08-01 05:00:00+00:00).
3. An empty value is nothing. "NaN" is nothing in a column of numbers.
4. The last row ends with a line break too: a file cut inside a value (30000 to 3000) has none.
"""

import csv
import io
import re
from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from keepclear.formats.columns import (
    NUMBERS,
    TIME,
    Columns,
    Rows,
    Texts,
    column_places,
    instants_of,
    one_array,
    texts_of_dictionary,
    unused_note,
)
from keepclear.formats.contents import Contents, Floats
from keepclear.formats.faults import Faults
from keepclear.formats.positions import flights_of

MOST_BYTES: Final = 1 << 30
LONGEST_HEADER: Final = 1 << 20
TEXT: Final = pa.dictionary(pa.int32(), pa.string())
NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def read_csv(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the flights in a CSV file of positions."""
    faults = Faults(file, lenient=lenient)
    body_at, names = _header(content, faults)
    places = column_places(names, faults)
    body = content[body_at:].rstrip(b"\r\n")
    if not body.strip():
        raise faults.fatal("empty", limit="has a header and no rows", way_out="give positions")
    if not content.endswith((b"\n", b"\r")):
        body = _refuse_last(body, faults)
        if not body:
            return Contents(file=file, notes=unused_note(names), left_out=faults.settle())
    table, short = _table(body, len(names), places, faults)
    lines = _line_count(body)
    if table.num_rows + len(short) != lines:
        raise faults.fatal(
            "line", value=f"{lines} lines", way_out="correct the quotes",
            limit=f"hold {table.num_rows + len(short)} rows: a value runs over the end of a line,"
            " or a quote is not closed",
        )  # fmt: skip
    notes = unused_note(names)
    if table.num_rows == 0:
        return Contents(file=file, notes=notes, left_out=faults.settle())
    of_rows = np.arange(2, lines + 2, dtype=np.int64)
    rows = Rows(faults, of_rows[~np.isin(of_rows, list(short))] if short else of_rows)
    columns = Columns(
        time=instants_of(_texts(table, TIME), rows),
        numbers={name: _numbers(table, name, rows) for name in NUMBERS if name in places},
        texts={
            name: _texts(table, name) for name in places if name not in NUMBERS and name != TIME
        },
    )
    flights = flights_of(columns, rows)
    faults.found.sort(key=lambda fault: fault.row or 0)
    return Contents(file=file, flights=flights, notes=notes, left_out=faults.settle())


def _header(content: bytes, faults: Faults) -> tuple[int, list[str]]:
    """Return where the rows begin, and the names of the columns."""
    _check_encoding(content, faults)
    start = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    if not content[start:].strip():
        raise faults.fatal("empty", limit="is empty", way_out="check that it was written")
    found = re.compile(rb"\r\n|\n|\r").search(content, start)
    end, body_at = (found.start(), found.end()) if found else (len(content), len(content))
    if end > LONGEST_HEADER:
        raise faults.fatal("columns", row=1, limit="is longer than 1 MB", way_out="is this CSV?")
    try:
        names = next(csv.reader([content[start:end].decode("utf-8")], strict=True), [])
    except csv.Error as error:
        raise faults.fatal("columns", row=1, limit=f"cannot be read: {error}",
                           way_out="correct the quotes") from None  # fmt: skip
    if len(names) == 1 and re.search(r"[;\t]", names[0]):
        raise faults.fatal("columns", row=1, value=names[0], limit="is not set apart by commas",
                           way_out="export with commas")  # fmt: skip
    return body_at, names


def _check_encoding(content: bytes, faults: Faults) -> None:
    if len(content) > MOST_BYTES:
        raise faults.fatal("size", value=f"{len(content):,} bytes", limit="is more than 1 GB",
                           way_out="split it or write Parquet")  # fmt: skip
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise faults.fatal(
            "encoding", row=content.count(b"\n", 0, error.start) + 1,
            value=content[error.start : error.start + 1].hex(), limit="is not UTF-8",
            way_out="save the file as UTF-8",
        ) from None  # fmt: skip
    if b"\x00" in content:
        raise faults.fatal("encoding", row=content.count(b"\n", 0, content.index(b"\x00")) + 1,
                           limit="holds a byte of zero", way_out="save as UTF-8 text")  # fmt: skip


def _refuse_last(body: bytes, faults: Faults) -> bytes:
    """Note that the last row may be cut; return the rows that are read all the same.

    Without `lenient` those are all of them, so that the other faults of the last row are told too.
    """
    faults.add("line break", row=_line_count(body) + 1,
               limit="does not end with a line break, so it may be cut",
               way_out="add a line break at the end, or --lenient leaves that row out")  # fmt: skip
    if not faults.lenient:
        return body
    return body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1].rstrip(b"\r\n")


def _line_count(body: bytes) -> int:
    returns = body.count(b"\r")
    return 1 + body.count(b"\n") + (returns and returns - body.count(b"\r\n"))


def _table(
    body: bytes, width: int, places: Mapping[str, int], faults: Faults
) -> tuple[pa.Table, set[int]]:
    """Return the columns that are read, and the rows that have too few or too many values.

    Numbers come as numbers where all are, else as text.
    """
    fault = ""
    for numbers_as in (pa.float64(), TEXT):
        kinds = {_label(at): numbers_as if name in NUMBERS else TEXT for name, at in places.items()}
        found: dict[int, int] = {}
        try:
            table = _parse(body, width, kinds, found)
        except pa.ArrowException as error:
            fault = " ".join(str(error).split())
            continue
        for row, values in found.items():
            faults.add("columns", row=row, value=f"{values} values",
                       limit=f"are not {width}, as the header has",
                       way_out="correct the row; the file may be cut here")  # fmt: skip
        return table.rename_columns(list(places)), set(found)
    raise faults.fatal("CSV", limit=f"cannot be read: {fault}"[:120], way_out="export it again")


def _label(place: int) -> str:
    return f"c{place}"


def _parse(
    body: bytes, width: int, kinds: Mapping[str, pa.DataType], found: dict[int, int]
) -> pa.Table:
    def note(row: arrow_csv.InvalidRow) -> Literal["skip"]:
        found[(row.number or 0) + 1] = row.actual_columns  # numbered, as one thread reads
        return "skip"

    return arrow_csv.read_csv(
        io.BytesIO(body),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, block_size=len(body) + 1,
            column_names=[_label(i) for i in range(width)],
        ),
        parse_options=arrow_csv.ParseOptions(
            ignore_empty_lines=False, newlines_in_values=True, invalid_row_handler=note
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict(kinds), include_columns=list(kinds), null_values=[""],
            strings_can_be_null=True,
        ),
    )  # fmt: skip


def _texts(table: pa.Table, name: str) -> Texts:
    return texts_of_dictionary(one_array(table.column(name)))


def _numbers(table: pa.Table, name: str, rows: Rows) -> Floats:
    column = table.column(name)
    if pa.types.is_floating(column.type):
        return column.to_numpy().astype(np.float64)
    texts = _texts(table, name)
    numbers = np.array([*(_number(text) for text in texts.values), np.nan])
    good = [NUMBER.fullmatch(text) or text.lower() == "nan" for text in texts.values]
    bad = ~np.array([*(bool(one) for one in good), True])[texts.codes]
    rows.refuse(bad, "number", name, "is not a number", "give a number, or nothing",
                lambda i: texts.values[texts.codes[i]])  # fmt: skip
    return numbers[texts.codes]


def _number(text: str) -> float:
    return float(text) if NUMBER.fullmatch(text) else np.nan
