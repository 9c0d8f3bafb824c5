# SPDX-License-Identifier: Apache-2.0
"""Read-back: what is the same place, level, time and frequency, and what a mismatch does."""

import re
from typing import Final

import pytest
from geographiclib.geodesic import Geodesic

from keepclear.agreement.clauses import Precedence
from keepclear.airspace.places import parse_place
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.audit import audit
from keepclear.exchange.events import MessageChanged
from keepclear.exchange.folding import fold
from keepclear.line.acts import ReadBackMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.line.read_back import MOST_READ_BACKS, Compared, compared
from keepclear.line.values import FREE, read_values
from keepclear.plays.stage import Stage
from keepclear.record.verification import verify
from tests.incident_plays import events_seen, refusal
from tests.message_plays import URGENT_US, at, at_line, distress, overdue, send, take, typed, wait
from tests.restored_stages import restore

OTHER: Final = "what was sent in {}: they have no common reference"
UP: Final = (Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
SENT: Final = {
    "position": "35-16.0N 040-05.0E", "level": "FL240", "time": "2016-09-17T14:00:00Z",
    "frequency": "121.5 MHz",
}  # fmt: skip


def read(sent: str, back: str, kind: str = "position") -> Compared:
    """Return one field, compared."""
    [made] = compared(read_values(typed(**{kind: sent}), FREE), typed(**{kind: back}))
    return made


def sent_and_taken(**values: str) -> tuple[Stage, str]:
    """Return a stage on which a message with values was acknowledged."""
    stage = at_line()
    message = send(stage, values=typed(**(values or SENT)))
    take(stage, message, *UP)
    return stage, message


def read_back(stage: Stage, message: str, **values: str) -> Message:
    """Let b's watch read a message back, as it was sent but for what is given."""
    made = ReadBackMessage(id=message, values=typed(**SENT | values))
    stage.submit("b", "line.read-back/1", made)
    return at(stage, message)


# --- what is the same -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "apart_m"),
    [
        # GeodSolve(1) of GeographicLib, example of JFK and Singapore Changi: 15347628 m
        ("40:38:23N 073:46:44W", "01:21:33N 103:59:22E", 15_347_628),
        # a degree of the equator is a * pi / 180 (NGA.STND.0036, 2014), over the antimeridian
        ("0N 179.5E", "0N 179.5W", 111_319),
    ],
)
def test_the_distance_between_two_positions_is_that_on_the_ellipsoid(
    one: str, other: str, apart_m: int
) -> None:
    for sent, back in ((one, other), (other, one)):
        made = read(sent, back)
        assert (made.is_same, made.distance_m) == (False, apart_m)


@pytest.mark.parametrize("back", ["35.34N 040.05E", "35-21.0N 040-05.0E", "37S FV 0 0"])
def test_a_distance_is_that_of_geographiclib(back: str) -> None:
    a, b = parse_place(SENT["position"]).position, parse_place(back).position
    true = Geodesic.WGS84.Inverse(a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)

    assert read(SENT["position"], back).distance_m == round(true["s12"])


