# SPDX-License-Identifier: Apache-2.0
"""When an agreement holds, and which clauses: by the rules of `signing.py` and `standing.py`."""

from itertools import product

import msgspec
import pytest

from keepclear.agreement.clauses import OperatorKey
from keepclear.agreement.documents import hash_of
from keepclear.agreement.moves import NotNow
from keepclear.agreement.signing import LeftOut, check_may_sign, check_not_signed
from keepclear.agreement.standing import check_not_ahead
from keepclear.agreement.statements import SIGNATURE, DocumentSignature, Said, read_file
from keepclear.agreement.states import TABLE, Event, State, move
from keepclear.record.encoding import encode
from keepclear.record.envelopes import seal
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import CLOCK_US
from keepclear.record.key_documents import Keyring, Representative, Revocation
from keepclear.record.mandates import ROUTINE, Power
from tests.agreement_plays import (
    DAY_US,
    HOUR_US,
    Table,
    agreement,
    clause,
    with_line_check,
)
from tests.record_plays import (
    START_US,
    first_document,
    mandate,
    next_document,
    public,
    representative,
    sealed,
    signer,
)
from tests.test_record_keys import revoking, rotated

ALL = ("1", "2", "2.1", "3")
SUSPECT = "its key is suspect since 2015-09-30T08:00:00Z"


def test_it_is_in_force_once_every_party_signed_the_same_bytes() -> None:
    table = Table()
    assert table.at(0).state is State.DRAFT

    table.sign("a", "rep-1").sign("a", "rep-2").sign("b", "rep-1")
    assert table.at(HOUR_US).state is State.SIGNED_IN_PART
    assert table.at(HOUR_US).waits_for == ("signature of b: 1 more representative",)
    assert table.at(HOUR_US).holds == ()

    table.sign("b", "rep-2")
    standing = table.at(HOUR_US)
    assert standing.state is State.IN_FORCE
    assert standing.holds == ALL
    assert standing.hash == hash_of(table.agreement)


def test_at_an_instant_only_what_was_signed_until_then_counts() -> None:
    table = Table().sign("a", "rep-1").sign("a", "rep-2").sign("b", "rep-1")
    table.sign("b", "rep-2", 5 * HOUR_US)

    assert table.at(5 * HOUR_US - 1).state is State.SIGNED_IN_PART
    assert table.at(5 * HOUR_US).state is State.IN_FORCE


def test_one_representative_twice_is_not_two() -> None:
    table = Table().all_sign()
    table.signatures = [table.signatures[0], table.signatures[0], *table.signatures[2:]]

    assert table.at(0).waits_for == ("signature of a: 1 more representative",)


def test_one_key_under_two_names_is_not_two_representatives() -> None:
    everything = mandate(ROUTINE, *Power)
    renamed = (
        msgspec.structs.replace(representative("a", "rep-1", everything), id="rep-3"),
        representative("a", "rep-2", everything),
    )
    table = Table().sign("a", "rep-1", 1).sign("a", "rep-1", 3)
    second = next_document(first_document("a"), created_us=START_US + 2, representatives=renamed)
    table.keys.add(sealed(second, "rep-1", "rep-2"), 1)

    assert [each.by for each in table.at(5).signed] == ["rep-1", "rep-3"]
    assert table.at(5).waits_for[0] == "signature of a: 1 more representative"


def test_one_name_with_two_keys_is_not_two_representatives() -> None:
    everything = mandate(ROUTINE, *Power)
    new_key = Representative(id="rep-1", key=public("a other").data, mandates=(everything,))
    second = next_document(
        first_document("a"), created_us=START_US + 2,
        representatives=(new_key, representative("a", "rep-2", everything)),
    )  # fmt: skip
    table = Table().sign("a", "rep-1", 1).sign("a", "other", 3)
    table.keys.add(sealed(second, "rep-1", "rep-2"), 1)

    assert [each.by for each in table.at(5).signed] == ["rep-1", "rep-1"]
    assert table.at(5).waits_for[0] == "signature of a: 1 more representative"


