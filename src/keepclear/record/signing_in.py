# SPDX-License-Identifier: Apache-2.0
"""Signing in: a challenge of the exchange, signed by a post as an act that is never entered."""

from typing import Final

from keepclear.record.encoding import Signed

SIGN_IN: Final = "session.open/1"


class OpenSession(Signed, frozen=True, kw_only=True):
    """What is signed to sign in. challenge: as the exchange gave it."""

    challenge: str
