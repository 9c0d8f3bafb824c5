# SPDX-License-Identifier: Apache-2.0
"""`keepclear line`: messages to another party, and what is done with those that come.

A message is named by how its id begins, as `line read` has it. What is printed is read from the
party's own copy, which is proven.
"""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import (
    APART,
    SHORT,
    AtDesk,
    desk,
    home_option,
    one_of,
    stale_text,
    waiting_text,
)
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.line_call import call
from keepclear.cli.line_cap import cap, cap_ack, cap_verify
from keepclear.cli.line_card import card
from keepclear.cli.line_check import check
from keepclear.cli.line_handover import handover
from keepclear.cli.line_shift import shift
from keepclear.cli.line_values import (
    fields_typed,
    form_options,
    left_to_do,
    read_in_option,
    said_options,
    said_typed,
    time_typed,
    typed_values,
    value_options,
)
from keepclear.cli.operation import time_of

if TYPE_CHECKING:
    from keepclear.line.messages import Message
    from keepclear.record.encoding import Signed
    from keepclear.record.entries import Part

LONGEST: Final = 2_000  # characters of a text (`line.messages.Text`)
ROWS: Final = 24  # of a terminal
MOST_AGAIN: Final = 5
PRECEDENCES: Final = ("DISTRESS", "URGENT", "PRIORITY", "ROUTINE", "CHECK")
WORDS: Final = (
    "wilco", "unable", "standby", "affirm", "negative", "roger", "noted", "concerned", "objects",
)  # fmt: skip
person_option = click.option(
    "--person", metavar="ROLE", help='Who is on watch, as a role: "shift-lead". No name.'
)


@click.group()
def line() -> None:
    """Send messages that are acted on, and read, acknowledge, answer and pass on those that come.

    Each step is signed by who takes it, and a step that is not there when it is due is OVERDUE.
    """


line.add_command(check)
line.add_command(card)
line.add_command(cap)
line.add_command(cap_ack)
line.add_command(cap_verify)
line.add_command(handover)
line.add_command(shift)
line.add_command(call)


@line.command()
@click.argument("to", metavar="FORCE_OR_PARTY")
@click.argument("text", default="")
@click.option("--precedence", type=click.Choice(PRECEDENCES, case_sensitive=False),
              help="DISTRESS is MAYDAY, URGENT is PAN PAN.  [default: ROUTINE, or the template's]"
              )  # fmt: skip
@click.option("--channel", default="flight-safety", show_default=True,
              help="Over which channel; DISTRESS goes over flight-safety.")  # fmt: skip
