# SPDX-License-Identifier: Apache-2.0
"""The record: appending parts, making and verifying receipts, verifying a whole record."""

from hashlib import sha256
from itertools import chain
from typing import Final

import msgspec
from measuring import Line, Timing, line, timed

from keepclear.record.encoding import encode
from keepclear.record.entries import EVERYBODY, Part
from keepclear.record.envelopes import seal, verified
from keepclear.record.files import (
    BeatLine,
    CheckpointLine,
    EntryLine,
    ExchangeKey,
    Header,
    KeysFile,
)
from keepclear.record.headers import ACT, Act, Status, read_act
from keepclear.record.key_documents import Device, KeyDocument, seal_document
from keepclear.record.keys import Signer
from keepclear.record.ledger import ForWhom, Ledger
from keepclear.record.mandates import ROUTINE, Mandate
from keepclear.record.notes import NoteKey, read_checkpoint, verify_note
from keepclear.record.receipts import Receipt, verify_under
from keepclear.record.verification import read_signed, verify

PARTS: Final = 10_000
ENTRIES: Final = 100_000
MILLION: Final = 1_000_000
EXCHANGE: Final = "exchange.example/bench"
START_US: Final = 1_443_600_000_000_000
WATCH: Final = Signer(sha256(b"watch").digest())
ROOT: Final = Signer(sha256(b"root").digest())
OPERATOR: Final = Signer(sha256(b"operator").digest())


def record_speed() -> list[Line]:
    """Appending parts, receipts, and verifying a record, on one core."""
    parts = [_act_part(number) for number in range(PARTS)]

    def append() -> Ledger:
        ledger = Ledger("bench")
        for first in range(0, PARTS, 100):
            ledger.append(START_US, parts[first : first + 100])
        for audience in ledger.trees:
            ledger.checkpoint(audience)
        return ledger

    appended = timed(append, 5)
    ledger = Ledger("bench")
    leaves = list(chain.from_iterable(
        ledger.append(START_US, parts[first : first + 100])[0].leaves
        for first in range(0, PARTS, 100)
    ))  # fmt: skip
    note = ledger.signed_checkpoint("a", EXCHANGE, OPERATOR)

    def make() -> list[Receipt]:
        return [ledger.receipt(leaf, place, note, PARTS) for place, leaf in enumerate(leaves)]

    made = timed(make, 3)
    receipts = make()
    checked = timed(lambda: _verify_receipts(receipts[:2_000]), 3)
    return [
        _rate("parts appended, with leaves and roots", appended, PARTS, 100_000),
        _rate("receipts made", made, PARTS, 10_000),
        _rate("receipts verified, each with its act's signature", checked, 2_000, 3_000),
        _whole(),
    ]


def _verify_receipts(receipts: list[Receipt]) -> None:
    keys = [NoteKey(EXCHANGE, OPERATOR.public)]
    known = {WATCH.public.id: WATCH.public}
    checkpoints = {}
    for receipt in receipts:
        found = checkpoints.get(receipt.checkpoint)
        if found is None:
            found = read_checkpoint(verify_note(receipt.checkpoint, keys)[0])
            checkpoints[receipt.checkpoint] = found
        envelope = read_signed(verify_under(receipt, found), "receipt")
        verified(envelope, known, ACT)
        read_act(envelope)


def _whole() -> Line:
    """Verify a record of 100,000 entries, each with a signed act; told for a million."""
    lines, keys = _archive()
    found = []
    took = timed(lambda: found.append(verify(lines, keys)), 1, warm=False)
    assert found[0].is_proven
    scale = MILLION / ENTRIES
    per = Timing(took.wall_s * scale, took.processor_s * scale, took.runs)
    note = f"from {ENTRIES:,} entries, {took.wall_s / ENTRIES * 1e6:.0f} µs each"
    return line("verify a record of 1,000,000 entries", per, 180.0, note=note)


def _archive() -> tuple[list[bytes], KeysFile]:
    mandate = Mandate(covers=(ROUTINE,), from_us=START_US, until_us=2 * START_US)
    document = KeyDocument(
        party="a", version=1, previous="", created_us=START_US, root=ROOT.public.data,
        next_root=OPERATOR.public.id,
        devices=(Device(post="watch", key=WATCH.public.data, mandates=(mandate,)),),
    )  # fmt: skip
    envelope = seal_document(document, ROOT)
    own = (ExchangeKey(name=EXCHANGE, key=OPERATOR.public.data),)
    header = Header(view="archive", region="bench", incarnation=1, party="", exchange=own)
    ledger, lines = Ledger("bench"), [encode(header)]
    part = Part(kind="key-document/1", at_us=START_US, data=msgspec.Raw(encode(envelope)))
    _, data = ledger.append(
        START_US, [ForWhom(audience=EVERYBODY, salt=sha256(b"document").digest(), part=part)]
    )
    lines.append(encode(EntryLine(entry=msgspec.Raw(data))))
    for number in range(ENTRIES):
        _, data = ledger.append(START_US, [_act_part(number)])
        lines.append(encode(EntryLine(entry=msgspec.Raw(data))))
        if number % 1_000 == 0:
            note = ledger.signed_checkpoint("a", EXCHANGE, OPERATOR)
            lines.append(encode(CheckpointLine(note=note)))
    for audience in ledger.trees:
        note = ledger.signed_checkpoint(audience, EXCHANGE, OPERATOR)
        lines.append(encode(CheckpointLine(note=note)))
    salt = sha256(b"beat").digest()
    lines.append(encode(BeatLine(salt=salt, note=ledger.beat(0, salt, EXCHANGE, OPERATOR))))
    return lines, KeysFile(exchange=own, documents=(envelope,))


def _act_part(number: int) -> ForWhom:
    act = Act(
        region="bench", incarnation=1, status=Status.TEST, party="a", post="watch",
        id=f"{number:032x}", created_us=START_US, expires_us=START_US + 3_600_000_000,
        agreement="", kind="note/1", payload=msgspec.Raw(b'{"text":"a note of some length"}'),
    )  # fmt: skip
    envelope = seal(ACT, encode(act), WATCH)
    part = Part(kind="act/1", at_us=START_US, data=msgspec.Raw(encode(envelope)))
    return ForWhom(audience="a", salt=sha256(b"%d" % number).digest(), part=part)


def _rate(work: str, took: Timing, count: int, goal: int) -> Line:
    rate = count / took.wall_s
    said = f"> {goal:,} a second: " + ("met" if rate > goal else f"missed {goal / rate:.1f} times")
    ours = f"{rate:,.0f} a second ({count / took.processor_s:,.0f} by processor, {took.runs} runs)"
    return Line(work, ours, said)
