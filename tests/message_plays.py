# SPDX-License-Identifier: Apache-2.0
"""Short ways to send messages on a stage, and to let posts take the steps of the ladder."""

from typing import Any, Final

from keepclear.agreement.clauses import Channels, Deadline, Deadlines, Precedence
from keepclear.agreement.documents import Agreement, PartyTerms, PostTerms, Role
from keepclear.line.acts import (
    AcknowledgeMessage,
    AnswerMessage,
    MarkDelivered,
    MarkDisplayed,
    MarkDisseminated,
    ReadBackMessage,
    SendDistress,
    SendMessage,
)
from keepclear.line.ladder import Step
from keepclear.line.messages import FLIGHT_SAFETY, POLITICAL, Message, Overdue, Word
from keepclear.line.values import Typed
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from tests.agreement_plays import agreement, clause
from tests.incident_plays import staged
from tests.record_plays import START_US

SECOND_US: Final = 1_000_000
CHAIN: Final = ("watch", "duty-officer", "representative")
# How soon a person acknowledges, in seconds: clause 4.1 of the template for two forces.
WITHIN_S: Final = {
    Precedence.DISTRESS: 60, Precedence.STOP: 60, Precedence.URGENT: 300,
    Precedence.PRIORITY: 900, Precedence.ROUTINE: 3_600,
}  # fmt: skip
URGENT_US: Final = WITHIN_S[Precedence.URGENT] * SECOND_US
DEADLINES: Final = Deadlines(
    deadlines=tuple(Deadline(precedence=p, acknowledge_s=s) for p, s in WITHIN_S.items()),
    escalation=CHAIN,
)  # fmt: skip
TAKEN_BY: Final = {
    Step.DELIVERED: "line.delivered", Step.DISPLAYED: "line.displayed",
    Step.ACKNOWLEDGED: "line.acknowledge", Step.ANSWERED: "line.answer",
    Step.READ_BACK: "line.read-back", Step.DISSEMINATED: "line.disseminated",
}  # fmt: skip


POSITION: Final = {"position": "33.50N 038.62E"}


def typed(**values: str) -> tuple[Typed, ...]:
    """Return values as somebody has typed them, by the names of their fields."""
    return tuple(Typed(name=name, typed=each) for name, each in values.items())


def line_agreement(*parties: str, survives: bool = True, **more: Any) -> Agreement:  # noqa: ANN401
    """Return an agreement with deadlines and both channels, of which flight safety survives."""
    posts = tuple(PostTerms(id=each, name=each) for each in CHAIN)
    clauses = (
        clause("3.1", "The line.", Channels(channels=(FLIGHT_SAFETY,)), survives=survives),
        clause("3.2", "Politics.", Channels(channels=(POLITICAL,))),
        clause("4.1", "Deadlines.", DEADLINES, survives=True),
    )
    return agreement(
        parties=tuple(
            PartyTerms(id=each, name=each.upper(), role=Role.FORCE, posts=posts)
            for each in parties or ("a", "b")
        ),
        **{"clauses": clauses, **more},
    )


def at_line(made: Agreement | None = None) -> Stage:
    """Return a stage on which a and b have agreed on deadlines, and c on nothing."""
    stage = staged("a", "b", "c")
    made = made or line_agreement()
    stage.carry(stage.signed(made), made)
    return stage


def sending(**more: Any) -> SendMessage:  # noqa: ANN401 fields of the act
    """Return what a sends to b, URGENT over flight safety, but for what is given."""
    known: dict[str, Any] = {
        "to": "b", "channel": FLIGHT_SAFETY, "precedence": Precedence.URGENT,
        "text": "Cease activity at 33.50N 038.62E, our people are there.", "language": "en",
    }  # fmt: skip
    return SendMessage(**known | more)


def send(stage: Stage, party: str = "a", by_post: str = "watch", **more: Any) -> str:  # noqa: ANN401
    """Send a message and return its id."""
    stage.submit(party, "line.send/1", sending(**more), (by_post,), post=by_post)
    return list(stage.exchange.world.messages)[-1]


def distress(stage: Stage, party: str = "a", to: str = "b", **more: Any) -> str:  # noqa: ANN401
    """Send a DISTRESS message and return its id."""
    made = SendDistress(to=to, text="MAYDAY, crew down", language="en", **more)
    stage.submit(party, "distress/1", made)
    return list(stage.exchange.world.messages)[-1]


def step_of(step: Step, message: str, units: tuple[str, ...] = ("1st battery",)) -> Signed:
    """Return the act with which a step is taken."""
    match step:
        case Step.DELIVERED:
            return MarkDelivered(id=message)
        case Step.DISPLAYED:
            return MarkDisplayed(id=message)
        case Step.ACKNOWLEDGED:
            return AcknowledgeMessage(id=message)
        case Step.ANSWERED:
            return AnswerMessage(id=message, word=Word.WILCO)
        case Step.READ_BACK:
            return ReadBackMessage(id=message, values=typed(**POSITION))
        case _:
            return MarkDisseminated(id=message, units=units)


def take(
    stage: Stage, message: str, *steps: Step, party: str = "b", post: str = "watch"
) -> Message:  # fmt: skip
    """Let a post take steps, one after another, and return the message."""
    names = ("rep-1",) if post == "representative" else (post,)
    for each in steps:
        stage.submit(party, f"{TAKEN_BY[each]}/1", step_of(each, message), names, post=post)
    return at(stage, message)


def answer(stage: Stage, message: str, word: Word, **more: Any) -> Message:  # noqa: ANN401
    """Let b's watch answer, and return the message."""
    stage.submit("b", "line.answer/1", AnswerMessage(id=message, word=word, **more))
    return at(stage, message)


def at(stage: Stage, message: str) -> Message:
    """Return a message as it stands."""
    return stage.exchange.world.messages[message]


def wait(stage: Stage, after_us: int) -> None:
    """Let it be so long after the start."""
    stage.clock.move_to(START_US + after_us)
    stage.exchange.pass_time()


def overdue(message: Message) -> list[tuple[Step, str, int, str]]:
    """Return what is overdue: the step, its post, how long after the start, where it goes."""

    def told(each: Overdue) -> tuple[Step, str, int, str]:
        return each.step, each.post, each.due_us - START_US, each.goes_to

    return [told(each) for each in message.overdue]
