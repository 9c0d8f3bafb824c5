# SPDX-License-Identifier: Apache-2.0
"""Worlds of `two_worlds` played on an exchange in memory, and all that b gets in each.

**Ids and salts.** Real ones are random, so each that b gets is independent of all that b does not
get. To compare two worlds byte for byte each is drawn from a stream of its own: salts by audience,
ids of conflicts by the pair, of checks that nobody has sent by the line, of messages of a STOP by
who is named, all others by the visible step, or the kind of hidden step, that they are drawn in. So
a value that b gets does not depend on how many were drawn for others; a value that is made from
anything but the port (a counter, a hash of what is filed) does show. And b can try an id that is
there in one world and not in the other.

**Remembered** from world to world (`remembered`) are keys, signatures, their verification, and
shapes as arrays: each is a function of its input, and worlds begin alike. All else is the exchange
itself.
"""

import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from keepclear.agreement import claims
from keepclear.agreement.clauses import (
    IncidentRule,
    OnConflict,
    OnConflictRule,
    Precedence,
    ShowContradictions,
)
from keepclear.airspace.altitudes import Reference
from keepclear.airspace.volumes import Volume4D
from keepclear.detect.compiled import NotCompiled, compiled, plain
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import Functions
from keepclear.detect.quick_volumes import compile_plan
from keepclear.detect.skeletons import Tolerance, Volumes
from keepclear.errors import CallerError
from keepclear.exchange.agreements import CarryAgreement
from keepclear.exchange.keep_outs import meeting
from keepclear.line import acts as line
from keepclear.line import check_acts
from keepclear.line.checks import CheckedLine
from keepclear.line.messages import Word
from keepclear.line.values import Typed
from keepclear.plans import acts, incidents, none_here
from keepclear.plans.conflicts import Answer
from keepclear.plans.operations import Operation
from keepclear.plans.operations import State as OperationState
from keepclear.plans.stops import EndStop, RenewStop, SendStop
from keepclear.plays.stage import DAY_US, PEOPLE, Stage
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Entry, Leaf, Part, leaf_of
from keepclear.record.files import EntryLine
from keepclear.record.headers import Status
from keepclear.record.keys import PublicKey, Signer
from keepclear.record.views import is_seen, view_of
from tests.record_plays import START_US
from tests.two_worlds import (
    A_AND_C,
    HOUSE,
    MINUTE_US,
    PARTIES,
    SAID,
    UNKNOWN,
    VIEWER,
    Pair,
    Seen,
    Step,
    filed,
    volume_of,
)

MOST_KNOWN: Final = 10_000
PLACES: Final = tuple(
    (Typed(name="position", typed=each),) for each in ("35-16.0N 040-05.0E", "35-21.0N 040-05.0E")
)
REPLIES_DUE_US: Final = 8 * DAY_US  # by then every reply is, and every operation is over


class _Known(dict[Any, Any]):
    """What is known of inputs that come again; forgotten whole where it is too much."""

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401 whatever is made
        """Return what is known, or made and known from now on; what is raised is not kept."""
        if key not in self:
            if len(self) > MOST_KNOWN:
                self.clear()
            self[key] = make()
        return self[key]


