# SPDX-License-Identifier: Apache-2.0
"""A record as one file: a header, then lines in the order in which things happened.

Layout: JSON Lines, each line in its one form (`encoding`), the first is the header:

    header       format, view ("archive" or "party"), region, incarnation, party, exchange
    document     a key document that counted before the range (envelope)
    tree         what an audience's tree was before the range: audience, size, peaks
    chain        where the order stood before the range: seq, previous, at_us (archive only)
    entry        one entry (archive only)
    leaf         one leaf of an audience of the party (party only)
    checkpoint   a note of a tree as it stands after the lines before it
    beat         salt, note (archive only)
    world        seq, hash: what the entries before that number lead to (archive only)
    writer       number, seq, at_us, node, term: who writes the entries from seq on (archive only)
    clock        seq, at_us, off_us: nothing happens by time alone from here on, as clocks differ;
                 with off_us 0 it does again (archive only)
    personal     a personal value of an act before it: act, field; may be left out

The operator's archive has everything. A party's file has the trees it may see, and nothing of
the others, of the order or of its numbers. What tree and chain lines say is signed by nobody;
it holds where it leads to what a later checkpoint or beat has signed.

A file of keys says whom to believe: the exchange's names and keys, and the key documents of
each party from the first on. It comes from elsewhere than the record, or proves nothing.
"""

from typing import Annotated, Final, Literal

import msgspec

from keepclear.record.encoding import Signed
from keepclear.record.entries import Leaf, is_audience
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import Bytes32, Id, Name, TimeUs, is_name
from keepclear.record.notes import check_name
from keepclear.record.personal import PersonalValue

FORMAT: Final = "keepclear-record/1"
KEYS_FORMAT: Final = "keepclear-keys/1"
LONGEST_LINE: Final = 16_777_216
NODE: Final = r"^[!-~]{1,253}\Z"


class ExchangeKey(Signed, frozen=True, kw_only=True):
    """A key that the exchange signs checkpoints with, and the name on its signatures.

    The name ends in the region that the key signs for: "exchange.example/east" (`notes`).
    """

    name: str
    key: Bytes32

    def __post_init__(self) -> None:
        """Refuse a name that cannot stand on a signature."""
        check_name(self.name)


class Line(Signed, frozen=True, kw_only=True, tag_field="line"):
    """One line of a file."""


class Header(Line, frozen=True, kw_only=True, tag="header"):
    """The first line. party: whose view it is; empty in an archive."""

    format: Literal["keepclear-record/1"] = FORMAT
    view: Literal["archive", "party"]
    region: Name
    incarnation: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    party: str
    exchange: tuple[ExchangeKey, ...]

    def __post_init__(self) -> None:
        """Refuse a view of nobody, or an archive of somebody."""
        if self.view == "archive" and self.party:
            raise ValueError(f"is an archive, and of party {self.party!r}; leave the party empty")
        if self.view == "party" and not is_name(self.party):
            raise ValueError(f"is the view of {self.party!r}, which is no name of a party")


class DocumentLine(Line, frozen=True, kw_only=True, tag="document"):
    """A key document that counted before the range."""

    envelope: Envelope


class TreeLine(Line, frozen=True, kw_only=True, tag="tree"):
    """A tree as it was before the range."""

    audience: str
    size: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    peaks: tuple[Bytes32, ...]

    def __post_init__(self) -> None:
        """Refuse an audience that is written in a second way."""
        if not is_audience(self.audience):
            raise ValueError(f"audience {self.audience!r} is no list of parties in order")


class ChainLine(Line, frozen=True, kw_only=True, tag="chain"):
    """Where the order stood before the range."""

    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    previous: Bytes32
    at_us: TimeUs


class EntryLine(Line, frozen=True, kw_only=True, tag="entry"):
    """An entry, as the bytes that are hashed."""

    entry: msgspec.Raw


class LeafLine(Line, frozen=True, kw_only=True, tag="leaf"):
    """A leaf."""

    leaf: Leaf


class CheckpointLine(Line, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint of a tree as it stands here."""

    note: str


class BeatLine(Line, frozen=True, kw_only=True, tag="beat"):
    """A beat over all trees as they stand here."""

    salt: Bytes32
    note: str


class WorldLine(Line, frozen=True, kw_only=True, tag="world"):
    """The hash of the world after the entries before `seq`; under the next beat, so salted."""

    seq: Annotated[int, msgspec.Meta(ge=1, lt=2**62)]
    hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]

    @property
    def said(self) -> str:
        """Return what a beat is over."""
        return f"world {self.seq} {self.hash}"


class WriterLine(Line, frozen=True, kw_only=True, tag="writer"):
    """Another process writes from the entry `seq` on; under the next beat, as hashes of worlds are.

    number: counts the writers of the record, from 1. node: its name. term: of its lease of the
    database, 0 where there is none.
    """

    number: Annotated[int, msgspec.Meta(ge=1, lt=2**62)]
    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    at_us: TimeUs
    node: Annotated[str, msgspec.Meta(pattern=NODE)]
    term: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]

    @property
    def said(self) -> str:
        """Return what a beat is over."""
        return f"writer {self.number} {self.seq} {self.at_us} {self.term} {self.node}"


class ClockLine(Line, frozen=True, kw_only=True, tag="clock"):
    """What falls due by time alone is held from the entry `seq` on; not any more with off_us 0.

    off_us: by how much clocks differ, microseconds. Under the next beat, as hashes of worlds are.
    """

    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    at_us: TimeUs
    off_us: Annotated[int, msgspec.Meta(gt=-(2**62), lt=2**62)]

    @property
    def said(self) -> str:
        """Return what a beat is over."""
        return f"clock {self.seq} {self.at_us} {self.off_us}"


class PersonalLine(Line, frozen=True, kw_only=True, tag="personal"):
    """A personal value, which can be taken out of the file and everything still verifies."""

    act: Id
    field: PersonalValue


AnyLine = (
    Header | DocumentLine | TreeLine | ChainLine | EntryLine | LeafLine | CheckpointLine | BeatLine
    | WorldLine | WriterLine | ClockLine | PersonalLine
)  # fmt: skip


class KeysFile(Signed, frozen=True, kw_only=True):
    """Whom to believe; see the module."""

    format: Literal["keepclear-keys/1"] = KEYS_FORMAT
    exchange: tuple[ExchangeKey, ...] = ()
    documents: tuple[Envelope, ...] = ()
