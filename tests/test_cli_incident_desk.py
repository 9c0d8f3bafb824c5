# SPDX-License-Identifier: Apache-2.0
"""Incident cases between two desks, and none-here: what each types, and what each then reads."""

import re
import time

import pytest

from keepclear.units import format_time
from tests.desk_plays import CIRCLE, CORRIDOR, Desks
from tests.server_plays import HOUR_US

pytestmark = pytest.mark.slow


def earlier(hours: float) -> str:
    return f"{format_time(time.time_ns() // 1000 - round(hours * HOUR_US))[:19]}Z"


def test_a_case_from_a_conflict_to_its_end(desks: Desks) -> None:
    run = desks.run
    desks.filed("north", *CORRIDOR)
    [conflict] = re.findall(r"CONFLICT (\w{8})", run("south", "operation", "file", *CIRCLE))

    said = run("north", "incident", "open", conflict, "Whose was it?", "--other", "south",
               "--urgent")  # fmt: skip
    [case] = re.findall(r"OPEN  incident case (\w{8}) of north and south", said)
    assert f"about     conflict {conflict}" in said
    assert "it says   north: Whose was it?" in said

    said = run("north", "incident", "query", case, "Where did it turn back?")
    assert "QUERIED  incident case" in said
    assert "is queried, so it cannot query" in run(
        "north", "incident", "query", case, "And when?", status=2
    )
    said = run("south", "incident", "list")
    assert "QUERY " in said
    assert "north: Where did it turn back?" in said
    assert "NOT VERIFIED" not in said
    said = run("south", "incident", "reply", case, "At the river.")
    assert "reply " in said

    said = run("south", "incident", "line", case, "It turned back.", "--at", earlier(1))
    [line] = re.findall(r"only south .*\n +line (\w{8})", said)
    said = run("north", "incident", "disagree", line, "It was seen beyond it.")
    assert "north does not agree: It was seen beyond it." in said
    assert re.search(r"agreed +\d{4}", run("north", "incident", "agree", line))
    assert "is south's own; the other side answers" in run(
        "south", "incident", "agree", line, status=2
    )

    [leaf] = re.findall(r"(\w{16})  \S+  operation-filed/1", run("south", "incident", "parts"))
    run("south", "incident", "evidence", leaf, "proof.json")
    said = run("south", "incident", "line", case, "As filed.", "--at", earlier(2), "--receipt",
               "proof.json")  # fmt: skip
    assert "receipt   operation-filed/1, entered" in said
    assert "LATE ENTRY" in said
    assert "receipt   operation-filed/1" in run("north", "incident", "list", case)
    shared = re.findall(r"(\w{16})  \S+  act/1", run("north", "incident", "parts"))[-1]
    assert "evidence  " + shared in run(
        "north", "incident", "line", case, "As we said.", "--at", earlier(0.5), "--evidence",
        shared,
    )  # fmt: skip

    said = run("south", "incident", "leave-open", case, "No more is known.")
    assert "LEFT OPEN" in said
    assert "south would close it" in run("south", "incident", "close", case)
    assert "CLOSED" in run("north", "incident", "close", case, "--why", "settled")
    assert "open another about the same" in run(
        "north", "incident", "query", case, "More?", status=2
    )


def test_none_here_is_stated_contradicted_and_withdrawn(desks: Desks) -> None:
    run = desks.run
    where = ("--circle", "33.0,35.9", "--radius", "3 NM")
    said = run("south", "line", "none-here", "--to", "north", *where, "--lasts", "3 h")
    [statement] = re.findall(r"NONE-HERE (\w{8})  south", said)
    assert f"NONE-HERE {statement}  south" in run("north", "incident", "list")

    desks.filed("south", *where, "--start", "+1 h", "--lasts", "1 h")
    assert f"CONTRADICTED {statement}  south" in run("south", "incident", "list")
    assert f"NONE-HERE {statement}  south" in run("north", "incident", "list")  # not told

    said = run("north", "incident", "open", statement, "Is that so?", "--other", "south")
    [case] = re.findall(r"incident case (\w{8})", said)
    assert f"CONTRADICTED {statement}  south" in run("north", "incident", "list", case)
    assert "withdrawn " in run(
        "south", "line", "withdraw-none-here", statement, "--why", "a mistake"
    )
    circle = ("--to", "north", "--circle", "33,35", "--lasts", "1 h")
    assert "give --radius" in run("south", "line", "none-here", *circle, status=2)
    assert "above 6 h" in run(
        "south", "line", "none-here", "--to", "north", *where, "--lasts", "7 h", status=2
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("open", "00000000", "What?", "--other", "south"), "thing '00000000': begins 0 of"),
        (("query", "00000000", "What?"), "case '00000000': begins 0 of"),
        (("agree", "00000000"), "line '00000000': begins 0 of"),
        (("evidence", "00000000", "p.json"), "part '00000000': begins 0 hashes"),
        (("list", "00000000"), "is no incident case of this file"),
    ],
)
def test_what_is_not_there_is_one_error(desks: Desks, words: tuple[str, ...], why: str) -> None:
    said = desks.run("north", "incident", *words, status=2)

    assert why in said
    assert "Traceback" not in said
