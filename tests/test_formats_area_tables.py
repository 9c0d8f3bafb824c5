# SPDX-License-Identifier: Apache-2.0
"""Tables of areas, as CSV and as workbooks: what a row is, and where each fault is told."""

import io
import zipfile
from contextlib import suppress
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.airspace.altitudes import parse_altitude
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon
from keepclear.errors import FileErrors
from keepclear.formats.contents import Contents
from keepclear.formats.reading import read
from keepclear.units import TMM_PER_NM, parse_time_us

HEAD = "id,callsign,circle,polygon,route,orbit,radius,width,lower,upper,start,end"
WINDOW = "FL240,FL260,2026-05-01T10:00:00Z,2026-05-01T11:00:00Z"
ROWS = (
    HEAD,
    f'OP-7,OAK 1,"34.9,35.1",,,,10 NM,,{WINDOW}',
    f',,,"34,35 34,36 35,36",,,,,{WINDOW}',
    f'OP-9,,,,"34.9,35.1 35.1,35.9",,,8 NM,{WINDOW}',
    f'OP-9,,,,,"34.9,35.1 35.1,35.9",4 NM,,{WINDOW}',
)


def table(*rows: str) -> bytes:
    return ("\n".join(rows) + "\n").encode()


def faults_in(name: str, content: bytes) -> str:
    with pytest.raises(FileErrors) as refused:
        read(name, content)
    return str(refused.value)


