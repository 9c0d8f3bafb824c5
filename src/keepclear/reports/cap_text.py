# SPDX-License-Identifier: Apache-2.0
"""A document of CAP on a terminal: who has signed it, what it says, what another system answers.

Everything in a document of others is a claim, and is printed so that it cannot fake a line.
"""

from collections.abc import Iterator
from typing import Final

from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.formats.cap import Document
from keepclear.line.messages import Message
from keepclear.reports.printable import printable
from keepclear.reports.record_text import grouped

SHORT: Final = 8
LABEL: Final = 12


def proven_text(
    document: Document, key_id: str, message: Message | None, language: str
) -> list[str]:
    """Return that a document is signed by the exchange, and what it says.

    key_id: of the key that has signed it. message: as the post holds it, None where it does not.
    """
    held = (
        "and says what this post holds"
        if message is not None
        else "and is of no message that this post holds: whether it was sent so is not known here"
    )
    return [
        f"SIGNED by the exchange, {held}",
        _row("key", f"{grouped(key_id)}, as the record names it"),
        *_rows(document, language),
        "", SAYS_NOTHING_ELSE,
    ]  # fmt: skip


def answer_text(document: Document) -> list[str]:
    """Return who answers a document; it is a claim."""
    who = f"{printable(document.reference.sender)}, {document.reference.sent}"
    return [f"Ack of {who}: a claim, which nothing proves. This post acknowledges by its own key:"]


def error_text(document: Document, message: Message) -> list[str]:
    """Return that another system could not take a document, and why."""
    who = printable(document.reference.sender)
    return [
        f"ERROR: {who} has not taken message {message.id[:SHORT]}, as it says",
        _row("sent", document.reference.sent),
        _row("why", printable(document.note) or "it gives no reason"),
        "Nothing is acknowledged by that. Tell those who have to know by voice.",
    ]


def _rows(document: Document, language: str) -> Iterator[str]:
    yield _row("status", f"{document.status} {document.kind}")
    yield _row("from", printable(document.reference.sender))
    yield _row("to", printable(document.addresses))
    yield _row("sent", document.reference.sent)
    for each in document.references:
        yield _row("about", printable(each.identifier[:SHORT]))
    own = [each for each in document.said if each.language == language] or list(document.said[:1])
    for said in own:
        yield _row("how urgent", f"{said.urgency}, {said.severity}, {said.certainty}")
        for number, line in enumerate(said.description.split("\n")):
            yield _row("" if number else "says", _kept_apart(line))


def _kept_apart(line: str) -> str:
    """Return a line of a signed document, in which isolates stand as they were written."""
    return line if line.startswith("\u2067") else printable(line)


def _row(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"
