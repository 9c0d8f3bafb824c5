# SPDX-License-Identifier: Apache-2.0
"""Plays through the HTTP API, by clients of both sides, on a clock handed to all of them.

What a play has to show is looked for in the copy that each client holds of its part of the record,
proven, and nowhere else. Pass conditions are those of the stories that the plays are made after.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.client import ClockOff, NotDone
from keepclear.formats.play import read_play
from keepclear.line.acts import AcknowledgeMessage, MarkDisplayed, MarkDisseminated, SendDistress
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.line.templates import template_named
from keepclear.plays.stage import HOUR_US
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import BrokenProof
from keepclear.record.headers import read_act
from keepclear.record.parts import ACT_KIND
from keepclear.reports.play_text import played_text
from tests.exchange_plays import EXAMPLES, example, played, unwrapped
from tests.http_stage import HttpStage, over_http, played_over_http
from tests.message_plays import CHAIN, SECOND_US, WITHIN_S, line_agreement, sending

PLAYS: Final = sorted(each.name for each in EXAMPLES.glob("plays/*.toml"))
MINUTE_US: Final = 60 * SECOND_US
pytestmark = pytest.mark.slow


@pytest.fixture
def line(tmp_path: Path) -> Iterator[HttpStage]:
    with over_http(tmp_path, line_agreement(), "a", "b") as made:
        yield made


@pytest.mark.parametrize("name", PLAYS)
def test_a_play_over_http_is_the_story_of_the_one_in_memory(name: str, tmp_path: Path) -> None:
    text = example(f"plays/{name}")
    play = read_play(text.encode(), "play")

    in_memory = played(text)
    with played_over_http(text, tmp_path) as (by_clients, _):
        for viewer in (None, *play.parties):
            stories = [played_text(play, each, viewer) for each in (by_clients, in_memory)]
            assert named(stories[0]) == named(stories[1])


def named(story: str) -> str:
    """Return a story with numbers for ids, in the order in which they come."""
    ids: dict[str, str] = {}
    return re.sub(
        r"\b[0-9a-f]{8}\b", lambda found: ids.setdefault(found[0], f"#{len(ids)}"), unwrapped(story)
    )


def held_by_both(stage: HttpStage) -> list[Message]:
    """Return the messages of a and b, of which both hold the same."""
    one, two = (stage.client(party).messages() for party in ("a", "b"))
    assert one == two
    return one


def steps_of(message: Message) -> list[Step]:
    return [each.step for each in message.steps]


def test_tanf_2016_says_over_an_hour_before_the_second_wave_that_nobody_was_told(
    tmp_path: Path,
) -> None:
    text = example("plays/tanf_2016.toml")
    second_wave_us = read_play(text.encode(), "play").start_us + 90 * MINUTE_US

    with played_over_http(text, tmp_path) as (_, stage):
        [call] = held_by_both(stage)

    assert Step.ACKNOWLEDGED in steps_of(call)
    assert Step.DISSEMINATED not in steps_of(call)
    alarms = [each.due_us for each in call.overdue if each.step is Step.DISSEMINATED]
    assert alarms
    assert alarms[0] <= second_wave_us - HOUR_US


def test_deir_ez_zor_2016_shows_both_places_at_both_clients_and_another_on_watch_takes_the_call(
    tmp_path: Path,
) -> None:
    with played_over_http(example("plays/deir_ez_zor_2016.toml"), tmp_path) as (_, stage):
        notice, call = held_by_both(stage)

    wrong, right = notice.read_backs
    assert [(each.is_same, each.distance_m) for each in wrong.fields] == [
        (False, 9_246), (True, None)
    ]  # fmt: skip
    assert (right.is_same, notice.is_confirmed) == (True, True)
    taken = call.first(Step.ACKNOWLEDGED)
    assert taken is not None
    assert (call.person, taken.person) == ("usual-officer", "second-on-watch")
    assert taken.at_us - call.sent_us < MINUTE_US


def test_suspension_2017_delivers_the_notice_of_a_launch_by_the_clauses_that_survive(
    tmp_path: Path,
) -> None:
    with played_over_http(example("plays/suspension_2017.toml"), tmp_path) as (found, stage):
        notice, distress, thanks = held_by_both(stage)

    assert [each.why.partition(":")[0] for each in found.refused] == ["channel 'political'"]
    assert steps_of(notice) == list(notice.ladder)
    assert (notice.precedence, notice.overdue) == (Precedence.PRIORITY, ())
    assert notice.clause.startswith("clause 4.1 of ")
    assert [each for each in distress.ladder if distress.first(each)] == list(distress.ladder)
    assert (thanks.channel, thanks.clause[:10]) == ("political", "clause 4.1")


def test_brahmos_2022_is_told_with_three_inputs_and_goes_on_with_updates(tmp_path: Path) -> None:
    with played_over_http(example("plays/brahmos_2022.toml"), tmp_path) as (_, stage):
        notice, *updates = held_by_both(stage)

    assert notice.template == template_named("accident-notice").form
    assert [each.name for each in notice.values] == ["time", "place", "intent"]
    assert (notice.text, notice.is_confirmed) == ("", True)
    assert notice.first(Step.DISSEMINATED) is not None
    assert [each.reply_to for each in updates] == [notice.id] * 2
    assert all(each.is_done and not each.overdue for each in (notice, *updates))


def test_who_is_away_for_an_hour_has_missed_nothing_and_goes_on_up_the_ladder(
    line: HttpStage,
) -> None:
    line.client("b").catch_up()
    away = line.client("b").seen  # its desk is closed: no client of b asks for anything
    sent = [
        line.client("a").act("line.send/1", sending(text=f"number {number}", precedence=urgency))
        for number, urgency in enumerate((Precedence.URGENT, Precedence.PRIORITY) * 10)
    ]
    begun_us = line.clock.now_us()
    for _ in range(60):
        line.clock.move_to(line.clock.now_us() + MINUTE_US)
        line.exchange.pass_time()
    assert all(steps_of(each) == [Step.SENT] for each in line.client("a").messages())

    with line.new_client("b", seen=away) as back:
        assert len(back.deliver()) == len(sent)
        for each in back.messages():
            back.act("line.displayed/1", MarkDisplayed(id=each.id))
            back.act("line.acknowledge/1", AcknowledgeMessage(id=each.id))
            back.act("line.disseminated/1", MarkDisseminated(id=each.id, units=("all",)))
        held = back.messages()

    assert held == line.client("a").messages()
    assert [each.text for each in held] == [f"number {number}" for number in range(len(sent))]
    for each in held:
        assert steps_of(each) == list(each.ladder)
        assert [step.at_us for step in each.steps[1:]] == [begun_us + HOUR_US] * 4
        # each post of the chain has as long as is agreed; after an hour the last one's is over
        within_us = WITHIN_S[each.precedence] * SECOND_US
        late = [due.due_us for due in each.overdue if due.step is Step.ACKNOWLEDGED]
        assert late == [begun_us + k * within_us for k in range(1, len(CHAIN) + 1)]
        goes_on = [due.goes_to for due in each.overdue if due.step is Step.ACKNOWLEDGED]
        assert goes_on == [*CHAIN[1:], ""]


@pytest.mark.parametrize("off_us", [MINUTE_US, -MINUTE_US])
def test_a_clock_that_is_wrong_by_a_minute_signs_nothing_but_distress(
    line: HttpStage, off_us: int
) -> None:
    with line.new_client("a", off_us=off_us) as wrong:
        with pytest.raises(ClockOff, match=r"differs from the exchange's by 60\.0 s, above 30 s"):
            wrong.act("line.send/1", sending())
        assert line.client("b").messages() == []

        # it cannot sign in with that clock, and says that it was taken all the same
        with pytest.raises(BrokenProof, match="the exchange has taken it"):
            wrong.act("distress/1", SendDistress(to="b", text="MAYDAY", language="en"))

    [message] = line.client("b").deliver()
    # by the exchange's clock, to which all deadlines count
    assert (message.precedence, message.sent_us) == (Precedence.DISTRESS, line.clock.now_us())


def test_what_a_clock_a_minute_ahead_has_signed_is_refused_and_a_minute_behind_countersigned(
    line: HttpStage,
) -> None:
    now_us = line.clock.now_us()
    ahead, behind = (
        line.envelope("a", "line.send/1", sending(), signed_us=now_us + off_us)
        for off_us in (MINUTE_US, -MINUTE_US)
    )

    with pytest.raises(NotDone, match="ahead"):
        line.client("a").send(ahead)
    assert line.client("b").messages() == []

    line.client("a").send(behind)
    [message] = line.client("b").messages()
    assert message.sent_us == now_us
    # both hold it as it was signed, in an entry with the time at which the exchange had it
    for party in ("a", "b"):
        with line.new_client(party) as fresh:
            acts = [
                (read_act(msgspec.json.decode(part.data, type=Envelope)).created_us, part.at_us)
                for step in fresh.catch_up() for part in step if part.kind == ACT_KIND
            ]  # fmt: skip
        assert acts[-1] == (now_us - MINUTE_US, now_us)
