# SPDX-License-Identifier: Apache-2.0
"""Operations as they are filed, and which fields no form of ours has."""

import itertools
import json
import re
from typing import Any, Final, get_args

import msgspec
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreement.clauses import AnyDecision
from keepclear.airspace.altitudes import parse_altitude
from keepclear.airspace.volumes import Circle, Corridor, Volume4D
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, InputError
from keepclear.exchange.decide import ACTS
from keepclear.exchange.events import KINDS
from keepclear.plans import acts
from keepclear.plans.filing import FiledOperation, FiledVolume, volumes_filed
from keepclear.plans.operations import Operation, only_shrinks
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed, encode
from keepclear.record.faults import Malformed
from keepclear.record.headers import Status
from tests.exchange_plays import CountedIds
from tests.record_plays import START_US
from tests.test_probing import HOUSE

Json = dict[str, Any]
TRACK: Final[Json] = {
    "datum": "WGS84", "domain": "air", "craft_class": "any",
    "trajectory": {
        "points": [
            [35.0, 35.0, "FL200", "2015-09-30T10:00:00Z"],
            [35.5, 35.2, "FL240", "2015-09-30T10:06:00Z"],
            [35.5, 35.2, "FL240", "2015-09-30T10:20:00Z"],
        ],
        "lateral": "1 NM", "vertical": "500 ft",
    },
}  # fmt: skip
AREA: Final[Json] = {
    "datum": "WGS84", "domain": "air", "craft_class": "any",
    "volumes": [{
        "shape": {"kind": "circle", "centre": [35.0, 35.5], "radius": "3 NM"},
        "lower": "FL200", "upper": "FL240",
        "start": "2015-09-30T10:00:00Z", "end": "2015-09-30T11:00:00Z",
    }],
}  # fmt: skip


def filed(value: Json, **changes: object) -> FiledOperation:
    return msgspec.convert({**value, **changes}, FiledOperation)


def staged() -> Stage:
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    stage.join("a")
    return stage


def file(stage: Stage, made: FiledOperation) -> Operation:
    stage.submit("a", "operations.file/1", acts.FileOperation(operation=made))
    return list(stage.exchange.world.operations.values())[-1]


def test_a_trajectory_takes_up_each_leg_in_its_time() -> None:
    one, two = volumes_filed(filed(TRACK))

    assert isinstance(one.volume.shape, Corridor)
    assert one.volume.shape.width_tmm == 2 * 18_520_000
    assert one.volume.lower == parse_altitude("FL195")
    assert one.volume.upper == parse_altitude("FL245")
    assert isinstance(two.volume.shape, Circle)
    assert (one.end_us, two.end_us) == (two.start_us, START_US + 140 * 60_000_000)


@given(
    places=st.lists(st.tuples(st.floats(-60, 60), st.floats(-1, 1)), min_size=2, max_size=5),
    levels=st.lists(st.integers(10, 400), min_size=5, max_size=5), share=st.floats(0, 0.999),
)  # fmt: skip
def test_wherever_it_is_on_its_trajectory_it_is_in_one_of_its_volumes(
    places: list[tuple[float, float]], levels: list[int], share: float
) -> None:
    points = [
        [latitude, longitude, f"FL{levels[n]}", f"2015-09-30T1{n}:00:00Z"]
        for n, (latitude, longitude) in enumerate(places)
    ]
    volumes = volumes_filed(filed({
        **TRACK, "trajectory": {"points": points, "lateral": "1 NM", "vertical": "100 ft"}
    }))  # fmt: skip
    for n, (one, two) in enumerate(itertools.pairwise(places)):
        line = Geodesic.WGS84.InverseLine(one[0], one[1], two[0], two[1])
        at = line.Position(line.s13 * share)
        height_ft = 100 * (levels[n] + (levels[n + 1] - levels[n]) * share)
        time_us = volumes[n].start_us + int(share * (volumes[n].end_us - volumes[n].start_us))

        assert any(_holds(v, at["lat2"], at["lon2"], height_ft, time_us) for v in volumes)


