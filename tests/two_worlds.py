# SPDX-License-Identifier: Apache-2.0
"""Two worlds that must look the same to b: what they are made of, and all that b gets in each.

A world is what everybody sees of it (its agreements and the *visible* steps) and its *hidden*
steps: what a and c do with operations that are never in conflict with b's, and an agreement of
theirs. Hidden operations that came into conflict with b's after all are taken out with all their
steps and the world is played again.

**Ids and salts.** Real ones are random, so each that b gets is independent of all that b does not
get. To compare two worlds byte for byte each is drawn from a stream of its own: salts by audience,
ids of conflicts by the pair, all others by the step that they are drawn in. So a value that b gets
does not depend on how many were drawn for others; a value that is made from anything but the port
(a counter, a hash of what is filed) does show.

**Left out**, as docs/disclosure.md states: when an answer leaves, and what a party does with an
operation that b sees because of what b does not see. So a and c activate with the keys of all
they conflict with, and their agreement only notes conflicts.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from keepclear.agreement.clauses import (
    AmongEquals,
    Disclosure,
    Field,
    LeadTime,
    OnConflict,
    OnConflictRule,
    Priority,
    Separation,
    WhoActs,
)
from keepclear.agreement.documents import Agreement, Clause, PartyTerms, Role
from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import NotCompiled, compiled, plain
from keepclear.detect.kernel import Functions
from keepclear.errors import CallerError
from keepclear.exchange.agreements import CarryAgreement
from keepclear.plans import acts
from keepclear.plans.conflicts import Answer
from keepclear.plans.filing import Domain, FiledCircle, FiledOperation, FiledVolume
from keepclear.plans.operations import Operation
from keepclear.plays.stage import PEOPLE, Stage
from keepclear.record.encoding import Signed, encode
from keepclear.record.headers import Status
from keepclear.record.views import view_of
from keepclear.units import format_time
from tests.agreement_plays import agreement, clause
from tests.record_plays import START_US

VIEWER: Final = "b"
PARTIES: Final = ("a", "b", "c")
MINUTE_US: Final = 60_000_000
HOUSE: Final = parse_short("5 NM / 1000 ft")
BETWEEN_STEPS: Final = 15  # minutes
UNKNOWN: Final = "f" * 32


# --- what a world is -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An operation to be filed.

    place: in steps of 3.5 NM. level, higher: thousands and hundreds of feet of its floor, which
    is a thousand less those hundreds below its top. start, lasts: minutes of the play.
    """

    place: int
    level: int
    higher: int = 0
    start: int
    lasts: int
    radius: str = "4 NM"
    craft: str = "any"
    callsign: str = ""
    count: int = 1
    lateral: str = "0 m"
    domain: Domain = Domain.AIR


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a party does, after how many minutes. number: of what it chooses, if anything."""

    after: int
    party: str
    does: str
    operation: str
    other: str = ""
    plan: Plan | None = None
    number: int = 0
    is_hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is the same in both worlds."""

    agreements: tuple[Agreement, ...]
    steps: tuple[Step, ...]
    until: int = 0  # minutes; 0: until everything is over


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two worlds: what is the same, and what is hidden in each.

    other: of the second one, where what differs is in what is seen of it and not granted.
    """

    seen: Seen
    hidden: tuple[tuple[Step, ...], tuple[Step, ...]]
    other: Seen | None = None


def between(one: str, other: str, name: str, *clauses: Clause) -> Agreement:
    """Return an agreement of two parties with a rule of its own and some clauses."""
    parties = tuple(PartyTerms(id=p, name=p.upper(), role=Role.FORCE) for p in (one, other))
    return agreement(id=name, parties=parties, clauses=clauses)


def separation(rule: str) -> Clause:
    """Return the clause about separation."""
    return clause("1", rule, Separation(rules=parse_short(rule)))


A_AND_C: Final = between(
    "a", "c", "a-c", separation("8 NM / 2000 ft"),
    clause("2", "Both act.", WhoActs(among_equals=AmongEquals.BOTH)),
    clause("3", "Five hours before.", LeadTime(notice_us=300 * MINUTE_US)),
)  # fmt: skip
FIELDS: Final = (Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND, Field.CALLSIGN, Field.COUNT)
GRADES: Final = (
    (), (Field.CALLSIGN,), (Field.AREA_BOX, Field.COUNT), (Field.LEVEL_BAND, Field.TIME_BAND),
    FIELDS[:3], FIELDS, (Field.EVERYTHING,),
)  # fmt: skip


def grade(fields: Sequence[Field]) -> Disclosure:
    """Return a disclosure clause."""
    return Disclosure(
        fields=tuple(fields), grain_tmm=50_000_000, level_grain_tmm=3_048_000,
        time_grain_us=5 * MINUTE_US,
    )  # fmt: skip


@st.composite
def terms(draw: st.DrawFn, number: int) -> Agreement:
    """Return an agreement of a and b, of any grade."""
    made = [separation(draw(st.sampled_from(("5 NM / 1000 ft", "8 NM / 2000 ft"))))]
    fields = draw(st.sampled_from((None, *GRADES)))
    if fields is not None:
        made.append(clause("2", "Shown.", grade(fields)))
    if draw(st.booleans()):
        made.append(clause("3", "Unmanned acts.", WhoActs(priorities=(
            Priority(of="any", number=50), Priority(of="unmanned", number=10),
        ))))  # fmt: skip
    if draw(st.booleans()):
        made.append(clause("4", "Refused.", OnConflictRule(action=OnConflict.REFUSE)))
    if draw(st.booleans()):
        made.append(clause("5", "Before.", LeadTime(notice_us=30 * MINUTE_US)))
    return between("a", "b", f"a-b-{number}", *made)


def plans(first: int) -> st.SearchStrategy[Plan]:
    """Return plans that start after some minutes."""
    return st.builds(
        Plan, place=st.integers(0, 8), level=st.integers(20, 24),
        start=st.integers(1, 6).map(lambda each: first + each * 12), lasts=st.integers(10, 60),
        radius=st.sampled_from(("4 NM", "2.4 NM", "1300 m")),
        craft=st.sampled_from(("any", "unmanned")), callsign=st.sampled_from(("", "TRAINER")),
        count=st.integers(1, 3), lateral=st.sampled_from(("0 m", "900 m")),
    )  # fmt: skip


MOVES: Final = (
    "file", "activate", "airborne", "contingent", "end", "cancel", "acknowledge", "answer",
    "propose", "accept", "agree",
)  # fmt: skip


@st.composite
def visible(draw: st.DrawFn) -> tuple[Step, ...]:
    """Return visible steps: a1 and b1 at one place first, then whatever comes."""
    first, more = draw(plans(24)), draw(plans(24))
    near = replace(more, place=first.place, level=first.level, start=first.start)
    steps = [
        Step(after=BETWEEN_STEPS, party="a", does="file", operation="a1", plan=first),
        Step(after=2 * BETWEEN_STEPS, party="b", does="file", operation="b1", plan=near),
    ]
    for number in range(3, 3 + draw(st.integers(1, 6))):
        party = draw(st.sampled_from("abbc"))
        mine = f"{party}{draw(st.integers(1, 2))}" if party != "c" else "c1"
        after = number * BETWEEN_STEPS
        steps.append(Step(
            after=after, party=party, does=draw(st.sampled_from((*MOVES, "file", "probe"))),
            operation=mine, plan=draw(plans(after)), number=draw(st.integers(0, 5)),
            other=draw(st.sampled_from([n for n in ("a1", "b1", "a2", "b2", "c1") if n != mine])),
        ))  # fmt: skip
    return tuple(steps)


@st.composite
def hidden(draw: st.DrawFn, seen: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return hidden steps, each between two visible ones.

    Some begin with an agreement of a and c and an operation of c that is in conflict with a1 by
    it, and by no rule with b1: a1 must then act for a reason that b knows nothing of.
    """
    last = seen[-1].after + BETWEEN_STEPS
    steps = []
    for _ in range(draw(st.integers(0, 4))):  # fewer than the rate that others are told of
        after = draw(st.integers(0, last))
        after += after % BETWEEN_STEPS == 0
        party = draw(st.sampled_from("aac"))
        mine = f"hidden-{party}{draw(st.integers(1, 2))}"
        steps.append(Step(
            after=after, party=party, does=draw(st.sampled_from(("file", *MOVES, "file", "carry"))),
            operation=mine, plan=draw(plans(after)), number=draw(st.integers(0, 5)),
            other=draw(st.sampled_from(("hidden-a1", "hidden-c1", "hidden-c2"))), is_hidden=True,
        ))  # fmt: skip
    first = seen[0].plan
    if first is not None and draw(st.booleans()):
        above = replace(first, level=first.level + 3)
        after = 1 + draw(st.integers(0, 2)) * BETWEEN_STEPS
        steps += [
            Step(after=after, party="a", does="carry", operation="", is_hidden=True),
            Step(after=after, party="c", does="file", operation="hidden-c1", plan=above,
                 is_hidden=True),
        ]  # fmt: skip
    return tuple(sorted(steps, key=lambda each: each.after))


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Return two worlds that differ in what is hidden from b."""
    count = draw(st.sampled_from((0, 1, 1, 1, 2)))
    agreements = tuple(draw(terms(number)) for number in range(count))
    steps = draw(visible())
    seen = Seen(agreements=agreements, steps=steps)
    return Pair(seen=seen, hidden=(draw(hidden(steps)), draw(st.just(()) | hidden(steps))))


# --- playing it ------------------------------------------------------------------------------


class StreamIds:
    """Ids and salts, each from the stream of those who get it; see the module."""

    def __init__(self) -> None:
        self.step = ""
        self._counts: Counter[str] = Counter()

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        asking = sys._getframe(1).f_locals
        a, b = asking.get("a"), asking.get("b")
        if isinstance(a, Operation) and isinstance(b, Operation):
            return self._next(f"conflict of {a.id} and {b.id}")[:16].hex()
        return self._next(self.step)[:16].hex()

    def salt(self) -> bytes:
        """Return 32 bytes."""
        audience = sys._getframe(1).f_locals.get("audience")
        return self._next(f"salts of {audience}" if audience else self.step)

    def _next(self, stream: str) -> bytes:
        self._counts[stream] += 1
        return sha256(f"{stream}, number {self._counts[stream]}".encode()).digest()


class Received(NamedTuple):
    """All that b gets: its answers and refusals, its file of the record, receipts."""

    answers: tuple[bytes, ...]
    file: tuple[bytes, ...]
    receipts: tuple[bytes, ...]

    def difference(self, other: "Received") -> str:
        """Return the first thing that another has otherwise, empty where there is none."""
        for what in self._fields:
            ours, theirs = getattr(self, what), getattr(other, what)
            for number, (one, two) in enumerate(zip(ours, theirs, strict=False)):
                if one != two:
                    return f"{what}[{number}]:\n{one.decode()}\n{two.decode()}"
            if len(ours) != len(theirs):
                return f"{what}: {len(ours)} or {len(theirs)}"
        return ""


def functions() -> Functions:
    """Return the kernel's functions, compiled where they can be."""
    try:
        return compiled()
    except NotCompiled:
        return plain()


