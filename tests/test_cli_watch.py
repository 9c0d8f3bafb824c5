# SPDX-License-Identifier: Apache-2.0
"""`keepclear line shift` and `line call` at two desks, and at a second home of one post."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from keepclear.record.headers import Status
from keepclear.reports.call_html import call_html
from keepclear.reports.call_text import call_text
from keepclear.reports.conflict_html import Page
from tests.desk_plays import Desks, two_desks
from tests.message_plays import at_line
from tests.record_plays import START_US
from tests.shift_plays import annotated, log


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with two_desks(Path(tmp_path_factory.mktemp("watch"))) as made:
        second_home(made, "north", "night")
        yield made


def second_home(desks: Desks, party: str, home: str) -> None:
    """Give the watch of a party a further key, and a home of its own with it."""
    keys = f"{party}-keys/{party}"
    said = desks.run(
        party, "key", "appoint", f"{keys}.keys.json", "watch", "--as", "post", "--another",
        "--with", f"{keys}.root.private.json", "--with", f"{keys}.rep-1.private.json",
        "--with", f"{keys}.rep-2.private.json",
    )  # fmt: skip
    assert f"wrote {keys.partition('/')[0]}/{party}.watch-2.private.json (PRIVATE)" in said
    operator = desks.node.operator.removeprefix("http://")
    desks.run(party, "party", "admit", f"{keys}.keys.json", "--folder", str(desks.node.folder),
              "--operator", operator)  # fmt: skip
    desks.run(
        home, "post", "setup", "--exchange", desks.node.parties, "--party", party, "--key",
        f"{keys}.watch-2.private.json", "--believe", str(desks.node.folder / "region.keys.json"),
        "--status", "Exercise",
    )  # fmt: skip


def short(said: str, what: str) -> str:
    """Return the short id of the first such thing in what was printed."""
    found = re.search(rf"{what} ([0-9a-f]{{8}})", said)
    assert found is not None, said
    return found[1]


@pytest.mark.slow
def test_a_watch_is_handed_over_with_what_remains(desks: Desks) -> None:
    assert "no shift is open; messages are read" in desks.run("north", "line", "shift", "show")
    own = short(desks.run("north", "line", "shift", "open", "--person", "day"), "shift")
    message = short(
        desks.run("south", "line", "send", "north", "Fire.", "--precedence", "URGENT"), "message"
    )
    refused = desks.run("north", "line", "shift", "close", status=2)
    assert f"message {message} from south is not acknowledged, " in refused
    assert f": keepclear line ack {message}\n" in refused
    assert "has no shift at watch with a key of his own" in desks.run(
        "north", "line", "shift", "close", "--to", "night-lead", status=2
    )
    assert "--person 'Lt. Smith': is no role; write" in desks.run(
        "north", "line", "shift", "open", "--person", "Lt. Smith", status=2
    )

    taken = desks.run("night", "line", "shift", "open", "--person", "night-lead", "--take-over")
    shown = desks.run("north", "line", "shift", "show")
    done = desks.run("north", "line", "shift", "close", "--taken-by", "night-lead")

    assert "has taken over 1" in taken
    assert "remains to be handed over: 1" in shown
    assert ": taken over by night-lead" in shown
    assert re.match(rf"shift {own} of day at watch is closed at .*; 1 taken over by others", done)
    assert "handed over by day at " in desks.run("night", "line", "handover")
    assert "has none that is open with the key of this folder" in desks.run(
        "north", "line", "shift", "close", status=2
    )
    desks.run("north", "line", "read", "--shown")  # anybody at the post acknowledges, any key
    desks.run("north", "line", "ack", message)
    assert "nothing remained" in desks.run("night", "line", "shift", "close")


@pytest.mark.slow
def test_a_call_is_logged_annotated_and_shown_the_same_to_both(desks: Desks) -> None:
    (desks.folder / "call.wav").write_bytes(b"voice")
    digest = sha256(b"voice").hexdigest()
    said = desks.run(
        "north", "line", "call", "log", "--with", "south", "--at", "-10 min", "--lasts", "4 min",
        "--frequency", "243.0 MHz", "--summary", "asked to cease at 33.50N 038.62E",
        "--recording", "call.wav", "--person", "shift-lead",
    )  # fmt: skip
    own = short(said, "CALL")
    read = desks.run("south", "line", "read")
    assert f"keepclear line call sign {own}" in read
    assert "call sign" not in desks.run("north", "line", "read")

    desks.run("south", "line", "call", "annotate", own, "no position was given")

    shown = [desks.run(who, "line", "call", "show", own) for who in ("north", "south")]
    assert shown[0] == shown[1]
    for words in ("north SAYS", "south SAYS", "asked to cease at 33.50N 038.62E",
                  "no position was given", "not signed; annotated by south"):  # fmt: skip
        assert words in shown[0]
    assert digest in shown[0].replace("\n  ", "").replace(" ", "")
    assert "signed by south" in desks.run("south", "line", "call", "sign", own)
    written = desks.run("north", "line", "call", "show", own, "--html", "call.html")
    assert written == f"call.html: call {own}, both accounts side by side\n"
    assert f"CALL {own} of north with south" in desks.run("south", "line", "call", "show")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--at", "2199-01-01T00:00:00Z"), "is after now"),
        (("--at", "2015-01-01T00:00:00Z"), "is more than 7 days ago"),
        (("--at", "noon"), "--at"),
        (("--with", "west"), "is no other party of this region"),
        (("--number", "12"), "give one of them"),
        (("--recording", "none.wav"), "none.wav"),
        (("--summary", " "), "says nothing; say what was said"),
        (("--language", "English"), "language"),
        (("--lasts", "2 days"), "lasts"),
    ],
)
def test_a_call_that_cannot_be_is_refused_in_words(
    desks: Desks, words: tuple[str, str], says: str
) -> None:
    given = {"--with": "south", "--at": "-10 min", "--lasts": "4 min", "--frequency": "121.5 MHz",
             "--summary": "heard"} | dict([words])  # fmt: skip

    said = desks.run("north", "line", "call", "log", *(x for e in given.items() for x in e),
                     status=2)  # fmt: skip

    assert says in said


@pytest.mark.slow
def test_what_was_said_by_other_means_is_keyed_in_and_marked_for_both(desks: Desks) -> None:
    said = desks.run(
        "north", "line", "send", "south", "Keep clear.", "--precedence", "URGENT", "--said-at",
        "-40 min", "--by-means", "frequency 122.5",
    )  # fmt: skip
    own = short(said, "message")
    desks.run("south", "line", "read", "--shown")

    taken = desks.run("south", "line", "ack", own, "--said-at", "-39 min", "--by-means", "radio")

    assert f"URGENT (PAN PAN)  LATE ENTRY  message {own} from north" in taken
    for who in ("north", "south"):
        shown = desks.run(who, "line", "show", own)
        assert re.search(
            r"LATE ENTRY  said .*Z by frequency 122.5, as north says, and keyed", shown
        )
        assert re.search(r"LATE ENTRY: said .*Z by radio, as south says, and keyed in later", shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--said-at", "+10 min"), "is after now"),
        (("--said-at", "2015-09-30T08:00:00Z"), "is more than 7 days ago; enter it as said now"),
        (("--by-means", "radio"), "--by-means radio: give --said-at, too"),
        (("--said-at", "noon"), "--said-at"),
        (("--said-at", "-1 min", "--by-means", "x" * 61), "by"),
    ],
)
def test_a_time_that_it_cannot_have_been_said_is_refused_with_the_way_out(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    assert says in desks.run("north", "line", "send", "south", "Hear.", *words, status=2)


def test_the_two_accounts_stand_side_by_side_and_what_is_typed_is_no_markup() -> None:
    stage = at_line()
    own = log(stage, summary="<b>cease</b> " + "word " * 30)
    call = annotated(stage, own, text="\u0644\u0627")

    said = call_text(call).splitlines()
    page = call_html(call, Page("b", "exercise", Status.EXERCISE, START_US, ""))

    row = next(each for each in said if "<b>cease</b>" in each)
    assert row.index("<b>cease") == 2
    assert "\u2068\u0644\u0627\u2069" in row[46:]
    assert max(map(len, said)) <= 100
    assert "&lt;b&gt;cease&lt;/b&gt;" in page
    assert "<script" not in page
