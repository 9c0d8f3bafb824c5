# SPDX-License-Identifier: Apache-2.0
"""The one door out: what each party is told, and nothing that it may not know.

Whatever leaves is a `Disclosed`, which names for whom it is; `_disclosed` alone makes one, and
`tests/test_rules_of_the_door.py` holds that nobody else does. docs/disclosure.md has the closed
list of what still can be told from outside.

1. The existence of a conflict is the floor: it is told with who must act and whom to call.
2. Of an operation with which there is no conflict any more, nothing new is shown.
3. Both sides of a conflict get the same numbers, from the shapes that they are shown of each
   other, rounded outward; each can compute them again.
4. What a party was shown, and by which clauses, stands in the record: notices are parts of it.
5. Numbers of notices count for each viewer apart.
6. The answer to an act holds what its sender may see of what came of it, and goes to the sender.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.errors import InputError
from keepclear.exchange.disclosure import Grants, Shown, existence, shown
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.leaving import BY_VOICE, Leaving, to_leave
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.line.stops import KeepOut
from keepclear.plans.conflicts import Broken, Conflict, Proposal, precedence
from keepclear.plans.operations import Missed, Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import Signed
from keepclear.record.entries import Part, Placed
from keepclear.record.files import LeafLine
from keepclear.record.headers import Id, Name
from keepclear.record.receipts import Receipt
from keepclear.record.views import is_seen, seen_of

NOTICE_KIND: Final = "notice/1"
SHORT: Final = 8
LEAF: Final = b'{"line":"leaf"'
SAYS_NOTHING_ELSE: Final = (
    "Absence of notification implies nothing and changes no legal protection."
)
Value = TypeVar("Value")


class Disclosed(msgspec.Struct, Generic[Value], frozen=True):
    """What has passed the door, and for whom; made here and nowhere else."""

    party: str
    value: Value


class Answer(NamedTuple):
    """What an act has led to, for the one who sent it.

    leaves: of the record that it may see, in order, each with its place in its tree.
    """

    at_us: int
    leaves: tuple[Placed, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return what the leaves are of, in order."""
        return tuple(msgspec.json.decode(each.leaf.part, type=Part) for each in self.leaves)


class Notice(Signed, frozen=True, kw_only=True):
    """What one party is told about a conflict of one of its operations.

    number: counts this party's notices. own: its operation; other: what it sees of the other's.
    must_act: parties. own_late_us: how much later its own was filed than agreed between the two.
    note: what else is said of it, in words.
    """

    number: int
    conflict: Id
    precedence: Precedence
    state: str
    own: Id
    own_late_us: int
    other: Shown
    must_act: tuple[Name, ...]
    clause: str
    broken: tuple[Broken, ...]
    acknowledged: tuple[Name, ...]
    agreed: tuple[Name, ...]
    answers: tuple[tuple[Name, str, str], ...]
    proposal: Proposal | None
    closed_by: str
    note: str = ""
    says: str = SAYS_NOTHING_ELSE


def notice(
    conflict: Conflict, own: Operation, other: Operation, grants: Grants, number: int, note: str,
    agreements: Container[str] = (),
) -> Disclosed[Notice]:  # fmt: skip
    """Return what the owner of one side of a conflict is told about it.

    other: as it is compared. agreements: that bind the two; by others nobody is told to be late.
    """
    own_missed, missed = _missed(own, agreements), _missed(other, agreements)
    acting = {own.id: own.party, other.id: other.party}
    seen = existence(other) if conflict.is_settled else shown(other, grants, missed)
    return _disclosed(own.party, Notice(
        number=number, conflict=conflict.id, state=conflict.state.value, own=own.id,
        precedence=precedence(conflict, (own, other), is_late=bool(own_missed or missed)),
        own_late_us=max([each.late_us for each in own_missed]) if own_missed else 0,
        other=seen, must_act=tuple([acting[each] for each in conflict.must_act]),
        clause=conflict.clause, broken=conflict.broken, acknowledged=conflict.acknowledged,
        agreed=conflict.agreed, note=note,
        answers=tuple([(party, answer.value, why) for party, answer, why in conflict.answers]),
        proposal=conflict.proposal, closed_by=conflict.closed_by,
    ))  # fmt: skip


def _missed(operation: Operation, agreements: Container[str]) -> list[Missed]:
    missed = operation.missed
    return [each for each in missed if each.agreement in agreements] if missed else []


def answer(party: str, at_us: int, leaves: Iterable[Placed]) -> Disclosed[Answer]:
    """Return what the sender of an act may see of the entry that it has led to.

    leaves: of the entry, each with its place.
    """
    seen = tuple(each for each in leaves if is_seen(each.leaf.audience, party))
    return _disclosed(party, Answer(at_us, seen))


class Steps(NamedTuple):
    """What a party sees of the record, from a step on.

    last: number of the last of them, in its own counting. lines: of each step, as in its file.
    notes: the checkpoints of its trees after the last, where that was asked for.
    """

    last: int
    lines: tuple[tuple[bytes, ...], ...]
    notes: tuple[str, ...] = ()


def steps(party: str, after: int, lines: Iterable[bytes]) -> Disclosed[Steps]:
    """Return what a party sees of lines of the record. after: how many steps it had before."""
    seen = tuple(tuple(seen_of(each, party, set(), "record")) for each in lines)
    return _disclosed(party, Steps(after + len(seen), seen))


