# SPDX-License-Identifier: Apache-2.0
"""The door to the readers: a file's name and bytes in, `Contents` out.

The suffix chooses the reader; `.json`, and a suffix that is not known, by what is inside.

| suffix | reader |
|---|---|
| .csv | `csv_positions`; `area_tables`, where the header has a start and no timestamp |
| .xlsx | `xlsx`: the first sheet, as CSV |
| .parquet, .pq | `parquet_positions` |
| .kml | `kml` |
| .geojson | `geojson` |
| .json | `geojson`, `f3548` or `readsb` |

    contents = read("north.csv", pathlib.Path("north.csv").read_bytes())
"""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final

from keepclear import formats
from keepclear.errors import FileErrors
from keepclear.formats.contents import Contents
from keepclear.formats.faults import Faults
from keepclear.formats.json_values import decode_json

SUPPORTED: Final = (
    "CSV or Parquet of positions, CSV of areas, XLSX of either, GeoJSON, KML, "
    "F3548-21 volumes (JSON), readsb traces (JSON)"
)
HEADER_BYTES: Final = 1 << 20


def read(file_name: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return what a file holds; `FileErrors` with all its faults where it has any.

    `lenient` leaves out what has a fault and lists it in `left_out`; a file that cannot be
    followed is an error all the same.
    """
    by_suffix = READERS.get(PurePath(file_name).suffix.lower())
    reader = by_suffix() if by_suffix else _by_first_bytes(file_name, content)
    return reader(file_name, content, lenient=lenient)


def read_csv(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in a CSV file: positions, or an area a row."""
    header = b"".join(content[:HEADER_BYTES].lstrip().splitlines()[:1]).lower()
    if b"timestamp" not in header and formats.area_tables.is_area_table(content):
        return formats.area_tables.read_area_table(file, content, lenient=lenient)
    return formats.csv_positions.read_csv(file, content, lenient=lenient)


def read_xlsx(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in the first sheet of a workbook, which is read as CSV is."""
    return read_csv(file, formats.xlsx.csv_of(file, content), lenient=lenient)


def read_json(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in a JSON file of any of the formats that are JSON."""
    faults = Faults(file, lenient=lenient)
    document = decode_json(content, faults)
    for is_it, contents_of in (
        (formats.geojson.is_geojson, formats.geojson.contents_of),
        (formats.readsb.is_readsb, formats.readsb.contents_of),
        (formats.f3548.is_f3548, formats.f3548.contents_of),
    ):
        if is_it(document):
            return contents_of(document, faults)
    names = ", ".join(list(document)[:8]) if isinstance(document, dict) else type(document).__name__
    raise faults.fatal("format", value=names or "{}", limit="is JSON of a kind that is not read",
                       way_out=f"give {SUPPORTED}")  # fmt: skip


Reader = Callable[..., Contents]

# Functions that give the reader, so that the others are not loaded.
READERS: Final[Mapping[str, Callable[[], Reader]]] = {
    ".csv": lambda: read_csv,
    ".xlsx": lambda: read_xlsx,
    ".parquet": lambda: formats.parquet_positions.read_parquet,
    ".pq": lambda: formats.parquet_positions.read_parquet,
    ".kml": lambda: formats.kml.read_kml,
    ".geojson": lambda: formats.geojson.read_geojson,
    ".json": lambda: read_json,
}


def _by_first_bytes(file_name: str, content: bytes) -> Reader:
    """Choose by what a file starts with; CSV says nothing there, so it needs its suffix."""
    start = content[:100].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"PAR1"):
        return formats.parquet_positions.read_parquet
    if start.startswith(b"PK\x03\x04"):
        return read_xlsx
    if start.startswith(b"<"):
        return formats.kml.read_kml
    if start.startswith((b"{", b"[")):
        return read_json
    suffixes = ", ".join(READERS)
    faults = Faults(file_name, lenient=False)
    error: FileErrors = faults.fatal(
        "format", value=PurePath(file_name).suffix or None, limit="is no suffix that is known",
        way_out=f"name it {suffixes}; read are {SUPPORTED}",
    )  # fmt: skip
    raise error
