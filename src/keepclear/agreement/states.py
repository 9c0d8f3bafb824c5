# SPDX-License-Identifier: Apache-2.0
"""The states of an agreement, as a table: what each event makes of each state.

An event that a state does not list is refused, and nothing changes.

    >>> move(State.IN_FORCE, Event.SUSPEND).value
    'suspended'
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from keepclear.agreement.moves import next_state


class State(StrEnum):
    """How far an agreement is."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    COUNTERED = "countered"
    SIGNED_IN_PART = "signed in part"
    SIGNED = "signed"
    IN_FORCE = "in force"
    SUSPENDED = "suspended"
    DENOUNCED = "denounced"
    EXPIRED = "expired"


class Event(StrEnum):
    """What happens to an agreement."""

    PROPOSE = "propose"
    COUNTER = "counter"
    SIGN = "sign"  # by a party, and others have not
    SIGN_LAST = "sign last"
    COME_INTO_FORCE = "come into force"
    SUSPEND = "suspend"
    RESUME = "resume"
    DENOUNCE = "denounce"
    EXPIRE = "expire"


BY_ITSELF: Final = frozenset({Event.SIGN_LAST, Event.COME_INTO_FORCE, Event.EXPIRE})
TABLE: Final[Mapping[State, Mapping[Event, State]]] = {
    State.DRAFT: {
        Event.PROPOSE: State.PROPOSED,
        Event.SIGN: State.SIGNED_IN_PART,
        Event.SIGN_LAST: State.SIGNED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.PROPOSED: {
        Event.COUNTER: State.COUNTERED,
        Event.SIGN: State.SIGNED_IN_PART,
        Event.SIGN_LAST: State.SIGNED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.COUNTERED: {
        Event.PROPOSE: State.PROPOSED,
        Event.COUNTER: State.COUNTERED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.SIGNED_IN_PART: {
        Event.COUNTER: State.COUNTERED,
        Event.SIGN: State.SIGNED_IN_PART,
        Event.SIGN_LAST: State.SIGNED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.SIGNED: {
        Event.COME_INTO_FORCE: State.IN_FORCE,
        Event.DENOUNCE: State.DENOUNCED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.IN_FORCE: {
        Event.SUSPEND: State.SUSPENDED,
        Event.DENOUNCE: State.DENOUNCED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.SUSPENDED: {
        Event.SUSPEND: State.SUSPENDED,
        Event.RESUME: State.IN_FORCE,
        Event.DENOUNCE: State.DENOUNCED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.DENOUNCED: {
        Event.SUSPEND: State.DENOUNCED,
        Event.RESUME: State.DENOUNCED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.EXPIRED: {},
}


def move(state: State, event: Event) -> State:
    """Return the state that an event leads to; `NotNow` where there is none."""
    return next_state(TABLE, "agreement", state, event, by_itself=BY_ITSELF)
