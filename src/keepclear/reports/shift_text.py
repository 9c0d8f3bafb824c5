# SPDX-License-Identifier: Apache-2.0
"""What a post reads of its shifts: who has the watch, what remains, and who has taken it over."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from keepclear.exchange.shifts import Remaining, age_text
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.reports.message_text import SHORT, precedence_text, second
from keepclear.reports.play_values import day_of, listed

LABEL: Final = 12
NOBODY: Final = "nobody has taken it over"
NO_SHIFT: Final = (
    "no shift is open; messages are read, acknowledged and answered all the same (keepclear line "
    "shift open --person ROLE)"
)


def shift_changed_text(shift: Shift) -> str:
    """Return how a shift stands, in a sentence."""
    name = f"shift {shift.id[:SHORT]} of {shift.person} at {shift.post}"
    if shift.closed is None:
        took = f", has taken over {len(shift.took)}" if shift.took else ""
        return f"{name} is open since {_at(shift.opened_us)}{took}"
    by = "" if shift.closed.key == shift.key else f" by {shift.closed.person}, with another key"
    count = len(shift.closed.left)
    left = f"; {count} taken over by others" if count else "; nothing remained"
    return f"{name} is closed at {_at(shift.closed.at_us)}{by}{left}"


def shifts_text(shifts: Iterable[Shift], remain: Sequence[Remaining], now_us: int) -> list[str]:
    """Return who has the watch at a post, and what it has to hand over. shifts: that are open."""
    there = list(shifts)
    lines = [shift_changed_text(each) for each in there] or [NO_SHIFT]
    lines += ["", f"remains to be handed over: {len(remain) or 'nothing'}"]
    for each in remain:
        own = [shift.person for shift in there if each.id in shift.took]
        has = f"taken over by {listed(own)}" if own else NOBODY
        lines.append(f"  {each.what}, {age_text(now_us - each.since_us)} old: {has}")
        lines.append(f"  {'':<{LABEL}}{each.way_out}")
    return lines


def watch_items(
    shifts: Iterable[Shift], messages: Mapping[str, Message], post: str
) -> Iterator[tuple[str, ...]]:
    """Yield the shifts that are open at a post, and the last that was closed, with what remained.

    For the handover list: who handed over, who took, what.
    """
    own = [each for each in shifts if each.post == post]
    persons = {each.id: each.person for each in own}
    last = max(
        (each for each in own if each.closed is not None),
        key=lambda each: each.closed.at_us if each.closed else 0, default=None,
    )  # fmt: skip
    if last is not None and last.closed is not None:
        to = f", to {persons[last.closed.to]}" if last.closed.to else ""
        rows = [f"handed over by {last.person} at {_at(last.closed.at_us)}{to}"]
        if last.closed.key != last.key:
            rows.append(f"  {'closed by':<{LABEL}}{last.closed.person}, with another key")
        for left in last.closed.left:
            what = _what(left.id, messages)
            rows.append(f"  {'remained':<{LABEL}}{what}; taken over by {persons[left.taken_by]}")
        if not last.closed.left:
            rows.append(f"  {'remained':<{LABEL}}nothing")
        yield tuple(rows)
    for each in own:
        if each.is_open:
            taken = [f"  {'took over':<{LABEL}}{_what(one, messages)}" for one in each.took]
            yield (f"on watch: {each.person} since {_at(each.opened_us)}", *taken)


def _what(own: str, messages: Mapping[str, Message]) -> str:
    message = messages.get(own)
    if message is None:
        return f"STOP or SAR case {own[:SHORT]} of one's own"
    return f"{precedence_text(message.precedence)} message {own[:SHORT]} from {message.sender}"


def _at(at_us: int) -> str:
    return f"{day_of(at_us)} {second(at_us)}"
