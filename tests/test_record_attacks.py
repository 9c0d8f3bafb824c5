# SPDX-License-Identifier: Apache-2.0
"""What somebody without any key can do to a record: none of it is told as proven, or as all."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from keepclear.record.encoding import decode, encode
from keepclear.record.entries import EVERYBODY, Chain, Entry, Leaf, Part, after, leaf_of
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.faults import BrokenProof, Malformed, NotProven
from keepclear.record.files import (
    AnyLine,
    BeatLine,
    ChainLine,
    CheckpointLine,
    DocumentLine,
    EntryLine,
    ExchangeKey,
    Header,
    KeysFile,
    LeafLine,
    TreeLine,
)
from keepclear.record.ledger import ForWhom
from keepclear.record.merkle import Tree
from keepclear.record.notes import NoteKey, sign_note
from keepclear.record.parts import EXCHANGE_KEY
from keepclear.record.receipts import verify_receipt
from keepclear.record.verification import verify
from keepclear.reports.record_text import verified_text
from tests.record_plays import (
    EXCHANGE,
    MINUTE_US,
    REGION,
    Play,
    act,
    act_place,
    first_document,
    part,
    played,
    public,
    restored,
    salt,
    sealed,
    signed,
    signer,
)

PLAY: Final = played()
KEYS: Final = PLAY.keys()
Lines = list[AnyLine]


def read(lines: Sequence[bytes]) -> Lines:
    """Return lines as values."""
    return [decode(line, AnyLine, "line") for line in lines]  # type: ignore[arg-type]


def written(lines: Sequence[AnyLine]) -> list[bytes]:
    """Return lines as bytes."""
    return [encode(line) for line in lines]


def told(lines: Sequence[AnyLine], keys: KeysFile = KEYS) -> str:
    """Return what the command says of lines, with the white space of its layout taken out."""
    return " ".join(verified_text(verify(written(lines), keys), "x.record").split())


def entry_of(line: EntryLine) -> Entry:
    """Return the entry on a line."""
    return msgspec.json.decode(bytes(line.entry), type=Entry)


def tree_of(line: AnyLine) -> str | None:
    """Return the audience of a leaf or checkpoint."""
    match line:
        case LeafLine():
            return line.leaf.audience
        case CheckpointLine():
            return line.note.partition("\n")[0].rpartition("/")[2]
    return None


def rechained(
    lines: Lines, is_kept: Callable[[Leaf], bool] = lambda _: True, order: Sequence[int] = ()
) -> Lines:
    """Return the header and the entries in another order, or with leaves left out, chained anew."""
    entries = [entry_of(line) for line in lines if isinstance(line, EntryLine)]
    chain, made = Chain(), lines[:1]
    for k in order or range(len(entries)):
        leaves = tuple(leaf for leaf in entries[k].leaves if is_kept(leaf))
        entry = replace(entries[k], seq=chain.seq, previous=chain.previous, leaves=leaves)
        if leaves:
            chain = after(chain, entry, encode(entry))
            made.append(EntryLine(entry=msgspec.Raw(encode(entry))))
    return made


def without(lines: Lines, *kinds: type[AnyLine]) -> Lines:
    """Return lines without some kinds of them."""
    return [line for line in lines if not isinstance(line, kinds)]


def head_cut(lines: Lines, most: int) -> Lines:
    """Return a party's file in which the first leaves of each tree are only peaks."""
    trees: dict[str, Tree] = {}
    documents: list[AnyLine] = []
    rest: list[AnyLine] = []
    for line in lines[1:]:
        if isinstance(line, LeafLine):
            tree = trees.setdefault(line.leaf.audience, Tree())
            if len(tree) < most:
                tree.append((leaf_of(line.leaf.salt, bytes(line.leaf.part)),))
                made = msgspec.json.decode(bytes(line.leaf.part), type=Part)
                if made.kind == "key-document/1":
                    envelope = msgspec.json.decode(bytes(made.data), type=Envelope)
                    documents.append(DocumentLine(envelope=envelope))
                continue
        rest.append(line)
    starts = [TreeLine(audience=a, size=len(t), peaks=t.peaks()) for a, t in trees.items()]
    # checkpoints of the beginning stand over less than the peaks do
    last = {tree_of(line): n for n, line in enumerate(rest) if isinstance(line, CheckpointLine)}
    kept = [
        line for n, line in enumerate(rest)
        if not isinstance(line, CheckpointLine) or last[tree_of(line)] == n
    ]  # fmt: skip
    return [lines[0], *documents, *starts, *kept]


