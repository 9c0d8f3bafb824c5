# SPDX-License-Identifier: Apache-2.0
"""`keepclear line cap|cap-verify|cap-ack`: messages to and from systems that read CAP 1.2."""

from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import SHORT, desk, home_option, one_of, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.line_values import read_in_option

if TYPE_CHECKING:
    from keepclear.cli.desk import AtDesk
    from keepclear.exchange.picture import Picture

REJECTED: Final = 1
person_option = click.option(
    "--person", metavar="ROLE", help='Who is on watch, as a role: "shift-lead". No name.'
)


@click.command()
@click.argument("message", metavar="ID")
@click.option("-o", "--output", metavar="FILE", help="Write it to FILE, not to the terminal.")
@home_option
def cap(message: str, output: str | None, home: str) -> int:
    """Give message ID out to other systems, as a signed alert of CAP 1.2.

    The exchange signs it, and both parties get the same document. What says where people are who
    can be hurt never leaves: no STOP, no DISTRESS, no none-here, nothing of their threads; nor what
    the other party has typed freely. It is refused then, and says why.

    \b
    Example:
      keepclear line cap 1a2b3c4d -o notice.xml --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.cap_documents import proven, taken_place_of
    from keepclear.cli.output import check_output, print_bytes, write_text

    def make() -> list[str]:
        if output is not None:
            check_output(output)
        with desk(home) as at:
            at.client.catch_up()
            own_id = one_of(message, _ids(at.folder.picture(at.client.party), at), "message")
            content = at.client.cap(own_id)
            found = proven(at, content, "the exchange's document")
            later = taken_place_of(at, own_id)
        for each in later:
            click.echo(f"message {each[:SHORT]} has taken its place: give that out, too", err=True)
        if found.message is not None and found.message.text:
            click.echo("it has words that were typed freely: read them before you pass it on",
                       err=True)  # fmt: skip
        if output is None:
            print_bytes(content)
            return []
        write_text(output, content.decode())
        document = found.document
        return [
            f"wrote {output}: {document.status} {document.kind} of message {own_id[:SHORT]}",
            f"signed by the exchange with key {found.key.id[:16]}, which the record names",
            "What a system answers to it (Ack): keepclear line cap-ack FILE",
        ]

    return print_or_refuse(make)


@click.command("cap-verify")
@click.argument("file", type=click.Path(dir_okay=False))
@read_in_option
@home_option
def cap_verify(file: str, language: str, home: str) -> int:
    """Tell whether the exchange has signed the alert in FILE.

    What it says is printed. The key is the one that the record names now, from this post's own
    copy, and never one that stands in the file. Where the message is held here, it says the same.
    The exit status is 2 where it is not proven.

    \b
    Example:
      keepclear line cap-verify notice.xml --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.cap_documents import proven, read_file
    from keepclear.reports.cap_text import proven_text

    stale: list[str] = []

    def make() -> list[str]:
        content = read_file(file)
        with desk(home) as at:
            stale.extend(stale_text(at.caught_up()))
            found = proven(at, content, file)
        return [*stale, *proven_text(found.document, found.key.id, found.message, language)]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


@click.command("cap-ack")
@click.argument("file", type=click.Path(dir_okay=False))
@person_option
@home_option
def cap_ack(file: str, person: str | None, home: str) -> int:
    """Acknowledge the message that the Ack of a system in FILE is about.

    The file proves nothing, and is nobody's acknowledgement: a person at this post reads it, and
    the post's own key signs. An Error is printed, and nothing is signed; the exit status is 1 then.

    \b
    Example:
      keepclear line cap-ack answer.xml --person shift-lead --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.cap_documents import exchange_of, read_file, referred
    from keepclear.cli.line import check_read, done
    from keepclear.errors import InputError
    from keepclear.formats.cap import read_cap
    from keepclear.line.acts import AcknowledgeMessage
    from keepclear.line.ladder import Step
    from keepclear.reports.cap_text import answer_text, error_text

    is_error: list[bool] = []

    def make() -> list[str]:
        document = read_cap(read_file(file), file)
        with desk(home) as at:
            at.client.catch_up()
            if document.kind not in {"Ack", "Error"}:
                raise InputError(
                    f"{file}, msgType", document.kind, "is not Ack",
                    "see what it says: keepclear line cap-verify, or the system that it came from",
                )  # fmt: skip
            message = referred(at, document, file)
            if document.status != message.status.value:
                raise InputError(
                    f"{file}, status", document.status,
                    f"is not {message.status.value}, as the message is",
                    "an exercise and what is meant are kept apart: ask its sender",
                )  # fmt: skip
            if document.reference.sender.endswith(f"@{exchange_of(at)}"):
                raise InputError(
                    f"{file}, sender", document.reference.sender,
                    "is a name of the exchange, under which nothing is acknowledged by a file",
                    "let its sender use a name of its own",
                )  # fmt: skip
            if document.kind == "Error":
                is_error.append(True)
                return error_text(document, message)
            if message.receiver != at.client.party:
                raise InputError(
                    "message", message.id[:SHORT],
                    f"is sent by {at.client.party}; {message.receiver} acknowledges it",
                    "keep the file; it is no step of the ladder",
                )  # fmt: skip
            taken = message.first(Step.ACKNOWLEDGED)
            if taken is not None:
                raise InputError(
                    "message", message.id[:SHORT], f"is acknowledged, by {taken.post}",
                    "say that this system was told: keepclear line disseminated "
                    f"{message.id[:SHORT]} UNIT",
                )  # fmt: skip
            check_read(at, message)
            made = AcknowledgeMessage(id=message.id, person=person)
            return [*answer_text(document), *done(at, at.act("line.acknowledge/1", made))]

    return print_or_refuse(make) or (REJECTED if is_error else 0)


def _ids(picture: "Picture", at: "AtDesk") -> list[str]:
    """Return the ids of messages, and of what is asked for in their place and never leaves."""
    from keepclear.exchange.events import NoneHereStated
    from keepclear.record.encoding import decode
    from keepclear.reports.stop_text import read_stops

    stated = [
        decode(bytes(part.data), NoneHereStated, part.kind).statement.id
        for _, part in at.folder.parts() if part.kind == "none-here-stated/1"
    ]  # fmt: skip
    return [*picture.messages, *read_stops(at.folder.lines()).stops, *stated]
