# SPDX-License-Identifier: Apache-2.0
"""The door: which reader a file goes to, and what is said where none takes it."""

import io
import re
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from keepclear.errors import FileErrors
from keepclear.formats.reading import read

FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize(
    ("name", "plans"),
    [
        ("positions.csv", 2),
        ("two_areas.geojson", 2),
        ("area.kml", 2),
        ("intent.json", 1),
        ("trace.json", 2),
    ],
)
def test_each_format_is_known_by_its_suffix_or_its_content(name: str, plans: int) -> None:
    content = (FILES / name).read_bytes()
    contents = read(name, content)

    assert len(contents.areas) + sum(len(f.plans) for f in contents.flights) == plans
    assert contents.file == name
    if not name.endswith(".csv"):
        assert read("unknown.dat", content).notes == contents.notes
    if name.endswith("json"):
        assert read("any.json", content).notes == contents.notes


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("plan.docx", b"PK", "file '.docx': is no suffix that is known"),
        ("plan", b"", "is no suffix that is known"),
        (
            "plan.json",
            b'{"zones": []}',
            "'zones': is JSON of a kind that is not read; give CSV or Parquet",
        ),
        ("plan.json", b"7", "is JSON of a kind that is not read"),
        ("plan.json", b'{"tr', "is not JSON"),
    ],
)
def test_a_file_that_no_reader_takes_is_refused_with_the_list_of_what_is_read(
    name: str, content: bytes, told: str
) -> None:
    with pytest.raises(FileErrors) as refused:
        read(name, content)

    assert told in str(refused.value)


@pytest.mark.parametrize("name", ["day.parquet", "day.pq", "day"])
def test_parquet_is_known_by_either_suffix_and_by_its_first_bytes(name: str) -> None:
    written = io.BytesIO()
    table = pa.table({
        "timestamp": pa.array([0], pa.timestamp("s", "UTC")), "callsign": ["N101"],
        "latitude": [34.1], "longitude": [35.2], "altitude": [24_000],
    })  # fmt: skip
    parquet.write_table(table, written)

    assert read(name, written.getvalue()).flights[0].plans[0].name == "N101"


def test_the_suffix_is_read_without_regard_to_case() -> None:
    assert read("POSITIONS.CSV", (FILES / "positions.csv").read_bytes()).flights


def test_every_sample_in_the_docs_is_read_without_a_fault(repository: Path) -> None:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    samples = re.findall(r"```(csv|json|xml)\n(.*?)```", text, re.DOTALL)
    suffixes = {"csv": ".csv", "json": ".json", "xml": ".kml"}

    assert len(samples) == 6
    for kind, sample in samples:
        contents = read(f"sample{suffixes[kind]}", sample.encode())
        assert contents.areas or contents.flights
