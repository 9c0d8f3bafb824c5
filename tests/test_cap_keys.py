# SPDX-License-Identifier: Apache-2.0
"""Which key documents of CAP are signed with: by an entry for everybody, signed by the exchange."""

from collections.abc import Callable

import msgspec
import pytest

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.ports import NotWritten
from keepclear.exchange.reopening import reopened
from keepclear.exchange.snapshots import frames, read
from keepclear.plays.stage import Stage
from keepclear.record.cap_keys import CapKey, CapKeys, seal_cap_key
from keepclear.record.entries import EVERYBODY
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import Malformed, NotProven, RecordError
from keepclear.record.notes import NoteKey
from keepclear.record.parts import CAP_KEY_KIND
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.desk_text import step_text
from keepclear.reports.record_text import record_text
from tests.cap_plays import certificate
from tests.exchange_twins import kept_of
from tests.key_plays import change_key
from tests.message_plays import at_line
from tests.record_plays import EXCHANGE, REGION, signer
from tests.restored_stages import parts_of, restore

NINE = certificate(9)
KEYS = (NoteKey(EXCHANGE, signer("exchange").public),)


def cap_parts(stage: Stage, party: str) -> list[CapKey]:
    """Return the keys that a party sees in its part of the record."""
    envelopes = [
        msgspec.json.decode(each.data, type=Envelope)
        for each in parts_of(stage.lines, party) if each.kind == CAP_KEY_KIND
    ]  # fmt: skip
    return [msgspec.json.decode(each.payload, type=CapKey) for each in envelopes]


# --- the exchange --------------------------------------------------------------------------------


def test_everybody_sees_which_key_signs_documents_and_the_record_holds() -> None:
    stage = at_line()

    made = stage.exchange.set_cap_key(certificate())
    stage.exchange.beat()

    assert made.number == 1
    assert stage.exchange.reads.cap_key() == made
    for party in ("a", "b", "c"):
        assert cap_parts(stage, party) == [made]
        assert verify(list(view_of(stage.lines, party)), stage.keys).is_proven
    assert verify(stage.lines, stage.keys).is_proven
    assert audit(stage.lines, plain()).differences == ()
    said = "\n".join(record_text(stage.lines))
    assert f"documents of CAP are signed with {made.id[:4]}" in said
    [part] = [each for each in parts_of(stage.lines, "a") if each.kind == CAP_KEY_KIND]
    assert f"documents of CAP are signed with key {made.id[:4]}" in step_text((part,), {})[0]


def test_another_key_takes_its_place_and_none_comes_back() -> None:
    stage = at_line()
    one = stage.exchange.set_cap_key(certificate())
    two = stage.exchange.set_cap_key(other := certificate(2))
    lines = list(stage.lines)

    assert stage.exchange.reads.cap_key() == two
    assert two.number == 2
    for again in (one.certificate, other):
        with pytest.raises(NotProven, match="has signed before, and another has followed it"):
            stage.exchange.set_cap_key(again)
    with pytest.raises(Malformed, match="cannot be read"):
        stage.exchange.set_cap_key(b"no certificate")
    assert stage.lines == lines
    assert cap_parts(stage, "c") == [one, two]


def test_the_key_of_the_exchange_that_signs_now_has_signed_it() -> None:
    stage = at_line()
    stage.exchange.set_cap_key(certificate())
    change_key(stage)

    made = stage.exchange.set_cap_key(certificate(2))
    stage.exchange.beat()

    assert made.number == 2
    assert verify(stage.lines, None).exchange
    assert audit(stage.lines, plain()).differences == ()


def test_who_begins_again_from_the_lines_or_a_snapshot_goes_on_with_the_same_keys() -> None:
    stage = at_line()
    stage.exchange.set_cap_key(certificate())
    stage.exchange.set_cap_key(certificate(2))
    stage.exchange.beat()
    kept = kept_of(stage.exchange._kept)

    own, lines = stage._opened, list(stage.lines)
    again = reopened(lambda: lines, own, [stage._signer.public], plain())
    snapshot = read(frames(stage.exchange.copied("v")), "v", own, plain())

    assert kept_of(again) == kept
    assert snapshot.kept.cap_keys == stage.exchange._kept.cap_keys


def test_what_is_known_not_to_be_written_leaves_the_key_before() -> None:
    stage = at_line()
    one = stage.exchange.set_cap_key(certificate())
    append = stage._store.append

    def fails(_: object) -> None:
        raise NotWritten("no room")

    stage._store.append = fails  # type: ignore[assignment,method-assign]
    with pytest.raises(NotWritten):
        stage.exchange.set_cap_key(certificate(2))
    stage._store.append = append  # type: ignore[method-assign]

    assert stage.exchange.reads.cap_key() == one
    assert stage.exchange.set_cap_key(certificate(2)).number == 2


def test_a_restored_backup_begins_without_a_key() -> None:
    stage = at_line()
    stage.exchange.set_cap_key(certificate())
    stage.exchange.beat()

    assert restore(stage, list(stage.lines))

    assert stage.exchange.reads.cap_key() is None
    assert cap_parts(stage, "a") == []
    made = stage.exchange.set_cap_key(certificate(2))
    assert (made.incarnation, made.number) == (2, 1)
    stage.exchange.beat()
    assert verify(stage.lines, stage.keys).is_proven


# --- who reads it --------------------------------------------------------------------------------


def key(**more: object) -> CapKey:
    known = {"region": REGION, "incarnation": 1, "number": 1, "certificate": certificate()}
    return CapKey(**known | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: (seal_cap_key(key(), signer("x")), EVERYBODY), "by a key that is not known"),
        (lambda: (seal_cap_key(key(), signer("exchange")), "a"), "is not everybody"),
        (lambda: (seal_cap_key(key(region="west"), signer("exchange")), EVERYBODY), "of another"),
        (lambda: (seal_cap_key(key(incarnation=2), signer("exchange")), EVERYBODY), "of another"),
        (lambda: (seal_cap_key(key(number=3), signer("exchange")), EVERYBODY), "does not follow 1"),
        (lambda: (seal_cap_key(key(number=2, certificate=NINE), signer("exchange")),
                  EVERYBODY), "has signed before"),
        (lambda: (seal_cap_key(key(number=2, certificate=b"x"), signer("exchange")), EVERYBODY),
         "cannot be read"),
    ],
)  # fmt: skip
def test_a_key_that_the_exchange_has_not_named_so_is_refused(
    wrong: Callable[[], tuple[Envelope, str]], says: str
) -> None:
    first = key(certificate=NINE)
    keys = CapKeys(REGION, 1, (first,))

    with pytest.raises(RecordError, match=says):
        keys.add(wrong()[0], KEYS, wrong()[1])

    assert keys.all == (first,)


@pytest.mark.parametrize(
    ("by", "audience", "says"),
    [("x", EVERYBODY, "by a key that is not known here"), ("", "a", "is not everybody")],
)
def test_a_record_with_a_key_that_was_not_named_so_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, by: str, audience: str, says: str
) -> None:
    stage = at_line()
    named = key(region=stage._opened.name)
    signed_by = signer(by) if by else stage._signer
    part = (audience, CAP_KEY_KIND, seal_cap_key(named, signed_by))
    monkeypatch.setattr("keepclear.exchange.exchange.next_cap_key", lambda *_: ((named,), part))

    stage.exchange.set_cap_key(certificate())
    stage.exchange.beat()

    for lines in (stage.lines, list(view_of(stage.lines, "a"))):
        with pytest.raises(NotProven, match=says):
            verify(lines, stage.keys)
