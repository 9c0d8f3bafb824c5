# SPDX-License-Identifier: Apache-2.0
"""How a record, what was verified of it, and a file of keys read on a terminal."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from keepclear.record.cap_keys import CapKey
from keepclear.record.encoding import decode
from keepclear.record.entries import EVERYBODY, Entry, Leaf, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    BeatLine,
    ChainLine,
    CheckpointLine,
    ClockLine,
    DocumentLine,
    EntryLine,
    Header,
    KeysFile,
    LeafLine,
    TreeLine,
    WorldLine,
    WriterLine,
)
from keepclear.record.headers import read_act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.keys import PublicKey
from keepclear.record.mandates import Mandate, mandate_text
from keepclear.record.notes import NoteKey, read_checkpoint, split_note
from keepclear.record.parts import ExchangeKeyChange
from keepclear.record.receipts import Proven, ProvenAct, Receipt
from keepclear.record.verification import HeldTree, Verified
from keepclear.reports.printable import printable
from keepclear.units import format_time

MAY_BE_MISSING: Final = (
    "trees or later parts may be, and the order between trees is not proven; "
    "compare the sizes and roots with the newest checkpoints of the exchange, by voice"
)
WIDTH: Final = 100
LINES_BELOW: Final = 2
INDENT: Final = " " * 13
BELOW: Final = " " * 10
LONG_ID: Final = re.compile(r"[0-9a-f]{32,}\Z")


def verified_text(found: Verified, file: str) -> str:
    """Return what was verified, verdict first, and what is not said by it."""
    header = found.header
    is_archive = header.view == "archive"
    view = "the operator's archive" if is_archive else f"said to be what {header.party} may see"
    holds = [_count(found.leaves, "part"), _count(found.acts, "act")]
    signed = [_count(found.checkpoints, "checkpoint")]
    if is_archive:
        holds.insert(0, _count(found.entries, "entry"))
        signed.append(_count(found.beats, "beat"))
    lines = _verdict(found, file)
    lines += _row("record", f"{header.region}, incarnation {header.incarnation}, {view}")
    lines += _row("holds", ", ".join(holds))
    if found.first_entry:
        lines += _row("begins", f"at entry {found.first_entry:,}; those before it are not in this "
                      "file")  # fmt: skip
    for tree in found.trees:
        said, root = held(tree)
        lines += _row("tree", said, root)
    lines += _row("signed", ", ".join(signed))
    for label, limit in limits(found):
        lines += _row(label, limit)
    if found.leaves:
        lines += _row("from, to", f"{format_time(found.first_us)}, {format_time(found.last_us)}")
    lines += _who_rows(found)
    for party, power in found.one_person:
        lines += _row("alone", f"one representative of {party} may sign {power} alone")
    for suspect in found.suspects:
        lines += _row(
            "SUSPECT", f"act {suspect.act[:8]} of {suspect.party}: its key is suspect since "
            f"{format_time(suspect.since_us)}", grouped(suspect.key_id),
        )  # fmt: skip
    lines += [
        "",
        "Says what was entered and by whom; not that it is true, nor that nothing else happened.",
    ]
    return _text(lines)


def _who_rows(found: Verified) -> list[str]:
    """Return who has written and signed a record, and by whose roots it is believed."""
    lines: list[str] = []
    if (writer := found.writer) is not None:
        since = f"from entry {writer.seq:,} on"
        lines += _row("writer", f"the last of {writer.number:,} is node {writer.node}, {since}")
    for each in found.exchange:
        lines += _row("exchange", each.name, grouped(each.key_id))
    for party, root in found.roots:
        lines += _row("root", f"of {party}", grouped(root))
    return lines


class Judged(NamedTuple):
    """The verdict on a file, what it says or why it is not the best, and the way out."""

    verdict: str
    why: str
    way_out: str


def judged(found: Verified) -> Judged:
    """Return the verdict, in the words of every report on a record."""
    if found.is_proven:
        by = " and ".join(dict.fromkeys(each.name for each in found.exchange))
        if found.ends_in_beat is None:
            return Judged("PROVEN", f"the parts named below, as {by} signed them", "")
        last = found.first_entry + found.entries - 1
        said = f"entries {found.first_entry:,} to {last:,}, as {by} signed them"
        return Judged("PROVEN", f"{said} with beat {found.ends_in_beat:,}", "")
    if not found.has_keys:
        way_out = "give --keys FILE with keys that did not come with this record"
        return Judged("CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN", "", way_out)
    if found.leaves == 0:
        why = "it holds no parts, so there is nothing to prove"
        way_out = "get the range again with its parts"
    elif found.unsigned:
        why = f"{found.unsigned:,} of {_count(found.leaves, 'part')} under no checkpoint"
        way_out = "get the range again with checkpoints after its last part"
    else:
        why = "it does not end in a beat: trees and entries may be missing or moved"
        way_out = "get the range again with the beat after its last entry"
    return Judged("NOT PROVEN", why, way_out)


def _verdict(found: Verified, file: str) -> list[str]:
    """Return the verdict, and the way out where it is not the best."""
    verdict, why, way_out = judged(found)
    first = f"{verdict}  {file}{': ' if why else ''}{why}"
    return [first, *(_row("way out", way_out) if way_out else [])]


def held(tree: HeldTree) -> tuple[str, str]:
    """Return which parts of a tree are there and how many were signed; and their root."""
    name = "all" if tree.audience == EVERYBODY else tree.audience
    root = f"root {grouped(tree.root.hex())}" if tree.signed == tree.end else ""
    if tree.first == tree.end:
        return f"{name}: none of its {_count(tree.end, 'part')} in this file", root
    said = f"{name}: parts {tree.first:,} to {tree.end - 1:,} of {tree.end:,}"
    if tree.first:
        said += f"; the {_count(tree.first, 'part')} before are not in this file"
    if tree.signed < tree.end:
        said += f"; {tree.end - max(tree.first, tree.signed):,} under no checkpoint"
    return said, root


def limits(found: Verified) -> Iterator[tuple[str, str]]:
    """Yield what this kind of file cannot show, each with a label."""
    header = found.header
    for each in found.later[-1:]:
        yield "key", followed_text(each.key_id)
    if header.view == "archive":
        if found.ends_in_beat is not None:
            yield "later", f"what came after beat {found.ends_in_beat:,} is not here"
        return
    there = {tree.audience for tree in found.trees}
    names = {EVERYBODY: "all", header.party: header.party}
    absent = [name for audience, name in names.items() if audience not in there]
    if absent:
        yield "not here", f"a tree of {' and of '.join(absent)}"
    yield "missing", MAY_BE_MISSING


def _row(label: str, text: str, fingerprint: str = "") -> list[str]:
    """Return one thing that is told; a fingerprint stays in one piece."""
    lines = textwrap.wrap(
        printable(text), WIDTH, initial_indent=f"  {label:<10} ", subsequent_indent=INDENT,
        break_on_hyphens=False,
    )  # fmt: skip
    if fingerprint and len(lines[-1]) + 2 + len(fingerprint) <= WIDTH:
        lines[-1] += f"  {fingerprint}"
    elif fingerprint:
        lines.append(f"{INDENT}{fingerprint}")
    return lines


def _count(number: int, what: str) -> str:
    """Return a number of things: 1 entry, 2 entries."""
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {what[:-1]}ies" if what.endswith("y") else f"{number:,} {what}s"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{printable(line)}\n" for line in lines)


def followed_text(key_id: str) -> str:
    """Return what it says for what an exchange has signed that another key has followed it."""
    return (
        f"the exchange has gone on with key {grouped(key_id)}; whoever has the key of before could "
        "have signed this since"
    )


def receipt_text(
    proven: Proven | None, act: ProvenAct | None, file: str, later: Sequence[NoteKey] = ()
) -> str:  # fmt: skip
    """Return what a receipt proves, verdict first; proven: None without keys to believe.

    later: keys that have followed the one that signed.
    """
    if proven is None:
        return _text(
            [
                f"CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN  {file}",
                *_row("way out", "give --keys FILE with keys that did not come with this receipt"),
            ]
        )
    checkpoint = proven.checkpoint
    lines = [
        f"PROVEN  {file}: entered at {format_time(proven.part.at_us)}",
        *_row("part", proven.part.kind),
        *_row("under", f"{checkpoint.origin}, {_count(checkpoint.size, 'part')}"),
    ]
    for key in proven.signed:
        lines += _row("exchange", key.name, grouped(key.key.id))
    for key in later[-1:]:
        lines += _row("key", followed_text(key.key.id))
    for each in proven.cosigned:
        lines += _row("cosigned", f"by {each.name}")
    if act is not None:
        who = ", ".join(each.who for each in act.signers.appointed)
        made = act.act
        lines += _row("act", f"{made.kind} of {made.party}, {made.post} ({made.status})")
        lines += _row("signed", f"by {who}")
        if act.signers.alone is not None:
            lines += _row(
                "alone", f"one representative of {made.party} may sign {act.signers.alone} alone, "
                "by its key document",
            )  # fmt: skip
    lines += ["", "Says that this was entered and by whom; not that it is true."]
    return _text(lines)


def record_text(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield a record as lines for people; verifies nothing, and says so first."""
    yield "NOT VERIFIED: run `keepclear record verify` first.\n"
    for number, data in enumerate(lines, start=1):
        line: AnyLine = decode(data, AnyLine, f"line {number}", LONGEST_LINE)  # type: ignore[arg-type]
        yield from (_shown(*words) for words in _line_words(line, number))


