# SPDX-License-Identifier: Apache-2.0
"""What an exchange's answers to a party cover, and who answers for a force.

So that "no conflict is known" is read as no more than it is. A party is told of its own agreements
and of nobody else's: for a force that only others have agreed about, nobody answers here.

`gathered` is asked of the owner of the exchange; `answers_for` verifies what was signed, which
takes a while, and holds nobody up, on any thread.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from keepclear.agreement.binding import Answers, Held, forces_of, who_answers
from keepclear.agreement.separation import describe_rules
from keepclear.agreement.standing import state_of
from keepclear.agreement.states import State
from keepclear.errors import CallerError
from keepclear.exchange import views
from keepclear.exchange.bindings import Bindings
from keepclear.exchange.kept import Region
from keepclear.exchange.objects import Carried
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


class ToTell(NamedTuple):
    """What answers cover, before what was signed is looked at. carried: agreements of the party."""

    region: Region
    carried: tuple[Carried, ...]
    keys: Keyring
    by_house_rule: tuple[str, ...]


def gathered(
    region: Region, world: World, bindings: Bindings, keys: Keyring, party: str
) -> Disclosed[ToTell]:
    """Return what there is to tell a party of. keys: that nobody adds to any more."""
    return views.to_check(party, ToTell(
        region, agreements_of(world, party), keys,
        tuple(
            each for each in keys.parties()
            if each != party and not bindings.between(world, party, each).agreements
        ),
    ))  # fmt: skip


def agreements_of(world: World, party: str) -> tuple[Carried, ...]:
    """Return the agreements that a party is in."""
    return tuple(
        each for each in world.agreements.values()
        if any(own.id == party for own in each.agreement.parties)
    )  # fmt: skip


def answers_for(found: Disclosed[ToTell], force: str, now_us: int) -> Disclosed[AnswersFor]:
    """Return what answers to a party cover now. force: one more to be told of, or empty."""
    region, carried, keys, by_house_rule = found.value
    held = list(_held(carried, keys, now_us))
    listed = forces_of([each.agreement for each in held])
    forces = dict.fromkeys((*listed, force) if force else listed)
    return views.checked(found, AnswersFor(
        region=region.name, at_us=now_us, parties=keys.parties(), by_house_rule=by_house_rule,
        house=describe_rules(region.house), agreements=tuple(map(_agreement, held)),
        forces=tuple(_force(held, each) for each in forces),
    ))  # fmt: skip


def _held(carried: Iterable[Carried], keys: Keyring, now_us: int) -> Iterator[Held]:
    """Yield agreements as they stand; one that does not fit any more binds nobody."""
    for each in carried:
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