def _holds(volume: Volume4D, latitude: float, longitude: float, ft: float, time_us: int) -> bool:
    """Tell whether a volume holds a point: within its ends, and near its route by geodesics."""
    lower, upper = volume.volume.lower, volume.volume.upper
    assert lower is not None
    assert upper is not None
    if not (lower.height_tmm <= ft * 3_048 <= upper.height_tmm):
        return False
    if not volume.start_us <= time_us < volume.end_us:
        return False
    shape = volume.volume.shape
    ends = shape.route if isinstance(shape, Corridor) else (shape.centre,) * 2  # type: ignore[union-attr]
    lengths = [
        Geodesic.WGS84.Inverse(p.latitude_deg, p.longitude_deg, latitude, longitude)["s12"]
        for p in ends
    ]
    whole = Geodesic.WGS84.Inverse(
        ends[0].latitude_deg, ends[0].longitude_deg, ends[1].latitude_deg, ends[1].longitude_deg
    )["s12"]
    return bool(sum(lengths) <= whole + 1_852)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({**AREA, "trajectory": TRACK["trajectory"]}, "has volumes and a trajectory, or neither"),
        ({**AREA, "volumes": []}, "has volumes and a trajectory, or neither"),
        ({**TRACK, "craft": "one_shot"}, "is a launch with a path; give its hazard area"),
        ({**AREA, "datum": "ED50"}, "Invalid enum value 'ED50'|ED50"),
        ({k: v for k, v in AREA.items() if k != "datum"}, "missing required field `datum`"),
        ({**AREA, "target": "x"}, "unknown field `target`"),
        ({**AREA, "count": 0}, "count"),
    ],
)
def test_what_is_no_operation_is_refused(value: Json, why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        filed(value)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("start", "2015-09-30 10:00", r"volumes\[0\].start .*is not an RFC 3339"),
        ("end", "2015-09-30T09:00:00Z", r"volumes\[0\].end .*is before start"),
        ("lower", "24000 ft", r"volumes\[0\].lower '24000 ft': has no reference; say what it"),
        ("lower", "FL300", r"volumes\[0\].lower 'FL300': is above upper FL240; swap them"),
        ("upper", "24000", r"volumes\[0\].upper"),
    ],
)
def test_a_volume_that_cannot_be_is_named_with_the_way_out(
    field: str, value: str, why: str
) -> None:
    volume = {**AREA["volumes"][0], field: value}

    with pytest.raises(InputError, match=why):
        file(staged(), filed({**AREA, "volumes": [volume]}))


@pytest.mark.parametrize(
    ("lower", "upper", "is_taken"),
    [
        ("500 ft AGL", "200 ft AGL", False),
        ("900 m AMSL", "300 m AMSL", False),
        ("900 m QNH 1013", "300 m QNH 1020", True),
        ("200 ft AGL", "500 ft AGL", True),
        ("2500 ft AMSL", "FL195", True),
    ],
)
def test_limits_of_one_reference_are_in_order_and_those_of_two_are_taken_as_they_are(
    lower: str, upper: str, *, is_taken: bool
) -> None:
    volume = {**AREA["volumes"][0], "lower": lower, "upper": upper}

    if is_taken:
        made = file(staged(), filed({**AREA, "volumes": [volume]}))
        assert made.volumes[0].volume.lower == parse_altitude(lower)
    else:
        with pytest.raises(InputError, match=r"volumes\[0\].lower .* is above upper"):
            file(staged(), filed({**AREA, "volumes": [volume]}))


def test_legs_in_two_references_or_out_of_order_are_refused() -> None:
    for place, value, why in (
        (2, "1000 m WGS84", "cannot be compared with FL200; give all heights in one reference"),
        (3, "2015-09-30T10:00:00Z", "is not after the point before it; order them"),
    ):
        points = [list(each) for each in TRACK["trajectory"]["points"]]
        points[1][place] = value
        with pytest.raises(InputError, match=why):
            volumes_filed(filed({**TRACK, "trajectory": {
                "points": points, "lateral": "1 NM", "vertical": "500 ft"
            }}))  # fmt: skip


def test_a_launch_is_its_hazard_area_alone() -> None:
    made = file(staged(), filed(AREA, craft="one_shot"))

    assert made.craft == "one_shot"
    assert len(made.volumes) == 1


