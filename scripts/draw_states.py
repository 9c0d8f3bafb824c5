# SPDX-License-Identifier: Apache-2.0
"""Draw the state diagrams of the docs from the tables in the code.

    python -m scripts.draw_states

A diagram is a table (state x event -> state) and where each state stands, by column and row; the
arrows come from the table alone, and find their own way (`ways`). A new table is one more entry
in `DIAGRAMS`.

1. One arrow leads from a state to another, and carries all events that do so.
2. Moves to the state named in `written`, which nearly every state has, stand as small print in
   the box they start from.
3. Each event in the picture carries its move as data-from, data-event and data-to, so that
   tests/test_pictures.py can compare picture and table.
4. The same table gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keepclear.agreement import states as agreement
from keepclear.plans import conflicts, incidents, operations
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text
from scripts.pictures import arrow, box, dot, save, sheet, width_of, write
from scripts.ways import Box, Ends, Sheet, Way

# Enums of any kind, whose members are text; a mapping's type says nothing of kinds of keys.
Table = Mapping[Any, Mapping[Any, str]]

COLUMN: Final = 256.0
ROW: Final = 104.0
STATE: Final = 152 + 50j
RIM: Final = 46 + 24j  # free paper beside the boxes, and above them
LEGEND: Final = 62.0  # and below
LINE: Final = 16.0  # from one line of words to the next


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """A table, where its states stand as column + row * 1j, and where things begin.

    written: the state to which moves stand as small print in the box they start from.
    """

    file: str
    title: str
    table: Table
    places: Mapping[Any, complex]
    start: str
    written: str | None = None

    def is_written(self, state: str, after: str) -> bool:
        """True where a move stands as small print and not as an arrow."""
        return after == self.written != state


DIAGRAMS: Final = (
    Diagram(
        file="agreement-states.svg",
        title="States of an agreement",
        table=agreement.TABLE,
        places={
            agreement.State.DRAFT: 0,
            agreement.State.PROPOSED: 2,
            agreement.State.COUNTERED: 1 + 1j,
            agreement.State.SIGNED_IN_PART: 1 + 2j,
            agreement.State.SIGNED: 1 + 3j,
            agreement.State.IN_FORCE: 1 + 4j,
            agreement.State.SUSPENDED: 2 + 4j,
            agreement.State.DENOUNCED: 1 + 5j,
            agreement.State.EXPIRED: 2 + 5j,
        },
        start=agreement.State.DRAFT,
        written=agreement.State.EXPIRED,
    ),
    Diagram(
        file="operation-states.svg",
        title="States of an operation",
        table=operations.TABLE,
        places={
            operations.State.FILED: 0,
            operations.State.CANCELLED: 2,
            operations.State.ACCEPTED: 1 + 1j,
            operations.State.NONCONFORMING: 2j,
            operations.State.ACTIVATED: 1 + 2j,
            operations.State.CONTINGENT: 1 + 3j,
            operations.State.ENDED: 2 + 3j,
        },
        start=operations.State.FILED,
        written=operations.State.ENDED,
    ),
    Diagram(
        file="conflict-states.svg",
        title="States of a conflict",
        table=conflicts.TABLE,
        places={
            conflicts.State.RAISED: 1j,
            conflicts.State.PROPOSED: 1,
            conflicts.State.COUNTERED: 2 + 1j,
            conflicts.State.AGREED: 1 + 2j,
            conflicts.State.EXPIRED: 1 + 3j,
            conflicts.State.RESOLVED: 2 + 3j,
        },
        start=conflicts.State.RAISED,
        written=conflicts.State.RESOLVED,
    ),
    Diagram(
        file="incident-states.svg",
        title="States of an incident case",
        table=incidents.TABLE,
        places={
            incidents.State.OPEN: 1j,
            incidents.State.QUERIED: 1,
            incidents.State.OVERDUE: 2 + 1j,
            incidents.State.LEFT_OPEN: 1 + 2j,
            incidents.State.CLOSED: 2 + 3j,
        },
        start=incidents.State.OPEN,
        written=incidents.State.CLOSED,
    ),
)


def draw(diagram: Diagram) -> str:
    """Return the picture of a diagram."""
    paper, arrows = laid_out(diagram), arrows_of(diagram)
    size = paper.edge.middle * 2
    parts = [
        _start(paper.kept_free[0]),
        *(_state(diagram, state, one) for state, one in paper.boxes.items()),
        *(tag("g", arrow(way.curve)) for way in paper.ways.values()),
        *(_words(ends, events, paper.ways[ends]) for ends, events in arrows.items()),
        _legend(paper.kept_free[1]),
    ]
    return sheet(diagram.title, described(diagram), size, parts)


def laid_out(diagram: Diagram) -> Sheet:
    """Return the sheet with its boxes and the ways of its arrows."""
    boxes = {
        state: Box(RIM + STATE / 2 + complex(at.real * COLUMN, at.imag * ROW), STATE)
        for state, at in diagram.places.items()
    }
    first = boxes[diagram.start].middle - STATE.real / 2
    right = max(one.middle.real for one in boxes.values()) + STATE.real / 2 + RIM.real
    below = max(one.middle.imag for one in boxes.values()) + STATE.imag / 2 + LEGEND
    edge = Box(complex(right, below) / 2, complex(right - 8, below - 8))
    legend = Box(complex(RIM.real + 115, below - 24), 230 + 24j)
    paper = Sheet(boxes=boxes, kept_free=(Box(first - 18, 36 + 16j), legend), edge=edge)
    paper.lead({ends: _size(events) for ends, events in arrows_of(diagram).items()})
    return paper


def arrows_of(diagram: Diagram) -> dict[Ends, list[str]]:
    """Return the events of each arrow, by the states from which and to which it leads."""
    arrows: dict[Ends, list[str]] = {}
    for state, moves in diagram.table.items():
        for event, after in moves.items():
            if not diagram.is_written(state, after):
                arrows.setdefault((state, after), []).append(event)
    return arrows


def described(diagram: Diagram) -> str:
    """Return the diagram in words, for who hears it read."""
    moves = [
        f"{state}: {', '.join(f'{event} to {after}' for event, after in moves.items())}."
        for state, moves in diagram.table.items()
        if moves
    ]
    ends = " or ".join(state for state, moves in diagram.table.items() if not moves)
    return " ".join([f"Begins as {diagram.start}.", *moves, f"Ends as {ends}."])


def _size(events: list[str]) -> complex:
    return complex(max(width_of(event) for event in events) + 6, LINE * len(events))


def _start(at: Box) -> Markup:
    begin = at.middle - at.size.real / 2 + 7
    return tag("g", dot(begin), arrow([begin, at.middle + at.size.real / 2 - 2]))


def _state(diagram: Diagram, state: str, at: Box) -> Markup:
    """Return a box: its name, and in small print its moves to the written state."""
    moves = diagram.table[state]
    events = [event for event, after in moves.items() if diagram.is_written(state, after)]
    small = NOTHING
    if events:
        small = _small_print(state, events, diagram.written, at.middle + 17j)
    elif state == diagram.written:
        small = write(_whence(diagram), at.middle + 15j, "small")
    inner = NOTHING if moves else box(at.middle, at.size - 8 - 8j, "plain", 5)
    name = write(state, at.middle + (-3j if small else 5j), "name")
    return tag("g", box(at.middle, at.size, "box"), inner, name, small, data_state=state)


def _small_print(state: str, events: list[str], after: str | None, at: complex) -> Markup:
    said = [
        tag("tspan", text(event), data_from=state, data_event=event, data_to=after)
        for event in events
    ]
    words = [joined(said, text(", ")), text(f" → {after}")]
    return tag("text", *words, x=at.real, y=at.imag, class_="small")


def _whence(diagram: Diagram) -> str:
    """Return from where the written state is reached, counted in the table."""
    reached = [
        any(diagram.is_written(state, after) for after in moves.values())
        for state, moves in diagram.table.items()
    ]
    every = sum(reached) == len(reached) - 1
    return "from any other state" if every else f"from {sum(reached)} states"


def _words(ends: Ends, events: list[str], way: Way) -> Markup:
    """Return the events of an arrow on a white ground, so that no line runs through them."""
    ground = way.words[0]
    first = ground.middle - 1j * (len(events) - 1) * LINE / 2 + 4.5j
    return tag("g", box(ground.middle, ground.size, "ground"), *(
        tag("text", text(event), x=first.real, y=first.imag + place * LINE, class_="words",
            data_from=ends[0], data_event=event, data_to=ends[1])
        for place, event in enumerate(events)
    ))  # fmt: skip


def _legend(where: Box) -> Markup:
    at = where.middle - where.size.real / 2
    return tag("g", dot(at + 6), write("begins here", at + 20 + 4j, "small left"),
               box(at + 131, 26 + 16j, "box", 5), box(at + 131, 20 + 10j, "plain", 3),
               write("ends here", at + 152 + 4j, "small left"))  # fmt: skip


if __name__ == "__main__":
    for each in DIAGRAMS:
        save(each.file, draw(each))
