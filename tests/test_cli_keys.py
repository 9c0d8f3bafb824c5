# SPDX-License-Identifier: Apache-2.0
"""`keepclear key`: what it does not make, read or write over, and what it says to keep apart."""

import json
from pathlib import Path

import pytest

from keepclear.cli import key_changes, output, private_keys
from keepclear.record.encoding import decode
from keepclear.record.files import KeysFile
from keepclear.record.key_documents import Device, Keyring
from tests.test_cli_record import run

KEYS = "north.keys.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the keys of north."""
    monkeypatch.chdir(tmp_path)
    assert run("key", "new", "north")[0] == 0
    return tmp_path


def private(*names: str) -> list[str]:
    """Return the words that give private keys of north."""
    return [word for name in names for word in ("--with", f"north.{name}.private.json")]


ALL = private("root", "rep-1", "rep-2")


def latest_watch() -> list[Device]:
    """Return the keys of the watch as they stand."""
    keys = decode(Path(KEYS).read_bytes().strip(), KeysFile, KEYS)
    ring = Keyring()
    for place, envelope in enumerate(keys.documents):
        ring.add(envelope, place)
    return [each for each in ring.latest("north").devices if each.post == "watch"]


def keys_of_watch() -> list[bytes]:
    """Return the public keys of the watch."""
    return [each.key for each in latest_watch()]


def contents() -> dict[str, bytes]:
    """Return all files in the folder."""
    return {name: Path(name).read_bytes() for name in sorted(map(str, Path().iterdir()))}


def test_the_next_root_alone_revokes_nobody_and_leaves_nothing() -> None:
    before = contents()

    status, said = run(
        "key", "rotate", KEYS, "--replace", "rep-1", "--replace", "rep-2", *private("next-root")
    )

    assert (status, "let rep-1 or rep-2 sign it too, revoked or not" in said) == (2, True)
    assert contents() == before


def test_a_rotation_says_which_file_is_the_root_now_and_what_to_send() -> None:
    words = ("--replace", "watch", *private("next-root", "rep-1", "rep-2"))

    status, said = run("key", "rotate", KEYS, *words)

    assert status == 0
    assert "north.next-root.private.json is the root now." in said
    assert "north.root-3.private.json is the next root: keep" in said
    assert f"Give {KEYS} to the others: they believe the old keys until they export it" in said


def test_a_revocation_says_since_when_a_key_is_suspect() -> None:
    words = ("--revoke", "watch", *private("next-root", "rep-1", "rep-2"))

    late = run("key", "rotate", KEYS, *words, "--since", "2999-01-01T00:00:00Z")
    made = run("key", "rotate", KEYS, *words, "--since", "2015-10-01T00:00:00Z")

    assert (late[0], "is after now; give a time that has passed" in late[1]) == (2, True)
    assert made[0] == 0
    assert "suspect since 2015-10-01T00:00:00Z" in " ".join(run("key", "show", KEYS)[1].split())


def test_keys_of_a_party_that_is_called_as_a_tree_are_not_made() -> None:
    before = contents()

    status, said = run("key", "new", "all")

    assert (status, "party 'all': is what a part of every record is called" in said) == (2, True)
    assert contents() == before


def test_keys_are_not_made_twice_even_where_the_private_ones_are_elsewhere() -> None:
    for file in Path().glob("*.private.json"):
        file.unlink()
    before = contents()

    status, said = run("key", "new", "north")

    assert (status, "File exists: north has keys; go on with keepclear key rotate" in said) == (
        2, True,
    )  # fmt: skip
    assert contents() == before


@pytest.mark.parametrize("words", [["new", "south"], ["rotate", KEYS, "--replace", "watch"]])
def test_keys_that_could_not_be_written_whole_leave_nothing(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents()
    more = private("next-root", "rep-1", "rep-2") if words[0] == "rotate" else []

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "disk")

    monkeypatch.setattr(output, "replace_text", full)
    status, said = run("key", *words, *more)

    assert (status, "disk: No space left on device" in said) == (2, True)
    assert contents() == before


def test_a_private_key_that_is_there_stops_a_rotation_before_anything_is_written() -> None:
    Path("north.watch-2.private.json").write_text("mine")
    before = contents()

    status, said = run(
        "key", "rotate", KEYS, "--replace", "watch", *private("next-root", "rep-1", "rep-2")
    )

    assert (status, "File exists and is not written over" in said) == (2, True)
    assert contents() == before


def test_a_rotation_of_keys_that_were_changed_meanwhile_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    appoint = ("key", "appoint", KEYS, "tower", "--as", "post", *ALL)
    real = private_keys.read_private

    def meanwhile(file: str, party: str) -> object:
        monkeypatch.setattr(key_changes, "read_private", real)
        assert run("key", "appoint", KEYS, "bridge", "--as", "post", *ALL)[0] == 0
        return real(file, party)

    monkeypatch.setattr(key_changes, "read_private", meanwhile)
    status, said = run(*appoint)

    assert (status, "was changed meanwhile; run this again" in said) == (2, True)
    assert not Path("north.tower.private.json").exists()
    assert run(*appoint)[0] == 0