def workbook(*rows: list[str | float | bool | None], head: str = "", **parts: str) -> bytes:
    """Return a workbook whose second sheet comes first in the file and its first is the table."""
    cells = [
        f"<row r='{number}'>{''.join(_cell(number, place, each) for place, each in enumerate(row))}"
        "</row>"
        for number, row in enumerate(rows, 1) if row
    ]  # fmt: skip
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    held = {
        "xl/workbook.xml": f"<workbook xmlns='{main}' xmlns:r='{relation}'><sheets>"
        "<sheet name='plans' r:id='rId2'/><sheet name='other' r:id='rId1'/></sheets></workbook>",
        "xl/_rels/workbook.xml.rels": "<Relationships>"
        "<Relationship Id='rId1' Target='worksheets/sheet1.xml'/>"
        "<Relationship Id='rId2' Target='worksheets/sheet2.xml'/></Relationships>",
        "xl/sharedStrings.xml": f"<sst xmlns='{main}'><si><r><t>OAK</t></r><r><t> 1</t></r></si>"
        "</sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet xmlns='{main}'><sheetData/></worksheet>",
        "xl/worksheets/sheet2.xml": f"{head}<worksheet xmlns='{main}'><sheetData>{''.join(cells)}"
        "</sheetData></worksheet>",
        **parts,
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in held.items():
            book.writestr(name, text)
    return written.getvalue()


def _cell(row: int, place: int, value: str | float | bool | None) -> str:  # noqa: FBT001 as a sheet has it
    where = f"r='{chr(ord('A') + place)}{row}'"
    match value:
        case None:
            return ""
        case bool():
            return f"<c {where} t='b'><v>{int(value)}</v></c>"
        case str() if value == "OAK 1":
            return f"<c {where} t='s'><v>0</v></c>"
        case str() if value.startswith("#"):
            return f"<c {where} t='e'><v>{value}</v></c>"
        case str():
            return f"<c {where} t='inlineStr'><is><t>{escape(value)}</t></is></c>"
        case _:
            return f"<c {where}><v>{value}</v></c>"


def test_each_row_is_an_area_and_rows_of_one_id_are_one_plan() -> None:
    contents = read("plans.csv", table(*ROWS))

    assert [each.plan.name for each in contents.areas] == ["OAK 1", "row 3", "OP-9"]
    assert [each.plan.is_named for each in contents.areas] == [True, False, True]
    circle, polygon, corridor, orbit = (
        volume for each in contents.areas for volume in each.volumes
    )
    assert isinstance(circle.volume.shape, Circle)
    assert circle.volume.shape.radius_tmm == 10 * TMM_PER_NM
    assert (circle.volume.shape.centre.latitude_deg, circle.volume.shape.centre.longitude_deg) == (
        34.9, 35.1
    )  # fmt: skip
    assert circle.volume.lower == parse_altitude("FL240")
    assert circle.end_us == parse_time_us("2026-05-01T11:00:00Z")
    assert isinstance(polygon.volume.shape, Polygon)
    assert len(polygon.volume.shape.ring) == 3
    assert isinstance(corridor.volume.shape, Corridor)
    assert isinstance(orbit.volume.shape, Orbit)


def test_every_fault_is_told_by_its_row_and_column() -> None:
    said = faults_in("plans.csv", table(
        HEAD,
        f'OP-1,,"34.9;35.1",,,,10 NM,,{WINDOW}',
        "",
        f'OP-2,,"34.9,35.1",,,,10,,{WINDOW}',
        f'OP-3,,"95,35.1",,,,10 NM,,{WINDOW}',
        f"OP-4,,,,,,10 NM,,{WINDOW}",
        'OP-5,,"34.9,35.1",,,,10 NM,,high,FL260,2026-05-01T10:00:00,2026-05-01T11:00:00Z',
        f'OP-6,,,,"34.9,35.1",,,8 NM,{WINDOW}',
        f'OP-7,,,"34,35 35,36 34,36 35,35",,,,,{WINDOW}',
        "OP-8",
        'OP-9,,"95,35",,,,10,,FL260,FL240,2026-05-01T11:00:00Z,2026-05-01T10:00:00Z',
    ))  # fmt: skip

    for place in (
        "row 2, circle '34.9;35.1': is no LAT,LON", "row 4, radius '10': is not a number with",
        "row 5, circle '95,35.1': latitude is beyond 90", "row 6, circle or polygon or route or",
        "row 7, lower 'high': has no reference", "row 7, start '2026-05-01T10:00:00'",
        "row 8, route '34.9,35.1': has 1 places", "row 9, polygon",
        "row 10 '1 values': are not the 12 that the header has",
    ):  # fmt: skip
        assert f"plans.csv: {place}" in said
    assert len(said.splitlines()) == 12
    assert [line.split(" ")[3] for line in said.splitlines()[-3:]] == ["circle", "radius", "end"]


def test_a_row_with_a_fault_is_left_out_whole_where_that_is_asked_for() -> None:
    bad = f'OP-1,,"95,35",,,,10 NM,,{WINDOW}'

    contents = read("plans.csv", table(ROWS[0], bad, ROWS[1]), lenient=True)

    assert [each.plan.name for each in contents.areas] == ["OAK 1"]
    assert [(each.row, each.column) for each in contents.left_out] == [(2, "circle")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (table("start,circle"), "row 1, end: is missing"),
        (table("start,end"), "row 1, circle or polygon or route or orbit: is missing"),
        (table("start,end,circle,circle"), "row 1, circle '2 times': stands more than once"),
        (table(HEAD), "has a header and no rows"),
        (table(*ROWS)[:-1], "row 5: does not end with a line break"),
        (table(HEAD, '"a\nb",,,,,,,,,,,'), "row 2: runs over the end of its line"),
        (table(HEAD, 'a"b",",'), "row 2: cannot be read"),
    ],
)
def test_a_table_that_cannot_be_followed_is_refused(content: bytes, why: str) -> None:
    assert why in faults_in("plans.csv", content)


def test_a_workbook_is_read_as_its_table_is() -> None:
    read_back = read("plans.xlsx", workbook(
        ["id", "callsign", "circle", "radius", "lower", "upper", "start", "end", "rvsm"],
        ["OP-7", "OAK 1", "34.9,35.1", "10 NM", "FL240", "FL260", "2026-05-01T10:00:00Z",
         "2026-05-01T11:00:00Z", True],
    ))  # fmt: skip

    [area] = read_back.areas
    [as_csv] = read("plans.csv", table(*ROWS[:2])).areas
    assert area.volumes == as_csv.volumes
    assert (area.plan.name, area.plan.rvsm) == ("OAK 1", True)


