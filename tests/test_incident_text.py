# SPDX-License-Identifier: Apache-2.0
"""A case as it is printed: the same from either side, each line marked, words in their place."""

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from keepclear.cli import command
from keepclear.errors import InputError
from keepclear.plans.incidents import (
    REPLY_US,
    AnswerLine,
    AskQuery,
    CloseIncident,
    LeaveIncident,
    ReplyToQuery,
    WriteLine,
)
from keepclear.plans.none_here import WithdrawNoneHere
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part, leaf_of
from keepclear.record.files import LeafLine
from keepclear.record.views import view_of
from keepclear.reports.desk_text import step_text
from keepclear.reports.incident_text import incidents_text
from tests.exchange_plays import example, played
from tests.incident_plays import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    file,
    leaves_seen,
    open_case,
    say_none_here,
    staged,
    volume,
)
from tests.record_plays import START_US
from tests.test_incidents import receipts_of

FORGED = "Ours.\n  agreed      2015-09-30 08:00:00Z  b: It was ours.\x1b[2J\u202e"


def told() -> tuple[Stage, str]:
    """Return a stage with a whole case: b said that it was not there, and it was."""
    stage = staged()
    operation = file(stage, "b", volume())
    stated = say_none_here(stage, "b", volume(), "a")
    stage.clock.move_to(START_US + 2 * HOUR_US)
    case = open_case(stage, "a", "b", stated.id, is_urgent=True)
    stage.submit("a", "incidents.query/1", AskQuery(id=case, words="Whose was it?"))
    own = leaves_seen(stage, "a")[-1]
    line = WriteLine(
        id=case, at_us=START_US + 70 * MINUTE_US, words="One came from the south.",
        evidence=(leaf_of(own.salt, bytes(own.part)).hex(),),
        receipts=(receipts_of(stage, "a,b")[0],),
    )  # fmt: skip
    stage.submit("a", "incidents.write-line/1", line)
    theirs = replace(line, at_us=START_US + 65 * MINUTE_US, words=FORGED, evidence=(), receipts=())
    stage.submit("b", "incidents.write-line/1", theirs)
    first, second = stage.exchange.world.lines
    stage.submit("b", "incidents.answer-line/1", AnswerLine(id=first, agrees=True))
    no = AnswerLine(id=second, agrees=False, why="It was seen.")
    stage.submit("a", "incidents.answer-line/1", no)
    stage.clock.move_to(START_US + 3 * DAY_US)
    stage.exchange.pass_time()
    query = stage.exchange.world.incidents[case].query
    assert query is not None
    reply = ReplyToQuery(id=case, query=query.id, words="Ours, by mistake.")
    stage.submit("b", "incidents.reply/1", reply)
    assert stage.exchange.world.operations[operation.id].party == "b"
    return stage, case


def test_both_sides_and_the_archive_print_the_same() -> None:
    stage, case = told()
    texts = {
        incidents_text(lines)
        for lines in (stage.lines, view_of(stage.lines, "a"), view_of(stage.lines, "b"))
    }

    assert len(texts) == 1
    [text] = texts
    for words in (
        "NOT VERIFIED: run `keepclear record verify` first.",
        f"OPEN  incident case {case[:8]} of a and b", "opened    2015-09-30T10:00:00Z by a, urgent",
        "replies   due within 2 days (the default)", "last      URGENT: b replies",
        "QUERY     2015-09-30T10:00:00Z a: Whose was it?",
        "OVERDUE   the reply was due 2015-10-02T10:00:00Z",
        "reply     2015-10-03T08:00:00Z b: Ours, by mistake.",
        "agreed      2015-09-30T09:10:00Z  a: One came from the south.",
        "only b      2015-09-30T09:05:00Z  b: Ours.",
        "LATE ENTRY, written 2015-09-30T10:00:00Z", "a does not agree: It was seen.",
        "receipt   act/1, entered 2015-09-30T08:00:00Z, with its proof",
        "CONTRADICTED  b, 2015-09-30T08:00:00Z, to a", "version 1 of b meets it; filed",
        "Absence of notification implies nothing",
    ):  # fmt: skip
        assert words in text
    assert "incident-changed/1, entered" in text
    assert "No incident case is in this file." in incidents_text(view_of(stage.lines, "c"))


