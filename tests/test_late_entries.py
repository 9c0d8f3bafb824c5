# SPDX-License-Identifier: Apache-2.0
"""Messages that were said by other means during an outage, and are keyed in later."""

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import Precedence
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.audit import audit
from keepclear.exchange.events import MessageChanged
from keepclear.line.acts import AcknowledgeMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.line.said import CLOCKS_US, OLDEST_US, Said
from keepclear.plays.running import Played
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.reports.line_desk_text import came_line
from keepclear.reports.message_html import message_table_rows
from keepclear.reports.message_text import changed_text, in_order, ladder_text, message_rows
from tests.incident_plays import events_seen
from tests.message_plays import (
    SECOND_US,
    URGENT_US,
    at,
    at_line,
    distress,
    overdue,
    send,
    take,
    wait,
)
from tests.own_copies import check_own_copy
from tests.record_plays import START_US
from tests.resigned_records import resigned
from tests.restored_stages import restore

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
BY_RADIO = "frequency 122.5"


@pytest.fixture
def stage() -> Stage:
    return at_line()


def said(after_us: int) -> Said:
    """Return that something was said so long after the start."""
    return Said(at_us=START_US + after_us, by=BY_RADIO)


def acknowledged(stage: Stage, own: str, after_us: int) -> Message:
    """Let b's watch key in that it acknowledged a message so long after the start."""
    take(stage, own, Step.DELIVERED, Step.DISPLAYED)
    stage.submit("b", "line.acknowledge/1", AcknowledgeMessage(id=own, said=said(after_us)))
    return at(stage, own)


def test_a_late_entry_says_when_it_was_said_and_when_it_was_entered(stage: Stage) -> None:
    wait(stage, HOUR_US)

    made = at(stage, send(stage, said=said(0)))

    assert (made.said_us, made.sent_us) == (START_US, START_US + HOUR_US)
    assert made.steps[0].at_us == START_US + HOUR_US  # the record's time is its own
    for party in ("a", "b"):
        check_own_copy(stage, party)


@pytest.mark.parametrize(
    ("at_us", "says"),
    [
        (0, ""),
        (1, "is after now, 2015-09-30T08:00:00Z; give the time in UTC at which it was said"),
        (-OLDEST_US, ""),
        (-OLDEST_US - 1, "is more than 7 days ago; enter it as said now, and tell in its text"),
    ],
)
def test_it_was_said_by_now_and_no_longer_ago_than_the_bound(
    stage: Stage, at_us: int, says: str
) -> None:
    if not says:
        assert send(stage, said=said(at_us))
        return

    with pytest.raises(CallerError, match=says):
        send(stage, said=said(at_us))
    assert not stage.exchange.world.messages


@pytest.mark.parametrize("at_us", [HOUR_US, -2 * OLDEST_US])
def test_distress_is_taken_whatever_it_says_of_its_time(stage: Stage, at_us: int) -> None:
    own = distress(stage, said=said(at_us))

    assert acknowledged(stage, own, -3 * OLDEST_US).first(Step.ACKNOWLEDGED) is not None


@pytest.mark.parametrize(
    ("off_us", "says"),
    [(-CLOCKS_US, ""), (-CLOCKS_US - 1, "is before what it is about, 2015-09-30T08:01:00Z")],
)
def test_what_is_acknowledged_was_said_before_give_or_take_two_clocks(
    stage: Stage, off_us: int, says: str
) -> None:
    wait(stage, HOUR_US)
    own = send(stage, said=said(MINUTE_US))

    if not says:
        assert acknowledged(stage, own, MINUTE_US + off_us).first(Step.ACKNOWLEDGED)
    else:
        with pytest.raises(CallerError, match=says):
            acknowledged(stage, own, MINUTE_US + off_us)


def test_an_acknowledgement_is_not_said_after_it_is_keyed_in(stage: Stage) -> None:
    own = send(stage)

    with pytest.raises(CallerError, match="is after now"):
        acknowledged(stage, own, 1)


def test_its_first_deadline_is_counted_once_from_when_it_was_entered(stage: Stage) -> None:
    wait(stage, HOUR_US)
    own = send(stage, said=said(0))
    assert at(stage, own).first_us == START_US + HOUR_US + URGENT_US

    wait(stage, HOUR_US + URGENT_US - 1)
    assert overdue(at(stage, own)) == []
    wait(stage, HOUR_US + URGENT_US)

    assert {step for step, *_ in overdue(at(stage, own))} == {
        Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED
    }  # fmt: skip


