# SPDX-License-Identifier: Apache-2.0
"""Worlds of `two_worlds` in which parties send STOPs; and two that differ in what b may not know.

`pair_of` has STOPs among the rest: of b, to b, and between a and c alone. A hidden one that one of
b's operations must keep out of after all is taken out, as is one that decides whether a visible
operation may go ahead, which shows (`worlds_played`).

`told_apart` has one STOP that b is told of, as who is named or because its operations meet it, and
in the other world differs in all of it that b may not know: sender, who else is named, words, the
volume within what is told of it, how many there are, and what its sender says of it later.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from keepclear.agreement.clauses import OnConflict, OnConflictRule
from tests import two_worlds
from tests.agreement_plays import clause
from tests.two_worlds import (
    BETWEEN_STEPS,
    FAR,
    HIDDEN_PARTY,
    SAID,
    SENDERS,
    UP_TO_FIVE,
    UP_TO_TWO,
    VIEWER,
    YES_OR_NO,
    Draw,
    Pair,
    Plan,
    Seen,
    Step,
    between,
    plan_after,
    separation,
    tried_by_viewer,
)

STOP: Final = ("stop-1", "stop-1", "hidden stop", "")
ANSWERED: Final = tuple(each for each in SAID if each not in {"send", "distress", "read-back"})


def stopped(draw: Draw, last: int) -> Iterator[Step]:
    """Yield a STOP of b or to b, after so many minutes, and what comes of it."""
    sender, receiver = draw(SENDERS)
    after = last + BETWEEN_STEPS
    plan = replace(plan_after(draw, after), start=after, lasts=draw(range(30, 200)))
    to = (receiver, *draw(((), (), tuple({*"abc"} - {sender, receiver}))))
    yield Step(after=after, party=sender, does="stop", operation="stop-1", plan=plan, to=to)
    for number, does in enumerate(ANSWERED[: draw(UP_TO_FIVE)], start=1):
        yield Step(after=after + number, party=receiver, does=does, operation=f"stop-1 {receiver}")
    for number in range(draw(UP_TO_FIVE)):
        party = draw((sender, sender, VIEWER))
        does = draw(("renew", "renew", "stop-end", "file", "file"))
        later = after + 10 + number * BETWEEN_STEPS
        yield Step(
            after=later, party=party, does=does,
            operation=f"{party}{8 + number % 2}" if does == "file"
            else tried_by_viewer(party, draw(STOP)),
            plan=replace(plan_after(draw, later), place=plan.place, level=plan.level),
        )  # fmt: skip


def stopped_between_others(draw: Draw, last: int) -> Iterator[Step]:
    """Yield STOPs of a and of c that b is not named in: fewer than a party may have at a time."""
    for number in range(draw(UP_TO_TWO)):
        party, after = draw(HIDDEN_PARTY), int(draw(range(last)))
        after += after % BETWEEN_STEPS == 0
        name = f"hidden-stop-{number}"
        plan = replace(plan_after(draw, after), lasts=draw(range(30, 200)))
        yield Step(
            after=after, party=party, does="stop", operation=name, is_hidden=True, number=number,
            plan=replace(plan, place=plan.place + draw((0, 0, FAR))),
            to=("c" if party == "a" else "a",),
        )  # fmt: skip
        for later in range(draw(UP_TO_TWO)):
            yield Step(
                after=after + 40 * (later + 1) + 1, party=party, is_hidden=True, operation=name,
                does=draw(("renew", "stop-end")),
            )  # fmt: skip


def with_stops(draw: Draw, pair: Pair) -> Pair:
    """Return two worlds in which STOPs are sent, too. Drawn last, as messages were."""
    last = pair.seen.steps[-1].after
    steps = (*pair.seen.steps, *(stopped(draw, last) if draw(YES_OR_NO) else ()))
    hidden = [
        (*each, *(stopped_between_others(draw, last) if draw(YES_OR_NO) else ()))
        for each in pair.hidden
    ]
    return replace(pair, seen=replace(pair.seen, steps=steps), hidden=(hidden[0], hidden[1]))


def pair_of(draw: Draw) -> Pair:
    """Return two worlds that differ in what is hidden from b."""
    return with_stops(draw, two_worlds.pair_of(draw))


def pairs() -> st.SearchStrategy[Pair]:
    """Return pairs of worlds that differ in what is hidden from b."""
    return st.builds(lambda seed: pair_of(Random(seed).choice), st.integers(0, 2**62))


# --- one STOP, of which b is told the same -----------------------------------------------------

# The circle grown by 5 km has each of its sides 500 m or more from the lines of the grid of 10 NM,
# its levels 600 ft from those of 2000 ft, and its times 3 minutes from those of 10 minutes; so what
# is told of it is the same for all of these (test_two_worlds_stops holds that).
CALLED: Final = Plan(place=0, level=22, higher=3, start=13, lasts=154)
NEXT_TO_IT: Final = Plan(place=12, level=22, higher=3, start=13, lasts=154)
AS_TOLD: Final[tuple[dict[str, Any], ...]] = (
    {"radius": "7300 m"}, {"radius": "7600 m"}, {"start": 14, "lasts": 151},
    {"start": 11, "lasts": 153, "radius": "7500 m"}, {"higher": 4},
)  # fmt: skip
# Of b: what is deep inside the volume of each; what is outside it when grown, and inside what is
# told; and what is far away.
INSIDE: Final = Plan(place=0, level=22, start=24, lasts=100, radius="1300 m")
BESIDE: Final = Plan(place=2.4, level=22, start=24, lasts=100, radius="1300 m")
AWAY: Final = replace(INSIDE, place=FAR)
B_FILES: Final = (
    ((16, INSIDE),), ((16, INSIDE), (46, AWAY)), ((31, INSIDE), (46, BESIDE)),
    ((3, INSIDE), (31, BESIDE)), ((3, INSIDE), (16, AWAY), (46, INSIDE)),
)  # fmt: skip
WORDS: Final = range(3)


def called(draw: Draw, party: str, name: str, to: tuple[str, ...], plan: Plan) -> Iterator[Step]:
    """Yield a STOP at ten minutes, of which b is told what it is told of `plan`, and renewals."""
    made = replace(plan, **draw(({}, *AS_TOLD)))
    yield Step(after=10, party=party, does="stop", operation=name, plan=made, to=to,
               number=draw(WORDS), is_hidden=True)  # fmt: skip


def third_party_s(draw: Draw, *, are_two: bool) -> tuple[Step, ...]:
    """Return STOPs whose sender and words b may not know: it is a third party.

    are_two: in two places, and whoever sends them.
    """
    first, second = draw(("ac", "ca"))
    steps = [*called(draw, first, "stop-x", (second,), CALLED)]
    if are_two:
        steps += called(draw, draw("ac"), "stop-y", (), NEXT_TO_IT)
        steps = [replace(e, to=e.to or ("c" if e.party == "a" else "a",)) for e in steps]
        steps = steps[:: draw((1, -1))]
    elif draw(YES_OR_NO):  # another that stands before the first is ended
        steps += called(draw, draw("ac"), "stop-y", (), CALLED)
        steps = [replace(e, to=e.to or ("c" if e.party == "a" else "a",)) for e in steps]
        if draw(YES_OR_NO):
            ended = steps[draw((0, 1))]
            steps.append(replace(ended, after=draw((12, 40, 76)), does="stop-end"))
    sent = [each for each in steps if each.does == "stop"]
    steps += [
        replace(each, after=after, does="renew")
        for each in sent for after in (50, 105) if draw(YES_OR_NO)
    ]  # fmt: skip
    return tuple(sorted(steps, key=lambda each: each.after))


def named_one_s(draw: Draw) -> tuple[Step, ...]:
    """Return a STOP of a to b, who may know that a sends it and what it says."""
    to = draw((("b",), ("b", "c")))
    return tuple(replace(each, number=0) for each in called(draw, "a", "stop-x", to, CALLED))


# Grown by 5 km it comes near none of b's; what would be told of it holds what b files.
NEAR_MISS: Final = Plan(place=-2.57, level=22, start=13, lasts=154, radius="1000 m")
ABOVE: Final = replace(INSIDE, level=35)  # in the volume when grown, and in no conflict with b's


def besides(draw: Draw) -> Iterator[Step]:
    """Yield what b is told nothing of: a STOP that none of its meets, and who else keeps out."""
    if draw(YES_OR_NO):
        party = draw("ac")
        yield Step(after=11, party=party, does="stop", operation="stop-z", plan=NEAR_MISS,
                   to=("c" if party == "a" else "a",), is_hidden=True)  # fmt: skip
    if draw(YES_OR_NO):
        party = draw("ac")
        yield Step(after=draw((5, 20)), party=party, does="file", operation=f"hidden-{party}9",
                   plan=ABOVE, is_hidden=True)  # fmt: skip


def told_apart_of(draw: Draw) -> Pair:
    """Return two worlds that differ in what b may not know of a STOP that it is told of."""
    terms = [separation("5 NM / 1000 ft")]
    if draw(YES_OR_NO):
        terms.append(clause("4", "Refused.", OnConflictRule(action=OnConflict.REFUSE)))
    with_whom = draw("ac")
    one, other = sorted((with_whom, VIEWER))
    agreements = (between(one, other, "b-s", *terms),) if draw(YES_OR_NO) else ()
    are_two, files = draw(YES_OR_NO), draw(B_FILES)
    if are_two:  # who files before both are sent is told of one first
        both = replace(INSIDE, place=6, lasts=50, start=70, radius="26 NM")
        files = (*(each for each in files if each[0] > 10), (60, both))
    steps = [
        Step(after=after, party="b", does="file", operation=f"b{number}", plan=plan)
        for number, (after, plan) in enumerate(files)
    ]
    steps += [
        Step(after=after, party="b", does=draw(("activate", "file", "end", "renew")),
             operation="b0", plan=INSIDE)
        for after in (48, 61, 106)
    ]  # fmt: skip
    is_named = not are_two and draw(YES_OR_NO)
    if is_named:
        steps += [
            Step(after=20 + number, party="b", does=does, operation="stop-x b")
            for number, does in enumerate(ANSWERED[: draw(UP_TO_FIVE)])
        ]
    hidden = [
        named_one_s(draw) if is_named else third_party_s(draw, are_two=are_two) for _ in range(2)
    ]
    hidden = [tuple(sorted((*each, *besides(draw)), key=lambda e: e.after)) for each in hidden]
    if is_named and draw(YES_OR_NO):  # what b is told of: whether it is confirmed, and its end
        later = [
            Step(after=after, party="a", does=draw(("renew", "stop-end")), operation="stop-x",
                 is_hidden=True)
            for after in (64, 110)
        ]  # fmt: skip
        hidden = [(*each, *later) for each in hidden]
    seen = Seen(
        agreements=agreements, steps=tuple(sorted(steps, key=lambda each: each.after)), until=300
    )
    return Pair(seen=seen, hidden=(hidden[0], hidden[1]))


def told_apart() -> st.SearchStrategy[Pair]:
    """Return pairs of worlds that differ in what b may not know of a STOP that it is told of."""
    return st.builds(lambda seed: told_apart_of(Random(seed).choice), st.integers(0, 2**62))
