# SPDX-License-Identifier: Apache-2.0
"""What is read of values in fields of their own, and of what was read back of them.

Each value stands as it was read, so that it is the same however it was typed; beside it as it was
typed, where that differs.
"""

from collections.abc import Iterator
from typing import Final

from keepclear.line.messages import Message
from keepclear.line.read_back import Compared, ReadBack
from keepclear.line.values import PlaceValue, Value, to_read_back, value_text
from keepclear.reports.play_values import listed
from keepclear.reports.printable import printable

MISMATCH: Final = "MISMATCH"
FAR_M: Final = 100  # so far from a place that was sent coarsely one that is the same says how far


def value_row(value: Value) -> tuple[str, str]:
    """Return a value as a row: the name of its field, and what it says."""
    read = printable(value_text(value))
    notes = [] if value.typed == read else [f'typed "{printable(value.typed)}"']
    if isinstance(value, PlaceValue):
        notes.append(f"known to {value.within_m:,} m")
    return value.name, f"{read}{f' ({listed(notes)})' if notes else ''}"


def confirmed_text(message: Message) -> str:
    """Return whether a message is confirmed; nothing where it has nothing to be read back."""
    if not message.has_values:
        return ""
    if message.is_confirmed:
        return "confirmed"
    return "not confirmed" if message.mismatch is None else f"{MISMATCH}, not confirmed"


def read_back_rows(message: Message, made: ReadBack) -> Iterator[tuple[str, str]]:
    """Yield what was read back: that it is the same, or each field that is not, with both."""
    if made.is_same:
        yield "read back", f"as it was sent{_apart(message, made)}, by {by_whom(made)}"
        return
    for each in made.fields:
        if not each.is_same:
            yield MISMATCH, f"{mismatch_text(message, each)}; by {by_whom(made)}"


def mismatch_text(message: Message, made: Compared) -> str:
    """Return one field that is not as it was sent, with both values."""
    sent = next(each for each in to_read_back(message.values) if each.name == made.read.name)
    return (
        f"{made.read.name} was sent as {value_text(sent)} and read back as "
        f"{value_text(made.read)}, which {made.why}"
    )


def read_back_text(message: Message, made: ReadBack) -> str:
    """Return what was read back, in a sentence without its message."""
    if made.is_same:
        apart = _apart(message, made)
        return f"is read back as it was sent{apart}, and confirmed, by {by_whom(made)}"
    wrong = [mismatch_text(message, each) for each in made.fields if not each.is_same]
    return f"read back by {by_whom(made)}: {'; '.join(wrong)}; it is not confirmed"


def _apart(message: Message, made: ReadBack) -> str:
    """Return how far each place lies from the one that was sent, where that is coarse."""
    said = [
        f"{each.read.name} {value_text(each.read)} is {each.distance_m:,} m away, and what was "
        f"sent is known to {sent.within_m:,} m"
        for sent in message.values if isinstance(sent, PlaceValue)
        for each in made.fields if each.read.name == sent.name and (each.distance_m or 0) >= FAR_M
    ]  # fmt: skip
    return f" ({'; '.join(said)})" if said else ""


def by_whom(made: ReadBack) -> str:
    """Return who has read a message back."""
    return f"{made.party}, {made.post}{f' ({made.person})' if made.person else ''}"
