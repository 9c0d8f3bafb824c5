# SPDX-License-Identifier: Apache-2.0
"""Whose airspace a place is in: known places, and rules that hold everywhere."""

import math
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.airspace.border_lines import (
    faces_at,
    measure,
    near_faces,
)
from keepclear.airspace.border_outlines import outlines
from keepclear.airspace.borders import (
    M_PER_NM,
    Borders,
    WhoseKind,
    state_at,
)
from keepclear.errors import InputError
from keepclear.formats.packaged import read_borders

STATE, HIGH_SEAS, DISPUTED = WhoseKind.STATE, WhoseKind.HIGH_SEAS, WhoseKind.DISPUTED
NOBODY, UNDETERMINED = WhoseKind.NOBODY, WhoseKind.UNDETERMINED

# Aerodromes (A): PyPI airportsdata 20260905, rounded to 0.01 degrees. Other places: general
# geography, to 0.01 degrees. What is expected is what definitions.md says of such a place, not
# a view of whose it ought to be.
PLACES = [
    # 20 in disputed areas: any one of the claimants
    ("Simferopol (A)", 45.05, 33.98, DISPUTED, "UKR"),
    ("Donetsk (A)", 48.07, 37.74, DISPUTED, "UKR"),
    ("Tiraspol (A)", 46.87, 29.59, DISPUTED, "MDA"),
    ("Pristina (A)", 42.57, 21.04, DISPUTED, "SRB"),
    ("Ercan / Tymbou (A)", 35.16, 33.50, DISPUTED, "CYP"),
    ("Gibraltar (A)", 36.15, -5.35, DISPUTED, "ESP"),
    ("Sukhumi Dranda (A)", 42.86, 41.13, DISPUTED, "GEO"),
    ("Tskhinvali", 42.23, 43.97, DISPUTED, "GEO"),
    ("Quneitra, Golan", 33.13, 35.80, DISPUTED, "SYR"),
    ("Gaza city", 31.50, 34.46, DISPUTED, "PSE"),
    ("Laayoune (A)", 27.15, -13.22, DISPUTED, "MAR"),
    ("Hala'ib", 22.22, 36.64, DISPUTED, "SDN"),
    ("Abyei", 9.59, 28.43, DISPUTED, "SSD"),
    ("Hargeisa (A)", 9.52, 44.09, DISPUTED, "SOM"),
    ("Srinagar (A)", 33.99, 74.77, DISPUTED, "PAK"),
    ("Aksai Chin", 35.20, 79.50, DISPUTED, "IND"),
    ("Itanagar (A)", 26.97, 93.64, DISPUTED, "CHN"),
    ("Taipei Taoyuan (A)", 25.08, 121.23, DISPUTED, "TWN"),
    ("Mendeleyevo, Kunashir (A)", 43.96, 145.68, DISPUTED, "JPN"),
    ("Mount Pleasant (A)", -51.82, -58.45, DISPUTED, "ARG"),
    # 10 within 6 NM of a line: land borders, median lines, outer limits
    ("Geneva (A)", 46.24, 6.11, UNDETERMINED, None),
    ("Basel-Mulhouse (A)", 47.59, 7.53, UNDETERMINED, None),
    ("Aqaba (A)", 29.61, 35.02, UNDETERMINED, None),
    ("El Paso (A)", 31.81, -106.38, UNDETERMINED, None),
    ("Brazzaville (A)", -4.25, 15.25, UNDETERMINED, None),
    ("Lomé (A)", 6.17, 1.26, UNDETERMINED, None),
    ("Dover Strait, middle", 51.00, 1.50, UNDETERMINED, None),
    ("between the Diomede islands", 65.77, -168.98, UNDETERMINED, None),
    ("10 NM west of Cabo da Roca", 38.78, -9.72, UNDETERMINED, None),
    ("14 NM east of Sydney Heads", -33.83, 151.58, UNDETERMINED, None),
    # 5 at ±180 degrees
    ("Chukotka, west of the antimeridian", 67.00, 179.99, STATE, "RUS"),
    ("Chukotka, east of it", 67.00, -179.99, STATE, "RUS"),
    ("Wrangel Island, on it", 71.20, 180.00, STATE, "RUS"),
    ("Taveuni, on it", -16.85, -180.00, STATE, "FJI"),
    ("Pacific, on it", 30.00, 180.00, HIGH_SEAS, None),
    # 25 others: on land, in territorial seas, on high seas, nobody's, not told by distance
    ("Bern (A)", 46.91, 7.50, STATE, "CHE"),
    ("Frankfurt (A)", 50.03, 8.54, STATE, "DEU"),
    ("London Heathrow (A)", 51.47, -0.46, STATE, "GBR"),
    ("Kyiv", 50.45, 30.52, STATE, "UKR"),
    ("Odesa", 46.48, 30.73, STATE, "UKR"),
    ("Kaliningrad", 54.71, 20.51, STATE, "RUS"),
    ("Tel Aviv", 32.08, 34.78, STATE, "ISR"),
    ("Damascus", 33.51, 36.29, STATE, "SYR"),
    ("Khankendi / Stepanakert, since 2023", 39.82, 46.75, STATE, "AZE"),
    ("Lahore", 31.55, 74.34, STATE, "PAK"),
    ("Delhi (A)", 28.57, 77.10, STATE, "IND"),
    ("Hong Kong", 22.30, 114.17, STATE, "CHN"),
    ("Tokyo Haneda (A)", 35.55, 139.78, STATE, "JPN"),
    ("Nuuk (A)", 64.19, -51.68, STATE, "DNK"),
    ("Nauru", -0.53, 166.93, STATE, "NRU"),
    ("Nairobi (A)", -1.32, 36.93, STATE, "KEN"),
    ("Strait of Messina", 38.20, 15.60, STATE, "ITA"),
    ("2 NM west of Cabo da Roca", 38.78, -9.54, STATE, "PRT"),
    ("North Atlantic", 45.00, -40.00, HIGH_SEAS, None),
    ("Mediterranean, between Crete and Libya", 33.80, 20.00, HIGH_SEAS, None),
    ("North Pole", 90.00, 0.00, HIGH_SEAS, None),
    ("South Pole", -90.00, 0.00, NOBODY, None),
    ("Bir Tawil", 21.87, 33.75, NOBODY, None),
    ("Banda Sea", -6.00, 127.00, UNDETERMINED, None),
    ("Caspian Sea", 42.00, 50.50, UNDETERMINED, None),
]

