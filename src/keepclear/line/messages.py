# SPDX-License-Identifier: Apache-2.0
"""A message between two parties: how far it has come, what is overdue, with which posts it is.

1. A message is to a post, not to a person: who is named at that post is named, and anybody on
   watch there may take it. A DISTRESS message any post of its receiver may take.
2. A deadline is the clause's: how soon a person acknowledges. What comes before that step,
   *delivered* and *displayed*, is due at the same time. What is for units, all from PRIORITY up,
   is *disseminated* as long again after it was acknowledged, or was to be; and by then what has
   something to be read back is *read back*.
3. At a deadline each step that is due and not there is OVERDUE, each by itself; the message then
   goes on to the next post of the clause's chain, which has as long, until the chain is at its
   end. A message to a person goes on first to the post of that person.
4. What was OVERDUE stays so, however late the step is taken.
5. What was said by other means and is keyed in later has its first deadline once, from when it was
   entered. Once it was acknowledged by other means none begins anew: what is due after that is due
   by when that was said, and is looked at no more where that has passed already.
6. DISTRESS, a STOP and a SAR case are *answered* by when they are to be disseminated, with WILCO
   or UNABLE. STANDBY puts that off to the time that it names; when that has passed it is OVERDUE,
   again where it was before, and goes on as any other. The last of these words counts.
7. Without a clause no deadline is agreed, and a message goes on to nobody. Silence never agrees
   to anything, with a deadline or without.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.emergencies import Phase
from keepclear.agreement.words import LINES
from keepclear.line.ladder import LADDER, Step, Taken, check_step
from keepclear.line.read_back import ReadBack
from keepclear.line.said import Said
from keepclear.line.stops import Called, Stands
from keepclear.line.templates import Form
from keepclear.line.values import Value, to_read_back
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs

FLIGHT_SAFETY: Final = "flight-safety"
POLITICAL: Final = "political"
# Two channels, flight safety and political (docs/line.md): where no agreement names others.
DEFAULT_CHANNELS: Final = (FLIGHT_SAFETY, POLITICAL)
# ROUTINE and CHECK are for the post itself: they can be passed on, and that is never overdue.
FOR_UNITS: Final = frozenset({
    Precedence.DISTRESS, Precedence.STOP, Precedence.URGENT, Precedence.PRIORITY,
})  # fmt: skip
# A message is told whole each time, so what its receiver can add to it has an end: beyond that it
# says what there is in a message of its own. Units are those of one act, at most.
MOST_ANSWERS: Final = 20
MOST_UNITS: Final = 200
# The words that are spoken (ICAO Annex 10 Volume II, 5.3): printed beside their precedence.
SPOKEN: Final = {Precedence.DISTRESS: "MAYDAY", Precedence.URGENT: "PAN PAN"}
Why = Annotated[str, msgspec.Meta(max_length=2_000, pattern=LINES)]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]
Unit = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=LINES)]
Units = Annotated[tuple[Unit, ...], msgspec.Meta(min_length=1, max_length=MOST_UNITS)]


class Word(StrEnum):
    """What a message is answered with."""

    WILCO = "WILCO"
    UNABLE = "UNABLE"
    STANDBY = "STANDBY"
    AFFIRM = "AFFIRM"
    NEGATIVE = "NEGATIVE"
    ROGER = "ROGER"
    NOTED = "NOTED"
    CONCERNED = "CONCERNED"
    OBJECTS = "OBJECTS"


NEEDS: Final = {
    Word.UNABLE: "why", Word.CONCERNED: "why", Word.STANDBY: "until_us", Word.OBJECTS: "clause",
}  # fmt: skip
"""What must stand with a word; a time and a clause stand with no other."""


ANSWERS: Final = frozenset({Word.WILCO, Word.UNABLE})
"""The words that count as an answer where one is called for; STANDBY puts it off."""


class StepTaken(Signed, frozen=True, kw_only=True):
    """A step of the ladder as it was taken: when, and by which post.

    person: who says to be on watch there, as a role and not a name; a claim that no rule reads.
    units: of *disseminated*, those that were told. said: when it was, of one that was said by other
    means and keyed in later, at at_us; a claim of who did.
    """

    step: Step
    at_us: TimeUs
    party: Name
    post: Name
    person: Name | None = None
    units: tuple[Unit, ...] = ()
    said: Said | None = None

    @property
    def said_us(self) -> int:
        """Return when it was said: before it was entered, where it was keyed in later."""
        return self.at_us if self.said is None else self.said.at_us


class Answer(Signed, frozen=True, kw_only=True):
    """An answer. why, until_us, clause: as its word needs them (`NEEDS`)."""

    word: Word
    at_us: TimeUs
    party: Name
    post: Name
    person: Name | None = None
    why: Why = ""
    until_us: TimeUs | None = None
    clause: Annotated[str, msgspec.Meta(max_length=12)] = ""


class Overdue(Signed, frozen=True, kw_only=True):
    """That a step was not there when it was due, at the post that the message was with.

    level: how many times the message had gone on before. goes_to: the post that it goes on to,
    empty at the end of the chain.
    """

    step: Step
    post: Name
    level: int
    due_us: TimeUs
    goes_to: str


class Message(Signed, frozen=True, kw_only=True):
    """A message as it stands. It holds nothing that not both parties may know.

    act: id of the act that sent it. sender_post: which signed it; receiver, post: for whom it is.
    person: who is named at that post, as a role, or nobody. language: in which the text was typed.
    reply_to: an earlier message, or none. clause: which sets its deadline, empty for none;
    within_us: how long a post has, None where no deadline is agreed; first_us: when the first is.
    chain: the posts that it goes on to, in order; level: how many times it has; next_us: when it
    is looked at next, None where nothing more falls due. template: of which it is, or
    none; values: what stands in fields of its own; read_backs: all that there were, of which only
    one that is the same is a step. stop: of a STOP, where to keep out and how it stands. said: of
    one that was said by other means and keyed in later, at sent_us, when; a claim of its sender.
    """

    id: Id
    act: Id
    channel: Name
    precedence: Precedence
    status: Status
    sender: Name
    sender_post: Name
    receiver: Name
    post: Name
    person: Name | None
    text: Why
    language: Language
    reply_to: Id | None
    sent_us: TimeUs
    clause: str
    within_us: int | None
    first_us: TimeUs | None
    chain: tuple[Name, ...]
    steps: tuple[StepTaken, ...]
    answers: tuple[Answer, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    level: int = 0
    next_us: TimeUs | None = None
    template: Form | None = None
    values: tuple[Value, ...] = ()
    read_backs: tuple[ReadBack, ...] = ()
    stop: Called | None = None
    said: Said | None = None

    @property
    def said_us(self) -> int:
        """Return when it was said: before it was sent, where it was keyed in later."""
        return self.sent_us if self.said is None else self.said.at_us

    @property
    def parties(self) -> tuple[str, str]:
        """Return both parties, in the order of their names."""
        one, two = sorted((self.sender, self.receiver))
        return one, two

    @property
    def posts(self) -> tuple[str, ...]:
        """Return the posts of the receiver that it is with, in the order in which it came there."""
        return tuple(dict.fromkeys((self.post, *self.chain[: self.level])))

    @property
    def last_post(self) -> str:
        """Return the post that it has come to last."""
        return (self.post, *self.chain[: self.level])[-1]

    @property
    def is_for_units(self) -> bool:
        """Tell whether it is due to be disseminated."""
        return self.precedence in FOR_UNITS

    @property
    def has_values(self) -> bool:
        """Tell whether it has something to be read back."""
        return bool(to_read_back(self.values))

    @property
    def wants_answer(self) -> bool:
        """Tell whether it calls for an answer: WILCO, UNABLE or STANDBY."""
        return self.stop is not None or self.precedence is Precedence.DISTRESS

    @property
    def answer_now(self) -> Answer | None:
        """Return the last answer that counts where one is called for: WILCO, UNABLE or STANDBY."""
        words = ANSWERS | {Word.STANDBY}
        return next((each for each in reversed(self.answers) if each.word in words), None)

    @property
    def is_confirmed(self) -> bool:
        """Tell whether all that is to be read back was, and is as it was sent."""
        return self.first(Step.READ_BACK) is not None

    @property
    def units_told(self) -> int:
        """Return how many units were named as told, each as often as it was."""
        return sum(len(each.units) for each in self.steps)

    @property
    def mismatch(self) -> ReadBack | None:
        """Return the last read-back, where it is not as it was sent; None otherwise."""
        last = self.read_backs[-1] if self.read_backs else None
        return None if last is None or last.is_same else last

    @property
    def ladder(self) -> tuple[Step, ...]:
        """Return the steps that it can come to, in order."""
        return tuple(
            step
            for step, rung in LADDER.items()
            if rung.is_of(has_values=self.has_values, wants_answer=self.wants_answer)
        )

    @property
    def due_after(self) -> tuple[Step, ...]:
        """Return the steps that are due of it once it is acknowledged."""
        answered = (Step.ANSWERED,) if self.wants_answer else ()
        read = (Step.READ_BACK,) if self.has_values else ()
        return (*answered, *read, *((Step.DISSEMINATED,) if self.is_for_units else ()))

    @property
    def is_done(self) -> bool:
        """Tell whether every step that is due of it was taken, or is asked for by a later one."""
        return self.is_followed or all(
            self.first(each) is not None for each in (Step.ACKNOWLEDGED, *self.due_after)
        )  # fmt: skip

    @property
    def has_stop(self) -> bool:
        """Tell whether it says where to keep out now, for a STOP or a SAR case."""
        return self.stop is not None and self.stop.is_standing

    @property
    def is_followed(self) -> bool:
        """Tell whether a later message says all of it anew: then nothing more is due of this."""
        return self.stop is not None and self.stop.stands is Stands.FOLLOWED

    @property
    def is_open(self) -> bool:
        """Tell whether a watch is to see it: something is due of it, or its STOP has not ended."""
        return self.has_stop or not self.is_done

    @property
    def due(self) -> dict[Step, int]:
        """Return when each step is due, as far as a deadline is agreed (microseconds UTC)."""
        if self.first_us is None or self.within_us is None:
            return {}
        made = dict.fromkeys((Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED), self.first_us)
        taken = self.first(Step.ACKNOWLEDGED)
        at_us = self.first_us if taken is None else min(taken.said_us, self.first_us)
        made |= dict.fromkeys(self.due_after, at_us + self.within_us)
        now = self.answer_now
        if self.wants_answer and now is not None and now.until_us is not None:
            made[Step.ANSWERED] = max(made[Step.ANSWERED], now.until_us)
        return made

    def first(self, step: Step, post: str = "") -> StepTaken | None:
        """Return how a step was taken first, at a post or at any; None where it was not.

        Answered it is as long as the last answer is one, and not a STANDBY.
        """
        if step is Step.ANSWERED:
            return self._answered(post)
        return next((
            each for each in self.steps if each.step is step and post in {"", each.post}
        ), None)  # fmt: skip

    def _answered(self, post: str) -> StepTaken | None:
        now = self.answer_now if self.wants_answer else None
        if now is None or now.word not in ANSWERS or post not in {"", now.post}:
            return None
        return StepTaken(
            step=Step.ANSWERED, at_us=now.at_us, party=now.party, post=now.post, person=now.person
        )  # fmt: skip

    def is_late(self, overdue: Overdue) -> bool:
        """Tell whether what was overdue is so still: not taken, put off or followed since."""
        if self.is_followed:
            return False
        due_us = self.due.get(overdue.step, overdue.due_us)
        return self.first(overdue.step) is None and due_us <= overdue.due_us

    def is_with(self, post: str) -> bool:
        """Tell whether a post of the receiver may take it: one that it has come to."""
        return self.precedence is Precedence.DISTRESS or post in self.posts


def precedence_of(called: Called) -> Precedence:
    """Return the precedence of the message of a STOP or a SAR case.

    A case is DISTRESS in its distress phase. Before that it is URGENT: for the safety of a craft or
    of persons, and without grave and imminent danger (ICAO Annex 10 Volume II, 5.3.1.1).
    """
    if called.sar is None:
        return Precedence.STOP
    is_distress = called.sar.phase is Phase.DETRESFA
    return Precedence.DISTRESS if is_distress else Precedence.URGENT


def open_channels(holding: Collection[str], named: Collection[str]) -> tuple[str, ...]:
    """Return the channels that are open between two parties.

    holding: those of clauses that hold now; named: of all agreements of the two that are in force
    or suspended. Where all that name any are suspended, flight safety stays: the line always does.
    """
    if holding:
        return tuple(dict.fromkeys(holding))
    return (FLIGHT_SAFETY,) if named else DEFAULT_CHANNELS


def chain_of(post: str, person: str | None, escalation: tuple[str, ...]) -> tuple[str, ...]:
    """Return the posts that a message to a post goes on to, in the order of a clause's chain."""
    place = escalation.index(post) + 1 if post in escalation else 0
    own = () if person is None else (post,)
    return (*own, *(each for each in escalation[place:] if each != post))


