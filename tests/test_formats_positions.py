# SPDX-License-Identifier: Apache-2.0
"""Tables of positions, CSV and Parquet: what is read, what is refused, and with which words."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.errors import FileErrors
from keepclear.formats.contents import Flights
from keepclear.formats.csv_positions import read_csv
from keepclear.formats.parquet_positions import read_parquet
from keepclear.units import TMM_PER_FOOT, parse_time_us

FILES = Path(__file__).parent / "files"
HEADER = "timestamp,icao24,callsign,latitude,longitude,altitude"
ROW = "2026-05-01T10:00:00Z,4067f2,N101,34.1,35.2,24000"
LATER = "2026-05-01T10:00:10Z,4067f2,N101,34.1,35.3,24000"


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{row}\n" for row in (header, *rows)).encode()


def flights_in(*rows: str, header: str = HEADER) -> Flights:
    return read_csv("north.csv", csv_of(*rows, header=header)).flights[0]


def faults_in(*rows: str, header: str = HEADER) -> str:
    with pytest.raises(FileErrors) as refused:
        read_csv("north.csv", csv_of(*rows, header=header))
    return str(refused.value)


def parquet_of(columns: dict[str, "pa.Array[Any]"]) -> bytes:
    written = io.BytesIO()
    parquet.write_table(pa.table(columns), written)
    return written.getvalue()


def positions(**other: "pa.Array[Any]") -> dict[str, "pa.Array[Any]"]:
    columns: dict[str, pa.Array[Any]] = {
        "timestamp": pa.array([1_777_629_600_000, 1_777_629_610_000], pa.timestamp("ms", "UTC")),
        "icao24": pa.array(["4067f2", "4067f2"]),
        "callsign": pa.array(["N101", "N101"]),
        "latitude": pa.array([34.1, 34.2]),
        "longitude": pa.array([35.2, 35.2]),
        "altitude": pa.array([24_000.0, 24_025.0], pa.float32()),
    }
    return {**columns, **other}


def test_a_csv_file_is_read_as_its_flights() -> None:
    flights = read_csv("positions.csv", (FILES / "positions.csv").read_bytes()).flights[0]

    assert [
        (plan.name, plan.key, plan.party, plan.category, plan.rvsm) for plan in flights.plans
    ] == [
        ("N101", "4067f2 N101", "north", "transport", True),
        ("S88", "44093b S88", "south", "", None),
    ]
    assert flights.offsets.tolist() == [0, 2, 4]
    assert flights.time_us.tolist() == [
        parse_time_us(text)
        for text in (
            "2026-05-01T10:00:00Z",
            "2026-05-01T10:00:10.5Z",
            "2026-05-01T10:00:00Z",
            "2026-05-01T10:00:10Z",
        )
    ]
    assert flights.height_tmm.tolist() == [24_000 * 3048, 24_025 * 3048, 25_100 * 3048, 0]
    assert [None if i < 0 else flights.datums[i].reference for i in flights.datum.tolist()] == [
        Reference.STANDARD,
        Reference.STANDARD,
        Reference.WGS84,
        None,
    ]


def test_a_row_without_a_height_is_kept() -> None:
    flights = flights_in(ROW, "2026-05-01T10:00:10Z,4067f2,N101,34.1,35.3,")

    assert flights.datum.tolist() == [0, -1]
    assert len(flights.time_us) == 2


def test_every_foot_is_exact_to_a_tenth_of_a_millimetre() -> None:
    rows = [
        f"2026-05-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z,a,b,1,2,{i}" for i in range(3000)
    ]

    assert flights_in(*rows).height_tmm.tolist() == [i * TMM_PER_FOOT for i in range(3000)]


def test_any_other_height_names_its_reference() -> None:
    header = HEADER + ",altitude_reference"
    flights = flights_in(ROW + ",QNH 1013", LATER + ",AMSL EGM96", header=header)

    assert flights.datums == (
        Altitude(height_tmm=0, reference=Reference.QNH, datum="1013"),
        Altitude(height_tmm=0, reference=Reference.AMSL, datum="EGM96"),
    )
    assert "row 2, altitude_reference: is missing" in faults_in(ROW + ",", header=header)
    assert "is no reference of heights" in faults_in(ROW + ",somewhere", header=header)


def test_uncertainty_is_read_from_text_with_a_unit_or_from_a_column_named_for_it() -> None:
    text = flights_in(
        ROW + ",0.1 NM,100 ft,5 s",
        header=HEADER + ",lateral_uncertainty,vertical_uncertainty,time_uncertainty",
    )
    number = flights_in(
        ROW + ",185.2,100,5",
        header=HEADER + ",lateral_uncertainty_m,vertical_uncertainty_ft,time_uncertainty_s",
    )

    for flights in (text, number):
        assert flights.lateral_uncertainty_m.tolist() == pytest.approx([185.2])
        assert flights.vertical_uncertainty_tmm.tolist() == [100 * TMM_PER_FOOT]
        assert flights.time_uncertainty_us.tolist() == [5_000_000]
    assert "is below 0 or too large" in faults_in(
        ROW + ",-1", header=HEADER + ",time_uncertainty_s"
    )


def test_a_party_column_makes_two_plans_of_one_callsign() -> None:
    flights = flights_in(ROW + ",north", ROW + ",south", header=HEADER + ",party")

    assert [plan.party for plan in flights.plans] == ["north", "south"]


def test_rows_of_different_plans_may_stand_in_any_order() -> None:
    other = "2026-05-01T09:00:00Z,44093b,S88,34.1,35.2,24000"

    assert flights_in(ROW, other, LATER).offsets.tolist() == [0, 2, 3]


def test_an_id_tells_plans_apart_only_where_there_is_no_address_and_no_callsign() -> None:
    # A column of row numbers named id must not cut a flight into single points.
    assert len(flights_in(ROW + ",1", LATER + ",2", header=HEADER + ",id").plans) == 1
    header = "timestamp,id,latitude,longitude,altitude"
    lines = [f"2026-05-01T10:00:0{i}Z,craft {i},34.1,35.2,24000" for i in range(2)]
    assert [plan.name for plan in flights_in(*lines, header=header).plans] == ["craft 0", "craft 1"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (ROW.replace("34.1", "91"), "row 2, latitude '91': is beyond 90 degrees"),
        (ROW.replace("34.1", "NaN"), "row 2, latitude: has nothing in it, or NaN"),
        (ROW.replace("34.1", ""), "row 2, latitude: has nothing in it, or NaN"),
        (ROW.replace("34.1", "inf"), "row 2, latitude 'inf': is beyond 90 degrees"),
        (ROW.replace("34.1", "north"), "row 2, latitude 'north': is not a number"),
        (ROW.replace("35.2", "181"), "row 2, longitude '181': is beyond 180 degrees"),
        (ROW.replace("24000", "123100"), "row 2, altitude '123,100 ft': is outside"),
        (ROW.replace("24000", "1_000"), "row 2, altitude '1_000': is not a number"),
        (ROW.replace("00Z", "00"), "row 2, timestamp '2026-05-01T10:00:00': has no zone"),
        (ROW.replace("2026-05-01T10:00:00Z", ""), "row 2, timestamp: has nothing in it"),
        (ROW.replace("2026-05-01", "2026-02-30"), "give a day and an hour that exist"),
        (ROW.replace("2026", "1826"), "is outside the years 1900 to 2199"),
        (ROW.replace("4067f2,N101", ","), "whose row is it?"),
        (ROW.replace("N101", "N1\x1b[31m"), "holds unprintable characters"),
        ("2026-05-01T10:00:00Z,4067f2,N1", "row 2 '3 values': are not 6"),
    ],
)
def test_a_fault_in_a_row_is_told_with_row_column_value_and_limit(row: str, told: str) -> None:
    assert told in faults_in(row)


def test_second_60_is_read_only_at_the_end_of_a_day_of_utc() -> None:
    day = parse_time_us("2026-05-02T00:00:00Z")

    for text in ("2026-05-01T23:59:60Z", "2026-05-02T02:59:60+03:00", "2026-05-01T18:29:60-05:30"):
        assert flights_in(ROW.replace("2026-05-01T10:00:00Z", text)).time_us.tolist() == [day]
    for text in ("2026-05-01T09:59:60Z", "2026-05-01T23:59:60+03:00", "2026-05-01T23:58:60.5Z"):
        told = faults_in(ROW.replace("2026-05-01T10:00:00Z", text))
        assert "has a second 60, which is only at 23:59:60 UTC" in told


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_rows() -> None:
    text = faults_in(
        ROW.replace("34.1", "91").replace("35.2", ""), LATER.replace("24000", "200000")
    )

    assert [line.split(":")[1].strip()[:16] for line in text.splitlines()] == [
        "row 2, latitude ",
        "row 2, longitude",
        "row 3, altitude ",
    ]


def test_a_blank_line_is_a_row_with_nothing_in_it_and_the_rows_below_keep_their_numbers() -> None:
    text = faults_in(ROW, "", LATER.replace("34.1", "91"))

    assert "row 3, timestamp: has nothing in it" in text
    assert "row 4, latitude '91'" in text


def test_more_than_a_hundred_faults_are_counted_by_kind() -> None:
    assert "position: 200 times, first at row 2" in faults_in(*[ROW.replace("34.1", "91")] * 200)


def test_unsorted_and_equal_times_in_a_plan_are_errors_that_name_both_times() -> None:
    assert "is before 2026-05-01T10:00:10.000000Z" in faults_in(LATER, ROW)
    assert (
        "row 3, timestamp '2026-05-01T10:00:00.000000Z': is the time of the point before it too"
        in (faults_in(ROW, ROW))
    )


def test_a_row_out_of_order_is_compared_with_the_latest_row_before_it() -> None:
    rows = [f"2026-05-01T10:00:{second:02}Z,a,b,1,2,3" for second in (0, 30, 10, 20, 40)]
    left = read_csv("north.csv", csv_of(*rows), lenient=True)

    assert [fault.row for fault in left.left_out] == [4, 5]
    assert np.diff(left.flights[0].time_us).tolist() == [30_000_000, 10_000_000]


def test_lenient_leaves_out_the_rows_with_faults_and_lists_them() -> None:
    contents = read_csv("n.csv", csv_of(ROW, LATER.replace("34.1", "91"), "cut"), lenient=True)

    assert [fault.row for fault in contents.left_out] == [3, 4]
    assert len(contents.flights[0].time_us) == 1


def test_a_class_that_changes_within_a_plan_is_an_error() -> None:
    text = faults_in(ROW + ",transport", LATER + ",combat", header=HEADER + ",class")

    assert "row 3, class 'combat': was 'transport' before in this plan" in text


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            HEADER.replace("latitude", "lattitude"),
            "latitude: is missing; the nearest column is 'lattitude'",
        ),
        (
            HEADER.replace("timestamp", "time"),
            "timestamp: is missing; the nearest column is 'time'",
        ),
        (HEADER.replace("altitude", "height"), "altitude or geoaltitude: is missing"),
        (HEADER + ",latitude", "latitude '2 times': stands more than once"),
        (HEADER.replace(",", ";"), "is not set apart by commas"),
        (HEADER + ",time_uncertainty,time_uncertainty_s", "say the same thing"),
    ],
)
def test_a_header_that_cannot_be_followed_is_refused_even_when_lenient(
    header: str, told: str
) -> None:
    with pytest.raises(FileErrors) as refused:
        read_csv("north.csv", csv_of(ROW, header=header), lenient=True)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (csv_of(), "has a header and no rows"),
        (csv_of(ROW).decode().encode("utf-16"), "is not UTF-8"),
        (csv_of(ROW).replace(b"N101", b"N\xff01"), "row 2 'ff': is not UTF-8"),
        (csv_of(ROW, LATER.replace("N101", '"N1\n01"')), "runs over the end of a line"),
        (csv_of(ROW, LATER.replace("N101", '"N101')), ""),
    ],
)
def test_a_file_that_is_no_csv_of_positions_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read_csv("north.csv", content)

    assert told in str(refused.value)


def test_a_file_cut_in_its_last_row_is_an_error() -> None:
    whole = csv_of(ROW, LATER)

    with pytest.raises(FileErrors, match="the file may be cut here"):
        read_csv("north.csv", whole[:-20])


def test_a_last_row_without_a_line_break_is_an_error_and_lenient_leaves_it_out() -> None:
    for line_break in (b"\n", b"\r\n", b"\r"):
        cut = csv_of(ROW, LATER)[:-2].replace(b"\n", line_break)

        with pytest.raises(FileErrors) as refused:
            read_csv("north.csv", cut)
        kept = read_csv("north.csv", cut, lenient=True)

        assert str(refused.value) == (
            "north.csv: row 3: does not end with a line break, so it may be cut; "
            "add a line break at the end, or --lenient leaves that row out"
        )
        assert [fault.row for fault in kept.left_out] == [3]
        assert len(kept.flights[0].time_us) == 1


def test_a_file_of_one_row_without_a_line_break_holds_no_flight_when_lenient() -> None:
    kept = read_csv("north.csv", csv_of(ROW)[:-1], lenient=True)

    assert kept.flights == ()
    assert [fault.row for fault in kept.left_out] == [2]


def test_columns_that_are_not_read_are_listed() -> None:
    contents = read_csv("north.csv", csv_of(ROW + ",450", header=HEADER + ",groundspeed"))

    assert contents.notes == ("columns not used: groundspeed",)


def test_line_breaks_of_any_system_give_the_same_flights() -> None:
    whole = csv_of(ROW, LATER)
    for line_break in (b"\r\n", b"\r"):
        flights = read_csv("n.csv", b"\xef\xbb\xbf" + whole.replace(b"\n", line_break)).flights[0]
        assert flights.time_us.tolist() == flights_in(ROW, LATER).time_us.tolist()


# --- Parquet --------------------------------------------------------------------------------


def test_a_parquet_file_gives_the_same_flights_as_the_same_rows_in_csv() -> None:
    table = pa.table(positions())
    written = io.BytesIO()
    arrow_csv.write_csv(
        table.set_column(
            0, "timestamp", pa.array(["2026-05-01 10:00:00+00:00", "2026-05-01T10:00:10Z"])
        ),
        written,
    )
    one = read_parquet("north.parquet", parquet_of(positions())).flights[0]
    other = read_csv("north.csv", written.getvalue()).flights[0]

    assert one.plans == other.plans
    for name in ("offsets", "time_us", "latitude_deg", "height_tmm", "datum"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_are_the_same_time(unit: str) -> None:
    times = pa.array([1_777_629_600, 1_777_629_610], pa.timestamp("s", "UTC")).cast(
        pa.timestamp(unit, "Asia/Jerusalem")
    )
    flights = read_parquet("n.parquet", parquet_of(positions(timestamp=times))).flights[0]

    assert flights.time_us.tolist() == [1_777_629_600_000_000, 1_777_629_610_000_000]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            {"timestamp": pa.array([1, 2], pa.timestamp("ms"))},
            "timestamp 'timestamp[ms]': has no zone",
        ),
        ({"timestamp": pa.array([1, 2])}, "is no timestamp with a zone"),
        (
            {"timestamp": pa.array([2**62, -(2**62)], pa.timestamp("ms", "UTC"))},
            "outside the years",
        ),
        (
            {"timestamp": pa.array([None, 1], pa.timestamp("s", "UTC"))},
            "row 1, timestamp: has nothing",
        ),
        (
            {"latitude": pa.array([None, float("nan")], pa.float64())},
            "row 2, latitude: has nothing",
        ),
        ({"latitude": pa.array(["34", "35"])}, "is no number"),
        ({"altitude": pa.array([123_100.0, 0.0])}, "row 1, altitude '123,100 ft'"),
        ({"callsign": pa.array([1, 2])}, "callsign 'int64': is no text"),
    ],
)
def test_a_fault_in_a_parquet_file_is_told(other: dict[str, "pa.Array[Any]"], told: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read_parquet("north.parquet", parquet_of(positions(**other)))

    assert told in str(refused.value)


def test_nothing_and_nan_in_an_altitude_are_a_missing_height_and_geoaltitude_stands_in() -> None:
    flights = read_parquet(
        "n.parquet",
        parquet_of(
            positions(
                altitude=pa.array([None, float("nan")], pa.float64()),
                geoaltitude=pa.array([24_500.0, None]),
                rvsm=pa.array([True, None]),
            )
        ),
    ).flights[0]

    assert flights.datums == (Altitude(height_tmm=0, reference=Reference.WGS84),)
    assert flights.datum.tolist() == [0, -1]
    assert flights.plans[0].rvsm is True


@pytest.mark.parametrize("kept", [0, 3, 50, -1])
def test_a_parquet_file_cut_in_the_middle_is_an_error(kept: int) -> None:
    with pytest.raises(FileErrors):
        read_parquet("north.parquet", parquet_of(positions())[:kept])


@pytest.mark.slow
def test_the_real_day_has_the_points_and_callsigns_its_source_states(shared_data: Path) -> None:
    # shared/data/SOURCES.md: 139,098 rows, 842 aircraft, 1,243 callsigns
    content = (shared_data / "air" / "switzerland_2018-08-01.parquet").read_bytes()
    contents = read_parquet("switzerland.parquet", content)
    flights = contents.flights[0]

    assert len(flights.time_us) == 139_098
    assert len({plan.name for plan in flights.plans}) == 1_243
    assert len({plan.key.split()[0] for plan in flights.plans}) == 842
    assert flights.datums == (Altitude(height_tmm=0, reference=Reference.STANDARD),)
    assert not contents.left_out


def test_real_radar_reports_with_equal_times_and_a_height_beyond_the_limit_are_told(
    shared_data: Path,
) -> None:
    # EUROCONTROL correlated position reports: 193 rows repeat a time or stand out of order.
    content = (shared_data / "air" / "cpr_europe_2017-02-05_06.parquet").read_bytes()
    with pytest.raises(FileErrors, match="order: 193 times, first at row 386"):
        read_parquet("cpr.parquet", content)
    content = (shared_data / "air" / "inflight_refuelling.parquet").read_bytes()
    with pytest.raises(FileErrors, match="row 5900, altitude '107,700 ft'"):
        read_parquet("refuelling.parquet", content)
