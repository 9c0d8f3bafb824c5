# SPDX-License-Identifier: Apache-2.0
"""What of the line may leave it as a document: a table of what does, and a reason for all else."""

from collections.abc import Callable
from typing import Final

import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.emergencies import Phase
from keepclear.errors import InputError
from keepclear.exchange.operations import Refused
from keepclear.line.leaving import GOES_ON_FROM, MAY_LEAVE, STAYS
from keepclear.line.messages import POLITICAL
from keepclear.line.templates import CANCELLATION, CANCELLED, TEMPLATES, template_named
from keepclear.line.values import EXAMPLES, Kind
from keepclear.plans.none_here import TEXT, StateNoneHere
from keepclear.plays.stage import Stage
from tests.cap_plays import ACTIVITY, document, leaving, tell, words
from tests.incident_plays import volume
from tests.message_plays import at_line, distress, send, typed
from tests.sar_plays import cry
from tests.stop_plays import message_of, stop

UPDATE: Final = "accident-update"


def why_not(stage: Stage, message: str, party: str = "a") -> str:
    """Return why a message may not leave."""
    with pytest.raises(InputError) as refused:
        leaving(stage, message, party)
    return str(refused.value)


def a_stop(stage: Stage) -> str:
    return message_of(stage, stop(stage)).id


def a_case(phase: Phase) -> Callable[[Stage], str]:
    def made(stage: Stage) -> str:
        return message_of(stage, cry(stage, phase=phase)).id

    return made


def reply_to(name: str) -> Callable[[Stage], str]:
    def made(stage: Stage) -> str:
        replied = distress(stage) if name == "DISTRESS" else a_stop(stage)
        return words(stage, "They are in the valley.", reply_to=replied)

    return made


def with_reply(stage: Stage) -> str:
    own = tell(stage, "accident-notice")
    distress(stage, reply_to=own)
    return own


def hurt_later(stage: Stage) -> str:
    own = tell(stage, "accident-notice")
    tell(stage, UPDATE, reply_to=own, values=typed(injured="2"))
    return own


def over_politics(stage: Stage) -> str:
    return words(stage, channel=POLITICAL)


def a_check(stage: Stage) -> str:
    return words(stage, precedence=Precedence.CHECK)


def hurt(stage: Stage) -> str:
    values = typed(
        time="2015-09-30T03:10:00Z", place="33.50N 038.62E", intent="not-known", injured="1"
    )
    return tell(stage, "accident-notice", values=values)


# --- what never leaves ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (a_stop, "is a STOP: where to keep out never leaves"),
        (a_case(Phase.INCERFA), "is a SAR case: where survivors are never leaves"),
        (a_case(Phase.DETRESFA), "is a SAR case: where survivors are never leaves"),
        (distress, "is DISTRESS: where people are in danger never leaves"),
        (reply_to("DISTRESS"), "of its thread, which is DISTRESS: where people are in danger"),
        (reply_to("STOP"), "of its thread, which is a STOP: where to keep out never leaves"),
        (with_reply, "of its thread, which is DISTRESS: where people are in danger never leaves"),
        (hurt, "says that people are hurt: where survivors are never leaves"),
        (hurt_later, "of its thread, which says that people are hurt"),
        (over_politics, "went over political; what leaves is of flight-safety alone"),
        (a_check, "is CHECK, which tells others nothing to act on"),
    ],
)
@pytest.mark.parametrize("party", ["a", "b"])
def test_what_never_leaves_is_refused_with_its_reason_and_a_way_out(
    made: Callable[[Stage], str], says: str, party: str
) -> None:
    stage = at_line()

    said = why_not(stage, made(stage), party)

    assert says in said
    assert "by voice" in said


def test_nobody_hurt_keeps_nothing_from_leaving() -> None:
    stage = at_line()
    own = tell(stage, "accident-notice")
    tell(stage, UPDATE, reply_to=own, values=typed(injured="0"))

    assert leaving(stage, own).message.id == own


def test_a_none_here_statement_and_a_stop_are_named_to_who_sees_them_and_to_nobody_else() -> None:
    stage = at_line()
    stage.submit("a", "none-here.state/1", StateNoneHere(text=TEXT,
        to=("b",), datum="WGS84", volume=volume(start=0, minutes=60)
    ))  # fmt: skip
    [statement] = stage.exchange.world.none_here
    called = stop(stage)
    own = distress(stage)

    for party in ("a", "b"):
        assert "is a none-here statement, which never leaves" in why_not(stage, statement, party)
    assert "is a STOP, which never leaves" in why_not(stage, called.id, "a")
    unknown = why_not(stage, "0" * 32, "c")
    for each in (statement, called.id, own):
        assert why_not(stage, each, "c").replace(each[:8], "0" * 8) == unknown
    assert "is no message of b" in why_not(stage, called.id, "b")


def test_words_that_another_has_typed_leave_by_their_sender_alone() -> None:
    stage = at_line()
    free, beside = words(stage), tell(stage, "activity-notice", text="Beware of the cable.")

    for own in (free, beside):
        assert leaving(stage, own, "a").message.id == own
        said = why_not(stage, own, "b")
        assert "has words that a has typed freely, which may say where people are" in said
        assert "a can pass them on itself" in said


