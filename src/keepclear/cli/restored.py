# SPDX-License-Identifier: Apache-2.0
"""`keepclear restored`: for a party whose exchange goes on from a backup.

It shows what the backup has and what of the party's own copy it has not; a person accepts it; what
the party did after the backup is handed in again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from keepclear.cli.desk import APART, SHORT, desk, home_option
from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from keepclear.cli.desk import AtDesk
    from keepclear.cli.post_folder import PostFolder
    from keepclear.client import EarlierCopy, Lost, Start
    from keepclear.record.entries import Part
    from keepclear.record.headers import Act


class Compared(NamedTuple):
    """An incarnation that an exchange goes on with, beside what is held here of the one before.

    start: what it begins with. lost: acts that are held and that it has not.
    """

    region: str
    incarnation: int
    start: "Start"
    held: "EarlierCopy"
    lost: "list[Lost]"


@click.group()
def restored() -> None:
    """For a party: its exchange goes on from a backup. Show, accept, hand in."""


@restored.command()
@home_option
def show(home: str) -> int:
    """Show which backup the exchange goes on from, and what of your own copy it has not.

    Nothing is accepted by this. Ask the operator by voice whether and why a backup was restored.

    \b
    Example:
      keepclear restored show --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        found = _compared(home)
        return [*_text(found), f"to go on with it: keepclear restored accept --home {home}"]

    return print_or_refuse(make)


@restored.command()
@home_option
def accept(home: str) -> int:
    """Go on with the record as it was restored. What you hold of the one before stays, as proof.

    \b
    Example:
      keepclear restored accept --home north
      keepclear restored hand-in --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.post_folder import RECORD, PostFolder, of_incarnation

    def make() -> list[str]:
        found = _compared(home)
        PostFolder(home).accept(found.region, found.incarnation)
        with desk(home) as post:
            post.client.catch_up()
        kept = Path(home) / of_incarnation(RECORD, found.start.before)
        return [
            f"accepted incarnation {found.incarnation} of {found.region}",
            f"what you hold of the one before stays in {kept}",
            f"to hand in what it has not: keepclear restored hand-in --home {home}",
        ]

    return print_or_refuse(make)


@restored.command("hand-in")
@home_option
def hand_in(home: str) -> int:
    """Hand in what your party did after the backup: each act once, as a late act.

    Each is decided anew as things stand now, and counts as filed when it was filed first.

    \b
    Example:
      keepclear restored hand-in --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        from keepclear.client import late_acts

        _check_at_exchange()
        with desk(home) as post:
            post.client.catch_up()
            parts = _parts(post.folder)
            start, held = _before(post.folder, parts, post.client.party)
            done = late_acts(parts)
            mine = [each for each in held.lost(start) if each.act.party == post.client.party]
            left = [each for each in mine if (each.act.party, each.act.id) not in done]
            said = [line for each in left for line in _handed_in(post, each)]
        if len(mine) > len(left):
            said.append(f"{len(mine) - len(left):,} were handed in before")
        return said or ["your party did nothing after the backup that is held here"]

    return print_or_refuse(make)


def _handed_in(post: "AtDesk", lost: "Lost") -> list[str]:
    """Hand in one act; return what came of it."""
    import msgspec

    from keepclear.client import NotDone
    from keepclear.exchange.events import KIND_OF, LateActDecided

    name = _name(lost.act)
    try:
        parts = post.client.hand_in(lost.receipts)
    except NotDone as fault:
        return [f"{name}: NOT TAKEN: {fault}"]
    refused = next(
        msgspec.json.decode(each.data, type=LateActDecided).refused
        for each in parts if each.kind == KIND_OF[LateActDecided]
    )  # fmt: skip
    if refused:
        return [f"{name}: entered late, and leads to nothing now: {refused}"]
    told = post.told(parts)
    return [f"{name}: entered late, and done", *([told] if told else [])]


