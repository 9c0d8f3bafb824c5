# SPDX-License-Identifier: Apache-2.0
"""`keepclear backup`, `restore` and `restored`, as the operator and two parties type them."""

import shlex
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest

from keepclear.cli.record import read_keys_file
from keepclear.detect.compiled import plain
from keepclear.errors import OperatorError
from keepclear.exchange.audit import audit
from keepclear.record.encoding import encode
from keepclear.record.files import BeatLine, ExchangeKey, Header
from keepclear.record.keys import Signer
from keepclear.record.notes import sign_note, split_note
from keepclear.record.verification import Verified, verify
from keepclear.server.backups import Backup, _file, back_up, read_backup
from keepclear.server.stores import read_store
from keepclear.store.sqlite import SQLiteStore
from tests.desk_plays import CIRCLE, CORRIDOR, Desks
from tests.postgresql_server import Server
from tests.server_plays import Node, serving
from tests.test_cli_record import run
from tests.test_join import BLOCK
from tests.test_stores import HEADER, world

pytestmark = pytest.mark.slow
ELSEWHERE = ("--circle", "36.5,35.9", *CIRCLE[2:])


class Region(Desks):
    """A region with two parties, whose folder is lost and restored."""

    def back_up(self, name: str) -> Path:
        """Type `keepclear backup` while the region is served."""
        to = self.folder / name
        self.said = self.run("", "backup", str(self.node.folder), "--to", str(to))
        return to

    def lose(self) -> Path:
        """End the node and lose its folder; return where its key was kept apart."""
        self.node.end()
        key = self.folder / "safe.json"
        shutil.copyfile(self.node.folder / "exchange.private.json", key)
        self.node.folder.rename(self.folder / "lost")
        return key

    def restore(self, backup: Path, key: Path, *options: str) -> None:
        """Type `keepclear restore`, and serve the region where it was served."""
        self.said = self.run("", "restore", str(backup), str(self.node.folder), "--key", str(key),
                             *options)  # fmt: skip
        self.node.start()

    def accept(self, party: str) -> str:
        """Accept what was restored; return what was handed in."""
        self.run(party, "restored", "accept", "--home", party)
        return self.run(party, "restored", "hand-in", "--home", party)

    def proven(self) -> Verified:
        """Return what the operator's record proves; it is decided so again."""
        files = [self.folder / f"{each}-keys/{each}.keys.json" for each in ("north", "south")]
        self.node.documents = [
            each for file in files for each in read_keys_file(str(file)).documents
        ]  # fmt: skip
        self.node.end()
        with closing(read_store(self.node.folder)) as store:
            lines = list(store.lines())
        found = audit(lines, plain())
        assert found.differences == ()
        return verify(lines, self.node.keys)

    def operations(self, party: str) -> str:
        return self.run(party, "operation", "list", "--home", party)


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    with serving(tmp_path / "east") as node:
        yield begun(tmp_path, node)


def begun(folder: Path, node: Node) -> Region:
    """Return a region in which two parties have met."""
    made = Region(folder, node)
    for each in ("north", "south"):
        made.set_up(each)
    made.filed("north", *CORRIDOR)
    made.filed("south", *CIRCLE)
    made.run("north", "conflicts")
    return made


