# SPDX-License-Identifier: Apache-2.0
"""An exchange goes on with another key: by an entry that the old and the new one sign."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import pytest

from keepclear.agreement.states import State
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, OperatorError
from keepclear.exchange.audit import audit
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.operations import Refused
from keepclear.exchange.ports import NotWritten
from keepclear.exchange.reopening import Following
from keepclear.exchange.snapshots import frames, read
from keepclear.plans import acts
from keepclear.record.encoding import encode
from keepclear.record.entries import EVERYBODY
from keepclear.record.faults import NotProven
from keepclear.record.files import AnyLine, BeatLine, CheckpointLine, ExchangeKey, KeysFile
from keepclear.record.key_documents import first_document
from keepclear.record.keys import Signer
from keepclear.record.notes import Checkpoint, NoteKey, sign_note, signers_of
from keepclear.record.origins import beat_origin
from keepclear.record.parts import seal_exchange_key
from keepclear.record.receipts import verify_receipt
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.record_text import record_text
from tests.agreement_plays import DAY_US, agreement
from tests.exchange_twins import kept_of
from tests.key_plays import change_key, next_change
from tests.record_plays import EXCHANGE, REGION, START_US, signer
from tests.record_plays import Play as Record
from tests.record_plays import played as record_played
from tests.restored_stages import lost, restore
from tests.test_rules_of_the_door import Play, a_and_b
from tests.two_worlds import Plan, filed

HERE = Plan(place=0, level=20, start=60, lasts=40)
ABOVE = Plan(place=0, level=21, start=60, lasts=40)
END_US = START_US + 365 * DAY_US


def key_of(play: Play) -> NoteKey:
    """Return what the exchange of a play signs with."""
    return NoteKey(play.stage._opened.exchange, play.stage._signer.public)


def notes_in(lines: Sequence[bytes]) -> list[str]:
    """Return what the exchange has signed in lines of an archive."""
    every = [msgspec.json.decode(each, type=AnyLine) for each in lines]
    return [each.note for each in every if isinstance(each, CheckpointLine | BeatLine)]


# --- the exchange --------------------------------------------------------------------------------


def test_all_from_that_entry_on_is_signed_with_the_new_key_and_proven_by_the_old_one() -> None:
    play = Play(a_and_b(None))
    play.file("a", HERE)
    play.stage.exchange.beat()
    count, believed, old = len(play.stage.lines), play.stage.keys, key_of(play)

    change_key(play.stage)
    play.file("b", ABOVE)
    play.stage.exchange.beat()

    new = key_of(play)
    signed = {signers_of(each, (old, new)) for each in notes_in(play.stage.lines[count:])}
    assert signed == {(new,)}
    for lines in (play.stage.lines, list(view_of(play.stage.lines, "a"))):
        found = verify(lines, believed)
        assert found.is_proven
        assert [each.key_id for each in found.exchange] == [old.key.id, new.key.id]
    assert audit(play.stage.lines, plain()).differences == ()
    assert f"goes on with {new.key.id[:4]}" in "\n".join(record_text(play.stage.lines))


def test_the_entry_its_beat_and_a_checkpoint_of_each_tree_are_written_at_once() -> None:
    play = Play(a_and_b(None))
    play.file("a", HERE)
    play.stage.exchange.beat()
    appends: list[Sequence[bytes]] = []
    append = play.stage._store.append

    def noted(lines: Sequence[bytes]) -> None:
        appends.append(lines)
        append(lines)

    play.stage._store.append = noted  # type: ignore[method-assign]

    change_key(play.stage)

    [lines] = appends
    trees = play.stage.exchange._kept.ledger.trees
    assert [each[9:14] for each in lines] == [b"entry", *[b"check"] * len(trees), b'beat"']


def test_receipts_and_proofs_of_steps_are_signed_with_the_new_key_at_once() -> None:
    play = Play()
    made = acts.FileOperation(operation=filed(HERE))
    exchange = play.stage.exchange
    before = exchange.submit(play.stage.envelope("a", "operations.file/1", made), "a")
    [old_receipt, *_] = exchange.reads.receipts(before).value
    old = key_of(play)

    change_key(play.stage)

    [receipt, *_] = exchange.reads.receipts(before).value
    steps = exchange.reads.proven_steps("a", 0, 1_000).value
    new = key_of(play)
    assert verify_receipt(receipt, [new]).part == verify_receipt(old_receipt, [old]).part
    assert {signers_of(each, (old, new)) for each in steps.notes} == {(new,)}


def test_what_is_known_not_to_be_written_leaves_the_old_key_signing() -> None:
    play, full = Play(a_and_b(None)), NotWritten("no space left")
    play.stage.exchange.beat()
    exchange, lines, before = play.stage.exchange, play.stage.lines, kept_of(
        play.stage.exchange._kept
    )  # fmt: skip
    append, new = play.stage._store.append, Signer(bytes(range(32)))

    def fails(_: Sequence[bytes]) -> None:
        raise full

    play.stage._store.append = fails  # type: ignore[method-assign,assignment]
    with pytest.raises(NotWritten):
        exchange.change_key(next_change(play.stage, new), new)
    play.stage._store.append = append  # type: ignore[method-assign]

    assert (play.stage.lines, kept_of(exchange._kept)) == (lines, before)
    play.file("a", HERE)
    exchange.beat()
    found = verify(play.stage.lines, play.stage.keys)
    assert [each.key_id for each in found.exchange] == [play.stage._signer.public.id]
    exchange.change_key(next_change(play.stage, new), new)  # the same can be tried again


def test_a_record_of_several_keys_is_gone_on_with_from_its_lines_and_from_a_snapshot() -> None:
    play = Play(a_and_b(None))
    keys = [play.stage._signer]
    for _ in range(3):
        change_key(play.stage)
        keys.append(play.stage._signer)
        play.file("a", HERE)
    play.stage.exchange.beat()
    exchange, lines = play.stage.exchange, play.stage.lines

    found = read(list(frames(exchange.copied("1"))), "1", exchange.region, plain())
    following = Following.after(found.kept, lines[0], lines[-1], exchange.region, plain())
    from_snapshot = following.result([each.public for each in keys])
    play.stage.begin_again()

    assert kept_of(from_snapshot) == kept_of(exchange._kept) == kept_of(play.stage.exchange._kept)
    assert [each.key for each in play.stage.exchange.signing] == [each.public for each in keys]
    assert verify(lines, play.stage.keys).is_proven


def test_it_does_not_go_on_without_the_key_that_its_record_says() -> None:
    play = Play()
    first = change_key(play.stage)
    second = change_key(play.stage)
    newest, stage = play.stage._signer, play.stage

    for own in (first, second):
        with pytest.raises(
            OperatorError, match=r"was followed by key .*bring exchange.private.json"
        ):
            Exchange(stage._opened, own, stage.clock, stage._ids, stage._store, plain())
    again = Exchange(
        stage._opened, first, stage.clock, stage._ids, stage._store, plain(),
        others=[second, newest],
    )  # fmt: skip

    assert again.signing[-1].key == newest.public


def test_a_key_that_may_not_be_the_exchanges_is_refused_and_nothing_is_entered() -> None:
    play = Play()
    stage, exchange, first = play.stage, play.stage.exchange, play.stage._signer
    own = {name: stage._signers["a", name] for name in ("watch", "root", "next-root", "rep-1")}
    lines, new = stage.lines, Signer(bytes(range(32)))
    elsewhere = seal_exchange_key(exchange.region.name, f"other/{exchange.region.name}", first, new)

    for each in own.values():
        with pytest.raises(Refused, match="is a's own; prepare a key that is nobody's"):
            exchange.change_key(next_change(stage, each), each)
    with pytest.raises(NotProven, match="is by a key that is not known here"):
        exchange.change_key(next_change(stage, new, Signer(bytes(32))), new)
    with pytest.raises(Refused, match="which is at hand; prepare the change anew"):
        exchange.change_key(next_change(stage, new), Signer(bytes(32)))
    with pytest.raises(Refused, match="which is at hand; prepare the change anew"):
        exchange.change_key(elsewhere, new)

    assert stage.lines == lines
    change_key(stage)
    with pytest.raises(Refused, match="has signed this record before"):
        exchange.change_key(next_change(stage, first), first)


def test_a_party_cannot_take_the_key_that_the_exchange_has_gone_on_with() -> None:
    play = Play()
    change_key(play.stage)
    lines = play.stage.lines
    names = ("root", "next-root", "rep-1", "rep-2")
    signers = {name: Signer(play.stage._ids.salt()) for name in names}
    signers["watch"] = play.stage._signer
    document = first_document("d", signers, ("rep-1", "rep-2"), ("watch",), START_US, END_US)

    with pytest.raises(Refused, match=r"key document of d: has key .*, which is the exchange's"):
        play.stage.exchange.admit(document)

    assert play.stage.lines == lines
    assert "d" not in play.stage.exchange.keys.parties()


def test_an_agreement_that_names_the_exchanges_key_goes_on_when_it_changes() -> None:
    play = Play()
    made = agreement(operator_key=play.stage._signer.public.id)
    play.stage.carry(play.stage.signed(made), made)
    [carried] = play.world.agreements.values()
    was = carried.state

    change_key(play.stage)
    play.at(1)
    own, other = play.file("a", HERE), play.file("b", Plan(place=2, level=20, start=60, lasts=40))

    [carried], [conflict] = play.world.agreements.values(), play.world.conflicts.values()
    assert (was, carried.state) == (State.IN_FORCE, State.IN_FORCE)
    assert {conflict.a, conflict.b} == {own, other}
    [own_hash] = play.world.agreements
    assert {each.agreement for each in conflict.broken} == {own_hash}


# --- after a restored backup ---------------------------------------------------------------------


def test_what_goes_on_from_a_backup_after_two_changes_is_proven_by_the_first_key() -> None:
    play = Play(a_and_b(None))
    believed = play.stage.keys
    change_key(play.stage)
    play.file("a", HERE)
    change_key(play.stage)
    lines = play.stage.lines

    assert restore(play.stage, lines)

    found = verify(play.stage.lines, believed)
    assert found.is_proven
    assert found.header.incarnation == 2
    assert [each.key_id for each in found.exchange] == [play.stage._signer.public.id]
    assert audit(play.stage.lines, plain()).differences == ()


def test_a_late_act_is_taken_whose_receipt_an_earlier_key_has_signed() -> None:
    play = Play(a_and_b(None))
    believed = play.stage.keys
    backup = play.stage.lines
    play.file("a", HERE)
    play.stage.exchange.beat()
    whole = play.stage.lines
    old, backup_signer = key_of(play), play.stage._signer
    restore(play.stage, backup)
    [each] = lost(play.stage, "a", whole)

    change_key(play.stage)
    play.stage.exchange.hand_in(each.receipts, "a")
    play.stage.exchange.beat()

    assert verify_receipt(each.receipts[0], [old]).signed == (old,)
    assert backup_signer != play.stage._signer
    assert verify(play.stage.lines, believed).is_proven
    with pytest.raises(CallerError):  # not one that an exchange of another key has signed
        play.stage.exchange.hand_in(
            [msgspec.structs.replace(each.receipts[0], checkpoint=sign_note(
                each.receipts[0].checkpoint.partition("\n\n")[0] + "\n", old.name,
                Signer(bytes(32)),
            ))], "a",
        )  # fmt: skip


# --- a record, verified --------------------------------------------------------------------------


def changed(*keys: Signer) -> Record:
    """Return a record whose exchange goes on with these keys, one after another."""
    play = record_played()
    for new in keys:
        change = seal_exchange_key(REGION, EXCHANGE, play.exchange, new)
        play.enter((EVERYBODY, "exchange-key/1", change))
        play.exchange = new
        play.sign()
    return play


def test_what_a_key_signs_after_another_has_followed_it_does_not_count() -> None:
    old, new = signer("exchange"), signer("new exchange")
    play = changed(new)
    play.act(6)
    play.exchange = old

    play.sign()

    with pytest.raises(NotProven, match=r"was followed by .*, and signs nothing new"):
        verify(play.archive(), play.keys())
    with pytest.raises(NotProven, match=r"was followed by .*, and signs nothing new"):
        verify(play.view("a"), play.keys())


def test_a_beat_of_a_key_that_was_followed_does_not_count_even_over_the_same() -> None:
    old, new = signer("exchange"), signer("new exchange")
    play = changed(new)
    [beat] = [each for each in play.lines[-1:] if isinstance(each, BeatLine)]
    size = int(beat.note.split("\n")[1]) + 1
    digest = play.ledger.beat(size, beat.salt, EXCHANGE, old)
    salt = sha256(b"another").digest()
    forged = play.ledger.beat(size, salt, EXCHANGE, old)
    assert Checkpoint(beat_origin(REGION, 1), size, b"").origin in digest

    play.lines.append(BeatLine(salt=salt, note=forged))

    with pytest.raises(NotProven, match=r"was followed by .*, and signs nothing new"):
        verify(play.archive(), play.keys())


def test_a_checkpoint_of_the_old_key_counts_for_what_its_tree_had_then() -> None:
    play = record_played()
    play.sign()
    notes = [each for each in play.lines if isinstance(each, CheckpointLine)]
    [at_end] = [each for each in notes[-4:] if each.note.split("\n")[0].endswith("/a")]
    new = signer("new exchange")
    change = seal_exchange_key(REGION, EXCHANGE, play.exchange, new)
    play.enter((EVERYBODY, "exchange-key/1", change))
    play.exchange = new
    play.sign()

    view = [*play.view("a"), encode(at_end)]

    assert verify(view, play.keys()).is_proven


def test_only_the_last_key_says_which_one_follows_it() -> None:
    first, second, third = signer("exchange"), signer("second"), signer("third")
    play = changed(second)
    thief = seal_exchange_key(REGION, EXCHANGE, first, third)
    play.enter((EVERYBODY, "exchange-key/1", thief))

    with pytest.raises(NotProven, match="is by a key that is not known here"):
        verify(play.archive(), play.keys())

    back = changed(second)
    back.enter((EVERYBODY, "exchange-key/1", seal_exchange_key(REGION, EXCHANGE, second, first)))
    with pytest.raises(NotProven, match="has signed before, and another has followed it"):
        verify(back.archive(), back.keys())


def test_a_change_that_not_all_are_shown_is_refused() -> None:
    play = record_played()
    change = seal_exchange_key(REGION, EXCHANGE, play.exchange, signer("new exchange"))
    play.enter(("a", "exchange-key/1", change))

    with pytest.raises(NotProven, match="is not everybody, who must know it"):
        verify(play.archive(), play.keys())


def keys_with(play: Record, *keys: Signer) -> KeysFile:
    """Return a file of keys with these keys of the exchange, oldest first."""
    exchange = tuple(ExchangeKey(name=EXCHANGE, key=each.public.data) for each in keys)
    return msgspec.structs.replace(play.keys(), exchange=exchange)


def test_who_joins_later_proves_the_record_by_the_keys_so_far_and_by_no_other_change() -> None:
    first, second, other = signer("exchange"), signer("second"), signer("other")
    play, forged = changed(second), changed(other)

    for lines in (play.archive(), play.view("a")):
        assert verify(lines, keys_with(play, first, second)).is_proven
    with pytest.raises(NotProven, match="is not the one in the file of keys"):
        verify(forged.archive(), keys_with(forged, first, second))
    with pytest.raises(NotProven, match=r"region\.keys\.json has those before too"):
        verify(play.archive(), keys_with(play, second))