def test_two_parties_with_one_key_are_refused() -> None:
    table, ring = Table().all_sign(), Keyring()
    same = tuple(
        msgspec.structs.replace(representative("a", f"rep-{n}", mandate(*Power)), id=f"rep-{n}")
        for n in (1, 2)
    )
    ring.add(sealed(first_document("a")), 0)
    ring.add(sealed(first_document("b", representatives=same)), 0)

    with pytest.raises(NotProven, match="is of a and of b; let each party make keys of its own"):
        table.use(ring).at(0)


def test_a_representative_that_signed_does_not_sign_again_while_that_counts() -> None:
    table = Table().sign("a", "rep-1", 0, 2 * DAY_US)
    signed, key = table.at(0).signed, public("a rep-1").id

    for now_us in (START_US, START_US + DAY_US):
        with pytest.raises(Malformed, match="'rep-1 of a': has signed already, at 2015-09-30T08"):
            check_not_signed(signed, "a", key, now_us)
    check_not_signed(signed, "a", key, START_US + DAY_US + 1)
    check_not_signed(signed, "a", public("a rep-2").id, START_US)
    check_not_signed(Table().sign("a", "rep-1", 0, 5).at(0).signed, "a", key, START_US + 5)


def test_a_suspect_key_is_refused_before_it_signs() -> None:
    ring = rotated_ring(START_US + 1)

    with pytest.raises(NotProven, match="is suspect since 2015-09-30T08:00:00Z, so nothing it"):
        check_may_sign("a", public("a rep-2").id, ring)
    check_may_sign("a", public("a rep-1").id, ring)


def test_what_does_not_count_is_told_with_the_reason() -> None:
    table = Table().all_sign(after_us=1).say("a", Said.SUSPEND, HOUR_US, by="rep-2")
    table.keys = rotated_ring(START_US + 1)
    assert table.at(2 * HOUR_US).left_out == (
        LeftOut("signature", "a", "rep-2", START_US + 1, SUSPECT),
        LeftOut("suspend", "a", "rep-2", START_US + HOUR_US, SUSPECT),
    )

    early = Table().sign("a", "rep-1", 0, DAY_US).sign("b", "rep-1", 5)
    assert [(each.party, each.why) for each in early.at(4).left_out] == [
        ("b", "it is of a later time than was asked for")
    ]
    assert [(each.party, each.why) for each in early.at(DAY_US).left_out] == [
        ("a", "it expired before all had signed")
    ]
    assert Table().all_sign().at(0).left_out == ()


def test_a_revocation_does_not_make_what_was_built_on_a_suspect_word_unreadable() -> None:
    table = Table().all_sign().say("a", Said.SUSPEND, HOUR_US, by="rep-2")
    table.say("a", Said.RESUME, 2 * HOUR_US, by="rep-1")
    table.keys = rotated_ring(START_US + HOUR_US)

    standing = table.at(3 * HOUR_US)

    assert (standing.state, standing.suspended_by) == (State.IN_FORCE, ())
    assert [(each.what, each.by) for each in standing.left_out] == [
        ("suspend", "rep-2"), ("resume", "rep-1"),
    ]  # fmt: skip
    assert standing.left_out[1].why.startswith("it does not fit without what a suspect key signed")
    unsigned = Table().all_sign(after_us=1).say("b", Said.SUSPEND, HOUR_US)
    unsigned.keys = rotated_ring(START_US + 1)
    assert unsigned.at(3 * HOUR_US).state is State.SIGNED_IN_PART
    assert [each.what for each in unsigned.at(3 * HOUR_US).left_out] == ["signature", "suspend"]


