# SPDX-License-Identifier: Apache-2.0
"""Which agreements bind a pair of parties now, and who answers for a force.

1. All agreements in force between two parties bind them; any broken rule is a conflict.
2. One displaces another only by naming its hash (`replaces`), and only while it is in force
   between the same two and nobody has suspended it, denounced or not.
3. Without any, or with all of them suspended, the region's house rule binds.
4. For a force a party answers, or nobody does, or one has denied it at a time, by a signed
   statement. A denial stands before what an agreement lists: nobody is said to answer who says
   they do not.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from keepclear.agreement.clauses import Separation
from keepclear.agreement.documents import Agreement
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.standing import Standing
from keepclear.agreement.statements import Said
from keepclear.agreement.states import State


class Held(NamedTuple):
    """An agreement and what holds of it now."""

    agreement: Agreement
    standing: Standing


class Minima(NamedTuple):
    """Rules that bind a pair, and where they are from: a clause, or empty for the house rule."""

    rules: RuleSet
    agreement: str
    clause: str


class Answers(StrEnum):
    """Whether somebody answers for a force."""

    ANSWERED = "answered"
    NOBODY = "nobody"
    DENIED = "denied"


class Answer(NamedTuple):
    """Who answers for a force: by whom it is answered or denied, and a denial's time."""

    what: Answers
    party: str = ""
    at_us: int | None = None


def binding(held: Sequence[Held], a: str, b: str) -> tuple[Held, ...]:
    """Return the agreements that bind two parties now: some of their clauses hold."""
    between = [
        each for each in held
        if each.standing.holds and {a, b} <= {party.id for party in each.agreement.parties}
    ]  # fmt: skip
    replaced = {
        replaced for each in between if _holds_whole(each) for replaced in each.agreement.replaces
    }
    return tuple(each for each in between if each.standing.hash not in replaced)


def _holds_whole(held: Held) -> bool:
    """Tell whether nobody has suspended an agreement: denounced while suspended, it is both."""
    own = {clause.id for clause in held.agreement.clauses}
    return held.standing.state is not State.SUSPENDED and own <= set(held.standing.holds)


def minima_for(held: Sequence[Held], a: str, b: str, house: RuleSet) -> tuple[Minima, ...]:
    """Return every rule set that binds two parties now; the house rule where there is no other."""
    found = tuple(
        Minima(clause.decides.rules, each.standing.hash, clause.id)
        for each in binding(held, a, b)
        for clause in each.standing.clauses
        if isinstance(clause.decides, Separation)
    )
    return found or (Minima(house, "", ""),)


def who_answers(held: Sequence[Held], force: str) -> Answer:
    """Return who answers for a force by the agreements that hold now and what was denied."""
    denials = [
        each
        for one in held
        for each in one.standing.said
        if each.said is Said.DENY and each.force == force
    ]
    claiming = [
        party.id
        for each in held
        if each.standing.clauses
        for party in each.agreement.parties
        if force == party.id or force in party.answers_for
    ]
    refused = {each.party for each in denials}
    standing = next((party for party in claiming if party not in refused), None)
    if standing is not None:
        return Answer(Answers.ANSWERED, standing)
    if denials:
        last = max(denials, key=lambda each: each.at_us)
        return Answer(Answers.DENIED, last.party, last.at_us)
    return Answer(Answers.NOBODY)


def forces_of(agreements: Iterable[Agreement]) -> tuple[str, ...]:
    """Return the forces that agreements list, the parties among them."""
    parties = [party for each in agreements for party in each.parties]
    return tuple(dict.fromkeys(
        force for party in parties for force in (party.id, *party.answers_for)
    ))  # fmt: skip
