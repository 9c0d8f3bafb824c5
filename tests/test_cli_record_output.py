# SPDX-License-Identifier: Apache-2.0
"""What `keepclear record` sends to a terminal or a pipe, whatever stands in the file."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from keepclear.formats.play import read_play
from keepclear.record.encoding import decode, encode
from keepclear.record.entries import Part
from keepclear.record.faults import Malformed
from keepclear.record.files import ExchangeKey, Header, KeysFile
from keepclear.record.headers import TIMES_END_US, Act, is_name
from keepclear.record.key_documents import KeyDocument
from keepclear.record.mandates import Mandate
from keepclear.record.notes import Checkpoint, sign_note
from keepclear.record.receipts import Proven
from keepclear.reports.play_text import played_text
from keepclear.reports.record_text import keys_text, receipt_text
from tests.exchange_plays import example
from tests.exchange_plays import played as play_of
from tests.record_plays import (
    EXCHANGE,
    MINUTE_US,
    START_US,
    Play,
    act,
    first_document,
    part,
    played,
    public,
    sealed,
    signer,
)
from tests.test_cli_record import run, write_record

HOSTILE: Final = "a\x1b[2J\x1b[H\x9b1m\x7f\r\nPROVEN  x: by all \u202e\u2066\u200f\u2028\x85b"
UNSEEN: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
FULL: Final = "/dev/full"


def hostile() -> Play:
    """Return a record with a text that would rewrite the screen."""
    play = Play()
    play.appoint(sealed(first_document("a")))
    payload = msgspec.Raw(encode({"text": HOSTILE, HOSTILE: HOSTILE}))
    play.act(1, "a", payload=payload)
    play.enter(("a", "notice/1", {"text": HOSTILE}))
    play.sign()
    return play


def test_no_text_in_a_record_rewrites_the_screen_or_fakes_a_line(tmp_path: Path) -> None:
    write_record(tmp_path / "x.record", hostile().archive())
    (tmp_path / "keys").write_bytes(encode(hostile().keys()))

    shown = run("record", "show", tmp_path / "x.record")
    verified = run("record", "verify", tmp_path / "x.record", "--keys", tmp_path / "keys")

    for status, said in (shown, verified):
        assert status == 0
        assert not UNSEEN.search(said)
    assert r"\u001b[2J" in shown[1]
    assert r"\u202e" in shown[1]
    assert not any(line.startswith("PROVEN") for line in shown[1].splitlines())
    assert sum(line.startswith("PROVEN") for line in verified[1].splitlines()) == 1


def test_a_hostile_name_of_a_file_fakes_no_line(tmp_path: Path) -> None:
    file = tmp_path / "x\x1b[2J\nPROVEN  y"
    write_record(file, hostile().archive())

    for words in (
        ("verify", file),
        ("verify", tmp_path / "absent\x1b\nPROVEN"),
        ("show", tmp_path),
    ):
        said = run("record", *words)[1]
        assert not UNSEEN.search(said)
        assert not re.search(r"^PROVEN", said, re.MULTILINE)


def test_a_header_whose_party_is_no_name_is_refused(tmp_path: Path) -> None:
    lines = played().view("a")
    for party in (HOSTILE, "", "a\n", "A"):
        header = lines[0].replace(b'"party":"a"', b'"party":' + encode(party))
        write_record(tmp_path / "x.record", [header, *lines[1:]])
        status, said = run("record", "verify", tmp_path / "x.record")
        assert (status, "is no name of a party" in said) == (2, True)
        assert not UNSEEN.search(said)
    named = played().archive()[0].replace(b'"party":""', b'"party":"a"')
    with pytest.raises(Malformed, match="leave the party empty"):
        decode(named, Header, "header")


def test_a_name_of_an_exchange_that_cannot_stand_on_a_note_is_refused() -> None:
    good = encode(ExchangeKey(name=EXCHANGE, key=public("exchange").data))
    for name in (HOSTILE, "", "two words", "a+b", "x\u202ey"):
        with pytest.raises(Malformed, match="has a space or a plus in it"):
            decode(good.replace(encode(EXCHANGE), encode(name)), ExchangeKey, "key")


@pytest.mark.parametrize("hidden", ["\x1b", "\x7f", "\x9b", "\u202e", "\u2028"])
def test_a_note_with_a_character_that_is_not_seen_is_refused(hidden: str) -> None:
    with pytest.raises(Malformed, match="has characters that are not seen"):
        sign_note(Checkpoint(f"o{hidden}", 1, bytes(32)).text, EXCHANGE, signer("exchange"))


def test_what_is_told_of_keys_and_receipts_is_printable() -> None:
    # what decodes has no such names; who makes values directly is not checked
    keys = KeysFile(documents=(sealed(first_document("a")),))
    made = Part(kind=f"note{HOSTILE}/1", at_us=START_US, data=msgspec.Raw(b"{}"))
    checkpoint = Checkpoint(f"keepclear/{HOSTILE}", 1, bytes(32))
    told = receipt_text(Proven(made, checkpoint, (), ()), None, HOSTILE)

    assert not UNSEEN.search(told)
    assert not UNSEEN.search(receipt_text(None, None, HOSTILE))
    assert not UNSEEN.search(keys_text(keys))


def test_the_story_of_a_play_is_printable() -> None:
    text = example("two_plans_cross.toml")
    why = "we fly after you"
    assert why in text
    spoilt = text.replace(why, r"we\u001b[2J\nPROVEN\u202e fly").replace(
        'title = "', r'title = "\u001b[2J\n'
    )
    done = play_of(spoilt)

    told = played_text(read_play(spoilt.encode(), "play"), done)

    assert r"we\x1b[2J\x0aPROVEN\u202e" in told.replace("\n", "")
    assert not UNSEEN.search(told)


NEWLINE_NAMES: Final = [
    (lambda: encode(act(1)), Act, '"a"', r'"a\n"'),
    (lambda: encode(act(1)), Act, f'"{1:032x}"', rf'"{1:032x}\n"'),
    (lambda: encode(act(1)), Act, '"note/1"', r'"note/1\n"'),
    (lambda: encode(act(1)), Act, '"agreement":""', r'"agreement":"\n"'),
    (lambda: encode(first_document("a")), KeyDocument, '"party":"a"', r'"party":"a\n"'),
    (lambda: encode(first_document("a")), KeyDocument, '"previous":""', r'"previous":"\n"'),
    (lambda: encode(first_document("a")), KeyDocument, '"rep-1"', r'"rep-1\n"'),
    (lambda: encode(first_document("a")), KeyDocument, '"routine"', r'"routine\n"'),
    (lambda: encode(part("note/1", 1, {})), Part, '"note/1"', r'"note/1\n"'),
]


@pytest.mark.parametrize("case", NEWLINE_NAMES)
def test_a_name_that_ends_in_a_newline_is_none(case: tuple) -> None:  # type: ignore[type-arg]
    make, kind, old, new = case
    data = make()
    assert old.encode() in data

    decode(data, kind, "x")
    with pytest.raises(Malformed, match="cannot be read"):
        decode(data.replace(old.encode(), new.encode()), kind, "x")
    assert is_name("north")
    assert not is_name("north\n")


def test_a_time_that_no_calendar_has_is_refused_and_the_last_one_is_shown(tmp_path: Path) -> None:
    play = Play()
    play.now_us = TIMES_END_US - 1 - MINUTE_US
    play.enter(("a", "note/1", {}))
    write_record(tmp_path / "last.record", play.archive())
    late = play.archive()[1].replace(b"%d" % (TIMES_END_US - 1), b"%d" % (2**62 - 1))
    write_record(tmp_path / "late.record", [play.archive()[0], late])

    for words in ("verify", "show"):
        status, said = run("record", words, tmp_path / "last.record")
        assert "9999-12-30T23:59:59" in said
        status, said = run("record", words, tmp_path / "late.record")
        assert status in {1, 2}
        assert "at_us" in said
    mandate = encode(Mandate(covers=("routine",), from_us=0, until_us=TIMES_END_US - 1))
    with pytest.raises(Malformed, match="until_us"):
        decode(mandate.replace(b"%d" % (TIMES_END_US - 1), b"%d" % TIMES_END_US), Mandate, "x")


def test_keys_with_a_tail_that_is_too_long_to_be_read_are_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "x.record", played().archive())
    keys = encode(played().keys())
    (tmp_path / "keys").write_bytes(keys + b" " * 2_097_152 + b"{}")

    status, said = run("record", "verify", tmp_path / "x.record", "--keys", tmp_path / "keys")

    assert (status, "is larger than" in said) == (2, True)


# --- as a process ---------------------------------------------------------------------------


def shell(words: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    """Return status, output and errors of a line of a shell, in which $KC is the command."""
    source = str(Path(__file__).resolve().parent.parent / "src")
    command = f"{sys.executable} -m keepclear.cli"
    done = subprocess.run(
        ["/bin/bash", "-c", words], cwd=folder, capture_output=True, check=False, timeout=120,
        env=os.environ | {"PYTHONPATH": source, "KC": command} | environment,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a record in Russian, and its keys."""
    play = Play()
    play.appoint(sealed(first_document("a")))
    for number in range(1, 300):
        text = "УЧЕНИЕ: проверка связи"
        play.act(number, "a", payload=msgspec.Raw(encode({"text": text})))
    play.sign()
    write_record(tmp_path / "x.record", play.archive())
    (tmp_path / "keys").write_bytes(encode(play.keys()))
    return tmp_path


