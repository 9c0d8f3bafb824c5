# SPDX-License-Identifier: Apache-2.0
"""Tables of areas as plans, one a row, with the words of `keepclear operation file` as columns.

    id,callsign,circle,radius,route,width,lower,upper,start,end
    OP-7,OAK 1,"34.9,35.1",10 NM,,,FL240,FL260,2026-05-01T10:00:00Z,2026-05-01T11:00:00Z

| column | what |
|---|---|
| circle | LAT,LON of its centre; with `radius` |
| polygon | LAT,LON of three corners or more, blanks between them |
| route | LAT,LON of two places or more; with `width` |
| orbit | LAT,LON of two places; with `radius` |
| all others | as the properties of a feature (`properties`) |

1. Each row fills one of the four; what its shape is and means is said by `features`.
2. Faults are told by row and column; row numbers are lines, the header being row 1.
3. A row in which nothing stands is no row.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from keepclear.airspace.positions import Position
from keepclear.errors import InputError
from keepclear.formats import properties
from keepclear.formats.contents import Contents
from keepclear.formats.faults import Faults
from keepclear.formats.features import Feature, read_features
from keepclear.formats.json_values import Json, Object, decode_text

# How many places each has, and the geometry that GeoJSON has for it.
SHAPES: Final = {
    "circle": (1, 1, "Point"), "polygon": (3, None, "Polygon"),
    "route": (2, None, "LineString"), "orbit": (2, 2, "LineString"),
}  # fmt: skip
ANYWHERE: Final[Object] = {
    "Point": [0, 0], "LineString": [[0, 0], [1, 0]],
    "Polygon": [[[0, 0], [1, 0], [1, 1], [0, 0]]],
}  # fmt: skip
KNOWN: Final = properties.KNOWN - {"times", "speed", "departure", "altitude", "altitude_reference"}
NEEDED: Final = frozenset({"start", "end"})
LAT_LON: Final = 'give degrees, latitude first, as "34.9,35.1"'


class RowFaults(Faults):
    """The faults of a table: what names no row is of the one that is being read."""

    def __init__(self, file: str, *, lenient: bool) -> None:
        super().__init__(file, lenient=lenient)
        self.row: int | None = None
        self.shape = ""

    def add(
        self, kind: str, *, limit: str, way_out: str, row: int | None = None,
        column: str | None = None, value: object = None,
    ) -> None:  # fmt: skip
        """Note one fault, as `Faults` does; what is told of a geometry is of its column."""
        if column is not None and column.startswith("geometry"):
            inner = column.removeprefix("geometry.")
            column = inner if inner in KNOWN else self.shape
        super().add(kind, limit=limit, way_out=way_out, row=self.row if row is None else row,
                    column=column, value=value)  # fmt: skip


def is_area_table(content: bytes) -> bool:
    """Tell whether a CSV file is one of areas: its header has a start, and no timestamp."""
    header = content[: 1 << 20].removeprefix(b"\xef\xbb\xbf").lstrip().splitlines()[:1]
    names = {
        name.strip().strip('"').lower()
        for name in b"".join(header).decode(errors="replace").split(",")
    }
    return "timestamp" not in names and bool(names & {"start", *SHAPES})


def read_area_table(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the areas in a CSV file that has one a row."""
    faults = RowFaults(file, lenient=lenient)
    text = decode_text(content, faults)
    if not text.endswith(("\n", "\r")):
        faults.add("line break", row=text.count("\n") + 1,
                   limit="does not end with a line break, so it may be cut",
                   way_out="add a line break at the end")  # fmt: skip
    rows = _rows(text, faults)
    _, header = next(rows, (1, []))
    names = [name.strip().lower() for name in header]
    _check_columns(names, faults)
    return read_features(_features(names, rows, faults), faults, _unused(names))