def _check_at_exchange() -> None:
    """Refuse to go on with another incarnation where acts and answers go by file."""
    context = click.get_current_context(silent=True)
    if context is not None and APART in context.meta:
        raise click.UsageError(
            "restored: asks the exchange, and signs nothing to a file; take the folder of the post "
            "to where the exchange is reached, go on with the restored record there, and bring it "
            "back"
        )


def _compared(home: str) -> Compared:
    """Return what an exchange goes on with, compared with what is held here."""
    from keepclear.cli.desk import client_of
    from keepclear.cli.post_folder import PostFolder
    from keepclear.client import Client, EarlierCopy, Seen, start_of
    from keepclear.errors import InputError

    _check_at_exchange()
    folder = PostFolder(home)
    folder.desk()  # refuses what is no folder of a post
    before = folder.kept().seen
    with client_of(folder, Client, Seen(followed=before.followed)) as client:
        parts = [each for step in client.catch_up() for each in step]
        now = client.seen
    if (now.region, now.incarnation) == (before.region, before.incarnation) or not before.step:
        with client_of(folder, Client) as client:
            client.catch_up()  # refuses one that lacks what is held, or has something else
        raise InputError(
            "record", f"incarnation {now.incarnation} of {now.region}", "is what is known here",
            "go on: there is nothing to accept",
        )  # fmt: skip
    start = start_of(parts)
    if now.region != before.region or start is None or start.before != before.incarnation:
        raise InputError(
            "record", f"incarnation {now.incarnation} of {now.region}",
            f"does not go on from incarnation {before.incarnation} of {before.region}, which is "
            "held here", f"keep what you hold, ask the operator; to begin anew, {folder.away()}",
        )  # fmt: skip
    held = EarlierCopy(client.party, folder.lines(), before.notes)
    held.check(start)
    return Compared(now.region, now.incarnation, start, held, held.lost(start))


def _before(
    folder: "PostFolder", parts: "Sequence[Part]", party: str
) -> "tuple[Start, EarlierCopy]":
    """Return what the record begins with, and what is held of the incarnation before."""
    from keepclear.client import EarlierCopy, start_of
    from keepclear.errors import InputError

    start = start_of(parts)
    found = None if start is None else folder.earlier(start.before)
    if start is None or found is None:
        raise InputError(
            "record", str(folder.path), "holds nothing of an incarnation before this one",
            "there is nothing to hand in",
        )  # fmt: skip
    kept, record = found
    lines = record.read_bytes()[: kept.size].removesuffix(b"\n").split(b"\n")
    return start, EarlierCopy(party, lines, kept.seen.notes)


def _parts(folder: "PostFolder") -> "list[Part]":
    """Return the parts of the record that are held."""
    import msgspec

    from keepclear.cli.post_folder import LEAF
    from keepclear.record.entries import Part
    from keepclear.record.files import LeafLine

    return [
        msgspec.json.decode(msgspec.json.decode(each, type=LeafLine).leaf.part, type=Part)
        for each in folder.lines() if each.startswith(LEAF)
    ]  # fmt: skip


def _text(found: Compared) -> list[str]:
    now, before = found.incarnation, found.start.before
    said = [
        f"RESTORED  {found.region} goes on from a backup, as incarnation {now} of its record",
        f"  here        incarnation {before} is held",
    ]
    for audience, count in found.held.sizes().items():
        had = found.start.sizes.get(audience, 0)
        what = "all that you hold"
        if had != count:
            more = had - count
            what = (
                f"{more:,} more than you hold" if more > 0 else f"not the last {-more:,} of yours"
            )
        said.append(f"  tree {audience}: the backup has {had:,}, {what}")
    said += [
        f"  {'your act' if each.receipts else f'act of {each.act.party}'} {_name(each.act)} is "
        "not in it" for each in found.lost
    ]  # fmt: skip
    return said


def _name(act: "Act") -> str:
    from keepclear.units import format_time

    return f"{act.kind.partition('/')[0]} {act.id[:SHORT]} of {format_time(act.created_us)[:19]}Z"