def test_a_region_goes_on_from_a_backup_and_parties_bring_what_came_after_it(
    region: Region,
) -> None:
    first = region.filed("north", *ELSEWHERE)
    backup = region.back_up("monday")
    assert "not in it  exchange.private.json" in region.said
    late = region.filed("north", *ELSEWHERE)
    region.run("north", "operation", "activate", late)
    key = region.lose()

    region.restore(backup, key)

    assert "as incarnation 2 of its record" in region.said
    assert "carried    3 operations and 1 conflicts, as they stood then" in region.said
    refused = region.run("north", "record", "export", status=2)
    assert "is incarnation 2 of exercise-east, and 1 is known here: a backup was" in refused
    assert "keepclear restored accept --home" in refused
    shown = region.run("north", "restored", "show", "--home", "north")
    assert "RESTORED  exercise-east goes on from a backup, as incarnation 2" in shown
    assert "tree north: the backup has" in shown
    assert shown.count("your act operations.") == 2

    done = region.accept("north")
    assert done.count("entered late, and done") == 2
    assert late in done
    listed = region.operations("north")
    assert first in listed
    assert f"operation {late}, version 1: activated" in listed
    assert region.run("north", "restored", "hand-in", "--home", "north") == (
        "2 were handed in before\n"
    )
    assert "nothing after the backup that is held here" in region.accept("south")
    region.filed("south", *CORRIDOR[:-4], "--start", "+5 h", "--lasts", "1 h")
    for party in ("north", "south"):
        region.run(party, "record", "export", "--home", party)

    region.run("north", "snapshot", "make", "last.html", "--home", "north")
    page = (region.folder / "last.html").read_text(encoding="utf-8")
    assert all(each in page for each in (first, late))
    region.run("north", "export-party", "all.zip", "--home", "north")
    with zipfile.ZipFile(region.folder / "all.zip") as archive:
        copies = {each: archive.read(each) for each in archive.namelist() if "record" in each}
    assert copies.keys() == {"record.jsonl", "record.incarnation-1.jsonl"}
    for name, data in copies.items():
        (region.folder / name).write_bytes(data)
        assert run("record", "verify", region.folder / name)[0] == 3

    found = region.proven()
    assert (found.is_proven, found.header.incarnation) == (True, 2)
    before = region.folder / "north" / "record.incarnation-1.jsonl"
    assert run("record", "verify", before)[0] == 3  # consistent; whom to believe was not said
    kept = region.node.folder / "earlier" / "record.1.jsonl"
    assert kept.read_bytes() == (backup / "record.jsonl").read_bytes()
    public = region.folder / "north-keys" / "north.keys.json"
    assert run("record", "verify", region.folder / "north" / "record.jsonl")[0] == 3
    assert public.exists()


PAGE = Path(__file__).resolve().parent.parent / "docs" / "operate.md"


def test_what_the_page_says_is_what_happens(region: Region) -> None:
    safe = region.folder / "safe"
    safe.mkdir()
    shutil.copyfile(region.node.folder / "exchange.private.json", safe / "exchange.private.json")
    section = PAGE.read_text().partition("## Back up and restore")[2].partition("\n## ")[0]
    blocks = BLOCK.findall(section)
    assert [who for who, _ in blocks] == ["operator", "operator", "north"]

    said = ""
    for who, text in blocks:
        for line in text.splitlines():
            words = shlex.split(line.removeprefix("$ keepclear "))
            if words[0] == "restore":
                region.filed("north", *ELSEWHERE)
                region.node.end()
                region.node.folder.rename(region.folder / "lost")
            if words[0] == "serve":
                region.node.folder = region.folder / words[1]
                region.node.start()
            else:
                said = region.run(who, *words)

    assert "entered late, and done" in said
    page = region.folder / "story.html"
    region.run("north", "record", "report", "north/record.jsonl", "--output", str(page), status=3)
    assert "stood when the backup ended, and is carried over: north 1" in page.read_text()


def test_a_restored_region_is_backed_up_and_restored_again(region: Region) -> None:
    one = region.back_up("one")
    key = region.lose()
    region.restore(one, key)
    region.accept("north")
    two = region.back_up("two")
    own = region.filed("north", *ELSEWHERE)
    region.node.end()
    shutil.rmtree(region.node.folder)

    region.restore(two, key)

    assert "entered late, and done" in region.accept("north")
    assert own in region.operations("north")
    assert [each.name for each in sorted((region.node.folder / "earlier").iterdir())] == [
        "record.1.jsonl", "record.2.jsonl",
    ]  # fmt: skip
    assert region.proven().header.incarnation == 3