# Land and sea next to disputed areas that is not disputed: outlines are generous, not greedy.
NEIGHBOURS = [
    ("Dnipro", 48.46, 35.05, "UKR"),
    ("Kharkiv", 49.99, 36.23, "UKR"),
    ("Mykolaiv", 46.97, 32.00, "UKR"),
    ("Rostov", 47.24, 39.70, "RUS"),
    ("Chisinau", 47.01, 28.86, "MDA"),
    ("Gori", 41.98, 44.11, "GEO"),
    ("Vladikavkaz", 43.02, 44.68, "RUS"),
    ("Islamabad", 33.68, 73.05, "PAK"),
    ("Chitral", 35.85, 71.79, "PAK"),
    ("Manali", 32.24, 77.19, "IND"),
    ("Kashgar", 39.47, 75.99, "CHN"),
    ("Dibrugarh", 27.48, 94.91, "IND"),
    ("Tezpur (A)", 26.71, 92.79, "IND"),
    ("Zouerat", 22.73, -12.46, "MRT"),
    ("Tarfaya", 27.94, -12.90, "MAR"),
    ("Berenice", 23.95, 35.47, "EGY"),
    ("Nemuro", 43.33, 145.58, "JPN"),
    ("Georgetown", 6.80, -58.16, "GUY"),
    ("Puerto Princesa", 9.74, 118.74, "PHL"),
    ("Fuzhou", 26.07, 119.30, "CHN"),
]

a_third_of_a_metre = 0.3
a_centimetre = 1e-7  # of longitude, in degrees


@pytest.fixture(scope="session")
def borders() -> Borders:
    return packaged()


@cache
def packaged() -> Borders:
    return read_borders()


def overlay(name: str) -> Any:  # noqa: ANN401 what TOML holds
    return tomllib.loads((files("keepclear.formats") / f"data/{name}.toml").read_text("utf-8"))


def test_the_table_holds_60_places_20_disputed_10_near_a_line_5_at_the_antimeridian() -> None:
    kinds = [kind for _, _, _, kind, _ in PLACES]

    assert len(PLACES) == 60
    assert kinds.count(DISPUTED) == 20
    assert kinds[20:30] == [UNDETERMINED] * 10
    assert all(abs(longitude) > 179.98 for _, _, longitude, _, _ in PLACES[30:35])