def test_two_representatives_sign_within_24_hours() -> None:
    late = Table().sign("a", "rep-1").sign("a", "rep-2", DAY_US + 1)
    late.sign("b", "rep-1").sign("b", "rep-2")
    soon = Table().sign("a", "rep-1").sign("a", "rep-2", DAY_US)
    soon.sign("b", "rep-1").sign("b", "rep-2")

    assert soon.at(2 * DAY_US).state is State.IN_FORCE
    assert "more than 24 hours apart" in late.at(2 * DAY_US).waits_for[0]
    late.sign("a", "rep-1", DAY_US + 2)
    assert late.at(2 * DAY_US).state is State.IN_FORCE


def test_one_person_signs_where_the_key_document_says_so() -> None:
    table = Table(one_person=(Power.AGREEMENT,)).sign("a", "rep-1").sign("b", "rep-2")

    assert table.at(0).state is State.IN_FORCE
    keys_only = Table(one_person=(Power.KEYS,)).sign("a", "rep-1").sign("b", "rep-2")
    assert keys_only.at(0).state is State.SIGNED_IN_PART


def test_a_signature_that_expired_before_the_last_one_does_not_count() -> None:
    table = Table()
    for name in ("rep-1", "rep-2"):
        table.sign("a", name, 0, 2 * DAY_US)
    assert table.at(DAY_US).waits_for == ("signature of b: 2 more representatives",)
    assert len(table.at(2 * DAY_US).waits_for) == 2

    for name in ("rep-1", "rep-2"):
        table.sign("b", name, 2 * DAY_US)
    assert table.at(3 * DAY_US).state is State.SIGNED_IN_PART
    assert table.at(3 * DAY_US).waits_for == ("signature of a: 2 more representatives",)

    for name in ("rep-1", "rep-2"):
        table.sign("a", name, 3 * DAY_US)
    assert table.at(3 * DAY_US).state is State.IN_FORCE
    assert table.at(100 * DAY_US).state is State.IN_FORCE


def test_a_signature_holds_90_days_at_most() -> None:
    DocumentSignature(document="0" * 64, party="a", at_us=1, expires_us=1 + 90 * DAY_US)
    for lasts_us in (0, -1, 90 * DAY_US + 1):
        with pytest.raises(ValueError, match="more than 90 days; let it expire earlier"):
            DocumentSignature(document="0" * 64, party="a", at_us=1, expires_us=1 + lasts_us)


def test_a_device_and_a_root_have_no_mandate_to_bind_the_party() -> None:
    for name in ("watch", "root"):
        with pytest.raises(NotProven, match=r"has no mandate for agreement: it takes a rep"):
            Table().sign("a", name).at(0)


def test_a_representative_of_the_other_side_or_of_nobody_cannot_sign() -> None:
    table = Table().sign("a", "rep-1")
    stranger = Table().sign("a", "rep-3")
    crossed = Table()
    crossed.sign("b", "rep-1")
    value = msgspec.json.decode(crossed.signatures[0].payload)
    assert value["party"] == "b"

    assert table.at(0).signed[0].by == "rep-1"
    with pytest.raises(NotProven, match="is no key of a in version 1 of its keys"):
        stranger.at(0)


def test_a_signature_of_another_text_is_refused_and_says_that_it_was_changed() -> None:
    words = list(agreement().clauses)
    words[0] = msgspec.structs.replace(
        words[0], texts=(words[0].texts[0], msgspec.structs.replace(words[0].texts[1], text="x"))
    )
    translated = agreement(clauses=tuple(words))

    with pytest.raises(Malformed, match="the document was changed after it was signed"):
        Table().sign("a", "rep-1", of=translated).at(0)


def test_a_signature_for_somebody_who_is_no_party_is_refused() -> None:
    table = Table()
    table.keys.add(sealed(first_document("c")), 0)

    with pytest.raises(Malformed, match="is no party of the agreement"):
        table.sign("c", "rep-1").at(0)


def test_signatures_come_one_by_one() -> None:
    table = Table()
    value = DocumentSignature(
        document=hash_of(table.agreement), party="a", at_us=START_US, expires_us=START_US + 1
    )
    both = (signer("a rep-1"), signer("a rep-2"))
    table.signatures.append(seal(SIGNATURE, encode(value), *both))

    with pytest.raises(Malformed, match="is not one signature; sign one by one"):
        table.at(0)