def difference(pair: Pair) -> str:
    """Return what b gets otherwise in one world than in the other, empty where it is the same."""
    one = received(pair.seen, pair.hidden[0])
    return one.difference(received(pair.other or pair.seen, pair.hidden[1]))


def received(seen: Seen, hidden: tuple[Step, ...]) -> Received:
    """Play a world, and return what b gets."""
    while True:
        world = _Playing(seen, hidden)
        world.play()
        met = world.met()
        if not met:
            return world.received()
        hidden = tuple(each for each in hidden if not {each.operation, each.other} & met)


class _Playing:
    """A world that is played."""

    def __init__(self, seen: Seen, hidden: tuple[Step, ...]) -> None:
        self._ids = StreamIds()
        self._seen, self._hidden = seen, hidden
        self._ids.step = "setting up"
        self._stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, self._ids, functions())
        self._operations: dict[str, str] = {}
        self._answers: list[bytes] = []
        for party in PARTIES:
            self._stage.join(party)
        for each in seen.agreements:
            self._stage.carry(self._stage.signed(each), each)
        self._a_and_c = CarryAgreement(file=self._stage.signed(A_AND_C))

    def play(self) -> None:
        """Let everything happen."""
        steps = [(each.after, 0, number, each) for number, each in enumerate(self._hidden)]
        steps += [(each.after, 1, number, each) for number, each in enumerate(self._seen.steps)]
        for after, is_seen, number, step in sorted(steps, key=lambda each: each[:3]):
            self._stage.clock.move_to(START_US + after * MINUTE_US)
            self._ids.step = f"{'visible' if is_seen else 'hidden'} step {number}"
            self._do(step)
        after = self._seen.until or self._seen.steps[-1].after + 20 * BETWEEN_STEPS
        self._ids.step = "the end"
        self._stage.clock.move_to(START_US + after * MINUTE_US)
        self._stage.exchange.pass_time()
        self._stage.exchange.beat()

    def met(self) -> set[str]:
        """Return the names of hidden operations that are or were in conflict with one of b's."""
        world = self._stage.exchange.world
        return {
            name for name, own_id in self._operations.items()
            if name.startswith("hidden")
            and any(VIEWER in each.parties for each in world.conflicts_of(own_id))
        }  # fmt: skip

    def received(self) -> Received:
        """Return all that b has got."""
        lines = self._stage.lines
        return Received(
            tuple(self._answers), tuple(view_of(lines, VIEWER)), tuple(self._receipts())
        )

    def _receipts(self) -> Iterator[bytes]:
        """Yield a proof of the first leaf of each tree that b sees, as it stands at the end."""
        for audience, tree in self._stage.exchange._kept.ledger.trees.items():
            if audience == "*" or VIEWER in audience.split(","):
                yield encode((audience, len(tree), tree.inclusion(0, len(tree))))

    def _do(self, step: Step) -> None:
        kind, payload = self._act(step)
        known = set(self._stage.exchange.world.operations)
        names = PEOPLE if step.does == "carry" else ("watch",)
        try:
            answer = self._stage.submit(step.party, kind, payload, names)
        except CallerError as fault:
            if step.party == VIEWER:
                self._answers.append(str(fault).encode())
            return
        for new in set(self._stage.exchange.world.operations) - known:
            self._operations[step.operation] = new
        if step.party == VIEWER:
            self._answers.append(encode(answer))

    def _act(self, step: Step) -> tuple[str, Signed]:  # noqa: PLR0911 one for each kind of act
        """Return an act as kind and payload. What names nothing that is there names UNKNOWN."""
        own = self._operations.get(step.operation, UNKNOWN)
        made: Any
        match step.does:
            case "carry":
                return "agreement.carry/1", self._a_and_c
            case "file" if own == UNKNOWN:
                return "operations.file/1", acts.FileOperation(operation=filed(step.plan))
            case "file":
                ovn = self._stage.exchange.world.operations[own].ovn
                made = acts.UpdateOperation(id=own, ovn=ovn, operation=filed(step.plan))
                return "operations.update/1", made
            case "activate":
                return "operations.activate/1", acts.ActivateOperation(id=own, key=self._key(own))
            case "airborne":
                made = acts.MarkAirborne(id=own, at_us=START_US + step.after * MINUTE_US)
            case "contingent":
                volumes = filed(step.plan).volumes if step.number % 2 else ()
                made = acts.MakeContingent(id=own, off_nominal=volumes)
            case "end":
                made = acts.EndOperation(id=own)
            case "cancel":
                made = acts.CancelOperation(id=own, why="weather")
            case "probe":
                return "operations.end/1", acts.EndOperation(id=self._probed(step))
            case _:
                return self._about_conflict(step, own)
        return f"operations.{step.does}/1", made

    def _about_conflict(self, step: Step, own: str) -> tuple[str, Signed]:
        other = self._operations.get(step.other, UNKNOWN)
        world = self._stage.exchange.world
        found = [each for each in world.conflicts_of(own) if each.other(own) == other]
        conflict = found[-1].id if found else UNKNOWN
        made: Any
        match step.does:
            case "acknowledge":
                latest = world.operations[other].ovn if other in world.operations else UNKNOWN
                ovn = UNKNOWN if step.number % 3 == 1 else latest
                made = acts.AcknowledgeConflict(id=conflict, ovn=ovn)
            case "answer":
                made = acts.AnswerConflict(id=conflict, answer=Answer.CONCERNED, why="too near")
            case "propose":
                moves = own if step.number % 2 else other
                later = f"{step.number * 20} min"
                made = acts.ProposeChange(id=conflict, operation=moves, later=later)
            case "accept":
                proposal = found[-1].proposal if found else None
                made = acts.AcceptProposal(
                    id=conflict, proposal=proposal.id if proposal else UNKNOWN
                )
            case _:
                made = acts.AgreeAsIs(id=conflict)
        kind = {"agree": "agree-as-is"}.get(step.does, step.does)
        return f"conflicts.{kind}/1", made

    def _key(self, own: str) -> tuple[str, ...]:
        world = self._stage.exchange.world
        return tuple(world.operations[each.other(own)].ovn for each in world.conflicts_of(own))

    def _probed(self, step: Step) -> str:
        """Return an operation's id that is not the asker's: of a visible one, or one made up."""
        return self._operations.get(step.other, UNKNOWN)


