# SPDX-License-Identifier: Apache-2.0
"""How anything moves from state to state: by a table of what each event makes of each state.

What a state does not list is refused, with what it does list, and nothing changes.
"""

from collections.abc import Container, Mapping
from enum import StrEnum
from typing import TypeVar

from keepclear.errors import CallerError

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class NotNow(CallerError):
    """An event does not fit the state a thing is in. possible: the events that do.

    The message offers those alone that somebody can do: none of them follows or comes by itself.
    """

    def __init__(
        self, thing: str, state: StrEnum, event: StrEnum, possible: tuple[StrEnum, ...], over: str,
        by_itself: Container[StrEnum],
    ) -> None:  # fmt: skip
        self.state, self.event, self.possible = state, event, possible
        ways = " or ".join(each for each in possible if each not in by_itself)
        ways = ways or f"nothing: {over}"
        super().__init__(f"{thing} is {state}, so it cannot {event}; possible now: {ways}")


def next_state(
    table: Mapping[State, Mapping[Event, State]], thing: str, state: State, event: Event,
    over: str = "it has come to its end", by_itself: Container[Event] = (),
) -> State:  # fmt: skip
    """Return the state that an event leads to; `NotNow` where there is none.

    thing: what it is the state of, in words. over: why a last state has no way on. by_itself: the
    events that nobody does.
    """
    if event not in table[state]:
        raise NotNow(thing, state, event, tuple(table[state]), over, by_itself)
    return table[state][event]