def test_a_changed_signature_does_not_verify() -> None:
    table = Table().all_sign()
    one = table.signatures[0]
    moved = msgspec.json.decode(one.payload)
    moved["at_us"] += 1
    table.signatures[0] = msgspec.structs.replace(one, payload=encode(moved))

    with pytest.raises(NotProven, match="does not verify"):
        table.at(HOUR_US)


def rotated_ring(suspect_us: int) -> Keyring:
    """Return keys in which rep-2 of a was revoked, as suspect from a time on."""
    changes = revoking("rep-2")
    changes["revoked"] = (Revocation(key_id=public("a rep-2").id, suspect_since_us=suspect_us),)
    ring = Keyring()
    ring.add(sealed(first_document("a")), 0)
    second = rotated(first_document("a"), created_us=suspect_us, **changes)
    ring.add(sealed(second, "rep-1"), 1)
    ring.add(sealed(first_document("b")), 0)
    return ring


def test_what_a_key_signed_before_it_was_suspect_still_counts_after_it_was_replaced() -> None:
    table = Table().all_sign(after_us=1)
    table.keys = rotated_ring(START_US + 2)

    assert table.at(HOUR_US).state is State.IN_FORCE


def test_a_signature_by_a_key_suspect_from_before_does_not_count() -> None:
    table = Table().all_sign(after_us=1)
    table.keys = rotated_ring(START_US + 1)

    assert table.at(HOUR_US).state is State.SIGNED_IN_PART
    assert table.at(HOUR_US).waits_for == ("signature of a: 1 more representative",)


def test_a_statement_by_a_key_suspect_from_before_does_not_count() -> None:
    table = Table().all_sign().say("a", Said.SUSPEND, HOUR_US, by="rep-2")
    assert table.at(HOUR_US).state is State.SUSPENDED

    table.keys = rotated_ring(START_US + HOUR_US)
    assert table.at(HOUR_US).state is State.IN_FORCE


def test_a_representative_whose_mandate_is_over_or_for_something_else_cannot_sign() -> None:
    people = (
        representative("a", "rep-1", mandate(Power.AGREEMENT, days=1)),
        representative("a", "rep-2", mandate(Power.SUSPENSION)),
    )
    table = Table()
    table.keys = Keyring()
    table.keys.add(sealed(first_document("a", representatives=people)), 0)
    table.keys.add(sealed(first_document("b")), 0)

    assert table.sign("a", "rep-1", DAY_US - 1).at(DAY_US).signed[0].by == "rep-1"
    missing = r"representative rep-2 of a.*has no mandate for agreement at .*has: suspension from"
    with pytest.raises(NotProven, match=missing):
        Table().use(table.keys).sign("a", "rep-2").at(0)
    with pytest.raises(NotProven, match=r"rep-1 of a.*has no mandate for agreement at 2015-10-01T"):
        Table().use(table.keys).sign("a", "rep-1", DAY_US).at(DAY_US)
    with pytest.raises(NotProven, match=r"rep-1 of a.*has no mandate for suspension"):
        Table().use(table.keys).say("a", Said.SUSPEND, 1).at(1)


def test_what_was_signed_under_a_mandate_counts_after_the_mandate_was_taken_away() -> None:
    table = Table().all_sign(after_us=1)
    people = (representative("a", "rep-1", mandate(Power.KEYS)),)
    later = next_document(
        first_document("a"), created_us=START_US + HOUR_US, representatives=people,
        one_person=(Power.AGREEMENT,),
    )  # fmt: skip
    table.keys.add(sealed(later, "rep-1", "rep-2"), 1)

    assert table.at(DAY_US).state is State.IN_FORCE
    assert [each.is_alone for each in table.at(DAY_US).signed] == [False] * 4
    with pytest.raises(NotProven, match="has no mandate for suspension"):
        table.say("a", Said.SUSPEND, HOUR_US).at(DAY_US)