def with_notes(found: Disclosed[Steps], notes: Iterable[str]) -> Disclosed[Steps]:
    """Return steps with the checkpoints that prove them. notes: of trees that the party sees."""
    return _disclosed(found.party, found.value._replace(notes=tuple(notes)))


def own_operations(party: str, operations: Iterable[Operation]) -> Disclosed[tuple[Operation, ...]]:
    """Return a party's own operations, whole."""
    return _disclosed(party, tuple(each for each in operations if each.party == party))


def own_messages(party: str, messages: Iterable[Message]) -> Disclosed[tuple[Message, ...]]:
    """Return the messages that a party has sent or received, as they stand."""
    return _disclosed(party, tuple(each for each in messages if party in each.parties))


def leaving(
    party: str, message_id: str, messages: Mapping[str, Message], others: Mapping[str, str]
) -> Disclosed[Leaving]:
    """Return a message of a party as it may leave the line; `InputError` says why it may not.

    others: what the party sees that never leaves, by id, in words. What it does not see gets the
    same answer as what is not there.
    """
    found = messages.get(message_id)
    if found is None or party not in found.parties:
        what = others.get(message_id)
        raise InputError(
            "message", message_id[:SHORT],
            f"is no message of {party}" if what is None else f"is {what}, which never leaves",
            "see your own messages" if what is None else BY_VOICE,
        )  # fmt: skip
    return _disclosed(party, to_leave(found, party, messages))


def own_line_checks(party: str, checks: Iterable[Check]) -> Disclosed[tuple[Check, ...]]:
    """Return the checks of lines that a party has sent, received or missed, as they stand."""
    return _disclosed(party, tuple(each for each in checks if party in each.parties))


def own_lines(party: str, lines: Iterable[CheckedLine]) -> Disclosed[tuple[CheckedLine, ...]]:
    """Return how the lines of a party stand that are checked."""
    return _disclosed(party, tuple(each for each in lines if party in each.parties))


def own_shifts(party: str, shifts: Iterable[Shift]) -> Disclosed[tuple[Shift, ...]]:
    """Return the shifts of a party's own posts; nobody else learns of them."""
    return _disclosed(party, tuple(each for each in shifts if each.party == party))


def own_calls(party: str, calls: Iterable[Call]) -> Disclosed[tuple[Call, ...]]:
    """Return the voice calls of a party, as they stand."""
    return _disclosed(party, tuple(each for each in calls if party in each.parties))


def own_stops(party: str, stops: Iterable[Stop]) -> Disclosed[tuple[Stop, ...]]:
    """Return the STOPs that a party has sent, as they stand."""
    return _disclosed(party, tuple(each for each in stops if each.party == party))


def own_keep_outs(
    party: str, keep_outs: Iterable[tuple[Operation, KeepOut]]
) -> Disclosed[tuple[KeepOut, ...]]:
    """Return where a party's operations must keep out; each is given with its operation."""
    return _disclosed(party, tuple(out for own, out in keep_outs if own.party == party))


def told(
    party: str, conflicts: Iterable[str], lines: Iterable[bytes]
) -> Disclosed[tuple[Notice, ...]]:
    """Return the latest notice to a party of each of its conflicts, as it stands in the record.

    lines: of the record, that of each conflict beside it. One entry may tell of it twice.
    """
    return _disclosed(party, tuple(
        next(each for each in _notices(party, line) if each.conflict == conflict)
        for conflict, line in zip(conflicts, lines, strict=True)
    ))  # fmt: skip


def parts(party: str, lines: Iterable[bytes]) -> Disclosed[tuple[tuple[Part, ...], ...]]:
    """Return the parts that a party sees of lines of the record, by line."""
    return _disclosed(party, tuple(tuple(_parts(party, each)) for each in lines))


def _notices(party: str, line: bytes) -> list[Notice]:
    """Return the notices to a party in a line of the record, the last first."""
    return [
        msgspec.json.decode(each.data, type=Notice)
        for each in reversed(_parts(party, line)) if each.kind == NOTICE_KIND
    ]  # fmt: skip


def _parts(party: str, line: bytes) -> list[Part]:
    leaves = [
        msgspec.json.decode(each, type=LeafLine).leaf
        for each in seen_of(line, party, set(), "") if each.startswith(LEAF)
    ]  # fmt: skip
    return [msgspec.json.decode(each.part, type=Part) for each in leaves]


def receipts(
    answered: Disclosed[Answer], made: Iterable[Receipt]
) -> Disclosed[tuple[Receipt, ...]]:
    """Return what proves an answer: a receipt of each of its leaves."""
    held = {(each.leaf.audience, each.place) for each in answered.value.leaves}
    return _disclosed(
        answered.party, tuple(each for each in made if (each.audience, each.index) in held)
    )


def proof(party: str, hashes: Iterable[bytes]) -> Disclosed[tuple[bytes, ...]]:
    """Return what proves that a tree which a party sees went on from what it held."""
    return _disclosed(party, tuple(hashes))


def to_check(party: str, found: Value) -> Disclosed[Value]:
    """Return what a party is told from, without filing (`checking.gathered`, `coverage.gathered`).

    Of its own operations and agreements, and what its notices have shown it.
    """
    return _disclosed(party, found)


def checked(asked: Disclosed[Any], found: Value) -> Disclosed[Value]:
    """Return what was found of what was disclosed, for the same party."""
    return _disclosed(asked.party, found)


def _disclosed(party: str, value: Value) -> Disclosed[Value]:
    return Disclosed(party, value)