def test_a_post_has_a_key_for_each_person_and_a_mandate_is_of_all_of_them() -> None:
    another = ("key", "appoint", KEYS, "watch", "--as", "post", "--another", *ALL)
    status, said = run("key", "appoint", KEYS, "bridge", "--as", "post", "--another", *ALL)
    assert (status, "bridge is no post that has a key; leave it out" in said) == (2, True)

    for number in (2, 3):
        assert f"wrote ./north.watch-{number}.private.json" in run(*another)[1].replace(
            "wrote north", "wrote ./north"
        )
    assert run("key", "appoint", KEYS, "watch", "--as", "post", "--covers", "line", *ALL)[0] == 0

    own = latest_watch()
    assert len({each.key for each in own}) == 3
    assert {each.mandates[0].covers for each in own} == {("line",)}


def test_one_of_several_keys_of_a_post_is_replaced_and_the_others_stay() -> None:
    before = keys_of_watch()
    assert run("key", "appoint", KEYS, "watch", "--as", "post", "--another", *ALL)[0] == 0
    first, second = keys_of_watch()
    rotate = ("key", "rotate", KEYS, *private("next-root", "rep-1", "rep-2"))
    status, said = run(*rotate, "--replace", "watch")
    assert (status, "watch#1, duty-officer, watch#2; name one" in said) == (2, True)

    status, said = run(*rotate, "--replace", "watch#2")

    assert (status, "north.watch-2-3.private.json (PRIVATE)" in said) == (0, True)
    assert before == [first]
    assert keys_of_watch()[0] == first
    assert keys_of_watch()[1] != second


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["line", "--as", "post", "--covers", "agreement"], "lets post line sign agreement; app"),
        (["rep-3", "--as", "representative", "--covers", "suspnsion"], "did you mean suspension?"),
        (["bridge", "--as", "post", "--covers", "operation"], "did you mean operations?"),
        (["bridge", "--as", "post", "--covers", "operations.fil"], "mean operations.file?"),
    ],
)
def test_a_mandate_for_what_nobody_signs_is_refused_with_the_nearest(
    words: list[str], why: str
) -> None:
    before = contents()

    status, said = run("key", "appoint", KEYS, *words, *ALL)

    assert (status, why in said) == (2, True), said
    assert contents() == before


@pytest.mark.parametrize("deed", ["operations", "conflicts.answer", "annex", "routine"])
def test_a_mandate_for_the_first_words_of_an_act_is_given(deed: str) -> None:
    status, said = run("key", "appoint", KEYS, "bridge", "--as", "post", "--covers", deed, *ALL)

    assert (status, f"bridge may sign {deed} from" in said) == (0, True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": None}, "lacks its name, or a seed of 64 hexadecimal digits"),
        ({"seed": "zz"}, "lacks its name, or a seed of 64 hexadecimal digits"),
        ({"seed": "00"}, "lacks its name, or a seed of 64 hexadecimal digits"),
        ({"name": None}, "lacks its name, or a seed of 64 hexadecimal digits"),
        ({"party": None}, "is of nobody, not of north"),
        ({"party": "south"}, "is of south, not of north; sign with a key of north"),
        ({"format": "other"}, "cannot be read as one"),
    ],
)
def test_a_file_that_is_no_private_key_of_the_party_is_refused_and_not_shown(
    change: dict[str, str | None], why: str
) -> None:
    file = Path("north.root.private.json")
    value = json.loads(file.read_text())
    kept = {name: text for name, text in (value | change).items() if text is not None}
    file.write_text(json.dumps(kept, separators=(",", ":")))

    status, said = run("key", "appoint", KEYS, "bridge", "--as", "post", *ALL)

    assert (status, why in said) == (2, True), said
    assert value["seed"] not in said


def test_a_private_key_that_others_can_read_is_told() -> None:
    Path("north.root.private.json").chmod(0o644)

    said = run("key", "appoint", KEYS, "bridge", "--as", "post", *ALL)

    assert said[0] == 0
    assert "north.root.private.json can be read by others (mode 0644): chmod 600" in said[1]


@pytest.mark.parametrize(
    ("exchange", "why"),
    [
        ("east=" + "00" * 32, "is of small order"),
        ("=" + "11" * 32, "is empty, or has a space or a plus in it"),
        ("a b=" + "11" * 32, "is empty, or has a space or a plus in it"),
        ("east=00", "is not NAME=KEY with 64 hexadecimal digits"),
    ],
)
def test_a_key_of_the_exchange_that_proves_nothing_is_refused(exchange: str, why: str) -> None:
    status, said = run("key", "export", KEYS, "--exchange", exchange, "--output", "keys.json")

    assert (status, why in said) == (2, True), said
    assert not Path("keys.json").exists()


def test_new_keys_say_to_keep_the_next_root_apart() -> None:
    said = run("key", "new", "south")[1]

    assert "Keep next-root in another place than root, rep-1 and rep-2" in said


def test_a_folder_in_place_of_a_file_is_told_by_its_name() -> None:
    Path("inside").mkdir()

    status, said = run("key", "export", KEYS, "--output", "inside")

    assert (status, "inside: is a folder" in said) == (2, True)