def test_what_is_proven_of_an_archive_is_named_and_nothing_is_called_whole() -> None:
    said = told(read(PLAY.archive()))

    assert said.startswith(
        f"PROVEN x.record: entries 0 to 6, as {EXCHANGE} signed them with beat 1 "
    )
    assert "tree all: parts 0 to 1 of 2 root " in said
    assert "tree a,b: parts 0 to 4 of 5 root " in said
    assert "later what came after beat 1 is not here" in said
    assert "whole" not in said


def test_a_view_whose_parts_are_all_replaced_by_peaks_is_not_proven() -> None:
    emptied = head_cut(read(PLAY.view("a")), 1_000)

    assert verify(written(emptied), KEYS).leaves == 0
    assert told(emptied).startswith("NOT PROVEN x.record: it holds no parts")
    assert "tree a,b: none of its 5 parts in this file" in told(emptied)


def test_an_archive_whose_entries_are_all_replaced_by_peaks_and_a_chain_is_not_proven() -> None:
    chain = PLAY.ledger.chain
    emptied = [
        read(PLAY.archive())[0],
        *(DocumentLine(envelope=each) for each in PLAY.documents),
        *(
            TreeLine(audience=a, size=len(tree), peaks=tree.peaks())
            for a, tree in PLAY.ledger.trees.items()
        ),
        ChainLine(seq=chain.seq, previous=chain.previous, at_us=chain.at_us),
        *PLAY.lines[-5:],
    ]

    assert isinstance(PLAY.lines[-1], BeatLine)
    assert told(emptied).startswith("NOT PROVEN x.record: it holds no parts")


def test_a_view_cut_at_its_head_says_at_which_part_each_tree_begins() -> None:
    said = told(head_cut(read(PLAY.view("a")), 2))

    assert "tree a,b: parts 2 to 4 of 5; the 2 parts before are not in this file" in said
    assert "tree all: none of its 2 parts in this file" in said


def test_a_tree_that_only_stands_in_a_view_as_peaks_is_not_said_to_be_signed() -> None:
    lines = read(PLAY.view("a"))
    invented = TreeLine(audience="a,z", size=8, peaks=(bytes(32),))

    found = verify(written([lines[0], invented, *lines[1:]]), KEYS)

    assert [tree.signed for tree in found.trees if tree.audience == "a,z"] == [0]
    text = verified_text(found, "x")
    assert "a,z: none of its 8 parts in this file\n" in text  # and no root


def test_a_view_without_one_of_its_trees_says_that_trees_may_be_missing() -> None:
    lines = [line for line in read(PLAY.view("a")) if tree_of(line) != "a"]

    said = told(lines)

    assert "not here a tree of a " in said
    assert "missing trees or later parts may be" in said
    assert "compare the sizes and roots with the newest checkpoints of the exchange" in said
    assert " tree a: " not in said


def test_a_view_that_is_relabelled_says_that_the_partys_own_tree_is_not_there() -> None:
    header = read(PLAY.view("a"))[0]
    assert isinstance(header, Header)
    lines = [replace(header, party="b"), *read(PLAY.view("a"))[1:]]
    relabelled = [line for line in lines if tree_of(line) != "a"]

    said = told(relabelled)

    assert "said to be what b may see" in said
    assert "not here a tree of b " in said


def of_b(leaf: Leaf) -> bool:
    return leaf.audience == "b"


CHECKPOINTS: Final = [
    line for line in PLAY.lines[-5:] if isinstance(line, CheckpointLine)
]  # fmt: skip


def test_an_archive_from_which_a_tree_and_the_beats_were_dropped_is_not_proven() -> None:
    lines = read(PLAY.archive())
    kept = rechained(lines, lambda leaf: leaf.audience != "b")
    forged = kept + [line for line in CHECKPOINTS if tree_of(line) != "b"]

    said = told(forged)

    assert said.startswith("NOT PROVEN x.record: it does not end in a beat")
    assert "way out get the range again with the beat after its last entry" in said
    with pytest.raises(BrokenProof, match="was changed, dropped or moved after the beat"):
        verify(written([*forged, PLAY.lines[-1]]), KEYS)


def at_one_time() -> Play:
    """Return a record with two entries of different trees at one and the same time."""
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.enter(("a", "note/1", {"number": 1}))
    play.now_us -= MINUTE_US
    play.enter(("b", "note/1", {"number": 2}))
    play.sign()
    return play


