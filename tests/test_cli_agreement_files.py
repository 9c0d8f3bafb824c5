# SPDX-License-Identifier: Apache-2.0
"""What `keepclear agreement` never does: lose a signature, write over other things, stay silent."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from keepclear.agreement.statements import SIGNATURE, Said, read_file
from keepclear.agreement.statements import sign as sign_it
from keepclear.agreement.statements import state as state_it
from keepclear.cli import agreement_signing, output, private_keys
from keepclear.record.encoding import encode
from keepclear.record.keys import Signer
from tests.test_cli_agreement import ANNEX, NEW, all_sign, by, folder, sign, state, verify
from tests.test_cli_record import run

__all__ = ["folder"]
pytestmark = pytest.mark.usefixtures("folder")
MOU = Path("mou.agreement")
TO_MOU = ("--output", "mou.agreement")


def signer(party: str, name: str) -> Signer:
    """Return the signer in a private key's file."""
    text = Path(f"{party}.{name}.private.json").read_text()
    return Signer(bytes.fromhex(json.loads(text)["seed"]))


def count() -> int:
    """Return how many have signed."""
    return len(read_file(MOU.read_bytes().strip())[0].signatures)


def test_signing_the_draft_again_does_not_lose_the_first_signature() -> None:
    first = run("agreement", "sign", "draft.toml", *by("north", "rep-1"), *TO_MOU)
    again = run("agreement", "sign", "draft.toml", *by("north", "rep-2"), *TO_MOU)

    assert [first[0], again[0], count()] == [0, 0, 2]
    assert "mou.agreement holds what was signed of draft.toml already: went on from" in again[1]


def test_a_signed_agreement_is_not_written_over_by_another_or_by_an_older_copy() -> None:
    assert sign("north", "rep-1")[0] == 0
    shutil.copy(MOU, "old.agreement")
    assert sign("north", "rep-2")[0] == 0
    before = MOU.read_bytes()
    Path("other.toml").write_text(Path("draft.toml").read_text().replace('"30 d"', '"60 d"', 1))

    other = run("agreement", "sign", "other.toml", *by("north", "rep-1"), *TO_MOU)
    older = run("agreement", "sign", "old.agreement", *by("south", "rep-1"), *TO_MOU)
    new = run(*NEW[:-1], "mou.agreement")

    assert [other[0], older[0], new[0]] == [2, 2, 2]
    assert "holds another agreement, which is signed; give another name" in other[1]
    assert "give mou.agreement instead of old.agreement, or another name" in older[1]
    assert "mou.agreement: holds an agreement and is not written over" in new[1]
    assert MOU.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["north.rep-1.private.json", "north.root.private.json", "keys.json", "draft.toml"]
)
def test_an_output_never_writes_over_a_key_or_over_what_is_read(name: str) -> None:
    before = Path(name).read_bytes()

    for words in (
        ("sign", "draft.toml", *by("north", "rep-1")),
        ("propose", "draft.toml", *by("north", "rep-1")),
    ):
        status, said = run("agreement", *words, "--output", name)
        assert (status, "is not written over" in said) == (2, True), said
    if name != "draft.toml":
        assert run(*NEW[:-1], name)[0] == 2
        made = run("key", "export", "north.keys.json", "--output", name)
        assert made[0] == (0 if name == "keys.json" else 2)
    assert name == "keys.json" or Path(name).read_bytes() == before


def test_a_file_of_keys_is_not_written_over_while_it_is_read() -> None:
    before = Path("north.keys.json").read_bytes()
    status, said = run(
        "key", "export", "north.keys.json", "south.keys.json", "--output", "north.keys.json"
    )

    assert (status, "is read here and is not written over" in said) == (2, True)
    assert Path("north.keys.json").read_bytes() == before


def test_what_another_command_wrote_meanwhile_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sign("north", "rep-1")[0] == 0
    name = "keepclear.cli.agreement_signing.read_private"
    real = private_keys.read_private

    def meanwhile(file: str, party: str) -> Signer:
        monkeypatch.setattr(name, real)
        assert sign("south", "rep-1")[0] == 0
        return real(file, party)

    monkeypatch.setattr(name, meanwhile)
    status, said = sign("north", "rep-2")

    assert (status, "mou.agreement: was changed meanwhile; run this again" in said) == (2, True)
    assert count() == 2
    assert sign("north", "rep-2")[0] == 0
    assert count() == 3


def test_two_commands_do_not_write_one_file_at_once() -> None:
    assert sign("north", "rep-1")[0] == 0
    lock = Path(".mou.agreement.lock")
    lock.touch()

    status, said = sign("north", "rep-2")

    assert (status, "is being written by another command" in said) == (2, True)
    lock.unlink()
    assert sign("north", "rep-2")[0] == 0
    assert [each for each in Path().iterdir() if each.suffix in {".lock", ".tmp"}] == []


def test_a_suspect_key_is_refused_before_it_signs_and_what_it_signed_is_told() -> None:
    all_sign()
    for party in ("north", "south"):
        state(party, "line-checked")
    found = read_file(MOU.read_bytes().strip())[1]
    rotate = ["--with", "north.next-root.private.json", "--with", "north.rep-2.private.json"]
    said = run("key", "rotate", "north.keys.json", "--replace", "rep-1", *rotate)
    assert said[0] == 0, said[1]
    run("key", "export", "north.keys.json", "south.keys.json", "--output", "keys.json")
    before = MOU.read_bytes()

    suspended = state("north", "suspend")
    assert suspended[0] == 2
    assert "is suspect since" in suspended[1]
    assert "so nothing it signs now counts; sign with the key that replaced it" in suspended[1]
    assert MOU.read_bytes() == before
    file = read_file(before.strip())[0]
    now_us = agreement_signing._now_us()
    envelope = state_it(found, "north", now_us, Said.SUSPEND, signer("north", "rep-1"))
    value = json.loads(encode(file))
    value["statements"].append(json.loads(encode(envelope)))
    MOU.write_bytes(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())

    status, told = verify()
    assert (status, told.split("  ")[0]) == (0, "IN FORCE")
    assert "LEFT OUT   suspend of north, rep-1, 20" in told
    assert "its key is suspect since 20" in " ".join(told.split())