@click.option("--post", metavar="POST", help="To which post; the first of the agreed chain.")
@click.option("--person", metavar="ROLE", help="To whom at that post, as a role; no name.")
@click.option("--reply-to", metavar="ID", help="The message that this is about.")
@click.option("--language", default="en", show_default=True, help="In which TEXT is typed.")
@value_options
@form_options
@said_options
@home_option
def send(
    to: str, text: str, precedence: str | None, channel: str, post: str | None,
    person: str | None, reply_to: str | None, language: str, template: str | None,
    field: tuple[str, ...], home: str, **values: str | None,
) -> int:  # fmt: skip
    """Send TEXT to the watch of a party, or of the party that answers for a force.

    A position, a level, a time and a frequency in options of their own are to be read back: the
    message is confirmed once they were, and are the same. With --template its fields are given
    with --field, and each reader has it in a language of his own; TEXT may be left out then.
    What was said by other means, as while the line was down, is keyed in with --said-at: it is
    marked LATE ENTRY for both sides.

    \b
    Examples:
      keepclear line send south --template activity-notice --field "from=0310Z" \\
        --field "until=0510Z" --position "35-16.0N 040-05.0E" --home north
      keepclear line send south "Cease activity, our people are there." \\
        --position "33.50N 038.62E" --precedence URGENT --home north
      keepclear line send south "Cease activity, our people are there." \\
        --precedence URGENT --said-at 0310Z --by-means "frequency 122.5" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.clauses import Precedence
    from keepclear.line.acts import SendDistress, SendMessage
    from keepclear.line.templates import fields_of, template_named
    from keepclear.record.headers import is_name

    least = 0 if template is not None else 1
    if not least <= len(text.strip()) <= len(text) <= LONGEST:
        raise click.UsageError(f"TEXT: has {len(text)} characters, not {least} to {LONGEST:,}")

    said_at, by_means = values.pop("said_at", None), values.pop("by_means", None)

    def make() -> list[str]:
        said = said_typed(said_at, by_means)
        form = None if template is None else template_named(template)
        used = None if form is None else form.form
        urgency = Precedence(
            precedence.upper() if precedence else form.precedence if form else "ROUTINE"
        )
        given = typed_values(fields_typed(field, values), fields_of(used))
        with desk(home) as at:
            replied = None if reply_to is None else named(at, reply_to).id
            if urgency is Precedence.DISTRESS:
                cry = SendDistress(  # nothing is asked before it, where a party is named
                    to=to if is_name(to) else party_of(at, to),
                    text=text,
                    language=language,
                    post=post,
                    person=person,
                    reply_to=replied,
                    values=given,
                    template=used,
                    said=said,
                )
                printed = done(at, cried(at, "distress/1", cry))
            else:
                made = SendMessage(
                    to=party_of(at, to), channel=channel, precedence=urgency,
                    text=text, language=language, post=post, person=person, reply_to=replied,
                    values=given, template=used, said=said,
                )  # fmt: skip
                printed = done(at, at.act("line.send/1", made))
            is_distress = urgency is Precedence.DISTRESS
            typed = fields_typed(field, values)
            return [*printed, *left_to_do(at, template, typed, is_distress=is_distress)]

    return refusing_values(make)


@line.command()
@click.option("--all", "is_all", is_flag=True, help="Those of which all is done, too.")
@click.option("--channel", metavar="CHANNEL", help="Those over one channel alone.")
@click.option("--shown/--not-shown", "is_shown", default=None,
              help="Say that a person was shown them; by default at a terminal.")  # fmt: skip
@person_option
@read_in_option
@home_option
def read(
    channel: str | None, person: str | None, language: str, home: str, *, is_all: bool,
    is_shown: bool | None,
) -> int:  # fmt: skip
    """Print the messages that came to this post, and sign that they were displayed.

    The unacknowledged stand first, the most urgent before the others. Each is signed for once it
    is printed. Where nothing is shown to anybody, as in a script, nothing is claimed. Messages of
    this party to others stand below. Where the exchange cannot be asked, what is held here is
    shown, and said to be stale; the exit status is 2 then.

    \b
    Example:
      keepclear line read --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.stop_text import own_stops_text, read_stops

    stale: list[str] = []
    claims = sys.stdout.isatty() if is_shown is None else is_shown

    def make() -> list[str]:
        with desk(home) as at:
            stale.extend(stale_text(at.caught_up()))
            own, sent = _inbox(at, channel, is_all=is_all)
            if claims and not stale:
                at.client.deliver()
                own, sent = _inbox(at, channel, is_all=is_all)
            checks = _checks_text(at)
            none = _none_text(at, channel, is_all=is_all)
            lines = [*stale, *waiting_text(at), *checks, *_read_text(own, sent, language, none)]
            lines += _calls_text(at)
            lines += _of_others_text(at)
            lines += own_stops_text(read_stops(at.folder.lines()).stops.values())
            lines += _scrolled_off("\n".join(lines).count("\n"), own)
            click.echo("\n".join(lines))
            if claims and not stale:
                _displayed(at, own, person)
        return []

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


@line.command()
@click.argument("message", metavar="ID")
@person_option
@said_options
@home_option
def ack(
    message: str, person: str | None, said_at: str | None, by_means: str | None, home: str
) -> int:
    """Acknowledge message ID: a person at this post takes it.

    What was acknowledged by other means, as while the line was down, is keyed in with --said-at: no
    deadline begins anew because of it.

    \b
    Examples:
      keepclear line ack 1a2b3c4d --person shift-lead --home south
      keepclear line ack 1a2b3c4d --said-at 0312Z --by-means satellite --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.line.acts import AcknowledgeMessage

    return _act(home, message, "line.acknowledge/1", lambda own: AcknowledgeMessage(
        id=own, person=person, said=said_typed(said_at, by_means)
    ), is_of_reader=True)  # fmt: skip


@line.command()
@click.argument("message", metavar="ID")
@click.argument("word", type=click.Choice(WORDS, case_sensitive=False))
@click.option("--why", default="", help="The reason; unable and concerned need it.")
@click.option("--until", metavar="WHEN", help='Until when; standby needs it: "+10 min", "0310Z".')
@click.option("--clause", default="", help="The clause that it is against; objects needs it.")
@person_option
@home_option
def answer(
    message: str, word: str, why: str, until: str | None, clause: str, person: str | None,
    home: str,
) -> int:  # fmt: skip
    """Answer message ID with WORD. It fills in no step of the ladder.

    \b
    Examples:
      keepclear line answer 1a2b3c4d wilco --home south
      keepclear line answer 1a2b3c4d standby --until "+10 min" --home south
      keepclear line answer 1a2b3c4d unable --why "no radio to the battery" --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.line.acts import AnswerMessage
    from keepclear.line.messages import NEEDS, Word

    given = {"why": bool(why.strip()), "until_us": until is not None, "clause": bool(clause)}
    needed = NEEDS.get(Word(word.upper()), "")
    if needed and not given[needed]:
        raise click.UsageError(f"{word}: give --{needed.removesuffix('_us')}, too")
    return _act(home, message, "line.answer/1", lambda own: AnswerMessage(
        id=own, word=Word(word.upper()), why=why, clause=clause, person=person,
        until_us=None if until is None else time_of(time_typed(until, "--until"), "--until"),
    ), is_of_reader=True)  # fmt: skip