def filed(plan: Plan | None) -> FiledOperation:
    """Return a plan as it is filed."""
    assert plan is not None
    times = [START_US + minute * MINUTE_US for minute in (plan.start, plan.start + plan.lasts)]
    start, end = (f"{format_time(each)[:19]}Z" for each in times)
    shape = FiledCircle(centre=(35.0 + plan.place * 3.5 / 60, 35.5), radius=plan.radius)
    volume = FiledVolume(
        shape=shape,
        lower=f"FL{plan.level}{plan.higher}",
        upper=f"FL{plan.level + 1}0",
        start=start,
        end=end,
    )
    return FiledOperation(
        datum="WGS84", domain=plan.domain, craft_class=plan.craft, callsign=plan.callsign,
        count=plan.count, volumes=(volume,), lateral=plan.lateral,
    )  # fmt: skip


# --- the same as far as it is shown ------------------------------------------------------------

# Of a1, whose circle has each of its sides 400 m or more from the lines of the grid of `grade`:
# what may differ within the cells of what is granted, and what may where it is not granted.
LATITUDE_OFF_GRID: Final = 2  # place
WITHIN: Final[dict[Field, tuple[dict[str, Any], ...]]] = {
    Field.AREA_BOX: ({"radius": "7300 m"}, {"lateral": "90 m"}),
    Field.LEVEL_BAND: ({"higher": 4},),
    Field.TIME_BAND: ({"start": 52, "lasts": 32},),
}
WITHOUT: Final[dict[Field, tuple[dict[str, Any], ...]]] = {
    Field.AREA_BOX: ({"place": LATITUDE_OFF_GRID + 1}, {"radius": "2.4 NM"}),
    Field.LEVEL_BAND: ({"level": 21}, {"level": 23}),
    Field.TIME_BAND: ({"start": 60, "lasts": 40},),
    Field.CALLSIGN: ({"callsign": "OTHER"},),
    Field.COUNT: ({"count": 9},),
    Field.EVERYTHING: ({"craft": "unmanned"}, {"lateral": "70 m"}),
}


