# SPDX-License-Identifier: Apache-2.0
"""Annexes, rounds of negotiation and reminders: rule by rule of the modules they are in."""

import msgspec
import pytest

from keepclear.agreement.annexes import Annex, annex_hash, check_annex
from keepclear.agreement.clauses import (
    AnnexAuthority,
    Deadline,
    Deadlines,
    Frequencies,
    Frequency,
    LeadTime,
    Precedence,
)
from keepclear.agreement.documents import (
    Agreement,
    Clause,
    PartyTerms,
    PostTerms,
    Role,
    hash_of,
    read_agreement,
)
from keepclear.agreement.moves import NotNow
from keepclear.agreement.reminders import reminders
from keepclear.agreement.standing import check_not_ahead, state_of
from keepclear.agreement.statements import AgreementFile, Round, Said, state
from keepclear.agreement.states import State
from keepclear.record.encoding import encode
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.key_documents import Keyring, Revocation
from keepclear.record.mandates import ROUTINE, Power
from tests.agreement_plays import DAY_US, HOUR_US, Table, agreement, clause
from tests.record_plays import (
    START_US,
    first_document,
    mandate,
    next_document,
    post,
    public,
    representative,
    sealed,
    signer,
)

ALLOWED = AnnexAuthority(annex="A", posts=("watch",), may=("frequencies",))
WITH_POSTS = tuple(
    msgspec.structs.replace(party, posts=(PostTerms(id="watch", name="Watch"),))
    for party in agreement().parties
)
WITH_ANNEX = agreement(
    parties=WITH_POSTS,
    clauses=(*agreement().clauses, clause("4", "Annex A may change.", ALLOWED, survives=True)),
)
GUARD = Frequencies(frequencies=(Frequency(purpose="guard", on="121.5 MHz"),))


