# SPDX-License-Identifier: Apache-2.0
"""`keepclear line distress` with a place and `keepclear line sar`, as two posts type them."""

import re
from typing import Final

import pytest

from keepclear.client import Client, NoAnswer
from keepclear.exchange import stop_distance
from tests.desk_plays import Desks
from tests.test_cli_line import desks as desks  # noqa: PLC0414 the fixture

KM_TMM: Final = 10_000_000
WORDS: Final = "Crew in the sea, two persons."
PLACE: Final = ("--position", "35-12.0N 034-54.0E", "--within", "1 NM")


def opened(desks: Desks, *more: str) -> str:
    """Let north send DISTRESS with a place to south, and return the short id of the case."""
    said = desks.run("north", "line", "distress", "south", WORDS, *PLACE, "--yes", *more)
    found = re.search(r"SAR case ([0-9a-f]{8}) \(DETRESFA, persons\) to south is in force", said)
    assert found, said
    return found[1]


def test_a_cry_with_a_place_is_read_in_a_frame_with_the_place_and_where_to_keep_out(
    desks: Desks,
) -> None:
    own = opened(desks)

    read = desks.run("south", "line", "read", "--shown")
    assert re.search(r"(?m)^#+ SAR DETRESFA #+$", read)
    assert "DISTRESS (MAYDAY)  message " in read
    assert "DETRESFA (distress), persons in danger; in force" in read
    assert "position    35.20000N 034.90000E" in read
    assert "keep out of" in read
    shown = desks.run("north", "line", "sar", "show", own)
    assert "displayed" in shown
    assert "no cap refuses a SAR case" in shown
    assert "stands      is in force until" in shown
    assert "DETRESFA (distress), persons in danger" in desks.run("south", "line", "sar", "show")


def test_it_is_moved_raised_renewed_and_closed_and_each_is_told(desks: Desks) -> None:
    own = opened(desks)
    moved = desks.run(
        "north", "line", "sar", "update", own, "They drift.", "--position", "35-12.5N 034-57.0E",
        "--yes",
    )  # fmt: skip
    assert "where they are now, to south" in moved
    read = desks.run("south", "line", "read", "--all")
    assert "followed: a later message says how it stands, and where to keep out" in read
    assert "position    35.20833N 034.95000E" in read
    said = desks.run("north", "line", "sar", "phase", own, "alerfa", "Raft found, all on board.")
    assert f"SAR case {own} (ALERFA, persons) to south is in force" in said
    assert "URGENT (PAN PAN)  message" in desks.run("south", "line", "read", "--all")
    assert "is in force" in desks.run("north", "line", "sar", "renew", own, "--lasts", "1 h")
    assert "has ended" in desks.run("north", "line", "sar", "close", own)
    assert "has ended; nobody need keep out" in desks.run("south", "line", "read", "--all")
    assert own not in desks.run("north", "line", "sar", "show")
    assert "has ended" in desks.run("north", "line", "sar", "renew", own, status=2)


def test_what_each_will_learn_is_printed_and_nothing_is_sent_unless_it_is_said(
    desks: Desks,
) -> None:
    words = "These words are never sent."
    done = desks.printed("north", "line", "distress", "south", words, *PLACE)

    assert done.returncode != 0
    assert "SAR case, DETRESFA (distress), persons in danger, to south" in done.stdout
    assert "Send it?" in done.stdout
    assert "within      1,852 m (1.0 NM) of the position" in done.stdout
    assert "not told    the place, to all others; who else is named" in done.stdout
    assert words not in desks.run("south", "line", "read")


def test_where_they_are_now_is_grown_as_the_case_was_opened_and_so_it_is_printed(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = opened(desks)
    # what has been agreed since is of the next case
    monkeypatch.setattr(stop_distance, "known_stop_tmm", lambda *_: 20 * KM_TMM)

    said = desks.run("north", "line", "sar", "update", own, "They drift.", *PLACE, "--yes")

    assert "grown by    5 km on every side" in said
    assert "in force" in said
    assert "grown by 20 km" not in said


def test_what_was_not_sent_takes_no_case_back_once_more_was_said_of_it(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = opened(desks)
    update = "north", "line", "sar", "update", own, "They drift."
    with monkeypatch.context() as cut:
        cut.setattr(Client, "send", no_answer)
        said = desks.run(*update, "--position", "35-13.0N 034-55.0E", "--yes", status=2)
    assert "send-again" in said
    desks.run(*update, "--position", "35-20.0N 035-00.0E", "--yes")

    again = desks.run("north", "send-again")

    assert re.search(r"sar.update [0-9a-f]{8}: NOT SENT: more was said of SAR case " + own, again)
    assert "type it anew if it still holds" in again
    assert "position    35.33333N 035.00000E" in desks.run("north", "line", "sar", "show", own)
    assert "every act was answered" in desks.run("north", "send-again")


def no_answer(_client: Client, _envelope: object) -> None:
    raise NoAnswer("the connection ended")


def test_others_keep_out_and_it_stands_on_the_handover_list_of_both(desks: Desks) -> None:
    own = opened(desks)
    said = desks.run(
        "south", "operation", "file", "--circle", "35.23,34.9", "--radius", "1 km", "--start",
        "+10 min", "--lasts", "30 min",
    )  # fmt: skip

    assert "must keep out of" in said
    assert "KEEP OUT: operation" in desks.run("south", "conflicts")
    assert f"SAR case {own} (DETRESFA, persons) to south" in desks.run("north", "line", "handover")
    assert "persons in danger; in force" in desks.run("south", "line", "handover")


def test_a_distress_message_with_a_position_says_that_it_keeps_nobody_out(desks: Desks) -> None:
    words = ("line", "send", "south", WORDS, "--precedence", "DISTRESS")

    said = desks.run("north", *words, *PLACE[:2])
    assert "a message keeps nobody out of there; this opens a SAR case" in said
    assert "SAR case" not in desks.run("north", *words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("distress", "south", WORDS, *PLACE, "--lasts", "7 h", "--yes"), "up to 6 h"),
        (("distress", "south", WORDS, "--position", "there", "--yes"), "'there'"),
        (("distress", "south", WORDS, *PLACE[:3], "two miles", "--yes"), "--within 'two miles'"),
        (("distress", "south,north", WORDS), "which a place is needed for"),
        (("distress", "south", WORDS, "--circle", "35.2,34.9", "--yes"), "give --radius with it"),
        (
            ("distress", "south", WORDS, *PLACE, "--circle", "35,34", "--radius", "1 NM", "--yes"),
            "--within: is of --position alone",
        ),
        (
            ("distress", "south", WORDS, *PLACE[:2], "--circle", "35,34", "--radius", "9 NM"),
            "from the centre of the circle",
        ),
        (("sar", "open", "south", WORDS, *PLACE), "--phase"),
        (("sar", "open", "south", WORDS, "--phase", "alerfa"), "say where"),
        (("sar", "close", "ffff0000"), "begins 0 of"),
        (("sar", "phase", "ffff0000", "MAYDAY", "x"), "is not one of"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    assert says in desks.run("north", "line", *words, status=2)
