# SPDX-License-Identifier: Apache-2.0
"""What the reports of a record say of none-heres and incident cases, as a play's story does."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.decide import ACTS
from keepclear.exchange.events import (
    ContradictionsShown,
    IncidentChanged,
    NoneHereContradicted,
)
from keepclear.plans.incidents import State
from keepclear.record.headers import Act
from keepclear.reports.after_action_moments import Moment
from keepclear.reports.play_cases import DOES, OF_CASES, Cased, CaseTeller, Line, why_of
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import day_of, listed

TOLD: Final = "told"


def cased(
    moments: Iterable[Moment], to_us: int, operations: Mapping[str, str], conflicts: Iterable[str]
) -> tuple[dict[int, Cased], tuple[str, ...]]:
    """Return what is said of none-heres and cases, by a moment's line; how each stands at `to_us`.

    Read from the start of the file, for what a range tells of may be older than it. operations:
    what each is called, by id; conflicts: their ids in the order of their numbers.
    """
    names = Names(operations)
    for each in conflicts:
        names.conflict(each)
    teller = CaseTeller(names)
    found = {}
    for moment in moments:
        if moment.at_us >= to_us:
            break
        act = moment.act
        payload = None if act is None else ACTS.read(act.kind, bytes(act.payload))
        values = [part.value for part in moment.parts]
        found[moment.line] = teller.together(payload, values, day_of(moment.at_us))
    return found, tuple(teller.outcome())


def act_rows(act: Act, about: str) -> Iterator[str]:
    """Yield what an act on a none-here or a case does, and its reason. about: what it is about."""
    yield DOES[act.kind.partition("/")[0]].format(about)
    yield from map(_row, why_of(ACTS.read(act.kind, bytes(act.payload))))


def rows(said: Cased, place: int) -> Iterator[str]:
    """Yield what is said of the part at a place, but for who is told: that stands apart."""
    yield from (_row(each) for each in said.rows.get(place, ()) if each.label != TOLD)


def _row(line: Line) -> str:
    return f"{line.label}: {line.text}" if line.label else line.text


def told(moment: Moment) -> Iterator[str]:
    """Yield who was told of none-heres and cases in a moment: each audience once."""
    said: dict[str, None] = {}
    for each in moment.parts:
        if isinstance(each.value, OF_CASES):
            is_urgent = getattr(each.value, "precedence", None) is Precedence.URGENT
            of = "CONTRADICTED: " if isinstance(each.value, NoneHereContradicted) else ""
            urgent = f"{Precedence.URGENT}: " if is_urgent else ""
            said[f"{of}{urgent}{listed(each.audience.split(','))}, nobody else"] = None
    yield from said


def is_contradicted(moment: Moment) -> bool:
    """Tell whether a moment says that operations meet a none-here."""
    kinds = (NoneHereContradicted, ContradictionsShown)
    return any(isinstance(each.value, kinds) for each in moment.parts)


def is_overdue(moment: Moment) -> bool:
    """Tell whether a reply has become overdue in a moment."""
    return moment.act is None and any(
        isinstance(each.value, IncidentChanged) and each.value.incident.state is State.OVERDUE
        for each in moment.parts
    )
