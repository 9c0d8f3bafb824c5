# SPDX-License-Identifier: Apache-2.0
"""The hash of the world beside the entries: a fold that comes to another world is refused."""

from collections.abc import Callable

import msgspec
import pytest

from keepclear.detect.compiled import plain
from keepclear.errors import OperatorError
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.exchange.kept import Region
from keepclear.plans import acts
from keepclear.plays.stage import Stage
from keepclear.record.encoding import encode
from keepclear.record.faults import BrokenProof, Malformed, RecordError
from keepclear.record.files import AnyLine, BeatLine, EntryLine, Header, WorldLine
from keepclear.record.headers import Status
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.record_text import record_text
from keepclear.store.memory import MemoryStore
from tests.exchange_plays import CountedIds
from tests.incident_plays import HOUSE, filed, volume
from tests.record_plays import START_US

EVERY = 3


def staged(every: int = EVERY) -> Stage:
    """Return a stage on which nine things have happened."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain(), every)
    for party in ("a", "b"):
        stage.join(party)
    for place in range(6):
        made = acts.FileOperation(operation=filed(volume(latitude=35 + place / 50)))
        stage.submit("ab"[place % 2], "operations.file/1", made)
    return stage


def lines_of(stage: Stage) -> list[AnyLine]:
    """Return the lines of the archive."""
    return [msgspec.json.decode(each, type=AnyLine) for each in stage.lines]


def changed(stage: Stage, change: Callable[[WorldLine], AnyLine | None]) -> list[bytes]:
    """Return the archive with another first hash, or without it."""
    made = [encode(each) for each in lines_of(stage)]
    [place, *_] = [n for n, each in enumerate(lines_of(stage)) if isinstance(each, WorldLine)]
    line = lines_of(stage)[place]
    assert isinstance(line, WorldLine)
    other = change(line)
    made[place : place + 1] = [] if other is None else [encode(other)]
    return made


def other_hash(line: WorldLine) -> WorldLine:
    return msgspec.structs.replace(line, hash="0" * 64)


def test_the_hash_of_the_world_stands_after_every_so_many_entries() -> None:
    stage = staged()

    kinds = [type(each) for each in lines_of(stage)]

    assert kinds == [Header, *[*[EntryLine] * EVERY, WorldLine] * 3]
    last = lines_of(stage)[-1]
    assert last == WorldLine(seq=9, hash=stage.exchange.world.hash)
    assert Region(name="east", exchange="exchange.example/east", house=HOUSE).hash_every == 10_000


def test_a_record_with_hashes_folds_is_decided_again_and_proven() -> None:
    stage = staged()
    stage.exchange.beat()
    stage.submit("a", "operations.file/1", acts.FileOperation(operation=filed(volume())))
    stage.exchange.beat()

    assert fold(stage.lines).hash == stage.exchange.world.hash
    assert audit(stage.lines, plain()).differences == ()
    assert verify(stage.lines, stage.keys).is_proven
    assert any("the world after 3 entries" in each for each in record_text(stage.lines))


@pytest.mark.parametrize("read", [fold, lambda lines: audit(lines, plain())])
def test_entries_that_lead_to_another_world_are_refused(
    read: Callable[[list[bytes]], object],
) -> None:
    spoilt = changed(staged(), other_hash)

    with pytest.raises(BrokenProof, match="is the hash written after 3 entries; they lead to"):
        read(spoilt)


@pytest.mark.parametrize(
    "change",
    [
        other_hash,
        lambda _line: None,
        lambda line: msgspec.structs.replace(line, seq=2),
    ],
)
def test_a_hash_that_was_changed_taken_out_or_moved_after_its_beat_is_found(
    change: Callable[[WorldLine], WorldLine | None],
) -> None:
    stage = staged()
    stage.exchange.beat()

    with pytest.raises(RecordError, match=r"the hash of a world was changed|it was moved"):
        verify(changed(stage, change), stage.keys)


def test_an_archive_that_ends_in_a_hash_that_no_beat_covers_is_not_proven() -> None:
    stage = staged()
    stage.exchange.beat()
    lines = [*stage.lines, encode(WorldLine(seq=9, hash="0" * 64))]

    assert not verify(lines, stage.keys).is_proven


def test_no_party_sees_a_hash_or_how_many_entries_there_were() -> None:
    stage = staged()
    stage.exchange.beat()

    seen = list(view_of(stage.lines, "a"))

    assert not any(b'"world"' in each for each in seen)
    assert not any(isinstance(each, WorldLine) for each in map(_line, seen))
    with pytest.raises(Malformed, match="has no place in a file of view party"):
        verify([*seen, encode(WorldLine(seq=9, hash="0" * 64))], stage.keys)


def test_two_archives_that_differ_in_their_hashes_alone_give_a_party_the_same_file() -> None:
    """Beats differ by their salts alone then, and none of them is in a party's file."""
    with_hashes, without = staged(EVERY), staged(10_000)
    for each in (with_hashes, without):
        each.exchange.beat()

    assert with_hashes.lines != without.lines
    assert list(view_of(with_hashes.lines, "a")) == list(view_of(without.lines, "a"))


def test_the_digest_of_a_beat_hides_the_hash_behind_its_salt() -> None:
    stage = staged()
    stage.exchange.beat()
    [beat] = [each for each in lines_of(stage) if isinstance(each, BeatLine)]

    assert stage.exchange.world.hash not in beat.note
    assert len(beat.salt) == 32


def test_an_exchange_does_not_go_on_with_a_record_that_leads_to_another_world() -> None:
    stage = staged()
    header = lines_of(stage)[0]
    assert isinstance(header, Header)
    stage._store = MemoryStore.holding(header, changed(stage, other_hash)[1:])

    with pytest.raises(OperatorError, match="they lead to"):
        stage.begin_again()


def _line(data: bytes) -> AnyLine:
    line: AnyLine = msgspec.json.decode(data, type=AnyLine)
    return line
