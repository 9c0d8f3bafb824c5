# SPDX-License-Identifier: Apache-2.0
"""The folder of a post: what several commands at once keep there, and what is broken in it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from keepclear.cli import post_folder
from keepclear.cli.post_folder import FolderChanged, PostFolder
from keepclear.client import KeptStep, Seen
from keepclear.errors import OperatorError
from keepclear.exchange.picture import Picture
from keepclear.exchange.views import Notice
from keepclear.record.encoding import encode
from keepclear.record.faults import SplitView
from keepclear.record.keys import Signer
from keepclear.record.notes import Checkpoint, sign_note
from keepclear.record.parts import seal_exchange_key
from tests.test_exchange_agreements import Keys
from tests.test_reads import played

DESK: dict[str, str] = {
    "format": "keepclear-desk/1", "exchange": "http://127.0.0.1:1", "party": "a", "post": "watch",
    "status": "Exercise", "key": "a.watch.private.json",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "desk.json").write_bytes(encode(DESK))
    return tmp_path


def note_of(size: int) -> str:
    """Return a checkpoint of so many leaves."""
    text = Checkpoint("keepclear/exercise/1/a", size, bytes([size]) * 32).text
    return sign_note(text, "exchange.example/exercise", Signer(bytes(32)))


def seen_at(step: int, incarnation: int = 1) -> Seen:
    """Return what is seen after so many steps."""
    return Seen(
        region="exercise", incarnation=incarnation, step=step, notes={"a": note_of(step)}
    )  # fmt: skip


def steps(first: int, last: int, word: str = "line") -> list[KeptStep]:
    """Return steps from one number to another, a line each."""
    return [KeptStep(each, (b"%b %d" % (word.encode(), each),)) for each in range(first, last + 1)]


def lines_in(home: Path) -> list[bytes]:
    return (home / "record.jsonl").read_bytes().splitlines()


def test_what_two_commands_keep_at_once_stands_there_once_and_the_newer_stays(home: Path) -> None:
    watch, ack = PostFolder(str(home)), PostFolder(str(home))
    watch.keep(steps(1, 2), seen_at(2))
    watch.keep(steps(3, 6), seen_at(6))

    ack.keep(steps(3, 4), seen_at(4))  # it began after two steps, and ends after the watch
    assert ack.kept().seen == seen_at(6)
    ack.keep(steps(3, 8), seen_at(8))
    watch.keep(steps(7, 7), seen_at(7))

    assert watch.kept().seen == seen_at(8)
    assert lines_in(home) == [line for each in steps(1, 8) for line in each.lines]


def test_lines_that_were_given_otherwise_to_another_command_are_not_gone_on_from(
    home: Path,
) -> None:
    watch, ack = PostFolder(str(home)), PostFolder(str(home))
    watch.keep(steps(1, 2), seen_at(2))
    watch.keep(steps(3, 4), seen_at(4))
    before = (home / "record.jsonl").read_bytes()

    with pytest.raises(SplitView, match="the operator shows two records; keep this folder"):
        ack.keep([*steps(3, 3), *steps(4, 4, "lied"), *steps(5, 5)], seen_at(5))

    assert (home / "record.jsonl").read_bytes() == before
    assert ack.kept().seen == seen_at(4)


def test_a_checkpoint_that_is_ahead_of_the_lines_is_kept_by_whoever_keeps_more(home: Path) -> None:
    folder = PostFolder(str(home))
    folder.keep(steps(1, 2), seen_at(2))
    ahead = msgspec.structs.replace(seen_at(2), notes={"a": note_of(9)})

    folder.keep([], ahead)
    folder.keep(steps(3, 4), seen_at(4))

    assert folder.kept().seen.notes == {"a": note_of(9)}


def test_what_is_locked_is_waited_for_and_then_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_folder, "WAIT_S", 0.1)
    one, other = PostFolder(str(home)), PostFolder(str(home))

    with one.locked():
        one.keep(steps(1, 1), seen_at(1))  # its own lock holds it up in nothing
        with pytest.raises(OperatorError, match="is in use by another process"):
            other.keep(steps(1, 2), seen_at(2))
    other.keep(steps(1, 2), seen_at(2))

    assert lines_in(home) == [b"line 1", b"line 2"]


def test_a_record_without_seen_json_is_not_written_over(home: Path) -> None:
    folder = PostFolder(str(home))
    folder.keep(steps(1, 3), seen_at(3))
    (home / "seen.json").unlink()
    before = (home / "record.jsonl").read_bytes()

    with pytest.raises(OperatorError, match=r"type mv \S+record.jsonl \S+record.1.jsonl, and run"):
        folder.kept()
    with pytest.raises(OperatorError, match=r"is there without seen\.json"):
        folder.keep(steps(1, 3), seen_at(3))

    assert (home / "record.jsonl").read_bytes() == before


def test_what_was_cut_off_is_cut_away_and_what_is_lost_is_said(home: Path) -> None:
    folder = PostFolder(str(home))
    folder.keep(steps(1, 2), seen_at(2))
    record = home / "record.jsonl"
    with record.open("ab") as half:
        half.write(b'{"line":"le')
    folder.keep(steps(3, 3), seen_at(3))
    assert lines_in(home) == [b"line 1", b"line 2", b"line 3"]

    record.write_bytes(record.read_bytes()[:-1])
    (home / "seen.1.json").touch()
    with pytest.raises(OperatorError, match="fewer than the 21 that were proven") as lost:
        folder.kept()
    moves = f"mv {home}/seen.json {home}/seen.2.json && mv {record} {home}/record.1.jsonl"
    assert f"type {moves}, and run this again" in str(lost.value)


def test_a_power_cut_between_lines_and_seen_json_writes_them_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = PostFolder(str(home))
    whole = folder._write

    def cut(name: str, value: Any) -> None:  # noqa: ANN401 as it is written
        if name == "seen.json" and value.seen.step:
            raise OSError("cut")
        whole(name, value)

    monkeypatch.setattr(folder, "_write", cut)
    with pytest.raises(OSError, match="cut"):
        folder.keep(steps(1, 2, "other"), seen_at(2))
    again = PostFolder(str(home))

    assert again.kept().seen == Seen()
    again.keep(steps(1, 2), seen_at(2))
    assert lines_in(home) == [b"line 1", b"line 2"]


@pytest.mark.parametrize("seen", [seen_at(5), seen_at(5, incarnation=2)])
def test_a_command_that_ran_while_the_files_were_moved_away_begins_anew(
    home: Path, seen: Seen
) -> None:
    folder = PostFolder(str(home))
    folder.keep(steps(1, 4), seen_at(4))
    if seen.incarnation == 1:
        for name in ("seen.json", "record.jsonl"):
            (home / name).rename(home / f"moved.{name}")

    with pytest.raises(FolderChanged, match="was moved away or set back while this ran"):
        folder.keep(steps(5, 5), seen)


def read_all(folder: PostFolder) -> None:
    """Read each file that there is."""
    folder.desk()
    folder.kept()
    folder.shown(1)
    folder.unanswered()


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("desk.json", b"{", "cannot be read .*; write it again with keepclear post setup"),
        ("desk.json", b"\xff", "cannot be read"),
        ("desk.json", b"[" * 10_000, "cannot be read"),
        ("desk.json", encode({**DESK, "status": "Real"}), "status"),
        ("desk.json", encode({**DESK, "exchange": "east"}), "exchange"),
        ("desk.json", encode({k: v for k, v in DESK.items() if k != "party"}), "party"),
        ("seen.json", b"{}", r"cannot be read .*; type mv \S+/seen.json \S+/seen.1.json, and run"),
        ("shown.json", b"no", "and look at all of it again"),
        ("unanswered/00.json", b"no", "move it away, and look whether it was done"),
    ],
)
def test_a_file_that_is_broken_is_named_with_the_way_out(
    home: Path, name: str, data: bytes, why: str
) -> None:
    (home / "unanswered").mkdir()
    (home / name).write_bytes(data)
    folder = PostFolder(str(home))

    with pytest.raises(OperatorError, match=why) as fault:
        read_all(folder)
    assert str(fault.value).startswith(str(home / name))


def notices_of(stage: Keys) -> tuple[Notice, Picture]:
    """Return the notice to a, and its picture."""
    [told] = stage.exchange.reads.conflicts("a").value
    operations = {each.id: each for each in stage.exchange.reads.operations("a").value}
    return told, Picture("a", operations, {told.conflict: told})


def test_what_was_printed_last_is_kept_and_nothing_of_what_is_over(home: Path) -> None:
    stage, ours, _ = played()
    told, picture = notices_of(stage)
    folder = PostFolder(str(home))
    older = msgspec.structs.replace(told, number=told.number - 1, state="other")

    folder.show(1, [told], picture.operations.values(), picture)
    folder.show(1, [older], [], picture)

    shown = folder.shown(1)
    assert shown.conflicts == {told.conflict: told}
    assert shown.operations[ours].ovn == picture.operations[ours].ovn
    assert folder.shown(2).conflicts == {}
    over = Picture("a", {}, {})
    folder.show(1, [told], [], over)
    assert (folder.shown(1).conflicts, folder.shown(1).operations) == ({}, {})


def test_what_another_command_has_printed_of_something_newer_stays(home: Path) -> None:
    stage, _, _ = played()
    told, picture = notices_of(stage)
    watch, ack = PostFolder(str(home)), PostFolder(str(home))
    older = Picture("a", {}, {})  # of a command that began before there was a conflict
    seen = msgspec.structs.replace(seen_at(2), conflicts=picture.conflicts)
    watch.keep(steps(1, 2), seen)
    watch.show(1, [told], [], picture)

    ack.show(1, [], [], older)

    assert watch.shown(1).conflicts == {told.conflict: told}


def test_what_was_not_answered_is_kept_in_its_order_until_it_is(home: Path) -> None:
    stage, _, _ = played()
    folder = PostFolder(str(home))
    assert folder.unanswered() == []
    sent = []
    for minute in range(3):
        stage.clock.move_to(stage.clock.now_us() + minute * 60_000_000)
        from_us = stage.clock.now_us()
        sent.append(stage.envelope("a", "operations.end/1", Seen(), signed_us=from_us))  # type: ignore[arg-type]
        folder.wait_for(sent[-1])

    assert folder.unanswered() == sent
    folder.answered(sent[1])
    folder.answered(sent[1])
    assert PostFolder(str(home)).unanswered() == [sent[0], sent[2]]


def test_the_key_that_the_exchange_goes_on_with_stays_when_a_backup_is_accepted(
    home: Path,
) -> None:
    folder, old, new = PostFolder(str(home)), Signer(bytes(32)), Signer(bytes(range(32)))
    change = seal_exchange_key("exercise", "exchange.example/exercise", old, new)
    folder.keep(steps(1, 2), msgspec.structs.replace(seen_at(2), followed=(change,)))

    folder.accept("exercise", 2)

    assert folder.kept().seen == Seen(region="exercise", incarnation=2, followed=(change,))


def test_a_post_signs_with_another_key_and_is_the_same_post(home: Path) -> None:
    folder = PostFolder(str(home))
    before = folder.desk()

    folder.sign_with("/keys/a.watch-2.private.json")

    assert folder.desk() == msgspec.structs.replace(before, key="/keys/a.watch-2.private.json")