@pytest.mark.parametrize(
    ("sent", "back", "is_same"),
    [
        ("35-16.0N 040-05.0E", "35.26667N 040.08333E", True),  # the same, in another form
        ("35-16.0N 040-05.0E", "351600N0400500E", True),
        ("35-16.0N 040-05.0E", "35-16.2N 040-05.0E", False),  # two steps of the last digit
        ("35.27N 040.08E", "35.273N 040.08E", True),  # 333 m, known to within 717
        ("35.270N 040.080E", "35.273N 040.080E", False),  # the same 333 m, known to within 72
        ("35.273N 040.083E", "35.3N 040.1E", False),  # back with less than was sent
        ("0N 180W", "0N 180E", True),
        ("90N 000E", "90N 120E", True),  # one pole
        ("37S DT 64700 06826", "37S DT 647 068", False),  # 50 m beside, where metres were sent
    ],
)
def test_positions_are_one_within_what_was_sent_with(
    sent: str,
    back: str,
    is_same: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    made = read(sent, back)

    assert made.is_same == is_same
    assert ("m away; what was sent is known to within" in made.why) != is_same


@pytest.mark.parametrize(
    ("sent", "back", "why"),
    [
        ("FL240", "fl 240", ""),
        ("FL240", "24000 ft STD", ""),
        ("FL240", "7315 m STD", ""),  # 7315.2 m
        ("S1130", "11300 m STD", ""),
        ("2953 ft QNH 1013", "900 m QNH 1013 hPa", ""),
        ("2953 ft QNH 1013", "2954 ft QNH 1013", "is 1 ft higher"),
        ("900 m QNH 1013", "901 m QNH 1013", "is 3 ft higher"),
        ("1200 ft AGL SRTM 30 m", "1201 ft AGL SRTM 30 m", "is 1 ft higher"),
        ("0.9 km AGL", "2953 ft AGL", ""),
        ("FL240", "FL250", "is 1,000 ft higher"),
        ("1200 ft AGL", "1000 ft AGL", "is 200 ft lower"),
        ("1200 ft AGL", "1200 ft AGL", ""),
        ("FL240", "24000 ft AMSL EGM96", f"is in AMSL EGM96, {OTHER.format('pressure altitude')}"),
        ("5000 ft QNH 1013", "5000 ft QNH 1003", f"is in QNH 1003, {OTHER.format('QNH 1013')}"),
        ("5000 ft QNH 1013", "5000 ft QNH", f"is in QNH, {OTHER.format('QNH 1013')}"),
    ],
)  # fmt: skip
def test_levels_are_one_only_by_the_same_reference(sent: str, back: str, why: str) -> None:
    made = read(sent, back, "level")

    assert (made.why, made.is_same) == (why, not why)


@pytest.mark.parametrize(
    ("kind", "sent", "back", "why"),
    [
        ("time", "2016-09-17T14:00:00Z", "2016-09-17T16:00:00+02:00", ""),
        ("time", "2016-09-17T14:00:00Z", "2016-09-17T14:00:01Z", "is 1 s later"),
        ("time", "2016-09-17T14:00:00Z", "2016-09-17T12:58:20Z", "is 1 h 1 min 40 s earlier"),
        ("time", "2016-09-17T14:00:00Z", "2016-09-16T14:00:00Z", "is 24 h earlier"),
        ("frequency", "121.5 MHz", "121500 kHz", ""),
        ("frequency", "121.5 MHz", "CH 121.500", ""),
        ("frequency", "121.5 MHz", "121.525 MHz", "is 25.000 kHz above"),
        ("frequency", "243 MHz", "121.5 MHz", "is 121,500.000 kHz below"),
        ("frequency", "CH 132.005", "CH 132.005", ""),
        ("frequency", "CH 132.005", "CH 132.010", "is another channel"),
        ("frequency", "CH 132.005", "132 MHz", "is a channel, and the other a frequency"),
    ],
)
def test_times_are_one_to_the_second_and_frequencies_exactly(
    kind: str, sent: str, back: str, why: str
) -> None:
    made = read(sent, back, kind)

    assert (made.why, made.is_same) == (why, not why)


# --- what comes of it -----------------------------------------------------------------------


def test_what_is_read_back_as_it_was_sent_is_a_step_and_confirms_the_message() -> None:
    stage, message = sent_and_taken()
    assert not at(stage, message).is_confirmed

    made = read_back(stage, message, level="24000 ft STD")

    assert [each.step for each in made.steps][-1] is Step.READ_BACK
    assert made.is_confirmed
    assert not made.is_done  # units are still to be told
    assert refusal(
        stage, "b", "line.read-back/1", ReadBackMessage(id=message, values=typed(**SENT))
    ).endswith("is read back already; possible at watch now: disseminated")
    check(stage)


def test_a_mismatch_is_told_to_both_with_both_values_and_confirms_nothing_until_one_matches() -> (
    None
):
    stage, message = sent_and_taken()

    made = read_back(stage, message, position="35-21.0N 040-05.0E")

    assert (made.is_confirmed, made.mismatch) == (False, made.read_backs[0])
    wrong = made.read_backs[0].fields[0]
    # five minutes of latitude: nine kilometres, as in one account of Deir ez-Zor
    assert (wrong.is_same, wrong.distance_m) == (False, 9_246)
    assert [each.is_same for each in made.read_backs[0].fields] == [False, True, True, True]
    for party, count in (("a", 1), ("b", 1), ("c", 0)):
        told = [e for e in events_seen(stage, party, MessageChanged) if e.read_back is not None]
        assert len(told) == count
        assert all(each.taken is None and each.message == made for each in told)

    again = read_back(stage, message)
    assert (again.is_confirmed, again.mismatch) == (True, None)
    assert len(again.read_backs) == 2  # both stay
    check(stage)


def test_what_was_read_back_too_often_is_to_be_asked_for_anew() -> None:
    stage, message = sent_and_taken()
    for _ in range(MOST_READ_BACKS):
        read_back(stage, message, level="FL250")

    with pytest.raises(CallerError, match="was read back 20 times, and is not confirmed; call a,"):
        read_back(stage, message)

    assert len(at(stage, message).read_backs) == MOST_READ_BACKS
    check(stage)


def test_what_a_backup_had_of_a_read_back_stands_after_it() -> None:
    stage, message = sent_and_taken()
    before = read_back(stage, message, level="FL250")

    stage.exchange.beat()
    assert restore(stage, stage.lines)

    assert at(stage, message) == before
    assert read_back(stage, message).is_confirmed


def test_a_mismatch_keeps_nobody_from_being_told() -> None:
    stage, message = sent_and_taken()
    read_back(stage, message, level="FL250")

    made = take(stage, message, Step.DISSEMINATED)

    assert made.first(Step.DISSEMINATED) is not None
    assert not made.is_done
    assert read_back(stage, message).is_done


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"position": "35N 040E"}, "level '': is needed: a level; give it as \"FL240\""),
        (SENT | {"count": "4"}, "count '': is no field here; give one of position, level"),
        (SENT | {"level": "high"}, "level 'high': has no reference"),
    ],
)
def test_a_read_back_that_leaves_out_a_field_or_has_a_wrong_one_is_refused(
    values: dict[str, str], says: str
) -> None:
    stage, message = sent_and_taken()
    before = at(stage, message)

    said = refusal(
        stage, "b", "line.read-back/1", ReadBackMessage(id=message, values=typed(**values))
    )

    assert says in said
    assert at(stage, message) == before