def test_what_is_dated_ahead_of_the_clock_is_refused() -> None:
    table = Table().sign("a", "rep-1", HOUR_US)
    now_us = START_US + HOUR_US - CLOCK_US

    check_not_ahead(table.file(), table.agreement, table.keys, now_us)
    with pytest.raises(Malformed, match="is dated 30 s ahead, above 30 s; set the clock"):
        check_not_ahead(table.file(), table.agreement, table.keys, now_us - 1)
    said = Table().say("b", Said.PROPOSE, HOUR_US)
    with pytest.raises(Malformed, match="'b': is dated 3600 s ahead"):
        check_not_ahead(said.file(), said.agreement, said.keys, START_US)


def test_it_waits_for_its_time_and_ends_with_it() -> None:
    later = agreement(in_force_us=START_US + DAY_US)
    table = Table(later).all_sign()

    assert table.at(DAY_US - 1).state is State.SIGNED
    assert table.at(DAY_US - 1).waits_for == ("its time to come into force",)
    assert table.at(DAY_US).state is State.IN_FORCE
    assert table.at(365 * DAY_US - 1).state is State.IN_FORCE
    assert table.at(365 * DAY_US).state is State.EXPIRED
    assert table.at(365 * DAY_US).holds == ()


def test_a_condition_is_stated_by_every_party_before_it_is_in_force() -> None:
    table = Table(with_line_check()).all_sign()
    assert table.at(0).waits_for == (
        "clause 4: a has not signed line-checked", "clause 4: b has not signed line-checked",
    )  # fmt: skip

    table.say("a", Said.LINE_CHECKED, HOUR_US).say("b", Said.LINE_CHECKED, 2 * HOUR_US)
    assert table.at(2 * HOUR_US - 1).state is State.SIGNED
    assert table.at(2 * HOUR_US).state is State.IN_FORCE


def test_suspended_only_the_surviving_clauses_hold_until_those_who_suspended_resume() -> None:
    table = Table().all_sign()
    table.say("a", Said.SUSPEND, HOUR_US).say("b", Said.SUSPEND, HOUR_US + 1)
    table.say("b", Said.RESUME, 2 * HOUR_US)

    assert table.at(HOUR_US - 1).holds == ALL
    assert table.at(HOUR_US).state is State.SUSPENDED
    assert table.at(HOUR_US).suspended_by == ("a",)
    assert table.at(2 * HOUR_US).holds == ("3",)

    table.say("a", Said.RESUME, 3 * HOUR_US)
    assert table.at(3 * HOUR_US).holds == ALL
    assert table.at(2 * HOUR_US).holds == ("3",)


def test_denounced_all_clauses_hold_until_the_notice_is_over() -> None:
    table = Table().all_sign().say("b", Said.DENOUNCE, DAY_US)

    assert table.at(DAY_US).state is State.DENOUNCED
    assert table.at(31 * DAY_US - 1).holds == ALL
    assert table.at(31 * DAY_US).state is State.EXPIRED
    assert table.at(31 * DAY_US).holds == ()


def test_a_denunciation_lifts_no_suspension_and_who_suspended_resumes_until_the_end() -> None:
    table = Table().all_sign().say("a", Said.SUSPEND, HOUR_US).say("b", Said.DENOUNCE, DAY_US)
    table.say("a", Said.RESUME, 3 * DAY_US).say("b", Said.SUSPEND, 4 * DAY_US)

    assert [table.at(days * DAY_US).state for days in (2, 3, 4)] == [State.DENOUNCED] * 3
    assert [table.at(days * DAY_US).holds for days in (2, 3, 4)] == [("3",), ALL, ("3",)]
    assert table.at(4 * DAY_US).suspended_by == ("b",)
    assert table.at(31 * DAY_US).state is State.EXPIRED
    with pytest.raises(NotNow, match="agreement is expired, so it cannot resume"):
        table.say("b", Said.RESUME, 32 * DAY_US).at(32 * DAY_US)
    twice = Table().all_sign().say("a", Said.SUSPEND, 1).say("b", Said.SUSPEND, 2)
    with pytest.raises(NotNow, match="agreement is expired, so it cannot resume"):
        twice.say("b", Said.RESUME, 366 * DAY_US).at(366 * DAY_US)