@st.composite
def same_as_shown(draw: st.DrawFn) -> Pair:
    """Return two worlds in which an operation of a differs only in what no clause grants b.

    They end before it does: that it is over shows, and when.
    """
    fields = draw(st.sampled_from((None, *GRADES[:-1])))
    clauses = [separation("8 NM / 2000 ft")]
    # an hour: whatever differs, a1 is filed later than that
    clauses.append(clause("3", "Before.", LeadTime(notice_us=60 * MINUTE_US)))
    if fields is not None:
        clauses.append(clause("2", "Shown.", grade(fields)))
    plan = Plan(place=LATITUDE_OFF_GRID, level=22, higher=3, start=51, lasts=31)
    changes: dict[str, Any] = {}
    for each in Field:
        ways = WITHIN if fields is not None and each in fields else WITHOUT
        changes |= draw(st.sampled_from(({}, *ways.get(each, ()))))
    worlds = [
        Seen(
            agreements=(between("a", "b", "a-b", *clauses),), until=45,
            steps=(
                Step(after=15, party="a", does="file", operation="a1", plan=each),
                Step(after=30, party="b", does="file", operation="b1", plan=plan),
                Step(after=35, party="b", does="acknowledge", operation="b1", other="a1"),
                Step(after=36, party="a", does="activate", operation="a1"),
                Step(after=40, party="b", does="activate", operation="b1"),
            ),
        )
        for each in (plan, replace(plan, **changes))
    ]  # fmt: skip
    return Pair(seen=worlds[0], hidden=((), ()), other=worlds[1])
