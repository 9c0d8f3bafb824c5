# SPDX-License-Identifier: Apache-2.0
"""What deciding an act works with: the world, what hangs beside it, and what has come of it.

Deciding changes the world as it goes, under the undo log: what is refused half-way is taken back
whole (`exchange`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from keepclear.agreement.binding import Minima
from keepclear.agreement.clauses import Caps, Decision
from keepclear.detect.kernel import Functions
from keepclear.errors import InputError
from keepclear.exchange.bindings import Between, Bindings
from keepclear.exchange.events import KIND_OF, ConflictChanged, Event
from keepclear.exchange.index import Near
from keepclear.exchange.lapses import as_stood
from keepclear.exchange.ports import Ids
from keepclear.exchange.views import NOTICE_KIND, Disclosed, Notice, notice
from keepclear.exchange.world import World, evolve
from keepclear.plans.conflicts import Conflict
from keepclear.plans.operations import DEFAULT_GRACE_US, Operation, as_compared
from keepclear.plans.stops import DEFAULT_GROWN_TMM
from keepclear.record.encoding import Signed
from keepclear.record.entries import audience_of
from keepclear.record.notes import NoteKey

# Where no clause says how much: what the template for two forces lets one operation take.
DEFAULT_KM2H: Final = (50_000, 500_000)


@dataclass(eq=False)
class Deciding:
    """One act, or what falls due, being decided.

    counts: how many notices each party has had. parties: all of the region. parts: audience,
    kind and value of what goes into the record, in order. seen_by: who else sees the act.
    believed: the exchange's own keys. holds: whether a party sees a leaf of the record, by its
    hash. posts: those of a party that have a key; signing_for: the ids of the keys that can sign
    for a post of a party now. due: when an agreement or an operation is to be looked at again, by
    hash or id. first_us: of a late act, when it was entered first (`late`);
    None of all others. signed_by: ids of the keys that signed the act.
    """

    world: World
    near: Near
    functions: Functions
    bindings: Bindings
    ids: Ids
    now_us: int
    counts: dict[str, int]
    parties: frozenset[str] = frozenset()
    parts: list[tuple[str, str, Signed]] = field(default_factory=list)
    seen_by: tuple[str, ...] = ()
    believed: tuple[NoteKey, ...] = ()
    holds: Callable[[str, bytes], bool] = field(default=lambda _party, _leaf: False)
    posts: Callable[[str], tuple[str, ...]] = field(default=lambda _party: ())
    signing_for: Callable[[str, str], frozenset[str]] = field(
        default=lambda _party, _post: frozenset()
    )
    due: list[tuple[int, str]] = field(default_factory=list)
    first_us: int | None = None
    signed_by: tuple[str, ...] = ()

    @property
    def filed_us(self) -> int:
        """Return when what is filed by the act counts as filed."""
        return self.now_us if self.first_us is None else self.first_us

    def emit(self, parties: Iterable[str], event: Event) -> None:
        """Let an event happen, for those who may see it."""
        evolve(self.world, event)
        self.parts.append((audience_of(parties), KIND_OF[type(event)], event))

    def change(self, conflict: Conflict, note: str = "") -> None:
        """Let a conflict be raised or changed, and tell both sides."""
        self.emit(conflict.parties, ConflictChanged(conflict=conflict))
        for told in self.notices(conflict, note):
            self.parts.append((told.party, NOTICE_KIND, told.value))

    def notices(self, conflict: Conflict, note: str) -> Iterator[Disclosed[Notice]]:
        """Yield what each side is told of a conflict as it stands now, and count it."""
        operations = self.world.operations
        a = as_stood(self.world, operations[conflict.a])
        b = as_stood(self.world, operations[conflict.b])
        between = self.between(a.party, b.party)
        for own, other in ((a, b), (b, a)):
            number = self.counts.get(own.party, 0) + 1
            self.counts[own.party] = number
            seen = other
            if between.grants.of(other).has_place and not conflict.is_settled:
                seen = as_compared(other, between.bound(own, other))
            yield notice(
                conflict, own, seen, between.grants, number, note, between.agreements
            )  # fmt: skip

    def between(self, a: str, b: str) -> Between:
        """Return what binds two parties now."""
        return self.bindings.between(self.world, a, b)

    def minima(self, one: Operation, other: Operation) -> tuple[Minima, ...]:
        """Return the rules that bind two operations; RE-CHECKING ones by those before, too.

        Their order is that of the rules, whichever of the two is asked about.
        """
        now = self.between(one.party, other.party).minima
        waits = self.world.rechecking
        if one.id not in waits and other.id not in waits:
            return now
        known = {(each.agreement, each.clause) for each in now}
        more = {
            (each.agreement, each.clause): each
            for changes in sorted({waits[own].waits for own in (one.id, other.id) if own in waits})
            for each in self.bindings.before(self.world, changes, one.party, other.party)
        }
        return (*now, *(more[key] for key in sorted(more.keys() - known)))

    def grace_us(self, party: str) -> int:
        """Return for how long a party's operation protects after its end, once out of plan.

        It protects from all at once, so the longest that holds with anybody.
        """
        others = self.parties - {party}
        return max((self.between(party, each).grace_us for each in others),
                   default=DEFAULT_GRACE_US)  # fmt: skip

    def stop_tmm(self, party: str) -> int:
        """Return by how much a party's STOP is grown: it keeps all out, so the largest with any."""
        others = self.parties - {party}
        return max((self.between(party, each).stop_tmm for each in others),
                   default=DEFAULT_GROWN_TMM)  # fmt: skip

    def operation(self, operation_id: str, party: str) -> Operation:
        """Return a party's own operation; one error for all that is not."""
        found = self.world.operations.get(operation_id)
        if found is None or found.party != party:
            raise InputError(
                "operation", operation_id, f"is no operation of {party}", "see your own operations"
            )
        return found

    def conflict(self, conflict_id: str, party: str) -> Conflict:
        """Return a conflict that a party is in; one error for all that it is not."""
        found = self.world.conflicts.get(conflict_id)
        if found is None or party not in found.parties:
            raise InputError(
                "conflict", conflict_id, f"is no conflict of {party}", "see your own conflicts"
            )
        self.seen_by = found.parties
        return found

    def check_clause(self, clause: str, one: str, other: str) -> None:
        """Refuse an objection under what is no clause in force between two parties."""
        held = dict.fromkeys(
            each.id
            for own_hash in sorted(self.between(one, other).agreements)
            for each in self.world.agreements[own_hash].clauses
        )
        if clause in held:
            return
        one, other = sorted((one, other))
        raise InputError(
            "clause", clause, f"is none in force between {one} and {other}",
            f"object under one of {', '.join(held)}, or be CONCERNED" if held
            else "nothing is agreed between them: be CONCERNED, with the reason",
        )  # fmt: skip


def area_caps(world: World, party: str) -> list[tuple[str, int, int]]:
    """Return how many area-hours a party may take of what is no filing (km2h): one, and in a day.

    Each with who says so: the clauses on caps that bind it, or the default.
    """
    return [
        (f"clause {clause_id}", decision.area_hours_km2h, decision.day_area_hours_km2h)
        for _, clause_id, decision in clauses_of(world, party)
        if isinstance(decision, Caps)
    ] or [("the default", *DEFAULT_KM2H)]


def clauses_of(world: World, party: str) -> list[tuple[str, str, Decision]]:
    """Return what binds a party: of each agreement that holds, its hash, clause id, decision."""
    return [
        (own_hash, clause.id, clause.decides)
        for own_hash, each in world.agreements.items()
        if any(own.id == party for own in each.agreement.parties)
        for clause in each.clauses
        if clause.decides is not None
    ]
