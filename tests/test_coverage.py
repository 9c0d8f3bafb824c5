# SPDX-License-Identifier: Apache-2.0
"""What answers cover, and who answers for a force, as an exchange tells a party of it."""

import msgspec

from keepclear.agreement.binding import Answers
from keepclear.agreement.statements import Said, state
from keepclear.agreement.states import State
from keepclear.exchange.agreements import CarryAgreement
from keepclear.exchange.coverage import AnswersFor, ForceSaid, answers_for
from keepclear.plays.stage import PEOPLE
from tests.record_plays import START_US
from tests.test_rules_of_the_door import Play, a_and_b
from tests.two_worlds import A_AND_C, MINUTE_US


def listing(*forces: str) -> Play:
    """Return parties whose agreement says that b answers for some forces."""
    made = a_and_b(None)
    a, b = made.parties
    b = msgspec.structs.replace(b, answers_for=forces)
    return Play(msgspec.structs.replace(made, parties=(a, b)))


def told(play: Play, party: str, force: str = "") -> AnswersFor:
    """Return what a party is told now."""
    gathered = play.stage.exchange.reads.to_tell(party)
    found = answers_for(gathered, force, play.stage.clock.now_us())
    assert found.party == party
    return found.value


def test_who_answers_for_a_force_is_a_party_or_nobody() -> None:
    play = listing("B auxiliaries")

    found = told(play, "a", "Others")

    answered = {each.force: (each.answer, each.party) for each in found.forces}
    assert answered == {
        "a": (Answers.ANSWERED, "a"), "b": (Answers.ANSWERED, "b"),
        "B auxiliaries": (Answers.ANSWERED, "b"), "Others": (Answers.NOBODY, ""),
    }  # fmt: skip


def test_what_was_denied_is_told_with_who_and_when() -> None:
    play = listing("B auxiliaries")
    [agreement] = [each.agreement for each in play.world.agreements.values()]
    play.at(10)
    at_us = START_US + 5 * MINUTE_US
    denied = state(
        agreement, "b", at_us, Said.DENY, play.stage._signers["b", "rep-1"], force="B auxiliaries"
    )
    file = play.stage.signed(agreement)
    file = msgspec.structs.replace(file, statements=(*file.statements, denied))
    play.stage.submit("b", "agreement.carry/1", CarryAgreement(file=file), PEOPLE)

    found = told(play, "a")

    [said] = [each for each in found.forces if each.force == "B auxiliaries"]
    assert said == ForceSaid(
        force="B auxiliaries", answer=Answers.DENIED, party="b", at_us=at_us
    )  # fmt: skip


def test_a_party_is_told_of_its_own_agreements_and_by_which_rule_the_others_are_compared() -> None:
    play = Play(a_and_b(None))
    before = told(play, "b")
    file = play.stage.signed(A_AND_C)
    play.stage.submit("a", "agreement.carry/1", CarryAgreement(file=file), PEOPLE)

    found = told(play, "b")

    assert found == before
    [own] = found.agreements
    assert (own.state, own.parties, own.clauses) == (State.IN_FORCE, ("a", "b"), ("1",))
    assert (found.parties, found.by_house_rule) == (("a", "b", "c"), ("c",))
    assert found.house == "5 NM or 1000 ft"
    assert told(play, "a").by_house_rule == ()


def test_an_agreement_that_is_over_is_told_as_such_and_binds_no_more() -> None:
    play = Play(a_and_b(None))
    [agreement] = [each.agreement for each in play.world.agreements.values()]
    play.stage.clock.move_to(agreement.until_us)
    play.stage.exchange.pass_time()

    found = told(play, "b")

    assert [each.state for each in found.agreements] == [State.EXPIRED]
    assert found.by_house_rule == ("a", "c")
