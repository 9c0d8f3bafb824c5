# SPDX-License-Identifier: Apache-2.0
"""Documents of CAP against a post's own copy: which key has signed one, and what it is about."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from keepclear.errors import InputError, OperatorError
from keepclear.record.faults import NotProven

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from keepclear.cli.desk import AtDesk
    from keepclear.formats.cap import Document, Reference
    from keepclear.line.messages import Message
    from keepclear.record.cap_keys import CapKey

SHORT: Final = 8
KEY: Final = 16
ASK: Final = "do not act on it; ask the operator and the other party"


class Proven(NamedTuple):
    """A document that the exchange has signed. message: what is held of it; None for nothing."""

    document: "Document"
    key: "CapKey"
    message: "Message | None"


def read_file(file: str) -> bytes:
    """Return what a file holds, and of one that is too large no more than says so."""
    from keepclear.formats.cap import MOST_BYTES

    with Path(file).open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def proven(at: "AtDesk", content: bytes, path: str) -> Proven:
    """Return a document that the exchange has signed, and that says what is held here.

    `NotProven` where the key that the record names has not signed it, or it says something else.
    """
    from keepclear.exchange.views import SAYS_NOTHING_ELSE
    from keepclear.formats.cap import read_cap
    from keepclear.formats.cap_writing import Place, written
    from keepclear.line.leaving import as_sent, thread_of

    keys = _cap_keys(at)
    signed = _verified(content, keys, path)
    document = read_cap(signed, path)
    exchange = exchange_of(at)
    if document.reference.sender.partition("@")[2] != exchange:
        raise NotProven(path, document.reference.sender, f"is nobody at {exchange}", ASK)
    every = at.folder.picture(at.client.party).messages
    message = every.get(document.reference.identifier)
    if message is not None:
        made = as_sent(message, thread_of(message, every))
        own = read_cap(written(made, Place(exchange, SAYS_NOTHING_ELSE)), "own copy")
        if not _is_same(own.root, document.root):
            raise NotProven(
                path, f"message {message.id[:SHORT]}",
                "is signed with the key for documents, and says something else than is held here",
                f"keep the file; {ASK}",
            )  # fmt: skip
    return Proven(document, keys[-1], message)


def referred(at: "AtDesk", document: "Document", path: str) -> "Message":
    """Return the message that a document of others is about, the one that it refers to.

    `InputError` where it refers to none, to several, or not to one as the exchange has named it.
    """
    from keepclear.formats.cap_writing import reference_of

    if len(document.references) != 1:
        raise InputError(
            f"{path}, references", f"{len(document.references)} of them",
            "is not one document, and this is about one at a time",
            "ask its sender for one of each",
        )  # fmt: skip
    named: Reference = document.references[0]
    every = at.folder.picture(at.client.party).messages
    found = every.get(named.identifier)
    if found is None:
        raise InputError(
            f"{path}, references", named.identifier[:SHORT * 4],
            f"is no message of {at.client.party}", "see that it is for this post",
        )  # fmt: skip
    own = reference_of(found, exchange_of(at))
    if own != named:
        raise InputError(
            f"{path}, references", ",".join(named)[:200],
            f"is not how message {found.id[:SHORT]} is named: {','.join(own)}",
            "ask its sender which document it is about",
        )  # fmt: skip
    return found


def taken_place_of(at: "AtDesk", own_id: str) -> list[str]:
    """Return the messages that have taken the place of one, oldest first, by their ids."""
    from keepclear.line.leaving import earlier_of, thread_of

    every = at.folder.picture(at.client.party).messages
    thread = thread_of(every[own_id], every)
    return [each.id for each in thread if own_id in {one.id for one in earlier_of(each, thread)}]


def exchange_of(at: "AtDesk") -> str:
    """Return the name that the exchange signs under."""
    from keepclear.record.notes import is_of_region

    region = at.client.seen.region
    names = [each.name for each in at.client.believed if is_of_region(each.name, region)]
    if not names:
        raise OperatorError(
            f"{at.folder.path}: has no key of region {region}; set the post up anew"
        )
    return names[-1]


def _cap_keys(at: "AtDesk") -> "tuple[CapKey, ...]":
    """Return the keys for documents that the record names, in order, from the post's own copy."""
    from keepclear.record.cap_keys import CapKeys
    from keepclear.record.encoding import decode
    from keepclear.record.envelopes import Envelope
    from keepclear.record.parts import CAP_KEY_KIND

    seen = at.client.seen
    keys = CapKeys(seen.region, seen.incarnation)
    for leaf, part in at.folder.parts():
        if part.kind == CAP_KEY_KIND:
            envelope = decode(bytes(part.data), Envelope, part.kind)
            keys.add(envelope, at.client.believed, leaf.audience)
    if not keys.all:
        raise NotProven(
            "CAP", seen.region, "has no key for documents in its record, so none is signed",
            "the operator makes one with keepclear region cap-key",
        )  # fmt: skip
    return keys.all


def _verified(content: bytes, keys: "tuple[CapKey, ...]", path: str) -> bytes:
    try:
        from keepclear.formats.cap_signing import verify
    except ModuleNotFoundError as missing:
        raise OperatorError(
            f"{missing.name}: not installed, and signatures of CAP need it; "
            "pip install 'keepclear[cap]'"
        ) from None
    try:
        return verify(content, keys[-1].certificate, path)
    except NotProven as fault:
        for each in keys[:-1]:
            try:
                verify(content, each.certificate, path)
            except NotProven:
                continue
            raise NotProven(
                path, f"key {each.id[:KEY]}",
                f"was followed by {keys[-1].id[:KEY]}, and signs nothing any more",
                "get the document anew: keepclear line cap",
            ) from None  # fmt: skip
        raise fault from None


def _is_same(one: "Element", other: "Element") -> bool:
    """Tell whether two elements have the same text, and the same elements in them."""
    return (
        one.tag == other.tag
        and one.attrib == other.attrib
        and (one.text or "") == (other.text or "")
        and (one.tail or "") == (other.tail or "")
        and len(one) == len(other)
        and all(map(_is_same, one, other))
    )
