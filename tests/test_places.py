# SPDX-License-Identifier: Apache-2.0
"""Places as people write them: each form against others of the same place, and what is refused."""

import re
from typing import Final

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Proj

from keepclear.airspace.grid import BANDS, COLUMNS, ROWS, from_utm
from keepclear.airspace.places import parse_place, place_text
from keepclear.airspace.positions import Position
from keepclear.errors import InputError

CENTIMETRE_DEG: Final = 1e-7
ALIKE: Final = (
    "33.50N 038.62E", "33.5N 38.62E", "N33.50 E038.62", "33.50n, 38.62e", "33.50°N 38.62°E",
    "33-30.0N 038-37.2E", "33 30.0N 038 37.2E", "33°30.0'N 038°37.2'E", "3330.0N03837.2E",
    "33°30'00\"N 038°37'12\"E", "33-30-00N 038-37-12E", "333000N0383712E", "33:30:00N 038:37:12E",
    "N 33 30 00 E 038 37 12",
)  # fmt: skip


def metres(a: Position, b: Position) -> float:
    """Return how far two places are apart, by geographiclib."""
    found = Geodesic.WGS84.Inverse(a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)
    return float(found["s12"])


@pytest.mark.parametrize("text", ALIKE)
def test_one_place_in_degrees_minutes_and_seconds_is_one_place(text: str) -> None:
    assert parse_place(text).position == Position(latitude_deg=33.5, longitude_deg=38.62)


@pytest.mark.parametrize(
    ("text", "step_deg"),
    [
        ("33.50N 038.62E", 0.01), ("33.5N 038.6E", 0.1), ("33N 038E", 1),
        ("33-30N 038-37E", 1 / 60), ("33-30.0N 038-37.2E", 0.1 / 60),
        ("333000N0383712E", 1 / 3_600), ("33-30-00.0N 038-37-12.0E", 0.1 / 3_600),
    ],
)  # fmt: skip
def test_a_place_is_known_to_half_a_step_of_its_last_digit(text: str, step_deg: float) -> None:
    place = parse_place(text)
    at = place.position
    corner = Position(
        latitude_deg=at.latitude_deg - step_deg / 2, longitude_deg=at.longitude_deg - step_deg / 2
    )

    # a degree is taken as of a sphere, within a hundredth of that of the ellipsoid
    assert place.within_m == pytest.approx(metres(at, corner), rel=0.01, abs=1)


def test_grid_references_are_where_others_say_they_are() -> None:
    # GeoConvert 2.3 of GeographicLib, its page of examples (read 2026): Cape Morris Jesup
    cape = parse_place("25 north 504158 9286521")
    assert metres(cape.position, parse_place("83.627N 32.664W").position) < 100
    # GeoConvert's man page (read 2026): 33.3 44.4 stands in this square of 1 km
    middle = parse_place("38 north 444500 3688500")
    assert metres(parse_place("38SMB4488").position, middle.position) < 1
    assert parse_place("38SMB4488").within_m == 708  # half the diagonal of a square of 1 km
    # Palantir Foundry, documentation of mgrsToGeoPoint (read 2026), the corner of the square
    corner = Position(latitude_deg=21.409796671597924, longitude_deg=-157.91608117421092)
    assert metres(parse_place("4Q FJ 12345 67890").position, corner) < 1
    assert parse_place("4Q FJ 1234567890") == parse_place("4qfj 12345 67890")


@given(st.integers(1, 60), st.floats(-79.9, 83.9), st.floats(-2.9, 2.9))
def test_utm_and_grid_references_lead_back_to_where_proj_has_them_from(
    zone: int, latitude_deg: float, east_deg: float
) -> None:
    longitude_deg = 6 * zone - 183 + east_deg
    utm = Proj(proj="utm", zone=zone, ellps="WGS84", south=latitude_deg < 0)
    east_m, north_m = utm(longitude_deg, latitude_deg)
    true = Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)

    found = from_utm(zone, east_m, north_m, is_north=latitude_deg >= 0)
    assert found.latitude_deg == pytest.approx(latitude_deg, abs=CENTIMETRE_DEG)
    assert found.longitude_deg == pytest.approx(longitude_deg, abs=CENTIMETRE_DEG)

    # NGA.STND.0037: letters by hundreds of kilometres, rows of even zones begin at F
    band = BANDS[min(int((latitude_deg + 80) // 8), 19)]
    column = COLUMNS[(zone - 1) % 3][int(east_m // 100_000) - 1]
    row = ROWS[(int(north_m // 100_000) + (5 if zone % 2 == 0 else 0)) % 20]
    for digits in (1, 3, 5):
        side_m = 10 ** (5 - digits)
        given_ = f"{int(east_m % 100_000 // side_m):0{digits}}"
        given_ += f"{int(north_m % 100_000 // side_m):0{digits}}"
        place = parse_place(f"{zone}{band}{column}{row}{given_}")
        assert metres(place.position, true) <= place.within_m + 0.1 + side_m / 1_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("33.50 38.62", "does not say N or S, and E or W"),
        ("33.5N 38.6N", "does not say N or S, and E or W"),
        ("", "does not say N or S"),
        ("-33N 038E", "'-33' is no angle"),
        ("33,5N 38,6E", "'33,5' is no angle"),
        ("٣٣N 038E", "is no angle"),
        ("91N 0E", "is beyond 90 degrees"),
        ("0N 181E", "is beyond 180 degrees"),
        ("33-60N 038E", "60 is above 59"),
        ("33-30-61N 038E", "61 is above 59"),
        ("333N 038E", "has not 2 digits of degrees"),
        ("33N 3837E", "has not 3 digits of degrees"),
        ("37S 464700 3706826", 'or "37 north 464700 3706826"'),
        ("37S DT 647 06826", "has 8 digits, not as many of them east as north"),
        ("37S DT 123456 123456", "has 12 digits"),
        ("37S ZZ 64700 06826", "has no square ZZ: in zone 37"),
        ("37C DD 64700 06826", "names a square that is not in zone 37, band C"),
        ("61S DT 64700 06826", "has no such zone and band"),
        ("37A DT 64700 06826", "is of the polar grid"),
        ("61 north 464700 3706826", "is no zone of 1 to 60"),
        ("37 north 999999 9706826", "is not in zone 37"),
        ("37 north 464700 99999999", "is no northing"),
    ],
)
def test_what_is_no_place_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        parse_place(text, "position")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0N 0E", "00.00000N 000.00000E"), ("5.5S 7.25W", "05.50000S 007.25000W"),
        ("90N 180W", "90.00000N 180.00000W"),
    ],
)  # fmt: skip
def test_a_place_reads_with_all_its_digits(text: str, shown: str) -> None:
    assert place_text(parse_place(text).position) == shown


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_place_that_is_written_is_read_again(latitude_deg: float, longitude_deg: float) -> None:
    given_ = Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)

    assert metres(parse_place(place_text(given_)).position, given_) < 1
