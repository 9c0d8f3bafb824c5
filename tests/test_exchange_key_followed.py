# SPDX-License-Identifier: Apache-2.0
"""A party follows the exchange from one key to the next, and nobody who has only an old one."""

from collections.abc import Sequence

import pytest

from keepclear.exchange.picture import Picture
from keepclear.plays.stage import Stage
from keepclear.record.faults import BrokenProof, NotProven
from keepclear.record.held import HeldTrees
from keepclear.record.keys import Signer
from keepclear.record.merkle import Tree
from keepclear.record.notes import Checkpoint, NoteKey, sign_note
from keepclear.record.origins import origin_of
from tests.key_plays import change_key, next_change
from tests.own_copies import taken
from tests.test_rules_of_the_door import Play, a_and_b
from tests.two_worlds import Plan

HERE = Plan(place=0, level=20, start=60, lasts=40)


def keys_of(stage: Stage, *signers: Signer) -> list[NoteKey]:
    return [NoteKey(stage._opened.exchange, each.public) for each in signers]


def held_by(stage: Stage, *signers: Signer) -> HeldTrees:
    """Return what a holds at first: nothing. signers: whose keys it believes, the newest last."""
    return HeldTrees("a", stage._opened.name, 1, keys_of(stage, *signers), {}, {}, [])


def caught_up(held: HeldTrees, stage: Stage, after: int = 0) -> int:
    """Let a take in all that is new, with what proves it; return how many steps there are."""
    reads = stage.exchange.reads
    found = reads.proven_steps("a", after, 1_000).value
    taken(held, Picture("a", {}, {}), [line for step in found.lines for line in step])
    for note in found.notes:
        held.check(note, "note", is_now=True)
    return reads.count("a")


def forged(held: HeldTrees, stage: Stage, signer: Signer, leaves: Sequence[bytes]) -> str:
    """Return a checkpoint of the tree of a with more leaves than it has, signed with a key."""
    tree = Tree(held.stands()["a"].size, held.stands()["a"].peaks)
    tree.append(leaves)
    text = Checkpoint(origin_of(stage._opened.name, 1, "a"), len(tree), tree.root()).text
    return sign_note(text, stage._opened.exchange, signer)


def test_who_believes_the_old_key_believes_the_new_one_by_the_record_and_keeps_it() -> None:
    play = Play(a_and_b(None))
    stage, first = play.stage, play.stage._signer
    play.file("a", HERE)
    held = held_by(stage, first)
    after = caught_up(held, stage)
    held.settle()

    for _ in range(2):
        change_key(stage)
        play.file("a", HERE)
    count = caught_up(held, stage, after)

    assert held.is_proven
    held.settle()
    assert held.chain.keys[0].key == first.public
    assert held.chain.keys[-1].key == stage._signer.public
    again = HeldTrees(
        "a", stage._opened.name, 1, keys_of(stage, first), held.stands(), held._notes, [],
        held.chain.changes,
    )  # fmt: skip
    play.file("a", HERE)
    caught_up(again, stage, count)
    assert again.is_proven


def test_a_change_that_is_not_proven_in_the_end_is_as_if_it_had_not_come() -> None:
    play = Play(a_and_b(None))
    stage, first = play.stage, play.stage._signer
    held = held_by(stage, first)
    after = caught_up(held, stage)
    held.settle()
    before = held.stands()
    change_key(stage)
    lines = stage.exchange.reads.proven_steps("a", after, 1).value.lines[0]

    taken(held, Picture("a", {}, {}), lines)
    was = held.chain.keys[-1].key
    held.go_back()

    assert was == stage._signer.public
    assert (held.chain.changes, held.stands()) == ((), before)
    assert [each.key for each in held.chain.keys] == [first.public]


def test_a_new_key_that_the_old_one_has_not_signed_is_refused() -> None:
    play = Play(a_and_b(None))
    held = held_by(play.stage, Signer(bytes(32)))
    change_key(play.stage)

    lines = play.stage.exchange.reads.proven_steps("a", 0, 1_000).value.lines

    with pytest.raises(NotProven, match="is by a key that is not known here"):
        taken(held, Picture("a", {}, {}), [line for step in lines for line in step
                                           if b"checkpoint" not in line])  # fmt: skip