@pytest.mark.parametrize(
    ("latitude", "longitude", "kind", "code"),
    [place[1:] for place in PLACES],
    ids=[place[0] for place in PLACES],
)
def test_a_known_place_has_its_answer(
    borders: Borders, latitude: float, longitude: float, kind: WhoseKind, code: str | None
) -> None:
    whose = state_at(borders, latitude, longitude)

    assert whose.kind is kind
    if kind is DISPUTED:
        assert code in whose.claimants
        assert whose.state is None
    elif kind is STATE:
        assert whose.state is not None
        assert whose.state.alpha3 == code
        assert whose.claimants == ()
    else:
        assert whose.state is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [place[1:] for place in NEIGHBOURS],
    ids=[place[0] for place in NEIGHBOURS],
)
def test_an_undisputed_neighbour_of_a_disputed_area_keeps_its_state(
    borders: Borders, latitude: float, longitude: float, code: str
) -> None:
    whose = state_at(borders, latitude, longitude)

    assert whose.state is not None
    assert whose.state.alpha3 == code


def test_a_territory_is_named_with_the_state_it_is_of(borders: Borders) -> None:
    whose = state_at(borders, 64.19, -51.68)

    assert whose.territory == "Greenland"
    assert whose.state is not None
    assert whose.state.name == "Denmark"


def test_the_sea_of_a_disputed_area_is_disputed_and_antarctic_claims_are_named(
    borders: Borders,
) -> None:
    off_crimea = state_at(borders, 44.35, 33.80)
    antarctica = state_at(borders, -75, 0)

    assert off_crimea.areas == ("Crimea",)
    assert antarctica.kind is NOBODY
    assert antarctica.claimants == ("ARG", "AUS", "CHL", "FRA", "GBR", "NOR", "NZL")


def test_places_in_two_disputed_areas_name_both_and_all_claimants(borders: Borders) -> None:
    whose = state_at(borders, 33.30, 35.70)

    assert len(whose.areas) == 2
    assert whose.claimants == ("ISR", "LBN", "SYR")


def test_an_answer_for_a_line_names_its_two_sides(borders: Borders) -> None:
    assert state_at(borders, 46.24, 6.11).between == ("Switzerland", "France")


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(91, 0), (-90.001, 0), (math.nan, 0), (0, math.nan), (0, math.inf)],
)
def test_no_place_on_earth_is_refused(borders: Borders, latitude: float, longitude: float) -> None:
    with pytest.raises(InputError):
        state_at(borders, latitude, longitude)


latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(latitude=latitudes, longitude=longitudes, turns=st.integers(-2, 2))
def test_whole_turns_of_longitude_change_nothing(
    latitude: float, longitude: float, turns: int
) -> None:
    # Multiples of 2^-20 degrees survive adding a turn exactly.
    longitude = round(longitude * 2**20) / 2**20

    assert state_at(packaged(), latitude, longitude + 360 * turns) == state_at(
        packaged(), latitude, longitude
    )


@pytest.mark.slow
def test_the_index_finds_what_all_edges_one_by_one_find(borders: Borders) -> None:
    """Even-odd over every edge there is, along the parallel instead of the meridian."""
    lines = borders.lines
    edges = lines.end - lines.first
    edge = np.concatenate([np.arange(a, b) for a, b in zip(lines.first, lines.end, strict=True)])
    left, right = np.repeat(lines.left, edges), np.repeat(lines.right, edges)
    x0, y0 = lines.longitude_deg[edge], lines.latitude_deg[edge]
    x1, y1 = lines.longitude_deg[edge + 1], lines.latitude_deg[edge + 1]
    open_rings = {"ATA", "RUS", "FJI"}
    left_out = {i for i, u in enumerate(borders.units) if u.alpha3 in open_rings}
    random = np.random.default_rng(2)
    near_lines = random.integers(0, len(lines.longitude_deg), 60)
    places = [
        (lines.latitude_deg[i] + random.normal(0, 0.05), lines.longitude_deg[i])
        for i in near_lines
        if lines.latitude_deg[i] > -55
    ] + [(random.uniform(-55, 85), random.uniform(-180, 180)) for _ in range(60)]

    def all_round(latitude: float, longitude: float) -> set[int]:
        crossed = (y0 <= latitude) != (y1 <= latitude)
        at = x0[crossed] + (x1 - x0)[crossed] * ((latitude - y0[crossed]) / (y1 - y0)[crossed])
        inside = set()
        for turn in (-360, 0, 360):
            # A ring over ±180 runs on in one turn, so each turn is counted by itself.
            west = at + turn < longitude
            sides = np.concatenate([left[crossed][west], right[crossed][west]])
            inside |= set(np.flatnonzero(np.bincount(sides + 1)[1:] & 1).tolist())
        # Antarctica is a ring round the pole; Russia's and Fiji's cuts along ±180 are left out.
        return inside - left_out

    asked = 0
    for latitude, longitude in places:
        west, east = (all_round(latitude, longitude + d) for d in (-a_centimetre, a_centimetre))
        # Places stand on corners' meridians, so some lie on an edge, where either side is right.
        if west == east:
            asked += 1
            assert west == faces_at(lines, latitude, longitude) - left_out
    assert asked > 100


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(point=st.integers(0, 400_000), azimuth=st.floats(0, 360), distance_nm=st.floats(0.1, 18))
def test_distances_from_the_coast_are_those_of_the_geodesic(
    point: int, azimuth: float, distance_nm: float
) -> None:
    lines = packaged().lines
    corner = (float(lines.latitude_deg[point]), float(lines.longitude_deg[point]))
    distance_m = distance_nm * M_PER_NM
    there = Geodesic.WGS84.Direct(*corner, azimuth, distance_m)

    near = near_faces(lines, there["lat2"], there["lon2"], frozenset())

    corners_m = np.concatenate([np.hypot(*face.start_m.T) for face in near])
    assert np.abs(corners_m - distance_m).min() < a_third_of_a_metre
    nearest_m = min(float(measure(face, np.zeros((1, 2)))[0][0]) for face in near)
    assert nearest_m < distance_m + a_third_of_a_metre


