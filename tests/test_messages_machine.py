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
    Precedence.DISTRESS, Precedence.URGENT, Precedence.PRIORITY, Precedence.ROUTINE,
    Precedence.CHECK,
)  # fmt: skip


class Done(NamedTuple):
    """That a post did something, at a second of the play."""

    what: str
    post: str
    at_s: int


class Sent:
    """A message as the oracle has it: when it was sent, how urgent, and what was done."""

    def __init__(
        self, precedence: Precedence, person: str | None, at_s: int, within_s: int | None, *,
        has_values: bool,
    ) -> None:  # fmt: skip
        self.has_values = has_values
        self.precedence, self.at_s = precedence, at_s
        self.within_s = within_s
        self.hops = ["watch", *(["watch"] if person else []), *CHAIN[1:]]
        self.done: list[Done] = []

    def at(self, what: str, post: str = "") -> int | None:
        """Return when something was done first, None where it was not."""
        return next((e.at_s for e in self.done if e.what == what and post in {"", e.post}), None)

    def with_posts(self, now_s: int) -> set[str]:
        """Return the posts that it has come to by a time."""
        if self.precedence is Precedence.DISTRESS:
            return set(POSTS)
        return {"watch"} | {goes for _, _, at_s, goes in self.overdue(now_s) if goes}

    def overdue(self, now_s: int) -> list[tuple[str, str, int, str]]:
        """Return what is overdue by a time: walk up the chain, deadline by deadline."""
        if self.within_s is None:
            return []
        found: list[tuple[str, str, int, str]] = []
        first_s = self.at_s + self.within_s
        acknowledged = self.at("acknowledged")
        for_units = self.precedence not in {Precedence.ROUTINE, Precedence.CHECK}
        later = (["read back"] * self.has_values) + (["disseminated"] * for_units)
        told_due = first_s + self.within_s
        due_s = first_s
        if acknowledged is not None and acknowledged < first_s:
            told_due = due_s = acknowledged + self.within_s
        hop, said = 0, False
        while due_s <= now_s:
            post = self.hops[hop]
            missing = []
            if acknowledged is None or acknowledged >= due_s:
                missing = [
                    w for w in ("delivered", "displayed")
                    if (d := self.at(w, post)) is None or d >= due_s
                ] + ["acknowledged"]  # fmt: skip
                missing = [] if said else missing
            if due_s >= told_due:
                missing += [w for w in later if (d := self.at(w)) is None or d >= due_s]
            if not missing:
                break
            is_last = hop == len(self.hops) - 1
            goes = "" if is_last else self.hops[hop + 1]
            found += [(what, post, due_s, goes) for what in missing]
            if is_last and (said or due_s >= told_due or not later):
                break
            said = is_last
            hop, due_s = min(hop + 1, len(self.hops) - 1), due_s + self.within_s
        return found


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
        here = [e for e in STEPS[1:] if each.at(e.value, post) is not None]
        step = by.choice(STEPS[1:])
        if by.random() < 0.7:
            step = STEPS[min(len(here) + 1, len(STEPS) - 1)]
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
        """Let a watch answer: it changes no step and no deadline."""
        if self.sent:
            own = by.choice(list(self.sent))
            message, each = at(self.stage, own), self.sent[own]
            made = AnswerMessage(id=own, word=by.choice((Word.WILCO, Word.ROGER)))
            try:
                self.stage.submit(message.receiver, "line.answer/1", made)
                is_done = True
            except CallerError:
                is_done = False
            assert is_done == (each.at("displayed", "watch") is not None)

    def wait(self, by: Random) -> None:
        """Let time pass: to a deadline, to just before it, or however long."""
        every = self.sent.values()
        coming = [each.at_s + (each.within_s or 0) * k for each in every for k in (1, 2, 3)]
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
