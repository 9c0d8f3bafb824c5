# SPDX-License-Identifier: Apache-2.0
"""What an act that reads a message back does.

1. It is compared in full; whatever comes of it, both parties are told, with both values.
2. One that is as it was sent is the step *read back*. One that is not leaves the message where it
   is, not confirmed, and another may follow, until there were `MOST_READ_BACKS`.
"""

from keepclear.exchange import messages
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import MessageChanged
from keepclear.exchange.operations import Refused
from keepclear.line.acts import ReadBackMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import StepTaken, stepped
from keepclear.line.messages import read_back as with_read_back
from keepclear.line.read_back import MOST_READ_BACKS, ReadBack, compared
from keepclear.record.headers import Act


def read_back(deciding: Deciding, act: Act, payload: ReadBackMessage) -> None:
    """Compare what was understood with what was sent; take the step where it is the same."""
    old = messages.received(deciding, act, payload.id)
    taken = StepTaken(
        step=Step.READ_BACK, at_us=deciding.filed_us, party=act.party, post=act.post,
        person=payload.person,
    )  # fmt: skip
    up = stepped(old, taken)  # refused where it cannot be read back now, whatever is said
    if len(old.read_backs) >= MOST_READ_BACKS:
        raise Refused(
            f"message {old.id[:8]}: was read back {MOST_READ_BACKS} times, and is not confirmed; "
            f"call {old.sender}, {old.sender_post}, or ask for a new message"
        )
    made = ReadBack(
        at_us=deciding.filed_us, party=act.party, post=act.post, person=payload.person,
        fields=compared(old.values, payload.values),
    )  # fmt: skip
    is_same = made.is_same
    deciding.emit(
        old.parties,
        MessageChanged(
            message=with_read_back(up if is_same else old, made),
            taken=taken if is_same else None,
            read_back=made,
        ),
    )
