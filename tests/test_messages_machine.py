# SPDX-License-Identifier: Apache-2.0
"""Random messages, steps and waiting, and what an oracle of plain lists says of each of them.

The oracle knows the words of docs/line.md and the numbers of the clause, and nothing of the
exchange: of each message what was done when, and from that what must be overdue by now.
"""

from random import Random
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepclear.agreement.clauses import Precedence
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.line.acts import AnswerMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.record.verification import verify
from tests.message_plays import (
    CHAIN,
    POSITION,
    SECOND_US,
    WITHIN_S,
    at,
    at_line,
    distress,
    overdue,
    send,
    take,
    typed,
)
from tests.record_plays import START_US
from tests.test_ladder import STEPS

POSTS: Final = ("watch", "duty-officer")  # the third of the chain has no key of a post
PRECEDENCES: Final = (
    *[Precedence.DISTRESS] * 3, Precedence.URGENT, Precedence.PRIORITY, Precedence.ROUTINE,
    Precedence.CHECK,
)  # fmt: skip


CLIMBED: Final = tuple(each for each in STEPS if each is not Step.ANSWERED)


class Done(NamedTuple):
    """That a post did something, at a second of the play. until_s: of a STANDBY."""

    what: str
    post: str
    at_s: int
    until_s: int = 0


class Sent:
    """A message as the oracle has it: when it was sent, how urgent, and what was done.

    answers: with WILCO, UNABLE or STANDBY.
    """

    def __init__(
        self, precedence: Precedence, person: str | None, at_s: int, within_s: int | None, *,
        has_values: bool,
    ) -> None:  # fmt: skip
        self.has_values = has_values
        self.precedence, self.at_s = precedence, at_s
        self.within_s = within_s
        self.hops = ["watch", *(["watch"] if person else []), *CHAIN[1:]]
        self.done: list[Done] = []
        self.answers: list[Done] = []

    def at(self, what: str, post: str = "") -> int | None:
        """Return when something was done first, None where it was not."""
        return next((e.at_s for e in self.done if e.what == what and post in {"", e.post}), None)

    def with_posts(self, now_s: int) -> set[str]:
        """Return the posts that it has come to by a time."""
        if self.precedence is Precedence.DISTRESS:
            return set(POSTS)
        return {"watch"} | {goes for _, _, at_s, goes in self.overdue(now_s) if goes}

    def was(self, what: str, by_s: int, post: str = "") -> bool:
        """Tell whether something was done before a time; what is done at it comes too late."""
        at_s = self.at(what, post)
        return at_s is not None and at_s < by_s

    def dues(self, by_s: int) -> dict[str, int]:
        """Return when each step that follows is due, as far as was known before a time."""
        assert self.within_s is not None
        first_s = self.at_s + self.within_s
        from_s = first_s
        if self.was("acknowledged", by_s):
            from_s = min(self.at("acknowledged") or 0, first_s)
        later = ["answered"] * (self.precedence is Precedence.DISTRESS)
        later += ["read back"] * self.has_values
        later += ["disseminated"] * (self.precedence not in {Precedence.ROUTINE, Precedence.CHECK})
        due = dict.fromkeys(later, from_s + self.within_s)
        said = [each for each in self.answers if each.at_s < by_s]
        if "answered" in due and said:
            due["answered"] = max(due["answered"], said[-1].until_s)
        return due

    def missing(self, by_s: int, post: str, said: dict[str, int]) -> list[str]:
        """Return what is due at a time and not there. said: when it was told of this post."""
        due = self.dues(by_s)
        found = []
        if not self.was("acknowledged", by_s):
            found = [w for w in ("delivered", "displayed") if not self.was(w, by_s, post)]
            found = [w for w in (*found, "acknowledged") if w not in said]
        answers = [each.what for each in self.answers if each.at_s < by_s]
        is_answered = bool(answers) and answers[-1] != "STANDBY"
        for what, due_s in due.items():
            is_there = is_answered if what == "answered" else self.was(what, by_s)
            if not is_there and due_s <= by_s and said.get(what, -1) < due_s:
                found.append(what)
        return found

    def overdue(self, now_s: int) -> list[tuple[str, str, int, str]]:
        """Return what is overdue by a time: try each instant at which something could be."""
        if self.within_s is None:
            return []
        first_s = self.at_s + self.within_s
        tried = {first_s, first_s + self.within_s, *(each.until_s for each in self.answers)}
        if (taken_s := self.at("acknowledged")) is not None:
            tried.add(taken_s + self.within_s)
        found: list[tuple[str, str, int, str]] = []
        hop, last_s, goes_s = 0, self.at_s, first_s
        said: dict[str, int] = {}
        while True:
            post, is_last = self.hops[hop], hop == len(self.hops) - 1
            instants = sorted(
                each for each in tried | {goes_s} if max(last_s + 1, first_s) <= each <= now_s
            )
            for due_s in instants:
                missing = self.missing(due_s, post, said)
                is_due = due_s == goes_s or due_s in {first_s, *self.dues(due_s).values()}
                if missing and is_due:
                    break
            else:
                return found
            goes = "" if is_last else self.hops[hop + 1]
            found += [(what, post, due_s, goes) for what in missing]
            last_s, goes_s = due_s, due_s if is_last else due_s + self.within_s
            said = said | dict.fromkeys(missing, due_s) if is_last else {}
            hop = min(hop + 1, len(self.hops) - 1)


