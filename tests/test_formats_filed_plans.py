# SPDX-License-Identifier: Apache-2.0
"""Plans of files as operations to be filed: nothing gets smaller on the way, and all is checked."""

import json

import pytest

from keepclear.errors import FileErrors
from keepclear.formats.filed_plans import Defaults, Named, filed_of
from keepclear.formats.json_values import Object
from keepclear.formats.reading import read
from keepclear.plans.filing import uncertainty_of, volumes_filed
from keepclear.units import TMM_PER_NM, US_PER_S

NORTH = Defaults(party="north", lateral="1 NM", vertical="200 ft")
WINDOW = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}
hundred_feet_tmm = 304_800


def filed(name: str, content: bytes, defaults: Defaults = NORTH) -> list[Named]:
    return filed_of(read(name, content), defaults)


def features(*found: tuple[Object, Object]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": geometry, "properties": properties}
        for geometry, properties in found
    ]}).encode()  # fmt: skip


def area(**properties: object) -> tuple[Object, Object]:
    place: Object = {"type": "Point", "coordinates": [35.123456789, 34.1]}
    return place, {"id": "A", "radius": "1.23456 km", **WINDOW, **properties}


def test_an_area_is_filed_as_what_was_read() -> None:
    polygon = {"type": "Polygon", "coordinates": [[[35, 34], [36, 34], [36, 35], [35, 34]]]}
    line = {"type": "LineString", "coordinates": [[35, 34], [36, 34]]}
    content = features(
        (polygon, {"id": "P", "edge": "rhumb", "upper": "FL100", **WINDOW}),
        (line, {"id": "L", "width": "5 NM", "lower": "500 ft AGL srtm", **WINDOW}),
        (line, {"id": "O", "radius": "5.5 NM", **WINDOW}), area(),
    )  # fmt: skip
    wanted = {each.plan.name: each.volumes for each in read("a.geojson", content).areas}

    found = filed("a.geojson", content)

    assert {each.name: volumes_filed(each.operation) for each in found} == wanted


def test_heights_sizes_and_times_come_through_to_the_last_digit() -> None:
    heights = {"lower": "-12.3456 m AMSL EGM96", "upper": "1234.5678 m AMSL EGM96"}
    content = features(area(**heights, start="2026-05-01T10:00:00.123456Z"))
    [wanted] = read("a.geojson", content).areas

    [found] = filed("a.geojson", content)

    assert volumes_filed(found.operation) == wanted.volumes


def test_uncertainty_of_the_file_holds_before_the_options_and_is_never_less() -> None:
    said = {"lateral_uncertainty": "0.1 NM", "vertical_uncertainty": "100 ft",
            "time_uncertainty": "1500 ms"}  # fmt: skip
    content = features(area(**said), area(id="B"))

    one, two = (uncertainty_of(each.operation) for each in filed("a.geojson", content))

    assert 0 <= one.lateral_tmm - 1_852_000 <= 1
    assert (one.vertical_tmm, one.early_us, one.late_us) == (
        hundred_feet_tmm,
        2 * US_PER_S,
        2 * US_PER_S,
    )
    assert (two.lateral_tmm, two.vertical_tmm, two.early_us) == (
        TMM_PER_NM,
        2 * hundred_feet_tmm,
        0,
    )


def test_timed_points_are_filed_as_a_trajectory_with_the_largest_uncertainty() -> None:
    rows = "timestamp,callsign,class,latitude,longitude,altitude,lateral_uncertainty\n" + "".join(
        f"2026-05-01T10:0{minute}:00Z,OAK 1,tanker,34.{minute},35,24000,{off}\n"
        for minute, off in enumerate(("0.1 NM", "3 NM", "0.2 NM"))
    )

    [found] = filed("flight.csv", rows.encode())

    trajectory = found.operation.trajectory
    assert trajectory is not None
    assert trajectory.points[1] == (34.1, 35.0, "FL240", "2026-05-01T10:01:00.000000Z")
    assert (trajectory.lateral, trajectory.vertical) == ("3 NM", "200 ft")
    assert (found.operation.craft_class, found.operation.callsign) == ("tanker", "OAK 1")
    assert found.operation.lateral == "0 m"


@pytest.mark.parametrize(
    ("content", "defaults", "why"),
    [
        (features(area(party="south")), NORTH, "A.party 'south': is not north"),
        (features(area(**{"class": "Big Jets"})), NORTH, "A.class 'Big Jets': is no name"),
        (features(area(callsign="X" * 41)), NORTH, "cannot be filed (Expected `str` of length"),
        (
            features(({"type": "Polygon", "coordinates": [
                [[35, 34], [36, 34], [36, 35], [35, 35], [35, 34]],
                [[35.2, 34.2], [35.4, 34.2], [35.4, 34.4], [35.2, 34.2]],
            ]}, {"id": "H", **WINDOW})),
            NORTH, "H.shape '1 holes': cannot be filed in an area",
        ),
        (
            features(({"type": "LineString", "coordinates": [[35, 34], [36, 34]]},
                      {"id": "R", "width": "5 NM", "edge": "rhumb", **WINDOW})),
            NORTH, "R.edge: is not geodesic",
        ),
        (
            features(({"type": "LineString", "coordinates": [[35, 34], [36, 34]]},
                      {"id": "F", "times": [*WINDOW.values()]})),
            NORTH, "F.altitude: is missing at 2026-05-01T10:00:00",
        ),
        (
            features(({"type": "LineString", "coordinates": [[35, 34], [36, 34]]},
                      {"id": "F", "altitude": "FL240", "times": [*WINDOW.values()]})),
            Defaults(party="north"), "F.lateral_uncertainty: is missing",
        ),
        (
            features(({"type": "LineString",
                       "coordinates": [[35 + place / 1000, 34] for place in range(202)]},
                      {"id": "F", "altitude": "FL240", "speed": "450 kt",
                       "departure": WINDOW["start"]})),
            NORTH, "F.points '202': are not 2 to 201",
        ),
        (
            features(*(({"type": "Point", "coordinates": [35, 34]},
                        {"id": "M", "radius": f"{size} NM", **WINDOW}) for size in range(1, 202))),
            NORTH, "M.volumes '201': are more than 200",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_filed_is_told_by_its_plan(
    content: bytes, defaults: Defaults, why: str
) -> None:
    with pytest.raises(FileErrors) as refused:
        filed("plans.geojson", content, defaults)

    assert why in str(refused.value)


def test_all_faults_of_all_plans_are_told_at_once() -> None:
    with pytest.raises(FileErrors) as refused:
        filed("plans.geojson", features(area(party="south"), area(id="B", **{"class": "X Y"})))

    assert [each.column for each in refused.value.faults] == ["A.party", "B.class"]


def test_an_unnamed_plan_is_filed_without_a_callsign() -> None:
    [found] = filed("plans.geojson", features(area(id=None)))

    assert (found.name, found.operation.callsign) == ("features[0]", "")
