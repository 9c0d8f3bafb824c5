# SPDX-License-Identifier: Apache-2.0
"""F3548-21 volumes: the documents that are read, and what is refused."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Circle, Polygon
from keepclear.errors import FileErrors
from keepclear.formats.contents import Contents
from keepclear.formats.f3548 import read_f3548

FILES = Path(__file__).parent / "files"
INTENT = json.loads((FILES / "intent.json").read_bytes())["operational_intent"]
VOLUME = INTENT["details"]["volumes"][0]
CIRCLE = INTENT["details"]["off_nominal_volumes"][0]


def read(document: object, *, lenient: bool = False) -> Contents:
    return read_f3548("plan.json", json.dumps(document).encode(), lenient=lenient)


def changed(path: str, value: object, volume: object = VOLUME) -> object:
    """Return a volume with one value changed."""
    copy = deepcopy(volume)
    *way, last = path.split(".")
    inside = copy
    for name in way:
        inside = inside[name]  # type: ignore[index]
    inside[last] = value  # type: ignore[index]
    return copy


def test_an_operational_intent_is_a_plan_with_its_off_nominal_volumes() -> None:
    contents = read({"operational_intent": INTENT})
    plan = contents.areas[0]
    first, second = (volume.volume for volume in plan.volumes)

    assert (plan.plan.name, plan.plan.party) == (INTENT["reference"]["id"], "uss-north")
    assert isinstance(first.shape, Polygon)
    assert first.shape.edge is Edge.GEODESIC
    assert first.lower == Altitude(height_tmm=100, reference=Reference.WGS84)
    assert isinstance(second.shape, Circle)
    assert second.shape.radius_tmm == 3_001_800
    assert plan.volumes[0].end_us - plan.volumes[0].start_us == 45 * 60_000_000


@pytest.mark.parametrize(
    "document",
    [
        [VOLUME, CIRCLE],
        INTENT["details"],
        INTENT,
        {"operational_intents": [INTENT]},
        [INTENT],
        {
            "intents": {
                "flight1": {
                    "full": {
                        "basic_information": {
                            "area": [
                                {
                                    **VOLUME["volume"],
                                    "start_time": {"absolute_time": "2026-05-01T10:00:00Z"},
                                    "end_time": {
                                        "value": "2026-05-01T10:45:00Z",
                                        "format": "RFC3339",
                                    },
                                },
                                {
                                    **CIRCLE["volume"],
                                    "start_time": CIRCLE["time_start"],
                                    "end_time": CIRCLE["time_end"],
                                },
                            ]
                        }
                    }
                }
            }
        },
    ],
)
def test_every_document_that_holds_the_same_volumes_gives_the_same_volumes(
    document: object,
) -> None:
    assert read(document).areas[0].volumes == read({"operational_intent": INTENT}).areas[0].volumes


def test_a_polygon_may_run_either_way_round() -> None:
    vertices = VOLUME["volume"]["outline_polygon"]["vertices"]
    turned = read([changed("volume.outline_polygon.vertices", vertices[::-1])])

    assert not turned.notes
    assert turned.areas[0].volumes != ()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            [changed("volume.altitude_lower.reference", "AGL")],
            "[0].volume.altitude_lower.reference 'AGL': is not W84",
        ),
        ([changed("volume.altitude_upper.units", "FT")], "is not M"),
        ([changed("volume.altitude_upper.value", 40_000)], "is outside -1,640 ft to 100,000 ft"),
        ([changed("volume.altitude_lower.value", 31)], "is above upper"),
        ([changed("time_end.value", "2026-05-01T09:00:00Z")], "is before start"),
        ([changed("time_end.value", "2026-05-01T11:00:00")], "has no zone"),
        ([changed("time_end", None)], "[0].time_end: is missing"),
        ([changed("time_end.format", "unix")], "is not RFC3339"),
        (
            [changed("volume.outline_polygon", None)],
            "needs one of outline_polygon and outline_circle",
        ),
        (
            [changed("volume.outline_polygon.vertices", [{"lng": 1, "lat": 2}] * 4)],
            "hold one vertex twice",
        ),
        (
            [changed("volume.outline_polygon.vertices", [{"lng": 1, "lat": 2}])],
            "vertices are no area",
        ),
        (
            [
                changed(
                    "volume.outline_polygon.vertices",
                    [
                        {"lng": 0, "lat": 0},
                        {"lng": 1, "lat": 1},
                        {"lng": 1, "lat": 0},
                        {"lng": 0, "lat": 1},
                    ],
                )
            ],
            "edge 1 (0, 0 to 1, 1) crosses or touches edge 3",
        ),
        ([changed("volume.outline_circle.radius.value", 0, CIRCLE)], "is not above 0"),
        ([changed("volume.outline_circle.center.lat", 91, CIRCLE)], "is beyond 90 or 180 degrees"),
        ([changed("volume.outline_circle.center.lat", True, CIRCLE)], "is not a number"),
        ([], "has no volume"),
        ([INTENT, INTENT], "stands twice"),
        ({"reference": {"id": 7}, "details": {}}, "reference.id '7': is not text"),
        ({"intents": {"f": {"delta": {}}}}, "is a change of another intent and not concrete"),
        (
            {
                "intents": {
                    "f": {
                        "full": {
                            "basic_information": {
                                "area": [
                                    {
                                        **VOLUME["volume"],
                                        "start_time": {"offset_from": {}},
                                        "end_time": None,
                                    }
                                ]
                            }
                        }
                    }
                }
            },
            "is not a fixed time",
        ),
        ({"plan": 1}, "is no F3548-21 document"),
    ],
)
def test_a_fault_in_a_document_is_told_with_its_path(document: object, told: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read(document)

    assert told in str(refused.value)


def test_lenient_leaves_out_a_volume_and_lists_it() -> None:
    contents = read([changed("time_end", None), CIRCLE], lenient=True)

    assert len(contents.areas[0].volumes) == 1
    assert contents.left_out[0].column == "[0].time_end"
