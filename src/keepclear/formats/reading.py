# SPDX-License-Identifier: Apache-2.0
"""The door to the readers: a file's name and bytes in, `Contents` out.

The suffix chooses the reader; `.json`, and a suffix that is not known, by what is inside.

| suffix | reader |
|---|---|
| .csv | `csv_positions` |
| .parquet, .pq | `parquet_positions` |
| .kml | `kml` |
| .geojson | `geojson` |
| .json | `geojson`, `f3548` or `readsb` |

    contents = read("north.csv", pathlib.Path("north.csv").read_bytes())
"""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final

from keepclear.errors import FileErrors
from keepclear.formats import f3548, geojson, readsb
from keepclear.formats.contents import Contents
from keepclear.formats.csv_positions import read_csv
from keepclear.formats.faults import Faults
from keepclear.formats.geojson import read_geojson
from keepclear.formats.json_values import Json, decode_json
from keepclear.formats.kml import read_kml
from keepclear.formats.parquet_positions import read_parquet

SUPPORTED: Final = (
    "CSV or Parquet of positions, GeoJSON, KML, F3548-21 volumes (JSON), readsb traces (JSON)"
)
BY_CONTENT: Final[tuple[tuple[Callable[[Json], bool], Callable[[Json, Faults], Contents]], ...]] = (
    (geojson.is_geojson, geojson.contents_of),
    (readsb.is_readsb, readsb.contents_of),
    (f3548.is_f3548, f3548.contents_of),
)


def read(file_name: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return what a file holds; `FileErrors` with all its faults where it has any.

    `lenient` leaves out what has a fault and lists it in `left_out`; a file that cannot be
    followed is an error all the same.
    """
    reader = READERS.get(PurePath(file_name).suffix.lower()) or _by_first_bytes(file_name, content)
    return reader(file_name, content, lenient=lenient)


def read_json(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in a JSON file of any of the formats that are JSON."""
    faults = Faults(file, lenient=lenient)
    document = decode_json(content, faults)
    for is_it, contents_of in BY_CONTENT:
        if is_it(document):
            return contents_of(document, faults)
    names = ", ".join(list(document)[:8]) if isinstance(document, dict) else type(document).__name__
    raise faults.fatal("format", value=names or "{}", limit="is JSON of a kind that is not read",
                       way_out=f"give {SUPPORTED}")  # fmt: skip


Reader = Callable[..., Contents]

READERS: Final[Mapping[str, Reader]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".pq": read_parquet,
    ".kml": read_kml,
    ".geojson": read_geojson,
    ".json": read_json,
}


def _by_first_bytes(file_name: str, content: bytes) -> Reader:
    """Choose by what a file starts with; CSV says nothing there, so it needs its suffix."""
    start = content[:100].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"PAR1"):
        return read_parquet
    if start.startswith(b"<"):
        return read_kml
    if start.startswith((b"{", b"[")):
        return read_json
    suffixes = ", ".join(READERS)
    faults = Faults(file_name, lenient=False)
    error: FileErrors = faults.fatal(
        "format", value=PurePath(file_name).suffix or None, limit="is no suffix that is known",
        way_out=f"name it {suffixes}; read are {SUPPORTED}",
    )  # fmt: skip
    raise error
