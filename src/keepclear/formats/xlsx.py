# SPDX-License-Identifier: Apache-2.0
"""Workbooks: ISO/IEC 29500-1 (2016), SpreadsheetML, the first sheet of it as a table.

    xl/workbook.xml             sheets/sheet, the first: r:id          clause 18.2.19
    xl/_rels/workbook.xml.rels  where that is
    xl/sharedStrings.xml        si: t, or r/t in several runs          clause 18.4.8
    xl/worksheets/...           sheetData/row[r]/c[r, t]: v or is/t    clause 18.3.1.4

Leaves what the columns mean to the readers of CSV: `csv_of` gives what they read, with the rows
by the same numbers.

1. A date of a workbook has no zone, and is refused: times are text, 2026-05-01T10:00:00Z.
2. Of a formula the value counts that was saved with it; an error in a cell is a fault.
3. What swells when it is unpacked is refused, and a document type definition (CWE-409, CWE-776).
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from keepclear.errors import FileErrors
from keepclear.formats.faults import Faults
from keepclear.formats.json_values import MOST_BYTES

MOST_COLUMNS: Final = 16_384
MOST_CELLS: Final = 2_000_000
RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
TIMES: Final = frozenset({"timestamp", "start", "end"})
CELL: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
ROW: Final = re.compile(r"[1-9][0-9]{0,6}")


def csv_of(file: str, content: bytes) -> bytes:
    """Return the first sheet of a workbook as CSV; `FileErrors` with all its faults."""
    faults = Faults(file, lenient=False)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            rows = _table(book, faults)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        raise faults.fatal("XLSX", limit=f"is no workbook: {fault}"[:100],
                           way_out="save it as .xlsx, without a password") from None  # fmt: skip
    faults.settle()
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


def _table(book: zipfile.ZipFile, faults: Faults) -> list[list[str]]:
    """Return the rows of the first sheet, each as wide as the first; faults of cells are told."""
    shared: tuple[str, ...] = ()
    if "xl/sharedStrings.xml" in book.namelist():
        strings = _part(book, "xl/sharedStrings.xml", faults)
        shared = tuple(_runs(each) for each in strings if _tag(each) == "si")
    sheet = _part(book, _first_sheet(book, faults), faults)
    found: dict[int, dict[int, str]] = {}
    names: dict[int, str] = {}
    for row, column, cell in _cells(sheet, faults):
        text = _text(cell, shared, row, names.get(column, _letters(column)), faults)
        if text:
            found.setdefault(row, {})[column] = text
            if row == 1:
                names[column] = text.strip().lower()
    if not found:
        raise faults.fatal("empty", limit="has nothing on its first sheet",
                           way_out="put the table there")  # fmt: skip
    width = 1 + max(max(row) for row in found.values())
    if width * max(found) > MOST_CELLS:
        raise _too_large(max(found), faults)
    return [
        [found.get(number, {}).get(column, "") for column in range(width)]
        for number in range(1, max(found) + 1)
    ]


def _first_sheet(book: zipfile.ZipFile, faults: Faults) -> str:
    """Return the name of the part that the first sheet is."""
    workbook = _part(book, "xl/workbook.xml", faults)
    wanted = next((each.get(RELATION) for each in workbook.iter() if _tag(each) == "sheet"), None)
    for each in _part(book, "xl/_rels/workbook.xml.rels", faults):
        if each.get("Id") == wanted:
            target = each.get("Target", "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise faults.fatal("XLSX", limit="has no sheet", way_out="save it again as .xlsx")


def _part(book: zipfile.ZipFile, name: str, faults: Faults) -> Element:
    try:
        size = book.getinfo(name).file_size
        if size > MOST_BYTES:
            raise faults.fatal("size", column=name, value=f"{size:,} bytes",
                               limit=f"is more than {MOST_BYTES:,} bytes",
                               way_out="split it, or write CSV")  # fmt: skip
        element: Element = fromstring(book.read(name), forbid_dtd=True)
    except KeyError:
        raise faults.fatal("XLSX", column=name, limit="is not in it",
                           way_out="save it as .xlsx") from None  # fmt: skip
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as fault:
        raise faults.fatal("XLSX", column=name, limit=f"is not XML as it should be: {fault}"[:100],
                           way_out="save it again as .xlsx") from None  # fmt: skip
    return element


def _cells(sheet: Element, faults: Faults) -> Iterator[tuple[int, int, Element]]:
    """Yield row, column from 0, and each cell; a row and a cell may leave out where they are."""
    row, count = 0, 0
    for each in sheet.iter():
        if _tag(each) != "row":
            continue
        said, column = each.get("r", str(row + 1)), -1
        if not ROW.fullmatch(said):
            raise faults.fatal("XLSX", value=said, limit="is no number of a row",
                               way_out="save it again as .xlsx")  # fmt: skip
        row = int(said)
        for cell in each:
            place = CELL.fullmatch(cell.get("r", ""))
            column = _number(place[1]) if place else column + 1
            count += 1
            if column >= MOST_COLUMNS or count > MOST_CELLS:
                raise _too_large(row, faults)
            yield row, column, cell


def _too_large(row: int, faults: Faults) -> FileErrors:
    return faults.fatal("size", row=row, limit=f"makes a table of more than {MOST_CELLS:,} cells",
                        way_out="delete what stands far out, split it, or write CSV")  # fmt: skip


def _text(cell: Element, shared: tuple[str, ...], row: int, name: str, faults: Faults) -> str:
    """Return what stands in a cell; a fault where it cannot be taken as text."""
    kind = cell.get("t", "n")
    value = next((each.text or "" for each in cell if _tag(each) == "v"), "")
    if kind == "inlineStr":
        value = "".join(_runs(each) for each in cell if _tag(each) == "is")
    elif kind == "s" and value:
        value = shared[int(value)] if value.isdecimal() and int(value) < len(shared) else ""
    elif kind == "b":
        value = {"1": "yes", "0": "no"}.get(value, value)
    elif kind == "e":
        faults.add("cell", row=row, column=name, value=value, limit="is an error of the sheet",
                   way_out="correct the formula")  # fmt: skip
        return ""
    if kind in {"n", "d"} and value and name in TIMES and row > 1:
        faults.add("cell", row=row, column=name, value=value,
                   limit="is a date of the sheet, which has no zone",
                   way_out="write it as text: 2026-05-01T10:00:00Z")  # fmt: skip
        return ""
    if "\n" in value.strip() or "\r" in value.strip():
        faults.add("cell", row=row, column=name, value=value, limit="has more than one line",
                   way_out="write it in one")  # fmt: skip
    return value.strip()


def _runs(element: Element) -> str:
    """Return the text of a string, of all its runs; how it is read aloud (rPh) is left out."""
    parts = [element, *(each for each in element if _tag(each) == "r")]
    return "".join(each.text or "" for part in parts for each in part if _tag(each) == "t")


def _number(letters: str) -> int:
    number = 0
    for each in letters:
        number = 26 * number + ord(each) - ord("A") + 1
    return number - 1


def _letters(number: int) -> str:
    found = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
