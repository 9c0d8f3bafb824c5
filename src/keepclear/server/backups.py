# SPDX-License-Identifier: Apache-2.0
"""A backup of a region: its record as a file, made while the region is served.

Layout, a folder:

    record.jsonl      the record so far, as an archive (`record.files`): it is verified as any is
    earlier/          what earlier incarnations have left, where the region was restored before
    region.keys.json  the exchange's public keys, the newest last
    backup.json       what is in it and how far it goes; written last, so without it it is none

1. Lines of a record never change, so those up to a number are a consistent copy, however much is
   written meanwhile.
2. The exchange's private key is not in it, nor the operator's token: a backup lies in many places,
   and who has the key can sign a second record.
3. What is damaged is found out by length and digest, and by what is signed.
"""

import os
import shutil
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Final, Literal

import msgspec

from keepclear.errors import OperatorError
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Entry, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import BeatLine, EntryLine, ExchangeKey, Header
from keepclear.record.notes import read_checkpoint, split_note
from keepclear.record.parts import EXCHANGE_KEY_KIND, exchange_key_in
from keepclear.server.exchange_keys import write_public
from keepclear.server.region import PUBLIC
from keepclear.server.stores import read_store

RECORD: Final = "record.jsonl"
EARLIER: Final = "earlier"
SAID: Final = "backup.json"
ENTRY: Final = b'{"line":"entry"'
BEAT: Final = b'{"line":"beat"'
KEY_KIND: Final = EXCHANGE_KEY_KIND.encode()


class FileIn(Signed, frozen=True, kw_only=True):
    """A file of a backup, its length in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


class Backup(Signed, frozen=True, kw_only=True):
    """What backup.json says.

    entries: how many there are, the last of last_us. beat: number of the last beat, which the
    exchange has signed over all before it, None without one; unsigned: entries after it. taken_us:
    when the backup was made.
    """

    format: Literal["keepclear-backup/1"] = "keepclear-backup/1"
    region: str
    incarnation: int
    lines: int
    entries: int
    last_us: int
    beat: int | None
    unsigned: int
    taken_us: int
    files: tuple[FileIn, ...]


def back_up(folder: Path, to: Path, now_us: int) -> Backup:
    """Copy the record of a region, which may be served meanwhile, into a new folder.

    `OperatorError` where there is something already, or the record cannot be read.
    """
    if to.exists():
        raise OperatorError(f"{to}: is there already; give each backup a folder of its own")
    store = read_store(folder)
    try:
        made = _Copying(to)
        for line in store.lines():
            made.take(line)
        made.close()
    finally:
        store.close()
    write_public(to, made.exchange())
    for each in earlier_in(folder):
        (to / EARLIER).mkdir(exist_ok=True)
        shutil.copyfile(each, to / EARLIER / each.name)
    said = made.said(now_us)
    write_whole(to / SAID, encode(said) + b"\n")
    return said


def read_backup(path: Path) -> Backup:
    """Return what a backup says of itself; `OperatorError` where it is none, or damaged."""
    try:
        said = msgspec.json.decode((path / SAID).read_bytes(), type=Backup)
    except FileNotFoundError:
        raise OperatorError(
            f"{path}: has no {SAID}, so it is no backup, or was cut off while it was made; give "
            "another one"
        ) from None
    except (OSError, msgspec.DecodeError) as fault:
        raise OperatorError(
            f"{path / SAID}: cannot be read ({fault}); give another backup"
        ) from None
    for each in said.files:
        _check(path, each)
    return said


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a backup's record."""
    with (path / RECORD).open("rb") as file:
        for line in file:
            yield line.removesuffix(b"\n")


def earlier_in(folder: Path) -> list[Path]:
    """Return the files that earlier incarnations of a region have left, in a folder of either."""
    return sorted((folder / EARLIER).glob("record.*.jsonl"))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, to outlast a power cut."""
    made = path.with_name(path.name + ".new")
    with made.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


class _Copying:
    """A record that is copied line by line, and what is noted of it meanwhile."""

    def __init__(self, to: Path) -> None:
        to.mkdir(parents=True, mode=0o700)
        self._to, self._file = to, (to / RECORD).open("wb")
        self._lines = self._unsigned = 0
        self._header = self._entry = self._beat = b""
        self._changes: list[Envelope] = []

    def take(self, line: bytes) -> None:
        """Copy the next line."""
        self._file.write(line + b"\n")
        self._lines += 1
        if self._lines == 1:
            self._header = line
        elif line.startswith(ENTRY):
            self._entry, self._unsigned = line, self._unsigned + 1
            if KEY_KIND in line:
                self._changes += _changes_in(line)
        elif line.startswith(BEAT):
            self._beat, self._unsigned = line, 0

    def exchange(self) -> tuple[ExchangeKey, ...]:
        """Return the exchange's keys, as the record has them, the newest last."""
        header = msgspec.json.decode(self._header, type=Header)
        later = (exchange_key_in(each, header.region) for each in self._changes)
        return (
            *header.exchange, *(ExchangeKey(name=each.name, key=each.key.data) for each in later)
        )  # fmt: skip

    def close(self) -> None:
        """Let all of it be on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def said(self, now_us: int) -> Backup:
        """Return what is in it."""
        try:
            header = msgspec.json.decode(self._header, type=Header)
            line = msgspec.json.decode(self._entry, type=EntryLine)
            entry = msgspec.json.decode(line.entry, type=Entry)
        except (msgspec.DecodeError, ValueError) as fault:
            raise OperatorError(
                f"record: has no header and entry that can be read ({fault}), so there is nothing "
                "to back up; see docs/operate.md"
            ) from None
        beat = None
        if self._beat:
            note = msgspec.json.decode(self._beat, type=BeatLine).note
            beat = read_checkpoint(split_note(note)[0]).size
        names = [RECORD, PUBLIC, *(f"{EARLIER}/{each.name}" for each in earlier_in(self._to))]
        return Backup(
            region=header.region, incarnation=header.incarnation, lines=self._lines,
            entries=entry.seq + 1, last_us=entry.at_us, beat=beat, unsigned=self._unsigned,
            taken_us=now_us, files=tuple(_file(self._to, name) for name in names),
        )  # fmt: skip


def _changes_in(line: bytes) -> list[Envelope]:
    """Return the changes of the exchange's key in an entry."""
    entry = msgspec.json.decode(msgspec.json.decode(line, type=EntryLine).entry, type=Entry)
    parts = [msgspec.json.decode(each.part, type=Part) for each in entry.leaves]
    return [
        msgspec.json.decode(each.data, type=Envelope)
        for each in parts if each.kind == EXCHANGE_KEY_KIND
    ]  # fmt: skip


def _file(folder: Path, name: str) -> FileIn:
    path = folder / name
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return FileIn(name=name, size=path.stat().st_size, sha256=digest)


def _check(folder: Path, said: FileIn) -> None:
    """Refuse a file that is not as it was written."""
    path = folder / said.name
    if ".." in Path(said.name).parts or Path(said.name).is_absolute():
        raise OperatorError(f"{folder / SAID}: names {said.name}, which is no file of a backup")
    if not path.is_file():
        raise OperatorError(f"{path}: is missing; bring the whole folder of the backup")
    size = path.stat().st_size
    if size != said.size:
        raise OperatorError(
            f"{path}: has {size:,} bytes, and {said.size:,} were written: it was cut off or "
            "changed; give another copy of the backup, or an older one"
        )
    if _file(folder, said.name).sha256 != said.sha256:
        raise OperatorError(
            f"{path}: is not as it was written (SHA-256 differs): it is damaged; give another copy "
            "of the backup, or an older one"
        )