def test_entries_at_one_time_that_changed_places_break_the_beat() -> None:
    play = at_one_time()
    signatures = without(play.lines, EntryLine)
    swapped = [*rechained(read(play.archive()), order=(0, 2, 1)), *signatures]

    assert verify(play.archive(), play.keys()).is_proven
    with pytest.raises(BrokenProof, match="is not the digest over the order and all trees"):
        verify(written(swapped), play.keys())
    without_beat = told(without(swapped, BeatLine), play.keys())
    assert without_beat.startswith("NOT PROVEN x.record: it does not end in a beat")


def test_entries_at_one_time_that_are_made_one_break_the_beat() -> None:
    play = at_one_time()
    first, one, two = (entry_of(line) for line in play.lines if isinstance(line, EntryLine))
    joined = replace(one, leaves=(*one.leaves, *two.leaves))
    header = read(play.archive())[0]
    entries = [EntryLine(entry=msgspec.Raw(encode(each))) for each in (first, joined)]

    with pytest.raises(BrokenProof, match="is not the digest over the order and all trees"):
        verify(written([header, *entries, *without(play.lines, EntryLine)]), play.keys())


def test_an_archive_without_its_beats_is_not_proven() -> None:
    assert told(without(read(PLAY.archive()), BeatLine)).startswith("NOT PROVEN x.record: it does")


def test_an_archive_cut_at_any_line_is_proven_up_to_a_beat_alone() -> None:
    lines = read(PLAY.archive())
    beats = [n for n, line in enumerate(lines) if isinstance(line, BeatLine)]

    for n in range(2, len(lines) + 1):
        found = verify(written(lines[:n]), KEYS)
        assert found.is_proven == (n - 1 in beats)
    said = told(lines[: beats[0] + 1])
    assert "entries 0 to 3, " in said
    assert "later what came after beat 0 is not here" in said


def ranged(seq: int = 4) -> Lines:
    """Return a range of an archive. seq: the number that it says it begins at; 4 is true."""
    before = Play()
    before.appoint(sealed(first_document("a")))
    before.appoint(sealed(first_document("b")))
    before.act(1, "a")
    before.act(2, "b")
    lines, chain = read(PLAY.archive()), before.ledger.chain
    rest = lines[[isinstance(line, BeatLine) for line in lines].index(True) + 1 :]
    made: Lines = []
    at = Chain(seq, chain.previous, chain.at_us)
    for line in rest:
        if isinstance(line, EntryLine):
            entry = replace(entry_of(line), seq=at.seq, previous=at.previous)
            at = after(at, entry, encode(entry))
            made.append(EntryLine(entry=msgspec.Raw(encode(entry))))
        else:
            made.append(line)
    return [
        lines[0],
        *(DocumentLine(envelope=each) for each in PLAY.documents),
        *(
            TreeLine(audience=a, size=len(tree), peaks=tree.peaks())
            for a, tree in before.ledger.trees.items()
        ),
        ChainLine(seq=seq, previous=chain.previous, at_us=chain.at_us),
        *made,
    ]


def test_a_range_of_an_archive_says_at_which_entry_it_begins_and_the_beat_proves_it() -> None:
    said = told(ranged())

    assert "PROVEN x.record: entries 4 to 6, " in said
    assert "begins at entry 4; those before it are not in this file" in said
    with pytest.raises(BrokenProof, match="is not the digest over the order and all trees"):
        verify(written(ranged(0)), KEYS)


WEST: Final = "exchange.example/west"


def with_west(keys: KeysFile) -> KeysFile:
    """Return a file of keys that also has the exchange of another region."""
    west = ExchangeKey(name=WEST, key=public("west exchange").data)
    return replace(keys, exchange=(*keys.exchange, west))


def test_the_exchange_of_another_region_signs_nothing_here() -> None:
    forged = played(signer("west exchange"))
    header = read(forged.archive())[0]
    assert isinstance(header, Header)
    west = with_west(KEYS).exchange[1]
    notes = [
        CheckpointLine(note=forged.ledger.signed_checkpoint(each, WEST, forged.exchange))
        for each in forged.ledger.trees
    ]
    entries = [line for line in forged.lines if isinstance(line, EntryLine)]
    for exchange in ((west,), (west, KEYS.exchange[0])):
        lines = written([replace(header, exchange=exchange), *entries, *notes])
        with pytest.raises(NotProven, match=r"may not sign for region|by no key that is known"):
            verify(lines, with_west(KEYS))


