# SPDX-License-Identifier: Apache-2.0
"""Incident cases: each rule of `plans.incidents` and `exchange.incidents` in one test."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import msgspec
import pytest

from keepclear.agreement.clauses import IncidentRule
from keepclear.agreement.moves import NotNow
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import IncidentChanged, LineChanged
from keepclear.exchange.folding import fold
from keepclear.plans.incidents import (
    BY_ITSELF,
    REPLY_US,
    TABLE,
    URGENT_REPLY_US,
    About,
    AnswerLine,
    AskQuery,
    CloseIncident,
    Event,
    Incident,
    LeaveIncident,
    OpenIncident,
    ReplyToQuery,
    State,
    WriteLine,
    move,
)
from keepclear.plays.stage import Stage
from keepclear.record.entries import Entry, leaf_of
from keepclear.record.files import EntryLine
from keepclear.record.headers import Status, read_act
from keepclear.record.keys import Signer
from keepclear.record.ledger import Ledger
from keepclear.record.receipts import Receipt
from keepclear.record.verification import verify
from tests.agreement_plays import DAY_US, HOUR_US, agreement, clause
from tests.exchange_plays import CountedIds
from tests.incident_plays import (
    HOUSE,
    MINUTE_US,
    acts_seen,
    events_seen,
    file,
    leaves_seen,
    open_case,
    refusal,
    say_none_here,
    seen,
    staged,
    volume,
)
from tests.record_plays import START_US

NOWHERE = "0" * 32


def in_conflict(*parties: str) -> tuple[Stage, str]:
    """Return a stage on which a and b have a conflict, and its id."""
    stage = staged(*parties)
    for party in ("a", "b"):
        file(stage, party, volume())
    return stage, next(iter(stage.exchange.world.conflicts))


def begun(*parties: str, is_urgent: bool = False) -> tuple[Stage, str]:
    """Return a stage with a case that a has opened about a conflict with b."""
    stage, conflict = in_conflict(*parties)
    return stage, open_case(stage, "a", "b", conflict, is_urgent=is_urgent)


def at(stage: Stage, case: str) -> Incident:
    return stage.exchange.world.incidents[case]


def ask(stage: Stage, case: str, party: str = "a") -> str:
    stage.submit(party, "incidents.query/1", AskQuery(id=case, words="Whose was it?"))
    query = at(stage, case).query
    assert query is not None
    return query.id


def reply(stage: Stage, case: str, query: str, party: str = "b") -> None:
    stage.submit(party, "incidents.reply/1", ReplyToQuery(id=case, query=query, words="Ours."))


def write(stage: Stage, case: str, party: str, at_us: int = START_US, **more: object) -> str:
    made = WriteLine(id=case, at_us=at_us, words="It turned north.")
    made = msgspec.structs.replace(made, **more)
    stage.submit(party, "incidents.write-line/1", made)
    return list(stage.exchange.world.lines)[-1]


def answer(stage: Stage, line: str, party: str, *, agrees: bool, why: str = "") -> None:
    made = AnswerLine(id=line, agrees=agrees, why=why)
    stage.submit(party, "incidents.answer-line/1", made)


def wait(stage: Stage, after_us: int) -> None:
    stage.clock.move_to(START_US + after_us)
    stage.exchange.pass_time()


# --- the table ------------------------------------------------------------------------------


def refused_moves() -> Iterator[tuple[State, Event]]:
    for state, event in product(State, Event):
        if event not in TABLE[state]:
            yield state, event


@pytest.mark.parametrize(("state", "event"), list(refused_moves()))
def test_what_the_table_does_not_list_is_refused_and_names_the_ways_on(
    state: State, event: Event
) -> None:
    with pytest.raises(NotNow) as refused:
        move(state, event)

    assert refused.value.possible == tuple(TABLE[state])
    for way in TABLE[state]:
        assert (way in str(refused.value)) == (way not in BY_ITSELF)


def test_every_state_but_closed_leads_on_to_closed() -> None:
    assert not TABLE[State.CLOSED]
    assert all(TABLE[each][Event.CLOSE] is State.CLOSED for each in State if TABLE[each])


# --- opening --------------------------------------------------------------------------------


def test_the_other_party_is_told_at_once_and_nobody_else_sees_anything_of_it() -> None:
    stage, case = begun()
    query = ask(stage, case)
    line = write(stage, case, "b")
    answer(stage, line, "a", agrees=False, why="It turned south.")
    reply(stage, case, query)

    [first, *_] = events_seen(stage, "b", IncidentChanged)
    assert (first.incident.id, first.note) == (case, "opened by a")
    assert len(events_seen(stage, "b", LineChanged)) == 2
    kinds = {p: [read_act(e).kind for e in acts_seen(stage, p)] for p in ("a", "b")}
    told = [each for each in kinds["b"] if each.startswith("incidents.")]
    assert told == [each for each in kinds["a"] if each.startswith("incidents.")]
    assert len(told) == 5
    for_everybody = ["region-opened/1", *["key-document/1"] * 3]
    assert [kind for kind, _ in seen(stage, "c")] == for_everybody


def test_a_case_is_about_a_part_that_its_opener_sees_by_the_hash_of_its_leaf() -> None:
    stage, _ = in_conflict()
    own, *_ = [leaf for leaf in leaves_seen(stage, "a") if leaf.audience == "a"]
    theirs, *_ = [leaf for leaf in leaves_seen(stage, "b") if leaf.audience == "b"]
    hashes = [leaf_of(leaf.salt, bytes(leaf.part)).hex() for leaf in (own, theirs)]

    case = open_case(stage, "a", "b", hashes[0])
    assert at(stage, case).kind is About.PART
    refused = [
        refusal(stage, "a", "incidents.open/1", OpenIncident(about=each, other="b", words="?"))
        for each in (hashes[1], "0" * 64)
    ]
    assert refused[0].replace(hashes[1], "0" * 64) == refused[1]
    assert "is no part of the record that a sees" in refused[1]


def test_a_case_is_about_what_both_may_name_and_all_else_gets_one_answer() -> None:
    stage, conflict = in_conflict()
    one, other = stage.exchange.world.operations
    far = file(stage, "b", volume(latitude=40.0)).id
    stated = say_none_here(stage, "a", volume(latitude=38.0), "b").id
    to_c = say_none_here(stage, "b", volume(latitude=38.0), "c").id
    of_c = say_none_here(stage, "c", volume(latitude=38.0), "a", "b").id
    kinds = {conflict: About.CONFLICT, one: About.OPERATION, other: About.OPERATION,
             stated: About.NONE_HERE}  # fmt: skip

    for about, kind in kinds.items():
        assert at(stage, open_case(stage, "a", "b", about)).kind is kind
    answers = set()
    for about, party in (
        (far, "b"), (to_c, "b"), (conflict, "c"), (stated, "c"), (other, "c"), (of_c, "b"),
        (NOWHERE, "b"),
    ):  # fmt: skip
        made = OpenIncident(about=about, other=party, words="?")
        answers.add(refusal(stage, "a", "incidents.open/1", made).replace(about, NOWHERE))
    assert len(answers) == 1
    assert "is nothing that these two parties may both know of" in answers.pop()


def test_another_s_operation_is_named_by_who_is_in_conflict_with_it_and_no_third() -> None:
    stage, _ = in_conflict()
    of_a, of_b = stage.exchange.world.operations

    for about, other in ((of_a, "a"), (of_b, "b"), (of_a, "b")):
        made = OpenIncident(about=about, other=other, words="?")
        assert "may both know of" in refusal(stage, "c", "incidents.open/1", made)


@pytest.mark.parametrize("other", ["a", "nobody"])
def test_a_case_is_opened_with_another_party_of_the_region(other: str) -> None:
    stage, conflict = in_conflict()

    why = refusal(
        stage, "a", "incidents.open/1", OpenIncident(about=conflict, other=other, words="?")
    )
    assert "is no other party of this region" in why


def test_a_case_that_one_is_not_in_is_like_one_that_is_not_there() -> None:
    stage, case = begun()
    line = write(stage, case, "a")
    query = ask(stage, case)
    tried = {
        "incidents.query/1": AskQuery(id=case, words="?"),
        "incidents.reply/1": ReplyToQuery(id=case, query=query, words="!"),
        "incidents.write-line/1": WriteLine(id=case, at_us=START_US, words="!"),
        "incidents.close/1": CloseIncident(id=case),
        "incidents.leave-open/1": LeaveIncident(id=case, why="!"),
        "incidents.answer-line/1": AnswerLine(id=line, agrees=True),
    }

    for kind, payload in tried.items():
        own = line if kind == "incidents.answer-line/1" else case
        unknown = msgspec.structs.replace(payload, id=NOWHERE)
        not_there = refusal(stage, "c", kind, unknown).replace(NOWHERE, own)
        assert refusal(stage, "c", kind, payload) == not_there


def test_an_exercise_s_case_and_an_actual_act_never_meet() -> None:
    stage, case = begun()
    stated = say_none_here(stage, "a", volume()).id
    stage._status = Status.ACTUAL  # of the acts from here on

    assert "is no case of a" in refusal(
        stage, "a", "incidents.query/1", AskQuery(id=case, words="?")
    )
    for about in (*stage.exchange.world.conflicts, *stage.exchange.world.operations, stated):
        made = OpenIncident(about=about, other="b", words="?")
        assert "may both know of" in refusal(stage, "a", "incidents.open/1", made)


# --- queries --------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_urgent", "days"), [(False, 7), (True, 2)])
def test_a_reply_is_due_in_seven_days_and_in_two_where_it_is_urgent(
    is_urgent: bool,  # noqa: FBT001
    days: int,
) -> None:
    stage, case = begun(is_urgent=is_urgent)
    ask(stage, case)

    due_us = at(stage, case).due_us
    assert due_us == START_US + days * DAY_US
    assert due_us == START_US + (URGENT_REPLY_US if is_urgent else REPLY_US)
    notes = [each.note for each in events_seen(stage, "b", IncidentChanged)]
    assert all(each.startswith("URGENT: ") == is_urgent for each in notes)


@pytest.mark.parametrize(("is_urgent", "hours"), [(False, 30), (True, 10)])
def test_clauses_say_otherwise_and_the_strictest_counts(
    is_urgent: bool,  # noqa: FBT001
    hours: int,
) -> None:
    stage = staged("a", "b")
    for name, slow, fast in (("one", 30, 20), ("two", 40, 10)):
        rule = IncidentRule(reply_us=slow * HOUR_US, urgent_reply_us=fast * HOUR_US)
        made = agreement(id=name, clauses=(clause("7", "Reply.", rule),))
        stage.carry(stage.signed(made), made)
    for party in ("a", "b"):
        file(stage, party, volume())
    [conflict] = stage.exchange.world.conflicts
    case = open_case(stage, "a", "b", conflict, is_urgent=is_urgent)

    assert at(stage, case).reply_us == hours * HOUR_US
    assert at(stage, case).clause.startswith("clause 7 of ")


def test_a_reply_that_does_not_come_is_overdue_when_it_falls_due_and_both_are_told_once() -> None:
    stage, case = begun()
    query = ask(stage, case)
    write(stage, case, "b")
    wait(stage, REPLY_US - 1)
    assert at(stage, case).state is State.QUERIED
    wait(stage, REPLY_US)
    wait(stage, REPLY_US + DAY_US)

    for party in ("a", "b"):
        notes = [each.note for each in events_seen(stage, party, IncidentChanged)]
        assert notes.count("the reply of b is overdue") == 1
    assert at(stage, case).state is State.OVERDUE
    reply(stage, case, query)
    kept = at(stage, case)
    assert kept.state is State.OPEN
    assert kept.query is not None
    assert kept.query.is_overdue


def test_what_was_replied_to_in_time_never_falls_due() -> None:
    stage, case = begun()
    reply(stage, case, ask(stage, case))
    wait(stage, DAY_US)
    ask(stage, case, "b")
    wait(stage, REPLY_US)

    assert at(stage, case).state is State.QUERIED
    wait(stage, REPLY_US + DAY_US)
    assert at(stage, case).state is State.OVERDUE


def test_one_query_waits_at_a_time_and_the_other_party_replies_to_it() -> None:
    stage, case = begun()
    query = ask(stage, case)

    for party in ("a", "b"):
        why = refusal(stage, party, "incidents.query/1", AskQuery(id=case, words="?"))
        assert "is queried, so it cannot query; possible now: reply or write a line or close" in why
    kind = "incidents.reply/1"
    own = refusal(stage, "a", kind, ReplyToQuery(id=case, query=query, words="!"))
    assert "is a's own; the other side replies" in own
    wrong = refusal(stage, "b", kind, ReplyToQuery(id=case, query=NOWHERE, words="!"))
    assert "is not the one that waits" in wrong
    reply(stage, case, query)
    ask(stage, case, "b")


# --- the timeline ---------------------------------------------------------------------------


def test_a_line_is_marked_agreed_or_as_only_one_side_s_and_disagreement_is_kept() -> None:
    stage, case = begun()
    one, two, three = (write(stage, case, party) for party in ("a", "b", "b"))
    answer(stage, two, "a", agrees=True)
    answer(stage, three, "a", agrees=False, why="It turned south.")

    lines = stage.exchange.world.lines
    assert [lines[each].mark for each in (one, two, three)] == ["only a", "agreed", "only b"]
    assert lines[three].why == "It turned south."
    answer(stage, three, "a", agrees=True)
    assert lines[three].mark == "agreed"
    answer(stage, two, "a", agrees=False, why="Not so.")
    assert lines[two].mark == "only b"


def test_own_lines_are_not_answered_and_no_comes_with_a_reason() -> None:
    stage, case = begun()
    line = write(stage, case, "a")
    kind = "incidents.answer-line/1"

    own = refusal(stage, "a", kind, AnswerLine(id=line, agrees=True))
    assert "is a's own; the other side answers" in own
    why = refusal(stage, "b", kind, AnswerLine(id=line, agrees=False))
    assert "give the reason why not" in why


def test_a_line_about_a_time_before_one_that_is_there_is_a_late_entry() -> None:
    stage, case = begun()
    wait(stage, HOUR_US)
    ids = [write(stage, case, "a", START_US + m * MINUTE_US) for m in (10, 20, 20, 19)]
    other = open_case(stage, "b", "a", at(stage, case).about)
    ids.append(write(stage, other, "b", START_US))

    lines = stage.exchange.world.lines
    assert [lines[each].is_late for each in ids] == [False, False, False, True, False]


def test_a_line_is_about_what_has_been() -> None:
    stage, case = begun()
    made = WriteLine(id=case, at_us=START_US + 1, words="It will turn.")

    assert "is after now" in refusal(stage, "a", "incidents.write-line/1", made)


def test_evidence_is_parts_that_the_writer_sees_by_the_hashes_of_their_leaves() -> None:
    stage, case = begun()
    hashes = {
        party: [leaf_of(each.salt, bytes(each.part)).hex() for each in leaves_seen(stage, party)]
        for party in ("a", "b")
    }
    of_a, of_b = (next(h for h in hashes[p] if h not in hashes[q]) for p, q in ("ab", "ba"))
    line = write(stage, case, "a", evidence=(of_a, hashes["a"][0]))

    assert stage.exchange.world.lines[line].evidence == (of_a, hashes["a"][0])
    for unseen in (of_b, "f" * 64):
        made = WriteLine(id=case, at_us=START_US, words="!", evidence=(of_a, unseen))
        why = refusal(stage, "a", "incidents.write-line/1", made)
        assert f"evidence[1] '{unseen}': is no part of the record that a sees" in why


def receipts_of(
    stage: Stage, audience: str, signer: Signer | None = None, name: str = ""
) -> list[Receipt]:  # fmt: skip
    """Return the receipts of all leaves of a tree, under a checkpoint of the whole of it."""
    exchange = stage.exchange
    ledger: Ledger = exchange._kept.ledger  # no command gives receipts out
    name = name or exchange._region.exchange
    note = ledger.signed_checkpoint(audience, name, signer or exchange._signer)
    size = len(ledger.trees[audience])
    leaves = []
    for data in stage.lines:
        line = msgspec.json.decode(data)
        if line["line"] == "entry":
            entry = msgspec.json.decode(msgspec.json.decode(data, type=EntryLine).entry, type=Entry)
            leaves += [each for each in entry.leaves if each.audience == audience]
    return [ledger.receipt(leaf, n, note, size) for n, leaf in enumerate(leaves)]


def test_receipts_are_verified_before_they_are_taken_as_evidence() -> None:
    stage, case = begun()
    good = receipts_of(stage, "a")[0]
    line = write(stage, case, "a", receipts=(good,))
    forged = receipts_of(stage, "a", Signer(bytes(32)))[0]
    moved = msgspec.structs.replace(good, index=1)
    changed = msgspec.structs.replace(good, salt=bytes(32))
    exchange, elsewhere = stage.exchange, Stage(
        "elsewhere", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain()
    )  # fmt: skip
    elsewhere.join("a")
    strange = receipts_of(elsewhere, "*", exchange._signer, exchange._region.exchange)[0]

    assert stage.exchange.world.lines[line].receipts == (good,)
    for bad, why in (
        (forged, "is signed by no key that is known"), (moved, "leads to another root"),
        (changed, "leads to another root"), (receipts_of(stage, "b")[0], "that a sees"),
        (strange, "keepclear/elsewhere/1/*': is signed by no key that is known"),
    ):  # fmt: skip
        made = WriteLine(id=case, at_us=START_US, words="!", receipts=(bad,))
        assert why in refusal(stage, "a", "incidents.write-line/1", made)
    assert len(stage.exchange.world.lines) == 1


def test_a_none_here_comes_into_a_case_by_a_line_of_who_may_name_it() -> None:
    stage, case = begun()
    stated = say_none_here(stage, "b", volume(), "a").id
    to_c = say_none_here(stage, "b", volume(latitude=38.0), "c").id
    made = WriteLine(id=case, at_us=START_US, words="!", none_here=to_c)

    assert "may both know of" in refusal(stage, "b", "incidents.write-line/1", made)
    write(stage, case, "b", none_here=stated)
    assert at(stage, case).none_here == (stated,)
    assert "contradictions-shown/1" in [kind for kind, _ in seen(stage, "a")]


# --- the end --------------------------------------------------------------------------------


def test_a_case_is_closed_once_both_have_said_so_and_nothing_follows() -> None:
    stage, case = begun()
    line = write(stage, case, "b")
    for _ in range(2):
        stage.submit("a", "incidents.close/1", CloseIncident(id=case))
        assert (at(stage, case).state, at(stage, case).closing) == (State.OPEN, ("a",))
    stage.submit("b", "incidents.close/1", CloseIncident(id=case, why="Settled."))

    assert (at(stage, case).state, at(stage, case).why) == (State.CLOSED, "Settled.")
    made = WriteLine(id=case, at_us=START_US, words="!")
    assert "nothing: open another" in refusal(stage, "a", "incidents.write-line/1", made)
    late = AnswerLine(id=line, agrees=True)
    assert "nothing: open another" in refusal(stage, "a", "incidents.answer-line/1", late)


def test_a_query_or_a_line_takes_back_what_was_said_of_closing() -> None:
    stage, case = begun()
    for then in (partial(write, stage, case, "b"), partial(ask, stage, case, "b")):
        stage.submit("a", "incidents.close/1", CloseIncident(id=case))
        then()
        assert at(stage, case).closing == ()
    stage.submit("a", "incidents.close/1", CloseIncident(id=case))
    query = at(stage, case).query
    assert query is not None
    reply(stage, case, query.id, "a")
    assert at(stage, case).closing == ()


def test_one_leaves_it_open_with_a_reason_but_not_while_a_reply_is_due() -> None:
    stage, case = begun()
    query = ask(stage, case)
    leave = LeaveIncident(id=case, why="No more to say.")

    assert "possible now: reply" in refusal(stage, "b", "incidents.leave-open/1", leave)
    reply(stage, case, query)
    stage.submit("b", "incidents.leave-open/1", leave)
    assert (at(stage, case).state, at(stage, case).why) == (State.LEFT_OPEN, "No more to say.")
    ask(stage, case)
    wait(stage, REPLY_US)
    stage.submit("a", "incidents.leave-open/1", leave)
    assert at(stage, case).state is State.LEFT_OPEN


def test_why_a_case_was_left_open_is_not_why_it_was_closed() -> None:
    stage, case = begun()
    leave = LeaveIncident(id=case, why="No more to say.")
    stage.submit("b", "incidents.leave-open/1", leave)

    stage.submit("a", "incidents.close/1", CloseIncident(id=case))
    stage.submit("b", "incidents.close/1", CloseIncident(id=case))
    assert (at(stage, case).state, at(stage, case).why) == (State.CLOSED, "")


def test_why_one_would_close_a_case_stays_where_the_other_says_nothing() -> None:
    stage, case = begun()

    stage.submit("a", "incidents.close/1", CloseIncident(id=case, why="Settled."))
    stage.submit("b", "incidents.close/1", CloseIncident(id=case))
    assert at(stage, case).why == "Settled."


def test_a_case_folds_and_its_record_is_proven() -> None:
    stage, case = begun()
    query = ask(stage, case)
    line = write(stage, case, "a", receipts=(receipts_of(stage, "a")[0],))
    answer(stage, line, "b", agrees=True)
    wait(stage, REPLY_US)
    reply(stage, case, query)
    stage.exchange.beat()

    assert fold(stage.lines).hash == stage.exchange.world.hash
    assert verify(stage.lines, stage.keys).is_proven
    assert not audit(stage.lines, plain()).differences