def test_a_party_that_missed_an_incarnation_is_told_that_nothing_can_be_compared(
    region: Region,
) -> None:
    one = region.back_up("one")
    key = region.lose()
    region.restore(one, key)
    two = region.back_up("two")
    region.node.end()
    shutil.rmtree(region.node.folder)
    region.restore(two, key)

    said = region.run("north", "restored", "accept", "--home", "north", status=2)

    assert "does not go on from incarnation 1 of exercise-east, which is held here" in said
    assert "type mv" in said
    assert not (region.folder / "north" / "record.incarnation-1.jsonl").exists()


def test_nothing_is_accepted_of_an_exchange_that_goes_on_as_ever(region: Region) -> None:
    for word in ("show", "accept"):
        said = region.run("north", "restored", word, "--home", "north", status=2)
        assert "there is nothing to accept" in said
    said = region.run("north", "restored", "hand-in", "--home", "north", status=2)
    assert "there is nothing to hand in" in said
    for word in ("show", "accept", "hand-in"):
        said = region.run("north", "restored", word, "--home", "nowhere", status=2)
        assert "is no folder of a post; set it up with keepclear post setup" in said


# --- what cannot be restored ------------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Return the folder of a region, served no more, and a backup of it."""
    folder = tmp_path_factory.mktemp("copied")
    with serving(folder / "east") as node:
        made = begun(folder, node)
        node.end()  # with a last beat
        backup = made.back_up("monday")
        yield node.folder, backup


def cut(backup: Path) -> None:
    record = backup / "record.jsonl"
    record.write_bytes(record.read_bytes()[:-100])


def changed(backup: Path) -> None:
    record = backup / "record.jsonl"
    data = record.read_bytes()
    record.write_bytes(data.replace(b"north", b"nodth", 1))


def without_a_line(backup: Path) -> None:
    """Leave out a line, and let all else be as if it never was."""
    record = backup / "record.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join([*lines[:4], *lines[5:]]))
    say_again(backup)


def signed_twice(backup: Path) -> None:
    """Let another key sign the last beat too, and stand in the header."""
    record, stranger = backup / "record.jsonl", Signer(bytes(32))
    lines = record.read_bytes().splitlines()
    header = msgspec.json.decode(lines[0], type=Header)
    name = header.exchange[0].name
    other = ExchangeKey(name=name, key=stranger.public.data)
    lines[0] = encode(msgspec.structs.replace(header, exchange=(*header.exchange, other)))
    place = max(n for n, each in enumerate(lines) if each.startswith(b'{"line":"beat"'))
    beat = msgspec.json.decode(lines[place], type=BeatLine)
    note = sign_note(split_note(beat.note)[0], name, stranger)
    lines[place] = encode(msgspec.structs.replace(beat, note=note))
    record.write_bytes(b"".join(each + b"\n" for each in lines))
    say_again(backup)


def say_again(backup: Path) -> None:
    """Let a backup say that it is as it is now."""
    said = msgspec.json.decode((backup / "backup.json").read_bytes(), type=Backup)
    files = tuple(_file(backup, each.name) for each in said.files)
    made = msgspec.structs.replace(said, files=files)
    (backup / "backup.json").write_bytes(msgspec.json.encode(made))


def unsaid(backup: Path) -> None:
    (backup / "backup.json").unlink()


def without_keys(backup: Path) -> None:
    (backup / "region.keys.json").unlink()


def out_of_it(backup: Path) -> None:
    said = (backup / "backup.json").read_bytes()
    (backup / "backup.json").write_bytes(said.replace(b"region.keys.json", b"../east/record.db"))


