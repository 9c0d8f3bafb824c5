# SPDX-License-Identifier: Apache-2.0
"""What a party may read of an exchange: its part of the record, how its conflicts stand, proofs.

Each answer passes the door (`views`), and is of what is written.
"""

from collections.abc import Callable

from keepclear.errors import InputError
from keepclear.exchange import views
from keepclear.exchange.coverage import ToTell, gathered
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.known import Known, KnownBy
from keepclear.exchange.ports import Store
from keepclear.exchange.views import Answer, Disclosed, Notice, Steps
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.leaving import Leaving
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.line.stops import KeepOut
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.cap_keys import CapKey
from keepclear.record.keys import Signer
from keepclear.record.merkle import Tree
from keepclear.record.receipts import Receipt
from keepclear.record.views import is_seen


class Reads:
    """What parties read. Called by the owner of the exchange, between its acts.

    written: gives what the exchange holds, and refuses where not all of it is written.
    signer: gives what it signs with now.
    """

    def __init__(
        self, written: Callable[[], Kept], store: Store, region: Region,
        signer: Callable[[], Signer],
    ) -> None:  # fmt: skip
        self._written, self._store, self._region, self._signer = written, store, region, signer
        self._notes: dict[str, tuple[str, int, Signer | None]] = {}
        self._known = KnownBy()

    @property
    def lines(self) -> int:
        """Return how many lines the record has; for the operator alone."""
        return self._written().viewers.lines

    def receipts(self, answered: Disclosed[Answer]) -> Disclosed[tuple[Receipt, ...]]:
        """Return what proves an answer, under checkpoints as the trees stand now."""
        return self.receipts_of(self._written(), answered)

    def receipts_of(
        self, kept: Kept, answered: Disclosed[Answer]
    ) -> Disclosed[tuple[Receipt, ...]]:
        """Return what proves an answer by what is held, written or not; see `Exchange.proven`."""
        ledger, leaves = kept.ledger, answered.value.leaves
        signer = self._signer()
        audiences = {each.leaf.audience for each in leaves}
        notes = {each: self._checkpoint(kept, each, signer) for each in audiences}
        return views.receipts(answered, [
            ledger.receipt(each.leaf, each.place, *notes[each.leaf.audience]) for each in leaves
        ])  # fmt: skip

    def header(self, party: str) -> Disclosed[Steps]:
        """Return the header of a party's file."""
        return views.steps(party, 0, self._store.pick([0]))

    def steps(self, party: str, after: int, most: int) -> Disclosed[Steps]:
        """Return what a party sees of the record after so many steps of its own, `most` of them.

        `InputError` for one who holds more than there are: an older copy of the record goes on.
        """
        every = self._written().viewers.steps_of(party)
        if after > len(every):
            raise InputError(
                "after", after, f"is more than the {len(every):,} steps that there are: this "
                "exchange goes on from an older copy of its record", "keep what you hold, it "
                "proves more; tell the operator and the other parties",
            )  # fmt: skip
        numbers = every[after : after + most]
        return views.steps(party, after, self._store.pick(numbers))

    def proven_steps(self, party: str, after: int, most: int) -> Disclosed[Steps]:
        """Return steps as `steps`; those that reach the end with what proves them.

        That is the checkpoint of each tree that the party sees, as it stands after the last.
        """
        found = self.steps(party, after, most)
        if found.value.last < self.count(party):
            return found
        kept = self._written()
        audiences = kept.viewers.audiences(party)
        signer = self._signer()
        return views.with_notes(found, [
            self._checkpoint(kept, each, signer)[0] for each in audiences
        ])  # fmt: skip

    def count(self, party: str) -> int:
        """Return how many steps a party sees."""
        return len(self._written().viewers.steps_of(party))

    def counts(self) -> dict[str, int]:
        """Return how many steps each party sees; for who wakes their viewers alone."""
        kept = self._written()
        return {each: len(kept.viewers.steps_of(each)) for each in kept.keys.parties()}

    def operations(self, party: str) -> Disclosed[tuple[Operation, ...]]:
        """Return a party's own operations."""
        return views.own_operations(party, self._written().world.operations.values())

    def conflicts(self, party: str) -> Disclosed[tuple[Notice, ...]]:
        """Return how each conflict of a party stands, by its latest notice."""
        latest = self._written().viewers.latest(party)
        numbers = sorted(set(latest.values()))
        lines = dict(zip(numbers, self._store.pick(numbers), strict=True))
        return views.told(party, latest, [lines[number] for number in latest.values()])

    def messages(self, party: str) -> Disclosed[tuple[Message, ...]]:
        """Return the messages that a party has sent or received, in the order they were sent."""
        return views.own_messages(party, self._written().world.messages.values())

    def leaving(self, party: str, message_id: str) -> Disclosed[Leaving]:
        """Return a message of a party as it may leave the line; as `views.leaving`."""
        world = self._written().world
        none_here, stop = world.none_here.get(message_id), world.stops.get(message_id)
        others = {}
        if none_here is not None and party in none_here.parties:
            others[message_id] = "a none-here statement"
        if stop is not None and stop.party == party:
            others[message_id] = "a STOP" if stop.sar is None else "a SAR case"
        return views.leaving(party, message_id, world.messages, others)

    def cap_key(self) -> CapKey | None:
        """Return the key that CAP documents are signed with now; None where there is none."""
        keys = self._written().cap_keys
        return keys[-1] if keys else None

    def line_checks(self, party: str) -> Disclosed[tuple[Check, ...]]:
        """Return the checks of a party's lines, in the order in which they came about."""
        return views.own_line_checks(party, self._written().world.line_checks.values())

    def lines_checked(self, party: str) -> Disclosed[tuple[CheckedLine, ...]]:
        """Return how the lines of a party stand that are checked."""
        return views.own_lines(party, self._written().world.lines_checked.values())

    def shifts(self, party: str) -> Disclosed[tuple[Shift, ...]]:
        """Return the shifts of a party's own posts, in the order in which they were opened."""
        return views.own_shifts(party, self._written().world.shifts.values())

    def calls(self, party: str) -> Disclosed[tuple[Call, ...]]:
        """Return the voice calls of a party, in the order in which they were logged."""
        return views.own_calls(party, self._written().world.calls.values())

    def stops(self, party: str) -> Disclosed[tuple[Stop, ...]]:
        """Return the STOPs that a party has sent, in the order they were sent."""
        return views.own_stops(party, self._written().world.stops.values())

    def keep_outs(self, party: str) -> Disclosed[tuple[KeepOut, ...]]:
        """Return where a party's operations must keep out, by their ids."""
        world = self._written().world
        return views.own_keep_outs(party, [
            (world.operations[own], KeepOut(operation=own, areas=world.keep_outs[own].areas))
            for own in sorted(world.keep_outs)
        ])  # fmt: skip

    def to_tell(self, party: str) -> Disclosed[ToTell]:
        """Return from what a party is told what answers to it cover (`coverage.answers_for`)."""
        kept = self._written()
        return gathered(self._region, kept.world, kept.bindings, kept.keys, party)

    def catch_up(self, party: str, most: int) -> bool:
        """Read what a party was shown of others, some steps on; tell whether there is more.

        A long file is read bit by bit, and only when its party asks what follows from it.
        """
        every = self._written().viewers.steps_of(party)
        return self._known.catch_up(party, len(every), lambda after: (
            views.parts(party, self._store.pick(every[after : after + most])).value
        ))  # fmt: skip

    def known(self, party: str, now_us: int) -> tuple[Known, ...]:
        """Return what a party was shown of operations of others, as far as `catch_up` has read."""
        own = [each.id for each in self.operations(party).value if each.is_protecting]
        return self._known.all(party, own, now_us)

    def proof(
        self, party: str, audience: str, first: int, second: int
    ) -> Disclosed[tuple[bytes, ...]]:
        """Return what proves that the first leaves of a tree are those of it when it was smaller.

        `InputError` for a tree that the party does not see, whether it is there or not, and for
        sizes that it has not.
        """
        tree = self._written().ledger.trees.get(audience, Tree())
        size = len(tree) if is_seen(audience, party) else 0
        if not 0 < first <= second <= size:
            raise InputError(
                "from, to", f"{first}, {second}", f"are no two sizes of tree {audience!r}",
                "ask for two of a tree of yours, the smaller first",
            )  # fmt: skip
        return views.proof(party, tree.consistency(first, second))

    def forget(self) -> None:
        """Forget the checkpoints that were signed: what they are over was not written."""
        self._notes.clear()

    def _checkpoint(self, kept: Kept, audience: str, signer: Signer) -> tuple[str, int]:
        """Return the signed checkpoint of a tree as it stands, and over how many leaves it is.

        Kept until the tree grows, or another key signs: what is written never becomes less.
        """
        size = len(kept.ledger.trees[audience])
        note, known_size, known_signer = self._notes.get(audience, ("", -1, None))
        if known_size != size or known_signer is not signer:
            note = kept.ledger.signed_checkpoint(audience, self._region.exchange, signer)
            self._notes[audience] = note, size, signer
        return note, size