def test_what_has_nothing_to_be_read_back_cannot_be() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *UP)

    assert "has no position, level, time or frequency to be read back" in refusal(
        stage, "b", "line.read-back/1", ReadBackMessage(id=message, values=())
    )
    assert at(stage, message).ladder == tuple(
        each for each in Step if each not in {Step.READ_BACK, Step.ANSWERED}
    )  # fmt: skip


@pytest.mark.parametrize("taken", ["sent", "displayed"])
def test_nobody_reads_back_what_nobody_has_taken(taken: str) -> None:
    stage = at_line()
    message = send(stage, values=typed(**SENT))
    take(stage, message, *(UP[:2] if taken == "displayed" else ()))

    with pytest.raises(CallerError, match="cannot be read back before it is acknowledged"):
        read_back(stage, message)


@pytest.mark.parametrize("kind", ["line.send", "distress"])
def test_a_value_that_is_none_is_refused_before_anything_is_sent(kind: str) -> None:
    stage = at_line()
    wrong = typed(position="33.50 38.62")

    sends = distress if kind == "distress" else send
    with pytest.raises(CallerError, match=re.escape("position '33.50 38.62': does not say N")):
        sends(stage, values=wrong)

    assert stage.exchange.world.messages == {}


# --- when it is due -------------------------------------------------------------------------


def test_reading_back_is_due_as_long_again_after_the_message_was_acknowledged() -> None:
    stage, message = sent_and_taken()
    wait(stage, URGENT_US - 1)
    assert overdue(at(stage, message)) == []

    wait(stage, URGENT_US)

    assert overdue(at(stage, message)) == [
        (each, "watch", URGENT_US, "duty-officer") for each in (Step.READ_BACK, Step.DISSEMINATED)
    ]
    check(stage)


def test_a_mismatch_is_not_the_step_and_is_overdue_all_the_same() -> None:
    stage, message = sent_and_taken()
    read_back(stage, message, level="FL250")
    take(stage, message, Step.DISSEMINATED)

    wait(stage, URGENT_US)

    assert [each for each, *_ in overdue(at(stage, message))] == [Step.READ_BACK]


def test_what_is_routine_and_has_values_is_to_be_read_back_too() -> None:
    stage = at_line()
    message = send(stage, precedence=Precedence.ROUTINE, values=typed(level="FL240"))
    take(stage, message, *UP)
    assert not at(stage, message).is_done

    wait(stage, 100 * URGENT_US)

    assert next(each for each, *_ in overdue(at(stage, message))) is Step.READ_BACK


def check(stage: Stage) -> None:
    """See that the record verifies, folds to the world, and is decided so again."""
    stage.exchange.beat()
    assert verify(stage.lines, stage.keys).is_proven
    assert fold(stage.lines).hash == stage.exchange.world.hash
    assert audit(stage.lines, plain()).differences == ()
