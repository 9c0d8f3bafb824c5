# SPDX-License-Identifier: Apache-2.0
"""A desk with no network: it signs into a file, somebody hands it in, the answer comes by file."""

import json
import re
import stat
from pathlib import Path

import pytest

from keepclear.cli.apart import _as_of
from keepclear.record.entries import Part
from tests.desk_plays import CIRCLE, CORRIDOR, Desks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desks(desks: Desks) -> Desks:
    for each in ("north", "south"):
        desks.run(each, "conflicts")  # it was at the exchange once
    return desks


def apart(desks: Desks, *, is_so: bool) -> None:
    """Cut the line of north's desk, or mend it."""
    file = desks.folder / "north" / "desk.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    said["exchange"] = "http://127.0.0.1:1" if is_so else desks.node.parties
    file.write_text(json.dumps(said), encoding="utf-8")


def sign(desks: Desks, file: str, *words: str) -> str:
    """Sign at north's desk, which reaches nobody; return what is printed."""
    apart(desks, is_so=True)
    try:
        return desks.run("north", "act", "sign", file, *words)
    finally:
        apart(desks, is_so=False)


def hand_in(desks: Desks, file: str, answer: str, status: int = 0) -> str:
    """Hand in what north has signed, at a machine that has nothing of north's."""
    return desks.run(
        "nobody", "submit", file, "--output", answer, "--exchange", desks.node.parties,
        status=status,
    )  # fmt: skip


def take_in(desks: Desks, answer: str, status: int = 0) -> str:
    """Take in an answer at north's desk, which reaches nobody."""
    apart(desks, is_so=True)
    try:
        return desks.run("north", "act", "receipt", answer, status=status)
    finally:
        apart(desks, is_so=False)


def test_an_operation_is_filed_by_file_and_its_conflict_comes_back_proven(desks: Desks) -> None:
    theirs = desks.filed("south", *CIRCLE)

    said = sign(desks, "act-1.json", "operation", "file", *CORRIDOR)
    assert re.search(r"signed operations.file \w{8} at .*Z by this machine's clock", said)
    assert "keepclear submit act-1.json" in said
    assert stat.S_IMODE((desks.folder / "act-1.json").stat().st_mode) == 0o600
    said = hand_in(desks, "act-1.json", "answer-1.json")
    assert re.search(r"operations.file \w{8}: done", said)
    said = take_in(desks, "answer-1.json")

    [own] = re.findall(r"operation (\w{8}), version 1", said)
    [conflict] = re.findall(rf"CONFLICT (\w{{8}}) of your {own} with {theirs} of south", said)
    assert "is shown and proven" in said
    assert not list((desks.folder / "north" / "unanswered").iterdir())

    said = sign(desks, "act-2.json", "ack", conflict)  # of what was brought, with no network
    hand_in(desks, "act-2.json", "answer-2.json")
    assert "seen by     north" in take_in(desks, "answer-2.json")
    assert "seen by     north" in desks.run("south", "conflicts", conflict)
    for who, each in (("north", own), ("south", theirs)):
        desks.run(who, "operation", "cancel", each)


def test_handed_in_and_taken_in_twice_it_is_done_once(desks: Desks) -> None:
    sign(desks, "twice.json", "operation", "file", *CIRCLE)

    hand_in(desks, "twice.json", "first.json")
    hand_in(desks, "twice.json", "second.json")
    first, second = take_in(desks, "first.json"), take_in(desks, "second.json")

    assert first.count("version 1") == second.count("version 1") == 1
    listed = desks.run("north", "operation", "list")
    assert listed.count("operation ") == 1
    [own] = re.findall(r"operation (\w{8})", listed)
    desks.run("north", "operation", "cancel", own)


def test_what_is_refused_comes_back_as_the_word_of_who_handed_it_in(desks: Desks) -> None:
    own = desks.filed("north", *CIRCLE)
    sign(desks, "end.json", "operation", "cancel", own)
    desks.run("north", "operation", "cancel", own)

    done = desks.printed("nobody", "submit", "end.json", "--output", "refused.json", "--exchange",
                         desks.node.parties)  # fmt: skip
    assert done.returncode == 2
    assert "NOT DONE: operation" in done.stdout
    done = desks.printed("north", "act", "receipt", "refused.json")
    assert done.returncode == 2
    assert "NOT DONE, as who handed it in says" in done.stdout


@pytest.mark.parametrize("steps", [[], [()], [(), ()]])
def test_steps_that_hold_checkpoints_alone_are_nothing_new(steps: list[tuple[Part, ...]]) -> None:
    assert _as_of(steps) == "nothing else is new in what was brought"


def test_what_is_new_is_brought_without_any_act(desks: Desks) -> None:
    ours = desks.filed("north", *CORRIDOR)
    desks.run("north", "act", "ask", "ask.json")
    theirs = desks.filed("south", *CIRCLE)

    hand_in(desks, "ask.json", "news.json")
    said = take_in(desks, "news.json")

    assert f"of your {ours} with {theirs} of south: raised" in said
    for who, each in (("north", ours), ("south", theirs)):
        desks.run(who, "operation", "cancel", each)


