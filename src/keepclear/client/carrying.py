# SPDX-License-Identifier: Apache-2.0
"""Acts by file: signed where there is no network, handed in elsewhere, answered by file.

    keepclear-acts/1       exchange (its address), slip and acts (envelopes), as they were signed
    keepclear-answers/1    answers: act, receipts, refused (why, in place of receipts);
                           steps: pages of the party's file that follow what it held

1. Who hands in needs no key and proves nothing: the post that has signed takes in the answers, and
   verifies them as if they had come by themselves (`Client.take_in`).
2. Handed in again, the same bytes do nothing twice.
3. Who has the file may read what the party may read, until its slip expires.
"""

from collections.abc import Sequence
from typing import Final, Literal

import httpx
import msgspec

from keepclear.client.acting import ACTS, TIMEOUT_S, Client
from keepclear.client.answers import Answered, Token, accepted, connection, read
from keepclear.client.faults import NoAnswer, NotDone
from keepclear.client.own_copy import Steps
from keepclear.errors import InputError
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import LONGEST_US, read_act
from keepclear.record.keys import Signer
from keepclear.record.receipts import Receipt
from keepclear.record.signing_in import CarrySession

MOST_PAGES: Final = 10_000


class ApartClient(Client):
    """A post without a network: what it signs is handed in elsewhere, within lives_us."""

    lives_us = LONGEST_US

    def signed(
        self, kind: str, payload: Signed, *, agreement: str = "", signers: Sequence[Signer] = ()
    ) -> Envelope:
        """Return an act of this post, signed by this machine's clock."""
        return self.signed_apart(
            kind, payload, lives_us=self.lives_us, agreement=agreement, signers=signers
        )

    def catch_up(self) -> list[tuple[Part, ...]]:
        """Return nothing: what is held is all that is known here."""
        return []


class ActsFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a post has signed to be handed in."""

    format: Literal["keepclear-acts/1"] = "keepclear-acts/1"
    exchange: str
    slip: Envelope
    acts: tuple[Envelope, ...]


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to one act: receipts, or why it was refused."""

    act: Envelope
    receipts: tuple[Receipt, ...] = ()
    refused: str = ""


class AnswersFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is brought back."""

    format: Literal["keepclear-answers/1"] = "keepclear-answers/1"
    answers: tuple[Brought, ...]
    steps: tuple[Steps, ...]


def read_acts_file(data: bytes, file: str) -> ActsFile:
    """Return acts to be handed in; `InputError` for what is none."""
    try:
        return msgspec.json.decode(data, type=ActsFile)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise InputError(
            file, "", f"has no acts ({fault})", "give what keepclear act sign has written"
        ) from None


def read_answers_file(data: bytes, file: str) -> AnswersFile:
    """Return answers that were brought; `InputError` for what are none."""
    try:
        return msgspec.json.decode(data, type=AnswersFile)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise InputError(
            file, "", f"has no answers ({fault})", "give what keepclear submit has written"
        ) from None


def hand_in(given: ActsFile, url: str = "", http: httpx.Client | None = None) -> AnswersFile:
    """Hand in acts, and return the answers, with all that is new for the party.

    url: of the exchange, where it is another than the file says. `NoAnswer` where there was none to
    one of them: hand in the same file again. `NotDone` where the slip is refused.
    """
    with http or connection(url or given.exchange, TIMEOUT_S) as exchange:
        try:
            said = accepted(exchange.post("/v1/sessions", content=encode(given.slip)))
            token = read(said.content, Token).token
            exchange.headers["Authorization"] = f"Bearer {token}"
            answers = tuple(_answer(exchange, each) for each in given.acts)
            after = read(bytes(read_act(given.slip).payload), CarrySession).after
            return AnswersFile(answers=answers, steps=tuple(_pages(exchange, after)))
        except httpx.RequestError as fault:
            raise NoAnswer(
                f"{exchange.base_url}: gives no answer ({fault}); hand in the same again, it does "
                "nothing twice"
            ) from None


def _answer(exchange: httpx.Client, act: Envelope) -> Brought:
    try:
        answer = accepted(exchange.post(ACTS, content=encode(act)))
    except NotDone as fault:
        if fault.status in {httpx.codes.UNAUTHORIZED, httpx.codes.TOO_MANY_REQUESTS}:
            raise NoAnswer(f"{fault}; hand in the same again, it does nothing twice") from None
        return Brought(act=act, refused=str(fault))
    return Brought(act=act, receipts=read(answer.content, Answered).receipts)


def _pages(exchange: httpx.Client, after: int) -> Sequence[Steps]:
    pages: list[Steps] = []
    while len(pages) < MOST_PAGES and not (pages and pages[-1].notes):
        answer = accepted(exchange.get("/v1/steps", params={"after": after}))
        pages.append(read(answer.content, Steps))
        after = pages[-1].last
    return pages