def _line_words(line: AnyLine, number: int) -> Iterator[tuple[str, str]]:
    """Yield what a line of a record says: for each part of it a head, and what is in it."""
    before = f"{'':22}"
    match line:
        case Header():
            whose = line.party or "of everything"
            yield f"{line.region}, incarnation {line.incarnation}, {line.view} {whose}", ""
        case EntryLine():
            entry = decode(bytes(line.entry), Entry, f"line {number}", LONGEST_LINE)
            for leaf in entry.leaves:
                yield _leaf_words(leaf, f"{entry.seq:>6}  ")
        case LeafLine():
            yield _leaf_words(line.leaf, "")
        case DocumentLine():
            yield f"{before}keys before", _document_words(line.envelope)
        case TreeLine():
            held = _count(line.size, "part")
            yield f"{before}tree of {_named(line.audience)} before", f"{held}, not in this file"
        case ChainLine():
            yield f"{before}begins at entry {line.seq}", ""
        case CheckpointLine():
            found = read_checkpoint(split_note(line.note)[0])
            yield f"{before}checkpoint of {found.origin}: {_count(found.size, 'part')}", ""
        case BeatLine() | WorldLine() | WriterLine() | ClockLine():
            yield f"{before}{_over_all_words(line)}", ""
        case _:
            pass


