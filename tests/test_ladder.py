# SPDX-License-Identifier: Apache-2.0
"""The ladder: its table tried whole, and every step of every message by everybody."""

from itertools import pairwise, product
from typing import Final

import pytest

from keepclear.agreement.emergencies import Phase
from keepclear.errors import CallerError
from keepclear.line.ladder import LADDER, OutOfOrder, Side, Step, Taken, check_step, possible
from keepclear.plans.sar import Known
from keepclear.plays.stage import Stage
from tests.message_plays import (
    POSITION,
    TAKEN_BY,
    URGENT_US,
    at,
    at_line,
    send,
    step_of,
    take,
    typed,
    wait,
)
from tests.sar_plays import cry, where

POSTS: Final = ("watch", "duty-officer")
STEPS: Final = tuple(LADDER)
State = frozenset[Taken]
BEGUN: Final[State] = frozenset({Taken(Step.SENT, "watch")})


def allowed(state: State, step: Step, post: str, *, has_values: bool, wants_answer: bool) -> bool:
    """Tell whether a step can be taken, from what docs/line.md says in words."""
    done = {each.step for each in state}
    here = {each.step for each in state if each.post == post and each.step is not Step.SENT}
    return {
        Step.SENT: False,
        Step.DELIVERED: Step.DELIVERED not in here,
        Step.DISPLAYED: Step.DELIVERED in here and Step.DISPLAYED not in here,
        Step.ACKNOWLEDGED: Step.DISPLAYED in here and Step.ACKNOWLEDGED not in done,
        Step.ANSWERED: wants_answer and Step.DISPLAYED in here,
        Step.READ_BACK: has_values and Step.ACKNOWLEDGED in done and Step.READ_BACK not in done,
        Step.DISSEMINATED: Step.ACKNOWLEDGED in done,
    }[step]


def states(*, has_values: bool, wants_answer: bool) -> set[State]:
    """Return every state that two posts can bring a message to, by the words."""
    found, waiting = {BEGUN}, [BEGUN]
    while waiting:
        state = waiting.pop()
        for step, post in product(STEPS, POSTS):
            after = state | {Taken(step, post)}
            may = allowed(state, step, post, has_values=has_values, wants_answer=wants_answer)
            if may and after not in found:
                found.add(after)
                waiting.append(after)
    return found


@pytest.mark.parametrize("has_values", [False, True])
@pytest.mark.parametrize("wants_answer", [False, True])
def test_every_step_from_every_state_by_either_post_is_taken_or_refused_as_the_words_say(
    has_values: bool,  # noqa: FBT001 a parameter of the test
    wants_answer: bool,  # noqa: FBT001
) -> None:
    kind = {"has_values": has_values, "wants_answer": wants_answer}
    tried, known = 0, states(**kind)
    for state, post in product(known, POSTS):
        ways = tuple(each for each in STEPS if allowed(state, each, post, **kind))
        assert possible(state, post, **kind) == ways
        for step in STEPS:
            tried += 1
            if step in ways:
                check_step("0" * 32, state, step, post, **kind)
                continue
            with pytest.raises(OutOfOrder) as refused:
                check_step("0" * 32, state, step, post, **kind)
            assert refused.value.possible == ways
    # 3 x 3 states of delivered and displayed at two posts; acknowledged by one that displayed it
    # (5 + 3 more, by one of two where both did); told by nobody, either or both; read back or not
    assert tried == len(known) * len(POSTS) * len(STEPS) >= 9 * 10


def test_the_ladder_goes_up_one_step_after_another_and_its_receiver_climbs_it() -> None:
    after = [LADDER[above].after for above in STEPS[1:]]
    assert after[:3] == list(STEPS[:3])
    # who was shown a STOP answers it; nobody waits to be told while something is repeated
    assert after[3:] == [Step.DISPLAYED, Step.ACKNOWLEDGED, Step.ACKNOWLEDGED]
    assert all(LADDER[low].after is not above for low, above in pairwise(STEPS))
    assert [each for each in STEPS if LADDER[each].by is Side.SENDER] == [Step.SENT]


ROLES: Final = {
    "the post it is with": ("b", "watch"), "a post it is not with": ("b", "duty-officer"),
    "its sender": ("a", "watch"), "another post of its sender": ("a", "duty-officer"),
    "a third party": ("c", "watch"),
}  # fmt: skip


