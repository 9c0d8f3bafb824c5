# SPDX-License-Identifier: Apache-2.0
"""Records that were changed and signed again by whoever runs the exchange: they verify."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from keepclear.exchange.events import KIND_OF, KINDS
from keepclear.exchange.views import Notice
from keepclear.plays.running import Played
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Entry, Part
from keepclear.record.files import (
    AnyLine,
    BeatLine,
    CheckpointLine,
    EntryLine,
    ExchangeKey,
    Header,
    KeysFile,
)
from keepclear.record.keys import Signer
from keepclear.record.ledger import ForWhom, Ledger

Spoil = Callable[[int, str, Signed], Signed | tuple[str, Signed] | None]
KNOWN: Final = {**KINDS, "notice/1": Notice}


def values(lines: Iterable[bytes]) -> Iterator[tuple[int, int, str, Part, Any]]:
    """Yield of each part of an archive: seq, time, audience, the part, its value if known here."""
    for data in lines:
        line = msgspec.json.decode(data, type=AnyLine)
        if not isinstance(line, EntryLine):
            continue
        entry = msgspec.json.decode(line.entry, type=Entry)
        for leaf in entry.leaves:
            part = msgspec.json.decode(leaf.part, type=Part)
            kind = KNOWN.get(part.kind)
            value = None if kind is None else msgspec.json.decode(part.data, type=kind)
            yield entry.seq, entry.at_us, leaf.audience, part, value


def resigned(done: Played, spoil: Spoil) -> Played:
    """Return a play's record with parts changed, or left out for None, and all of it signed anew.

    spoil: is given the entry's number, the audience and the value of each event and notice; may
    return another audience with the value, and an event instead of another.
    """
    header = msgspec.json.decode(done.lines[0], type=AnyLine)
    assert isinstance(header, Header)
    signer = Signer(b"again" + bytes(27))
    name = f"again.example/{header.region}"
    own = (ExchangeKey(name=name, key=signer.public.data),)
    ledger = Ledger(header.region)
    lines: list[AnyLine] = [msgspec.structs.replace(header, exchange=own)]
    entries: dict[int, tuple[int, list[ForWhom]]] = {}
    for seq, at_us, audience, part, value in values(done.lines):
        parts = entries.setdefault(seq, (at_us, []))[1]
        made = value if value is None else spoil(seq, audience, value)
        if value is not None and made is None:
            continue
        to = audience
        if isinstance(made, tuple):
            to, made = made
        data = part.data if made is None else msgspec.Raw(encode(made))
        kind = part.kind if made is None else KIND_OF.get(type(made), part.kind)
        kept = msgspec.structs.replace(part, kind=kind, data=data)
        salt = bytes([seq % 256, len(parts)]) + bytes(30)
        parts.append(ForWhom(audience=to, salt=salt, part=kept))
    for at_us, parts in entries.values():
        _, written = ledger.append(at_us, parts)
        lines.append(EntryLine(entry=msgspec.Raw(written)))
    lines += [
        CheckpointLine(note=ledger.signed_checkpoint(each, name, signer)) for each in ledger.trees
    ]
    salt = b"beat" + bytes(28)
    lines.append(BeatLine(salt=salt, note=ledger.beat(0, salt, name, signer)))
    keys = KeysFile(exchange=own, documents=done.keys.documents)
    return Played([encode(line) for line in lines], keys, done.names, done.refused)