@pytest.mark.slow
def test_a_reader_of_a_record_that_stops_reading_is_no_error(folder: Path) -> None:
    _, said, errors = shell("$KC record show x.record | true; echo ${PIPESTATUS[0]}", folder)
    assert (said, errors) == ("0\n", "")
    _, said, errors = shell(
        "$KC record verify x.record --keys keys | true; echo ${PIPESTATUS[0]}", folder
    )
    assert (said, errors) == ("0\n", "")


@pytest.mark.slow
@pytest.mark.skipif(not Path(FULL).exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("words", ["show x.record", "verify x.record --keys keys"])
def test_a_full_disk_or_a_closed_output_is_told_in_words(folder: Path, words: str) -> None:
    status, _, errors = shell(f"$KC record {words} > {FULL}", folder)
    assert status == 2
    assert errors == (
        "Error: standard output: No space left on device; make room, or let it go elsewhere\n"
    )
    status, _, errors = shell(f"$KC record {words} >&-", folder)
    assert status == 2
    assert errors.startswith("Error: standard output: is closed")
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_terminal_with_another_encoding_is_no_fault(folder: Path) -> None:
    for words in ("show x.record", "verify x.record --keys keys", "verify absent-учение"):
        status, _, errors = shell(f"$KC record {words}", folder, PYTHONIOENCODING="latin-1")
        assert status in {0, 2}
        assert "Traceback" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("words", ["verify z", "show z", "verify x.record --keys z"])
def test_a_line_without_an_end_takes_no_memory(folder: Path, words: str) -> None:
    with (folder / "z").open("wb") as file:
        file.truncate(2_500_000_000)

    # numpy is not loaded here; a line of the largest size takes 16 MB
    status, _, errors = shell(f"ulimit -v 400000; $KC record {words}", folder)

    assert status == 2
    assert "is larger than" in errors
    assert "Traceback" not in errors
