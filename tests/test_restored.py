# SPDX-License-Identifier: Apache-2.0
"""An exchange that goes on from a backup: all that stood stands, and what is late is entered once.

Rule 7 of the writer (docs/adr/0021-restoring.md): a new incarnation, which says how far it comes.
"""

from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepclear.client.earlier import EarlierCopy
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import LateActDecided, StandingCarried
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.folding import fold
from keepclear.exchange.last_picture import last_picture, standing, verified
from keepclear.exchange.operations import Refused
from keepclear.exchange.picture import Picture, told_in
from keepclear.exchange.reopening import Following
from keepclear.exchange.snapshots import frames, read
from keepclear.line.ladder import Step
from keepclear.plans import acts
from keepclear.plans.operations import State
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.record.faults import BrokenProof, Malformed, NotProven, RecordError
from keepclear.record.files import LeafLine
from keepclear.record.headers import Status
from keepclear.record.notes import NoteKey
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.period import period_of
from tests.exchange_twins import kept_of
from tests.message_plays import SECOND_US, URGENT_US, at, at_line, distress, send, take, wait
from tests.record_plays import START_US
from tests.restored_stages import lost, parts_of, restore, start
from tests.test_after_action import story_of
from tests.test_exchange_machine import Exchanging, ExchangingBitByBit
from tests.test_incidents_machine import WAYS, Cases
from tests.test_messages_machine import Line
from tests.test_rules_of_the_door import NUMBERED, Play, a_and_b
from tests.two_worlds import MINUTE_US, Plan, filed

HERE: Final = Plan(place=0, level=22, start=60, lasts=40)
LATER: Final = Plan(place=0, level=22, start=200, lasts=40)


def begun() -> Play:
    """Return a play in which a and b have met, and the exchange has signed it."""
    play = Play(a_and_b(NUMBERED))
    play.at(1)
    play.file("a", HERE)
    play.file("b", HERE)
    play.stage.exchange.beat()
    return play


def goes_on(play: Play, lines: list[bytes]) -> None:
    """Let the exchange go on from a backup."""
    assert restore(play.stage, lines)
    play.world = play.stage.exchange.world


def check(stage: Stage) -> None:
    """See that the record verifies, folds to the world, and is decided so again."""
    stage.exchange.beat()
    assert verify(stage.lines, stage.keys).is_proven
    assert audit(stage.lines, plain()).differences == ()
    assert fold(stage.lines).hash == stage.exchange.world.hash


def decided(parts: list[Part]) -> list[LateActDecided]:
    """Return what came of late acts."""
    return [
        msgspec.json.decode(each.data, type=LateActDecided)
        for each in parts if each.kind == "late-act-decided/1"
    ]  # fmt: skip


# --- all that stood --------------------------------------------------------------------------


def test_what_was_filed_before_the_backup_protects_after_it_and_conflicts_stand() -> None:
    play = begun()
    before = play.world
    known = play.notices("a")

    goes_on(play, play.stage.lines)

    assert {each.state for each in play.world.operations.values()} == {State.ACCEPTED, State.FILED}
    assert (play.world.conflicts, play.world.places) == (before.conflicts, before.places)
    assert play.notices("a") == known
    play.file("a", Plan(place=3, level=22, start=60, lasts=40))
    assert play.notices("a")[-1].number == known[-1].number + 1
    check(play.stage)


def test_what_falls_due_after_the_backup_falls_due_in_the_new_incarnation() -> None:
    play = begun()

    goes_on(play, play.stage.lines)
    play.at(300)

    assert {each.state for each in play.world.operations.values()} == {State.ENDED}
    check(play.stage)


def test_a_party_folds_the_same_picture_from_the_new_incarnation_alone() -> None:
    play = begun()
    goes_on(play, play.stage.lines)

    picture = Picture("a", {}, {})
    for each in play.parts("a"):
        picture.take(told_in(each))

    own = {k: v for k, v in play.world.operations.items() if v.party == "a"}
    assert picture.operations == own
    assert list(picture.conflicts.values()) == play.notices("a")


