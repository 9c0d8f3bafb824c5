# SPDX-License-Identifier: Apache-2.0
"""What one party may see of an archive, as a file of its own (`files`).

Kept are the leaves of its trees in the order in which they were entered, their checkpoints, the
key documents and personal values of acts it sees. Left out are the order's numbers and hashes,
the beats, which are over all trees, and every other party's leaf.
"""

from collections.abc import Iterable, Iterator

import msgspec

from keepclear.record.encoding import decode, encode
from keepclear.record.entries import EVERYBODY, Entry, Leaf, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    CheckpointLine,
    DocumentLine,
    EntryLine,
    Header,
    LeafLine,
    PersonalLine,
    TreeLine,
)
from keepclear.record.headers import read_act
from keepclear.record.notes import read_checkpoint, split_note
from keepclear.record.parts import ACT_KIND, LATE_ACT_KIND
from keepclear.record.receipts import Receipt


def view_of(lines: Iterable[bytes], party: str) -> Iterator[bytes]:
    """Yield the lines of a party's file from those of an archive; `Malformed` for what is none."""
    acts: set[str] = set()
    for number, data in enumerate(lines, start=1):
        yield from seen_of(data, party, acts, f"line {number}")


def seen_of(data: bytes, party: str, acts: set[str], path: str) -> Iterator[bytes]:
    """Yield what a party's file has of one line of an archive.

    acts: ids of those that it saw before; those that it sees now are added.
    """
    line: AnyLine = decode(data, AnyLine, path, LONGEST_LINE)  # type: ignore[arg-type]
    match line:
        case Header():
            yield encode(msgspec.structs.replace(line, view="party", party=party))
        case EntryLine():
            entry = decode(bytes(line.entry), Entry, f"{path}, entry", LONGEST_LINE)
            for leaf in entry.leaves:
                if is_seen(leaf.audience, party):
                    acts |= _acts_in(leaf)
                    yield encode(LeafLine(leaf=leaf))
        case _ if _is_kept(line, party, acts):
            yield data
        case _:
            pass


def _is_kept(line: AnyLine, party: str, acts: set[str]) -> bool:
    """Tell whether a party's file has a line as the archive has it. acts: that it sees."""
    match line:
        case DocumentLine():
            return True
        case TreeLine():
            return is_seen(line.audience, party)
        case CheckpointLine():
            origin = read_checkpoint(split_note(line.note)[0]).origin
            return is_seen(origin.rpartition("/")[2], party)
        case PersonalLine():
            return line.act in acts
        case _:
            return False


def is_seen(audience: str, party: str) -> bool:
    """Tell whether a party is of an audience."""
    return audience == EVERYBODY or party in audience.split(",")


def _acts_in(leaf: Leaf) -> set[str]:
    part = decode(bytes(leaf.part), Part, "part", LONGEST_LINE)
    if part.kind == LATE_ACT_KIND:
        receipt = decode(bytes(part.data), Receipt, "receipt", LONGEST_LINE)
        part = decode(bytes(receipt.part), Part, "part", LONGEST_LINE)
    if part.kind != ACT_KIND:
        return set()
    return {read_act(decode(bytes(part.data), Envelope, "envelope")).id}