def _over_all_words(line: BeatLine | WorldLine | WriterLine | ClockLine) -> str:
    """Return what a line says that is over all trees."""
    if isinstance(line, WorldLine):
        return f"the world after {_count(line.seq, 'entry')}: {line.hash[:16]}"
    if isinstance(line, WriterLine):
        term = f", term {line.term}" if line.term else ""
        when = f"{format_time(line.at_us)[:19]}Z"
        return f"writer {line.number}: node {line.node}{term}, from entry {line.seq} on, {when}"
    if isinstance(line, ClockLine):
        when = f"{format_time(line.at_us)[:19]}Z"
        if not line.off_us:
            return f"from {when} on what falls due by time happens again"
        return f"clocks differ by {line.off_us / 1e6:+.1f} s: from {when} on nothing falls due"
    return f"beat {read_checkpoint(split_note(line.note)[0]).size}"


def _shown(head: str, said: str) -> str:
    """Return both on one line where they fit; else the second below, cut where it is long."""
    head, said = printable(head), printable(said)
    one = f"{head}  {said}".rstrip()
    if len(one) <= WIDTH:
        return f"{one}\n"
    indent = " " * (len(head) - len(head.lstrip()))
    lines = textwrap.wrap(
        head.lstrip(), WIDTH, initial_indent=indent, subsequent_indent=BELOW,
        break_on_hyphens=False,
    ) + textwrap.wrap(
        said, WIDTH, initial_indent=BELOW, subsequent_indent=BELOW, max_lines=LINES_BELOW,
        placeholder=" ...", break_on_hyphens=False,
    )  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def keys_text(keys: KeysFile) -> str:
    """Return a file of keys for people, with the fingerprints to compare by voice."""
    lines = []
    for name in dict.fromkeys(each.name for each in keys.exchange):
        *before, now = (PublicKey(each.key).id for each in keys.exchange if each.name == name)
        lines += [f"exchange  {name}", f"  signs with      {grouped(now)}"]
        lines += [f"  before that     {grouped(each)}" for each in reversed(before)]
    for envelope in keys.documents:
        document = decode(envelope.payload, KeyDocument, "key document")
        lines.append(f"party     {document.party}, version {document.version} of its keys")
        lines.append(f"  root            {grouped(PublicKey(document.root).id)}")
        lines.append(f"  next root       {grouped(document.next_root)}")
        for person in document.representatives:
            lines.append(f"  {person.id:<15} {grouped(PublicKey(person.key).id)} (representative)")
            lines += _mandate_lines(person.mandates)
        for device in document.devices:
            lines.append(f"  {device.post:<15} {grouped(PublicKey(device.key).id)} (post)")
            lines += _mandate_lines(device.mandates)
        lines += [
            f"  REVOKED         {grouped(each.key_id)} "
            f"suspect since {format_time(each.suspect_since_us)[:19]}Z"
            for each in document.revoked
        ]
        if document.one_person:
            lines.append(f"  one person may  {', '.join(document.one_person)}")
    if not lines:
        lines.append("no keys")
    return _text(lines)


