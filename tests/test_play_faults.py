# SPDX-License-Identifier: Apache-2.0
"""What a play gets wrong is told by the field's name, the value as written, and the way out."""

import errno
import os
from pathlib import Path

import pytest

from keepclear.cli.output import write_text
from tests.exchange_plays import EXAMPLES, example
from tests.test_cli_record import run

CASE = "incident_case.toml"
CIRCLE = 'shape = { kind = "circle", centre = [10.20, -30.40], radius = "15 NM" }'
FILED = 'operation = "B1"\narea = "strait"'
STATED = 'at = "0 min"'


def circle(**changed: str) -> str:
    """Return the circle with some of its fields otherwise."""
    fields = {"kind": '"circle"', "centre": "[10.20, -30.40]", "radius": '"15 NM"', **changed}
    return f"shape = {{ {', '.join(f'{name} = {value}' for name, value in fields.items())} }}"


FAULTS = [
    (CIRCLE, circle(radius="5"), "areas.strait.shape.radius 5: is no text; write it in quotes"),
    (CIRCLE, circle(kind='"blob"'), "shape.kind 'blob': is none that is known; one of circle, "),
    (CIRCLE, circle(foo="1"), "areas.strait.shape.foo 1: is no field here; leave it out"),
    (CIRCLE, 'shape = { kind = "circle", radius = "5 NM" }', "shape.centre '': is needed; give it"),
    (CIRCLE, 'shape = "round"', "areas.strait.shape 'round': is no table"),
    (CIRCLE, circle(centre='["x", 1.0]'), "areas.strait.shape.centre[0] 'x': is no number"),
    (CIRCLE, circle(centre="[1.0]"), "shape.centre [1.0]: is 1 long, not 2; give 2"),
    (CIRCLE, circle(centre="[nan, 1.0]"), "areas.strait.shape.centre[0] nan: is no number"),
    (CIRCLE, circle(centre="[1.0, -inf]"), "areas.strait.shape.centre[1] -inf: is no number"),
    (CIRCLE, circle(radius='"-5 NM"'), "areas.strait.shape.radius '-5 NM': is not above 0"),
    (CIRCLE, circle(radius='"0 km"'), "areas.strait.shape.radius '0 km': is not above 0"),
    (CIRCLE, circle(radius=f'"{"9" * 70} NM"'), "...': has more than 60 characters; write less"),
    ('lower = "FL100"', 'lower = "SFC"', "'SFC': is no height, but no limit; leave lower out"),
    ('lower = "FL100"', 'lower = "gnd"', "areas.strait.lower 'gnd': is no height, but no limit"),
    ('upper = "FL300"', 'upper = "UNL"', "'UNL': is no height, but no limit; leave upper out"),
    (FILED, f"{FILED}\ncount = 1001", "acts[1].count 1001: is above 1000; give 1000 or less"),
    (FILED, f"{FILED}\ncount = 0", "acts[1].count 0: is below 1; give 1 or more"),
    (FILED, f'{FILED}\ncount = "3"', "acts[1].count '3': is no number; write a number without"),
    (FILED, f'{FILED}\ncraft = "ufo"', "acts[1].craft 'ufo': is none that is known; one of manned"),
    (FILED, f'{FILED}\ncraft_class = "A B"', "acts[1].craft_class 'A B': is no name; use up to 64"),
    (FILED, f'{FILED}\nwhy = "x"', "acts[1].why 'x': does nothing in file; leave it out"),
    (FILED, f'operation = "B1"\narea = {["strait"] * 201}',
     "area '201 areas': are more than 200; file several"),
    (STATED, 'at = "-5 min"', "acts[0].at '-5 min': is before the start; give a time after it"),
    ('start = "2015-10-05T06:00:00Z"', 'start = "2015-10-05T06:00:00Z"\nhouse = "foo"',
     "house 'foo': lateral 'foo': is not a number with its unit"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), FAULTS, ids=[each[2][:45] for each in FAULTS])
def test_a_fault_of_a_play_names_its_field_its_value_and_the_way_out(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = example(CASE)
    assert old in text
    file = tmp_path / "bad.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")

    status, err = run("play", str(file))

    assert status == 2
    assert said in err
    for words in ("module", "Expected", "mend it", " '': Object"):
        assert words not in err


def test_a_record_for_a_folder_that_is_not_there_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"

    status, err = run("play", str(EXAMPLES / CASE), "--record", str(folder / "x"))

    assert status == 2
    assert err == f"Error: {folder}: there is no such folder; check its name\n"


def test_what_cannot_be_written_is_named_as_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", ".x.1.tmp")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left") as refused:
        write_text(str(tmp_path / "x"), "words")
    assert refused.value.filename == str(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
