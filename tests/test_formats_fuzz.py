# SPDX-License-Identifier: Apache-2.0
"""Readers fed with broken files: only our own errors come out, and they can be printed.

Each valid file is mutated by flipped, cut, inserted, repeated and swapped bytes, and by values
that are known to hurt: huge numbers, NaN, deep nesting, quotes, zone-less times.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from keepclear.errors import KeepclearError
from keepclear.formats.contents import Contents
from keepclear.formats.csv_positions import read_csv
from keepclear.formats.f3548 import read_f3548
from keepclear.formats.geojson import read_geojson
from keepclear.formats.kml import read_kml
from keepclear.formats.parquet_positions import read_parquet
from keepclear.formats.reading import read
from keepclear.formats.readsb import read_readsb

FILES = Path(__file__).parent / "files"
Reader = Callable[..., Contents]
HURTING = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b"-0",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b'"',
    b"[" * 2000,
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\r",
    b"\n\n",
    b",,,",
    b";",
    b"<!DOCTYPE a>",
    b"&lt;",
    b"<a>",
    b"]]>",
    b"2026-05-01T10:00:00",
    b"2026-05-01T10:00:60Z",
    b"0000-00-00T00:00:00Z",
    b"9999-12-31T23:59:59-23:59",
    b"FL9999",
    b"1e300 NM",
    b"ground",
    b"179.9999999",
    b"-180",
    b"90",
    b"1e-320",
    "٣".encode(),
]


def parquet_file() -> bytes:
    written = io.BytesIO()
    table = pa.table(
        {
            "timestamp": pa.array([1, 2, 3, 4], pa.timestamp("ms", "UTC")),
            "callsign": pa.array(["N101", "N101", "S88", None]),
            "icao24": pa.array(["a", "a", "b", "c"]).dictionary_encode(),
            "latitude": pa.array([34.1, 34.2, 35.0, 36.0]),
            "longitude": pa.array([35.1, 35.2, 35.0, 36.0]),
            "altitude": pa.array([1000, None, 35_000, 36_000], pa.float32()),
        }
    )
    parquet.write_table(table, written, compression="none")
    return written.getvalue()


VALID: dict[str, tuple[Reader, bytes]] = {
    "csv": (read_csv, (FILES / "positions.csv").read_bytes()),
    "parquet": (read_parquet, parquet_file()),
    "geojson": (read_geojson, (FILES / "two_areas.geojson").read_bytes()),
    "kml": (read_kml, (FILES / "area.kml").read_bytes()),
    "f3548": (read_f3548, (FILES / "intent.json").read_bytes()),
    "readsb": (read_readsb, (FILES / "trace.json").read_bytes()),
}

PLACE = st.floats(0, 1, exclude_max=True)
MUTATION = st.one_of(
    st.tuples(st.just("flip"), PLACE, st.integers(0, 255)),
    st.tuples(st.just("cut"), PLACE, st.just(0)),
    st.tuples(st.just("insert"), PLACE, st.sampled_from(HURTING)),
    st.tuples(st.just("replace"), PLACE, st.sampled_from(HURTING)),
    st.tuples(st.just("repeat"), PLACE, st.integers(1, 300)),
    st.tuples(st.just("drop"), PLACE, st.integers(1, 60)),
    st.tuples(st.just("swap"), PLACE, st.integers(1, 60)),
)


def mutated(content: bytes, mutations: list[tuple[str, float, int | bytes]]) -> bytes:
    for kind, share, what in mutations:
        at = int(share * len(content))
        head, tail = content[:at], content[at:]
        if isinstance(what, bytes):
            end = len(what) if kind == "replace" else 0
            content = head + what + tail[end:]
        elif kind == "flip":
            content = head + bytes([what]) + tail[1:]
        elif kind == "cut":
            content = head
        elif kind == "repeat":
            content = head + tail[:what] * 2 + tail[what:]
        elif kind == "drop":
            content = head + tail[what:]
        else:
            content = head + tail[what : 2 * what] + tail[:what] + tail[2 * what :]
    return content


def check(reader: Reader, content: bytes) -> None:
    """Only our errors come out; their text can be printed; what is read is whole."""
    for lenient in (False, True):
        try:
            contents = reader("fuzzed.json", content, lenient=lenient)
        except KeepclearError as error:
            text = str(error)
        else:
            check_whole(contents, lenient=lenient)
            text = "\n".join(fault.line() for fault in contents.left_out)
        assert text.encode() is not None


def check_whole(contents: Contents, *, lenient: bool) -> None:
    assert lenient or not contents.left_out
    for flights in contents.flights:
        assert len(flights.plans) == len(flights.offsets) - 1
        assert len(flights.time_us) == flights.offsets[-1]
        assert all(plan.name.isprintable() for plan in flights.plans)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(VALID))
@settings(max_examples=300)
@given(mutations=st.lists(MUTATION, min_size=1, max_size=4))
@example(mutations=[])
def test_a_mutated_file_is_read_or_refused_with_our_error(
    name: str, mutations: list[tuple[str, float, int | bytes]]
) -> None:
    reader, content = VALID[name]
    check(reader, mutated(content, mutations))


@pytest.mark.slow
@settings(max_examples=200)
@given(
    content=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".pq", ".kml", ".json", ""])
)
def test_any_bytes_under_any_name_are_read_or_refused_with_our_error(
    content: bytes, suffix: str
) -> None:
    check(lambda _, found, *, lenient: read(f"file{suffix}", found, lenient=lenient), content)


JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "features",
                    "geometry",
                    "coordinates",
                    "properties",
                    "times",
                    "id",
                    "volume",
                    "volumes",
                    "trace",
                    "icao",
                    "timestamp",
                    "reference",
                    "details",
                    "intents",
                ]
            ),
            inside,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "head",
    [
        {"type": "FeatureCollection"},
        {"type": "Feature"},
        {"volumes": []},
        {"trace": []},
        {"operational_intent": {}},
        {"intents": {}},
    ],
)
@settings(max_examples=100)
@given(found=JSON_VALUE)
def test_json_of_any_structure_is_read_or_refused_with_our_error(
    head: dict[str, object], found: object
) -> None:
    name = next(iter(head))
    inside = found if isinstance(found, dict) else {"features": [found]}
    document = {**head, **inside}
    if name != "type":
        document[name] = found
    content = json.dumps(document).encode()

    check(lambda _, bytes_read, *, lenient: read("a.json", bytes_read, lenient=lenient), content)