@contextmanager
def remembered() -> Iterator[None]:
    """Make and verify each signature, key and shape once, as long as this lasts."""
    begin, sign, verify = Signer.__init__, Signer.sign, PublicKey.verify
    keys, signatures, proofs, shapes = _Known(), _Known(), _Known(), _Known()

    def made(seed: bytes) -> Signer:
        signer = Signer.__new__(Signer)
        begin(signer, seed)
        return signer

    def begins(self: Signer, seed: bytes) -> None:
        self.__dict__.update(keys.of(seed, lambda: made(seed)).__dict__)

    def signs(self: Signer, message: bytes) -> bytes:
        return bytes(signatures.of((self.seed, message), lambda: sign(self, message)))

    def verifies(self: PublicKey, message: bytes, signature: bytes, path: str) -> None:
        proofs.of((self.data, message, signature), lambda: verify(self, message, signature, path))

    def compiles(
        functions: Functions, volumes: Sequence[Volume4D], datums: Datums, tolerance: Tolerance
    ) -> Volumes:
        levels = {v for e in volumes for v in (e.volume.lower, e.volume.upper) if v is not None}
        assert {each.reference for each in levels} <= {
            Reference.STANDARD
        }  # no other datum's number
        key = (tuple(volumes), tolerance)
        return shapes.of(key, lambda: compile_plan(functions, volumes, datums, tolerance))  # type: ignore[no-any-return]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Signer, "__init__", begins)
        patch.setattr(Signer, "sign", signs)
        patch.setattr(PublicKey, "verify", verifies)
        patch.setattr(claims, "compile_plan", compiles)
        yield


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
        line = asking.get("line")
        if isinstance(line, CheckedLine) and "unsent_us" in asking:  # by time alone
            return self._next(f"checks of {line.key} that nobody has sent")[:16].hex()
        if isinstance(asking.get("payload"), SendStop) and "stop_id" in asking:
            each_to = asking["to"]
            named = each_to[self._counts[f"named in {self.step}"] % len(each_to)]
            self._counts[f"named in {self.step}"] += 1
            return self._next(f"{self.step}, to {named}")[:16].hex()
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
        self._made: dict[str, str] = {}  # ids of operations, none-heres and cases, by name
        self._answers: list[bytes] = []
        self._shown: set[str] = set()
        self._kept_out: set[str] = set()  # hidden STOPs that show; see `met`
        self._in_cases: set[str] = set()
        for party in PARTIES:
            self._stage.join(party)
        for each in seen.agreements:
            self._stage.carry(self._stage.signed(each), each)
        self._a_and_c = CarryAgreement(file=self._stage.signed(A_AND_C))

    def play(self) -> None:
        """Let everything happen."""
        steps = [(each.after, 0, number, each) for number, each in enumerate(self._hidden)]
        steps += [(each.after, 1, number, each) for number, each in enumerate(self._seen.steps)]
        for after, is_visible, number, step in sorted(steps, key=lambda each: each[:3]):
            self._stage.clock.move_to(START_US + after * MINUTE_US)
            self._ids.step = f"visible step {number}" if is_visible else f"hidden {step.does}"
            self._do(step)
            self._note_shown()
        end_us = self._seen.until * MINUTE_US or REPLIES_DUE_US
        self._ids.step = "the end"
        self._stage.clock.move_to(START_US + end_us)
        self._stage.exchange.pass_time()
        self._note_shown()
        self._stage.exchange.beat()

    def met(self) -> set[str]:
        """Return the names of hidden operations that b may know of after all.

        Those that are or were in conflict with one of b's, and those that contradict a none-here
        that b was given, where a clause or a case shows b what does. And hidden STOPs that one of
        b's had to keep out of, or that may have kept a visible one from being activated.
        """
        world = self._stage.exchange.world
        return self._kept_out | {
            name for name, own_id in self._made.items()
            if name.startswith("hidden") and own_id in world.operations and (
                own_id in self._shown
                or any(VIEWER in each.parties for each in world.conflicts_of(own_id))
            )
        }  # fmt: skip

    def _note_shown(self) -> None:
        """Note the operations that b may now be shown because they contradict a statement.

        Told from how the world stands, and not from what b was shown: that is what is tested.
        """
        world = self._stage.exchange.world
        in_cases = {
            each for incident in world.incidents.values()
            if VIEWER in incident.parties and incident.state is not incidents.State.CLOSED
            for each in incident.none_here
        }  # fmt: skip
        for own_id, kept in world.contradictions.items():
            statement = world.none_here[own_id]
            if VIEWER in statement.to and (
                own_id in in_cases | self._in_cases or self._are_shown_at_once(statement.party)
            ):
                self._shown.update(each.operation for each in kept.found)
        self._in_cases = in_cases  # what falls due before the next act is shown in these
        self._note_kept_out()

    def _note_kept_out(self) -> None:
        """Note the hidden STOPs that show: told from how the world stands, too."""
        exchange = self._stage.exchange
        refusing = {
            each.id for made in self._seen.agreements for each in made.parties
            if any(
                isinstance(c.decides, OnConflictRule) and c.decides.action is OnConflict.REFUSE
                for c in made.clauses
            )
        }  # fmt: skip
        visible = [
            exchange.world.operations[own] for name, own in self._made.items()
            if not name.startswith("hidden") and own in exchange.world.operations
        ]  # fmt: skip
        # between two steps one may be out of plan, and take up the grace after its end
        visible += [
            msgspec.structs.replace(each, state=OperationState.NONCONFORMING) for each in visible
        ]
        for name, own in self._made.items():
            stop = exchange.world.stops.get(own)
            if stop is not None and name.startswith("hidden") and any(
                meeting(functions(), exchange._kept.near, stop, each) is not None
                for each in visible if each.party in {VIEWER, *refusing}
            ):  # fmt: skip
                self._kept_out.add(name)

    def _are_shown_at_once(self, party: str) -> bool:
        """Tell whether every agreement of b and a party says that contradictions are."""
        rules = [
            [c.decides for c in each.clauses if isinstance(c.decides, IncidentRule)]
            for each in self._seen.agreements
            if party in {own.id for own in each.parties}
        ]
        return bool(rules) and all(
            own and own[0].contradictions is ShowContradictions.AT_ONCE for own in rules
        )

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
        names = PEOPLE if step.does == "carry" else ("watch",)
        known = self._known()
        try:
            answer = self._stage.submit(step.party, kind, payload, names)
        except CallerError as fault:
            if step.party == VIEWER:
                self._answers.append(str(fault).encode())
            return
        self._name(step, known)
        if step.party == VIEWER:
            self._answers.append(encode(answer))

    def _name(self, step: Step, known: set[str]) -> None:
        """Name what a step has made; messages of a STOP by who is named, as "stop-1 b"."""
        messages = self._stage.exchange.world.messages
        for new in self._known() - known:
            made = messages.get(new)
            is_of_stop = made is not None and made.stop is not None
            receiver = f" {made.receiver}" if made is not None and is_of_stop else ""
            self._made[step.operation + receiver] = new

    def _known(self) -> set[str]:
        """Return the ids of all that acts have made: not of a check that nobody has sent."""
        world = self._stage.exchange.world
        sent = [own for own, each in world.line_checks.items() if each.sent_us is not None]
        return {
            *world.operations, *world.none_here, *world.incidents, *world.messages, *sent,
            *world.stops,
        }  # fmt: skip

    def _named(self, name: str) -> str:
        """Return the id of what has a name: UNKNOWN where nothing has.

        "hidden file": what is filed first in a hidden step, as it would be called if it were;
        its id is the second that is drawn there, after that of the act.
        """
        if name.startswith("hidden "):
            return sha256(f"{name}, number 2".encode()).digest()[:16].hex()
        return self._made.get(name, UNKNOWN)

    def _act(self, step: Step) -> tuple[str, Signed]:  # noqa: C901, PLR0911, PLR0912 one for each kind of act
        """Return an act as kind and payload. What names nothing that is there names UNKNOWN."""
        own = self._named(step.operation)
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
            case "probe":  # an id that is not the asker's: of something visible, or one made up
                return "operations.end/1", acts.EndOperation(id=self._named(step.other))
            case "state":
                made = none_here.StateNoneHere(
                    text=none_here.TEXT, datum="WGS84", volume=volume_of(step.plan), to=step.to
                )
                return "none-here.state/1", made
            case "withdraw":
                return "none-here.withdraw/1", none_here.WithdrawNoneHere(id=own, why="we go there")
            case "check":
                return "line.check/1", check_acts.CheckLine(to=step.to[0], of=step.other)
            case "check-answer":
                return "line.check-answer/1", check_acts.AnswerLineCheck(id=own)
            case "stop":
                return "line.stop/1", SendStop(
                    to=step.to, datum="WGS84", volume=volume_of(step.plan), language="en",
                    text=("Cease activity.", "We are there.", "Leave at once.")[step.number],
                )  # fmt: skip
            case "renew":
                return "line.stop-renew/1", RenewStop(id=own)
            case "stop-end":
                return "line.stop-end/1", EndStop(id=own)
            case _ if step.does in SAID:
                return self._about_message(step, own)
            case "open" | "query" | "reply" | "line" | "answer-line" | "close" | "leave":
                return self._about_case(step, own)
            case _:
                return self._about_conflict(step, own)
        return f"operations.{step.does}/1", made

    def _about_message(self, step: Step, own: str) -> tuple[str, Signed]:
        """Return an act on a message, by anybody's watch."""
        person = "shift-lead" if step.number % 2 else None
        made: Any
        match step.does:
            case "send":
                precedence = (Precedence.URGENT, Precedence.ROUTINE)[step.number % 3 == 2]
                return "line.send/1", line.SendMessage(
                    to=step.to[0], channel=("flight-safety", "political")[step.number % 3 == 1],
                    precedence=precedence, text="Keep clear of us.", language="en", person=person,
                    reply_to=self._named(step.other) if step.other else None,
                    values=PLACES[0] if step.number % 2 else (),
                )  # fmt: skip
            case "distress":
                return "distress/1", line.SendDistress(
                    to=step.to[0], text="MAYDAY", language="en",
                    reply_to=self._named(step.other) if step.other and step.number > 3 else None,
                )  # fmt: skip
            case "delivered":
                made = line.MarkDelivered(id=own)
            case "displayed":
                made = line.MarkDisplayed(id=own, person=person)
            case "acknowledge":
                made = line.AcknowledgeMessage(id=own, person=person)
            case "read-back":  # now and then it is another place
                made = line.ReadBackMessage(id=own, values=PLACES[step.number % 2], person=person)
            case "disseminated":
                made = line.MarkDisseminated(id=own, units=("1st battery",))
            case _:
                made = line.AnswerMessage(id=own, word=Word.WILCO)
                return "line.answer/1", made
        return f"line.{step.does}/1", made

    def _about_case(self, step: Step, own: str) -> tuple[str, Signed]:  # noqa: PLR0911 as above
        """Return an act on an incident case."""
        world = self._stage.exchange.world
        # b tries ids of a hidden case as they would be, whether there is one or not
        is_tried = step.operation.startswith("hidden ")
        case = None if is_tried else world.incidents.get(own)
        made: Signed
        match step.does:
            case "open":
                return "incidents.open/1", incidents.OpenIncident(
                    about=self._about(step), other=step.to[0], words="What was that?",
                    is_urgent=bool(step.number % 2),
                )  # fmt: skip
            case "query":
                return "incidents.query/1", incidents.AskQuery(id=own, words="Whose was it?")
            case "reply":
                query = case.query.id if case is not None and case.query is not None else UNKNOWN
                made = incidents.ReplyToQuery(id=own, query=query, words="Not ours.")
                return "incidents.reply/1", made
            case "line":
                earlier_us = 0 if step.is_hidden else (5 - step.number) * 20 * MINUTE_US
                return "incidents.write-line/1", incidents.WriteLine(
                    id=own, at_us=self._stage.clock.now_us() - earlier_us, words="One came.",
                    none_here=self._named(step.other) if "none" in step.other else None,
                    evidence=(self._leaf(step),) if step.number % 2 else (),
                )  # fmt: skip
            case "answer-line":
                lines = [each.id for each in world.lines.values() if each.incident == own]
                line = lines[step.number % len(lines)] if lines else UNKNOWN
                line = self._named("hidden line") if is_tried else line
                made = incidents.AnswerLine(id=line, agrees=step.number > 2, why="It was later.")
                return "incidents.answer-line/1", made
            case "close":
                return "incidents.close/1", incidents.CloseIncident(id=own)
            case _:
                return "incidents.leave-open/1", incidents.LeaveIncident(id=own, why="No more.")

    def _about(self, step: Step) -> str:
        """Return what a case is to be about: what has a name, a conflict, a part of the record."""
        if step.other == "part":
            return self._leaf(step)
        one, _, other = step.other.partition(" and ")
        if not other:
            return self._named(one)
        a, b = self._named(one), self._named(other)
        found = [e.id for e in self._stage.exchange.world.conflicts_of(a) if e.other(a) == b]
        return found[-1] if found else UNKNOWN

    def _leaf(self, step: Step) -> str:
        """Return the hash of the latest part that both sides of a case see by now."""
        self._stage.exchange.pass_time()
        for data in reversed(self._stage.lines):
            for leaf, _ in _leaves(data):
                if all(is_seen(leaf.audience, each) for each in (step.party, *step.to)):
                    return leaf_of(leaf.salt, bytes(leaf.part)).hex()
        return "0" * 64

    def _about_conflict(self, step: Step, own: str) -> tuple[str, Signed]:
        other = self._named(step.other)
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
                made = acts.ProposeChange(
                    id=conflict, operation=moves, later=f"{step.number % 4 * 20} min",
                    higher="2000 ft" if step.number in {2, 5} else "",
                    aside="20 NM" if step.number >= 4 else "",
                    towards="090" if step.number >= 4 else "",
                )  # fmt: skip
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


def _leaves(data: bytes) -> Iterator[tuple[Leaf, Part]]:
    """Yield the leaves of one line of a record, each with its part."""
    if data.startswith(b'{"line":"entry"'):
        entry = msgspec.json.decode(msgspec.json.decode(data, type=EntryLine).entry, type=Entry)
        for leaf in entry.leaves:
            yield leaf, msgspec.json.decode(leaf.part, type=Part)