def test_words_of_an_earlier_notice_keep_the_later_one_with_its_sender() -> None:
    stage = at_line()
    own = tell(stage, "accident-notice", text="It fell by the farm.")
    later = tell(stage, UPDATE, reply_to=own, values=typed(what="a drone"))

    assert leaving(stage, later, "a").earlier[0].id == own
    assert "goes on from message" in why_not(stage, later, "b")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
def test_each_template_may_leave_or_says_why_it_stays(template: object) -> None:
    [found] = [each for each in TEMPLATES if each is template]

    assert (found.name in MAY_LEAVE) != (found.name in STAYS)
    assert set(GOES_ON_FROM) <= MAY_LEAVE
    stage = at_line()
    if found.act or found.name == CANCELLATION:
        return
    needed = {
        name: field.choices[0] if field.kind is Kind.CHOICE else EXAMPLES[field.kind]
        for name, field in found.fields.items() if field.is_needed
    }  # fmt: skip
    precedence = min(found.precedence, Precedence.URGENT, key=list(Precedence).index)
    if precedence is not Precedence.URGENT:
        precedence = Precedence.URGENT
    own = tell(stage, found.name, values=typed(**needed), precedence=precedence)
    for party in ("a", "b"):
        if found.name in MAY_LEAVE:
            assert leaving(stage, own, party).message.id == own
        else:
            assert STAYS[found.name] in why_not(stage, own, party)


# --- what takes the place of what ----------------------------------------------------------------


def test_what_is_added_to_an_accident_takes_the_place_of_all_before_with_all_it_says() -> None:
    stage = at_line()
    own = tell(stage, "accident-notice")
    one = tell(stage, UPDATE, reply_to=own, values=typed(what="a drone", level="FL100"))
    send(stage, "b", to="a", text="We see it.", reply_to=own)
    two = tell(stage, UPDATE, reply_to=own, values=typed(level="FL090"))

    found = leaving(stage, two, "b")

    assert [each.id for each in found.earlier] == [own, one]
    assert found.replied is None
    said = {each.name: each.typed for each in found.values}
    assert said == {
        "time": "2015-09-30T03:10:00Z", "place": "33.50N 038.62E", "intent": "not-deliberate",
        "what": "a drone", "level": "FL090",
    }  # fmt: skip
    assert leaving(stage, one, "b").earlier == found.earlier[:1]  # whatever came later


def test_another_activity_in_a_thread_takes_the_place_of_none() -> None:
    stage = at_line()
    one = tell(stage, "activity-notice")
    answered = send(stage, "b", to="a", text="Noted.", reply_to=one)
    other = tell(stage, "activity-notice", reply_to=answered)
    again = tell(stage, "activity-notice", reply_to=one)

    assert leaving(stage, other).earlier == ()
    assert [each.id for each in leaving(stage, again).earlier] == [one]


def test_a_reply_refers_to_what_it_replies_to_and_is_the_same_for_both() -> None:
    stage = at_line()
    one = tell(stage, "activity-notice")
    back = tell(stage, "closure", "b", reply_to=one)

    found = leaving(stage, back, "b")

    assert found.earlier == ()
    assert found.replied is not None
    assert found.replied.id == one
    assert document(stage, back, "a") == document(stage, back, "b")


def test_a_reply_to_ones_own_words_refers_to_them_whoever_asks() -> None:
    stage = at_line()
    free = words(stage)
    own = tell(stage, "closure", reply_to=free)

    for party in ("a", "b"):
        found = leaving(stage, own, party)
        assert found.replied is not None
        assert found.replied.id == free


def test_the_other_sides_notice_is_never_taken_the_place_of() -> None:
    stage = at_line()
    one = tell(stage, "activity-notice")
    back = tell(stage, "activity-notice", "b", reply_to=one)

    assert leaving(stage, back, "b").earlier == ()


# --- cancellations -------------------------------------------------------------------------------


def test_a_cancellation_cancels_the_whole_chain_of_notices_that_it_replies_to() -> None:
    stage = at_line()
    one = tell(stage, "activity-notice")
    two = tell(stage, "activity-notice", reply_to=one)
    own = tell(stage, CANCELLATION, reply_to=two, values=typed(why="weather"))

    found = leaving(stage, own, "b")

    assert found.is_cancelled
    assert [each.id for each in found.earlier] == [one, two]


@pytest.mark.parametrize("of", ["nothing", "words", "the other side's", "an accident"])
def test_a_cancellation_of_what_cannot_be_cancelled_is_not_sent(of: str) -> None:
    stage = at_line()
    made: dict[str, Callable[[], str | None]] = {
        "nothing": lambda: None,
        "words": lambda: words(stage),
        "the other side's": lambda: tell(stage, "activity-notice", "b"),
        "an accident": lambda: tell(stage, "accident-notice"),
    }
    replied = made[of]()

    with pytest.raises((InputError, Refused)) as refused:
        tell(stage, CANCELLATION, reply_to=replied)

    assert "is no activity-notice or closure of a" in str(refused.value)
    assert template_named(CANCELLATION).precedence is Precedence.PRIORITY
    assert CANCELLED <= MAY_LEAVE
    assert ACTIVITY