def come_to(height: Step, *, wants_answer: bool) -> tuple[Stage, str]:
    """Return a stage on which a message, or a STOP, has come to a step of the ladder."""
    stage = at_line()
    if wants_answer:  # not DISTRESS, which any post may take
        known = Known(**POSITION)
        case = cry(stage, phase=Phase.ALERFA, known=known, where=where(33.50, 38.62))
        message = case.messages[0]
    else:
        message = send(stage, values=typed(**POSITION))
    take(
        stage,
        message,
        *(each for each in below(height, wants_answer=wants_answer) if each is not STEPS[0]),
    )
    return stage, message


def below(height: Step, *, wants_answer: bool) -> list[Step]:
    """Return the steps up to one, that a message, or a STOP, comes to."""
    found = STEPS[: STEPS.index(height) + 1]
    return [each for each in found if wants_answer or each is not Step.ANSWERED]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("height", STEPS, ids=[each.value for each in STEPS])
@pytest.mark.parametrize("wants_answer", [False, True])
def test_each_step_from_each_state_is_for_the_post_of_the_receiver_that_it_is_with(
    wants_answer: bool,  # noqa: FBT001 a parameter of the test
    height: Step,
    role: str,
) -> None:
    party, post = ROLES[role]
    state = frozenset(Taken(each, "watch") for each in below(height, wants_answer=wants_answer))
    for step in below(STEPS[-1], wants_answer=wants_answer)[1:]:
        stage, message = come_to(height, wants_answer=wants_answer)
        before = at(stage, message)
        is_next = allowed(state, step, "watch", has_values=True, wants_answer=wants_answer)

        try:
            take(stage, message, step, party=party, post=post)
            is_taken = True
        except CallerError:
            is_taken = False

        assert is_taken == (is_next and role == "the post it is with")
        assert (at(stage, message) == before) != is_taken


def test_a_post_that_it_has_gone_on_to_takes_the_steps_by_itself_and_the_first_one_still_may() -> (
    None
):
    stage = at_line()
    message = send(stage)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    wait(stage, URGENT_US)

    with pytest.raises(CallerError, match="cannot be acknowledged before it is displayed at duty"):
        take(stage, message, Step.ACKNOWLEDGED, post="duty-officer")
    take(stage, message, Step.DELIVERED, Step.DISPLAYED, post="duty-officer")
    made = take(stage, message, Step.ACKNOWLEDGED)

    assert [(each.step, each.post) for each in made.steps] == [
        (Step.SENT, "watch"), (Step.DELIVERED, "watch"), (Step.DISPLAYED, "watch"),
        (Step.DELIVERED, "duty-officer"), (Step.DISPLAYED, "duty-officer"),
        (Step.ACKNOWLEDGED, "watch"),
    ]  # fmt: skip


def test_a_step_says_when_by_which_party_and_post_and_who_says_to_be_on_watch() -> None:
    stage = at_line()
    message = send(stage)
    wait(stage, 7_000_000)
    take(stage, message, Step.DELIVERED)
    shown = step_of(Step.DISPLAYED, message)
    stage.submit("b", f"{TAKEN_BY[Step.DISPLAYED]}/1", type(shown)(id=message, person="shift-lead"))

    last = at(stage, message).steps[-1]
    assert (last.step, last.party, last.post, last.person) == (
        Step.DISPLAYED, "b", "watch", "shift-lead"
    )  # fmt: skip
    assert last.at_us - at(stage, message).sent_us == 7_000_000


def test_units_that_were_told_are_named_and_more_can_be_added() -> None:
    stage, message = come_to(Step.ACKNOWLEDGED, wants_answer=False)

    stage.submit("b", "line.disseminated/1", step_of(Step.DISSEMINATED, message, ("1st", "2nd")))
    stage.submit("b", "line.disseminated/1", step_of(Step.DISSEMINATED, message, ("3rd",)))
    with pytest.raises(CallerError, match="units"):
        stage.submit("b", "line.disseminated/1", step_of(Step.DISSEMINATED, message, ()))

    assert [each.units for each in at(stage, message).steps[4:]] == [("1st", "2nd"), ("3rd",)]