def test_a_receipt_that_the_exchange_of_another_region_signed_proves_nothing() -> None:
    forged = played(signer("west exchange"))
    note = forged.ledger.signed_checkpoint("a", WEST, forged.exchange)
    receipt = replace(forged.receipt(2), checkpoint=note)
    keys = [NoteKey(each.name, public("west exchange")) for each in with_west(KEYS).exchange]

    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        verify_receipt(receipt, keys)


def test_the_verdict_names_which_exchange_signed() -> None:
    found = verify(PLAY.archive(), with_west(KEYS))

    assert found.exchange == ((EXCHANGE, public("exchange").id),)


def test_an_exchange_whose_name_is_not_of_the_region_cannot_follow_by_a_part() -> None:
    play, new = played(), signer("new exchange")
    value = {"region": REGION, "name": WEST, "key": new.public.data}
    payload = encode(value)
    with pytest.raises(Malformed, match="does not end in the region"):
        from_part(play, payload)


def from_part(play: Play, payload: bytes) -> None:
    """Enter a change of the exchange's key, signed with both, and verify."""
    envelope = seal(EXCHANGE_KEY, payload, play.exchange, signer("new exchange"))
    play.enter((EVERYBODY, "exchange-key/1", envelope))
    verify(play.archive(), play.keys())


def test_a_late_act_is_entered_once_however_many_acts_come_between() -> None:
    before = played()
    late = before.receipt(act_place(before, 4))
    play = restored(before)
    play.enter(("a", "late-act/1", late))
    play.now_us += 24 * 60 * MINUTE_US
    for number in range(100, 1_300):
        made = part("act/1", play.now_us, signed(act(number, at_us=play.now_us, incarnation=2)))
        data = play.ledger.append(
            play.now_us, [ForWhom(audience="a", salt=salt(number), part=made)]
        )[1]
        play.lines.append(EntryLine(entry=msgspec.Raw(data)))
    play.enter(("a", "late-act/1", late))
    play.sign()

    with pytest.raises(NotProven, match="was entered before: it is a replay"):
        verify(play.archive(), play.keys())


def test_a_view_of_a_later_incarnation_without_its_start_is_refused() -> None:
    play = restored(played())
    play.act(6, "a", incarnation=2)
    play.sign()
    lines = read(play.view("a"))
    starts = [
        line for line in lines
        if isinstance(line, LeafLine) and b"incarnation/1" in bytes(line.leaf.part)
    ]  # fmt: skip
    assert len(starts) == 3
    documents = [DocumentLine(envelope=each) for each in play.documents]

    only_new = [line for line in lines[1:] if tree_of(line) == "a,b" and line not in starts]
    no_start = [line for line in lines[1:] if line not in starts]
    for rest in (only_new, no_start):
        with pytest.raises(Malformed, match="is not how incarnation 2 of a record goes on"):
            verify(written([lines[0], *documents, *rest]), play.keys())


def test_a_receipt_of_another_audience_is_refused_in_this_tree() -> None:
    before = played()
    play = restored(before)
    play.enter(("b", "late-act/1", before.receipt(act_place(before, 4))))

    with pytest.raises(NotProven, match="is another audience than b, whose tree this is"):
        verify(play.archive(), play.keys())


@pytest.mark.parametrize("number", ["01", "9" * 5_000, "-1", "+1"])
def test_a_late_act_with_an_incarnation_in_a_second_form_is_refused(number: str) -> None:
    before = played()
    place = act_place(before, 4)
    receipt = before.receipt(place)
    text = before.ledger.checkpoint("a").text.replace("/1/a\n", f"/{number}/a\n")
    forged = replace(receipt, checkpoint=sign_note(text, EXCHANGE, before.exchange))
    play = restored(before)
    play.enter(("a", "late-act/1", forged))

    with pytest.raises(Malformed, match="is the origin of no tree, or written in a second form"):
        verify(play.archive(), play.keys())


@pytest.mark.parametrize("audience", ["a", "b"])
def test_a_salt_that_two_parts_have_is_refused(audience: str) -> None:
    play = Play()
    play.enter(("a", "note/1", {}))
    play._salts -= 1
    play.enter((audience, "note/1", {}))

    with pytest.raises(Malformed, match="is the salt of another part too"):
        verify(play.archive(), play.keys())
