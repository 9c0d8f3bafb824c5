# SPDX-License-Identifier: Apache-2.0
"""Who is at the other end: a challenge, signed with the key of a post, and a token for a while.

1. There are no passwords. A challenge is random, good once and for a minute.
2. Signing in is an act of its own kind, checked as any other and never entered.
3. A token is random; it names a party and a post, and ends after twelve hours.
4. Both are few: the oldest go where there are too many.
"""

import secrets
from collections import OrderedDict
from typing import Final, NamedTuple

import msgspec

from keepclear.record.faults import NotProven
from keepclear.record.signing_in import SIGN_IN, OpenSession

CHALLENGE_US: Final = 60_000_000
TOKEN_US: Final = 12 * 3_600_000_000
MOST: Final = 10_000


class NotSignedIn(NotProven):
    """Whoever asks has no token that holds."""


class Session(NamedTuple):
    """Who holds a token, and until when (microseconds UTC)."""

    party: str
    post: str
    until_us: int


class Sessions:
    """Challenges and tokens. Used by the thread that serves alone."""

    def __init__(self) -> None:
        self._challenges: OrderedDict[str, int] = OrderedDict()
        self._tokens: OrderedDict[str, Session] = OrderedDict()

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

    def open(self, party: str, post: str, now_us: int) -> tuple[str, Session]:
        """Return a token for a party's post, and until when it holds."""
        token, made = secrets.token_urlsafe(32), Session(party, post, now_us + TOKEN_US)
        self._tokens[token] = made
        while len(self._tokens) > MOST:
            self._tokens.popitem(last=False)
        return token, made

    def find(self, token: str, now_us: int) -> Session:
        """Return who holds a token; `NotSignedIn` where nobody does."""
        found = self._tokens.get(token)
        if found is None or found.until_us <= now_us:
            self._tokens.pop(token, None)
            raise NotSignedIn("token", "", "is not known, or has ended", "sign in again")
        return found


def read_challenge(payload: msgspec.Raw) -> str:
    """Return the challenge in the payload of an act."""
    try:
        return msgspec.json.decode(payload, type=OpenSession).challenge
    except msgspec.DecodeError as fault:
        raise NotProven(
            "act.payload", "", f"is no {SIGN_IN} ({fault})", "sign the challenge"
        ) from None