def test_a_representative_that_signed_twice_is_refused_at_signing() -> None:
    assert sign("north", "rep-1")[0] == 0
    before = MOU.read_bytes()

    status, said = sign("north", "rep-1")

    assert (status, "'rep-1 of north': has signed already, at 20" in said) == (2, True)
    assert MOU.read_bytes() == before


def test_an_annex_added_twice_or_signed_twice_says_so() -> None:
    all_sign()
    Path("a.toml").write_text(ANNEX)
    add = ("agreement", "annex", "mou.agreement", "a.toml")
    assert run(*add, *by("north", "duty-officer"))[0] == 0
    before = MOU.read_bytes()

    added = run(*add, *by("south", "duty-officer"))
    signed = sign("north", "duty-officer", "--annex", "A")

    assert [added[0], signed[0]] == [2, 2]
    assert "is version 1 of annex A, which is in mou.agreement already; sign that" in added[1]
    assert "'duty-officer of north': has signed already" in signed[1]
    assert MOU.read_bytes() == before


def test_the_difference_of_two_files_has_their_annexes() -> None:
    all_sign()
    shutil.copy(MOU, "without.agreement")
    Path("a.toml").write_text(ANNEX)
    run("agreement", "annex", "mou.agreement", "a.toml", *by("north", "duty-officer"))

    said = run("agreement", "diff", "without.agreement", "mou.agreement")[1]

    assert "annex A: version\n  + 1\n" in said
    assert "clause A.1: added\n" in said
    assert "frequencies: guard: 121.5 MHz" in said


def test_verify_tells_hash_and_signers_of_each_annex() -> None:
    all_sign()
    Path("a.toml").write_text(ANNEX)
    wrote = run("agreement", "annex", "mou.agreement", "a.toml", *by("north", "duty-officer"))[1]
    own = wrote.partition("hash ")[2].partition(" (")[0]

    said = verify()[1]

    assert f"version 1 has hash {own}\n" in said
    assert "version 1 signed by north, duty-officer, 20" in said


def test_who_answers_is_not_told_of_a_file_that_is_dated_ahead() -> None:
    all_sign()
    file, found = read_file(MOU.read_bytes().strip())
    ahead_us = agreement_signing._now_us() + 3_600_000_000
    late = state_it(found, "north", ahead_us, Said.DENY, signer("north", "rep-1"), force="x")
    value = json.loads(encode(file))
    value["statements"].append(json.loads(encode(late)))
    MOU.write_bytes(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())

    ask = run("agreement", "answers", "mou.agreement", "--keys", "keys.json", "--force", "north",
              "--at", "2090-01-01T00:00:00Z")  # fmt: skip
    signed = sign("north", "rep-1")

    assert (ask[0], "s ahead, above 30 s" in ask[1]) == (2, True)
    assert signed[0] == 2


def test_a_force_that_no_agreement_lists_is_told_with_the_nearest() -> None:
    draft = Path("draft.toml")
    draft.write_text(draft.read_text().replace("answers_for = []", 'answers_for = ["Auxiliaries"]'))
    all_sign()

    ask = run(
        "agreement", "answers", "mou.agreement", "--keys", "keys.json", "--force", "Auxilaries"
    )
    deny = state("north", "deny", "--force", "Auxilaries")

    for said in (ask[1], deny[1]):
        assert "No agreement lists Auxilaries; did you mean Auxiliaries?" in said


@pytest.mark.parametrize("option", ["--why", "--force"])
def test_what_a_terminal_would_obey_is_not_signed(option: str) -> None:
    all_sign()
    before = MOU.read_bytes()
    what = "deny" if option == "--force" else "reviewed"

    status, said = state("north", what, option, "x\x1b[2J\nIN FORCE")

    assert (status, "\x1b" in said, "\nIN FORCE" in said) == (2, False, False)
    assert MOU.read_bytes() == before


def test_a_draft_nested_a_hundred_thousand_deep_is_refused() -> None:
    Path("deep.toml").write_bytes(b"a = " + b"[" * 100_000 + b"]" * 100_000)

    status, said = run("agreement", "show", "deep.toml")

    assert (status, "is nested too deep" in said) == (2, True)


def test_an_answer_that_nobody_reads_on_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        """A pipe that nobody reads."""

        def write(self, _data: bytes) -> None:
            raise BrokenPipeError

    class Out:
        """Standard output into it."""

        buffer = Closed()

        def fileno(self) -> int:
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(sys, "stdout", Out())

    output.print_text("text")
    output.print_bytes(b"bytes")


def test_a_signature_of_another_type_does_not_count() -> None:
    assert sign("north", "rep-1")[0] == 0
    file, found = read_file(MOU.read_bytes().strip())
    now_us = agreement_signing._now_us()
    assert found.id == "mou"
    wrong = sign_it("0" * 64, "north", now_us, now_us + 5, signer("north", "rep-2"), SIGNATURE)
    value = json.loads(encode(file))
    value["signatures"].append(json.loads(encode(wrong)))
    MOU.write_bytes(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())

    assert verify()[0] == 1