def test_nobody_but_the_last_key_names_another() -> None:
    play = Play(a_and_b(None))
    old, stage = change_key(play.stage), play.stage
    thief = Signer(bytes(range(32)))
    followed, newcomer = held_by(stage, old), held_by(stage, old, stage._signer)
    caught_up(followed, stage)
    to_thief = next_change(stage, thief, old)
    to_newest = next_change(stage, stage._signer, thief)

    for chain, change in (
        (followed.chain, to_thief), (newcomer.chain, to_thief), (newcomer.chain, to_newest),
    ):  # fmt: skip
        before = chain.keys
        with pytest.raises(NotProven, match="is by a key that is not known here"):
            chain.follow(change, "exchange key")
        assert chain.keys == before
    first, last = old, stage._signer
    change_key(stage)
    every = held_by(stage, first, last, stage._signer).chain
    with pytest.raises(NotProven, match="is by a key that is not known here"):
        every.follow(next_change(stage, stage._signer, first), "exchange key")
    every.follow(next_change(stage, stage._signer, last), "exchange key")
    assert every.changes == ()


def test_two_exchanges_of_one_region_that_are_believed_both_count() -> None:
    play = Play(a_and_b(None))
    stage, other = play.stage, Signer(bytes(range(32)))
    named = NoteKey(f"other.example/{stage._opened.name}", other.public)

    for keys in ([*keys_of(stage, stage._signer), named], [named, *keys_of(stage, stage._signer)]):
        held = HeldTrees("a", stage._opened.name, 1, keys, {}, {}, [])
        caught_up(held, stage)
        assert held.is_proven

    old = change_key(stage)
    held = HeldTrees("a", stage._opened.name, 1, [*keys_of(stage, old), named], {}, {}, [])
    caught_up(held, stage)
    assert held.is_proven
    assert set(held.chain.signing) == {named, *keys_of(stage, stage._signer)}


def test_what_a_thief_of_the_old_key_signs_is_refused_and_leaves_no_trace() -> None:
    play = Play(a_and_b(None))
    play.file("a", HERE)
    old = change_key(play.stage)
    held = held_by(play.stage, old)
    caught_up(held, play.stage)
    held.settle()
    notes, contrary = dict(held._notes), list(held._contrary)
    more = forged(held, play.stage, old, [bytes(32)])
    stands = held.stands()["a"]
    other = Checkpoint(origin_of(play.stage._opened.name, 1, "a"), stands.size, bytes(32)).text
    same_size = sign_note(other, play.stage._opened.exchange, old)

    with pytest.raises(NotProven, match=r"was followed by .*, and signs nothing new"):
        held.check(more, "note")
    with pytest.raises(NotProven, match=r"was followed by .*, and signs nothing new"):
        held.remember("a", more)
    with pytest.raises(BrokenProof, match="are signed that are not those given"):
        held.remember("a", same_size)

    assert (held._notes, held._contrary) == (notes, contrary)
    held.check_reached()


def test_who_joins_later_is_proven_nothing_by_the_old_key_alone() -> None:
    play = Play(a_and_b(None))
    play.file("a", HERE)
    lines = play.stage.exchange.reads.proven_steps("a", 0, 1_000).value
    old, stage = play.stage._signer, play.stage
    new = Signer(bytes(range(32)))

    held = held_by(stage, old, new)  # of a region that has gone on; shown is one that has not
    taken(held, Picture("a", {}, {}), [line for step in lines.lines for line in step])
    for note in lines.notes:
        held.check(note, "note", is_now=True)

    assert not held.is_proven
    held.go_back()
    change_key(stage)
    newcomer = held_by(stage, old, stage._signer)
    caught_up(newcomer, stage)
    assert newcomer.is_proven
    assert newcomer.chain.changes == ()