def test_the_last_picture_from_a_restored_record_shows_all_that_stood() -> None:
    play = begun()
    before = standing("a", play.parts("a"))
    goes_on(play, play.stage.lines)
    ledger, name, signer = play.stage.exchange._kept.ledger, play.stage._own, play.stage._signer

    lines = [each for each in view_of(play.stage.lines, "a") if each.startswith(b'{"line":"leaf"')]
    leaves = [msgspec.json.decode(each, type=LeafLine).leaf for each in lines]
    held = [(each, msgspec.json.decode(each.part, type=Part)) for each in leaves]
    notes = {
        audience: ledger.signed_checkpoint(audience, name.name, signer)
        for audience in {each.audience for each in leaves}
    }
    last = last_picture(held, notes, "a", Status.EXERCISE, START_US)
    shown = verified(last, (NoteKey(name.name, signer.public),))

    assert shown.picture.protecting() == before.picture.protecting() != {}
    assert shown.picture.unsettled() == before.picture.unsettled() != {}
    agreed, agreed_before = (
        [(each.carried, each.stood) for each in found.agreements] for found in (shown, before)
    )
    assert agreed == agreed_before != []


def test_nobody_is_told_more_of_what_stood_than_when_it_came_about() -> None:
    play = begun()
    play.file("c", HERE)
    goes_on(play, play.stage.lines)

    carried = [
        msgspec.json.decode(each.data, type=StandingCarried)
        for each in play.parts("b") if each.kind == "standing-carried/1"
    ]  # fmt: skip
    whose = {
        play.world.operations[each.key].party for each in carried if each.table == "operations"
    }
    met = [play.world.conflicts[each.key] for each in carried if each.table == "conflicts"]
    assert whose == {"b"}
    assert all("b" in each.parties for each in met)
    assert len(met) < len(play.world.conflicts)


def test_what_a_party_sees_of_a_restored_record_does_not_tell_how_much_others_have() -> None:
    few, many = begun(), begun()
    for place in range(20, 60, 8):
        many.file("c", Plan(place=place, level=30, start=60, lasts=40))
    for play in (few, many):
        goes_on(play, play.stage.lines)

    steps = [
        [len(each) for each in play.stage.exchange.reads.steps("b", 0, 10_000).value.lines]
        for play in (few, many)
    ]
    assert steps[0] == steps[1]


def test_a_restored_record_is_restored_again() -> None:
    play = begun()
    goes_on(play, play.stage.lines)
    play.file("a", LATER)

    goes_on(play, play.stage.lines)

    assert len(play.world.operations) == 3
    check(play.stage)


class Restored(Exchanging):
    """Random acts, and then the exchange goes on from its record as the next incarnation."""

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            assert restore(self.stage, self.stage.lines, hash_every=7)
            check(self.stage)
            self.stage.begin_again()
            self.stage.clock.move_to(self.stage.clock.now_us() + 100 * MINUTE_US)
            self.stage.exchange.pass_time()
            check(self.stage)


class RestoredBitByBit(Restored, ExchangingBitByBit):
    """The same where what an agreement changes is looked at bit by bit."""

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "patch"):
                self.patch.undo()