def _rows(text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its line."""
    reader = csv.reader(io.StringIO(text, newline=None), strict=True)
    before = 0
    try:
        for row in reader:
            if reader.line_num != before + 1:
                raise faults.fatal(
                    "line", row=before + 1, limit="runs over the end of its line",
                    way_out="keep each value in one line, and close its quotes",
                )  # fmt: skip
            before = reader.line_num
            yield before, row
    except csv.Error as fault:
        raise faults.fatal(
            "CSV", row=before + 1, limit=f"cannot be read: {fault}"[:120],
            way_out="correct the quotes",
        ) from None  # fmt: skip


def _check_columns(names: Sequence[str], faults: Faults) -> None:
    before = len(faults.found)
    for name in sorted(KNOWN | SHAPES.keys()):
        if names.count(name) > 1:
            faults.add("columns", row=1, column=name, value=f"{names.count(name)} times",
                       limit="stands more than once", way_out="keep one")  # fmt: skip
    for name in sorted(NEEDED - {*names}):
        faults.add("columns", row=1, column=name, limit="is missing",
                   way_out=f"add it; the columns are {', '.join(names)[:200]}")  # fmt: skip
    if not SHAPES.keys() & {*names}:
        faults.add("columns", row=1, column=" or ".join(SHAPES), limit="is missing",
                   way_out="add one: a row without a shape is nowhere")  # fmt: skip
    if len(faults.found) > before:
        last = faults.found.pop()
        raise faults.fatal(last.kind, row=1, column=last.column, value=last.value,
                           limit=last.limit, way_out=last.way_out)  # fmt: skip


def _unused(names: Sequence[str]) -> tuple[str, ...]:
    unused = [ascii(each)[1:-1][:40] for each in names if each not in KNOWN | SHAPES.keys()]
    return (f"columns not used: {', '.join(unused[:20])}",) if unused else ()


def _features(
    names: Sequence[str], rows: Iterator[tuple[int, list[str]]], faults: RowFaults
) -> Iterator[Feature]:
    found = False
    for number, row in rows:
        if not any(value.strip() for value in row):
            continue
        found, faults.row = True, number
        if len(row) != len(names):
            faults.add("line", value=f"{len(row)} values", way_out="correct the commas or quotes",
                       limit=f"are not the {len(names)} that the header has")  # fmt: skip
            continue
        said = {name: value.strip() for name, value in zip(names, row, strict=True)}
        faults.shape = ""
        geometry = faults.trial("shape", "", _geometry, said, faults)
        if geometry is None and faults.shape and not faults.lenient:
            # The file is refused; with any place, what else is wrong in the row is told too.
            kind = SHAPES[faults.shape][2]
            geometry = {"type": kind, "coordinates": ANYWHERE[kind]}
        kept: Object = {name: said[name] for name in said if name in KNOWN and said[name]}
        if geometry is not None:
            yield Feature(
                path="", properties_path="", feature_id=f"row {number}", properties=kept,
                geometry=geometry,
            )  # fmt: skip
    faults.row = None
    if not found:
        raise faults.fatal("empty", limit="has a header and no rows", way_out="give areas")


def _geometry(said: dict[str, str], faults: RowFaults) -> Object:
    """Return what a row says of its shape, as GeoJSON's geometry."""
    given = [name for name in SHAPES if said.get(name)]
    if len(given) != 1:
        raise InputError(
            " or ".join(SHAPES), " and ".join(given) or None, "is not one of them", "fill one"
        )
    [faults.shape] = given
    fewest, most, kind = SHAPES[faults.shape]
    places: list[Json] = [_place(text, faults.shape) for text in said[faults.shape].split()]
    if len(places) < fewest or (most is not None and len(places) > most):
        raise InputError(
            faults.shape, said[faults.shape], f"has {len(places)} places",
            f"give {fewest}{'' if most == fewest else ' or more'}, as LAT,LON with blanks between",
        )  # fmt: skip
    match kind:
        case "Point":
            return {"type": kind, "coordinates": places[0]}
        case "Polygon":
            return {"type": kind, "coordinates": [[*places, places[0]]]}
        case _:
            return {"type": kind, "coordinates": places}


def _place(text: str, column: str) -> list[float]:
    """Return longitude and latitude of LAT,LON."""
    latitude, comma, longitude = text.partition(",")
    try:
        if comma:
            position = Position(latitude_deg=float(latitude), longitude_deg=float(longitude))
            return [position.longitude_deg, position.latitude_deg]
    except InputError as fault:
        raise InputError(column, text, f"{fault.path} {fault.limit}", LAT_LON) from None
    except ValueError:
        pass
    raise InputError(column, text, "is no LAT,LON", LAT_LON)