class Line:
    """Three parties at random: a and b have agreed on deadlines, c has agreed on nothing.

    begins_again: the exchange stops and goes on from its lines, now and then.
    """

    def __init__(self, *, begins_again: bool = True) -> None:
        self.begins_again = begins_again
        self.stage = at_line()
        self.world = self.stage.exchange.world
        self.sent: dict[str, Sent] = {}
        self.now_s = 0

    def do(self, by: Random) -> None:
        """Let somebody do something, or time pass."""
        by.choice((self.send, self.take, self.take, self.take, self.answer, self.wait))(by)
        for own, each in self.sent.items():
            made = at(self.stage, own)
            told = overdue(made)
            found = [(step.value, post, us // SECOND_US, to) for step, post, us, to in told]
            assert found == each.overdue(self.now_s)
            done = [Done(e.step.value, e.post, (e.at_us - START_US) // SECOND_US)
                    for e in made.steps[1:]]  # fmt: skip
            assert done == each.done
            now = made.first(Step.ANSWERED)
            is_answered = bool(each.answers) and each.answers[-1].what != "STANDBY"
            assert (now is not None) == (made.wants_answer and is_answered)

    def send(self, by: Random) -> None:
        """Let a send a message."""
        precedence, person = by.choice(PRECEDENCES), by.choice((None, None, "colonel"))
        to = by.choice(("b", "b", "b", "c"))
        has_values = by.random() < 0.5
        values = typed(**POSITION) if has_values else ()
        given: dict[str, Any] = {"to": to, "person": person, "values": values}
        if precedence is Precedence.DISTRESS:
            own = distress(self.stage, **given)
        else:
            own = send(self.stage, precedence=precedence, **given)
        within_s = WITHIN_S.get(precedence) if to == "b" else None
        self.sent[own] = Sent(precedence, person, self.now_s, within_s, has_values=has_values)

    def take(self, by: Random) -> None:
        """Let any post of any party take any step of any message; often the next one."""
        if not self.sent:
            return
        own = by.choice(list(self.sent))
        message, each = at(self.stage, own), self.sent[own]
        party, post = by.choice((message.receiver,) * 6 + ("a",)), by.choice(POSTS)
        here = [e for e in CLIMBED[1:] if each.at(e.value, post) is not None]
        step = by.choice(CLIMBED[1:])
        if by.random() < 0.7:
            step = CLIMBED[min(len(here) + 1, len(CLIMBED) - 1)]
        may = (
            party == message.receiver and post in each.with_posts(self.now_s)
            and self._follows(each, step, post)
        )  # fmt: skip
        try:
            take(self.stage, own, step, party=party, post=post)
            is_taken = True
        except CallerError:
            is_taken = False
        assert is_taken == may
        if may:
            each.done.append(Done(step.value, post, self.now_s))

    def _follows(self, each: Sent, step: Step, post: str) -> bool:
        match step:
            case Step.DELIVERED:
                return each.at("delivered", post) is None
            case Step.DISPLAYED:
                return each.at("displayed", post) is None and each.at("delivered", post) is not None
            case Step.ACKNOWLEDGED:
                return each.at("acknowledged") is None and each.at("displayed", post) is not None
            case Step.READ_BACK:
                is_first = each.at("acknowledged") is not None and each.at("read back") is None
                return each.has_values and is_first
            case _:
                return each.at("acknowledged") is not None

    def answer(self, by: Random) -> None:
        """Let a post answer: a step, or what puts it off; where none is wanted, neither."""
        if not self.sent:
            return
        own, post = by.choice(list(self.sent)), by.choice(POSTS)
        message, each = at(self.stage, own), self.sent[own]
        word = by.choice((Word.WILCO, Word.ROGER, Word.UNABLE, Word.STANDBY, Word.STANDBY))
        until_s = self.now_s + by.choice((1, 30, 60, 61, 300, by.randrange(1, 2_000)))
        made = AnswerMessage(
            id=own, word=word, why="no radio" if word is Word.UNABLE else "",
            until_us=START_US + until_s * SECOND_US if word is Word.STANDBY else None,
        )  # fmt: skip
        try:
            self.stage.submit(message.receiver, "line.answer/1", made, (post,), post=post)
            is_done = True
        except CallerError:
            is_done = False
        may = post in each.with_posts(self.now_s) and each.at("displayed", post) is not None
        assert is_done == may
        if is_done and word is not Word.ROGER:
            until = until_s if word is Word.STANDBY else 0
            each.answers.append(Done(word.value, post, self.now_s, until))

    def wait(self, by: Random) -> None:
        """Let time pass: to a deadline, to just before it, or however long."""
        every = self.sent.values()
        coming = [each.at_s + (each.within_s or 0) * k for each in every for k in (1, 2, 3)]
        coming += [answer.until_s for each in every for answer in each.answers]
        to_s = by.choice([*coming, *(e - 1 for e in coming), self.now_s + by.randrange(1, 900)])
        self.now_s = max(self.now_s, to_s)
        self.stage.clock.move_to(START_US + self.now_s * SECOND_US)
        if self.begins_again and by.random() < 0.5:
            self.stage.begin_again()
        self.stage.exchange.pass_time()

    def check(self) -> None:
        """See that the record verifies, folds to the world, and is decided so again."""
        self.stage.exchange.beat()
        assert verify(self.stage.lines, self.stage.keys).is_proven
        assert fold(self.stage.lines).hash == self.stage.exchange.world.hash
        assert audit(self.stage.lines, plain()).differences == ()


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(seed=st.integers(0, 2**32))
def test_random_messages_come_as_far_and_are_as_overdue_as_the_oracle_says(seed: int) -> None:
    by, line = Random(seed), Line()
    for _ in range(60):
        line.do(by)
    line.check()
