# SPDX-License-Identifier: Apache-2.0
"""Leaks planted in what none-heres, cases, rates, messages, line checks and STOPs tell b.

Each field of each of their events in turn is made to hang on what b may not see, and then the
rules by which they are told are broken. `two_worlds` must find each of them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, islice
from random import Random
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import CheckSchedule, Precedence
from keepclear.errors import InputError
from keepclear.exchange import (
    decide,
    incidents,
    line_checks,
    messages,
    none_here,
    operations,
)
from keepclear.exchange.batch import Batch
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    KINDS,
    ContradictionsShown,
    FilingsCounted,
    IncidentChanged,
    KeepOutsChanged,
    LineChanged,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    NoneHereStated,
    NoneHereWithdrawn,
    StopChanged,
)
from keepclear.exchange.exchange import Exchange
from keepclear.line.check_acts import AnswerLineCheck
from keepclear.line.checks import Check, CheckAnswer, CheckedLine
from keepclear.line.messages import Answer, Message, Overdue, StepTaken
from keepclear.line.read_back import Compared, ReadBack
from keepclear.line.stops import Area, Called
from keepclear.plans.incidents import Incident, Query, TimelineLine
from keepclear.plans.none_here import Contradiction, NoneHere, WithdrawNoneHere
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import Signed
from keepclear.record.entries import Part
from keepclear.record.headers import Act
from tests.two_worlds import PARTIES, Pair
from tests.two_worlds_stops import pair_of
from tests.worlds_played import difference, received, remembered

# The kinds of events that tell b of these, and what stands in which of their fields.
TOLD: Final[dict[type[Signed], dict[str, type[Signed]]]] = {
    IncidentChanged: {"incident": Incident, "query": Query},
    LineChanged: {"line": TimelineLine},
    NoneHereStated: {"statement": NoneHere},
    NoneHereWithdrawn: {},
    ContradictionsShown: {"found": Contradiction},
    FilingsCounted: {},
    MessageChanged: {
        "message": Message,
        "taken": StepTaken,
        "answer": Answer,
        "read_back": ReadBack,
        "fields": Compared,
        "stop": Called,
        "area": Area,
    },
    MessageOverdue: {"message": Message, "overdue": Overdue, "stop": Called, "area": Area},
    StopChanged: {"stop": Stop},
    KeepOutsChanged: {"areas": Area},
    LineChecked: {"line": CheckedLine, "check": Check, "answer": CheckAnswer},
}
MOST_PAIRS: Final = 1_000


@pytest.fixture(autouse=True, scope="module")
def _remembered() -> Iterator[None]:
    with remembered():
        yield


def fields_of(kind: type[Signed], within: dict[str, type[Signed]]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each field of an event, down to what has none."""
    for name in kind.__struct_fields__:
        if name in within:
            yield from ((name, *rest) for rest in fields_of(within[name], within))
        else:
            yield (name,)


FIELDS: Final = [
    (kind, path) for kind, within in TOLD.items() for path in fields_of(kind, within)
]  # fmt: skip


def leaking(value: Any, path: Sequence[str], hidden: str) -> Any:  # noqa: ANN401 any field
    """Return a value with what is hidden in one of its fields, as far as it goes into it."""
    if isinstance(value, tuple) and path:
        return tuple(leaking(each, path, hidden) for each in value)
    if value is None or not path:
        return hidden
    return replace(value, **{path[0]: leaking(getattr(value, path[0]), path[1:], hidden)})


def in_part(
    patch: pytest.MonkeyPatch, kind: type[Signed], change: Callable[[Any, Exchange], Any]
) -> None:
    """Plant a leak into one kind of event as others than its party get it; the world has it not."""
    enter = Exchange._enter

    def entering(
        self: Exchange, batch: Batch, now_us: int, parts: list[tuple[str, str, Any]]
    ) -> Any:  # noqa: ANN401
        return enter(self, batch, now_us, [
            (audience, name, change(value, self) if isinstance(value, kind) else value)
            for audience, name, value in parts
        ])  # fmt: skip

    patch.setattr(Exchange, "_enter", entering)


@lru_cache(maxsize=MOST_PAIRS)
def pair_number(number: int) -> Pair:
    """Return one of the pairs of worlds, the same each time."""
    return pair_of(Random(number).choice)


@lru_cache(maxsize=MOST_PAIRS)
def told_to_b(number: int) -> tuple[Signed, ...]:
    """Return the events of those kinds that b is told of in the first of two worlds."""
    pair, names = pair_number(number), {name: kind for name, kind in KINDS.items() if kind in TOLD}
    found = []
    for data in received(pair.seen, pair.hidden[0]).file:
        if any(name.encode() in data for name in names):
            part = msgspec.json.decode(data, type=_LeafLine).leaf.part
            found.append(msgspec.json.decode(part.data, type=names[part.kind]))
    return tuple(found)


class _Leaf(msgspec.Struct):
    part: Part


class _LeafLine(msgspec.Struct):
    leaf: _Leaf


