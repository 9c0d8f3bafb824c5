# SPDX-License-Identifier: Apache-2.0
"""The agreement as a document: clauses with ids, one machine part, texts in several languages.

1. An agreement has one form as bytes (`record.encoding`); its hash is what is shown to, and
   signed by, every party. Any change changes the hash: of a number, of a translation, of a name.
2. Each clause has a text in each language of the agreement. All are equally authentic.
3. Clause ids are unique. A clause may survive suspension; the line and distress always do.
4. The exchange's key may be a signatory's only where a clause names it.
5. A post to which a clause escalates is one of every party's posts.
6. An annex is a document of its own with versions of its own (`annexes`), under a clause that
   gives authority for it.
7. Words have no characters that are not seen (`words`); the text of a clause may have lines.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.agreement.clauses import (
    AnnexAuthority,
    AnyDecision,
    CheckSchedule,
    ClauseId,
    Deadlines,
    OperatorKey,
)
from keepclear.agreement.faults import in_words
from keepclear.agreement.words import Lines, Words, has_hidden
from keepclear.record.encoding import Signed, decode, digest, encode
from keepclear.record.faults import Malformed
from keepclear.record.headers import Name, TimeUs
from keepclear.record.key_documents import Hex64

FEWEST_PARTIES: Final = 2
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]
DAY_US: Final = 24 * 3_600_000_000
UpToAYear = Annotated[int, msgspec.Meta(ge=0, le=366 * DAY_US)]


class Role(StrEnum):
    """What a party is."""

    FORCE = "force"
    CIVIL_AUTHORITY = "civil_authority"
    HUMANITARIAN = "humanitarian"
    NEUTRAL_OPERATOR = "neutral_operator"


class PostTerms(Signed, frozen=True, kw_only=True):
    """A watch position: what it is called, and how it is reached when the exchange is not."""

    id: Name
    name: Words
    call: Words = ""


class PartyTerms(Signed, frozen=True, kw_only=True):
    """A party to the agreement: what it is called, its role, for whom it answers, its posts."""

    id: Name
    name: Words
    role: Role
    answers_for: tuple[Words, ...] = ()
    posts: tuple[PostTerms, ...] = ()


class Text(Signed, frozen=True, kw_only=True):
    """Words in one language."""

    language: Language
    text: Annotated[Lines, msgspec.Meta(min_length=1, max_length=20_000)]


class Clause(Signed, frozen=True, kw_only=True):
    """The smallest rule with an id. decides: what a machine acts on, None for words alone."""

    id: ClauseId
    texts: tuple[Text, ...]
    decides: AnyDecision | None = None
    survives: bool = False


class Agreement(Signed, frozen=True, kw_only=True):
    """An agreement between two parties or more; see the module.

    id: of all its versions. in_force_us, until_us: from when to when. review_us: when it is to
    be looked at again. notice_us: how long it holds after it was denounced. remind_us: how long
    before a date its parties are reminded of it. operator_key: id of the key of the exchange,
    empty on files until it is carried into a region. replaces: hashes of agreements it displaces.
    """

    id: Name
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    title: tuple[Text, ...]
    languages: tuple[Language, ...]
    parties: tuple[PartyTerms, ...]
    in_force_us: TimeUs
    until_us: TimeUs
    review_us: TimeUs
    notice_us: UpToAYear
    remind_us: UpToAYear = 30 * DAY_US
    operator_key: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")] = ""
    clauses: tuple[Clause, ...]
    replaces: tuple[Hex64, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a document that does not hold together; all that is wrong is said."""
        if faults := list(_faults(self)):
            raise ValueError("; ".join(faults))


class Change(NamedTuple):
    """How one clause, or what is around the clauses (id ""), differs between two versions.

    what: added, removed, words (en), decides, survives; around them the field's name. before,
    after: the value, a clause or its words, None for none.
    """

    id: str
    what: str
    before: object
    after: object


def read_agreement(data: bytes, path: str = "agreement") -> Agreement:
    """Return the agreement that bytes are; `Malformed` where they are none."""
    try:
        return decode(data, Agreement, path)
    except Malformed as fault:
        raise malformed_in_words(fault, data, path) from None


def malformed_in_words(fault: Malformed, data: bytes, path: str) -> Malformed:
    """Return why bytes are no document in the words of who wrote it; as it was, if it is no JSON.

    path: of the document, which the fault is told with.
    """
    found = re.fullmatch(r"cannot be read \((.*)\)", fault.limit, re.DOTALL)
    if found is None:
        return fault
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return fault
    said = in_words(found[1], document)
    return Malformed(f"{path}, {said.place}" if said.place else path, said.value, *said[2:])


