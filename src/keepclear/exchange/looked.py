# SPDX-License-Identifier: Apache-2.0
"""What of an act is looked at while it waits: it does not depend on what is decided before."""

from typing import NamedTuple

from keepclear.exchange.decide import payload_of
from keepclear.record.encoding import Signed, encode
from keepclear.record.envelopes import Envelope, Known, verified
from keepclear.record.headers import ACT, Act, read_act
from keepclear.record.key_documents import Keyring


class Looked(NamedTuple):
    """What of an act depends on its bytes alone, and the keys whose signatures on it verify."""

    act: Act
    payload: Signed
    data: bytes
    known: Known


def looked_at(envelope: Envelope, keys: Keyring, place: int) -> Looked:
    """Read an act and verify its signatures by the keys at a place; `CallerError` for faults."""
    act = read_act(envelope)
    own = [keys.appointed(act.party, each.keyid, place).key for each in envelope.signatures]
    verified(envelope, {each.id: each for each in own}, ACT)
    known = Known(envelope, frozenset(each.data for each in own))
    return Looked(act, payload_of(act), encode(envelope), known)
