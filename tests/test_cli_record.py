# SPDX-License-Identifier: Apache-2.0
"""`keepclear key` and `keepclear record`, typed as their users type them."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from keepclear.cli import command
from keepclear.record.encoding import encode
from tests.record_plays import Play, played, signer


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a record as an archive and as A's view, and the file of keys."""
    play = played()
    write_record(tmp_path / "east.record", play.archive())
    write_record(tmp_path / "a.record", play.view("a"))
    (tmp_path / "keys.json").write_bytes(encode(play.keys()) + b"\n")
    return tmp_path


def write_record(file: Path, lines: list[bytes]) -> None:
    file.write_bytes(b"".join(line + b"\n" for line in lines))


def run(*words: str | Path) -> tuple[int, str]:
    """Return status and output of a command that returns its status to `main`."""
    result = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 2, f"{result.output}{result.exception}"
    return int(result.return_value or 0), result.output


@pytest.mark.parametrize("name", ["east.record", "a.record"])
def test_a_record_is_proven_with_keys_and_consistent_without(files: Path, name: str) -> None:
    proven = run("record", "verify", files / name, "--keys", files / "keys.json")
    alone = run("record", "verify", files / name)

    assert proven[0] == 0
    assert proven[1].startswith("PROVEN  ")
    assert alone[0] == 3
    assert alone[1].startswith("CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN")
    assert "way out    give --keys FILE" in alone[1]


def test_a_forged_record_fails_with_the_keys(files: Path) -> None:
    write_record(files / "forged.record", played(signer("forger")).archive())

    status, said = run("record", "verify", files / "forged.record", "--keys", files / "keys.json")

    assert status == 1
    assert "FAILS" in said
    assert "header, exchange" in said
    assert run("record", "verify", files / "forged.record")[0] == 3


def test_a_record_whose_checkpoints_were_taken_out_is_told_and_has_status_3(files: Path) -> None:
    lines = (files / "east.record").read_bytes().splitlines()
    left = [line for line in lines if b'"line":"entry"' in line or b'"line":"header"' in line]
    write_record(files / "stripped.record", left)

    status, said = run("record", "verify", files / "stripped.record", "--keys", files / "keys.json")

    assert status == 3
    assert said.startswith("NOT PROVEN  ")
    assert "12 of 12 parts under no checkpoint" in said


def test_the_first_part_that_fails_is_named(files: Path) -> None:
    data = (files / "east.record").read_bytes()
    (files / "changed.record").write_bytes(data.replace(b'"number":3', b'"number":4'))

    status, said = run("record", "verify", files / "changed.record", "--keys", files / "keys.json")

    assert status == 1
    assert "line 12, entry 5: entry.previous" in said
    assert "an entry before this one was changed" in said


def test_what_cannot_be_read_has_a_status_of_its_own(files: Path) -> None:
    (files / "text.record").write_text("hello\n")
    (files / "empty.record").write_text("")

    assert run("record", "verify", files / "text.record")[0] == 2
    assert run("record", "verify", files / "empty.record")[0] == 2
    assert run("record", "verify", files / "absent.record")[0] == 2
    assert run("record", "verify", files / "east.record", "--keys", files / "east.record")[0] == 2


def test_a_record_is_shown_a_line_for_each_part_and_says_it_is_not_verified(files: Path) -> None:
    status, said = run("record", "show", files / "east.record")

    assert status == 0
    assert said.startswith("NOT VERIFIED")
    assert "2015-09-30T08:01:00Z  to all          key-document/1   keys of a, version 1" in said
    assert "act/1            a, watch (Exercise) note/1" in said
    assert 'text: "note 1"' in said
    assert max(map(len, said.splitlines())) <= 100
    assert "checkpoint of keepclear/exercise-east/1/a,b: 5 parts" in said


def test_a_receipt_is_proven_with_keys_and_says_who_signed(files: Path) -> None:
    play = played()
    receipt = files / "act.receipt"
    receipt.write_bytes(encode(play.receipt(2)) + b"\n")

    status, said = run("record", "verify", receipt, "--keys", files / "keys.json")
    assert (status, said.startswith("PROVEN")) == (0, True)
    assert "act        note/1 of a, watch (Exercise)" in said
    assert "signed     by post watch of a" in said
    status, said = run("record", "verify", receipt)
    assert (status, said.startswith("CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN")) == (3, True)
    receipt.write_bytes(encode(play.receipt(2)).replace(b'"kind":"act/1"', b'"kind":"act/2"'))
    status, said = run("record", "verify", receipt, "--keys", files / "keys.json")
    assert (status, "leads to another root than was signed" in said) == (1, True)


