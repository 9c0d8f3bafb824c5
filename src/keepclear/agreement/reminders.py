# SPDX-License-Identifier: Apache-2.0
"""What the parties of an agreement are reminded of: review, renewal, mandates that end.

1. A reminder comes as long before its date as the agreement says (`remind_us`), and stays.
2. A review is done once every party has stated so at or after the reminder's first day.
3. An agreement is renewed by signing another that replaces it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from keepclear.agreement.documents import Agreement
from keepclear.agreement.standing import Standing
from keepclear.agreement.statements import Said
from keepclear.agreement.states import State
from keepclear.record.key_documents import Keyring


class Reminder(NamedTuple):
    """What is to be done, and until when (microseconds UTC)."""

    what: str
    due_us: int


def reminders(
    agreement: Agreement, standing: Standing, keys: Keyring, now_us: int
) -> tuple[Reminder, ...]:
    """Return what the parties are to be reminded of now, soonest first."""
    if standing.state not in {State.IN_FORCE, State.SUSPENDED, State.DENOUNCED}:
        return ()
    found = (*_dates(agreement, standing), *_mandates(agreement, keys))
    due = [each for each in found if now_us >= each.due_us - agreement.remind_us]
    return tuple(sorted(due, key=lambda each: each.due_us))


def _dates(agreement: Agreement, standing: Standing) -> Iterator[Reminder]:
    first_us = agreement.review_us - agreement.remind_us
    reviewed = {
        each.party for each in standing.said
        if each.said is Said.REVIEWED and each.at_us >= first_us
    }  # fmt: skip
    if missing := [party.id for party in agreement.parties if party.id not in reviewed]:
        yield Reminder(f"review: {', '.join(missing)} to state reviewed", agreement.review_us)
    yield Reminder("renewal: sign a version that replaces this one", agreement.until_us)
    for each in standing.said:
        if each.said is Said.DENOUNCE:
            yield Reminder(f"end: {each.party} denounced it", each.at_us + agreement.notice_us)


def _mandates(agreement: Agreement, keys: Keyring) -> Iterator[Reminder]:
    """Yield the end of each key's last mandate."""
    for party in agreement.parties:
        document = keys.latest(party.id)
        people = [(f"representative {each.id}", each.mandates) for each in document.representatives]
        posts = [(f"post {each.post}", each.mandates) for each in document.devices]
        for who, mandates in (*people, *posts):
            if mandates:
                last_us = max(mandate.until_us for mandate in mandates)
                yield Reminder(f"mandate: of {who} of {party.id} ends; appoint anew", last_us)