def test_denounced_before_it_came_into_force_no_clause_ever_holds() -> None:
    table = Table(with_line_check()).all_sign().say("a", Said.DENOUNCE, DAY_US)

    assert table.at(2 * DAY_US).state is State.DENOUNCED
    assert table.at(2 * DAY_US).holds == ()


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (Said.SUSPEND, "signed in part"),
        (Said.DENOUNCE, "signed in part"),
        (Said.PROPOSE, "signed in part"),
    ],
)
def test_what_does_not_fit_the_state_is_refused_and_names_the_ways_on(
    said: Said, state: str
) -> None:
    table = Table().sign("a", "rep-1").say("a", said, HOUR_US)

    assert table.at(HOUR_US - 1).state is State.SIGNED_IN_PART
    with pytest.raises(NotNow, match=f"agreement is {state}, so it cannot {said}; possible now: "):
        table.at(HOUR_US)


def test_a_signature_after_all_have_signed_is_refused() -> None:
    table = Table().all_sign().sign("a", "rep-1", HOUR_US)

    with pytest.raises(NotNow, match="agreement is in force, so it cannot sign"):
        table.at(HOUR_US)


def test_a_reason_that_a_terminal_would_obey_is_refused_with_the_file() -> None:
    table = Table().all_sign().say("a", Said.SUSPEND, 1, why="storm\x1b[2J\nIN FORCE")

    with pytest.raises(Malformed, match=r"statements\[0\], why .*: has a line break, or a char"):
        table.at(HOUR_US)


def test_a_statement_takes_a_representative_too() -> None:
    with pytest.raises(
        NotProven, match=r"post watch of a.*has no mandate for suspension: it takes a rep"
    ):
        Table().all_sign().say("a", Said.SUSPEND, 1, by="watch").at(HOUR_US)


def test_an_exchange_key_that_is_a_signatorys_is_refused_unless_a_clause_names_it() -> None:
    own = public("a watch").id
    silent = Table(agreement(operator_key=own)).all_sign()
    named = agreement(
        operator_key=own,
        clauses=(*agreement().clauses,
                 clause("9", "A runs the exchange.", OperatorKey(party="a", key_id=own))),
    )  # fmt: skip
    other = Table(agreement(operator_key=public("operator").id)).all_sign()

    assert silent.at(0).state is State.SIGNED_IN_PART
    assert "a clause that names the exchange's key" in silent.at(0).waits_for[0]
    assert Table(named).all_sign().at(0).state is State.IN_FORCE
    assert other.at(0).state is State.IN_FORCE


def test_a_file_comes_back_from_its_bytes() -> None:
    table = Table().all_sign().say("a", Said.SUSPEND, 1)

    file, found = read_file(encode(table.file()))

    assert (file, found) == (table.file(), table.agreement)
    with pytest.raises(Malformed):
        read_file(encode(table.file()).replace(b"1000", b"1001", 1) + b" ")


@pytest.mark.parametrize(("state", "event"), sorted(product(State, Event)))
def test_a_move_the_table_does_not_list_is_refused_and_names_the_ways_on(
    state: State, event: Event
) -> None:
    if event in TABLE[state]:
        assert move(state, event) is TABLE[state][event]
        return
    with pytest.raises(NotNow, match=f"agreement is {state}, so it cannot {event}") as refused:
        move(state, event)

    assert refused.value.possible == tuple(TABLE[state])


def test_every_state_can_be_reached_and_ends() -> None:
    reached, todo = set(), [State.DRAFT]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo += TABLE[state].values()
    assert reached == set(State)
    assert all(State.EXPIRED in {*TABLE[state].values(), state} for state in State)
