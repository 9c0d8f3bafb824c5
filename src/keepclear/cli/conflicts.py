# SPDX-License-Identifier: Apache-2.0
"""`keepclear conflicts`, `ack`, `answer`, and how conflicts are settled.

`propose`, `counter`, `accept`, `agree-as-is`.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.desk import (
    Function,
    as_shown,
    desk,
    home_option,
    one_of,
    stale_text,
    waiting_text,
)
from keepclear.cli.key import BAD_INPUT, print_or_refuse

if TYPE_CHECKING:
    from keepclear.exchange.picture import Picture
    from keepclear.exchange.views import Notice
    from keepclear.record.encoding import Signed
    from keepclear.reports.conflict_html import Page


@click.command()
@click.argument("conflict", required=False)
@click.option("--all", "is_all", is_flag=True, help="Settled ones too.")
@click.option("--html", metavar="FILE", help="Write CONFLICT as a page with its map to FILE too.")
@home_option
def conflicts(conflict: str | None, html: str | None, home: str, *, is_all: bool) -> int:
    """Show how conflicts stand, the urgent first: all that are open, or CONFLICT alone.

    Where the exchange cannot be asked, what is held here is shown, and said to be stale; the exit
    status is 2 then.

    \b
    Examples:
      keepclear conflicts --home north
      keepclear conflicts c0ffee12 --html conflict.html --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.desk_text import conflicts_text
    from keepclear.reports.stop_text import keep_outs_text, read_stops

    stale: list[str] = []
    outs: list[str] = []
    if html and not conflict:
        raise click.UsageError("--html: is of one conflict; give CONFLICT, or keepclear snapshot")

    def make() -> list[str]:
        with desk(home) as post:
            why = post.caught_up()
            stale.extend(stale_text(why))
            picture = post.picture
            if is_all or (conflict and not _begins(conflict, picture.conflicts)):
                picture = post.folder.picture(post.client.party)  # what is settled too
            found = list(picture.conflicts.values())
            if conflict:
                wanted = one_of(conflict, list(picture.conflicts), "conflict")
                found = [picture.conflicts[wanted]]
            post.show(found)
            if html:
                _write_page(html, found[0], picture, post.page(why))
            if not conflict:
                held = read_stops(post.folder.lines()).keep_outs
                outs.extend(keep_outs_text(held, time.time_ns() // 1000, post.picture.operations))
        text = conflicts_text(
            found, picture.operations, time.time_ns() // 1000, is_all=is_all or bool(conflict)
        )
        return [*stale, *waiting_text(post), *outs, text.rstrip("\n")]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _write_page(file: str, notice: "Notice", picture: "Picture", page: "Page") -> None:
    """Write the page of a conflict."""
    from keepclear.cli.output import write_text
    from keepclear.formats.packaged import read_borders
    from keepclear.reports.conflict_html import conflict_html

    write_text(file, conflict_html(
        notice, picture.operations.get(notice.own), page, read_borders()
    ))  # fmt: skip
    click.echo(f"{file} written", err=True)


def _begins(given: str, known: "Iterable[str]") -> bool:
    return any(each.startswith(given.lower()) for each in known)


@click.command()
@click.argument("conflict", required=False)
@home_option
def ack(conflict: str | None, home: str) -> int:
    """Acknowledge CONFLICT, or the only one: a person on watch has seen it, as it was shown.

    Where it has changed since it was printed here, nothing is done: look at it again.

    \b
    Example:
      keepclear ack c0ffee12 --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import AcknowledgeConflict

    return _settle(home, conflict, "conflicts.acknowledge/1", lambda told: AcknowledgeConflict(
        id=told.conflict, ovn=told.other.ovn or "0" * 32
    ), is_binding=True)  # fmt: skip


@click.command()
@click.argument("conflict")
@click.argument("said", type=click.Choice(["noted", "concerned", "objects"], case_sensitive=False))
@click.option("--why", default="", help="The reason; concerned needs it.")
@click.option("--clause", default="", help="The clause that it is against; objects needs it.")
@home_option
def answer(conflict: str, said: str, why: str, clause: str, home: str) -> int:
    """Answer a notice of CONFLICT; it changes nothing else.

    \b
    Examples:
      keepclear answer c0ffee12 concerned --why "our tanker is there" --home north
      keepclear answer c0ffee12 objects --clause 2.1 --why "told a minute before" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import AnswerConflict
    from keepclear.plans.conflicts import Answer

    return _settle(home, conflict, "conflicts.answer/1", lambda told: AnswerConflict(
        id=told.conflict, answer=Answer(said.upper()), clause=clause, why=why
    ))  # fmt: skip


def _move_options(function: Function) -> Function:
    """Let a command be given how an operation of a conflict is to move."""
    for option in (
        click.option("--why", default=""),
        click.option("--towards", default="", help='In which direction, degrees true, as "045".'),
        click.option("--aside", default="",
                     help='How far its route moves, as "10 NM"; with --towards.'),
        click.option("--higher", default="", help='As "2000 ft"; "-2000 ft" is lower.'),
        click.option("--later", default="", help='As "30 min"; "-30 min" is earlier.'),
        click.option("--theirs", is_flag=True, help="It is the other side's operation that moves."),
        click.argument("conflict"),
    ):  # fmt: skip
        function = option(function)
    return function


@click.command()
@_move_options
@home_option
def propose(conflict: str, home: str, **moves: Any) -> int:  # noqa: ANN401 as click gives them
    """Propose that an operation of CONFLICT moves, yours unless --theirs.

    \b
    Example:
      keepclear propose c0ffee12 --later "2 h" --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return _settle(home, conflict, "conflicts.propose/1", lambda told: _change(told, **moves))


@click.command()
@_move_options
@home_option
def counter(conflict: str, home: str, **moves: Any) -> int:  # noqa: ANN401 as click gives them
    """Propose otherwise than the other side has in CONFLICT; its proposal is off the table then.

    \b
    Example:
      keepclear counter c0ffee12 --higher "2000 ft" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.errors import InputError

    def payload(told: "Notice") -> "Signed":
        if told.proposal is None or told.proposal.by != told.other.party:
            raise InputError(
                "conflict", conflict, "has no proposal of the other side",
                "propose with keepclear propose",
            )  # fmt: skip
        return _change(told, **moves)

    return _settle(home, conflict, "conflicts.propose/1", payload, is_binding=True)


def _change(told: "Notice", *, theirs: bool, **moves: str) -> "Signed":
    from keepclear.plans.acts import ProposeChange

    operation = told.other.id if theirs else told.own
    return ProposeChange(id=told.conflict, operation=operation, **moves)


@click.command()
@click.argument("conflict")
@home_option
def accept(conflict: str, home: str) -> int:
    """Accept what the other side has proposed in CONFLICT; it takes effect if it settles it.

    \b
    Example:
      keepclear accept c0ffee12 --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.errors import InputError
    from keepclear.plans.acts import AcceptProposal

    def payload(told: "Notice") -> "Signed":
        if told.proposal is None:
            raise InputError(
                "conflict", conflict, "has no proposal", "propose with keepclear propose"
            )
        return AcceptProposal(id=told.conflict, proposal=told.proposal.id)

    return _settle(home, conflict, "conflicts.accept/1", payload, is_binding=True)


@click.command("agree-as-is")
@click.argument("conflict")
@home_option
def agree_as_is(conflict: str, home: str) -> int:
    """Agree that both sides of CONFLICT go on as they are; it holds once both have said so.

    \b
    Example:
      keepclear agree-as-is c0ffee12 --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import AgreeAsIs

    return _settle(
        home, conflict, "conflicts.agree-as-is/1", lambda told: AgreeAsIs(id=told.conflict),
        is_binding=True,
    )  # fmt: skip


def _settle(
    home: str, conflict: str | None, kind: str, payload: "Callable[[Notice], Signed]", *,
    is_binding: bool = False,
) -> int:  # fmt: skip
    """Let a post do something about a conflict.

    is_binding: it is about what was shown, and refused where something newer is there.
    """

    def make() -> list[str]:
        with desk(home) as post:
            post.client.catch_up()
            told = post.picture.conflicts
            if conflict is None:
                told = post.picture.unsettled()
                if len(told) != 1:
                    raise click.UsageError(f"{len(told)} conflicts are not settled; name one")
            wanted, over = conflict or next(iter(told)), list[str]()
            if not _begins(wanted, told):
                over = list(post.folder.picture(post.client.party).conflicts)
            found = told[one_of(wanted, list(told), "conflict", over)]
            found = as_shown(post, found) if is_binding else found
            return [post.told(post.act(kind, payload(found)))]

    return print_or_refuse(make)
