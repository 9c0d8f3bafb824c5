# SPDX-License-Identifier: Apache-2.0
"""Parquet of positions: Apache Parquet format 2, logical types of LogicalTypes.md.

What the columns mean: `positions`. Rows count from 1.

| column | type |
|---|---|
| timestamp | TIMESTAMP, isAdjustedToUTC = true, any unit; or text as in CSV |
| numbers | any integer or floating point; null and NaN are nothing |
| text | STRING, plain or dictionary; null is nothing; `rvsm` may be BOOLEAN |

1. A timestamp without a zone (isAdjustedToUTC = false) is refused.
2. Parts of a microsecond are cut.
3. The whole file is checked for size before any column is unpacked.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from keepclear.errors import FileErrors, KeepclearError
from keepclear.formats.columns import (
    NUMBERS,
    TIME,
    Booleans,
    Columns,
    Instants,
    Rows,
    Texts,
    column_places,
    instants_of,
    one_array,
    texts_of,
    texts_of_dictionary,
    unused_note,
)
from keepclear.formats.contents import Contents, Floats
from keepclear.formats.faults import Faults
from keepclear.formats.positions import flights_of
from keepclear.formats.tracks import EARLIEST_US, LATEST_US
from keepclear.units import US_PER_S

MOST_ROWS: Final = 20_000_000
MOST_BYTES: Final = 2 << 30  # unpacked
PER_S: Final[Mapping[str, int]] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
# What pyarrow raises on a broken file: its own classes, and those they stand for.
FAILURES: Final = (pa.ArrowException, OSError, ValueError, TypeError, MemoryError)


def read_parquet(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the flights in a Parquet file of positions."""
    faults = Faults(file, lenient=lenient)
    if not content.strip():
        raise faults.fatal("empty", limit="is empty", way_out="check that it was written")
    if not (content.startswith(b"PAR1") and content.endswith(b"PAR1")):
        raise faults.fatal("Parquet", limit="does not begin and end with PAR1",
                           way_out="check that the file is whole")  # fmt: skip
    names, table = _unpack(content, faults)
    if table.num_rows == 0:
        raise faults.fatal("empty", limit="has no rows", way_out="give positions")
    rows = Rows(faults, np.arange(1, table.num_rows + 1, dtype=np.int64))
    try:
        columns = Columns(
            time=_instants(table, rows, faults),
            numbers={n: _numbers(table, n, faults) for n in table.column_names if n in NUMBERS},
            texts={n: _texts(table, n, faults) for n in table.column_names
                   if n not in NUMBERS and n != TIME},
        )  # fmt: skip
    except KeepclearError:
        raise
    except FAILURES as error:
        raise _broken(faults, error) from None
    flights = flights_of(columns, rows)
    faults.found.sort(key=lambda fault: fault.row or 0)
    return Contents(file=file, flights=flights, notes=unused_note(names), left_out=faults.settle())


def _unpack(content: bytes, faults: Faults) -> tuple[list[str], pa.Table]:
    """Return the names of all columns, and a table of those that are read, by their known names."""
    try:
        opened = parquet.ParquetFile(pa.BufferReader(content))
        names = list(opened.schema_arrow.names)
        places = column_places(names, faults)
        _check_size(opened.metadata, faults)
        wanted = [names[at] for at in places.values()]
        texts = [
            names[at] for name, at in places.items()
            if name not in NUMBERS and _is_text(opened.schema_arrow.field(at).type)
        ]  # fmt: skip
        opened = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        table = opened.read(columns=wanted, use_threads=False)
        if table.column_names != wanted:
            table = table.select(wanted)
        table.validate(full=True)
        return names, table.rename_columns(list(places)).unify_dictionaries()
    except KeepclearError:
        raise
    except FAILURES as error:
        raise _broken(faults, error) from None


def _broken(faults: Faults, error: BaseException) -> FileErrors:
    text = " ".join(str(error).split())[:120] or type(error).__name__
    return faults.fatal("Parquet", limit=f"cannot be read: {text}",
                        way_out="check that the file is whole, or export it again")  # fmt: skip


def _check_size(metadata: parquet.FileMetaData, faults: Faults) -> None:
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if metadata.num_rows > MOST_ROWS or unpacked > MOST_BYTES:
        raise faults.fatal(
            "size", value=f"{metadata.num_rows:,} rows, {unpacked:,} bytes unpacked",
            limit=f"are more than {MOST_ROWS:,} rows or {MOST_BYTES:,} bytes",
            way_out="split the file",
        )  # fmt: skip


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _instants(table: pa.Table, rows: Rows, faults: Faults) -> Instants:
    column = one_array(table.column(TIME))
    if pa.types.is_dictionary(column.type) or _is_text(column.type):
        return instants_of(_texts(table, TIME, faults), rows)
    if not pa.types.is_timestamp(column.type):
        raise _wrong_type(TIME, column.type, "timestamp with a zone", faults)
    if column.type.tz is None:
        raise faults.fatal("time", column=TIME, value=str(column.type), limit="has no zone",
                           way_out='write it as timestamp("us", tz="UTC")')  # fmt: skip
    present = _present(column)
    count = column.view(pa.int64()).to_numpy(zero_copy_only=False)
    count = np.where(present, count, 0).astype(np.int64)
    per_s = PER_S[column.type.unit]
    earliest, latest = EARLIEST_US // US_PER_S * per_s, LATEST_US // US_PER_S * per_s
    # Times beyond all limits stand at the limit, so that they do not overflow; it is refused too.
    count = np.clip(count, earliest - 1, latest)
    scaled = count // (per_s // US_PER_S) if per_s > US_PER_S else count * (US_PER_S // per_s)
    return Instants(time_us=scaled, present=present)


def _present(column: "pa.Array[Any]") -> Booleans:
    if column.null_count == 0:
        return np.ones(len(column), dtype=np.bool_)
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _numbers(table: pa.Table, name: str, faults: Faults) -> Floats:
    column = one_array(table.column(name))
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise _wrong_type(name, column.type, "number", faults)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(table: pa.Table, name: str, faults: Faults) -> Texts:
    column = one_array(table.column(name))
    if pa.types.is_null(column.type):
        return Texts(codes=np.full(len(column), -1, dtype=np.int64), values=())
    if pa.types.is_boolean(column.type) and name == "rvsm":
        codes = [{None: -1, False: 0, True: 1}[value] for value in column.to_pylist()]
        return texts_of(["no", "yes"], np.array(codes, dtype=np.int64))
    if _is_text(column.type):
        column = column.dictionary_encode()
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        raise _wrong_type(name, column.type, "text", faults)
    return texts_of_dictionary(column)


def _wrong_type(name: str, kind: pa.DataType, wanted: str, faults: Faults) -> FileErrors:
    return faults.fatal("type", column=name, value=str(kind), limit=f"is no {wanted}",
                        way_out=f"write it as {wanted}")  # fmt: skip
