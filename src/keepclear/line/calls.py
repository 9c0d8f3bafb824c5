# SPDX-License-Identifier: Apache-2.0
"""Voice calls, as both posts write them down: who, when, on what, what was said.

Of a call there were two versions afterwards more than once (docs/line.md). So each side writes its
own account beside the other's; both stand for ever, and neither is what was said.

Leaves to others: who may see it (`exchange`).
1. One post logs a call. The other party signs that account, or annotates it with its own, or both:
   what is signed says no more than that this is how they have heard it, too.
2. Nothing is taken back or replaced. Who has more to say annotates again.
3. A recording stays where it is: its SHA-256 alone is written down.
4. A call waits until the other party has signed or annotated it. Silence agrees to nothing.
"""

from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from keepclear.agreement.clauses import LineName
from keepclear.line.messages import Language, Why
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs
from keepclear.record.key_documents import Hex64

HOUR_US: Final = 3_600_000_000
LONGEST_US: Final = 24 * HOUR_US
MOST_ANNOTATIONS: Final = 20  # of each party
Lasts = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_US)]


class LogCall(Signed, frozen=True, kw_only=True):
    """Write down a voice call with another party, as this post has heard it.

    at_us: when it began; lasts_us: how long it was. on: the number or the frequency. language: in
    which the summary was typed. person: who spoke here, as a role. recording: the SHA-256 of one.
    """

    to: Name
    at_us: TimeUs
    lasts_us: Lasts
    on: LineName
    summary: Why
    language: Language
    person: Name | None = None
    recording: Hex64 | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        _check_said(self.summary)


class SignCall(Signed, frozen=True, kw_only=True):
    """Sign the account of the party that has logged a call: it is how it was heard here, too."""

    id: Id
    person: Name | None = None


class AnnotateCall(Signed, frozen=True, kw_only=True):
    """Write one's own account beside what stands of a call; fields as of `LogCall`."""

    id: Id
    text: Why
    language: Language
    person: Name | None = None
    recording: Hex64 | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        _check_said(self.text)


def _check_said(text: str) -> None:
    if not text.strip():
        raise ValueError("says nothing; say what was said")


class Account(Signed, frozen=True, kw_only=True):
    """What one party has written of a call, when and by which post. person: as a role."""

    party: Name
    post: Name
    person: Name | None
    at_us: TimeUs
    text: Why
    language: Language
    recording: Hex64 | None


class CallSigned(Signed, frozen=True, kw_only=True):
    """That the other party has signed the account of who logged a call. person: as a role."""

    party: Name
    post: Name
    person: Name | None
    at_us: TimeUs


class Call(Signed, frozen=True, kw_only=True):
    """A voice call as it was written down; it holds nothing that not both parties may know.

    act: that logged it. party, other: who logged it, and with whom it was. at_us, lasts_us, on: as
    who logged it has them. accounts: the first is of who logged it, then each annotation in order.
    """

    id: Id
    act: Id
    status: Status
    party: Name
    other: Name
    at_us: TimeUs
    lasts_us: Lasts
    on: LineName
    accounts: tuple[Account, ...]
    signed: CallSigned | None = None

    @property
    def parties(self) -> tuple[str, str]:
        """Return both parties, in the order of their names."""
        one, two = sorted((self.party, self.other))
        return one, two

    @property
    def waits(self) -> bool:
        """Tell whether the other party has neither signed nor annotated it."""
        return self.signed is None and not self.of(self.other)

    def of(self, party: str) -> tuple[Account, ...]:
        """Return what a party has written of it, in order."""
        return tuple(each for each in self.accounts if each.party == party)


def annotated(call: Call, account: Account) -> Call:
    """Return a call beside which somebody has written; all accounts stay."""
    return replace(call, accounts=(*call.accounts, account))