def stepped(message: Message, taken: StepTaken) -> Message:
    """Return a message of which a step was taken; `OutOfOrder` where it cannot be now."""
    known = [Taken(each.step, each.post) for each in message.steps]
    check_step(
        message.id, known, taken.step, taken.post, has_values=message.has_values,
        wants_answer=message.wants_answer,
    )  # fmt: skip
    made = replace(message, steps=(*message.steps, taken))
    return replace(made, next_us=_next_us(made, message.next_us))


def _next_us(message: Message, goes_us: int | None) -> int | None:
    """Return when something of a message is overdue next; None where nothing ever will be.

    goes_us: when it was to be looked at, or is to go on; None for never. As all that comes now can
    only make less of it overdue, or later, it is never looked at before that in vain.
    """
    if message.is_done:
        return None
    last_us = max((each.due_us for each in message.overdue), default=0)
    unsaid = {*message.due_after} - {each.step for each in message.overdue}
    times = {
        us for step, us in message.due.items()
        if us > last_us or (step in unsaid and message.first(step) is None)
    }  # fmt: skip
    times |= set() if goes_us is None else {goes_us}
    return next((each for each in sorted(times) if _missing(message, each)), None)


def read_back(message: Message, made: ReadBack) -> Message:
    """Return a message of which values were read back. All read-backs stay."""
    return replace(message, read_backs=(*message.read_backs, made))


