# SPDX-License-Identifier: Apache-2.0
"""What an exchange's answers to a party cover, and who answers for a force.

So that "no conflict is known" is read as no more than it is. A party is told of its own agreements
and of nobody else's: for a force that only others have agreed about, nobody answers here.
"""

from collections.abc import Iterator
from typing import Final

from keepclear.agreement.binding import Answers, Held, forces_of, who_answers
from keepclear.agreement.separation import describe_rules
from keepclear.agreement.standing import state_of
from keepclear.agreement.states import State
from keepclear.errors import CallerError
from keepclear.exchange import views
from keepclear.exchange.bindings import Bindings
from keepclear.exchange.kept import Region
from keepclear.exchange.views import SAYS_NOTHING_ELSE, Disclosed
from keepclear.exchange.world import World
from keepclear.record.encoding import Signed
from keepclear.record.headers import Name
from keepclear.record.key_documents import Keyring

FILED: Final = (
    "Operations that the parties of this region have filed here, from when they are filed until "
    "they have ended or were cancelled, however far ahead; Actual, Exercise and Test apart."
)
BOUND: Final = (
    "Each two of them that are of two parties, by every rule that binds the two: those agreed, or, "
    "where nothing is agreed or in force, the house rule."
)
NOT_FILED: Final = (
    "Craft of anybody who has not filed them here: of others than these parties, of forces that "
    "nobody answers for, and of these parties where they have filed nothing."
)
NOT_WATCHED: Final = (
    "Where craft are: what was filed is compared, and not whether it is kept to, beyond what its "
    "own party says of it."
)
NOT_COMPARED: Final = (
    "Operations of one party with each other; closures, permissions, ground and obstacles."
)
ELSEWHERE: Final = "What is filed in other regions."


class ForceSaid(Signed, frozen=True, kw_only=True):
    """Whether somebody answers for a force. party: who does, or has denied it and when."""

    force: str
    answer: Answers
    party: str
    at_us: int | None


class AgreementSaid(Signed, frozen=True, kw_only=True):
    """An agreement of the party: how it stands, from when to when, which of its clauses hold."""

    hash: str
    id: Name
    version: int
    parties: tuple[Name, ...]
    state: State
    in_force_us: int
    until_us: int
    clauses: tuple[str, ...]


class AnswersFor(Signed, frozen=True, kw_only=True):
    """What answers cover now, for one party.

    parties: of the region. agreements: of the party. by_house_rule: with whom nothing that is
    agreed binds it; house: the rule that does. forces: those that its agreements list, and the one
    that was asked for. covers, leaves_out, says: in words.
    """

    region: str
    at_us: int
    parties: tuple[Name, ...]
    agreements: tuple[AgreementSaid, ...]
    by_house_rule: tuple[Name, ...]
    house: str
    forces: tuple[ForceSaid, ...]
    covers: tuple[str, ...] = (FILED, BOUND)
    leaves_out: tuple[str, ...] = (NOT_FILED, NOT_WATCHED, NOT_COMPARED, ELSEWHERE)
    says: str = SAYS_NOTHING_ELSE


def answers_for(
    region: Region, world: World, bindings: Bindings, keys: Keyring, party: str, force: str,
    now_us: int,
) -> Disclosed[AnswersFor]:  # fmt: skip
    """Return what answers to a party cover now. force: one more to be told of, or empty."""
    held = list(_held(world, keys, party, now_us))
    listed, parties = forces_of([each.agreement for each in held]), keys.parties()
    forces = dict.fromkeys((*listed, force) if force else listed)
    return views.answers_for(party, AnswersFor(
        region=region.name, at_us=now_us, parties=parties, house=describe_rules(region.house),
        agreements=tuple(map(_agreement, held)),
        forces=tuple(_force(held, each) for each in forces),
        by_house_rule=tuple(
            each for each in parties
            if each != party and not bindings.between(world, party, each).agreements
        ),
    ))  # fmt: skip


def _held(world: World, keys: Keyring, party: str, now_us: int) -> Iterator[Held]:
    """Yield the agreements of a party as they stand; one that does not fit binds nobody."""
    for each in world.agreements.values():
        if party in {own.id for own in each.agreement.parties}:
            try:
                yield Held(each.agreement, state_of(each.file, each.agreement, keys, now_us))
            except CallerError:
                continue


def _agreement(held: Held) -> AgreementSaid:
    agreement, standing = held
    return AgreementSaid(
        hash=standing.hash, id=agreement.id, version=agreement.version, state=standing.state,
        parties=tuple(each.id for each in agreement.parties), in_force_us=agreement.in_force_us,
        until_us=agreement.until_us, clauses=standing.holds,
    )  # fmt: skip


def _force(held: list[Held], force: str) -> ForceSaid:
    found = who_answers(held, force)
    return ForceSaid(force=force, answer=found.what, party=found.party, at_us=found.at_us)