def numbers_with(kind: type[Signed], path: Sequence[str]) -> Iterator[int]:
    """Yield the pairs in which b is told of such an event, with something in that field."""
    for number in range(MOST_PAIRS):
        pair = pair_number(number)
        if pair.hidden[0] != pair.hidden[1] and any(
            isinstance(each, kind) and reaches(each, path[:-1]) for each in told_to_b(number)
        ):
            yield number


def reaches(value: Any, path: Sequence[str]) -> bool:  # noqa: ANN401 any field
    """Tell whether there is something at a path."""
    if isinstance(value, tuple):
        return any(reaches(each, path) for each in value)
    return value is not None and (not path or reaches(getattr(value, path[0]), path[1:]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "path"), FIELDS, ids=[f"{kind.__name__}-{'.'.join(path)}" for kind, path in FIELDS]
)
def test_a_leak_into_a_field_of_what_is_told_is_found(
    kind: type[Signed], path: Sequence[str]
) -> None:
    for number in islice(numbers_with(kind, path), 30):
        with pytest.MonkeyPatch.context() as patch:
            in_part(patch, kind, lambda value, ours: leaking(value, path, ours.world.hash))
            if difference(pair_number(number)):
                return
    raise AssertionError("is not found")


# --- the rules by which they are told ----------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def contradictions_for_all_who_were_given_it(patch: pytest.MonkeyPatch) -> None:
    """Show what contradicts a statement to everybody who has it."""
    patch.setattr(
        none_here, "shown_to", lambda _, statement: dict.fromkeys(statement.to, "a mistake")
    )


def messages_of_others(patch: pytest.MonkeyPatch) -> None:
    """Say of a message that is not one's own whether there is one."""
    received_ = messages.received

    def leaking(deciding: Deciding, act: Act, message_id: str) -> Message:
        if message_id in deciding.world.messages:
            return received_(deciding, act, message_id)
        raise InputError("message", message_id, "is none", "see your own")

    patch.setattr(messages, "received", leaking)


def threads_of_others(patch: pytest.MonkeyPatch) -> None:
    """Say of what cannot be replied to whether it is there."""
    replied = messages._replied

    def leaking(deciding: Deciding, act: Act, payload: Any, channel: str) -> Any:  # noqa: ANN401
        if payload.reply_to is None or payload.reply_to in deciding.world.messages:
            return replied(deciding, act, payload, channel)
        raise InputError("reply_to", payload.reply_to, "is none", "see your own")

    patch.setattr(messages, "_replied", leaking)


def messages_counted(patch: pytest.MonkeyPatch) -> None:
    """Say how many messages there are."""
    in_part(patch, MessageChanged, lambda event, ours: replace(event, message=replace(
        event.message, text=f"{len(ours.world.messages)}: {event.message.text}"
    )))  # fmt: skip


def deadlines_of_others(patch: pytest.MonkeyPatch) -> None:
    """Let the soonest clause of any two parties set the deadline, where one has joined in both."""
    limits = messages._limits

    def leaking(deciding: Deciding, *_: str) -> Iterator[Any]:
        for one, other in combinations(PARTIES, 2):
            yield from limits(deciding, one, other, Precedence.URGENT)

    patch.setattr(messages, "_limits", leaking)


def checks_of_others(patch: pytest.MonkeyPatch) -> None:
    """Say of a check that is not one's own whether there is one."""
    answer = line_checks.answer

    def leaking(deciding: Deciding, act: Act, payload: AnswerLineCheck) -> None:
        if payload.id not in deciding.world.line_checks:
            raise InputError("check", payload.id, "is none", "see your own")
        answer(deciding, act, payload)

    patch.setitem(decide.DECIDE, AnswerLineCheck, leaking)  # type: ignore[misc]


def checks_counted(patch: pytest.MonkeyPatch) -> None:
    """Say how many checks there are in all."""
    in_part(patch, LineChecked, lambda event, ours: replace(event, line=replace(
        event.line, of=f"{event.line.of} {len(ours.world.line_checks)}"
    )))  # fmt: skip


def schedules_of_others(patch: pytest.MonkeyPatch) -> None:
    """Let the clauses of any two parties say when a line is checked."""
    schedules = line_checks._schedules

    def leaking(deciding: Deciding, *_: str) -> Iterator[tuple[str, CheckSchedule]]:
        for one, other in combinations(PARTIES, 2):
            yield from schedules(deciding, one, other)

    patch.setattr(line_checks, "_schedules", leaking)


def checks_that_wait_with_others(patch: pytest.MonkeyPatch) -> None:
    """Let a line wait where one of another party does."""
    line_of = line_checks.line_of

    def leaking(deciding: Deciding, caller: str, answerer: str, of: str) -> CheckedLine:
        found = line_of(deciding, caller, answerer, of)
        waits = [e.waits for e in deciding.world.lines_checked.values() if e.of == of and e.waits]
        return replace(found, waits=next(iter(waits), None))

    patch.setattr(line_checks, "line_of", leaking)


