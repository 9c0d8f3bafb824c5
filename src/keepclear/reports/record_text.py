# SPDX-License-Identifier: Apache-2.0
"""How a record, what was verified of it, and a file of keys read on a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from keepclear.record.encoding import decode
from keepclear.record.entries import EVERYBODY, Entry, Leaf, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    BeatLine,
    CheckpointLine,
    DocumentLine,
    EntryLine,
    Header,
    KeysFile,
    LeafLine,
)
from keepclear.record.headers import read_act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.keys import PublicKey
from keepclear.record.mandates import Mandate, mandate_text
from keepclear.record.notes import read_checkpoint, split_note
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND
from keepclear.record.receipts import Proven, ProvenAct
from keepclear.record.verification import Verified
from keepclear.units import format_time

SHOWN: Final = 100
FINGERPRINT: Final = 16


def verified_text(found: Verified, file: str) -> str:
    """Return what was verified, verdict first, and what is not said by it."""
    header = found.header
    lines = []
    if found.is_proven:
        lines.append(f"PROVEN  {file}: signed by the keys given, and whole")
    elif found.has_keys:
        count = f"{found.unsigned:,} of {found.leaves:,} parts"
        lines += [
            f"NOT PROVEN  {file}: {count} are under no checkpoint",
            "  way out    get the range again with checkpoints after its last part",
        ]
    else:
        lines += [
            f"CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN  {file}",
            "  way out    give --keys FILE with keys that did not come with this record",
        ]
    view = "the operator's archive" if header.view == "archive" else f"what {header.party} may see"
    what = [f"{found.leaves:,} parts", f"{found.acts:,} acts"]
    if header.view == "archive":
        what.insert(0, f"{found.entries:,} entries")
    lines += [
        f"  record     {header.region}, incarnation {header.incarnation}, {view}",
        f"  holds      {', '.join(what)}",
        f"  signed     {found.checkpoints:,} checkpoints, {found.beats:,} beats",
    ]
    if found.leaves:
        lines.append(f"  from, to   {format_time(found.first_us)}, {format_time(found.last_us)}")
    if found.unsigned:
        lines.append(
            f"  open       {found.unsigned:,} parts stand after the last checkpoint of their tree"
        )
    for key in found.exchange:
        lines.append(f"  exchange   {key[:FINGERPRINT]}")
    for party, root in found.roots:
        lines.append(f"  {party[:10]:<10} {root[:FINGERPRINT]} (root)")
    for party, power in found.one_person:
        lines.append(f"  alone      one representative of {party} may sign {power} alone")
    for each in found.suspects:
        lines.append(
            f"  SUSPECT    act {each.act[:8]} of {each.party}: its key {each.key_id[:FINGERPRINT]} "
            f"is suspect since {format_time(each.since_us)}"
        )
    lines += [
        "",
        "Says what was entered and by whom; not that it is true, nor that nothing else happened.",
    ]
    return "\n".join(lines) + "\n"


def receipt_text(proven: Proven | None, act: ProvenAct | None, file: str) -> str:
    """Return what a receipt proves, verdict first; proven: None without keys to believe."""
    if proven is None:
        return (
            f"CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN  {file}\n"
            "  way out    give --keys FILE with keys that did not come with this receipt\n"
        )
    checkpoint = proven.checkpoint
    lines = [
        f"PROVEN  {file}: entered at {format_time(proven.part.at_us)}",
        f"  part       {proven.part.kind}",
        f"  under      {checkpoint.origin}, {checkpoint.size:,} parts",
        *(f"  cosigned   by {each.name}" for each in proven.cosigned),
    ]
    if act is not None:
        who = ", ".join(each.who for each in act.signers.appointed)
        lines += [
            f"  act        {act.act.kind} of {act.act.party}, {act.act.post} ({act.act.status})",
            f"  signed     by {who}",
        ]
        if act.signers.alone is not None:
            lines.append(
                f"  alone      one representative of {act.act.party} may sign "
                f"{act.signers.alone} alone, by its key document"
            )
    lines += ["", "Says that this was entered and by whom; not that it is true."]
    return "\n".join(lines) + "\n"


def record_text(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield a record as lines for people; verifies nothing, and says so first."""
    yield "NOT VERIFIED: run `keepclear record verify` first.\n"
    for number, data in enumerate(lines, start=1):
        line: AnyLine = decode(data, AnyLine, f"line {number}", LONGEST_LINE)  # type: ignore[arg-type]
        match line:
            case Header():
                yield f"{line.region}, incarnation {line.incarnation}, {line.view} {line.party}\n"
            case EntryLine():
                entry = decode(bytes(line.entry), Entry, f"line {number}", LONGEST_LINE)
                for leaf in entry.leaves:
                    yield _leaf_text(leaf, f"{entry.seq:>6}  ")
            case LeafLine():
                yield _leaf_text(line.leaf, "")
            case DocumentLine():
                yield f"{'':22}keys before  {_document_text(line.envelope)}\n"
            case CheckpointLine():
                checkpoint = read_checkpoint(split_note(line.note)[0])
                yield f"{'':22}checkpoint of {checkpoint.origin}: {checkpoint.size} parts\n"
            case BeatLine():
                yield f"{'':22}beat {read_checkpoint(split_note(line.note)[0]).size}\n"
            case _:
                pass


def keys_text(keys: KeysFile) -> str:
    """Return a file of keys for people, with the fingerprints to compare by voice."""
    lines = []
    for each in keys.exchange:
        lines.append(f"exchange  {each.name}")
        lines.append(f"  signs with      {grouped(PublicKey(each.key).id)}")
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
    return "\n".join(lines) + "\n"


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


def _leaf_text(leaf: Leaf, before: str) -> str:
    part = decode(bytes(leaf.part), Part, "part", LONGEST_LINE)
    to = "all" if leaf.audience == EVERYBODY else leaf.audience
    what = _part_text(part)
    return f"{before}{format_time(part.at_us)[:19]}Z  to {to:<12} {part.kind:<16} {what}\n"


def _part_text(part: Part) -> str:
    data = bytes(part.data)
    if part.kind in {ACT_KIND, DOCUMENT_KIND}:
        envelope = decode(data, Envelope, "envelope")
        if part.kind == DOCUMENT_KIND:
            return _document_text(envelope)
        act = read_act(envelope)
        text = bytes(act.payload).decode("utf-8", "replace")
        return f"{act.party}, {act.post} ({act.status}) {act.kind} {_short(text)}"
    return _short(data.decode("utf-8", "replace"))


def _document_text(envelope: Envelope) -> str:
    document = decode(envelope.payload, KeyDocument, "key document")
    return f"keys of {document.party}, version {document.version}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