def test_no_deadline_begins_anew_for_what_was_acknowledged_by_other_means(stage: Stage) -> None:
    wait(stage, HOUR_US)
    own = send(stage, said=said(0))

    made = acknowledged(stage, own, MINUTE_US)

    assert made.due[Step.DISSEMINATED] == START_US + MINUTE_US + URGENT_US  # has passed
    assert made.next_us is None
    wait(stage, 5 * HOUR_US)
    assert overdue(at(stage, own)) == []
    assert not at(stage, own).is_done  # and it is still to be passed on
    assert "not taken; was due 08:06:00Z" in ladder_text(at(stage, own), stage.clock.now_us())


def test_a_deadline_that_is_still_to_come_goes_on_from_when_it_was_acknowledged(
    stage: Stage,
) -> None:
    own = send(stage)
    wait(stage, 2 * MINUTE_US)

    made = acknowledged(stage, own, MINUTE_US)

    assert made.next_us == START_US + MINUTE_US + URGENT_US
    wait(stage, MINUTE_US + URGENT_US)
    assert overdue(at(stage, own)) == [
        (Step.DISSEMINATED, "watch", MINUTE_US + URGENT_US, "duty-officer")
    ]


def test_what_was_overdue_stays_so_whenever_it_was_acknowledged(stage: Stage) -> None:
    own = send(stage)
    wait(stage, URGENT_US)
    before = overdue(at(stage, own))

    made = acknowledged(stage, own, MINUTE_US)

    assert before
    assert overdue(made) == before


def test_messages_are_read_in_the_order_in_which_they_were_said(stage: Stage) -> None:
    wait(stage, MINUTE_US)
    first = send(stage)
    wait(stage, 2 * MINUTE_US)
    second = send(stage, said=said(0))
    third = send(stage, precedence=Precedence.ROUTINE, said=said(-HOUR_US))

    held = stage.exchange.world.messages

    assert list(held) == [first, second, third]  # as the record has them
    assert [each.id for each in in_order(held.values())] == [second, first, third]


def test_late_entry_is_written_wherever_it_is_shown(stage: Stage) -> None:
    wait(stage, HOUR_US)
    own = send(stage, said=said(0))
    acknowledged(stage, own, MINUTE_US)
    message, now_us = at(stage, own), stage.clock.now_us()
    words = "said 2015-09-30 08:00:00Z by frequency 122.5, as a says, and keyed in later"

    rows = list(message_rows(message, now_us))
    sent, *_, taken = [changed_text(each) for each in events_seen(stage, "b", MessageChanged)]

    assert rows[0].startswith(f"URGENT (PAN PAN)  LATE ENTRY  message {own[:8]} from a")
    assert f"  LATE ENTRY  {words}" in rows
    assert "LATE ENTRY: said 2015-09-30 08:01:00Z" in ladder_text(message, now_us)
    assert sent.startswith("URGENT (PAN PAN): LATE ENTRY  message")
    assert "as b says, and keyed in later" in taken
    [page] = message_table_rows([message])
    assert f"<b>LATE ENTRY </b>{words}" in page
    assert "LATE ENTRY  " in came_line(message, now_us)
    assert "60 min old" in came_line(message, now_us) or "1 h" in came_line(message, now_us)
    assert "LATE ENTRY" not in "\n".join(message_rows(at(stage, send(stage)), now_us))


def test_a_late_entry_stands_after_a_backup_was_restored(stage: Stage) -> None:
    wait(stage, HOUR_US)
    own = send(stage, said=said(0))
    before = acknowledged(stage, own, MINUTE_US)
    stage.exchange.beat()

    assert restore(stage, stage.lines)

    assert at(stage, own) == before


@pytest.mark.parametrize("name", ["message", "taken"])
def test_a_time_that_nobody_has_said_is_found_when_it_is_decided_again(
    stage: Stage, name: str
) -> None:
    wait(stage, HOUR_US)
    own = send(stage, said=said(0))
    acknowledged(stage, own, MINUTE_US)
    stage.exchange.beat()
    done = Played(stage.lines, stage.keys, {}, ())
    assert audit(done.lines, plain()).differences == ()

    def spoil(_: int, __: str, value: Signed) -> Signed:
        inner = getattr(value, name, None) if isinstance(value, MessageChanged) else None
        if inner is None or inner.said is None:
            return value
        return replace(value, **{name: replace(inner, said=said(1))})

    assert audit(resigned(done, spoil).lines, plain()).differences
