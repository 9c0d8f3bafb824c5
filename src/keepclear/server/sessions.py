# SPDX-License-Identifier: Apache-2.0
"""Who is at the other end: a challenge, signed with the key of a post, and a token for a while.

1. There are no passwords. A challenge is random, good once and for a minute.
2. Signing in is an act of its own kind, checked as any other and never entered.
3. A token is random; it names a party and a post, and ends after twelve hours, or with the slip
   that it was given for.
4. It ends sooner where a key that signed in is revoked, or is appointed otherwise than it was.
5. It ends at once where whoever holds it signs out.
6. Both are few: the oldest go where there are too many, and each party has its own tokens.
"""

import secrets
from collections import OrderedDict, deque
from typing import Final, NamedTuple

import msgspec

from keepclear.record.envelopes import Envelope
from keepclear.record.faults import NotProven
from keepclear.record.headers import TIMES_END_US
from keepclear.record.key_documents import Appointed, Keyring
from keepclear.record.signing_in import SIGN_IN, OpenSession

CHALLENGE_US: Final = 60_000_000
TOKEN_US: Final = 12 * 3_600_000_000
LAST_US: Final = TIMES_END_US
MOST: Final = 10_000
MOST_OF_PARTY: Final = 100


class NotSignedIn(NotProven):
    """Whoever asks has no token that holds."""


class Session(NamedTuple):
    """Who holds a token, and until when (microseconds UTC). signers: the keys that signed in."""

    token: str
    party: str
    post: str
    signers: tuple[Appointed, ...]
    until_us: int

    def check(self, keys: Keyring, now_us: int) -> None:
        """Refuse one that has ended; `NotSignedIn`. keys: of all parties, as they are now."""
        if self.until_us <= now_us:
            raise NotSignedIn("token", "", "has ended", "sign in again")
        for each in self.signers:
            try:
                is_as_it_was = keys.appointed(self.party, each.key.id) == each
            except NotProven:
                is_as_it_was = False
            if not is_as_it_was:
                raise NotSignedIn(
                    "token", "", f"was signed for by {each.who} with a key that is appointed no "
                    "more, or otherwise", "sign in again",
                )  # fmt: skip


class Sessions:
    """Challenges and tokens. Used by the thread that serves alone."""

    def __init__(self) -> None:
        self._challenges: OrderedDict[str, int] = OrderedDict()
        self._tokens: dict[str, Session] = {}
        self._of_party: dict[str, deque[str]] = {}

    def challenge(self, now_us: int) -> str:
        """Return a new challenge."""
        made = secrets.token_hex(32)
        self._challenges[made] = now_us + CHALLENGE_US
        while len(self._challenges) > MOST:
            self._challenges.popitem(last=False)
        return made

    def use(self, challenge: str, now_us: int) -> None:
        """Use up a challenge; `NotSignedIn` where it is none, was used, or is too old."""
        if self._challenges.pop(challenge, 0) <= now_us:
            raise NotSignedIn(
                "challenge", challenge[:16], "is not open", "get a new one, and sign that"
            )

    def open(
        self, party: str, post: str, signers: tuple[Appointed, ...], now_us: int,
        until_us: int = LAST_US,
    ) -> Session:  # fmt: skip
        """Give a token to a party's post; it ends at until_us at the latest."""
        ends_us = min(now_us + TOKEN_US, until_us)
        made = Session(secrets.token_urlsafe(32), party, post, signers, ends_us)
        self._tokens[made.token] = made
        own = self._of_party.setdefault(party, deque())
        own.append(made.token)
        if len(own) > MOST_OF_PARTY:
            self._tokens.pop(own.popleft(), None)
        return made

    def end(self, session: Session) -> None:
        """Forget a token: it holds no more, and takes nothing more of what its party may ask."""
        if self._tokens.pop(session.token, None) is not None:
            self._of_party[session.party].remove(session.token)

    def find(self, token: str) -> Session:
        """Return who holds a token, also one that has ended; `NotSignedIn` where nobody does."""
        found = self._tokens.get(token)
        if found is None:
            raise NotSignedIn("token", "", "is not known", "sign in again")
        return found


def signers_of(envelope: Envelope, party: str, keys: Keyring) -> tuple[Appointed, ...]:
    """Return what the keys that signed an envelope are for; `NotProven` for one of another."""
    return tuple(keys.appointed(party, each.keyid) for each in envelope.signatures)


def read_challenge(payload: msgspec.Raw) -> str:
    """Return the challenge in the payload of an act."""
    try:
        return msgspec.json.decode(payload, type=OpenSession).challenge
    except (msgspec.DecodeError, ValueError) as fault:
        raise NotProven(
            "act.payload", "", f"is no {SIGN_IN} ({fault})", "sign the challenge"
        ) from None