def answered(message: Message, answer: Answer) -> Message:
    """Return a message that was answered. The last answer counts; all of them stay.

    Where none is called for it is due when it was before: an answer is no step of it.
    """
    made = replace(message, answers=(*message.answers, answer))
    return replace(made, next_us=_next_us(made, made.next_us)) if made.wants_answer else made


def fallen_due(message: Message) -> tuple[Message, tuple[Overdue, ...]]:
    """Return a message after its deadline, and each step that is overdue then, in order.

    Nothing is overdue of one that nothing falls due of.
    """
    at_us, within_us = message.next_us, message.within_us
    if at_us is None or within_us is None:
        return message, ()
    goes_to = message.chain[message.level] if message.level < len(message.chain) else ""
    found = tuple(
        Overdue(
            step=step, post=message.last_post, level=message.level, due_us=at_us, goes_to=goes_to
        )
        for step in _missing(message, at_us)
    )
    made = replace(message, overdue=(*message.overdue, *found))
    if goes_to:
        made = replace(made, level=made.level + 1)
    goes_us = at_us + within_us if goes_to else None
    return replace(made, next_us=_next_us(made, goes_us)), found


def _missing(message: Message, at_us: int) -> list[Step]:
    """Return the steps that are due at a time at the last post, and neither there nor said."""
    due, wanted = message.due, []
    said = {  # and, of an answer, not put off since
        each.step for each in message.overdue
        if each.level == message.level
        and (each.step is not Step.ANSWERED or due.get(each.step, 0) <= each.due_us)
    }  # fmt: skip
    if message.first(Step.ACKNOWLEDGED) is None:
        at_post = [
            each for each in (Step.DELIVERED, Step.DISPLAYED)
            if message.first(each, message.last_post) is None
        ]  # fmt: skip
        wanted = [*at_post, Step.ACKNOWLEDGED]
    closed_us = _closed_us(message)
    wanted += [
        each for each in message.due_after
        if message.first(each) is None and closed_us < due[each] <= at_us
    ]  # fmt: skip
    return [each for each in wanted if each not in said]


def _closed_us(message: Message) -> int:
    """Return up to when nothing falls due any more: acknowledged by other means and keyed in then.

    0 for all else.
    """
    taken = message.first(Step.ACKNOWLEDGED)
    return 0 if taken is None or taken.said is None else taken.at_us
