# SPDX-License-Identifier: Apache-2.0
"""What a party holds of one part, to prove without the operator and years later what was entered.

Layout, as JSON in its one form: audience, salt, part, index, proof (hashes), checkpoint (a note).

Proven is: this part stands at this place of the tree whose root the exchange of its region has
signed. Where the part is an act, its envelope is in it, and `verify_act_of` proves with the
party's key documents who signed it. Who else cosigned is returned.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Part, is_audience, leaf_of
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import BrokenProof, Malformed, NotProven
from keepclear.record.headers import Act, Bytes32, read_act
from keepclear.record.key_documents import Keyring
from keepclear.record.merkle import LONGEST_PROOF, root_of_inclusion
from keepclear.record.notes import (
    SHOWN,
    SIGNS,
    Checkpoint,
    Cosigned,
    NoteKey,
    is_of_region,
    read_checkpoint,
    signers_of,
    split_note,
    verify_note,
)
from keepclear.record.origins import Origin, read_origin
from keepclear.record.parts import ACT_KIND
from keepclear.record.signers import Signers, verify_signers


class Receipt(Signed, frozen=True, kw_only=True):
    """See the module."""

    audience: str
    salt: Bytes32
    part: msgspec.Raw
    index: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    proof: Annotated[tuple[Bytes32, ...], msgspec.Meta(max_length=LONGEST_PROOF)]
    checkpoint: str

    def __post_init__(self) -> None:
        """Refuse an audience that is written in a second way, or is none, as a beat's."""
        if not is_audience(self.audience):
            raise ValueError(f"audience {self.audience!r} is no list of parties in order")


class Proven(NamedTuple):
    """What a receipt proves: the part, under which checkpoint, who signed and cosigned that."""

    part: Part
    checkpoint: Checkpoint
    signed: tuple[NoteKey, ...]
    cosigned: tuple[Cosigned, ...]


def read_receipt(data: bytes, path: str = "receipt") -> Receipt:
    """Return the receipt that bytes are; `Malformed` where they are none."""
    return decode(data, Receipt, path)


def verify_receipt(receipt: Receipt, keys: Sequence[NoteKey], path: str = "receipt") -> Proven:
    """Return what a receipt proves; keys: of the exchange, and of those who cosign.

    `NotProven` for a checkpoint not signed by them, or by an exchange of another region,
    `BrokenProof` where the part is not under its root, `Malformed` where it is none.
    """
    said = _origin(read_checkpoint(split_note(receipt.checkpoint)[0]), path)
    counting = [
        key for key in keys if key.kind != SIGNS or is_of_region(key.name, said.region)
    ]  # fmt: skip
    text, cosigned = verify_note(receipt.checkpoint, counting)
    checkpoint, signed = read_checkpoint(text), signers_of(receipt.checkpoint, counting)
    return Proven(verify_under(receipt, checkpoint, path), checkpoint, signed, cosigned)


class ProvenAct(NamedTuple):
    """An act, who signed it, and what one person may do alone by the party's key document."""

    act: Act
    signers: Signers


def verify_act_of(proven: Proven, keys: Keyring, path: str = "receipt") -> ProvenAct | None:
    """Return the act that a receipt proves, None where its part is none.

    `NotProven` where those who signed it might not, by the key document of that time.
    """
    if proven.part.kind != ACT_KIND:
        return None
    envelope = decode(bytes(proven.part.data), Envelope, f"{path}.envelope")
    act = read_act(envelope, f"{path}.act")
    said = _origin(proven.checkpoint, path)
    if (act.region, act.incarnation) != (said.region, said.incarnation):
        raise NotProven(
            f"{path}.act", f"{act.region} {act.incarnation}",
            f"is not of the record {proven.checkpoint.origin} that it stands in",
            "ask who entered it",
        )  # fmt: skip
    return ProvenAct(
        act, verify_signers(envelope, act, keys, proven.part.at_us, None, f"{path}.act")
    )  # fmt: skip


def verify_under(receipt: Receipt, checkpoint: Checkpoint, path: str = "receipt") -> Part:
    """Return the part that a receipt proves under its checkpoint, which was verified before.

    For many receipts of one checkpoint; errors as `verify_receipt`.
    """
    said = _origin(checkpoint, path)
    if said.audience != receipt.audience:
        raise Malformed(
            f"{path}.audience", receipt.audience, f"is not that of {checkpoint.origin[:SHOWN]}",
            "get the receipt again",
        )  # fmt: skip
    part = decode(bytes(receipt.part), Part, f"{path}.part")
    hashed = leaf_of(receipt.salt, bytes(receipt.part))
    root = root_of_inclusion(hashed, receipt.index, checkpoint.size, receipt.proof)
    if root != checkpoint.root:
        raise BrokenProof(
            f"{path}.proof", f"leaf {receipt.index}", "leads to another root than was signed",
            "the part, its salt or its place was changed: get the receipt again",
        )  # fmt: skip
    return part


def _origin(checkpoint: Checkpoint, path: str) -> Origin:
    found = read_origin(checkpoint.origin)
    if found is None:
        raise Malformed(
            f"{path}.checkpoint", checkpoint.origin[:SHOWN],
            "is the origin of no tree, or written in a second form", "get the receipt again",
        )  # fmt: skip
    return found