@line.command()
@click.argument("message", metavar="ID")
@click.argument("units", nargs=-1, required=True, metavar="UNIT...")
@person_option
@home_option
def disseminated(message: str, units: tuple[str, ...], person: str | None, home: str) -> int:
    """Say which units were told of message ID; said again it adds others.

    \b
    Example:
      keepclear line disseminated 1a2b3c4d "1st battery" "2nd battery" --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.line.acts import MarkDisseminated

    return _act(home, message, "line.disseminated/1", lambda own: MarkDisseminated(
        id=own, units=units, person=person
    ))  # fmt: skip


@line.command()
@click.argument("message", metavar="ID")
@read_in_option
@home_option
def show(message: str, language: str, home: str) -> int:
    """Print the ladder of message ID, with the seconds between its steps.

    With each step stands when and by whom it was taken, or when it is due. Both parties see the
    same.

    \b
    Example:
      keepclear line show 1a2b3c4d --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.message_text import ladder_text

    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as at:
            stale.extend(stale_text(at.caught_up()))
            found = named(at, message)
        return [*stale, ladder_text(found, _now_us(), language).rstrip("\n")]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def cried(at: AtDesk, kind: str, made: "Signed") -> "tuple[Part, ...]":
    """Act in distress; where there is no answer, say that there are other ways to call."""
    from keepclear.errors import OperatorError

    try:
        return at.act(kind, made)
    except OperatorError as fault:
        raise OperatorError(
            f"{fault}\nDo not wait for it: call by another way, which keepclear line card "
            f"--home {at.folder.path} prints"
        ) from None


def _act(
    home: str, message: str, kind: str, payload: "Callable[[str], Signed]", *,
    is_of_reader: bool = False,
) -> int:  # fmt: skip
    """Let a post do something about a message, and print how it stands after that.

    is_of_reader: only somebody who was shown it can do it.
    """

    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            found = named(at, message)
            if is_of_reader and not at.is_apart:
                check_read(at, found)
            made = payload(found.id)
            return done(at, at.act(kind, made))

    return refusing_values(make)


def check_read(at: AtDesk, found: "Message") -> None:
    """Refuse what is done about a message of this post that nobody here was shown."""
    from keepclear.errors import InputError
    from keepclear.line.ladder import Step

    post = at.folder.desk().post
    check_status(at, found)
    is_here = found.receiver == at.client.party and found.is_with(post)
    if is_here and found.first(Step.DISPLAYED, post) is None:
        raise InputError(
            "message", found.id[:SHORT], f"was not displayed at {post}",
            f"read it at a terminal: keepclear line read --home {at.folder.path}; where its output "
            "goes elsewhere, say --shown once somebody has read it",
        )  # fmt: skip


def check_status(at: AtDesk, found: "Message") -> None:
    """Refuse to act on a message of another status: Actual and Exercise never meet."""
    from keepclear.errors import InputError

    status = at.folder.desk().status
    if found.status is not status:
        raise InputError(
            "message", found.id[:SHORT], f"is {found.status}, and this desk is {status}",
            f"act on it at a desk that is {found.status}",
        )  # fmt: skip


def refusing_values(make: Callable[[], list[str]]) -> int:
    """Print or refuse; a value that an act cannot have is refused in its words."""
    from keepclear.errors import CallerError

    def made() -> list[str]:
        try:
            return make()
        except CallerError:
            raise
        except ValueError as fault:
            raise CallerError(f"message: {fault}") from None

    return print_or_refuse(made)


def named(at: AtDesk, given: str) -> "Message":
    """Return the message whose id begins so, among all that this party ever sent or received."""
    known = at.picture.messages
    if not any(each.startswith(given.lower()) for each in known):
        known = at.folder.picture(at.client.party).messages  # of which all is done, too
    return known[one_of(given, list(known), "message")]


def party_of(at: AtDesk, given: str) -> str:
    """Return the party of a name, or the one that answers for the force of that name."""
    from keepclear.cli import forces

    if click.get_current_context().meta.get(APART) is not None:
        return given  # there is nobody to ask
    return forces.party_of(at.client, given)


