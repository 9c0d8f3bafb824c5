# SPDX-License-Identifier: Apache-2.0
"""Two worlds that must look the same to b: what they are made of, and how they are drawn.

A world is what everybody sees of it (its agreements and the *visible* steps) and its *hidden*
steps: what a and c do with operations that are never in conflict with b's, an agreement of
theirs, what they state to each other of none-here, their incident cases, and what they say to each
other over the line, and how they check it. Hidden operations that came into conflict with b's after
all, or that b is shown because they contradict what b was given, are taken out with all their steps
and the world is played again (`worlds_played`).

**Rates.** How often a party files, and when, is told at each tenth filing (docs/disclosure.md). So
either fewer are hidden than that, or in both worlds as many at the same times: of other things.

**Left out**, as docs/disclosure.md states: when an answer leaves, and what a party does with an
operation that b sees because of what b does not see. So a and c activate with the keys of all
they conflict with, and their agreement only notes conflicts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
from hypothesis import strategies as st

from keepclear.agreement.clauses import (
    AmongEquals,
    Channels,
    CheckSchedule,
    Deadline,
    Deadlines,
    Disclosure,
    Field,
    IncidentRule,
    LeadTime,
    OnConflict,
    OnConflictRule,
    Precedence,
    Priority,
    Separation,
    ShowContradictions,
    WhoActs,
)
from keepclear.agreement.documents import Agreement, Clause, PartyTerms, PostTerms, Role
from keepclear.agreement.probing import DEFAULT
from keepclear.agreement.rules_toml import parse_short
from keepclear.plans.filing import Domain, FiledCircle, FiledOperation, FiledVolume
from keepclear.units import format_time
from tests.agreement_plays import agreement, clause
from tests.record_plays import START_US

VIEWER: Final = "b"
PARTIES: Final = ("a", "b", "c")
MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
HOUSE: Final = parse_short("5 NM / 1000 ft")
BETWEEN_STEPS: Final = 15  # minutes
POSTS: Final = ("watch", "duty-officer")
UNKNOWN: Final = "f" * 32


# --- what a world is -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An operation to be filed.

    place: in steps of 3.5 NM. level, higher: thousands and hundreds of feet of its floor, which
    is a thousand less those hundreds below its top. start, lasts: minutes of the play.
    """

    place: float
    level: int
    higher: int = 0
    start: int
    lasts: int
    radius: str = "4 NM"
    craft: str = "any"
    callsign: str = ""
    count: int = 1
    count_most: int | None = None
    lateral: str = "0 m"
    domain: Domain = Domain.AIR


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a party does, after how many minutes. number: of what it chooses, if anything.

    operation: what it does it with, by name: a none-here and a case have names, too. other: the
    other operation, or what a case is about. to: who is given a none-here, or asked in a case.
    """

    after: int
    party: str
    does: str
    operation: str
    other: str = ""
    plan: Plan | None = None
    number: int = 0
    is_hidden: bool = False
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is the same in both worlds."""

    agreements: tuple[Agreement, ...]
    steps: tuple[Step, ...]
    until: int = 0  # minutes; 0: until everything is over


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two worlds: what is the same, and what is hidden in each.

    other: of the second one, where what differs is in what is seen of it and not granted.
    """

    seen: Seen
    hidden: tuple[tuple[Step, ...], tuple[Step, ...]]
    other: Seen | None = None


def between(one: str, other: str, name: str, *clauses: Clause) -> Agreement:
    """Return an agreement of two parties with a rule of its own and some clauses."""
    posts = tuple(PostTerms(id=each, name=each) for each in POSTS)
    parties = tuple(
        PartyTerms(id=p, name=p.upper(), role=Role.FORCE, posts=posts) for p in (one, other)
    )
    return agreement(id=name, parties=parties, clauses=clauses)


def separation(rule: str) -> Clause:
    """Return the clause about separation."""
    return clause("1", rule, Separation(rules=parse_short(rule)))


A_AND_C: Final = between(
    "a", "c", "a-c", separation("8 NM / 2000 ft"),
    clause("2", "Both act.", WhoActs(among_equals=AmongEquals.BOTH)),
    clause("3", "Every second filing is told.", msgspec.structs.replace(
        DEFAULT, filings_an_hour=2
    )),
    clause("4", "Five hours before.", LeadTime(notice_us=300 * MINUTE_US)),
    clause("5", "Within two minutes.", Deadlines(
        deadlines=(Deadline(precedence=Precedence.URGENT, acknowledge_s=120),), escalation=POSTS,
    )),
    clause("6", "a checks c.", CheckSchedule(
        answer_us=MINUTE_US, missed_us=2 * MINUTE_US, times=("10:00Z",), by=("a",), down_missed=1,
    )),
)  # fmt: skip
FIELDS: Final = (Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND, Field.CALLSIGN, Field.COUNT)
GRADES: Final = (
    (), (Field.CALLSIGN,), (Field.AREA_BOX, Field.COUNT), (Field.LEVEL_BAND, Field.TIME_BAND),
    FIELDS[:3], FIELDS, (Field.EVERYTHING,),
)  # fmt: skip


def grade(fields: Sequence[Field]) -> Disclosure:
    """Return a disclosure clause."""
    return Disclosure(
        fields=tuple(fields), grain_tmm=50_000_000, level_grain_tmm=3_048_000,
        time_grain_us=5 * MINUTE_US,
    )  # fmt: skip


# What is chosen from. Hypothesis gives the seed alone: its own draws take longer than to play a
# world, and the worlds that it makes of earlier ones are nearly the same.
Draw = Callable[[Sequence[Any]], Any]
YES_OR_NO: Final = (False, True)
UP_TO_FIVE: Final = range(6)
RULES: Final = ("5 NM / 1000 ft", "8 NM / 2000 ft")
GRADES_OR_NONE: Final = (None, *GRADES)
INCIDENT_RULES: Final = (None, *(
        IncidentRule(reply_us=3 * HOUR_US, urgent_reply_us=HOUR_US, contradictions=each)
        for each in ShowContradictions
    ))  # fmt: skip


def terms(draw: Draw, number: int, *, is_busy: bool) -> Agreement:
    """Return an agreement of a and b, of any grade. is_busy: every fifth filing may be told."""
    made = [separation(draw(RULES))]
    fields = draw(GRADES_OR_NONE)
    if fields is not None:
        made.append(clause("2", "Shown.", grade(fields)))
    if draw(YES_OR_NO):
        made.append(clause("3", "Unmanned acts.", WhoActs(priorities=(
            Priority(of="any", number=50), Priority(of="unmanned", number=10),
        ))))  # fmt: skip
    if draw(YES_OR_NO):
        made.append(clause("4", "Refused.", OnConflictRule(action=OnConflict.REFUSE)))
    incidents = draw(INCIDENT_RULES)
    if incidents is not None:
        made.append(clause("5", "Replies and contradictions.", incidents))
    if is_busy and draw(YES_OR_NO):
        bound = msgspec.structs.replace(DEFAULT, filings_an_hour=5)
        made.append(clause("6", "Every fifth filing is told.", bound))
    if draw(YES_OR_NO):
        made.append(clause("7", "Before.", LeadTime(notice_us=30 * MINUTE_US)))
    return between("a", "b", f"a-b-{number}", *made)


DOMAINS: Final = (Domain.AIR, Domain.AIR, Domain.AIR, Domain.GROUND)


def plan_after(draw: Draw, first: int) -> Plan:
    """Return a plan that starts some time after so many minutes."""
    return Plan(
        place=draw(range(9)),
        level=draw(range(20, 25)),
        start=first + draw(range(1, 7)) * 12,
        lasts=draw(range(10, 61)),
        radius=draw(("4 NM", "2.4 NM", "1300 m")),
        craft=draw(("any", "unmanned")),
        callsign=draw(("", "TRAINER")),
        count=draw(range(1, 4)),
        lateral=draw(("0 m", "900 m")),
        domain=draw(DOMAINS),
    )


MOVES: Final = (
    "file", "activate", "airborne", "contingent", "end", "cancel", "acknowledge", "answer",
    "propose", "accept", "agree",
)  # fmt: skip
NAMES: Final = ("a1", "b1", "a2", "b2", "c1")
VISIBLE_PARTY: Final = "abbc"
VISIBLE_MOVE: Final = (*MOVES, "file", "probe")
ONE_OR_TWO: Final = range(1, 3)
OTHER: Final = {mine: tuple(n for n in NAMES if n != mine) for mine in NAMES}
UP_TO_SIX_MORE: Final = range(1, 7)
UP_TO_THREE: Final = range(4)


def visible(draw: Draw) -> tuple[Step, ...]:
    """Return visible steps: a1 and b1 at one place first, then whatever comes."""
    first, more = plan_after(draw, 24), plan_after(draw, 24)
    near = replace(more, place=first.place, level=first.level, start=first.start)
    steps = [
        Step(after=BETWEEN_STEPS, party="a", does="file", operation="a1", plan=first),
        Step(after=2 * BETWEEN_STEPS, party="b", does="file", operation="b1", plan=near),
    ]
    has_cases = draw(YES_OR_NO)
    for number in range(3, 3 + draw(UP_TO_THREE if has_cases else UP_TO_SIX_MORE)):
        party = draw(VISIBLE_PARTY)
        mine = f"{party}{draw(ONE_OR_TWO)}" if party != "c" else "c1"
        after = number * BETWEEN_STEPS
        steps.append(Step(
            after=after, party=party, does=draw(VISIBLE_MOVE), operation=mine,
            plan=plan_after(draw, after), number=draw(UP_TO_FIVE), other=draw(OTHER[mine]),
        ))  # fmt: skip
    if has_cases:
        steps += about_cases(draw, steps[-1].after, first)
    return tuple(steps)


# Of a case that b is in: who opens it with whom, and about what. "hidden file" is the id of what is
# filed first in a hidden step, if it is: b tries whether it is there. "" names nothing.
SIDES: Final = ("ab", "ba", "bc", "cb", "ab", "ba")
ABOUT: Final = (
    "a1", "b1", "a1 and b1", "a-none", "b-none", "part", "hidden file", "hidden state", "",
)  # fmt: skip
TO_OTHERS: Final = {
    "a": (("b",), ("b", "c")), "b": (("a",), ("a", "c")), "c": (("b",), ("a", "b")),
}  # fmt: skip
STATES: Final = "aaabc"
IN_A_CASE: Final = (
    "query", "query", "reply", "reply", "line", "line", "line", "answer-line", "close", "leave",
    "state", "withdraw", "withdraw",
)  # fmt: skip
CASE: Final = ("case-1", "case-2", "hidden open")
UP_TO_SEVEN_MORE: Final = range(2, 8)
ONE_IN_FOUR: Final = (False, False, False, True)
APART: Final = 20  # places off: in no conflict with what b files


def stating(draw: Draw, after: int, first: Plan) -> Step:
    """Return a none-here that b is given, or gives; some of where a1 is."""
    party, plan = draw(STATES), plan_after(draw, after)
    start, end = max(first.start, after), first.start + first.lasts
    if start < end and draw(YES_OR_NO):
        plan = replace(first, start=start, lasts=end - start)
    elif draw(YES_OR_NO):
        plan = replace(plan, place=plan.place + APART)
    return Step(
        after=after, party=party, does="state", operation=f"{party}-none",
        to=draw(TO_OTHERS[party]), plan=plan,
    )  # fmt: skip


def tried_by_viewer(party: str, name: str) -> str:
    """Return what is named; nothing where another than b names what is hidden: then it is told."""
    return name if party == VIEWER or not name.startswith("hidden") else ""


def about_cases(draw: Draw, last: int, first: Plan) -> list[Step]:
    """Return steps of a none-here and of a case that b is in, then whatever comes of them."""
    stated = stating(draw, last + BETWEEN_STEPS, first)
    party = stated.party if stated.party != VIEWER else "a"
    sides = (party + VIEWER, VIEWER + party)
    one, other = draw(sides)
    steps = [stated, Step(
        after=last + 2 * BETWEEN_STEPS, party=one, does="open", operation="case-1", to=(other,),
        other=tried_by_viewer(one, draw(ABOUT)) if draw(YES_OR_NO) else stated.operation,
        number=draw(UP_TO_FIVE),
    )]  # fmt: skip
    for number in range(3, 3 + draw(UP_TO_SEVEN_MORE)):
        after, does = last + number * BETWEEN_STEPS, draw(IN_A_CASE)
        if does == "state":
            steps.append(stating(draw, after, first))
            continue
        if draw(ONE_IN_FOUR):
            (party, partner), name = draw(SIDES), draw(CASE)
        else:
            (party, partner), name = draw(sides), "case-1"
        steps.append(Step(
            after=after, party=party, does=does, to=(partner,),
            other=tried_by_viewer(party, draw(ABOUT)),
            operation=(
                draw((f"{stated.party}-none", tried_by_viewer(party, "hidden state")))
                if does == "withdraw"
                else tried_by_viewer(party, name)
            ),
            number=draw(UP_TO_FIVE),
        ))  # fmt: skip
    return steps


HIDDEN_PARTY: Final = "aac"
HIDDEN_MOVE: Final = ("file", *MOVES, "file", "carry")
HIDDEN_CASE_MOVE: Final = ("state", "open", "line", "line", "line", *IN_A_CASE)
HIDDEN_OTHER: Final = ("hidden-a1", "hidden-c1", "hidden-c2")
HIDDEN_ABOUT: Final = (
    "part", "part", "a1", "hidden-a1", "hidden-c1", "hidden-a-none", "hidden-c-none", "a-none",
)  # fmt: skip
UP_TO_FOUR: Final = range(5)
UP_TO_TWO: Final = range(3)
WHEN: Final = range(10_001)


def time_before(draw: Draw, last: int) -> int:
    """Return minutes up to some last one, at which no visible step is."""
    after = int(draw(WHEN)) % (last + 1)
    return after + (after % BETWEEN_STEPS == 0)


def hidden_operations(draw: Draw, seen: tuple[Step, ...]) -> Iterator[Step]:
    """Yield what a and c do with operations.

    Some are where somebody has stated none-here to b, or b has. Some begin with an agreement of a
    and c and an
    operation of c that is in conflict with a1 by it, and by no rule with b1: a1 must then act for
    a reason that b knows nothing of.
    """
    last = seen[-1].after + BETWEEN_STEPS
    for _ in range(draw(UP_TO_FOUR)):  # fewer than the rate that others are told of
        after, party = time_before(draw, last), draw(HIDDEN_PARTY)
        yield Step(
            after=after, party=party, does=draw(HIDDEN_MOVE),
            operation=f"hidden-{party}{draw(ONE_OR_TWO)}", plan=plan_after(draw, after),
            number=draw(UP_TO_FIVE), other=draw(HIDDEN_OTHER), is_hidden=True,
        )  # fmt: skip
    for each in seen:
        if each.does == "state" and draw(YES_OR_NO):
            party = draw(("a", "c", each.party if each.party != VIEWER else "a"))
            yield Step(
                after=each.after + draw(UP_TO_FIVE) - 2, party=party, does="file",
                operation=f"hidden-{party}3", plan=each.plan, is_hidden=True,
            )  # fmt: skip
    first = seen[0].plan
    if first is not None and draw(YES_OR_NO):
        above = replace(first, level=first.level + 3)
        after = 1 + draw(UP_TO_TWO) * BETWEEN_STEPS
        yield Step(after=after, party="a", does="carry", operation="", is_hidden=True)
        yield Step(after=after, party="c", does="file", operation="hidden-c1", plan=above,
                   is_hidden=True)  # fmt: skip


def hidden_cases(draw: Draw, last: int) -> Iterator[Step]:
    """Yield what a and c state to each other of none-here, and their incident cases."""
    times = sorted(time_before(draw, last) for _ in range(draw(UP_TO_FIVE)))
    for number, after in enumerate(times):
        party = draw(HIDDEN_PARTY)
        does = draw(HIDDEN_CASE_MOVE) if number else "open"
        name = f"hidden-{party}-none" if does in {"state", "withdraw"} else "hidden-case"
        yield Step(
            after=after, party=party, does=does, operation=name, number=draw(UP_TO_FIVE),
            other=draw(HIDDEN_ABOUT), to=("c" if party == "a" else "a",),
            plan=plan_after(draw, after), is_hidden=True,
        )  # fmt: skip
        if does == "state" and draw(YES_OR_NO):
            yield Step(after=after, party=party, does="withdraw", operation=name, is_hidden=True)


FAR: Final = 40  # places off: whatever is filed there meets nothing of b's
FILINGS: Final = range(8, 12)
BEGINNING: Final = range(5, 82, 2)


class Burst(NamedTuple):
    """How often and when a party files within some minutes, which others may be told of."""

    party: str
    first: int
    filings: int


def filings_in(draw: Draw, burst: Burst) -> Iterator[Step]:
    """Yield so many filings, a minute apart: of what, differs from world to world.

    Beside those of a some of c, which differ in number, too.
    """
    for number in range(draw(UP_TO_FOUR) if burst.party == "a" else 0):
        after = time_before(draw, burst.first + burst.filings)
        yield Step(after=after, party="c", does="file", operation=f"hidden-c{number}",
                   plan=plan_after(draw, after), is_hidden=True)  # fmt: skip
    for number in range(burst.filings):
        after = burst.first + number
        plan = plan_after(draw, after)
        yield Step(
            after=after, party=burst.party, does="file", is_hidden=True,
            operation=f"hidden-far-{number}" if number % 3 else "hidden-far-0",
            plan=replace(plan, place=plan.place + FAR),
        )  # fmt: skip


def hidden(draw: Draw, seen: tuple[Step, ...], burst: Burst | None) -> tuple[Step, ...]:
    """Return hidden steps, each between two visible ones; with a burst no other filings."""
    steps = [*hidden_cases(draw, seen[-1].after + BETWEEN_STEPS)] if draw(YES_OR_NO) else []
    steps += hidden_operations(draw, seen) if burst is None else filings_in(draw, burst)
    return tuple(sorted(steps, key=lambda each: each.after))


COUNTS: Final = (0, 1, 1, 1, 2)


# What is said over the line: of a message that b is in, and of those that a and c have alone. b
# tries the id of the first hidden one as it would be, if it is sent.
SAID: Final = (
    "delivered", "displayed", "acknowledge", "read-back", "disseminated", "answer-message", "send",
    "distress",
)  # fmt: skip
DEADLINES: Final = (
    clause("8", "Within ten minutes.", Deadlines(
        deadlines=(Deadline(precedence=Precedence.URGENT, acknowledge_s=600),), escalation=POSTS,
    )),
)  # fmt: skip
CHANNELS: Final = (clause("9", "One channel.", Channels(channels=("flight-safety",))),)
LINE: Final = ((), DEADLINES, DEADLINES, (*DEADLINES, *CHANNELS))
MESSAGE: Final = ("message-1", "message-1", "message-1", "hidden send", "")
SENDERS: Final = ("ab", "ba", "ab", "cb", "bc")


def over_the_line(draw: Draw, last: int) -> Iterator[Step]:
    """Yield what is said between b and another, after so many minutes; mostly up the ladder."""
    sender, receiver = draw(SENDERS)
    after = last + BETWEEN_STEPS
    yield Step(after=after, party=sender, does="send", operation="message-1", to=(receiver,),
               number=draw(UP_TO_FIVE))  # fmt: skip
    for number, does in enumerate(SAID[: draw(UP_TO_FIVE)], start=1):
        yield Step(after=after + number, party=receiver, does=does, operation="message-1",
                   number=draw(UP_TO_FIVE))  # fmt: skip
    for number in range(draw(UP_TO_FIVE)):
        party = draw((sender, receiver, VIEWER))
        other = receiver if party == sender else sender
        does = draw(SAID)
        name = tried_by_viewer(party, draw(MESSAGE))
        yield Step(
            after=after + 10 + number * BETWEEN_STEPS, party=party, does=does, to=(other,),
            operation=f"message-{number + 2}" if does in {"send", "distress"} else name,
            other=name, number=draw(UP_TO_FIVE),
        )  # fmt: skip


def said_between_others(draw: Draw, last: int) -> Iterator[Step]:
    """Yield what a and c say to each other alone."""
    after = last + 1 + draw(UP_TO_FIVE)
    for number in range(draw(UP_TO_FIVE)):
        party = draw(HIDDEN_PARTY)
        yield Step(
            after=after + 2 * number, party=party, does=draw(SAID) if number else "send",
            operation="hidden-message", other=draw(("hidden-message", "message-1", "")),
            to=("c" if party == "a" else "a",), number=draw(UP_TO_FIVE), is_hidden=True,
        )  # fmt: skip


def with_messages(draw: Draw, pair: Pair) -> Pair:
    """Return two worlds in which parties talk, too. Drawn last: all else is as it was without."""
    seen, last = pair.seen, pair.seen.steps[-1].after
    agreements = tuple(
        msgspec.structs.replace(each, clauses=(*each.clauses, *draw(LINE)))
        for each in seen.agreements
    )
    steps = (*seen.steps, *(over_the_line(draw, last) if draw(YES_OR_NO) else ()))
    hidden = [
        (*each, *(said_between_others(draw, last) if draw(YES_OR_NO) else ()))
        for each in pair.hidden
    ]
    return replace(
        pair, seen=replace(seen, agreements=agreements, steps=steps), hidden=(hidden[0], hidden[1])
    )


# Checks of lines: of one that b is on, and of one between a and c alone.
CHECKS: Final = (
    clause("10", "Each checks the other.", CheckSchedule(
        answer_us=5 * MINUTE_US, missed_us=10 * MINUTE_US, times=("09:00Z", "15:00Z"),
        down_missed=2,
    )),
)  # fmt: skip
CHECKED: Final = ((), (), CHECKS)
OF: Final = ("line", "243.0 MHz")
CHECK: Final = ("check-1", "check-1", "hidden check", "")


def checked_lines(draw: Draw, last: int) -> Iterator[Step]:
    """Yield checks between b and another, after so many minutes; most are answered."""
    caller, answerer = draw(SENDERS)
    after = last + BETWEEN_STEPS
    yield Step(after=after, party=caller, does="check", operation="check-1", to=(answerer,),
               other=draw(OF))  # fmt: skip
    for number in range(draw(UP_TO_FIVE)):
        party = draw((answerer, answerer, VIEWER))
        does = draw(("check-answer", "check-answer", "check"))
        yield Step(
            after=after + (number + 1) * draw((1, 7)), party=party, does=does,
            operation=f"check-{number + 2}" if does == "check"
            else tried_by_viewer(party, draw(CHECK)),
            to=(caller if party == answerer else answerer,), other=draw(OF),
        )  # fmt: skip


def checked_between_others(draw: Draw, last: int) -> Iterator[Step]:
    """Yield checks of a line between a and c alone."""
    after = last + 1 + draw(UP_TO_FIVE)
    for number in range(draw(UP_TO_FIVE)):
        party = draw(HIDDEN_PARTY)
        yield Step(
            after=after + 2 * number, party=party,
            does=draw(("check", "check-answer")) if number else "check",
            operation="hidden-check", other=draw(OF), to=("c" if party == "a" else "a",),
            is_hidden=True,
        )  # fmt: skip


def with_checks(draw: Draw, pair: Pair) -> Pair:
    """Return two worlds in which lines are checked, too. Drawn last, as messages were."""
    seen, last = pair.seen, pair.seen.steps[-1].after
    agreements = tuple(
        msgspec.structs.replace(each, clauses=(*each.clauses, *draw(CHECKED)))
        for each in seen.agreements
    )
    steps = (*seen.steps, *(checked_lines(draw, last) if draw(YES_OR_NO) else ()))
    hidden = [
        (*each, *(checked_between_others(draw, last) if draw(YES_OR_NO) else ()))
        for each in pair.hidden
    ]
    return replace(
        pair, seen=replace(seen, agreements=agreements, steps=steps), hidden=(hidden[0], hidden[1])
    )


def pair_of(draw: Draw) -> Pair:
    """Return two worlds that differ in what is hidden from b."""
    return with_checks(draw, with_messages(draw, _quiet_pair_of(draw)))


def _quiet_pair_of(draw: Draw) -> Pair:
    burst = None
    if draw(ONE_IN_FOUR):
        burst = Burst(draw(HIDDEN_PARTY), draw(BEGINNING), draw(FILINGS))
    count = draw(COUNTS)
    agreements = tuple(terms(draw, number, is_busy=burst is not None) for number in range(count))
    steps = visible(draw)
    seen = Seen(agreements=agreements, steps=steps)
    one = hidden(draw, steps, burst)
    other = hidden(draw, steps, burst) if burst is not None or draw(YES_OR_NO) else ()
    return Pair(seen=seen, hidden=(one, other))


def pairs() -> st.SearchStrategy[Pair]:
    """Return pairs of worlds that differ in what is hidden from b."""
    return st.builds(lambda seed: pair_of(Random(seed).choice), st.integers(0, 2**62))


def volume_of(plan: Plan | None) -> FiledVolume:
    """Return the volume of a plan."""
    assert plan is not None
    times = [START_US + minute * MINUTE_US for minute in (plan.start, plan.start + plan.lasts)]
    start, end = (f"{format_time(each)[:19]}Z" for each in times)
    shape = FiledCircle(centre=(35.0 + plan.place * 3.5 / 60, 35.5), radius=plan.radius)
    return FiledVolume(
        shape=shape,
        lower=f"FL{plan.level}{plan.higher}",
        upper=f"FL{plan.level + 1}0",
        start=start,
        end=end,
    )


def filed(plan: Plan | None) -> FiledOperation:
    """Return a plan as it is filed."""
    assert plan is not None
    return FiledOperation(
        datum="WGS84", domain=plan.domain, craft_class=plan.craft, callsign=plan.callsign,
        count=plan.count, count_most=plan.count_most, volumes=(volume_of(plan),),
        lateral=plan.lateral,
    )  # fmt: skip
