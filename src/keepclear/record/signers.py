# SPDX-License-Identifier: Apache-2.0
"""Who may sign an act: a post what is routine, a representative what its mandates cover.

1. A root signs no acts. A post's key signs acts of that post alone.
2. Each key that signs has a mandate for the act when it was created (`mandates`).
3. What takes two representatives takes both in one envelope: an act lives 24 hours at most, so
   both signed within those.
4. Distress is taken from any key that is appointed, whatever its mandates say.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from keepclear.record.faults import NotProven
from keepclear.record.headers import Act
from keepclear.record.key_documents import Appointed
from keepclear.record.mandates import Power, check_mandate, needed_for, power_of

DISTRESS: Final = "distress"


def deed_of(act: Act) -> str:
    """Return what an act does: its kind without the version."""
    return act.kind.partition("/")[0]


def check_signers(
    act: Act, signers: Sequence[Appointed], one_person: Iterable[Power], path: str = "act"
) -> None:
    """Refuse an act that its signers may not sign; `NotProven` names what is missing.

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
        if deed != DISTRESS:
            check_mandate(each.mandates, deed, act.created_us, each.who, path)
    power = power_of(deed)
    if power is None:
        return
    representatives = {each.name for each in signers if each.role == "representative"}
    needed = needed_for(power, one_person)
    if len(representatives) < needed:
        raise NotProven(
            path, f"{len(representatives)} of {needed}", f"representatives have signed {deed}",
            "let another representative sign the same act before it expires",
        )  # fmt: skip