def test_answers_that_were_changed_or_belong_elsewhere_are_refused(desks: Desks) -> None:
    sign(desks, "act-3.json", "operation", "file", *CIRCLE)
    hand_in(desks, "act-3.json", "answer-3.json")
    file = desks.folder / "answer-3.json"
    whole = json.loads(file.read_bytes())
    [page] = whole["steps"]

    def changed(**values: object) -> str:
        (desks.folder / "changed.json").write_text(
            json.dumps({**whole, **values}, separators=(",", ":"), ensure_ascii=False),
            encoding="utf-8",
        )
        return take_in(desks, "changed.json", status=2)

    receipts = whole["answers"][0]["receipts"]
    other = {**receipts[0], "salt": receipts[1]["salt"]}
    answer = {**whole["answers"][0], "receipts": [other, *receipts[1:]]}
    assert "leads to another root than was signed" in changed(answers=[answer])
    assert "do not begin with the act that was sent" in changed(
        answers=[{**whole["answers"][0], "receipts": receipts[1:]}]
    )
    lines = page["lines"]
    [*_, last] = [n for n, step in enumerate(lines) if any("leaf" in line for line in step)]
    missing = {**page, "last": page["last"] - len(lines) + last, "lines": lines[:last]}
    assert "something is held back" in changed(steps=[missing])
    assert "some were left out" in changed(
        answers=[{**whole["answers"][0], "receipts": receipts[:1]}]
    )
    assert "has no answers" in changed(format="keepclear-acts/1")
    for said in (
        whole,
        {**whole, "answers": [{"act": whole["answers"][0]["act"], "refused": "no"}]},
    ):
        (desks.folder / "changed.json").write_text(json.dumps(said, ensure_ascii=False))
        refused = desks.run("south", "act", "receipt", "changed.json", status=2)
        assert "is of north, and this is a desk of south" in refused
    assert "version 1" in take_in(desks, "answer-3.json")
    [own] = re.findall(r"operation (\w{8})", desks.run("north", "operation", "list"))
    desks.run("north", "operation", "cancel", own)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("act", "sign", "new.json", "key", "show", "east/region.keys.json"), "key: signs nothing"),
        (("act", "sign", "--lasts", "25 h", "new.json", "ack"), "is not above 0 and at most 24 h"),
        (("act", "sign", "east/region.keys.json", "ack"), "is there already; give another name"),
        (("act", "sign", "new.json", "operation", "end", "zzzz"), "begins 0 of"),
        (("act", "sign", "new.json", "nothing"), "No such command 'nothing'"),
        (("act", "sign", "new.json", "restored", "show"), "to where the exchange is reached"),
        (("act", "sign", "new.json", "restored", "accept"), "to where the exchange is reached"),
        (("act", "sign", "new.json", "restored", "hand-in"), "to where the exchange is reached"),
        (("submit", "east/region.keys.json", "--output", "a.json"), "has no acts"),
        (("act", "receipt", "none.json"), "No such file"),
    ],
)
def test_what_cannot_be_signed_or_handed_in_says_why(
    desks: Desks, words: tuple[str, ...], why: str
) -> None:
    said = desks.run("north", *words, status=2)

    assert why in said
    assert "Traceback" not in said
    assert not (desks.folder / "new.json").exists()


def test_a_desk_that_was_never_at_its_exchange_says_so(desks: Desks, tmp_path: Path) -> None:
    for name in ("desk.json", "believed.json"):
        (tmp_path / name).write_bytes((desks.folder / "north" / name).read_bytes())

    said = desks.run(
        "north", "act", "sign", "new.json", "operation", "file", *CIRCLE, "--home", str(tmp_path),
        status=2,
    )  # fmt: skip

    assert "was never asked from here, so its region is not known" in said


def test_a_message_is_sent_acknowledged_and_answered_by_file(desks: Desks) -> None:
    said = sign(desks, "say.json", "line", "send", "south", "We fly at 10.", "--precedence",
                "urgent")  # fmt: skip
    assert "signed line.send" in said
    hand_in(desks, "say.json", "say-answer.json")
    desks.run("south", "line", "send", "north", "So do we.")
    take_in(desks, "say-answer.json")
    desks.run("south", "line", "read", "--shown")

    assert "We fly at 10." in desks.run("south", "line", "read")
    read = sign(desks, "mayday.json", "line", "send", "south", "x", "--precedence", "distress")
    assert "signed distress" in read
    hand_in(desks, "mayday.json", "mayday-answer.json")
    assert "DISTRESS (MAYDAY)" in desks.run("south", "line", "read")


def test_a_slip_is_no_act(desks: Desks) -> None:
    desks.run("north", "act", "ask", "slip.json")
    given = json.loads((desks.folder / "slip.json").read_bytes())
    given["acts"] = [given["slip"]]
    (desks.folder / "as-act.json").write_text(json.dumps(given), encoding="utf-8")

    done = desks.printed("nobody", "submit", "as-act.json", "--output", "as-act.answer.json")

    assert "NOT DONE: act.payload of session.carry/1, kind" in done.stdout
    assert done.returncode == 2
