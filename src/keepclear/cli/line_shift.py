# SPDX-License-Identifier: Apache-2.0
"""`keepclear line shift`: who has the watch at this post, and what it hands to the next."""

import time
from typing import TYPE_CHECKING

import click

from keepclear.cli.desk import AtDesk, desk, home_option, one_of, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse

if TYPE_CHECKING:
    from keepclear.exchange.shifts import Remaining
    from keepclear.line.shifts import Shift
    from keepclear.record.encoding import Signed
    from keepclear.record.entries import Part


@click.group()
def shift() -> None:
    """Take the watch at this post, hand it over, and see who has it.

    A shift is of the key that opened it. It cannot close over messages of URGENT or above that
    nobody has acknowledged, nor over STOPs that stand, unless the next on watch has taken them
    over, signed with a key of their own. Messages are read, acknowledged and answered without any
    shift. Other parties learn nothing of it.
    """


@shift.command("open")
@click.option("--person", required=True, metavar="ROLE",
              help='Who takes the watch, as a role: "night-lead". No name.')  # fmt: skip
@click.option("--take-over", is_flag=True, help="Take over all that remains at this post.")
@home_option
def open_shift(person: str, home: str, *, take_over: bool) -> int:
    """Take the watch at this post, with the key of this folder.

    \b
    Example:
      keepclear line shift open --person night-lead --take-over --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.line import refusing_values
    from keepclear.line.shifts import OpenShift
    from keepclear.record.headers import is_name

    if not is_name(person):
        raise click.UsageError(
            f"--person {person!r}: is no role; write a-z, 0-9 and -, as in night-lead, and no name"
        )

    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            takes = tuple(each.id for each in _remain(at)) if take_over else ()
            return _done(at, "line.shift-open/1", OpenShift(person=person, takes=takes))

    return refusing_values(make)


@shift.command()
@home_option
def take(home: str) -> int:
    """Take over all that remains at this post, in the shift that this key has open.

    \b
    Example:
      keepclear line shift take --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.line.shifts import TakeOver

    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            takes = tuple(each.id for each in _remain(at))
            if not takes:
                return ["nothing remains at this post that could be taken over"]
            return _done(at, "line.shift-take/1", TakeOver(takes=takes))

    return print_or_refuse(make)


@shift.command()
@click.argument("own", metavar="[ID]", default="")
@click.option("--to", "--taken-by", "to", metavar="ROLE",
              help="Who has the watch now, and has taken over what remains.")  # fmt: skip
@home_option
def close(own: str, to: str | None, home: str) -> int:
    """Close the shift that this key has open, or shift ID of this post.

    What remains and nobody has taken over is named, each with its age and what to do about it.
    Whoever has a shift here can close another one, as of a key that was lost.

    \b
    Examples:
      keepclear line shift close --home north
      keepclear line shift close --to night-lead --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.line import refusing_values
    from keepclear.line.shifts import CloseShift

    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            made = CloseShift(id=_named(at, own), to=to)
            return _done(at, "line.shift-close/1", made)

    return refusing_values(make)


@shift.command()
@home_option
def show(home: str) -> int:
    """Print who has the watch at this post, what remains, and who has taken it over.

    \b
    Example:
      keepclear line shift show --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    stale: list[str] = []

    def make() -> list[str]:
        from keepclear.reports.shift_text import shifts_text

        with desk(home) as at:
            stale.extend(stale_text(at.caught_up()))
            return [*stale, *shifts_text(_open(at), _remain(at), time.time_ns() // 1000)]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _open(at: AtDesk) -> "list[Shift]":
    """Return the shifts that are open at this post."""
    said = at.folder.desk()
    return [
        each for each in at.picture.open_shifts().values()
        if (each.post, each.status) == (said.post, said.status)
    ]  # fmt: skip


def _remain(at: AtDesk) -> "list[Remaining]":
    """Return what remains to be handed over at this post."""
    from keepclear.exchange.shifts import remaining
    from keepclear.reports.stop_text import read_stops

    said = at.folder.desk()
    stops = read_stops(at.folder.lines()).stops.values()
    picture = at.folder.picture(said.party)
    return remaining(picture.messages, stops, said.party, said.post, said.status)


def _named(at: AtDesk, own: str) -> str:
    """Return the id of the shift that is meant: this key's, where none is named."""
    from keepclear.errors import InputError

    there = _open(at)
    if own:
        return one_of(own, [each.id for each in there], "open shift")
    key = at.client.key_id
    for each in there:
        if each.key == key:
            return each.id
    known = ", ".join(f"{each.id[:8]} of {each.person}" for each in there) or "none"
    raise InputError(
        "shift", at.folder.desk().post, "has none that is open with the key of this folder",
        f"name one of those that are open: {known}",
    )  # fmt: skip


def _done(at: AtDesk, kind: str, payload: "Signed") -> list[str]:
    """Return how a shift stands after an act; where it was signed apart, that it was."""
    return _told(at, at.act(kind, payload))


def _told(at: AtDesk, parts: "tuple[Part, ...]") -> list[str]:
    from keepclear.exchange.events import ShiftChanged
    from keepclear.exchange.picture import told_in
    from keepclear.reports.shift_text import shift_changed_text

    found = [each.shift for each in map(told_in, parts) if isinstance(each, ShiftChanged)]
    return [shift_changed_text(found[-1])] if found else [at.told(parts)]
