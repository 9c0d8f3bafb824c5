# SPDX-License-Identifier: Apache-2.0
"""The agreement as a document: clauses with ids, one machine part, texts in several languages.

1. An agreement has one form as bytes (`record.encoding`); its hash is what is shown to, and
   signed by, every party. Any change changes the hash: of a number, of a translation, of a name.
2. Each clause has a text in each language of the agreement. All are equally authentic.
3. Clause ids are unique. A clause may survive suspension; the line and distress always do.
4. The exchange's key may be a signatory's only where a clause names it.
5. An annex is a document of its own with a version of its own, named here by its hash.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.agreement.clauses import AnyDecision, OperatorKey
from keepclear.record.encoding import Signed, decode, digest, encode
from keepclear.record.headers import Name, TimeUs
from keepclear.record.key_documents import Hex64

FEWEST_PARTIES: Final = 2
ClauseId = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,3}(?:\.[0-9]{1,2}){0,2}$")]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}$")]
NOTICE_US: Final = 366 * 24 * 3_600_000_000


class Role(StrEnum):
    """What a party is."""

    FORCE = "force"
    CIVIL_AUTHORITY = "civil_authority"
    HUMANITARIAN = "humanitarian"
    NEUTRAL_OPERATOR = "neutral_operator"


class PartyTerms(Signed, frozen=True, kw_only=True):
    """A party to the agreement: what it is called, its role, and for whom it answers."""

    id: Name
    name: str
    role: Role
    answers_for: tuple[str, ...] = ()


class Text(Signed, frozen=True, kw_only=True):
    """Words in one language."""

    language: Language
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class Clause(Signed, frozen=True, kw_only=True):
    """The smallest rule with an id. decides: what a machine acts on, None for words alone."""

    id: ClauseId
    texts: tuple[Text, ...]
    decides: AnyDecision | None = None
    survives: bool = False


class AnnexReference(Signed, frozen=True, kw_only=True):
    """An annex that may change on its own, by the parties' representatives alone."""

    id: ClauseId
    hash: Hex64


class Agreement(Signed, frozen=True, kw_only=True):
    """An agreement between two parties or more; see the module.

    id: of all its versions. in_force_us, until_us: from when to when. review_us: when it is to
    be looked at again. notice_us: how long it holds after it was denounced. operator_key: id of
    the key of the exchange, empty on files until it is carried into a region. replaces: hashes
    of agreements it displaces.
    """

    id: Name
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    title: tuple[Text, ...]
    languages: tuple[Language, ...]
    parties: tuple[PartyTerms, ...]
    in_force_us: TimeUs
    until_us: TimeUs
    review_us: TimeUs
    notice_us: Annotated[int, msgspec.Meta(ge=0, le=NOTICE_US)]
    operator_key: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?$")] = ""
    clauses: tuple[Clause, ...]
    annexes: tuple[AnnexReference, ...] = ()
    replaces: tuple[Hex64, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a document that does not hold together; all that is wrong is said."""
        if faults := list(_faults(self)):
            raise ValueError("; ".join(faults))


class Change(NamedTuple):
    """How one clause differs between two versions."""

    id: str
    what: str  # added, removed, words, decides, survives
    before: str
    after: str


def read_agreement(data: bytes, path: str = "agreement") -> Agreement:
    """Return the agreement that bytes are; `Malformed` where they are none."""
    return decode(data, Agreement, path)


def hash_of(agreement: Agreement) -> str:
    """Return what every party signs: the SHA-256 of the agreement's one form, hexadecimal."""
    return digest(encode(agreement)).hex()


def differences(one: Agreement, other: Agreement) -> tuple[Change, ...]:
    """Return what changed from one version to another: what is around, then clause by clause."""
    around = [
        Change("", name, _shown(getattr(one, name)), _shown(getattr(other, name)))
        for name in Agreement.__struct_fields__
        if name not in {"clauses", "version"} and getattr(one, name) != getattr(other, name)
    ]
    before = {clause.id: clause for clause in one.clauses}
    after = {clause.id: clause for clause in other.clauses}
    found: list[Change] = []
    for clause_id in dict.fromkeys([*before, *after]):
        found += _of_clause(clause_id, before.get(clause_id), after.get(clause_id))
    return (*around, *found)


def _of_clause(clause_id: str, old: Clause | None, new: Clause | None) -> Sequence[Change]:
    if old is None or new is None:
        what = "added" if old is None else "removed"
        return [Change(clause_id, what, _words(old), _words(new))]
    changes = []
    languages = [text.language for text in (*old.texts, *new.texts)]
    for language in dict.fromkeys(languages):
        words = [_in(each, language) for each in (old, new)]
        if words[0] != words[1]:
            changes.append(Change(clause_id, f"words ({language})", *words))
    if old.decides != new.decides:
        changes.append(Change(clause_id, "decides", _shown(old.decides), _shown(new.decides)))
    if old.survives != new.survives:
        changes.append(Change(clause_id, "survives", _shown(old.survives), _shown(new.survives)))
    return changes


def _in(clause: Clause, language: str) -> str:
    return next((text.text for text in clause.texts if text.language == language), "")


def _words(clause: Clause | None) -> str:
    return "" if clause is None else clause.texts[0].text


def _shown(value: object) -> str:
    return "" if value is None else encode(value).decode()


def _faults(a: Agreement) -> Iterator[str]:
    """Yield what is wrong with an agreement, each with the way out."""
    yield from _party_faults(a)
    yield from _clause_faults(a)


def _party_faults(a: Agreement) -> Iterator[str]:
    ids = [party.id for party in a.parties]
    if len(ids) < FEWEST_PARTIES:
        yield f"has {len(ids)} party; name two or more"
    if len(set(ids)) < len(ids):
        yield "names one party twice; name each once"
    if not a.languages or len(set(a.languages)) < len(a.languages):
        yield "has no language, or one twice; list each once"
    if a.until_us <= a.in_force_us:
        yield "ends before it comes into force; swap the times"
    if not a.in_force_us <= a.review_us <= a.until_us:
        yield "is reviewed outside of its time; set review_us between in_force_us and until_us"


def _clause_faults(a: Agreement) -> Iterator[str]:
    ids = {party.id for party in a.parties}
    clauses = [clause.id for clause in a.clauses] + [annex.id for annex in a.annexes]
    for clause_id in sorted({each for each in clauses if clauses.count(each) > 1}):
        yield f"has two clauses {clause_id}; give each an id of its own"
    for texts, of in ((a.title, "title"), *((c.texts, f"clause {c.id}") for c in a.clauses)):
        if [text.language for text in texts] != list(a.languages):
            yield f"{of} is not in {', '.join(a.languages)}, each once and in this order"
    for clause in a.clauses:
        if isinstance(clause.decides, OperatorKey) and clause.decides.party not in ids:
            yield f"clause {clause.id} names {clause.decides.party}, which is no party"