def contradictions_by_others(patch: pytest.MonkeyPatch) -> None:
    """Let the operations of others contradict a statement, too."""
    find = none_here._find

    def leaking(deciding: Deciding, statement: NoneHere, found: Sequence[Operation]) -> None:
        find(deciding, statement, [replace(each, party=statement.party) for each in found])

    patch.setattr(none_here, "_find", leaking)


def accepted_in_a_contradiction(patch: pytest.MonkeyPatch) -> None:
    """Show whether what contradicts a statement is accepted, which hangs on all others."""
    patch.setattr(none_here, "state_shown", lambda state: state)


def cases_of_others(patch: pytest.MonkeyPatch) -> None:
    """Let a party act on a case that it is not in."""

    def leaking(deciding: Deciding, act: Act, incident_id: str) -> Incident:
        found = deciding.world.incidents.get(incident_id)
        if found is None:
            raise InputError("incident", incident_id, f"is no case of {act.party}", "see your own")
        return found

    patch.setattr(incidents, "_incident", leaking)


def what_a_case_is_about(patch: pytest.MonkeyPatch) -> None:
    """Say of what a case cannot be about whether there is such a thing."""
    kind = incidents._kind

    def leaking(deciding: Deciding, act: Act, about: str, other: str) -> Any:  # noqa: ANN401
        world = deciding.world
        if any(about in each for each in (world.operations, world.incidents, world.none_here)):
            return kind(deciding, act, about, other)
        raise InputError("about", about, "is nothing", "see your own")

    patch.setattr(incidents, "_kind", leaking)


def statements_of_others(patch: pytest.MonkeyPatch) -> None:
    """Say of a statement that cannot be withdrawn whether there is one."""
    withdraw = none_here.withdraw

    def leaking(deciding: Deciding, act: Act, payload: WithdrawNoneHere) -> None:
        if payload.id not in deciding.world.none_here:
            raise InputError("none-here", payload.id, "is none", "see your own")
        withdraw(deciding, act, payload)

    patch.setitem(decide.DECIDE, WithdrawNoneHere, leaking)  # type: ignore[misc]


def late_by_lines_of_all_cases(patch: pytest.MonkeyPatch) -> None:
    """Mark a line as late where any case has a line about a later time."""
    in_part(patch, LineChanged, lambda event, ours: replace(event, line=replace(
        event.line, is_late=any(e.at_us > event.line.at_us for e in ours.world.lines.values())
    )))  # fmt: skip


def cases_counted(patch: pytest.MonkeyPatch) -> None:
    """Say how many cases there are."""
    in_part(patch, IncidentChanged, lambda event, ours: replace(
        event, note=f"case {len(ours.world.incidents)}: {event.note}"
    ))  # fmt: skip


def day_s_area_hours(patch: pytest.MonkeyPatch) -> None:
    """Say of a statement what its party has stated within the day."""
    in_part(patch, NoneHereStated, lambda event, ours: replace(event, statement=replace(
        event.statement, takes_km2h=sum(
            ours.world.none_here[each].takes_km2h
            for each in ours.world.stated[event.statement.party]
        )
    )))  # fmt: skip


def rate_of_all(patch: pytest.MonkeyPatch) -> None:
    """Count what all parties have filed."""
    in_part(patch, FilingsCounted, lambda event, ours: replace(
        event, filings=sum(each.filings for each in ours.world.filers.values())
    ))  # fmt: skip


def rate_agreed_with_others(patch: pytest.MonkeyPatch) -> None:
    """Tell everybody of what any two have agreed to tell each other."""
    tell = operations._tell_rate

    def leaking(deciding: Deciding, party: str) -> None:
        before = len(deciding.parts)
        tell(deciding, party)
        for _, kind, value in deciding.parts[before:]:
            deciding.parts.append((",".join(PARTIES), kind, value))

    patch.setattr(operations, "_tell_rate", leaking)


def rate_with_a_place(patch: pytest.MonkeyPatch) -> None:
    """Say where the filing was that raised the alarm."""
    in_part(patch, FilingsCounted, lambda event, ours: replace(event, party=next(
        f"{event.party} {each.volumes[0].volume.shape}"
        for each in reversed(ours.world.operations.values()) if each.party == event.party
    )))  # fmt: skip


BROKEN: Final[dict[str, Plant]] = {
    name.__name__: name
    for name in (
        contradictions_for_all_who_were_given_it, contradictions_by_others,
        accepted_in_a_contradiction, cases_of_others, what_a_case_is_about, statements_of_others,
        late_by_lines_of_all_cases, cases_counted, day_s_area_hours, rate_of_all,
        rate_agreed_with_others, rate_with_a_place, messages_of_others, threads_of_others,
        messages_counted, deadlines_of_others, checks_of_others, checks_counted,
        schedules_of_others, checks_that_wait_with_others,
    )
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_of_what_is_told_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN[name](monkeypatch)

    assert any(difference(pair_number(number)) for number in range(MOST_PAIRS))