def _mandate_lines(mandates: Sequence[Mandate]) -> list[str]:
    """Return what a key may sign, below it; a key without a mandate says so."""
    lines = []
    for each in mandates:
        covers, _, times = mandate_text(each).partition(" from ")
        lines += [f"  {'':<15} may sign {covers}", f"  {'':<15}   from {times}"]
    return lines or [f"  {'':<15} may sign nothing: it has no mandate"]


def grouped(key_id: str) -> str:
    """Return the first half of a key's id in groups of four, to read over a telephone."""
    half = key_id[: len(key_id) // 2]
    return " ".join(half[k : k + 4] for k in range(0, len(half), 4))


def _leaf_words(leaf: Leaf, before: str) -> tuple[str, str]:
    part = decode(bytes(leaf.part), Part, "part", LONGEST_LINE)
    what, said = _part_words(part)
    to = _named(leaf.audience)
    return f"{before}{format_time(part.at_us)[:19]}Z  to {to:<12} {part.kind:<16} {what}", said


def _named(audience: str) -> str:
    return "all" if audience == EVERYBODY else audience


def _part_words(part: Part) -> tuple[str, str]:
    """Return who does what with a part, and what is in it."""
    data = bytes(part.data)
    match part.kind:
        case "act/1":
            act = read_act(decode(data, Envelope, "envelope"))
            who = f"{act.party}, {act.post} ({act.status}) {act.kind}"
            return who, _payload_words(bytes(act.payload))
        case "key-document/1":
            return _document_words(decode(data, Envelope, "envelope")), ""
        case "exchange-key/1":
            envelope = decode(data, Envelope, "envelope")
            change = decode(envelope.payload, ExchangeKeyChange, "exchange key")
            return change.name, f"goes on with {grouped(PublicKey(change.key).id)}"
        case "cap-key/1":
            key = decode(decode(data, Envelope, "envelope").payload, CapKey, "CAP key")
            return "", f"documents of CAP are signed with {grouped(key.id)}"
        case "late-act/1":
            first = decode(bytes(decode(data, Receipt, "receipt").part), Part, "part")
            who, said = _part_words(first)
            return f"{who}, first at {format_time(first.at_us)[:19]}Z", said
    return "", _payload_words(data)


def _document_words(envelope: Envelope) -> str:
    document = decode(envelope.payload, KeyDocument, "key document")
    return f"keys of {document.party}, version {document.version}"


def _payload_words(data: bytes) -> str:
    try:
        return _said(msgspec.json.decode(data))
    except msgspec.DecodeError:  # half of a pair, written as an escape
        return data.decode("utf-8", "replace")


def _said(value: object) -> str:
    """Return a value of JSON in words: names without quotes, texts with them."""
    match value:
        case dict():
            return ", ".join(f"{name}: {_inner(each)}" for name, each in value.items())
        case list():
            return ", ".join(_inner(each) for each in value)
        case str() if LONG_ID.match(value):
            return f"{value[:8]}..."
        case str():
            return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _inner(value: object) -> str:
    match value:
        case dict():
            return f"({_said(value)})"
        case list():
            return f"[{_said(value)}]"
    return _said(value)