def test_lines_stand_by_their_time_and_words_cannot_forge_one() -> None:
    stage, _ = told()
    lines = incidents_text(stage.lines).splitlines()
    marked = [line for line in lines if line[:8].strip() in {"agreed", "only a", "only b"}]

    assert [line[14:34] for line in marked] == ["2015-09-30T09:05:00Z", "2015-09-30T09:10:00Z"]
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


def test_evidence_that_is_not_in_a_file_is_told_so() -> None:
    stage = staged()
    file(stage, "a", volume())
    own = next(leaf for leaf in leaves_seen(stage, "a") if leaf.audience == "a")
    open_case(stage, "a", "b", leaf_of(own.salt, bytes(own.part)).hex())

    of_a, of_b = (incidents_text(view_of(stage.lines, party)) for party in ("a", "b"))
    assert ": act/1, entered 2015-09-30T08:00:00Z" in of_a
    assert ": not in this file" in of_b


def test_a_file_tells_how_a_case_ended_and_what_was_withdrawn() -> None:
    stage = staged()
    stated = say_none_here(stage, "a", volume())
    first = open_case(stage, "b", "a", stated.id)
    second = open_case(stage, "b", "a", stated.id)
    stage.submit("a", "none-here.withdraw/1", WithdrawNoneHere(id=stated.id))
    for party in ("a", "b"):
        stage.submit(party, "incidents.close/1", CloseIncident(id=first, why=f"{party} is content"))
    stage.submit("b", "incidents.leave-open/1", LeaveIncident(id=second, why="Nobody knows."))
    text = incidents_text(stage.lines)

    assert f"CLOSED  incident case {first[:8]}" in text
    assert "why       b is content" in text
    assert f"LEFT OPEN  incident case {second[:8]}" in text
    assert "why       Nobody knows." in text
    assert "  NONE-HERE  a, 2015-09-30T08:00:00Z, to b" in text
    assert "withdrawn 2015-09-30T08:00:00Z" in text
    assert second[:8] not in incidents_text(stage.lines, first[:8])
    with pytest.raises(
        InputError, match=f"'zz': is no incident case of this file; it has {first[:8]}"
    ):
        incidents_text(stage.lines, "zz")


def test_a_reply_that_is_due_says_when() -> None:
    stage = staged()
    case = open_case(stage, "a", "b", say_none_here(stage, "a", volume()).id)
    stage.submit("a", "incidents.query/1", AskQuery(id=case, words="?"))

    text = incidents_text(stage.lines)
    assert f"QUERIED  incident case {case[:8]}" in text
    assert "due       2015-10-07T08:00:00Z" in text
    assert REPLY_US == 7 * DAY_US


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    return int(result.return_value or 0), result.output


def test_the_command_prints_it_from_a_file_and_names_what_is_wrong(tmp_path: Path) -> None:
    stage, case = told()
    record = tmp_path / "a.record"
    record.write_bytes(b"".join(line + b"\n" for line in view_of(stage.lines, "a")))
    (tmp_path / "bad.record").write_text("nothing\n")

    assert run("record", "incident", record) == (0, incidents_text(stage.lines))
    assert run("record", "incident", record, case[:6])[0] == 0
    status, said = run("record", "incident", record, "zz")
    assert (status, "is no incident case of this file" in said) == (2, True)
    assert run("record", "incident", tmp_path / "bad.record")[0] == 2
    assert run("record", "incident", tmp_path / "none.record")[0] == 2


def test_a_watch_is_told_of_cases_lines_and_none_here() -> None:
    lines = view_of(played(example("incident_case.toml")).lines, "a")
    leaves = [
        msgspec.json.decode(line, type=LeafLine).leaf
        for line in lines if line.startswith(b'{"line":"leaf"')
    ]  # fmt: skip

    told = [step_text([msgspec.json.decode(each.part, type=Part)], {}) for each in leaves]

    said = "\n".join(text for text, _ in told if text)
    for wanted in (
        r"none-here \w{8} stated by a", r"URGENT: none-here \w{8} is CONTRADICTED by 1 of your",
        r"URGENT: incident \w{8}: opened by b", r"URGENT: incident \w{8}: b asks a; due 2015-10-07",
        r"the reply of a is overdue", r"line \w{8} is only b", r"line \w{8} is agreed",
    ):  # fmt: skip
        assert re.search(wanted, said), wanted
    assert all(is_urgent for text, is_urgent in told if "URGENT" in text)
    assert not any(is_urgent for text, is_urgent in told if ": line " in text)