@pytest.mark.parametrize(("damage", "words"), [
    (cut, "it was cut off or changed"),
    (changed, "it is damaged; give another copy"),
    (without_a_line, "so nothing is restored from it; give an older backup"),
    (unsaid, "so it is no backup, or was cut off while it was made"),
    (without_keys, "is missing; bring the whole folder"),
    (out_of_it, "which is no file of a backup"),
])  # fmt: skip
def test_a_damaged_backup_is_refused_and_nothing_is_made(
    copied: tuple[Path, Path], tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    folder, backup = copied
    bad = shutil.copytree(backup, tmp_path / "bad")
    damage(bad)

    status, said = run("restore", bad, tmp_path / "new", "--key", folder / "exchange.private.json")

    assert status == 2
    assert words in said
    assert [each.name for each in tmp_path.iterdir()] == ["bad"]


def test_the_key_of_another_region_and_a_folder_in_use_are_refused(
    copied: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, backup = copied
    key = folder / "exchange.private.json"
    other = tmp_path / "other.json"
    other.write_bytes(key.read_bytes().replace(b"/exercise-east", b"/exercise-west"))
    stranger = tmp_path / "stranger.json"
    said = msgspec.json.decode(key.read_bytes())
    stranger.write_bytes(msgspec.json.encode({**said, "seed": "11" * 32}))
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()

    twice = shutil.copytree(backup, tmp_path / "twice")
    signed_twice(twice)
    assert "is signed by key" in run("restore", twice, tmp_path / "new", "--key", key)[1]
    for given, to, words in (
        (other, tmp_path / "new", "give the backup and the key of one region"),
        (stranger, tmp_path / "new", "and the key given is"),
        (key, full, "is not empty; give a new folder"),
        (key, folder, "is a region already, and nothing is restored over it"),
    ):
        status, said = run("restore", backup, to, "--key", given)
        assert (status, words in said) == (2, True), said
    assert not (tmp_path / "new").exists()


def test_a_backup_is_made_in_a_new_folder_and_says_how_far_it_goes(
    copied: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, backup = copied

    said = read_backup(backup)
    assert (said.region, said.incarnation) == ("exercise-east", 1)
    assert said.lines == len((backup / "record.jsonl").read_bytes().splitlines())
    assert not (backup / "exchange.private.json").exists()
    with pytest.raises(OperatorError, match="is there already; give each backup a folder"):
        back_up(folder, backup, 0)
    assert "restored" in run("restore", backup, tmp_path / "new", "--key",
                             folder / "exchange.private.json")[1]  # fmt: skip


def test_what_is_read_while_another_writes_is_a_record_up_to_some_line(tmp_path: Path) -> None:
    ends = threading.Event()
    with closing(SQLiteStore.create(tmp_path / "record.db", HEADER)) as kept:

        def write() -> None:
            number = 1
            while not ends.is_set():
                kept.append([world(number), world(number + 1)])
                number += 2

        writing = threading.Thread(target=write)
        writing.start()
        counts: list[int] = []
        while len(set(counts)) < 5:
            with closing(SQLiteStore.reading(tmp_path / "record.db")) as read:
                lines = list(read.lines())
            assert lines[1:] == [world(number) for number in range(1, len(lines))]
            counts.append(len(lines))
        ends.set()
        writing.join()
    assert counts == sorted(counts)
    assert all(count % 2 for count in counts)  # an append is read whole or not at all


def test_a_region_in_postgresql_is_backed_up_and_restored(
    postgresql: Server, tmp_path: Path
) -> None:
    lost, new = (postgresql.database() for _ in range(2))
    with serving(tmp_path / "east", store=lost) as node:
        region = begun(tmp_path, node)
        backup = region.back_up("monday")
        late = region.filed("north", *ELSEWHERE)
        key = region.lose()

        said = region.run("", "restore", str(backup), str(node.folder), "--key", str(key),
                          "--store", lost, status=2)  # fmt: skip
        assert "is there already" in said
        assert not node.folder.exists()
        region.restore(backup, key, "--store", new)

        assert "entered late, and done" in region.accept("north")
        assert late in region.operations("north")
        assert httpx.get(f"{node.operator}/health").json()["state"] == "writing"
        assert region.proven().is_proven
