# SPDX-License-Identifier: Apache-2.0
"""readsb traces: legs, heights, flags, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from keepclear.airspace.altitudes import Reference
from keepclear.errors import FileErrors
from keepclear.formats.contents import Contents
from keepclear.formats.readsb import read_readsb

FILES = Path(__file__).parent / "files"
ROW = [0.0, 34.1, 35.2, 1200, 140.0, 90.0, 0, 640, None, "adsb_icao", 1350]


def read(*rows: object, lenient: bool = False) -> Contents:
    trace = {"icao": "4067f2", "timestamp": 1777629600.0, "trace": rows}
    return read_readsb("trace.json", json.dumps(trace).encode(), lenient=lenient)


def row(**changes: object) -> list[object]:
    fields: list[object] = list(ROW)
    for place, value in changes.items():
        fields[int(place[1:])] = value
    return fields


def test_a_trace_is_read_as_its_legs_with_each_height_on_its_own_reference() -> None:
    contents = read_readsb("trace.json", (FILES / "trace.json").read_bytes())
    flights = contents.flights[0]
    references = [flights.datums[i].reference if i >= 0 else None for i in flights.datum.tolist()]

    assert [(plan.name, plan.key) for plan in flights.plans] == [
        ("N101", "4067f2 N101 leg 1"),
        ("N102", "4067f2 N102 leg 2"),
    ]
    assert flights.offsets.tolist() == [0, 5, 6]
    assert references == [
        Reference.AGL,
        Reference.STANDARD,
        Reference.WGS84,
        Reference.WGS84,
        Reference.STANDARD,
        Reference.STANDARD,
    ]
    assert flights.height_tmm.tolist() == [
        0,
        1200 * 3048,
        1850 * 3048,
        2600 * 3048,
        3000 * 3048,
        5000 * 3048,
    ]
    assert flights.time_us[1] == 1_777_629_610_250_000
    assert "stale positions that gave way to another at the same time: 1" in contents.notes


def test_a_position_without_any_height_is_kept() -> None:
    assert read(row(f3=None, f10=None)).flights[0].datum.tolist() == [-1]


def test_an_aircraft_without_a_callsign_has_its_address_for_a_name() -> None:
    assert read(row()).flights[0].plans[0].name == "4067f2"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row(f1=91)], "trace[0][1] '91.0': is beyond 90 degrees"),
        ([row(f2=None)], "trace[0][2]: is not a number"),
        ([row(f3=123_100)], "trace[0][3] '123,100 ft': is outside"),
        ([row(f3="air")], "trace[0][3] 'air': is not a number"),
        ([row(f6=1.5)], "is no set of flags"),
        ([row(f0="now")], "trace[0][0] 'now': is not a number"),
        ([row(f8="N101")], "trace[0][8] 'N101': is not an object"),
        ([row(), row()], "trace[1][0]: is the time of the point before it too"),
        ([row(f0=5), row()], "trace[1][0]: is before"),
        ([[1, 2, 3]], "fields are no position"),
        ([], "holds no position"),
    ],
)
def test_a_fault_in_a_trace_is_told_with_its_path(rows: list[object], told: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read(*rows)

    assert told in str(refused.value)


def test_lenient_leaves_out_a_row_but_not_the_start_of_the_leg_it_marks() -> None:
    contents = read(row(), row(f0=10, f1=91, f6=2), row(f0=20), lenient=True)

    assert contents.flights[0].offsets.tolist() == [0, 1, 2]
    assert len(contents.left_out) == 1


def test_the_real_trace_has_four_legs_and_no_height_is_lost(shared_data: Path) -> None:
    # readsb trace of PyPI traffic 2.13: 2,500 entries, 3 marks of a new leg, 394 on the ground
    contents = read_readsb("t.json", (shared_data / "adsb" / "trace_full_ac671b.json").read_bytes())
    flights = contents.flights[0]

    assert [plan.name for plan in flights.plans] == ["DAL1812", "DAL2418", "DAL1615", "DAL2927"]
    assert len(flights.time_us) == 2_499  # one stale position gives way
    on_ground = [datum.reference for datum in flights.datums].index(Reference.AGL)
    assert np.count_nonzero(flights.datum == on_ground) == 394
