# SPDX-License-Identifier: Apache-2.0
"""By how much a STOP of a party is grown, as far as the party's own copy of the record tells.

The exchange decides it when the STOP is sent (`Deciding.stop_tmm`), by the same rule; this is for
who wants to see it before.
"""

from collections.abc import Iterable

from keepclear.agreement.binding import Held, binding
from keepclear.agreement.standing import Standing
from keepclear.agreement.statements import read_file
from keepclear.exchange.bindings import stop_tmm
from keepclear.exchange.last_picture import standing
from keepclear.plans.stops import DEFAULT_GROWN_TMM
from keepclear.record.encoding import decode, encode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.key_documents import KeyDocument
from keepclear.record.parts import DOCUMENT_KIND


def known_stop_tmm(party: str, parts: Iterable[Part]) -> int:
    """Return by how much a STOP of a party would be grown now, in tenths of a millimetre.

    parts: all that the party has seen of the record, in its order.
    """
    every = list(parts)
    others = {_party_in(each) for each in every if each.kind == DOCUMENT_KIND} - {party}
    held = [
        Held(
            read_file(encode(each.carried.file))[1],
            Standing(each.stood.state, each.stood.hash, (), each.stood.clauses, (), (), (), ()),
        )
        for each in standing(party, every).agreements
    ]
    found = [stop_tmm(held, binding(held, party, each), party, each) for each in others]
    return max(found, default=DEFAULT_GROWN_TMM)


def _party_in(part: Part) -> str:
    envelope = decode(bytes(part.data), Envelope, "key document")
    return decode(envelope.payload, KeyDocument, "key document").party
