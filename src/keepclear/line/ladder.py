# SPDX-License-Identifier: Apache-2.0
"""How far a message has come, from *sent* to *disseminated*.

People died where a notice was received and not passed on (docs/line.md). So no step is called
"received": each says what somebody did with the message, and is signed by who did it.

Leaves to others: when a step is overdue (`messages`), who may see it (`exchange`).
1. `LADDER` alone says what comes before a step, who takes it, and how often.
2. Read back and disseminated both come after acknowledged, and neither waits for the other: who is
   in danger is told at once, whatever is still being repeated. Answered waits for neither: who was
   shown what calls for an answer gives it.
3. A step is never filled in because a later one was reached: each is taken, or is not there.
4. What the table does not allow is an error, and the message stays as it was.

    >>> why_not((Taken(Step.SENT, "watch"),), Step.ACKNOWLEDGED, "watch")
    'cannot be acknowledged before it is displayed at watch'
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from keepclear.errors import CallerError


class Step(StrEnum):
    """A step of the ladder, in its order."""

    SENT = "sent"
    DELIVERED = "delivered"  # the receiver's client holds it, proven
    DISPLAYED = "displayed"  # it was shown to a person
    ACKNOWLEDGED = "acknowledged"  # a person has taken it
    ANSWERED = "answered"  # where one is called for: with WILCO or UNABLE, or put off with STANDBY
    READ_BACK = "read back"  # its values were repeated, and are those that were sent
    DISSEMINATED = "disseminated"  # these units were told


class Side(StrEnum):
    """Which party takes a step."""

    SENDER = "sender"
    RECEIVER = "receiver"


class Often(StrEnum):
    """How often a step is taken."""

    ONCE = "once"
    BY_EACH_POST = "once by each post"
    AGAIN = "again"


class Rung(NamedTuple):
    """A row of the ladder. after: what comes before it; at_own_post: at the very same post.

    of_values: only of a message with something to be read back; if_wanted: only of one that calls
    for an answer (`messages.Message.wants_answer`).
    """

    after: Step | None
    at_own_post: bool
    often: Often
    by: Side
    of_values: bool = False
    if_wanted: bool = False

    def is_of(self, *, has_values: bool, wants_answer: bool) -> bool:
        """Tell whether a message of some kind comes to it."""
        return (has_values or not self.of_values) and (wants_answer or not self.if_wanted)


LADDER: Final[Mapping[Step, Rung]] = {
    Step.SENT: Rung(None, at_own_post=False, often=Often.ONCE, by=Side.SENDER),
    Step.DELIVERED: Rung(
        Step.SENT, at_own_post=False, often=Often.BY_EACH_POST, by=Side.RECEIVER
    ),
    Step.DISPLAYED: Rung(
        Step.DELIVERED, at_own_post=True, often=Often.BY_EACH_POST, by=Side.RECEIVER
    ),
    Step.ACKNOWLEDGED: Rung(
        Step.DISPLAYED, at_own_post=True, often=Often.ONCE, by=Side.RECEIVER
    ),
    Step.ANSWERED: Rung(
        Step.DISPLAYED, at_own_post=True, often=Often.AGAIN, by=Side.RECEIVER, if_wanted=True
    ),
    Step.READ_BACK: Rung(
        Step.ACKNOWLEDGED, at_own_post=False, often=Often.ONCE, by=Side.RECEIVER, of_values=True
    ),
    Step.DISSEMINATED: Rung(
        Step.ACKNOWLEDGED, at_own_post=False, often=Often.AGAIN, by=Side.RECEIVER
    ),
}  # fmt: skip


LACKS: Final = {
    Step.ANSWERED: "calls for no answer",
    Step.READ_BACK: "has no position, level, time or frequency to be read back",
}  # fmt: skip
"""Why a message never comes to a step that not every message does."""


class Taken(NamedTuple):
    """That a step was taken, by a post of the party that takes it."""

    step: Step
    post: str


class OutOfOrder(CallerError):
    """A step was reported that cannot follow what was taken. possible: what that post can take."""

    def __init__(self, message: str, why: str, possible: tuple[Step, ...], post: str) -> None:
        self.possible = possible
        ways = " or ".join(possible) or "nothing more"
        super().__init__(f"message {message[:8]}: {why}; possible at {post} now: {ways}")


def why_not(
    taken: Iterable[Taken], step: Step, post: str, *, has_values: bool = False,
    wants_answer: bool = False,
) -> str:  # fmt: skip
    """Return why a post of the receiver cannot take a step now, in words; empty where it can.

    has_values: the message has something to be read back; wants_answer: it calls for an answer.
    """
    rung, known = LADDER[step], list(taken)
    if rung.by is Side.SENDER:
        return f"is {step} by its sender, and once"
    if not rung.is_of(has_values=has_values, wants_answer=wants_answer):
        return LACKS[step]
    if rung.often is Often.ONCE and any(each.step is step for each in known):
        return f"is {step} already"
    if rung.often is Often.BY_EACH_POST and Taken(step, post) in known:
        return f"is {step} at {post} already"
    before = [each for each in known if each.step is rung.after]
    if not any(each.post == post or not rung.at_own_post for each in before):
        where = f" at {post}" if rung.at_own_post else ""
        return f"cannot be {step} before it is {rung.after}{where}"
    return ""


def possible(
    taken: Iterable[Taken], post: str, *, has_values: bool = False, wants_answer: bool = False
) -> tuple[Step, ...]:  # fmt: skip
    """Return the steps that a post of the receiver can take now, in the order of the ladder."""
    known = list(taken)
    return tuple(
        each for each in LADDER
        if not why_not(known, each, post, has_values=has_values, wants_answer=wants_answer)
    )  # fmt: skip


def check_step(
    message: str, taken: Iterable[Taken], step: Step, post: str, *, has_values: bool = False,
    wants_answer: bool = False,
) -> None:  # fmt: skip
    """Refuse a step that the table does not allow a post of the receiver; `OutOfOrder` says why.

    message: its id.
    """
    known = list(taken)
    if why := why_not(known, step, post, has_values=has_values, wants_answer=wants_answer):
        ways = possible(known, post, has_values=has_values, wants_answer=wants_answer)
        raise OutOfOrder(message, why, ways, post)