def test_keys_are_made_shown_exported_and_rotated(tmp_path: Path) -> None:
    folder, keys = tmp_path / "n", tmp_path / "n" / "north.keys.json"

    assert run("key", "new", "north", "--folder", folder)[0] == 0
    before = run("key", "show", keys)[1]
    private = [folder / f"north.{name}.private.json" for name in ("next-root", "rep-1", "rep-2")]
    withs = [word for file in private for word in ("--with", file)]
    assert run("key", "rotate", keys, *withs, "--replace", "watch")[0] == 0
    after = run("key", "show", keys)[1]

    assert "version 2 of its keys" in after
    assert "REVOKED" in after
    assert after.startswith(before)
    assert (folder / "north.watch-2.private.json").exists()
    assert (folder / "north.root-3.private.json").exists()
    exported = run("key", "export", keys, "--output", tmp_path / "all.json")
    assert exported[0] == 0
    assert run("key", "show", tmp_path / "all.json")[1] == after


def test_private_keys_are_read_by_their_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    run("key", "new", "north", "--folder", tmp_path)
    private = tmp_path / "north.root.private.json"
    before = private.read_bytes()

    status, said = run("key", "new", "north", "--folder", tmp_path)

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert status == 2
    assert "File exists" in said
    assert private.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["key", "new", "North Side"], "is no name; give up to 64 small letters"),
        (["key", "new", "north", "--post", "watch", "--post", "watch"], "repeats a name"),
        (["key", "new", "north", "--post", "root"], "repeats a name"),
        (["key", "export", "absent.json", "--output", "x.json"], "No such file"),
        (["key", "show", "absent.json"], "No such file"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_left(
    words: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    status, said = run(*words)

    assert status == 2
    assert why in said
    assert list(tmp_path.iterdir()) == []


def test_a_rotation_without_the_next_root_or_a_representative_is_refused(tmp_path: Path) -> None:
    run("key", "new", "north", "--folder", tmp_path)
    keys = tmp_path / "north.keys.json"
    before = keys.read_bytes()
    names = {name: tmp_path / f"north.{name}.private.json" for name in ("next-root", "rep-1")}

    without = run("key", "rotate", keys, "--with", names["rep-1"])
    with_one = run("key", "rotate", keys, "--with", names["next-root"], "--with", names["rep-1"])
    strange = run("key", "rotate", keys, "--with", names["next-root"], "--revoke", "nobody")

    assert [without[0], with_one[0], strange[0]] == [2, 2, 2]
    assert "none of them is the next root" in without[1]
    assert "2 are needed" in with_one[1]
    assert "is none of rep-1, rep-2, watch, duty-officer" in strange[1]
    assert keys.read_bytes() == before
    assert not (tmp_path / "north.root-3.private.json").exists()


def test_a_post_and_a_representative_are_appointed_with_what_they_may_sign(tmp_path: Path) -> None:
    run("key", "new", "north", "--folder", tmp_path)
    keys = tmp_path / "north.keys.json"
    withs = [
        word for name in ("root", "rep-1", "rep-2")
        for word in ("--with", tmp_path / f"north.{name}.private.json")
    ]  # fmt: skip
    appoint = ("key", "appoint", keys, *withs)

    added = run(*appoint, "bridge", "--as", "post", "--covers", "conflicts", "--until",
                "2099-01-01T00:00:00Z")  # fmt: skip
    narrowed = run(*appoint, "rep-2", "--as", "representative", "--covers", "suspension")
    shown = run("key", "show", keys)[1].partition("version 3 of its keys")[2]

    assert [added[0], narrowed[0]] == [0, 0]
    assert "bridge may sign conflicts from " in added[1]
    assert (tmp_path / "north.bridge.private.json").exists()
    assert not (tmp_path / "north.rep-2-3.private.json").exists()
    assert "may sign suspension\n" in shown
    assert "may sign conflicts\n" in shown
    before = keys.read_bytes()
    for words, why in (
        (("x", "--as", "post", "--covers", "keys"), "lets post x sign keys"),
        (("watch", "--as", "representative"), "watch: is not a representative already"),
        (("x", "--as", "post", "--until", "2001-01-01T00:00:00Z"), "ends before it begins"),
        (("x", "--as", "post"), "has no mandate for keys"),
    ):
        refused = run(*appoint, *words)
        assert (refused[0], why in refused[1]) == (2, True), refused[1]
    assert keys.read_bytes() == before
    assert not (tmp_path / "north.x.private.json").exists()


def test_a_record_of_nothing_says_so(tmp_path: Path) -> None:
    write_record(tmp_path / "none.record", Play().archive())

    status, said = run("record", "verify", tmp_path / "none.record")

    assert status == 3
    assert "holds      0 entries, 0 parts, 0 acts" in said
    assert "1970" not in said
