# SPDX-License-Identifier: Apache-2.0
"""Late acts: what parties hold receipts of and a restored backup did not have, entered once more.

A party hands in what it was answered then: the receipt of its act, and those of what came of it.

1. The act counts where the exchange has signed that it stood in the incarnation before, beyond what
   the backup had of its tree, and where its signers might sign it then.
2. It is entered with its receipt, for those who could see it, and decided anew as things stand now.
   It counts as filed when it was filed first: that it comes late is not its party's fault.
3. What came of it then says which ids its operations, messages, line checks, shifts and calls had:
   they are the same again.
4. Where it is refused now it is entered all the same, and its party is told why.
5. It is entered once; whoever hands it in again gets the same answer.
"""

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from keepclear.exchange.events import (
    KIND_OF,
    CallChanged,
    LineChecked,
    MessageChanged,
    OperationFiled,
    ShiftChanged,
    StopChanged,
)
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.operations import Refused
from keepclear.exchange.ports import Ids
from keepclear.line.ladder import Step
from keepclear.record.encoding import decode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope, signed_by
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import CLOCK_US, LONGEST_US, Act, read_act
from keepclear.record.notes import SHOWN, NoteKey
from keepclear.record.origins import read_origin
from keepclear.record.parts import ACT_KIND
from keepclear.record.receipts import Receipt, verify_receipt
from keepclear.record.signers import OF_DISTRESS, deed_of, verify_signers


class LateAct(NamedTuple):
    """An act of the incarnation before, with its receipt.

    first_us: when it was entered first. ids: that were given then, in order. signed_by: the keys.
    """

    act: Act
    receipt: Receipt
    first_us: int
    ids: tuple[str, ...]
    signed_by: tuple[str, ...]


class IdsOfThen:
    """The ids that a late act was given at first, in the order in which deciding asks; then new."""

    def __init__(self, then: Iterator[str], ids: Ids) -> None:
        self._then, self._ids = then, ids

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        return next(self._then, None) or self._ids.id()

    def salt(self) -> bytes:
        """Return 32 bytes."""
        return self._ids.salt()


def act_in(receipt: Receipt, path: str) -> Act:
    """Return the act that a receipt is of; `Malformed` where it is of none. Proves nothing."""
    return read_act(_envelope(decode(bytes(receipt.part), Part, f"{path}.part"), path), path)


def read_late(
    receipts: Sequence[Receipt], kept: Kept, region: Region, believed: Sequence[NoteKey]
) -> LateAct:
    """Return the late act that receipts prove, the first that of the act.

    `NotProven` where they do not, `Refused` where it is no act that the backup did not have.
    """
    if not receipts:
        raise Malformed("receipts", "none", "prove no act", "hand in what was answered to it")
    parts = [
        _proven(each, region, believed, f"receipt {number}")
        for number, each in enumerate(receipts, start=1)
    ]
    first = receipts[0]
    envelope = _envelope(parts[0], "receipt 1")
    act = read_act(envelope, "receipt 1, act")
    path = f"late act {act.id[:8]}"
    start = kept.starts.get(first.audience)
    if start is not None and first.index < start.size:
        raise Refused(
            f"{path}: is number {first.index:,} of tree {first.audience}, of which the backup had "
            f"{start.size:,}; it is there, hand in what came after"
        )
    if (act.region, act.incarnation) != (region.name, region.incarnation - 1):
        raise NotProven(
            path, f"{act.region} {act.incarnation}", "is not of the record that it stood in",
            "ask who entered it",
        )  # fmt: skip
    first_us = parts[0].at_us
    is_in_time = act.created_us - CLOCK_US <= first_us < act.expires_us
    if (
        not (is_in_time or deed_of(act) in OF_DISTRESS)
        or act.expires_us - act.created_us > LONGEST_US
    ):
        raise NotProven(
            path, first_us, "was entered before it was made or after it expired",
            "ask who entered it",
        )  # fmt: skip
    verify_signers(envelope, act, kept.keys, first_us, None, path)
    world = kept.world
    known = (
        world.operations.keys()
        | world.messages.keys()
        | world.line_checks.keys()
        | world.stops.keys()
        | world.shifts.keys()
        | world.calls.keys()
    )
    ids = tuple(_ids_in(act.party, parts[1:], known))
    return LateAct(act, first, first_us, ids, signed_by(envelope))


def _proven(receipt: Receipt, region: Region, believed: Sequence[NoteKey], path: str) -> Part:
    """Return the part that a receipt of the incarnation before proves."""
    proven = verify_receipt(receipt, believed, path)
    origin = read_origin(proven.checkpoint.origin)
    before = region.incarnation - 1
    if origin is None or (origin.region, origin.incarnation) != (region.name, before):
        raise NotProven(
            path, proven.checkpoint.origin[:SHOWN], f"is not of incarnation {before} of "
            f"{region.name}, which the backup is of", "do it again, as an act of now",
        )  # fmt: skip
    return proven.part


def _envelope(part: Part, path: str) -> Envelope:
    if part.kind != ACT_KIND:
        raise Malformed(
            path, part.kind, f"is not {ACT_KIND}", "hand in the receipt of an act first"
        )
    return decode(bytes(part.data), Envelope, f"{path}.envelope")


def _ids_in(party: str, parts: Sequence[Part], known: Container[str]) -> Iterator[str]:
    """Yield the ids that an act has given to what it has made. known: ids that are there."""
    for part in parts:
        if part.kind == KIND_OF[OperationFiled]:
            filed = decode(bytes(part.data), OperationFiled, part.kind).operation
            if filed.party == party:
                if filed.id not in known:
                    yield filed.id
                yield filed.ovn
        elif (made := _made_in(part, party)) and made not in known:
            yield made


def _made_in(part: Part, party: str) -> str:
    """Return the id of what a party has made by a part, be it message, STOP, check, shift or call.

    Empty for what another one has: at one time, it can stand behind the act, and is none of it.
    """
    if part.kind == KIND_OF[StopChanged]:
        return decode(bytes(part.data), StopChanged, part.kind).stop.id
    if part.kind == KIND_OF[ShiftChanged]:
        return decode(bytes(part.data), ShiftChanged, part.kind).shift.id
    if part.kind == KIND_OF[CallChanged]:
        call = decode(bytes(part.data), CallChanged, part.kind).call
        return call.id if call.party == party else ""
    if part.kind == KIND_OF[MessageChanged]:
        changed = decode(bytes(part.data), MessageChanged, part.kind)
        is_new = changed.taken is not None and changed.taken.step is Step.SENT
        is_own = changed.message.sender == party
        return changed.message.id if is_new and is_own else ""
    if part.kind == KIND_OF[LineChecked]:
        check = decode(bytes(part.data), LineChecked, part.kind).check
        is_own = check is not None and check.result is None and check.caller == party
        return check.id if check is not None and is_own else ""
    return ""
