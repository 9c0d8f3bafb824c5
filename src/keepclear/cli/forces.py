# SPDX-License-Identifier: Apache-2.0
"""Which party is meant where an officer names one, or a force that one answers for."""

from keepclear.agreement.binding import Answers
from keepclear.client import Client
from keepclear.errors import InputError


def party_of(client: Client, given: str) -> str:
    """Return the party of a name, or the one that answers for the force of that name.

    `InputError` where there is none, with the parties that there are.
    """
    said = client.answers_for(given)
    if given in said.parties:
        return given
    found = next((each for each in said.forces if each.force == given), None)
    if found is None or found.answer is not Answers.ANSWERED:
        raise InputError(
            "to", given, "is no party, and nobody answers for it",
            f"give one of {', '.join(said.parties)}",
        )  # fmt: skip
    return found.party