@pytest.mark.slow
def test_no_answer_hides_a_stranger_within_6_nm_and_none_invents_one(borders: Borders) -> None:
    """Sample the disc by geodesics and ask for the owner at each place, without a reserve."""
    from_all = borders.lines
    random = np.random.default_rng(4)
    asked = 0
    for i in random.integers(0, len(from_all.longitude_deg), 150):
        latitude = float(from_all.latitude_deg[i]) + random.normal(0, 0.15)
        longitude = float(from_all.longitude_deg[i]) + random.normal(0, 0.2)
        whose = state_at(borders, latitude, longitude)
        if whose.kind is not STATE or whose.state is None:
            continue
        asked += 1
        for azimuth in random.uniform(0, 360, 12):
            there = Geodesic.WGS84.Direct(latitude, longitude, azimuth, 5.98 * M_PER_NM)
            other = state_at(borders, there["lat2"], there["lon2"])
            assert other.state is None or other.state.alpha3 == whose.state.alpha3
            assert other.kind not in {DISPUTED, NOBODY}
    assert asked > 50


@pytest.mark.slow
def test_the_antimeridian_itself_is_no_line(borders: Borders) -> None:
    """All the way along ±180 the answer is that of either side, a few metres off."""
    for latitude in np.arange(-89.5, 90, 0.5):
        on_it = state_at(borders, float(latitude), 180).kind
        beside = {state_at(borders, float(latitude), x).kind for x in (179.9999, -179.9999)}
        assert on_it in beside
    assert not [
        line
        for line in outlines(borders, west_deg=179, south_deg=66, east_deg=181, north_deg=68)
        if (np.abs(np.abs(line.longitude_deg) - 180) < 1e-9).sum() > 1
    ]


# --- the overlay and the table ---


def test_every_unit_is_a_state_s_or_in_an_area_and_never_both(borders: Borders) -> None:
    codes = {state.alpha3 for state in borders.states}
    in_areas = [name for area in borders.areas for name in area.source_units]

    assert len(in_areas) == len(set(in_areas))
    assert set(in_areas) <= {unit.source_name for unit in borders.units}
    for unit_ in borders.units:
        assert (unit_.state in codes) != (unit_.source_name in in_areas), unit_.source_name
    # 193 members of the United Nations, the Holy See, the Cook Islands and Niue.
    assert len(codes) == 196
    assert {"VAT", "COK", "NIU"} <= codes


def test_overlay_entries_are_neutral_and_known(borders: Borders) -> None:
    codes = {unit.alpha3 for unit in borders.units}

    for area in overlay("disputed")["area"]:
        assert area["note"], area["name"]
        assert area["claimants"] == sorted(area["claimants"]), area["name"]
        short = [c for c in area["claimants"] if len(c) == 3]
        assert set(short) <= codes, area["name"]
        assert area.get("kind", "disputed") in {"disputed", "unclaimed", "ended"}
        assert (area.get("kind") == "ended") == ("until" in area)
    for water in overlay("waters")["water"]:
        assert set(water["by"]) <= codes, water["name"]


def test_no_outline_of_the_overlay_crosses_itself() -> None:
    for entry in overlay("disputed")["area"] + overlay("waters")["water"]:
        if "outline" in entry:
            ring = [tuple(map(float, p.split()))[::-1] for p in entry["outline"].split(",")]
            assert shapely.Polygon(ring).is_valid, entry["name"]