def test_a_workbook_of_positions_is_read_as_flights_with_its_numbers() -> None:
    contents: Contents = read("plans.xlsx", workbook(
        ["timestamp", "callsign", "latitude", "longitude", "altitude"],
        ["2026-05-01T10:00:00Z", "OAK 1", 34.1, 35.2, 24_000],
        ["2026-05-01T10:01:00Z", "OAK 1", 34.2, 35.2, 24_000],
    ))  # fmt: skip

    assert contents.flights[0].latitude_deg.tolist() == [34.1, 34.2]


def test_faults_of_cells_are_told_by_row_and_column() -> None:
    said = faults_in("plans.xlsx", workbook(
        ["callsign", "circle", "radius", "start", "end"],
        [],
        ["OAK 1", "34.9,35.1", "#REF!", 45_000.5, "2026-05-01T11:00:00Z"],
        ["OAK 2", "34.9,35.1\n35,36", "10 NM", "2026-05-01T10:00:00Z", "2026-05-01T11:00:00Z"],
    ))  # fmt: skip

    assert "row 3, radius '#REF!': is an error of the sheet" in said
    assert "row 3, start '45000.5': is a date of the sheet, which has no zone" in said
    assert "row 4, circle '34.9,35.1\\n35,36': has more than one line" in said
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("<row r='x'><c><v>1</v></c></row>", "'x': is no number of a row"),
        ("<row r='99999999999'><c><v>1</v></c></row>", "is no number of a row"),
        ("<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>", "row 1048576: makes a table of"),
        ("<row r='0'><c><v>1</v></c></row>", "'0': is no number of a row"),
    ],
)
def test_a_cell_that_stands_far_out_or_nowhere_is_refused(cell: str, why: str) -> None:
    sheet = f"<worksheet><sheetData>{cell}</sheetData></worksheet>"

    assert why in faults_in("p.xlsx", workbook(["id"], **{"xl/worksheets/sheet2.xml": sheet}))


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_lines_end_as_each_system_ends_them(ending: str) -> None:
    content = "".join(f"{row}{ending}" for row in ROWS).encode()

    assert read("plans.csv", content).areas == read("plans.csv", table(*ROWS)).areas


@given(st.binary(max_size=400), st.integers(0, 2_000))
def test_a_spoilt_workbook_is_read_or_refused_in_words(spoilt: bytes, place: int) -> None:
    whole = workbook(["callsign", "circle", "radius", "start", "end"], ["OAK 1", "34,35"])

    with suppress(FileErrors):
        read("plans.xlsx", whole[:place] + spoilt + whole[place + len(spoilt) :])


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(0, 400))
def test_a_spoilt_table_is_read_or_refused_in_words(spoilt: str, place: int) -> None:
    whole = table(*ROWS).decode()

    with suppress(FileErrors):
        read("plans.csv", (whole[:place] + spoilt + whole[place:]).encode())


def test_what_swells_is_no_workbook_or_has_entities_is_refused() -> None:
    swelling = workbook(["id"], **{"xl/worksheets/sheet2.xml": " " * 40_000_000})
    assert len(swelling) < 100_000
    assert "40,000,000 bytes" in faults_in("plans.xlsx", swelling)
    assert "is not XML as it should be" in faults_in(
        "plans.xlsx", workbook(["id"], head="<!DOCTYPE x [<!ENTITY a 'b'>]>")
    )
    assert "is no workbook" in faults_in("plans.xlsx", b"PK\x03\x04 and no more")
    assert "has nothing on its first sheet" in faults_in("plans.xlsx", workbook())
    assert "is not in it" in faults_in("plans", _zip())


def _zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as book:
        book.writestr("mimetype", "x")
    return written.getvalue()
