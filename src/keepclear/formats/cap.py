# SPDX-License-Identifier: Apache-2.0
"""Documents of the Common Alerting Protocol (OASIS CAP-v1.2, 1 July 2010) as they come in.

Layout (3.2), of which is read:

    alert
      identifier     of its sender's own making; no space, comma, < or &
      sender         who gave it; the same
      sent           date and time with an offset, never Z: 2016-09-17T14:00:00-00:00
      status         Actual, Exercise, System, Test or Draft
      msgType        Alert, Update, Cancel, Ack or Error
      source?        an operator or a device
      scope          Public, Restricted or Private
      addresses?     of a private one, apart by spaces
      note?          of an Error why
      references?    sender,identifier,sent of earlier ones, apart by spaces
      info*          in a language: event, urgency, severity, certainty, headline, description

1. A document from others is no signature of anybody: who sent it is a claim.
2. A document type definition is refused, and with it entities that swell (CWE-776) or that fetch
   something (CWE-611). So is a comment within an element: it can break a word in two.
3. Text is UTF-8; the document has at most `MOST_BYTES` and is nested `DEEPEST` deep at most.
4. Each of the elements above is there once at most, and is named in the namespace of CAP 1.2. What
   stands there beside, and the signature, is passed over (`cap_signing` verifies it).
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from keepclear.errors import InputError
from keepclear.units import parse_time_us

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
MOST_BYTES: Final = 262_144
DEEPEST: Final = 16
SHOWN: Final = 60
STATUSES: Final = ("Actual", "Exercise", "System", "Test", "Draft")
TYPES: Final = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES: Final = ("Public", "Restricted", "Private")
AGAIN: Final = "get it again from who made it"
# CAP-v1.2, 3.3.2: "Z" is not used; UTC is -00:00.
_TIME: Final = re.compile(r"(?a:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)")
_NAME: Final = re.compile(r"[^\s,<&]{1,200}")


class Reference(NamedTuple):
    """An earlier document, as another one names it. sent: as it stands there."""

    sender: str
    identifier: str
    sent: str


class Said(NamedTuple):
    """What a document says in one language; texts are empty where nothing stands there."""

    language: str
    event: str
    urgency: str
    severity: str
    certainty: str
    headline: str
    description: str


class Document(NamedTuple):
    """A document that was read; see the module. sent: as it stands there, sent_us the same."""

    reference: Reference
    sent_us: int
    status: str
    kind: str
    source: str
    scope: str
    addresses: str
    note: str
    references: tuple[Reference, ...]
    said: tuple[Said, ...]
    root: Element


def read_cap(content: bytes, path: str) -> Document:
    """Return the document that bytes are; `InputError` says what is wrong in them."""
    root = _parsed(content, path)
    if root.tag != _tag("alert"):
        raise InputError(
            path, root.tag[:SHOWN], f"is no alert in the namespace {NAMESPACE}",
            "give a document of CAP 1.2",
        )  # fmt: skip
    sent = _needed(root, "sent", path)
    reference = Reference(_name(root, "sender", path), _name(root, "identifier", path), sent)
    return Document(
        reference=reference, sent_us=_time_us(sent, f"{path}, sent"),
        status=_one_of(root, "status", STATUSES, path),
        kind=_one_of(root, "msgType", TYPES, path), source=_text(root, "source", path),
        scope=_one_of(root, "scope", SCOPES, path), addresses=_text(root, "addresses", path),
        note=_text(root, "note", path), references=tuple(_references(root, path)),
        said=tuple(_said(each, path) for each in root.iterfind(_tag("info"))), root=root,
    )  # fmt: skip


class _Guarded(TreeBuilder):
    """Builds a tree that is not too deep, and in which no comment breaks a word."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path, self._depth = path, 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > DEEPEST:
            raise InputError(self._path, tag[:SHOWN], f"is nested deeper than {DEEPEST}", AGAIN)
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)

    def comment(self, text: str | None) -> Element:
        if self._depth > 1:
            raise InputError(
                self._path, (text or "")[:SHOWN], "is a comment within an element, and could "
                "break a word in two", "take it out",
            )  # fmt: skip
        return super().comment(text)


def _parsed(content: bytes, path: str) -> Element:
    if len(content) > MOST_BYTES:
        raise InputError(
            path, f"{len(content):,} bytes", f"is larger than {MOST_BYTES:,} bytes",
            "a document of CAP has some thousands: see what the file is",
        )  # fmt: skip
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InputError(
            path, f"byte {fault.start:,}", "is not UTF-8", "write it as UTF-8"
        ) from None
    parser = DefusedXMLParser(target=_Guarded(path), forbid_dtd=True)
    try:
        parser.feed(text)
        found: Element = parser.close()
    except ParseError as fault:
        raise InputError(path, str(fault)[:SHOWN], "is no XML", AGAIN) from None
    except DefusedXmlException:
        raise InputError(
            path, "DOCTYPE", "has a document type definition, which can make entities swell or "
            "fetch something", "take it out; CAP needs none",
        ) from None  # fmt: skip
    except (ValueError, LookupError) as fault:
        if isinstance(fault, InputError):
            raise
        raise InputError(path, str(fault)[:SHOWN], "cannot be read", AGAIN) from None
    return found


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _text(parent: Element, name: str, path: str) -> str:
    """Return the text of an element, without white space around it; empty where it is not there."""
    found = parent.findall(_tag(name))
    if len(found) > 1:
        raise InputError(f"{path}, {name}", f"{len(found)} times", "may stand once", AGAIN)
    if found and len(found[0]):
        raise InputError(f"{path}, {name}", "", "has elements in it, and should be text", AGAIN)
    return (found[0].text or "").strip() if found else ""


def _needed(parent: Element, name: str, path: str) -> str:
    found = _text(parent, name, path)
    if not found:
        raise InputError(f"{path}, {name}", "", "is missing or empty, and is needed", AGAIN)
    return found


def _name(parent: Element, name: str, path: str) -> str:
    found = _needed(parent, name, path)
    if _NAME.fullmatch(found) is None:
        raise InputError(
            f"{path}, {name}", found[:SHOWN], "has a space, a comma, < or & in it, or more than "
            "200 characters", AGAIN,
        )  # fmt: skip
    return found


def _one_of(parent: Element, name: str, words: tuple[str, ...], path: str) -> str:
    found = _needed(parent, name, path)
    if found not in words:
        raise InputError(
            f"{path}, {name}", found[:SHOWN], f"is not one of {', '.join(words)}", AGAIN
        )
    return found


def _time_us(text: str, path: str) -> int:
    if _TIME.fullmatch(text) is None:
        raise InputError(
            path, text[:SHOWN], "is no time with its offset",
            'write "2016-09-17T14:00:00-00:00"; CAP has no Z',
        )  # fmt: skip
    return parse_time_us(text, path)


def _references(root: Element, path: str) -> Iterator[Reference]:
    for each in _text(root, "references", path).split():
        parts = each.split(",")
        if len(parts) != len(Reference._fields) or not all(parts):
            raise InputError(
                f"{path}, references", each[:SHOWN], "is not sender,identifier,sent", AGAIN
            )
        found = Reference(*parts)
        _time_us(found.sent, f"{path}, references")
        yield found


def _said(info: Element, path: str) -> Said:
    where = f"{path}, info"
    return Said(
        _text(info, "language", where) or "en-US", _needed(info, "event", where),
        _needed(info, "urgency", where), _needed(info, "severity", where),
        _needed(info, "certainty", where), _text(info, "headline", where),
        _text(info, "description", where),
    )  # fmt: skip
