# SPDX-License-Identifier: Apache-2.0
"""`keepclear line stop` as two posts type it: what each learns, what is asked, how it ends."""

import re
from typing import Final

import pytest

from tests.desk_plays import Desks
from tests.test_cli_line import desks as desks  # noqa: PLC0414 the fixture

WHERE: Final = (
    "--circle", "33.50,38.62", "--radius", "2 km", "--lower", "0 ft AMSL", "--upper",
    "5000 ft AMSL", "--lasts", "2 h",
)  # fmt: skip
WORDS: Final = "Cease activity, our people are there."


def sent(desks: Desks, *more: str) -> str:
    """Let north send a STOP to south, and return the short id of it."""
    said = desks.run("north", "line", "stop", "south", WORDS, *WHERE, "--yes", *more)
    found = re.search(r"STOP ([0-9a-f]{8}) to south is in force", said)
    assert found, said
    return found[1]


def test_a_stop_is_sent_read_in_a_frame_and_ended(desks: Desks) -> None:
    own = sent(desks)

    read = desks.run("south", "line", "read", "--shown")
    assert re.search(r"(?m)^#+ STOP #+$", read)
    assert f'says        "{WORDS}" (en)' in read
    assert "keep out of" in read
    assert f"STOP {own} to south is in force" in desks.run("north", "line", "read")
    assert "is in force" in desks.run("north", "line", "renew", own)
    assert f"STOP {own} to south has ended" in desks.run("north", "line", "stop-end", own)
    assert "has ended; nobody need keep out" in desks.run("south", "line", "read", "--all")
    assert own not in desks.run("north", "line", "read")
    said = desks.run("north", "line", "stop-end", own, status=2)
    assert "has ended" in said


def test_stops_are_listed_as_each_party_knows_them_and_nothing_is_claimed(desks: Desks) -> None:
    own = sent(desks)
    desks.run(
        "south", "operation", "file", "--circle", "33.53,38.62", "--radius", "1 km", "--lower",
        "0 ft AMSL", "--upper", "1000 ft AMSL", "--start", "+10 min", "--lasts", "30 min",
    )  # fmt: skip
    mine, theirs = desks.run("north", "line", "stops"), desks.run("south", "line", "stops")

    assert mine.startswith("STOPs that stand: 1 of north, 0 sent to it; areas that its operations")
    assert f"STOP {own} to south is in force, grown by 5 km" in mine
    assert "must keep out of: 0" in mine
    assert theirs.startswith("STOPs that stand: 0 of south, 1 sent to it")
    assert f'"{WORDS}"; NOT ACKNOWLEDGED' in theirs
    assert "KEEP OUT\n  operation" in theirs
    assert own not in theirs
    message = re.findall(r"message (\w{8}) from north", theirs)[-1]
    assert not re.search(r"displayed +\d\d:", desks.run("north", "line", "show", message))
    desks.run("north", "line", "stop-end", own)
    for each in desks.run("south", "operation", "list").splitlines():
        for found in re.findall(r"operation (\w{8})", each):
            desks.run("south", "operation", "end", found)
    assert "STOP, has ended" not in desks.run("south", "line", "stops")
    assert "STOP, has ended" in desks.run("south", "line", "stops", "--all")
    assert f"STOP {own} to south has ended" in desks.run("north", "line", "stops", "--all")


def test_what_each_will_learn_is_printed_and_nothing_is_sent_unless_it_is_said(
    desks: Desks,
) -> None:
    words = "These words are never sent."
    done = desks.printed("north", "line", "stop", "south", words, *WHERE)

    assert done.returncode != 0
    assert "STOP to south" in done.stdout
    assert "grown by    5 km on every side" in done.stdout
    assert "2 km" not in done.stdout
    assert "Send it?" in done.stdout
    assert words not in desks.run("south", "line", "read")


def test_an_operation_that_meets_it_is_told_to_keep_out_wherever_it_is_listed(
    desks: Desks,
) -> None:
    own = sent(desks)

    said = desks.run(
        "south", "operation", "file", "--circle", "33.53,38.62", "--radius", "1 km", "--lower",
        "0 ft AMSL", "--upper", "1000 ft AMSL", "--start", "+10 min", "--lasts", "30 min",
    )  # fmt: skip

    assert "must keep out of" in said
    for words in (("conflicts",), ("operation", "list")):
        assert "KEEP OUT: operation" in desks.run("south", *words)
        assert "KEEP OUT" not in desks.run("north", *words)
    desks.run("north", "line", "stop-end", own)
    assert "KEEP OUT" not in desks.run("south", "conflicts")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("stop", "south", WORDS, *WHERE[:-1], "7 h", "--yes"), "more than 6 h after its start"),
        (("stop", "south", " ", *WHERE, "--yes"), "TEXT: has 1 characters"),
        (("stop", "west", WORDS, *WHERE, "--yes"), "is no party"),
        (("stop", "south", WORDS, "--lasts", "1 h", "--yes"), "give one of them"),
        (("renew", "ffff0000"), "begins 0 of"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    assert says in desks.run("north", "line", *words, status=2)