def done(at: AtDesk, parts: "tuple[Part, ...]") -> list[str]:
    """Return how a message stands after an act; where it was signed apart, that it was."""
    from keepclear.exchange.events import MessageChanged
    from keepclear.exchange.picture import told_in
    from keepclear.reports.message_text import message_rows

    told = [told_in(each) for each in parts]
    found = [each.message for each in told if isinstance(each, MessageChanged)]
    return list(message_rows(found[-1], _now_us())) if found else [at.told(parts)]


def _inbox(
    at: AtDesk, channel: str | None, *, is_all: bool
) -> "tuple[list[Message], list[Message]]":
    """Return the messages that came to this post, and those that its party has sent.

    Those of the status of this desk: it can act on no other.
    """
    picture = at.folder.picture(at.client.party) if is_all else at.picture
    party, post, status = at.client.party, at.folder.desk().post, at.folder.desk().status
    shown = [
        each for each in picture.messages.values()
        if channel in {None, each.channel} and (is_all or each.is_open) and each.status is status
    ]  # fmt: skip
    own = [each for each in shown if each.receiver == party and each.is_with(post)]
    return own, [each for each in shown if each.sender == party]


def _of_others_text(at: AtDesk) -> list[str]:
    """Return the messages to this party that are of another status than this desk, a line each."""
    from keepclear.reports.message_text import in_order, message_heading

    status = at.folder.desk().status
    found = in_order(
        each
        for each in at.picture.messages.values()
        if each.status is not status and each.is_open and each.receiver == at.client.party
    )
    if not found:
        return []
    rows = [f"  {each.status.upper()}  {message_heading(each)}" for each in found[:MOST_AGAIN]]
    more = [f"  and {len(found) - MOST_AGAIN} more"] if len(found) > MOST_AGAIN else []
    return ["", f"of another status than this desk, which is {status}:", *rows, *more]


def _scrolled_off(rows: int, own: "list[Message]") -> list[str]:
    """Return the alarms once more that stand on top of more rows than a terminal shows at once."""
    from keepclear.line.ladder import Step
    from keepclear.reports.line_desk_text import ALARMS
    from keepclear.reports.message_text import in_order, message_heading

    if rows < ROWS:
        return []
    alarms = [
        each for each in in_order(own)
        if each.precedence in ALARMS and each.first(Step.ACKNOWLEDGED) is None
    ]  # fmt: skip
    left = len(alarms) - MOST_AGAIN
    more = [f"  and {left} more"] if left > 0 else []
    head = ["", "stands above, and nobody has acknowledged it:"] if alarms else []
    return [*head, *(f"  {message_heading(each)}" for each in alarms[:MOST_AGAIN]), *more]


def _none_text(at: AtDesk, channel: str | None, *, is_all: bool) -> str:
    """Return what is said where no message is listed; with a channel, how many wait beside it."""
    from keepclear.reports.printable import printable

    if channel is None:
        return "no messages wait at this post"
    others, _ = _inbox(at, None, is_all=is_all)
    over = ", ".join(sorted({each.channel for each in others}))
    beside = f"; {len(others)} over {over}" if others else ", and over no other"
    return f"no messages wait at this post over {printable(channel)}{beside}"


def _read_text(
    own: "list[Message]", sent: "list[Message]", language: str, none: str
) -> list[str]:  # fmt: skip
    from keepclear.reports.message_text import messages_text, sent_text

    lines = [messages_text(own, _now_us(), none, language).rstrip("\n")]
    return [*lines, *sent_text(sent, _now_us(), language)]


def _checks_text(at: AtDesk) -> list[str]:
    """Return the checks that wait for an answer here, and the lines that are not up."""
    from keepclear.reports.line_check_text import waiting_checks_text

    picture = at.picture
    return waiting_checks_text(picture.lines.values(), picture.checks, at.client.party, _now_us())


def _calls_text(at: AtDesk) -> list[str]:
    """Return the voice calls that wait for this party to sign or annotate them."""
    from keepclear.reports.call_text import waiting_rows

    party, status = at.client.party, at.folder.desk().status
    return [
        row
        for each in at.picture.waiting_calls().values()
        if (each.other, each.status) == (party, status)
        for row in ("", *waiting_rows(each, party))
    ]


def _displayed(at: AtDesk, own: "list[Message]", person: str | None) -> None:
    """Sign that messages were displayed here, each once."""
    from keepclear.line.acts import MarkDisplayed
    from keepclear.line.ladder import Step

    post, status = at.folder.desk().post, at.folder.desk().status
    for each in own:
        is_held = each.first(Step.DELIVERED, post) is not None and each.status == status
        if is_held and each.first(Step.DISPLAYED, post) is None:
            at.act("line.displayed/1", MarkDisplayed(id=each.id, person=person))


def _now_us() -> int:
    return time.time_ns() // 1000
