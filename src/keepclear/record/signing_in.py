# SPDX-License-Identifier: Apache-2.0
"""Signing in: an act of a post that is never entered, with a challenge of the exchange, or a slip.

A slip is for a post without a network. It is signed beforehand and names no challenge: who brings
it to the exchange reads what its party may read, and hands in what its posts have signed, until it
expires. It signs nothing itself, and ends with the key that signed it.
"""

from typing import Final

from keepclear.record.encoding import Signed

SIGN_IN: Final = "session.open/1"
SLIP: Final = "session.carry/1"


class OpenSession(Signed, frozen=True, kw_only=True):
    """What is signed to sign in. challenge: as the exchange gave it."""

    challenge: str


class CarrySession(Signed, frozen=True, kw_only=True):
    """What is signed on a slip. after: how many steps of its file the party holds."""

    after: int
