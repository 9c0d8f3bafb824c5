# SPDX-License-Identifier: Apache-2.0
"""A stage: parties with keys of their own on an exchange in memory, for plays and tests.

Keys are made from the ids that are handed in. Each party acts by its post `watch` and signs
agreements by its two representatives.
"""

from typing import Final

import msgspec

from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.statements import AgreementFile, Said, sign, state
from keepclear.detect.kernel import Functions
from keepclear.errors import InputError
from keepclear.exchange.agreements import CarryAgreement, StateSuspension
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Region
from keepclear.exchange.ports import Ids
from keepclear.exchange.views import Answer
from keepclear.record.encoding import Signed, encode
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.files import (
    ExchangeKey,
    Header,
    KeysFile,
)
from keepclear.record.headers import ACT, Act, Status
from keepclear.record.key_documents import first_document
from keepclear.record.keys import Signer
from keepclear.store.memory import MemoryStore

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
YEAR_US: Final = 365 * DAY_US
PEOPLE: Final = ("rep-1", "rep-2")
POSTS: Final = ("watch", "duty-officer")


class PlayClock:
    """The time of a play; moved by who runs it."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Return the time of the play."""
        return self._now_us

    def move_to(self, now_us: int) -> None:
        """Let time pass; it never runs backwards."""
        self._now_us = max(self._now_us, now_us)


class Stage:
    """Parties with keys on an exchange in memory; one stage is one record."""

    def __init__(
        self, region: str, start_us: int, status: Status, house: RuleSet, ids: Ids,
        functions: Functions, hash_every: int = 10_000,
    ) -> None:  # fmt: skip
        self._region, self._start_us, self._status, self._ids = region, start_us, status, ids
        self.clock = PlayClock(start_us)
        name = f"exchange.example/{region}"
        self._signer, self._functions = Signer(ids.salt()), functions
        self._own = ExchangeKey(name=name, key=self._signer.public.data)
        self._header = Header(
            view="archive", region=region, incarnation=1, party="", exchange=(self._own,)
        )
        self._opened = Region(name=region, exchange=name, house=house, hash_every=hash_every)
        self._store = MemoryStore(self._header)
        self.exchange = self._begun()
        self._signers: dict[tuple[str, str], Signer] = {}
        self._documents: list[Envelope] = []
        self._agreement = ""
        self._agreed: Agreement | None = None

    def begin_again(self) -> None:
        """Let the exchange stop, and another go on from the lines alone."""
        self._store = MemoryStore.holding(self._header, self.lines[1:])
        self.exchange = self._begun()

    def _begun(self) -> Exchange:
        return Exchange(
            self._opened, self._signer, self.clock, self._ids, self._store, self._functions
        )

    @property
    def lines(self) -> list[bytes]:
        """Return the lines of the operator's archive so far."""
        return self._store.lines()

    @property
    def keys(self) -> KeysFile:
        """Return whom to believe."""
        return KeysFile(exchange=(self._own,), documents=tuple(self._documents))

    def join(self, party: str) -> None:
        """Make a party's keys and enter its key document."""
        from_us, until_us = self._start_us - DAY_US, self._start_us + YEAR_US
        names = ("root", "next-root", *PEOPLE, *POSTS)
        signers = {name: Signer(self._ids.salt()) for name in names}
        self._signers |= {(party, name): each for name, each in signers.items()}
        document = first_document(party, signers, PEOPLE, POSTS, from_us, until_us)
        self._documents.append(document)
        self.exchange.admit(document)

    def signed(self, agreement: Agreement, *stated: tuple[str, Said, int]) -> AgreementFile:
        """Return an agreement that all its parties have signed, an hour before the start.

        stated: by whom, what, and when, beside its conditions.
        """
        parties = [party.id for party in agreement.parties]
        before_us = self._start_us - HOUR_US
        conditions = [
            (party, said, before_us + HOUR_US // 2)
            for said in (Said.LINE_CHECKED, Said.PROVING_RUN_MADE)
            for party in parties
        ]
        return AgreementFile(
            agreement=msgspec.Raw(encode(agreement)),
            signatures=tuple(
                sign(hash_of(agreement), party, before_us, before_us + DAY_US,
                     self._signers[party, name])
                for party in parties for name in PEOPLE
            ),
            statements=tuple(
                state(agreement, party, at_us, said, self._signers[party, PEOPLE[0]])
                for party, said, at_us in (*conditions, *stated)
            ),
        )  # fmt: skip

    def carry(self, file: AgreementFile, agreement: Agreement) -> Answer:
        """Let the first party carry an agreement into the region."""
        self._agreement, self._agreed = hash_of(agreement), agreement
        made = CarryAgreement(file=file)
        return self.submit(agreement.parties[0].id, "agreement.carry/1", made, PEOPLE)

    def suspension(self, party: str, said: Said, why: str) -> StateSuspension:
        """Return what a representative signs to suspend the agreement carried, or to resume it."""
        if self._agreed is None:
            raise InputError("agreement", "", "was carried in by nobody", "let a party carry one")
        signer, at_us = self._signers[party, PEOPLE[0]], self.clock.now_us()
        made = state(self._agreed, party, at_us, said, signer, why=why)
        return StateSuspension(hash=self._agreement, statement=made)

    def submit(
        self, party: str, kind: str, payload: Signed, names: tuple[str, ...] = ("watch",),
        signed_us: int | None = None, post: str = "watch",
    ) -> Answer:  # fmt: skip
        """Let keys of a party sign an act, and send it. post: for which they sign."""
        envelope = self.envelope(party, kind, payload, names, signed_us, post)
        return self.exchange.submit(envelope, party).value

    def envelope(
        self, party: str, kind: str, payload: Signed, names: tuple[str, ...] = ("watch",),
        signed_us: int | None = None, post: str = "watch",
    ) -> Envelope:  # fmt: skip
        """Return an act, signed. signed_us: by the sender's clock; None where it tells the time."""
        created_us = self.clock.now_us() if signed_us is None else signed_us
        act = Act(
            region=self._region, incarnation=self._opened.incarnation, status=self._status,
            party=party, post=post, id=self._ids.id(), created_us=created_us,
            expires_us=created_us + HOUR_US, agreement=self._agreement, kind=kind,
            payload=msgspec.Raw(encode(payload)),
        )  # fmt: skip
        return seal(ACT, encode(act), *(self._signers[party, name] for name in names))