def annex(before: Annex | None = None, *clauses: Clause, **changes: object) -> Annex:
    """Return a version of annex A, the first or the one after another."""
    made = Annex(
        agreement=hash_of(WITH_ANNEX), id="A",
        version=1 if before is None else before.version + 1,
        previous="" if before is None else annex_hash(before), in_force_us=START_US,
        clauses=clauses or (clause("A.1", "Guard is 121.5.", GUARD),),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def watches(after_us: int) -> tuple[tuple[str, str, int], ...]:
    """Return signatures of both watches at a time."""
    return (("a", "watch", after_us), ("b", "watch", after_us))


def test_an_annex_holds_once_every_party_has_signed_it_and_its_time_has_come() -> None:
    later = annex(in_force_us=START_US + DAY_US)
    table = Table(WITH_ANNEX).all_sign().add(annex(), ("a", "watch", 1), ("b", "watch", 2))

    assert "A.1" not in table.at(1).holds
    assert table.at(1).annexes[0].waits_for == ("version 1: signature of b",)
    assert table.at(2).holds == ("1", "2", "2.1", "3", "4", "A.1")
    table = Table(WITH_ANNEX).all_sign().add(later, *watches(1))
    assert table.at(DAY_US - 1).annexes[0].waits_for == ("version 1: its time to come into force",)
    assert table.at(DAY_US).annexes[0].version == 1


def test_of_an_annex_the_last_version_that_all_have_signed_holds() -> None:
    second = annex(annex(), clause("A.1", "Guard is 243.", GUARD))
    table = Table(WITH_ANNEX).all_sign().add(annex(), *watches(1))
    table.add(second, ("a", "watch", 5), ("b", "watch", HOUR_US))

    assert [table.at(t).annexes[0].version for t in (1, 5, HOUR_US)] == [1, 1, 2]
    held = [table.at(t).clauses[-1].texts[0].text for t in (HOUR_US - 1, HOUR_US)]
    assert held == ["Guard is 121.5.", "Guard is 243."]
    third = annex(second)
    ahead = (
        Table(WITH_ANNEX).all_sign().add(annex(), *watches(1)).add(second).add(third, *watches(2))
    )
    assert ahead.at(HOUR_US).annexes[0].version == 1
    assert ahead.at(HOUR_US).annexes[0].waits_for == (
        "version 2: signature of a, b", "version 3: the version before it to hold",
    )  # fmt: skip


def test_two_annexes_with_one_version_in_a_file_are_refused() -> None:
    other = annex(None, clause("A.1", "Something else.", GUARD))
    second, fork = annex(annex()), annex(annex(), clause("A.1", "A fork.", GUARD))
    skipped = annex(annex(), version=9)

    for made in ((annex(), other), (annex(), annex()), (annex(), second, fork)):
        for order in (made, made[::-1]):
            table = Table(WITH_ANNEX).all_sign()
            for each in order:
                table.add(each, *watches(1))
            with pytest.raises(Malformed, match="is in the file twice, or two annexes have this"):
                table.at(HOUR_US)
    for alone in ((second,), (annex(), skipped), (other, second)):
        table = Table(WITH_ANNEX).all_sign()
        for each in alone:
            table.add(each, *watches(1))
        with pytest.raises(Malformed, match="does not follow a version that is in the file"):
            table.at(HOUR_US)


def test_an_unsigned_copy_of_an_annex_does_not_make_it_look_as_if_none_held() -> None:
    table = Table(WITH_ANNEX).all_sign().add(annex(), *watches(1)).add(annex())

    with pytest.raises(Malformed, match="go on from the file as it was before the second was add"):
        table.at(HOUR_US)


def test_an_annex_tells_its_hash_and_who_signed_each_version() -> None:
    second = annex(annex())
    table = Table(WITH_ANNEX).all_sign().add(annex(), *watches(1)).add(second, ("b", "watch", 5))

    versions = table.at(HOUR_US).annexes[0].versions
    assert [each.hash for each in versions] == [annex_hash(annex()), annex_hash(second)]
    assert [[(one.party, one.by) for one in each.signed] for each in versions] == [
        [("a", "watch"), ("b", "watch")], [("b", "watch")],
    ]  # fmt: skip
    assert [each.waits_for for each in versions] == ["", "signature of a"]


def test_what_is_signed_ahead_of_the_clock_is_refused_in_annexes_and_rounds_too() -> None:
    of_annex = Table(WITH_ANNEX).all_sign().add(annex(), *watches(DAY_US))
    countered, table = countered_file()

    with pytest.raises(Malformed, match="is dated 86400 s ahead"):
        check_not_ahead(of_annex.file(), WITH_ANNEX, of_annex.keys, START_US)
    for file in (of_annex.file(), countered):
        found = read_agreement(bytes(file.agreement))
        check_not_ahead(file, found, of_annex.keys, START_US + DAY_US)
    late, _ = countered_file(round_us=DAY_US)
    with pytest.raises(Malformed, match="is dated 86400 s ahead"):
        check_not_ahead(late, read_agreement(bytes(late.agreement)), table.keys, START_US)


def test_an_annex_holds_as_long_as_the_clause_that_allows_it() -> None:
    dying = agreement(
        parties=WITH_POSTS,
        clauses=(*agreement().clauses, clause("4", "Annex A may change.", ALLOWED)),
    )
    for made, still in ((WITH_ANNEX, ("3", "4", "A.1")), (dying, ("3",))):
        own = msgspec.structs.replace(annex(), agreement=hash_of(made))
        table = Table(made).all_sign().add(own, *watches(1)).say("a", Said.SUSPEND, 5)

        assert table.at(4).holds[-1] == "A.1"
        assert table.at(5).holds == still
    unsigned = Table(WITH_ANNEX).add(annex(), *watches(1))
    assert unsigned.at(HOUR_US).holds == ()


def test_an_annex_is_signed_by_a_post_that_the_agreement_names_and_by_nobody_else() -> None:
    with pytest.raises(NotProven, match=r"representative rep-1 of a.*has no authority for annex A"):
        Table(WITH_ANNEX).all_sign().add(annex(), ("a", "rep-1", 1)).at(1)
    nothing = Keyring()
    nothing.add(sealed(first_document("a", devices=(post("a", "watch", mandate("line")),))), 0)
    nothing.add(sealed(first_document("b")), 0)
    with pytest.raises(NotProven, match=r"post watch of a.*has no mandate for annex at"):
        Table(WITH_ANNEX).use(nothing).all_sign().add(annex(), ("a", "watch", 1)).at(1)
    open_to_all = agreement(
        clauses=(clause("4", "A.", AnnexAuthority(annex="A", may=("frequencies",))),)
    )
    own = msgspec.structs.replace(annex(), agreement=hash_of(open_to_all))
    table = Table(open_to_all).all_sign().add(own, ("a", "rep-1", 1), ("b", "rep-2", 1))
    assert table.at(1).annexes[0].version == 1
    with pytest.raises(NotProven, match=r"post watch of a.*it takes a representative"):
        Table(open_to_all).all_sign().add(own, ("a", "watch", 1)).at(1)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (annex(None, clause("A.1", "x", LeadTime(notice_us=1))), "decides lead-time; it may de"),
        (annex(None, clause("9", "x")), "clause 9 is not of annex A; call it A.1"),
        (annex(None, clause("A.1", "x"), clause("A.1", "y")), "has two clauses A.1"),
        (annex(id="B"), "has no authority in the agreement .it knows: A."),
        (annex(agreement="0" * 64), "write the annex for this one"),
    ],
)  # fmt: skip
def test_an_annex_that_its_agreement_does_not_allow_is_refused(made: Annex, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        check_annex(made, WITH_ANNEX)
    with pytest.raises(Malformed, match=why):
        Table(WITH_ANNEX).all_sign().add(made).at(1)


def test_authority_for_an_annex_is_given_once_and_for_what_there_is() -> None:
    with pytest.raises(ValueError, match="lets the annex decide 'operator-key', none of"):
        AnnexAuthority(annex="A", may=("operator-key",))
    twice = (clause("4", "x", ALLOWED), clause("5", "y", ALLOWED))
    taken = (clause("4", "x", ALLOWED), clause("A.1", "y"))
    for clauses, why in (
        (twice, "clauses 4 and 5 allow one annex, A; keep one"),
        (taken, "clause A.1 has the id of annex A; give it another"),
    ):
        with pytest.raises(ValueError, match=why):
            _made(parties=WITH_POSTS, clauses=clauses)
    with pytest.raises(ValueError, match="clause 4 names post watch, which a has not; list it"):
        _made(clauses=(clause("4", "x", ALLOWED),))


def test_a_clause_escalates_to_posts_that_every_party_has() -> None:
    soon = Deadline(precedence=Precedence.STOP, acknowledge_s=60)
    chain = clause("4", "x", Deadlines(deadlines=(soon,), escalation=("watch", "tower")))

    with pytest.raises(ValueError, match=r"names post tower, which a has not; .*tower, which b"):
        _made(parties=WITH_POSTS, clauses=(chain,))
    twice = PartyTerms(
        id="a", name="A", role=Role.FORCE, posts=(PostTerms(id="x", name="X"),) * 2
    )  # fmt: skip
    with pytest.raises(ValueError, match="names one post of a twice"):
        _made(parties=(twice, agreement().parties[1]))


def _made(**changes: object) -> Agreement:
    fields = {name: getattr(agreement(), name) for name in Agreement.__struct_fields__}
    return Agreement(**{**fields, **changes})


def test_what_is_proposed_is_countered_and_what_was_proposed_stays_provable() -> None:
    table = Table().say("a", Said.PROPOSE, 1).sign("a", "rep-1", 2)
    assert [table.at(t).state for t in (0, 1, 2)] == [
        State.DRAFT, State.PROPOSED, State.SIGNED_IN_PART,
    ]  # fmt: skip
    changed = agreement(version=2, notice_us=DAY_US)
    table.say("b", Said.COUNTER, 3, counter=hash_of(changed))

    assert table.at(3).state is State.COUNTERED
    with pytest.raises(
        NotNow, match="agreement is countered, so it cannot sign; possible now: pro"
    ):
        Table().say("a", Said.PROPOSE, 1).say("b", Said.COUNTER, 3, counter="0" * 64).sign(
            "a", "rep-1", 4
        ).at(4)

    old = table.file()
    proposal = state(changed, "b", START_US + 3, Said.PROPOSE, signer("b rep-1"))
    first = Round(agreement=old.agreement, signatures=old.signatures, statements=old.statements)
    new = AgreementFile(
        agreement=msgspec.Raw(encode(changed)), statements=(proposal,), earlier=(first,)
    )
    assert state_of(new, changed, table.keys, START_US + 3).state is State.PROPOSED

    silent = msgspec.structs.replace(first, statements=old.statements[:1])
    forged = msgspec.structs.replace(new, earlier=(silent,))
    with pytest.raises(Malformed, match="was not countered by"):
        state_of(forged, changed, table.keys, START_US + 3)


CHANGED = agreement(version=2, notice_us=DAY_US)


def countered_file(
    table: Table | None = None, new: Agreement = CHANGED, round_us: int = 3, new_us: int = 3
) -> tuple[AgreementFile, Table]:
    """Return a file in which b countered what is signed and stated at a table."""
    old = table or Table().say("a", Said.PROPOSE, 1)
    old.say("b", Said.COUNTER, round_us, counter=hash_of(new))
    own = old.file()
    proposal = state(new, "b", START_US + new_us, Said.PROPOSE, signer("b rep-1"))
    first = Round(agreement=own.agreement, signatures=own.signatures, statements=own.statements)
    return AgreementFile(
        agreement=msgspec.Raw(encode(new)), statements=(proposal,), earlier=(first,)
    ), old


def test_a_round_is_held_to_the_rules_of_the_file_itself() -> None:
    file, table = countered_file()
    assert state_of(file, CHANGED, table.keys, START_US + 3).state is State.PROPOSED

    never_proposed, _ = countered_file(Table())
    with pytest.raises(NotNow, match="agreement is draft, so it cannot counter"):
        state_of(never_proposed, CHANGED, table.keys, START_US + 3)
    in_force, _ = countered_file(Table().all_sign())
    with pytest.raises(NotNow, match="agreement is in force, so it cannot counter"):
        state_of(in_force, CHANGED, table.keys, START_US + 3)
    afterwards, _ = countered_file(Table().say("a", Said.PROPOSE, 1).sign("a", "rep-1", 9))
    with pytest.raises(Malformed, match="was signed after it was countered"):
        state_of(afterwards, CHANGED, table.keys, START_US + 9)
    back_dated, _ = countered_file(round_us=4)
    with pytest.raises(Malformed, match=r"was countered after [0-9a-f]{16} was put forward"):
        state_of(back_dated, CHANGED, table.keys, START_US + 9)
    other = agreement(id="other", version=2)
    unrelated, _ = countered_file(new=other)
    with pytest.raises(Malformed, match="'exercise-mou': is not other; counter an agreement with"):
        state_of(unrelated, other, table.keys, START_US + 9)
    proposed_later, _ = countered_file(Table().say("a", Said.PROPOSE, 5))
    with pytest.raises(Malformed, match="was not countered by"):
        state_of(proposed_later, CHANGED, table.keys, START_US + 9)


def test_a_counter_by_a_key_that_became_suspect_is_told_and_leaves_the_file_readable() -> None:
    file, table = countered_file()
    second = next_document(
        first_document("b"), root=public("b next root").data,
        next_root=public("b third root").id,
        representatives=(representative("b", "rep-2", mandate(*Power)),),
        revoked=(Revocation(key_id=public("b rep-1").id, suspect_since_us=START_US),),
    )  # fmt: skip
    table.keys.add(sealed(second, "rep-2"), 1)

    standing = state_of(file, CHANGED, table.keys, START_US + 3)

    assert standing.state is State.DRAFT
    assert [each.what.split(" of ")[0] for each in standing.left_out] == ["propose", "counter"]


def test_a_statement_says_what_its_kind_does_and_no_more() -> None:
    table = Table()
    for said, more in ((Said.COUNTER, {}), (Said.PROPOSE, {"counter": "0" * 64}),
                       (Said.DENY, {}), (Said.SUSPEND, {"force": "x"})):  # fmt: skip
        with pytest.raises(ValueError, match="or the reverse"):
            table.say("a", said, 1, **more)


def test_a_party_that_has_not_suspended_cannot_resume() -> None:
    table = Table().all_sign().say("a", Said.SUSPEND, 1).say("b", Said.RESUME, 2)

    with pytest.raises(Malformed, match=r"is by b, who has not suspended it; let those .*: a"):
        table.at(2)


def due(table: Table, after_us: int) -> list[str]:
    """Return what is to be reminded of, up to the colon."""
    standing = table.at(after_us)
    found = reminders(table.agreement, standing, table.keys, START_US + after_us)
    return [each.what.partition(":")[0] for each in found]


def test_parties_are_reminded_of_review_renewal_notice_and_mandates() -> None:
    table = Table().all_sign()

    assert due(table, 150 * DAY_US - 1) == []
    assert due(table, 150 * DAY_US) == ["review"]
    assert due(table, 335 * DAY_US - 1) == ["review"]
    assert due(table, 335 * DAY_US) == ["review", "renewal"]
    assert due(table, 366 * DAY_US) == []
    table.say("a", Said.REVIEWED, 150 * DAY_US)
    assert due(table, 151 * DAY_US) == ["review"]
    table.say("b", Said.REVIEWED, 152 * DAY_US)
    assert due(table, 152 * DAY_US) == []
    denounced = Table().all_sign().say("a", Said.DENOUNCE, DAY_US)
    assert due(denounced, DAY_US) == ["end"]
    assert due(Table(), 150 * DAY_US) == []


def test_parties_are_reminded_of_a_mandate_that_ends() -> None:
    ring = Keyring()
    people = tuple(
        representative("a", f"rep-{n}", mandate(*Power, days=40)) for n in (1, 2)
    )  # fmt: skip
    posts = (post("a", "watch", mandate(ROUTINE, days=20)),)
    ring.add(sealed(first_document("a", representatives=people, devices=posts)), 0)
    ring.add(sealed(first_document("b")), 0)
    table = Table().use(ring).all_sign()
    standing = table.at(5 * DAY_US)

    def found(day: int) -> list[str]:
        return [
            each.what
            for each in reminders(table.agreement, standing, ring, START_US + day * DAY_US)
        ]

    watch = "mandate: of post watch of a ends; appoint anew"
    assert found(5) == [watch]
    assert found(10)[1:] == [
        f"mandate: of representative rep-{n} of a ends; appoint anew" for n in (1, 2)
    ]
