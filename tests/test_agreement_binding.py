# SPDX-License-Identifier: Apache-2.0
"""Which agreements bind a pair, and who answers for a force: rule by rule."""

from keepclear.agreement.annexes import Annex
from keepclear.agreement.binding import (
    Answer,
    Answers,
    Held,
    binding,
    minima_for,
    who_answers,
)
from keepclear.agreement.clauses import AnnexAuthority, Separation
from keepclear.agreement.documents import Agreement, PartyTerms, Role, hash_of
from keepclear.agreement.rules_toml import parse_short
from keepclear.agreement.statements import Said
from tests.agreement_plays import HOUR_US, Table, agreement, clause
from tests.record_plays import START_US, first_document, sealed

HOUSE = parse_short("5 NM / 1000 ft")


def held(made: Agreement | None = None, *said: tuple[str, Said], after_us: int = HOUR_US) -> Held:
    """Return an agreement that all have signed, and what holds of it an hour later."""
    table = Table(made)
    for party in table.agreement.parties:
        if party.id not in {"a", "b"}:
            table.keys.add(sealed(first_document(party.id)), 0)
    for party in table.agreement.parties:
        for name in ("rep-1", "rep-2"):
            table.sign(party.id, name)
    for party_id, what in said:
        table.say(party_id, what, 1)
    return Held(table.agreement, table.at(after_us))


def with_minima(text: str, **changes: object) -> Agreement:
    """Return an agreement with one separation clause and the surviving one."""
    return agreement(
        clauses=(
            clause("1", f"Keep {text}.", Separation(rules=parse_short(text))),
            clause("3", "The line stays open.", survives=True),
        ),
        **changes,
    )  # fmt: skip


def with_third(**changes: object) -> Agreement:
    """Return an agreement of a, b and c."""
    third = PartyTerms(id="c", name="Party C", role=Role.NEUTRAL_OPERATOR)
    return with_minima("8 NM / 2000 ft", parties=(*agreement().parties, third), **changes)


def test_all_agreements_in_force_for_a_pair_bind_it() -> None:
    two, three = held(with_minima("3 NM / 1000 ft")), held(with_third(id="wider"))

    assert binding([two, three], "a", "b") == (two, three)
    assert binding([two, three], "a", "c") == (three,)
    found = minima_for([two, three], "b", "a", HOUSE)
    assert [minima.rules.name for minima in found] == ["3 NM / 1000 ft", "8 NM / 2000 ft"]
    assert [minima.clause for minima in found] == ["1", "1"]


def test_one_displaces_another_only_by_replaces() -> None:
    old = held(with_minima("3 NM / 1000 ft"))
    newer = held(with_minima("5 NM / 1000 ft", version=2))
    new = held(with_minima("5 NM / 1000 ft", version=2, replaces=(hash_of(old.agreement),)))

    assert binding([old, newer], "a", "b") == (old, newer)
    assert binding([old, new], "a", "b") == (new,)


def test_a_suspended_agreement_displaces_nothing_and_one_between_others_neither() -> None:
    old = held(with_minima("3 NM / 1000 ft"))
    hashes = (hash_of(old.agreement),)
    suspended = held(with_minima("5 NM / 1000 ft", version=2, replaces=hashes), ("a", Said.SUSPEND))
    parties = (agreement().parties[0], PartyTerms(id="c", name="C", role=Role.FORCE))
    elsewhere = held(with_minima("9 NM / 1000 ft", id="other", parties=parties, replaces=hashes))

    denounced = held(
        with_minima("5 NM / 1000 ft", version=2, replaces=hashes), ("a", Said.SUSPEND),
        ("b", Said.DENOUNCE),
    )  # fmt: skip

    assert binding([old, suspended], "a", "b") == (old, suspended)
    assert binding([old, denounced], "a", "b") == (old, denounced)
    assert [m.rules.name for m in minima_for([old, suspended], "a", "b", HOUSE)] == [
        "3 NM / 1000 ft"
    ]
    assert binding([old, elsewhere], "a", "b") == (old,)


def test_without_an_agreement_or_with_all_suspended_the_house_rule_binds() -> None:
    suspended = held(with_minima("3 NM / 1000 ft"), ("b", Said.SUSPEND))
    early = held(with_minima("3 NM / 1000 ft"), after_us=-1)

    for some in ([], [suspended], [early]):
        found = minima_for(some, "a", "b", HOUSE)
        assert [(minima.rules.name, minima.clause) for minima in found] == [(HOUSE.name, "")]


def test_a_party_answers_for_itself_and_for_whom_the_agreement_lists() -> None:
    now = [held()]

    assert who_answers(now, "a") == Answer(Answers.ANSWERED, "a")
    assert who_answers(now, "B auxiliaries") == Answer(Answers.ANSWERED, "b")
    assert who_answers(now, "others") == Answer(Answers.NOBODY)
    assert who_answers([], "a") == Answer(Answers.NOBODY)


def test_a_denial_is_told_with_who_and_when_and_stands_before_the_list() -> None:
    table = Table().all_sign()
    table.say("b", Said.DENY, 5, force="B auxiliaries")
    table.say("a", Said.DENY, 6, force="others").say("b", Said.DENY, 7, force="others")
    now = [Held(table.agreement, table.at(HOUR_US))]

    assert who_answers(now, "B auxiliaries") == Answer(Answers.DENIED, "b", START_US + 5)
    assert who_answers(now, "others") == Answer(Answers.DENIED, "b", START_US + 7)
    assert who_answers(now, "b") == Answer(Answers.ANSWERED, "b")
    before = [Held(table.agreement, table.at(4))]
    assert who_answers(before, "B auxiliaries") == Answer(Answers.ANSWERED, "b")
    other = Table().all_sign().say("a", Said.DENY, 8, force="B auxiliaries")
    by_other = [Held(other.agreement, other.at(HOUR_US))]
    assert who_answers(by_other, "B auxiliaries") == Answer(Answers.ANSWERED, "b")


def test_a_clause_of_an_annex_binds_as_one_of_the_agreement() -> None:
    allowed = AnnexAuthority(annex="A", may=("separation",))
    made = agreement(clauses=(clause("1", "Annex A has minima.", allowed),))
    annex = Annex(
        agreement=hash_of(made), id="A", version=1, previous="", in_force_us=START_US,
        clauses=(clause("A.1", "Keep 2 NM.", Separation(rules=parse_short("2 NM / 500 ft"))),),
    )  # fmt: skip
    table = Table(made).all_sign().add(annex, ("a", "rep-1", 1), ("b", "rep-2", 2))

    found = minima_for([Held(made, table.at(2))], "a", "b", HOUSE)
    assert [(each.rules.name, each.clause) for each in found] == [("2 NM / 500 ft", "A.1")]
    assert minima_for([Held(made, table.at(1))], "a", "b", HOUSE)[0].clause == ""
