# SPDX-License-Identifier: Apache-2.0
"""How soon somebody has done something about a message, and what.

Delivered and displayed are what programs have done: nobody has acted yet. Who acknowledges, reads
back, answers or passes it on has, whichever of these is first.
"""

from typing import Final, NamedTuple

from keepclear.line.ladder import Step
from keepclear.line.messages import Message

BY_PEOPLE: Final = frozenset({Step.ACKNOWLEDGED, Step.READ_BACK, Step.DISSEMINATED})


class FirstAction(NamedTuple):
    """What was done first. after_us: how long after it was sent. what: "acknowledged", "WILCO"."""

    at_us: int
    after_us: int
    what: str
    party: str
    post: str
    person: str | None


def first_action(message: Message) -> FirstAction | None:
    """Return what somebody of the receiver did first about a message; None where nobody has.

    Of two at the same instant the step counts: it is what the deadline is for.
    """
    done = [
        (each.at_us, str(each.step), each.party, each.post, each.person)
        for each in message.steps
        if each.step in BY_PEOPLE
    ]
    done += [
        (each.at_us, "read back", each.party, each.post, each.person) for each in message.read_backs
    ]
    done += [
        (each.at_us, str(each.word), each.party, each.post, each.person) for each in message.answers
    ]
    if not done:
        return None
    at_us, what, party, post, person = min(done, key=lambda each: each[0])
    return FirstAction(at_us, at_us - message.sent_us, what, party, post, person)