@pytest.mark.parametrize("craft_class", ["humanitarian-movement", "protected-site"])
def test_what_is_protected_otherwise_is_not_taken(craft_class: str) -> None:
    stage = staged()

    with pytest.raises(CallerError, match="is protected otherwise, and its places stand in no act"):
        file(stage, filed(AREA, craft_class=craft_class))
    assert not stage.exchange.world.operations


@pytest.mark.parametrize(
    ("changes", "is_so"),
    [
        ({}, True),
        ({"lower": "FL210", "upper": "FL230"}, True),
        ({"start": "2015-09-30T10:10:00Z", "end": "2015-09-30T10:50:00Z"}, True),
        ({"lower": "FL190"}, False),
        ({"upper": "FL250"}, False),
        ({"upper": None}, False),
        ({"upper": "23000 ft QNH 1013"}, False),
        ({"start": "2015-09-30T09:59:59Z"}, False),
        ({"end": "2015-09-30T11:00:01Z"}, False),
        ({"shape": {"kind": "circle", "centre": [35.0, 35.5], "radius": "2 NM"}}, False),
    ],
)
def test_a_version_that_only_shrinks_keeps_its_place_and_state(
    changes: Json,
    is_so: bool,  # noqa: FBT001
) -> None:
    stage = staged()
    old = file(stage, filed(AREA))
    places = dict(stage.exchange.world.places)
    volume = {**AREA["volumes"][0], **changes}
    made = filed({**AREA, "volumes": [volume]})
    stage.submit("a", "operations.update/1",
                 acts.UpdateOperation(id=old.id, ovn=old.ovn, operation=made))  # fmt: skip

    new = stage.exchange.world.operations[old.id]
    assert (stage.exchange.world.places == places) == is_so
    assert only_shrinks(old, new) == is_so
    assert (new.version, new.state) == (2, "accepted")


def test_more_uncertainty_or_another_class_is_no_shrinking() -> None:
    stage = staged()
    old = file(stage, filed(AREA))

    for changes in ({"lateral": "1 m"}, {"vertical": "1 ft"}, {"early": "1 s"}, {"late": "1 s"},
                    {"craft_class": "unmanned"}):  # fmt: skip
        assert not only_shrinks(old, file(stage, filed(AREA, **changes)))
    assert not only_shrinks(file(stage, filed(AREA, has_rvsm=True)), old)
    assert only_shrinks(file(stage, filed(AREA, lateral="1 m")), old)


# No form of the exchange has a field for what it must not hold (requirements B4).
FORBIDDEN: Final = re.compile(
    r"target|weapon|warhead|munition|ordnance|missile|bomb|strike|attack|hostile|friend|enemy|"
    r"impact|aim|kill|lethal|damage|intent",
    re.IGNORECASE,
)


def every_type(kind: object, seen: dict[Any, None]) -> dict[Any, None]:
    """Return a type and all types within its fields."""
    for each in (kind, *get_args(kind)):
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each not in seen:
            seen[each] = None
            for field in msgspec.structs.fields(each):
                every_type(field.type, seen)
        elif each is not kind:
            every_type(each, seen)
    return seen


def test_no_form_of_the_exchange_has_a_field_for_what_it_must_not_hold() -> None:
    roots = [
        *(versions[-1] for versions in ACTS._types.values()), *KINDS.values(),
        *get_args(AnyDecision), FiledOperation, FiledVolume,
    ]  # fmt: skip
    seen: dict[Any, None] = {}
    for root in roots:
        every_type(root, seen)
    names = {
        name
        for each in seen
        for name in (each.__name__, *(f.name for f in msgspec.structs.fields(each)))
    }

    assert len(seen) > 40
    assert {name for name in names if FORBIDDEN.search(name)} == set()


def test_an_act_with_a_field_that_no_form_has_is_refused() -> None:
    class Other(Signed, frozen=True, kw_only=True):
        operation: msgspec.Raw

    value = json.loads(encode(filed(AREA)))
    value["target"] = [35.0, 35.0]
    stage = staged()

    with pytest.raises(Malformed, match="unknown field `target`"):
        stage.submit("a", "operations.file/1", Other(operation=msgspec.Raw(encode(value))))
    assert not stage.exchange.world.operations
