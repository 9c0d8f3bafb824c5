# SPDX-License-Identifier: Apache-2.0
"""What the border data says, held to the public sources that were asked, and to its own keys.

F17 and F26 are two editions of the CIA World Factbook; docs/borders.md says which.
"""

import csv
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from keepclear.airspace.borders import Borders, WhoseKind, state_at
from keepclear.formats.packaged import read_borders

DATA = files("keepclear.formats") / "data"
DOCS = Path(__file__).parent.parent / "docs" / "borders.md"
NOT_CONFIRMED = "not confirmed"

# F26, field "Maritime claims", where it is not 12 NM: (breadth kept, widest claimed or possible).
# Two sources agree on Greenland (DoD 2005.1-M, Denmark, act of May 1999 not for Greenland) and
# Gibraltar (House of Commons, answer of 14 September 2016). Greece: 12 NM in the Ionian Sea
# (Agenzia Nova, 21 January 2021). Where one source alone says less than 12 NM, what lies
# between is nobody's.
NARROW = {
    "GRL": (3, 3), "GIB": (3, 3), "JOR": (3, 12), "SGP": (3, 12), "GRC": (6, 12), "TUR": (6, 12),
}  # fmt: skip
# UK SI 2007/2916, in force 31 October 2007; Virgin Islands (Territorial Sea) Order 2007.
TWELVE_SINCE_2007 = ("AIA", "VGB")

PLACES = [
    # F26, "Maritime claims" of Finland, Japan, the Republic of Korea, Sweden and Bouvet island:
    # less than 12 NM, or some of it given back. All within 6 NM of a coast.
    ("Gulf of Finland, off Porkkala", 59.90, 24.40, WhoseKind.UNDETERMINED),
    ("La Pérouse Strait, off Wakkanai", 45.53, 141.90, WhoseKind.UNDETERMINED),
    ("Tsugaru Strait, off Tappi", 41.30, 140.40, WhoseKind.UNDETERMINED),
    ("Korea Strait, off Tsushima", 34.75, 129.50, WhoseKind.UNDETERMINED),
    ("the Sound, off Höganäs", 56.22, 12.50, WhoseKind.UNDETERMINED),
    ("off Bouvet island", -54.50, 3.36, WhoseKind.UNDETERMINED),
    # F26, Philippines: a polygon as of the treaty of 1898, article III; north and east of it, none.
    ("inside the lines of 1898", 15.00, 126.00, WhoseKind.UNDETERMINED),
    ("outside the lines of 1898", 15.00, 128.00, WhoseKind.HIGH_SEAS),
    # F26, Korea, North: military boundary line 50 NM off in the Sea of Japan.
    ("40 NM off Kimchaek", 40.50, 130.10, WhoseKind.UNDETERMINED),
    # F17, "Disputes - international", of Egypt, Equatorial Guinea, India, Belize, Venezuela
    ("Sanafir", 27.93, 34.71, WhoseKind.DISPUTED),
    ("Mbanié", 0.81, 9.37, WhoseKind.DISPUTED),
    ("Junagadh", 21.52, 70.47, WhoseKind.DISPUTED),
    ("Rajkot, next to it", 22.30, 70.80, WhoseKind.STATE),
    ("Sapodilla Cays", 16.13, -88.26, WhoseKind.DISPUTED),
    ("Los Monjes", 12.42, -70.90, WhoseKind.DISPUTED),
    # World Bank, areas of non-determined legal status (14 May 2026): No Man's Land, Lapthal
    ("Latrun", 31.83, 34.99, WhoseKind.DISPUTED),
    ("Lapthal", 30.73, 80.13, WhoseKind.DISPUTED),
]


@cache
def packaged() -> Borders:
    return read_borders()


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / "states.csv").read_text(encoding="utf-8").splitlines()))


def areas() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = tomllib.loads((DATA / "disputed.toml").read_text("utf-8"))[
        "area"
    ]
    return listed


@pytest.mark.parametrize(
    ("latitude", "longitude", "kind"), [p[1:] for p in PLACES], ids=[p[0] for p in PLACES]
)
def test_places_are_as_the_sources_have_them(
    latitude: float, longitude: float, kind: WhoseKind
) -> None:
    assert state_at(packaged(), latitude, longitude).kind is kind


def test_breadths_are_those_of_the_sources() -> None:
    breadths = {
        row["alpha3"]: (float(row["sea_nm"]), float(row["sea_widest_nm"])) for row in rows()
    }

    assert {code: breadths[code] for code in NARROW} == NARROW
    assert [breadths[code] for code in TWELVE_SINCE_2007] == [(12, 12)] * 2


def test_a_breadth_under_12_nm_names_its_source_and_one_source_alone_is_no_limit() -> None:
    """Too small a breadth would make high seas of a state's sea, too large the reverse."""
    for row in rows():
        if float(row["sea_nm"]) < 12:
            assert row["source"], row["source_name"]
            alone = ";" not in row["source"]
            assert not alone or float(row["sea_widest_nm"]) == 12, row["source_name"]


def test_every_disputed_area_names_its_sources() -> None:
    for area in areas():
        assert area["sources"], area["name"]
        assert NOT_CONFIRMED not in area["sources"] or area["sources"] == [NOT_CONFIRMED]


def test_the_docs_name_what_no_source_confirmed() -> None:
    told = DOCS.read_text(encoding="utf-8")
    names = [area["name"] for area in areas() if area["sources"] == [NOT_CONFIRMED]]
    names += [row["name"] for row in rows() if NOT_CONFIRMED in row["note"] + row["source"]]

    assert names
    assert [name for name in names if name not in told] == []