TestRestored = pytest.mark.slow(Restored.TestCase)
TestRestoredBitByBit = pytest.mark.slow(RestoredBitByBit.TestCase)
TestRestoredBitByBit.settings = TestRestored.settings = settings(
    max_examples=8, stateful_step_count=30, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(seed=st.integers(0, 2**64 - 1))
def test_statements_and_cases_stand_after_the_backup(seed: int) -> None:
    by, cases = Random(seed), Cases()
    for _ in range(40):
        by.choice(WAYS)(cases, by)

    assert restore(cases.stage, cases.stage.lines)
    check(cases.stage)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(seed=st.integers(0, 2**32))
def test_messages_stand_after_the_backup_and_fall_due_as_they_would_have(seed: int) -> None:
    by, line = Random(seed), Line()
    for _ in range(40):
        line.do(by)

    assert restore(line.stage, line.stage.lines)
    for _ in range(40):
        line.do(by)
    check(line.stage)


def test_a_party_folds_the_same_messages_from_the_new_incarnation_alone() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    stage.exchange.beat()
    before = at(stage, message)

    assert restore(stage, stage.lines)

    for party, known in (("a", [before]), ("b", [before]), ("c", [])):
        picture = Picture(party, {}, {})
        for each in parts_of(stage.lines, party):
            picture.take(told_in(each))
        assert list(picture.messages.values()) == known


def test_messages_and_steps_that_the_backup_did_not_have_are_entered_late_with_their_ids() -> None:
    stage = at_line()
    stage.exchange.beat()
    backup = stage.lines
    wait(stage, 10 * SECOND_US)
    message = send(stage)
    cry = distress(stage)
    wait(stage, 20 * SECOND_US)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    before = at(stage, message)
    stage.exchange.beat()
    whole = stage.lines
    wait(stage, 60 * SECOND_US)
    assert restore(stage, backup)

    for party in ("a", "b"):
        for each in lost(stage, party, whole):
            stage.exchange.hand_in(each.receipts, party)

    made = at(stage, message)
    assert [*stage.exchange.world.messages] == [message, cry]
    assert (made.steps, made.sent_us, made.act) == (before.steps, before.sent_us, before.act)
    assert made.first_us == START_US + 60 * SECOND_US + URGENT_US  # it could be read from now on
    check(stage)


# --- what the backup did not have ------------------------------------------------------------


def with_later_acts() -> tuple[Play, list[bytes], str]:
    """Return a play that goes on from an older backup, all its lines before, and what is lost.

    After the backup a files another operation and activates it, and b acknowledges a conflict.
    """
    play = begun()
    backup = play.stage.lines
    play.at(2)
    own = play.file("a", LATER)
    play.stage.submit("a", "operations.activate/1", acts.ActivateOperation(id=own, key=()))
    [told] = play.notices("b")
    other = play.world.operations[told.other.id]
    play.stage.submit(
        "b", "conflicts.acknowledge/1", acts.AcknowledgeConflict(id=told.conflict, ovn=other.ovn)
    )
    play.stage.exchange.beat()
    whole = play.stage.lines
    play.at(20)
    goes_on(play, backup)
    return play, whole, own


def test_acts_after_the_backup_are_entered_late_with_their_receipts_and_decided_anew() -> None:
    play, whole, own = with_later_acts()
    assert own not in play.world.operations

    for party in ("a", "b"):
        for each in lost(play.stage, party, whole):
            play.stage.exchange.hand_in(each.receipts, party)

    [conflict] = play.world.conflicts.values()
    assert play.world.operations[own].state is State.ACTIVATED
    assert play.world.operations[own].filed_us == START_US + 2 * MINUTE_US
    assert conflict.acknowledged == ("b",)
    assert [each.refused for each in decided(play.parts("a"))] == ["", ""]
    assert [each.kind for each in play.parts("b")].count("late-act/1") == 1
    check(play.stage)


def test_a_report_counts_and_names_late_acts_as_acts() -> None:
    play, whole, _ = with_later_acts()
    for party in ("a", "b"):
        for each in lost(play.stage, party, whole):
            play.stage.exchange.hand_in(each.receipts, party)
    story = story_of(play.stage.lines)

    filed_by = {each.party: each.filed for each in period_of(story).parties}
    kinds = [each.act.kind for each in story.moments if each.act is not None]
    assert (filed_by["a"], filed_by["b"]) == (1, 0)
    assert kinds == ["operations.file/1", "operations.activate/1", "conflicts.acknowledge/1"]


def test_a_late_act_is_entered_once_and_gets_the_same_answer_again_also_after_a_start() -> None:
    play, whole, _ = with_later_acts()
    [first, *_] = lost(play.stage, "a", whole)
    answer = play.stage.exchange.hand_in(first.receipts, "a")
    lines = play.stage.lines

    again = play.stage.exchange.hand_in(first.receipts, "a")
    play.stage.begin_again()
    after = play.stage.exchange.hand_in(first.receipts, "a")

    assert (again, after) == (answer, answer)
    assert play.stage.lines == lines
    assert first.act.id not in {each.act.id for each in lost(play.stage, "a", whole)}


def test_a_restored_exchange_goes_on_from_a_snapshot_with_its_late_acts() -> None:
    play, whole, _ = with_later_acts()
    [first, *_] = lost(play.stage, "a", whole)
    answer, exchange = play.stage.exchange.hand_in(first.receipts, "a"), play.stage.exchange
    pieces = list(frames(exchange.copied("1")))

    found = read(pieces, "1", exchange.region, plain())
    lines = play.stage.lines
    following = Following.after(found.kept, lines[0], lines[-1], exchange.region, plain())
    kept = following.result([play.stage._signer.public])

    assert kept_of(kept) == kept_of(exchange._kept)
    assert kept.late
    play.stage.exchange = Exchange(
        exchange.region, play.stage._signer, play.stage.clock, play.stage._ids, play.stage._store,
        plain(), kept,
    )  # fmt: skip
    assert play.stage.exchange.hand_in(first.receipts, "a") == answer
    assert play.stage.lines == lines


def test_a_late_act_that_is_refused_now_is_entered_and_its_party_is_told_why() -> None:
    play, whole, own = with_later_acts()
    play.at(250)  # its end has passed

    for each in lost(play.stage, "a", whole):
        play.stage.exchange.hand_in(each.receipts, "a")

    filed_late, activated = decided(play.parts("a"))
    assert "have all ended before they are filed" in filed_late.refused
    assert "is no operation of a" in activated.refused
    assert own not in play.world.operations
    assert not decided(play.parts("b"))
    check(play.stage)


def test_a_late_act_is_no_later_than_it_was_at_first() -> None:
    play, whole, own = with_later_acts()
    lead = START_US + 200 * MINUTE_US - play.stage.clock.now_us()

    for each in lost(play.stage, "a", whole):
        play.stage.exchange.hand_in(each.receipts, "a")

    made = play.world.operations[own]
    assert made.start_us - made.filed_us > lead


def wrong(change: Callable[[Play, list[bytes]], None], error: type[Exception], words: str) -> None:
    """See that the exchange refuses what is handed in, and enters nothing."""
    play, whole, _ = with_later_acts()
    lines = play.stage.lines

    with pytest.raises(error, match=words):
        change(play, whole)

    assert play.stage.lines == lines


def test_what_the_backup_has_and_what_is_of_others_is_not_taken_late() -> None:
    def had(play: Play, whole: list[bytes]) -> None:
        early = start(play.stage, "a")._replace(sizes={})
        found = EarlierCopy("a", view_of(whole, "a"), {}).lost(early)
        first = next(each for each in found if each.act.party == "a" and "file" in each.act.kind)
        play.stage.exchange.hand_in(first.receipts, "a")

    def of_another(play: Play, whole: list[bytes]) -> None:
        play.stage.exchange.hand_in(lost(play.stage, "a", whole)[0].receipts, "b")

    def nothing(play: Play, _: list[bytes]) -> None:
        play.stage.exchange.hand_in((), "a")

    def no_act(play: Play, whole: list[bytes]) -> None:
        play.stage.exchange.hand_in(lost(play.stage, "a", whole)[0].receipts[1:], "a")

    def changed(play: Play, whole: list[bytes]) -> None:
        first = lost(play.stage, "a", whole)[0].receipts[0]
        made = msgspec.structs.replace(first, salt=bytes(32))
        play.stage.exchange.hand_in((made,), "a")

    wrong(had, Refused, "of which the backup had")
    wrong(of_another, Refused, "each party sends its own acts")
    wrong(nothing, Malformed, "prove no act")
    wrong(no_act, Malformed, "is not act/1")
    wrong(changed, BrokenProof, "leads to another root")


def test_a_receipt_of_this_incarnation_is_not_taken_late() -> None:
    play, _, _ = with_later_acts()
    made = acts.FileOperation(operation=filed(LATER))
    envelope = play.stage.envelope("a", "operations.file/1", made)
    exchange = play.stage.exchange
    receipts = exchange.reads.receipts(exchange.submit(envelope, "a")).value

    with pytest.raises(NotProven, match="is not of incarnation 1"):
        exchange.hand_in(receipts, "a")


def test_a_backup_of_another_record_is_refused_by_who_holds_the_one_before() -> None:
    play, whole, _ = with_later_acts()
    found = start(play.stage, "a")
    roots = dict.fromkeys(found.roots, bytes(32))
    copy = EarlierCopy("a", view_of(whole, "a"), {})

    copy.check(found)
    with pytest.raises(RecordError, match="the backup is of another record"):
        copy.check(found._replace(roots=roots))


def test_an_audit_tells_of_a_late_act_that_the_backup_had() -> None:
    play, whole, _ = with_later_acts()
    [first, *_] = lost(play.stage, "a", whole)
    kept = play.stage.exchange._kept
    kept.starts.clear()
    early = EarlierCopy("a", view_of(whole, "a"), {}).lost(
        start(play.stage, "a")._replace(sizes={})
    )
    had = next(each for each in early if each.act.party == "a" and each.act.id != first.act.id)
    play.stage.exchange.hand_in(had.receipts, "a")

    found = audit(play.stage.lines, plain()).differences
    assert "is entered late, and the backup had it: it was done twice" in {e.what for e in found}
