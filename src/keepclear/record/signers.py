# SPDX-License-Identifier: Apache-2.0
"""Who may sign an act: a post what is routine, a representative what its mandates cover.

1. A root signs no acts. A post's key signs acts of that post alone.
2. Each key that signs has a mandate for the act when it was created (`mandates`).
3. What takes two representatives takes both in one envelope: an act lives 24 hours at most, so
   both signed within those.
4. Distress, an act of a SAR case too, is taken from any key that is appointed, whatever its
   mandates say.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from keepclear.record.envelopes import Envelope, Known, verified
from keepclear.record.faults import NotProven
from keepclear.record.headers import ACT, Act
from keepclear.record.key_documents import Appointed, Keyring
from keepclear.record.mandates import OF_TWO, Power, check_mandate, needed_for, power_of

DISTRESS: Final = "distress"
SAR: Final = ("sar.open", "sar.update", "sar.phase", "sar.renew", "sar.close")
OF_DISTRESS: Final = frozenset({DISTRESS, *SAR})
"""What is taken whatever mandates, clocks and rates say: told by the kind, before it is read."""


class Signers(NamedTuple):
    """Who signed an act. alone: what took two, and one was enough for by the key document."""

    appointed: tuple[Appointed, ...]
    alone: Power | None


def verify_signers(
    envelope: Envelope, act: Act, keys: Keyring, at_us: int, place: int | None, path: str = "act",
    known: Known | None = None,
) -> Signers:  # fmt: skip
    """Return who signed an act; `NotProven` where its keys may not, or do not verify.

    place: where it stands in the record; None where there is none, and the time at which it was
    entered says which of its party's key documents counts. known: what was verified before.
    """
    appointed = {}
    for each in envelope.signatures:
        if place is None:
            appointed[each.keyid] = keys.appointed_at(act.party, each.keyid, at_us)
        else:
            appointed[each.keyid] = keys.appointed(act.party, each.keyid, place)
    document = keys.at(act.party, at_us) if place is None else keys.latest(act.party, place)
    power = check_signers(act, tuple(appointed.values()), document.one_person, path)
    verified(envelope, {key_id: each.key for key_id, each in appointed.items()}, ACT, path,
             known)  # fmt: skip
    is_alone = power in OF_TWO and power in document.one_person
    return Signers(tuple(appointed.values()), power if is_alone else None)


def deed_of(act: Act) -> str:
    """Return what an act does: its kind without the version."""
    return act.kind.partition("/")[0]


def check_signers(
    act: Act, signers: Sequence[Appointed], one_person: Iterable[Power], path: str = "act"
) -> Power | None:
    """Refuse an act that its signers may not sign; `NotProven` names what is missing.

    Returns the power that it takes, None for what is routine.
    signers: what the keys on its envelope are for. one_person: of the party's key document.
    Verifies no signature.
    """
    deed = deed_of(act)
    for each in signers:
        if each.role == "root" or (each.role == "device" and each.name != act.post):
            raise NotProven(
                path, each.who, f"is no key for acts of post {act.post}",
                f"sign with a key of post {act.post}, or let that post be another",
            )  # fmt: skip
        if deed not in OF_DISTRESS:
            check_mandate(each.mandates, deed, act.created_us, each.who, path)
    power = power_of(deed)
    if power is None:
        return None
    representatives = {each.name for each in signers if each.role == "representative"}
    needed = needed_for(power, one_person)
    if len(representatives) < needed:
        raise NotProven(
            path, f"{len(representatives)} of {needed}", f"representatives have signed {deed}",
            "let another representative sign the same act before it expires",
        )  # fmt: skip
    return power
