# SPDX-License-Identifier: Apache-2.0
"""Plays on the in-memory exchange, and the command that tells them."""

from pathlib import Path

import pytest

from keepclear.formats.play import read_play
from keepclear.record.files import KeysFile
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.play_text import played_text
from tests.exchange_plays import EXAMPLES, example, played
from tests.test_cli_record import run

CROSS = "two_plans_cross.toml"


def told(text: str, viewer: str | None = None) -> str:
    """Return a play as its story."""
    done = played(text)
    lines = done.lines if viewer is None else list(view_of(done.lines, viewer))
    return played_text(read_play(text.encode(), "play"), done, lines, viewer)


def test_two_plans_cross_is_the_whole_life_in_under_60_lines() -> None:
    text = example(CROSS)

    assert len(text.splitlines()) < 60
    story = told(text)
    for words in (
        "the agreement is in force: 19 clauses hold", "N1 is accepted",
        "CONFLICT C1 of N1 and S1 is raised", "S1 must act (clause 3.1)",
        "told the owner of N1, notice 1: C1 is raised", "SOUTH proposes that S1 goes 2 h later",
        "C1 is resolved", "S1 is accepted",
    ):  # fmt: skip
        assert words in story


@pytest.mark.parametrize("viewer", [None, "north", "south"])
def test_the_record_of_a_play_proves_what_is_told(viewer: str | None) -> None:
    done = played(example(CROSS))
    lines = done.lines if viewer is None else list(view_of(done.lines, viewer))

    found = verify(lines, done.keys)

    assert found.is_proven
    assert found.acts == {None: 6, "north": 5, "south": 5}[viewer]
    assert verify(lines, None).is_proven is False
    assert verify(lines, KeysFile(exchange=done.keys.exchange, documents=done.keys.documents))


def test_a_party_sees_nothing_of_the_others_acts_on_its_own_operation() -> None:
    south = told(example(CROSS), "south")

    assert "TRAINER 11" not in south
    assert "N1" not in south
    assert "NORTH files" not in south


def test_the_play_is_told_and_its_record_proven_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    status, said = run("play", EXAMPLES / CROSS, "--as", "south", "--record", "cross.record")

    assert status == 0
    assert "what south sees, and nothing else" in said
    assert run("record", "verify", "cross.record", "--keys", "cross.record.keys")[0] == 0
    assert run("record", "verify", "cross.record")[0] == 3
    assert run("play", EXAMPLES / CROSS, "--as", "east")[0] == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('does = "accept"', 'does = "target"'), "is nothing to do here; one of accept"),
        (('at = "24 min"', 'at = "2 min"'), "is before the act before it; order them by time"),
        (('by = "north"', 'by = "east"'), "is no party of the play; one of north, south"),
        (('area = "coast"', 'area = "sea"'), "is no area of the play; one of coast, valley"),
        (('title = "EX', 'titel = "EX'), "unknown field `titel`"),
        (("[areas.coast]", "[areas.coast"), "play"),
    ],
)
def test_a_play_with_a_fault_is_refused_with_its_place(change: tuple[str, str], why: str) -> None:
    text = example(CROSS)
    assert change[0] in text

    with pytest.raises(ValueError, match=why):
        read_play(text.replace(*change, 1).encode(), "play")
