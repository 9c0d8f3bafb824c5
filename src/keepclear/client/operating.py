# SPDX-License-Identifier: Apache-2.0
"""The operator's end of a node: what is told to it at the operator's address, with its token."""

import httpx

from keepclear.client.acting import TIMEOUT_S
from keepclear.client.answers import CapKeySaid, ChangedKey, accepted, read
from keepclear.client.faults import NoAnswer, NotDone
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope


def admit_party(operator: str, token: str, document: Envelope) -> None:
    """Let the operator's address of a node admit a party by its key document."""
    _told(operator, token, "/parties", encode(document))


def accept_clock(operator: str, token: str) -> None:
    """Let a node go on with its machine's clock, by the operator's address of it."""
    _told(operator, token, "/clock", b"")


def change_exchange_key(operator: str, token: str) -> ChangedKey:
    """Let a node go on with the key that is prepared in its folder; return which two they are."""
    return read(_told(operator, token, "/exchange-key", b""), ChangedKey)


def set_cap_key(operator: str, token: str) -> CapKeySaid:
    """Let a node make a key for CAP documents; return which it is, and in which file."""
    return read(_told(operator, token, "/cap-key", b""), CapKeySaid)


def _told(operator: str, token: str, path: str, body: bytes) -> bytes:
    """Tell a node something, as its operator; return what it answers."""
    with httpx.Client(base_url=operator, timeout=TIMEOUT_S) as http:
        try:
            answer = http.post(path, content=body, headers={"Authorization": f"Bearer {token}"})
        except httpx.RequestError as fault:
            raise NoAnswer(
                f"{operator}: gives no answer ({fault}); see that keepclear serve runs"
            ) from None
        try:
            return accepted(answer).content
        except NotDone as fault:
            raise NotDone(f"{operator}: {fault}", fault.status) from None
