# SPDX-License-Identifier: Apache-2.0
"""The folder of a post: what is kept there from one command to the next, by several at once.

    desk.json       where the exchange is, for which party and post, with which key; in an
                    exercise with a clock of its own, that this is the exchange's
    believed.json   the exchange's public key, as the operator gave it
    record.jsonl    the party's part of the record, proven as far as `seen.json` says
    seen.json       how its trees stand and what they say of operations and conflicts
    shown.json      which notice of each conflict, and version of each operation, was last printed
    asked.json      when the exchange was last asked for all that is new, by this machine's clock
    unanswered/     acts to which there was no answer, as they were signed
    record.incarnation-N.jsonl, seen.incarnation-N.json   the same of an incarnation of the record
                    before one that was restored from a backup and accepted

1. Each file is replaced in one step, and record.jsonl only grows: lines first, then seen.json. What
   was cut off while it was written is written again.
2. Who writes holds `desk.json.lock` meanwhile, and reads before what others have written: a newer
   seen.json is never overwritten by an older one, and lines that two commands were given are the
   same, or it goes no further.
3. An act stands in `unanswered` before it is sent, until the exchange has answered it.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from keepclear.cli.output import write_text
from keepclear.client import KeptStep, Seen
from keepclear.errors import InputError, OperatorError
from keepclear.exchange.picture import Picture, told_in
from keepclear.exchange.views import Notice
from keepclear.plans.operations import Operation
from keepclear.record.encoding import decode, encode
from keepclear.record.entries import Leaf, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import SplitView
from keepclear.record.files import LONGEST_LINE, LeafLine
from keepclear.record.headers import Name, Status, read_act
from keepclear.record.held import size_of
from keepclear.store.locks import Lock, locked

Value = TypeVar("Value")
DESK, SEEN, RECORD, SHOWN = "desk.json", "seen.json", "record.jsonl", "shown.json"
ASKED: Final = "asked.json"
UNANSWERED: Final = "unanswered"
WAIT_S: Final = 10.0
LEAF: Final = b'{"line":"leaf"'


class Desk(msgspec.Struct, kw_only=True):
    """What desk.json says; see `keepclear post setup`."""

    format: Literal["keepclear-desk/1"]
    exchange: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    party: Name
    post: Name
    status: Status
    key: str
    clock: Literal["exchange", ""] = ""


class Kept(msgspec.Struct, kw_only=True):
    """What seen.json says. size: of record.jsonl, in bytes, as far as it is proven."""

    format: Literal["keepclear-seen/1"] = "keepclear-seen/1"
    size: int = 0
    seen: Seen


class Version(msgspec.Struct, kw_only=True):
    """A version of an operation."""

    version: int
    ovn: str


class LastShown(msgspec.Struct, kw_only=True):
    """What shown.json says: what was last printed, in which incarnation of the record."""

    format: Literal["keepclear-shown/1"] = "keepclear-shown/1"
    incarnation: int = 0
    conflicts: dict[str, Notice] = {}
    operations: dict[str, Version] = {}


class Asked(msgspec.Struct, kw_only=True):
    """What asked.json says."""

    format: Literal["keepclear-asked/1"] = "keepclear-asked/1"
    at_us: int


class FolderChanged(OperatorError):
    """What a command goes on from is in the folder no more: it begins anew with what is there."""


class PostFolder:
    """The folder of one post. Used by one thread; other processes may use it too."""

    def __init__(self, home: str) -> None:
        self.path = Path(home)
        self._lock: Lock | None = None

    def desk(self) -> Desk:
        """Return what the post was set up with."""
        file = self.path / DESK
        if not file.is_file():
            raise OperatorError(
                f"{self.path}: is no folder of a post; set it up with keepclear post setup, or "
                "give --home"
            )
        return _read(file, Desk, "write it again with keepclear post setup")

    def sign_with(self, key: str) -> None:
        """Let the post sign with another private key. key: its file."""
        with self.locked():
            self._write(DESK, msgspec.structs.replace(self.desk(), key=key))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other process write meanwhile; may stand within itself."""
        if self._lock is not None:
            yield
            return
        self._lock = locked(self.path / DESK, WAIT_S)
        try:
            yield
        finally:
            self._lock.release()
            self._lock = None

    # --- the record ---------------------------------------------------------------------------

    def kept(self) -> Kept:
        """Return how all stands; cut off what was not wholly written, and is not proven."""
        file, record = self.path / SEEN, self.path / RECORD
        with self.locked():
            if not file.exists():
                if record.exists():
                    raise OperatorError(
                        f"{record}: is there without {SEEN}, so nothing says how far it is proven; "
                        f"{self.away(RECORD)}, and run this again: it is fetched anew"
                    )
                return Kept(seen=Seen())
            kept = _read(file, Kept, f"{self.away()}, and run this again: it is fetched anew")
            size = record.stat().st_size if record.exists() else 0
            if size < kept.size:
                raise OperatorError(
                    f"{record}: has {size:,} bytes, fewer than the {kept.size:,} that were proven; "
                    f"{self.away()}, and run this again: it is fetched anew"
                )
            if size > kept.size:
                os.truncate(record, kept.size)
            return kept

    def keep(self, steps: Sequence[KeptStep], seen: Seen) -> None:
        """Keep steps, and how all stands after them; what another command has kept stays."""
        with self.locked():
            kept = self.kept()
            before = kept.seen
            if before.incarnation not in {0, seen.incarnation}:
                raise self._was_changed()
            new = [each for each in steps if each.step > before.step]
            if len(new) != max(seen.step - before.step, 0):
                raise self._was_changed()
            made = _merged(before, seen)
            if not new and made == before:
                return
            if new:
                self._check_same(kept.size, steps[: len(steps) - len(new)])
            if not before.incarnation:
                self._write(SEEN, kept)  # so that record.jsonl never stands without it
            size = self._append(kept.size, [line for each in new for line in each.lines])
            self._write(SEEN, Kept(size=size, seen=made))

    def _check_same(self, size: int, steps: Sequence[KeptStep]) -> None:
        """Refuse to go on from lines that another command was given otherwise. steps: the last."""
        data = b"".join(line + b"\n" for each in steps for line in each.lines)
        if data:
            with (self.path / RECORD).open("rb") as record:
                record.seek(max(size - len(data), 0))
                if record.read(len(data)) != data:
                    raise SplitView(
                        str(self.path / RECORD), f"{len(steps)} steps",
                        "were given otherwise to another command of this post: the operator shows "
                        "two records", "keep this folder, and tell the other parties",
                    )  # fmt: skip

    def _append(self, size: int, lines: Sequence[bytes]) -> int:
        with (self.path / RECORD).open("ab") as record:
            record.writelines(line + b"\n" for line in lines)
            record.flush()
            os.fsync(record.fileno())
        return size + sum(len(line) + 1 for line in lines)

    def accept(self, region: str, incarnation: int) -> None:
        """Go on with a later incarnation of the record, of which nothing is known yet.

        What is held of the one before is copied first, so cut off at any time nothing is lost.
        """
        with self.locked():
            kept = self.kept()
            before = kept.seen.incarnation
            for name in (RECORD, SEEN):
                data = (self.path / name).read_bytes()
                write_text(str(self.path / of_incarnation(name, before)), data.decode())
            followed = kept.seen.followed  # the exchange's key of now, not of then
            self._write(SEEN, Kept(seen=Seen(
                region=region, incarnation=incarnation, followed=followed
            )))  # fmt: skip

    def earlier(self, incarnation: int) -> tuple[Kept, Path] | None:
        """Return what is held of an earlier incarnation, and where its lines are; None for none."""
        file = self.path / of_incarnation(SEEN, incarnation)
        if not file.exists():
            return None
        kept = _read(file, Kept, "bring it back from a copy of this folder")
        return kept, self.path / of_incarnation(RECORD, incarnation)

    def picture(self, party: str) -> Picture:
        """Return how all operations and conflicts stand, also those that are over."""
        made = Picture(party, {}, {})
        for _, part in self.parts():
            made.take(told_in(part))
        return made

    def was_asked(self, at_us: int) -> None:
        """Keep that all that is new was asked for, and came."""
        with self.locked():
            if at_us > self.last_asked():
                self._write(ASKED, Asked(at_us=at_us))

    def last_asked(self) -> int:
        """Return up to when all is held that there was; 0 where that is not known."""
        file = self.path / ASKED
        return _read(file, Asked, self.away(ASKED)).at_us if file.exists() else 0

    def parts(self) -> Iterator[tuple[Leaf, Part]]:
        """Yield all that is held, in order, each leaf with the part in it."""
        for line in self.lines():
            if line.startswith(LEAF):
                leaf = msgspec.json.decode(line, type=LeafLine).leaf
                yield leaf, decode(bytes(leaf.part), Part, RECORD, LONGEST_LINE)

    def holds(self, envelope: Envelope) -> bool:
        """Tell whether an act stands in the record: it was done."""
        data = encode(envelope)
        return any(data in line for line in self.lines())

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the record that are proven, without their ends."""
        return proven_lines(self.path / RECORD, self.kept())

    # --- what was shown -----------------------------------------------------------------------

    def shown(self, incarnation: int) -> LastShown:
        """Return what was last printed of what stands in an incarnation of the record."""
        file = self.path / SHOWN
        if not file.exists():
            return LastShown(incarnation=incarnation)
        found = _read(file, LastShown, f"{self.away(SHOWN)}, and look at all of it again")
        return found if found.incarnation == incarnation else LastShown(incarnation=incarnation)

    def show(
        self, incarnation: int, notices: Iterable[Notice], operations: Iterable[Operation],
        picture: Picture,
    ) -> None:  # fmt: skip
        """Keep that notices and operations are printed; of what is over nothing is kept.

        picture: of who prints; another command may have kept a newer one.
        """
        with self.locked():
            shown = self.shown(incarnation)
            for each in notices:
                last = shown.conflicts.get(each.conflict)
                if last is None or last.number < each.number:
                    shown.conflicts[each.conflict] = each
            for own in operations:
                known = shown.operations.get(own.id)
                if known is None or known.version < own.version:
                    shown.operations[own.id] = Version(version=own.version, ovn=own.ovn)
            latest = self.kept().seen
            conflicts = latest.conflicts.keys() | picture.unsettled().keys()
            protecting = latest.operations.keys() | picture.protecting().keys()
            shown.conflicts = {k: v for k, v in shown.conflicts.items() if k in conflicts}
            shown.operations = {k: v for k, v in shown.operations.items() if k in protecting}
            self._write(SHOWN, shown)

    # --- what was not answered ----------------------------------------------------------------

    def wait_for(self, envelope: Envelope) -> None:
        """Keep an act that is about to be sent."""
        (self.path / UNANSWERED).mkdir(exist_ok=True)
        self._write(f"{UNANSWERED}/{_name(envelope)}", envelope)

    def answered(self, envelope: Envelope) -> None:
        """Let go of an act that was answered."""
        (self.path / UNANSWERED / _name(envelope)).unlink(missing_ok=True)

    def unanswered(self) -> list[Envelope]:
        """Return the acts to which there was no answer, the oldest first."""
        files = sorted((self.path / UNANSWERED).glob("*.json"), key=lambda each: each.name)
        found = [
            _read(each, Envelope, "move it away, and look whether it was done") for each in files
        ]
        return sorted(found, key=lambda each: read_act(each).created_us)

    def away(self, *names: str) -> str:
        """Return what to type to move files away, and keep them; all of the record without any."""
        words = []
        for name in names or (SEEN, RECORD):
            file, stem, number = self.path / name, Path(name), 1
            while (self.path / f"{stem.stem}.{number}{stem.suffix}").exists():
                number += 1
            if file.exists():
                words.append(f"mv {file} {self.path / f'{stem.stem}.{number}{stem.suffix}'}")
        return f"type {' && '.join(words)}"

    def _was_changed(self) -> FolderChanged:
        return FolderChanged(
            f"{self.path / SEEN}: was moved away or set back while this ran; what is there now is "
            "gone on with"
        )

    def _write(self, name: str, value: object) -> None:
        write_text(str(self.path / name), encode(value).decode() + "\n")


def _merged(before: Seen, seen: Seen) -> Seen:
    """Return what stands after two commands. before: what stands in the folder."""
    notes = dict(before.notes)
    for audience, note in seen.notes.items():
        if audience not in notes or size_of(notes[audience]) <= size_of(note):
            notes[audience] = note
    made = seen if seen.step >= before.step else before
    contrary = list(dict.fromkeys([*before.contrary, *seen.contrary]))
    return msgspec.structs.replace(made, notes=notes, contrary=contrary)


def proven_lines(record: Path, kept: Kept) -> Iterator[bytes]:
    """Yield the lines of a record that are proven, without their ends."""
    left = kept.size
    if left:
        with record.open("rb") as file:
            while left > 0:
                line = file.readline()
                left -= len(line)
                yield line.removesuffix(b"\n")


def of_incarnation(name: str, incarnation: int) -> str:
    """Return the name that a file has once another incarnation of the record is accepted."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.incarnation-{incarnation}.{ending}"


def check_desk(desk: dict[str, str]) -> None:
    """Refuse what no post can be set up with; `InputError` names it."""
    try:
        msgspec.convert(desk, Desk)
    except msgspec.ValidationError as fault:
        raise InputError(
            "post", desk["exchange"], f"cannot be set up so ({fault})",
            "give an address that begins with http:// or https://, and names in small letters",
        ) from None  # fmt: skip


def _name(envelope: Envelope) -> str:
    return f"{read_act(envelope).id}.json"


def _read(file: Path, kind: type[Value], way_out: str) -> Value:
    """Return what a file of ours says; `OperatorError` where it says nothing of the kind."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise OperatorError(f"{file}: cannot be read ({fault}); {way_out}") from None
