# SPDX-License-Identifier: Apache-2.0
"""All of the line at random: SAR cases, STOPs, messages, shifts, calls, keys, backups.

What must hold of all of them together is looked at after each act.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from keepclear.agreement.clauses import OnConflict, OnConflictRule, Precedence, StopDistance
from keepclear.agreement.documents import Agreement
from keepclear.agreement.emergencies import InDanger, Phase
from keepclear.agreement.statements import Said as Stated
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.exchange.keep_outs import area_of, areas_met
from keepclear.exchange.objects import KeepOuts
from keepclear.exchange.shifts import remaining
from keepclear.exchange.world import World
from keepclear.line.acts import AcknowledgeMessage, AnswerMessage, SendDistress
from keepclear.line.calls import AnnotateCall, Call, LogCall, SignCall
from keepclear.line.ladder import Step
from keepclear.line.messages import Message, Word
from keepclear.line.said import Said
from keepclear.line.shifts import CloseShift, OpenShift, Shift, TakeOver
from keepclear.plans import acts
from keepclear.plans.filing import FiledCircle, FiledVolume
from keepclear.plans.sar import ChangePhase, CloseSar, Known, OpenSar, RenewSar, UpdateSar, Where
from keepclear.plans.stops import EndStop, RenewStop, SendStop, Stop
from keepclear.record.encoding import Signed
from keepclear.record.headers import Status
from keepclear.record.verification import verify
from keepclear.units import format_time
from tests.agreement_plays import clause
from tests.incident_plays import filed, staged
from tests.message_plays import (
    POSITION,
    SECOND_US,
    TAKEN_BY,
    line_agreement,
    sending,
    step_of,
    typed,
)
from tests.own_copies import check_own_copy
from tests.restored_stages import lost, restore
from tests.shift_plays import NIGHT, appoint, latest, second_key
from tests.stop_plays import bytes_of

MINUTE_US: Final = 60 * SECOND_US
PARTIES: Final = "abc"
POSTS: Final = ("watch", "duty-officer")
MARK: Final = "secret-of-"
OFFS_US: Final = (0, 0, 0, -3_600 * SECOND_US, 86_400 * SECOND_US)
DISTANCES_KM: Final = (0.1, 1, 8, 40, 92.6)


def with_distance(one: str, other: str, km: float, name: str, *, survives: bool) -> Agreement:
    """Return an agreement with deadlines, a refusal of activating, and a distance of STOPs."""
    made = line_agreement(one, other)
    further = (
        clause("5", "STOP.", StopDistance(distance_tmm=round(km * 10_000_000)), survives=survives),
        clause("6", "Refused.", OnConflictRule(action=OnConflict.REFUSE)),
    )
    return line_agreement(one, other, id=name, clauses=(*made.clauses, *further))


class Together:
    """Three parties at random. backs_up: the exchange is lost, too, and goes on from a backup."""

    def __init__(self, by: Random, *, backs_up: bool = True, begins_again: bool = True) -> None:
        self.by, self.backs_up, self.begins_again = by, backs_up, begins_again
        self.stage = staged(*PARTIES)
        self.agreements = [
            with_distance(one, other, by.choice(DISTANCES_KM), f"{one}-{other}",
                          survives=by.random() < 0.5)
            for one, other in (("a", "b"), ("a", "c")) if by.random() < 0.8
        ]  # fmt: skip
        self.stated: dict[str, list[tuple[str, Stated, int]]] = {}
        for each in self.agreements:
            self.stage.carry(self.stage.signed(each), each)
        self.keys = {party: ["watch", "duty-officer", NIGHT] for party in PARTIES}
        self.documents = {}
        for party in PARTIES:
            second_key(self.stage, party)
            self.documents[party] = latest(self.stage, party).devices
        self.said: dict[str, str] = {}  # each word: whose and whom it is for
        self.late: list[tuple[str, Any]] = []
        self.counts: dict[str, int] = {}
        self.number = 0

    @property
    def world(self) -> World:
        return self.stage.exchange.world

    @property
    def now_us(self) -> int:
        return self.stage.clock.now_us()

    def do(self) -> None:
        """Let somebody do something, and look at all there is."""
        by = self.by
        does = [
            (self.file, 4), (self.move, 3), (self.stop, 2), (self.of_stop, 2), (self.open_case, 3),
            (self.of_case, 7), (self.send, 3), (self.distress, 2), (self.take, 9), (self.answer, 5),
            (self.shift, 6), (self.call, 3), (self.wait, 6), (self.agree, 1), (self.change_keys, 1),
            (self.begin, 1), (self.back_up, 1), (self.hand_in, 4),
        ]  # fmt: skip
        if self.late and by.random() < 0.3:
            does = [(self.hand_in, 1)]
        names, weights = zip(*does, strict=True)
        [one] = by.choices(names, weights)
        one()
        self.check()

    def act(
        self, party: str, kind: str, payload: Signed, key: str = "", *, off_us: int = 0
    ) -> bool:
        """Try an act with a key of a party; what is refused changes nothing."""
        key = key or self.by.choice(self.keys[party] or ["rep-1"])
        post = "duty-officer" if key == "duty-officer" else "watch"
        self.stage.exchange.pass_time()
        before = self.world.hash
        try:
            self.stage.submit(party, kind, payload, (key,), self.now_us + off_us, post)
        except CallerError:
            is_same = self.world.hash == before
            assert is_same
            return False
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return True

    def words(self, *of: str) -> str:
        self.number += 1
        made = f"{MARK}{'-'.join(sorted(of))}-{self.number}-"
        self.said[made] = "".join(of)
        return made

    def two(self) -> tuple[str, str]:
        one, other = self.by.sample(PARTIES, 2)
        return one, other

    def circle(self) -> FiledCircle:
        by = self.by
        latitude = 35.0 + by.choice((0, 0.05, 0.1, 0.3, 0.5, 0.9))
        return FiledCircle(centre=(latitude, 35.5), radius=by.choice(("100 m", "1 km", "5 km")))

    def volume(self) -> FiledVolume:
        by = self.by
        start = self.now_us + by.choice((0, 0, 30, 200, 400)) * MINUTE_US
        end = start + by.choice((5, 60, 200, 350)) * MINUTE_US
        lower, upper = by.choice((("FL240", "FL250"), (None, None), ("FL050", "FL060")))
        return FiledVolume(shape=self.circle(), lower=lower, upper=upper,
                           start=format_time(start), end=format_time(end))  # fmt: skip

    def some(self, table: str, number: int = 5) -> Any:  # noqa: ANN401 whatever a table has
        found = list(getattr(self.world, table).values())
        return self.by.choice(found[-number:]) if found else None

    # --- operations -----------------------------------------------------------------------------

    def file(self) -> None:
        made = acts.FileOperation(operation=filed(self.volume()))
        self.act(self.by.choice(PARTIES), "operations.file/1", made)

    def move(self) -> None:
        own = self.some("operations", 10)
        if own is None:
            return
        kind, made = self.by.choice((
            ("update", acts.UpdateOperation(
                id=own.id, ovn=own.ovn, operation=filed(self.volume()))),
            ("activate", acts.ActivateOperation(id=own.id, key=tuple(
                self.world.operations[c.other(own.id)].ovn
                for c in self.world.conflicts_of(own.id) if not c.is_settled))),
            ("end", acts.EndOperation(id=own.id)),
            ("airborne", acts.MarkAirborne(id=own.id, at_us=self.now_us)),
        ))  # fmt: skip
        self.act(own.party, f"operations.{kind}/1", made)

    # --- STOPs and cases ------------------------------------------------------------------------

    def others(self, party: str) -> tuple[str, ...]:
        every = [each for each in PARTIES if each != party]
        return tuple(self.by.sample(every, self.by.choice((1, 2))))

    def stop(self) -> None:
        party = self.by.choice(PARTIES)
        to = self.others(party)
        made = SendStop(to=to, datum="WGS84", text=self.words(party, *to), language="en",
                        volume=self.volume())  # fmt: skip
        self.act(party, "line.stop/1", made)

    def of_stop(self) -> None:
        stops = [each for each in self.world.stops.values() if each.sar is None]
        if stops:
            own = self.by.choice(stops[-4:])
            kind, made = self.by.choice((
                ("renew", RenewStop(id=own.id)), ("renew", RenewStop(id=own.id)),
                ("end", EndStop(id=own.id)),
            ))  # fmt: skip
            self.act(own.party, f"line.stop-{kind}/1", made)

    def where(self) -> tuple[Where, Known]:
        by, shape = self.by, self.circle()
        lower, upper = by.choice((("FL240", "FL250"), (None, None)))
        made = Where(datum="WGS84", shape=shape, lower=lower, upper=upper,
                     lasts=by.choice(("10 min", "1 h", "6 h")))  # fmt: skip
        position = f"{shape.centre[0]:.3f}N 035.500E" if by.random() < 0.6 else None
        return made, Known(position=position)

    def open_case(self) -> None:
        party = self.by.choice(PARTIES)
        to = self.others(party)
        where, known = self.where()
        made = OpenSar(to=to, phase=self.by.choice(list(Phase)), what=InDanger.PERSONS, where=where,
                       known=known, text=self.words(party, *to), language="en")  # fmt: skip
        self.act(party, "sar.open/1", made, off_us=self.by.choice(OFFS_US))

    def of_case(self) -> None:
        cases = [each for each in self.world.stops.values() if each.sar is not None]
        if not cases:
            return
        own = self.by.choice(cases[-4:])
        where, known = self.where()
        said = self.words(own.party, *own.to)
        kind, made = self.by.choice((
            ("update", UpdateSar(id=own.id, where=where, known=known, text=said, language="en")),
            ("update", UpdateSar(id=own.id, where=where, known=known, text=said, language="en")),
            ("phase", ChangePhase(id=own.id, phase=self.by.choice(list(Phase)), text=said,
                                  language="en")),
            ("renew", RenewSar(id=own.id, lasts=self.by.choice(("10 min", "6 h")))),
            ("renew", RenewSar(id=own.id, lasts="2 h")),
            ("close", CloseSar(id=own.id)),
        ))  # fmt: skip
        done = self.act(own.party, f"sar.{kind}/1", made, off_us=self.by.choice(OFFS_US))
        is_same = isinstance(made, ChangePhase) and own.sar and made.phase is own.sar.phase
        assert done or not own.is_protecting or is_same

    # --- messages -------------------------------------------------------------------------------

    def spoken(self, *, is_any: bool = False) -> Said | None:
        by = self.by
        if by.random() < 0.6:
            return None
        offs = [0, -1, -60, -3_600, -86_400]
        offs += [-10 * 86_400, 7_200] if is_any else []
        return Said(at_us=self.now_us + by.choice(offs) * SECOND_US, by=by.choice((None, "radio")))

    def sent_fields(self, one: str, other: str) -> dict[str, Any]:
        by = self.by
        known = [e.id for e in self.world.messages.values() if {*e.parties} == {one, other}]
        return {
            "to": other,
            "text": self.words(one, other),
            "language": "en",
            "values": typed(**POSITION) if by.random() < 0.4 else (),
            "person": by.choice((None, None, "colonel")),
            "reply_to": by.choice(known) if known and by.random() < 0.3 else None,
        }

    def send(self) -> None:
        one, other = self.two()
        precedence = self.by.choice((Precedence.URGENT, Precedence.URGENT, Precedence.PRIORITY,
                                     Precedence.ROUTINE))  # fmt: skip
        made = sending(precedence=precedence, said=self.spoken(), **self.sent_fields(one, other))
        self.act(one, "line.send/1", made)

    def distress(self) -> None:
        one, other = self.two()
        made = SendDistress(said=self.spoken(is_any=True), **self.sent_fields(one, other))
        self.act(one, "distress/1", made, off_us=self.by.choice(OFFS_US))

    def take(self) -> None:
        message: Message | None = self.some("messages", 8)
        if message is None:
            return
        key = self.by.choice(self.keys[message.receiver] or [""])
        post = "duty-officer" if key == "duty-officer" else "watch"
        steps = [e for e in message.ladder[1:] if e is not Step.ANSWERED]
        missing = [e for e in steps if message.first(e, post) is None]
        step = missing[0] if missing and self.by.random() < 0.8 else self.by.choice(steps)
        made = step_of(step, message.id)
        if step is Step.ACKNOWLEDGED:
            made = AcknowledgeMessage(
                id=message.id, said=self.spoken(is_any=message.precedence is Precedence.DISTRESS)
            )
        done = key and self.act(message.receiver, f"{TAKEN_BY[step]}/1", made, key)
        if done and step in {Step.DELIVERED, Step.DISPLAYED} and self.by.random() < 0.7:
            self.take_next(message.id, key)

    def take_next(self, message: str, key: str) -> None:
        """Let the post that has shown a message go on with it."""
        old = self.world.messages[message]
        post = "duty-officer" if key == "duty-officer" else "watch"
        steps = [e for e in old.ladder[1:] if e is not Step.ANSWERED and not old.first(e, post)]
        for step in steps[: self.by.choice((1, 2, 2, 4))]:
            self.act(old.receiver, f"{TAKEN_BY[step]}/1", step_of(step, message), key)

    def answer(self) -> None:
        shown = [e for e in self.world.messages.values() if e.first(Step.DISPLAYED)]
        message = self.by.choice(shown[-8:] or [None])
        if message is None or not self.keys[message.receiver]:
            return
        word = self.by.choice((Word.WILCO, Word.ROGER, Word.UNABLE, Word.STANDBY, Word.STANDBY))
        until_us = self.now_us + self.by.choice((1, 61, 300, 3_000)) * SECOND_US
        self.act(message.receiver, "line.answer/1", AnswerMessage(
            id=message.id, word=word, why="no radio" if word is Word.UNABLE else "",
            until_us=until_us if word is Word.STANDBY else None,
        ))  # fmt: skip

    # --- shifts and calls -----------------------------------------------------------------------

    def remains(self, party: str, post: str) -> list[str]:
        world = self.world
        stops = world.stops.values()
        found = remaining(world.messages, stops, party, post, Status.EXERCISE)
        return [each.id for each in found]

    def key_id(self, party: str, key: str) -> str:
        return self.stage._signers[party, key].public.id

    def shift(self) -> None:
        by = self.by
        party = by.choice(PARTIES)
        if not self.keys[party]:
            return
        key = by.choice(self.keys[party])
        post = "duty-officer" if key == "duty-officer" else "watch"
        self.stage.exchange.pass_time()
        there = self.remains(party, post)
        takes = tuple(there if by.random() < 0.7 else by.sample(there, len(there) // 2))
        mine = [e for e in self.world.shifts.values() if (e.party, e.post) == (party, post)]
        is_open = any(each.is_open and each.key == self.key_id(party, key) for each in mine)
        match by.randrange(4) if is_open else 0:
            case 0:
                made = OpenShift(person=by.choice(("day", "night", "third")), takes=takes)
                self.act(party, "line.shift-open/1", made, key)
            case 1 if takes:
                self.act(party, "line.shift-take/1", TakeOver(takes=takes), key)
            case _ if mine:
                own = by.choice(mine[-3:])
                made_close = CloseShift(id=own.id, to=by.choice((None, None, "day", "night")))
                open_before = [e for e in mine if e.is_open]
                if self.act(party, "line.shift-close/1", made_close, key):
                    ended = self.world.shifts[own.id].closed
                    assert ended is not None
                    left = ended.left
                    assert [each.id for each in left] == there
                    for each in left:
                        [to] = [e for e in open_before if e.id == each.taken_by]
                        assert each.id in to.took
                        assert to.key != own.key
                        assert to.key in self.stage.exchange.keys.signing_for(party, post)
            case _:
                pass

    def call(self) -> None:
        by, own = self.by, self.some("calls")
        if own is None or by.random() < 0.4:
            one, other = self.two()
            made = LogCall(
                to=other, at_us=self.now_us - by.choice((60, 3_600)) * SECOND_US,
                lasts_us=30 * SECOND_US, on="243.0 MHz", summary=self.words(one, other),
                language="en",
            )  # fmt: skip
            self.act(one, "line.call/1", made)
            return
        party = by.choice(PARTIES)
        if by.random() < 0.5:
            done = self.act(party, "line.call-sign/1", SignCall(id=own.id))
        else:
            text = self.words(own.party, own.other)
            done = self.act(party, "line.call-annotate/1",
                            AnnotateCall(id=own.id, text=text, language="en"))  # fmt: skip
        assert not done or party in own.parties

    # --- time, agreements, keys, backups --------------------------------------------------------

    def wait(self) -> None:
        by, world = self.by, self.world
        looked_at: list[Message | Stop] = [*world.messages.values(), *world.stops.values()]
        coming = [each.next_us for each in looked_at if each.next_us is not None]
        away = self.now_us + by.choice((1, 20, 59, 300, 3_600)) * SECOND_US
        soonest = sorted(coming)[: by.choice((1, 1, 3, 30))]
        to_us = by.choice([away, *soonest, *(each - 1 for each in soonest)])
        self.stage.clock.move_to(to_us)
        self.stage.exchange.pass_time()
        self.stage.exchange.recheck_some()

    def agree(self) -> None:
        by = self.by
        if not self.agreements or by.random() < 0.3:
            one, other = self.two()
            self.number += 1
            made = with_distance(one, other, by.choice(DISTANCES_KM), f"next-{self.number}",
                                 survives=by.random() < 0.5)  # fmt: skip
            try:
                self.stage.carry(self.stage.signed(made), made)
            except CallerError:
                return
            self.agreements.append(made)
            return
        made = by.choice(self.agreements)
        stated = self.stated.setdefault(made.id, [])
        self.stage.clock.move_to(self.now_us + MINUTE_US)
        is_off = bool(stated) and stated[-1][1] is Stated.SUSPEND
        stated.append(
            (
                "a" if "a" in {e.id for e in made.parties} else made.parties[0].id,
                Stated.RESUME if is_off else Stated.SUSPEND,
                self.now_us,
            )
        )
        try:
            self.stage.carry(self.stage.signed(made, *stated), made)
        except CallerError:
            stated.pop()

    def change_keys(self) -> None:
        """Let a party lose some keys, or all of them, or have all of them again."""
        party, every = self.by.choice(PARTIES), self.documents
        self.stage.clock.move_to(self.now_us + SECOND_US)
        kept = self.by.choice(((0, 1, 2), (0, 1, 2), (0, 1), (1, 2), (0,), ()))
        if party == "a" and not kept:
            kept = (0,)
        names = ("watch", "duty-officer", NIGHT)
        appoint(self.stage, party, tuple(every[party][each] for each in kept))
        self.keys[party] = [names[each] for each in kept]

    def begin(self) -> None:
        if self.begins_again:
            self.stage.begin_again()

    def back_up(self) -> None:
        """Let the exchange be lost, and go on from an older part of its record."""
        if not self.backs_up or self.by.random() < 0.5:
            return
        self.stage.exchange.pass_time()
        self.stage.exchange.beat()
        whole: Sequence[bytes] = self.stage.lines
        self.check_record()
        cut = max(8, len(whole) - self.by.randrange(1, 60))
        backup = whole[:cut]
        if any(b"key-document/1" in line for line in whole[cut:]):
            return
        assert restore(self.stage, backup, hash_every=7)
        self.late = []
        for party in PARTIES:
            self.late += [(party, each) for each in lost(self.stage, party, whole)]
        self.counts["restored"] = self.counts.get("restored", 0) + 1

    def hand_in(self) -> None:
        if not self.late:
            if self.by.random() < 0.5:
                self.stage.exchange.beat()
            return
        place = 0 if self.by.random() < 0.8 else self.by.randrange(len(self.late))
        party, each = self.late.pop(place)
        try:
            self.stage.exchange.hand_in(each.receipts, party)
            self.counts["late"] = self.counts.get("late", 0) + 1
        except CallerError:
            return

    # --- what must hold -------------------------------------------------------------------------

    def check(self) -> None:
        """See that all is told that is to be, and nothing else."""
        self.stage.exchange.pass_time()
        world, exchange = self.world, self.stage.exchange
        near = exchange._kept.near
        for each in world.operations.values():
            met = areas_met(plain(), near, world, each)
            assert world.keep_outs.get(each.id, KeepOuts()).areas == met
        for stop in world.stops.values():
            self.check_stop(stop)
        now_us = exchange._kept.ledger.chain.at_us
        for message in world.messages.values():
            self.check_alarms(message, now_us)

    def check_stop(self, stop: Stop) -> None:
        world = self.world
        area = area_of(stop)
        for to, own in zip(stop.to, stop.messages, strict=True):
            message = world.messages[own]
            assert message.receiver == to
            assert message.stop is not None
            assert message.stop.area == area
            assert message.has_stop == stop.is_protecting
            while message.reply_to is not None:
                message = world.messages[message.reply_to]
                assert message.is_followed
                assert not message.is_open
                assert message.next_us is None
        if stop.is_protecting:
            assert stop.next_us is not None
            assert stop.next_us >= self.stage.exchange._kept.ledger.chain.at_us
        else:
            assert stop.next_us is None

    def check_alarms(self, message: Message, now_us: int) -> None:
        """See that of each step that is due and not there somebody was called."""
        if message.within_us is None or message.is_followed:
            return
        taken = message.first(Step.ACKNOWLEDGED)
        closed_us = 0 if taken is None or taken.said is None else taken.at_us
        said = {each.step: each for each in message.overdue}
        wanted = set(message.due_after)
        if taken is None:
            wanted.add(Step.ACKNOWLEDGED)
        for step in wanted:
            due_us = message.due[step]
            if message.first(step) is None and closed_us < due_us <= now_us:
                assert step in said, (step, message)
                if step is Step.ANSWERED:
                    assert said[step].due_us >= due_us, (step, message)
        # none is lost while more of the chain is to come
        if taken is None and message.level < len(message.chain):
            assert message.next_us is not None

    def check_record(self) -> None:
        """See that the record verifies, folds to the world, and is decided so again."""
        stage = self.stage
        stage.exchange.beat()
        assert verify(stage.lines, stage.keys).is_proven
        folded = fold(stage.lines)
        assert folded.hash == self.world.hash
        assert folded.standing == self.world.standing
        found = audit(stage.lines, plain()).differences
        assert found == (), found

    def check_leaks(self) -> None:
        """See that nobody has a word or an id of what is not for them."""
        world = self.world
        of: dict[str, tuple[str, ...]] = {each: tuple(whose) for each, whose in self.said.items()}
        both: list[Message | Call] = [*world.messages.values(), *world.calls.values()]
        own: list[Stop | Shift] = [*world.stops.values(), *world.shifts.values()]
        of |= {each.id: each.parties for each in both} | {each.id: (each.party,) for each in own}
        for party in PARTIES:
            data = bytes_of(self.stage, party)
            assert not [each for each, whose in of.items()
                        if party not in whose and each.encode() in data]  # fmt: skip


def played(seed: int, steps: int, **how: bool) -> Together:
    """Return all of the line after so many acts, looked at whole."""
    together = Together(Random(seed), **how)
    for _ in range(steps):
        together.do()
    together.check_record()
    together.check_leaks()
    if not together.counts.get("restored"):
        for party in PARTIES:
            check_own_copy(together.stage, party)
    return together
