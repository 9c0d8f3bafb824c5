# SPDX-License-Identifier: Apache-2.0
"""KML: Placemarks as plans, altitude modes, and what is refused."""

from pathlib import Path

import pytest

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.volumes import Circle, Polygon
from keepclear.errors import FileErrors
from keepclear.formats.contents import Contents
from keepclear.formats.kml import read_kml

FILES = Path(__file__).parent / "files"
SPAN = "<TimeSpan><begin>2026-05-01T10:00:00Z</begin><end>2026-05-01T11:00:00Z</end></TimeSpan>"
CORNERS = "35,34,{0} 36,34,{0} 36,35,{0} 35,35,{0} 35,34,{0}"


def kml(*placemarks: str) -> bytes:
    inside = "".join(f"<Placemark>{one}</Placemark>" for one in placemarks)
    return (
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{inside}</Document></kml>'.encode()
    )


def said(**properties: str) -> str:
    rows = "".join(f'<Data name="{n}"><value>{v}</value></Data>' for n, v in properties.items())
    return f"<ExtendedData>{rows}</ExtendedData>"


def polygon(height: int = 0, head: str = "") -> str:
    corners = CORNERS.format(height)
    return (
        f"<Polygon>{head}<outerBoundaryIs><LinearRing><coordinates>{corners}</coordinates>"
        "</LinearRing></outerBoundaryIs></Polygon>"
    )


def read(*placemarks: str) -> Contents:
    return read_kml("areas.kml", kml(*placemarks))


def faults_in(*placemarks: str) -> str:
    with pytest.raises(FileErrors) as refused:
        read(*placemarks)
    return str(refused.value)


def test_a_file_of_an_area_and_a_track_is_read_as_its_plans() -> None:
    contents = read_kml("area.kml", (FILES / "area.kml").read_bytes())
    one, flights = contents.areas[0], contents.flights[0]

    assert (one.plan.name, one.plan.party) == ("Drop zone", "north")
    assert one.volumes[0].volume.upper == Altitude(
        height_tmm=2500 * 3048, reference=Reference.QNH, datum="1013"
    )
    assert one.volumes[0].end_us - one.volumes[0].start_us == 3_600_000_000
    assert (flights.plans[0].name, flights.plans[0].party) == ("S88", "south")
    assert flights.time_us[1] - flights.time_us[0] == 10_000_000
    assert flights.height_tmm.tolist() == [9_000_000, 9_505_000]
    assert flights.datums == (Altitude(height_tmm=0, reference=Reference.AMSL, datum="EGM96"),)


def test_an_extruded_polygon_reaches_from_the_ground_to_its_height() -> None:
    head = "<extrude>1</extrude><altitudeMode>absolute</altitudeMode>"
    volume = read(SPAN + polygon(570, head)).areas[0].volumes[0].volume

    assert volume.lower is None
    assert volume.upper == Altitude(height_tmm=5_700_000, reference=Reference.AMSL, datum="EGM96")


def test_a_plate_at_a_height_is_refused_unless_its_limits_are_given() -> None:
    head = "<altitudeMode>absolute</altitudeMode>"

    assert "a plate at a height is no volume" in faults_in(SPAN + polygon(140, head))
    limits = said(lower="100 m AMSL EGM96", upper="140 m AMSL EGM96")
    assert read(SPAN + limits + polygon(140, head)).areas[0].volumes[0].volume.lower is not None


def test_a_line_clamped_to_the_ground_has_no_height_and_is_kept() -> None:
    line = "<LineString><coordinates>35,34,100 36,34,100</coordinates></LineString>"
    stamp = "<TimeStamp><when>2026-05-01T10:00:00Z</when></TimeStamp>"
    flights = read(stamp + said(speed="450 kt") + line).flights[0]

    assert flights.datum.tolist() == [-1, -1]


def test_a_point_with_a_radius_is_a_circle_and_several_polygons_are_one_plan() -> None:
    point = "<Point><coordinates>35,34,0</coordinates></Point>"
    several = f"<MultiGeometry>{polygon()}{polygon()}</MultiGeometry>"
    contents = read(SPAN + said(radius="5 NM") + point, SPAN + several)

    assert isinstance(contents.areas[0].volumes[0].volume.shape, Circle)
    assert len(contents.areas[1].volumes) == 2


def test_holes_are_read() -> None:
    hole = "35.2,34.2 35.2,34.4 35.4,34.4 35.4,34.2 35.2,34.2"
    ring = f"<LinearRing><coordinates>{hole}</coordinates></LinearRing>"
    ring = f"<innerBoundaryIs>{ring}</innerBoundaryIs>"
    shape = (
        read(SPAN + polygon().replace("</Polygon>", ring + "</Polygon>"))
        .areas[0]
        .volumes[0]
        .volume.shape
    )

    assert isinstance(shape, Polygon)
    assert len(shape.holes[0]) == 4


@pytest.mark.parametrize(
    ("placemark", "told"),
    [
        (polygon(), "Placemark[0].start: is missing"),
        (
            SPAN.replace("11:00:00Z", "11:00:00") + polygon(),
            "end '2026-05-01T11:00:00': has no zone",
        ),
        (SPAN.replace("2026-05-01T11:00:00Z", "2026") + polygon(), "is not an RFC 3339 time"),
        (
            SPAN + said(upper="5000 ft") + polygon(),
            "Placemark[0].upper '5000 ft': has no reference",
        ),
        (
            SPAN + polygon(9, "<altitudeMode>relativeToSeaFloor</altitudeMode>"),
            "is not one of clampToGround",
        ),
        (SPAN + "<Polygon/>", "rings are no area"),
        (SPAN, "holds 0 shapes that are read here"),
        (SPAN + polygon().replace("36,35,0", "36,nan,0"), "is no number of this world"),
        (SPAN + polygon().replace("36,35,0", "36"), "is no longitude,latitude[,height]"),
        (SPAN + polygon().replace("36,34,0 36,35,0", "36,35,0 36,34,0"), "crosses or touches"),
        (SPAN + said(start="2026-05-01T09:00:00Z") + polygon(), "is said twice"),
    ],
)
def test_a_fault_in_a_placemark_is_told(placemark: str, told: str) -> None:
    assert told in faults_in(placemark)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><kml>&c;</kml>'
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "is empty"),
        (LAUGHS.encode(), "has a document type definition"),
        (b'<!DOCTYPE k SYSTEM "file:///etc/passwd"><kml/>', "has a document type definition"),
        (kml(SPAN + polygon())[:-20], "is not XML"),
        (b"<kml/>", "holds no Placemark"),
        (b"<gpx/>", "is not a kml element"),
        (kml(SPAN + polygon()).decode().encode("utf-16"), "is not UTF-8"),
        (b"<kml>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</kml>", "holds no Placemark"),
    ],
)
def test_what_is_no_kml_is_refused(text: bytes, told: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read_kml("areas.kml", text, lenient=True)

    assert told in str(refused.value)


def test_real_drawings_without_times_are_refused_and_every_placemark_named(
    shared_data: Path,
) -> None:
    # interuss/monitoring: KML of drone flights, drawn without times
    files = sorted((shared_data / "uas").rglob("*.kml"))
    assert len(files) == 3
    for file in files:
        count = file.read_bytes().count(b"<Placemark>")
        with pytest.raises(FileErrors) as refused:
            read_kml(file.name, file.read_bytes())
        assert {f"Placemark[{i}]" for i in range(count)} == {
            (fault.column or "").split(".")[0] for fault in refused.value.faults
        }
