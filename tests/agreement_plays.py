# SPDX-License-Identifier: Apache-2.0
"""A small agreement of two parties for tests, and what is signed of it."""

from typing import Final

import msgspec

from keepclear.agreement.annexes import Annex, annex_hash
from keepclear.agreement.clauses import (
    AnyDecision,
    LeadTime,
    LineCheck,
    OnConflict,
    OnConflictRule,
    Separation,
)
from keepclear.agreement.documents import Agreement, Clause, PartyTerms, Role, Text, hash_of
from keepclear.agreement.rules_toml import parse_short
from keepclear.agreement.standing import Standing, state_of
from keepclear.agreement.statements import (
    ANNEX_SIGNATURE,
    AgreementFile,
    Said,
    SignedAnnex,
    sign,
    state,
)
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope
from keepclear.record.key_documents import Keyring
from tests.record_plays import START_US, first_document, sealed, signer

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US


def text(words: str) -> tuple[Text, ...]:
    """Return words in both languages of the agreement."""
    return (Text(language="en", text=words), Text(language="fr", text=f"({words})"))


def clause(
    clause_id: str, words: str, decides: AnyDecision | None = None, *, survives: bool = False
) -> Clause:
    """Return a clause."""
    return Clause(id=clause_id, texts=text(words), decides=decides, survives=survives)


def agreement(**changes: object) -> Agreement:
    """Return an agreement of a and b: minima, lead time, a surviving clause."""
    made = Agreement(
        id="exercise-mou", version=1, title=text("EXERCISE memorandum"), languages=("en", "fr"),
        parties=(
            PartyTerms(id="a", name="Party A", role=Role.FORCE),
            PartyTerms(id="b", name="Party B", role=Role.FORCE, answers_for=("B auxiliaries",)),
        ),
        in_force_us=START_US, until_us=START_US + 365 * DAY_US, review_us=START_US + 180 * DAY_US,
        notice_us=30 * DAY_US,
        clauses=(
            clause("1", "Keep 5 NM or 1000 ft apart.",
                   Separation(rules=parse_short("5 NM / 1000 ft"))),
            clause("2", "Tell an hour before.", LeadTime(notice_us=HOUR_US)),
            clause("2.1", "Conflicts are noted.", OnConflictRule(action=OnConflict.NOTE)),
            clause("3", "The line stays open.", survives=True),
        ),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def with_line_check() -> Agreement:
    """Return the same under the condition of a line check."""
    return agreement(clauses=(*agreement().clauses, clause("4", "Check the line.", LineCheck())))


class Table:
    """A file that is signed and stated, by whom and when (microseconds after the start)."""

    def __init__(self, made: Agreement | None = None, **documents: object) -> None:
        self.agreement = made or agreement()
        self.keys = Keyring()
        for party in ("a", "b"):
            self.keys.add(sealed(first_document(party, **documents)), 0)
        self.signatures: list[Envelope] = []
        self.statements: list[Envelope] = []
        self.annexes: list[SignedAnnex] = []

    def use(self, keys: Keyring) -> "Table":
        """Believe other keys."""
        self.keys = keys
        return self

    def sign(
        self, party: str, name: str, after_us: int = 0, holds_us: int = 30 * DAY_US,
        of: Agreement | None = None,
    ) -> "Table":  # fmt: skip
        """Let one representative sign."""
        at_us = START_US + after_us
        self.signatures.append(
            sign(
                hash_of(of or self.agreement),
                party,
                at_us,
                at_us + holds_us,
                signer(f"{party} {name}"),
            )
        )
        return self

    def all_sign(self, after_us: int = 0) -> "Table":
        """Let both representatives of both parties sign."""
        for party in ("a", "b"):
            for name in ("rep-1", "rep-2"):
                self.sign(party, name, after_us)
        return self

    def say(self, party: str, said: Said, after_us: int, by: str = "rep-1", **more: str) -> "Table":
        """Let a party state something."""
        self.statements.append(state(
            self.agreement, party, START_US + after_us, said, signer(f"{party} {by}"), **more
        ))  # fmt: skip
        return self

    def add(self, annex: Annex, *signed: tuple[str, str, int]) -> "Table":
        """Add an annex, signed: by whom, with which key, when."""
        self.annexes.append(SignedAnnex(annex=msgspec.Raw(encode(annex)), signatures=tuple(
            sign(
                annex_hash(annex), party, START_US + after_us, START_US + after_us + DAY_US,
                signer(f"{party} {name}"), ANNEX_SIGNATURE,
            )
            for party, name, after_us in signed
        )))  # fmt: skip
        return self

    def file(self) -> AgreementFile:
        """Return the file."""
        return AgreementFile(
            agreement=msgspec.Raw(encode(self.agreement)),
            signatures=tuple(self.signatures), statements=tuple(self.statements),
            annexes=tuple(self.annexes),
        )  # fmt: skip

    def at(self, after_us: int) -> Standing:
        """Return what holds some time after the start."""
        return state_of(self.file(), self.agreement, self.keys, START_US + after_us)
