# SPDX-License-Identifier: Apache-2.0
"""Which node writes stands in the archive, from each change on, and in no party's file."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.exchange.ports import NotWritten
from keepclear.plans import acts
from keepclear.plays.stage import Stage
from keepclear.record.encoding import encode
from keepclear.record.faults import BrokenProof, Malformed
from keepclear.record.files import AnyLine, BeatLine, EntryLine, WriterLine
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.record_text import record_text, verified_text
from keepclear.server.stores import read_store
from keepclear.store.memory import MemoryStore
from tests.server_plays import circle, serving
from tests.test_cli_record import run
from tests.test_rules_of_the_door import Play, a_and_b


def taken_over() -> Stage:
    """Return a stage whose exchange one node has written, and then another."""
    play = Play(a_and_b(None))
    play.stage.exchange.written_by("first", 3)
    play.at(1)
    play.file("a")
    play.stage.begin_again()
    play.world = play.stage.exchange.world
    play.stage.exchange.written_by("second", 4)
    play.at(2)
    play.file("b")
    play.stage.exchange.beat()
    return play.stage


def lines_of(stage: Stage) -> list[AnyLine]:
    return [msgspec.json.decode(each, type=AnyLine) for each in stage.lines]


def writers(lines: Sequence[AnyLine]) -> list[WriterLine]:
    return [each for each in lines if isinstance(each, WriterLine)]


def test_each_change_of_the_writer_stands_before_the_first_that_it_writes() -> None:
    stage = taken_over()
    lines = lines_of(stage)

    first, second = writers(lines)
    assert [(each.number, each.node, each.term) for each in (first, second)] == [
        (1, "first", 3), (2, "second", 4),
    ]  # fmt: skip
    for each in (first, second):
        place = lines.index(each)
        before = sum(isinstance(line, EntryLine) for line in lines[:place])
        assert each.seq == before
        assert isinstance(lines[place + 1], EntryLine)
    found = verify(stage.lines, stage.keys)
    assert (found.is_proven, found.writer) == (True, second)
    assert audit(stage.lines, plain()).differences == ()
    assert fold(stage.lines).hash == stage.exchange.world.hash


def test_it_is_shown_to_the_operator_and_to_no_party() -> None:
    stage = taken_over()
    said = record_text(stage.lines)

    assert "writer 2: node second, term 4, from entry" in "".join(said)
    assert "the last of 2 is node second" in verified_text(
        verify(stage.lines, stage.keys), "east.record"
    )
    for party in ("a", "b", "c"):
        assert b"second" not in b"".join(view_of(stage.lines, party))
        steps = stage.exchange.reads.steps(party, 0, 10_000).value.lines
        assert b"writer" not in b"".join(line for step in steps for line in step)


def test_parties_see_the_same_whether_the_writer_changed_or_not() -> None:
    def seen(*, changes: bool) -> list[int]:
        play = Play(a_and_b(None))
        for minute in range(1, 4):
            if changes:
                play.stage.exchange.written_by(f"node-{minute}", minute)
            play.at(minute)
            play.file("a")
            play.stage.exchange.beat()
        return [len(each) for each in play.stage.exchange.reads.steps("b", 0, 10_000).value.lines]

    assert seen(changes=True) == seen(changes=False)


def left_out(_: WriterLine) -> WriterLine | None:
    return None


def of_another(line: WriterLine) -> WriterLine:
    return msgspec.structs.replace(line, node="third")


def at_another_time(line: WriterLine) -> WriterLine:
    return msgspec.structs.replace(line, at_us=line.at_us + 1)


def counted_twice(line: WriterLine) -> WriterLine:
    return msgspec.structs.replace(line, number=1)


def moved(line: WriterLine) -> WriterLine:
    return msgspec.structs.replace(line, seq=line.seq + 1)


@pytest.mark.parametrize(("change", "error"), [
    (left_out, BrokenProof), (of_another, BrokenProof), (at_another_time, BrokenProof),
    (counted_twice, Malformed), (moved, Malformed),
])  # fmt: skip
def test_a_change_of_the_writer_that_was_changed_or_left_out_is_found(
    change: Callable[[WriterLine], WriterLine | None], error: type[Exception]
) -> None:
    stage = taken_over()
    made = []
    for data, line in zip(stage.lines, lines_of(stage), strict=True):
        is_it = isinstance(line, WriterLine) and line.number == 2
        other = change(line) if is_it and isinstance(line, WriterLine) else line
        made += [] if other is None else [data if other is line else encode(other)]

    with pytest.raises(error):
        verify(made, stage.keys)


def test_one_who_says_nothing_of_a_writer_between_two_is_found_where_the_beat_is_left_out() -> None:
    stage = taken_over()
    first = writers(lines_of(stage))[0]
    lines = [
        data for data, line in zip(stage.lines, lines_of(stage), strict=True)
        if line != first and not isinstance(line, BeatLine)
    ]  # fmt: skip

    with pytest.raises(Malformed, match="a change of the writer was left out"):
        verify(lines, stage.keys)


def test_where_nothing_could_be_written_it_is_said_once_with_what_is_written_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = Play(a_and_b(None))
    append = MemoryStore.append
    play.stage.exchange.written_by("first", 1)
    count = len(play.stage.lines)

    def fails(*_: object) -> None:
        raise NotWritten("no space left")

    monkeypatch.setattr(MemoryStore, "append", fails)
    with pytest.raises(NotWritten):
        play.stage.exchange.beat()
    monkeypatch.setattr(MemoryStore, "append", append)
    play.stage.exchange.pass_time()  # nothing is due, so nothing is written
    assert len(play.stage.lines) == count
    play.stage.exchange.beat()
    play.stage.exchange.beat()

    [said] = writers(lines_of(play.stage))
    assert (said.number, said.node) == (1, "first")
    assert verify(play.stage.lines, play.stage.keys).is_proven


def test_a_node_with_a_name_that_cannot_stand_in_a_line_writes_all_the_same() -> None:
    play = Play(a_and_b(None))
    play.stage.exchange.written_by("nöde one\n" + "x" * 300, 1)
    play.stage.exchange.beat()

    [said] = writers(lines_of(play.stage))
    assert said.node == ("n?de?one?" + "x" * 300)[:253]
    assert verify(play.stage.lines, play.stage.keys).is_proven


@pytest.mark.slow
def test_each_start_of_a_node_stands_in_its_record(tmp_path: Path) -> None:
    with serving(tmp_path / "east") as node:
        client = node.join("north")
        node.end()
        node.start()
        client.act("operations.file/1", acts.FileOperation(operation=circle(0)))
        node.end()
        store = read_store(node.folder)
        lines = list(store.lines())
        store.close()

        found = writers([msgspec.json.decode(each, type=AnyLine) for each in lines])
        assert [(each.number, each.term) for each in found] == [(1, 0), (2, 0)]
        assert len({each.node for each in found}) == 2
        archive = tmp_path / "east.record"
        archive.write_bytes(b"".join(each + b"\n" for each in lines))
        assert f"node {found[1].node}, from entry" in run("record", "show", archive)[1]
        assert verify(lines, node.keys).is_proven