def hash_of(agreement: Agreement) -> str:
    """Return what every party signs: the SHA-256 of the agreement's one form, hexadecimal."""
    return digest(encode(agreement)).hex()


def differences(one: Agreement, other: Agreement) -> tuple[Change, ...]:
    """Return what changed from one version to another: what is around, then clause by clause."""
    around = [
        Change("", name, getattr(one, name), getattr(other, name))
        for name in Agreement.__struct_fields__
        if name != "clauses" and getattr(one, name) != getattr(other, name)
    ]
    return (*around, *clause_differences(one.clauses, other.clauses))


def clause_differences(one: Sequence[Clause], other: Sequence[Clause]) -> list[Change]:
    """Return what changed from some clauses to others, clause by clause."""
    before = {clause.id: clause for clause in one}
    after = {clause.id: clause for clause in other}
    found: list[Change] = []
    for clause_id in dict.fromkeys([*before, *after]):
        found += _of_clause(clause_id, before.get(clause_id), after.get(clause_id))
    return found


def _of_clause(clause_id: str, old: Clause | None, new: Clause | None) -> Sequence[Change]:
    if old is None or new is None:
        what = "added" if old is None else "removed"
        return [Change(clause_id, what, old, new)]
    changes = []
    languages = [text.language for text in (*old.texts, *new.texts)]
    for language in dict.fromkeys(languages):
        words = [_in(each, language) for each in (old, new)]
        if words[0] != words[1]:
            changes.append(Change(clause_id, f"words ({language})", *words))
    if old.decides != new.decides:
        changes.append(Change(clause_id, "decides", old.decides, new.decides))
    if old.survives != new.survives:
        changes.append(Change(clause_id, "survives", old.survives, new.survives))
    return changes


def _in(clause: Clause, language: str) -> str:
    return next((text.text for text in clause.texts if text.language == language), "")


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
    for party in a.parties:
        posts = [post.id for post in party.posts]
        if len(set(posts)) < len(posts):
            yield f"names one post of {party.id} twice; name each once"
    if a.until_us <= a.in_force_us:
        yield "ends before it comes into force; swap the times"
    if not a.in_force_us <= a.review_us <= a.until_us:
        yield "is reviewed outside of its time; set review_us between in_force_us and until_us"


def _clause_faults(a: Agreement) -> Iterator[str]:
    ids = {party.id for party in a.parties}
    yield from language_faults(a.title, "title", a.languages)
    if any(has_hidden(text.text) for text in a.title):
        yield "has a title with a line break or with what is not seen; write it in one line"
    yield from clause_faults(a.clauses, a.languages)
    for clause in a.clauses:
        match clause.decides:
            case OperatorKey() if clause.decides.party not in ids:
                yield f"clause {clause.id} names {clause.decides.party}, which is no party"
            case CheckSchedule():
                for party in sorted({*clause.decides.by} - ids):
                    yield f"clause {clause.id} lets {party} send checks, which is no party"
            case AnnexAuthority():
                yield from _authority_faults(a, clause.id, clause.decides)
            case Deadlines():
                yield from post_faults(a, clause.id, clause.decides.escalation)


def clause_faults(clauses: Sequence[Clause], languages: Sequence[str]) -> Iterator[str]:
    """Yield which clauses have one id, or a text that is missing."""
    ids = [clause.id for clause in clauses]
    for clause_id in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"has two clauses {clause_id}; give each an id of its own"
    for clause in clauses:
        yield from language_faults(clause.texts, f"clause {clause.id}", languages)


def language_faults(texts: Sequence[Text], of: str, languages: Sequence[str]) -> Iterator[str]:
    """Yield whether texts are not in each language, once and in order."""
    if [text.language for text in texts] != list(languages):
        yield f"{of} is not in {', '.join(languages)}, each once and in this order"


def post_faults(a: Agreement, clause_id: str, posts: Sequence[str]) -> Iterator[str]:
    """Yield which party does not have a post that a clause names."""
    for party in a.parties:
        own = {post.id for post in party.posts}
        for post in posts:
            if post not in own:
                yield f"clause {clause_id} names post {post}, which {party.id} has not; list it"


def _authority_faults(a: Agreement, clause_id: str, decides: AnnexAuthority) -> Iterator[str]:
    yield from post_faults(a, clause_id, decides.posts)
    same = [
        clause.id for clause in a.clauses
        if isinstance(clause.decides, AnnexAuthority) and clause.decides.annex == decides.annex
    ]  # fmt: skip
    if same[0] != clause_id:
        yield f"clauses {same[0]} and {clause_id} allow one annex, {decides.annex}; keep one"
    taken = f"{decides.annex}."
    if inside := [each.id for each in a.clauses if f"{each.id}.".startswith(taken)]:
        yield f"clause {inside[0]} has the id of annex {decides.annex}; give it another"
