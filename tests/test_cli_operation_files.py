# SPDX-License-Identifier: Apache-2.0
"""Operations filed out of files at a desk: all that is read is checked before anything is sent."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from keepclear.cli.desk import AtDesk
from keepclear.cli.operation_files import file_all
from keepclear.client import NoAnswer
from keepclear.errors import OperatorError
from keepclear.formats.filed_plans import Defaults, filed_of
from keepclear.formats.reading import read
from keepclear.plans.acts import FileOperation
from keepclear.record.entries import Part
from keepclear.units import format_time
from tests.desk_plays import CIRCLE, Desks
from tests.server_plays import HOUR_US

pytestmark = pytest.mark.slow
HEAD = "id,callsign,circle,radius,lower,upper,start,end,class,time_uncertainty"


def row(name: str, place: str = "34.9,35.1", start: str = "", late: str = "") -> str:
    start_us = time.time_ns() // 1000 + HOUR_US
    window = f"{start or format_time(start_us)},{format_time(start_us + HOUR_US)}"
    return f'{name},,"{place}",10 NM,FL240,FL260,{window},tanker,{late}'


def write(desks: Desks, name: str, *rows: str) -> str:
    (desks.folder / name).write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    return name


def own_operations(desks: Desks) -> list[str]:
    return re.findall(r"operation (\w{8})", desks.run("north", "operation", "list"))


def test_all_operations_of_a_file_are_filed_and_said(desks: Desks) -> None:
    file = write(desks, "two.csv", row("OP-1"), row("OP-2", "36.9,35.1"))

    said = desks.run("north", "operation", "file", file, "--craft", "unmanned")

    assert said.startswith("2 operations in two.csv\nOP-1\noperation ")
    assert said.count("version 1") == 2
    assert said.count("1 craft, unmanned, class tanker, OP-") == 2
    assert len(own_operations(desks)) == 2
    for each in own_operations(desks):
        desks.run("north", "operation", "cancel", each)
        said = desks.run("north", "operation", "end", each, status=2)
        assert f"operation '{each}': is over; nothing can be done of it" in said


def test_a_file_with_faults_files_nothing_and_tells_every_one_by_row_and_column(
    desks: Desks,
) -> None:
    file = write(desks, "bad.csv", row("OP-1"), row("OP-2", "95,35.1"), row("OP-3", start="noon"))

    said = desks.run("north", "operation", "file", file, status=2)

    assert "bad.csv: row 3, circle '95,35.1': latitude is beyond 90 degrees" in said
    assert "bad.csv: row 4, start 'noon'" in said
    assert own_operations(desks) == []


def test_what_the_exchange_refuses_of_several_is_named_with_what_files_it(desks: Desks) -> None:
    file = write(
        desks,
        "late.csv",
        row("OP-1"),
        row("OP-2", "36.9,35.1", late="16 min"),
        row("OP-3", "38,35"),
    )

    done = desks.printed("north", "operation", "file", file)

    assert done.returncode == 2
    assert "3 operations in late.csv" in done.stdout
    assert re.search("NOT FILED OP-2: .*above 15 min", done.stdout)
    assert done.stdout.endswith(
        "filed 2 of 3; once what is refused is mended: "
        "keepclear operation file late.csv --only OP-2\n"
    )
    assert len(own_operations(desks)) == 2
    for each in own_operations(desks):
        desks.run("north", "operation", "cancel", each)


def test_a_new_version_comes_out_of_a_file_by_its_name(desks: Desks) -> None:
    own = desks.filed("north", *CIRCLE)
    document = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [35.1, place]},
         "properties": {"callsign": f"OAK {place}", "radius": "3 NM", "upper": "FL100",
                        "start": format_time(time.time_ns() // 1000 + HOUR_US),
                        "end": format_time(time.time_ns() // 1000 + 2 * HOUR_US)}}
        for place in (34, 35)
    ]}  # fmt: skip
    Path(desks.folder / "plans.geojson").write_text(json.dumps(document), encoding="utf-8")
    update = ("operation", "update", own, "plans.geojson")

    assert "operations 2: are in plans.geojson: OAK 34, OAK 35; say which with --only" in desks.run(
        "north", *update, status=2
    )
    assert "--only 'OAK 3': is no plan of the file; it has OAK 34, OAK 35" in desks.run(
        "north", *update, "--only", "OAK 3", status=2
    )
    said = desks.run("north", *update, "--only", "OAK 35")

    assert f"operation {own}, version 2" in said
    assert "3 NM (5.556 km) round 35.0000N 035.1000E" in said
    desks.run("north", "operation", "cancel", own)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("none.csv",), "none.csv: No such file or directory"),
        (("--only", "OP-1", *CIRCLE), "--only: names plans of a FILE; give one"),
        (
            ("two.csv", "--circle", "34,35", "--radius", "1 NM"),
            "--circle, --radius: do not go with a FILE",
        ),
        (("desks.txt",), "is no suffix that is known"),
        ((*CIRCLE, "--class", "Foo Bar"), "'Foo Bar' is no name; give up to 64 small letters"),
    ],
)
def test_what_cannot_be_read_is_one_error(desks: Desks, words: tuple[str, ...], why: str) -> None:
    (desks.folder / "desks.txt").write_text("x", encoding="utf-8")

    said = desks.run("north", "operation", "file", *words, status=2)

    assert why in said
    assert "Traceback" not in said


class CutOff:
    """A post to whose second act there is no answer."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def act(self, _kind: str, payload: FileOperation) -> tuple[Part, ...]:
        self.sent.append(payload.operation.callsign)
        if len(self.sent) == 2:
            raise NoAnswer("exchange: gave no answer")
        return ()

    def told(self, _parts: Sequence[Part]) -> str:
        return "filed"


def test_where_there_is_no_answer_nothing_further_is_sent_and_it_says_which_are_not_filed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cut.csv"
    rows = [row(name, f"{place},35.1") for place, name in enumerate(("OP-1", "OP-2", "OP 3"), 30)]
    file.write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    found = filed_of(read("cut.csv", file.read_bytes()), Defaults(party="north"))
    post = CutOff()

    with pytest.raises(OperatorError) as refused:
        file_all(cast("AtDesk", post), "cut.csv", found)

    assert post.sent == ["OP-1", "OP-2"]
    assert str(refused.value) == (
        "3 operations in cut.csv\nOP-1\nfiled\nOP-2: exchange: gave no answer\n"
        "not filed: OP 3; file them with keepclear operation file cut.csv --only 'OP 3'"
    )
