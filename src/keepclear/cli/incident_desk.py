# SPDX-License-Identifier: Apache-2.0
"""`keepclear incident`: cases with another party, from a desk; and `line none-here`, statements.

What is printed is read from the party's own copy, which is proven. Cases, lines of a timeline,
statements and parts of the record are named by how their ids or hashes begin, as `incident list`
and `incident parts` have them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from keepclear.cli.desk import AtDesk, desk, home_option, one_of, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.operation import NOW, place_options, time_of, volume_of

if TYPE_CHECKING:
    from keepclear.record.encoding import Signed
    from keepclear.record.receipts import Receipt
    from keepclear.reports.incident_text import Cases

PARTS_SHOWN: Final = 50


@click.group()
def incident() -> None:
    """Open, ask, reply, write and close incident cases."""


@incident.command("list")
@click.argument("case", default="")
@home_option
def list_cases(case: str, home: str) -> int:
    """Print the party's incident cases, or CASE alone, with their timelines, and none-here.

    Where the exchange cannot be asked, what is held here is shown, and said to be stale; the exit
    status is 2 then.

    \b
    Example:
      keepclear incident list --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.incident_text import incidents_text, statements_text

    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as post:
            stale.extend(stale_text(post.caught_up()))
            text = incidents_text(post.folder.lines(), case, is_proven=True)
            stated = "" if case else statements_text(post.folder.lines())
        return [*stale, *([stated] if stated else []), text.rstrip("\n")]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


@incident.command("open")
@click.argument("about")
@click.argument("words")
@click.option("--other", required=True, metavar="PARTY", help="With whom.")
@click.option("--urgent", "is_urgent", is_flag=True, help="A reply is due in 2 days, not in 7.")
@home_option
def open_case(about: str, words: str, other: str, home: str, *, is_urgent: bool) -> int:
    """Open a case with another party ABOUT a conflict, an operation, a none-here or a part.

    \b
    Example:
      keepclear incident open c0ffee12 "Whose was it?" --other south --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import OpenIncident

    return _act(home, "incidents.open/1", lambda post, cases: OpenIncident(
        about=_about(post, cases, about), other=other, words=words, is_urgent=is_urgent
    ))  # fmt: skip


@incident.command()
@click.argument("case")
@click.argument("words")
@home_option
def query(case: str, words: str, home: str) -> int:
    """Ask the other party of CASE; one question waits at a time.

    \b
    Example:
      keepclear incident query 5f2ab311 "Where did it turn back?" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import AskQuery

    return _act(home, "incidents.query/1", lambda _, cases: AskQuery(
        id=_case(cases, case), words=words
    ))  # fmt: skip


@incident.command()
@click.argument("case")
@click.argument("words")
@home_option
def reply(case: str, words: str, home: str) -> int:
    """Reply to the question that waits in CASE.

    \b
    Example:
      keepclear incident reply 5f2ab311 "At the river." --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.errors import InputError
    from keepclear.plans.incidents import ReplyToQuery

    def payload(_: AtDesk, cases: "Cases") -> "Signed":
        own = _case(cases, case)
        asked = cases.incidents[own].query
        if asked is None:
            raise InputError("case", case, "has no question in it", "ask one: incident query")
        return ReplyToQuery(id=own, query=asked.id, words=words)

    return _act(home, "incidents.reply/1", payload)


@incident.command()
@click.argument("case")
@click.argument("words")
@click.option("--at", "when", required=True, metavar="WHEN", help='As "2015-10-05T09:00:00Z".')
@click.option("--evidence", multiple=True, metavar="HASH",
              help="A part of the record that you see; incident parts lists them.")  # fmt: skip
@click.option("--receipt", "receipts", multiple=True, metavar="FILE",
              help="A part with its proof; see incident evidence.")  # fmt: skip
@click.option("--none-here", "statement", default=None, metavar="ID",
              help="A none-here that becomes part of the case.")  # fmt: skip
@home_option
def line(
    case: str, words: str, when: str, evidence: tuple[str, ...], receipts: tuple[str, ...],
    statement: str | None, home: str,
) -> int:  # fmt: skip
    """Write a line into the timeline of CASE: what happened WHEN, by your account.

    \b
    Example:
      keepclear incident line 5f2ab311 "It turned back before the line." \\
        --at 2015-09-30T09:05:00Z --evidence 9c41d0aa --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import WriteLine

    return _act(home, "incidents.write-line/1", lambda _, cases: WriteLine(
        id=_case(cases, case), at_us=time_of(when, "--at"), words=words,
        evidence=tuple(one_of(each, list(cases.parts), "part") for each in evidence),
        receipts=tuple(_receipt_in(each) for each in receipts),
        none_here=None if statement is None else _statement(cases, statement),
    ))  # fmt: skip


@incident.command()
@click.argument("own_line", metavar="LINE")
@home_option
def agree(own_line: str, home: str) -> int:
    """Agree to LINE, which the other party has written.

    \b
    Example:
      keepclear incident agree 77ab01c2 --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import AnswerLine

    return _act(home, "incidents.answer-line/1", lambda _, cases: AnswerLine(
        id=one_of(own_line, list(cases.lines), "line"), agrees=True
    ))  # fmt: skip


@incident.command()
@click.argument("own_line", metavar="LINE")
@click.argument("why")
@home_option
def disagree(own_line: str, why: str, home: str) -> int:
    """Say WHY you do not agree to LINE; nothing decides who is right.

    \b
    Example:
      keepclear incident disagree 77ab01c2 "It was seen beyond it." --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import AnswerLine

    return _act(home, "incidents.answer-line/1", lambda _, cases: AnswerLine(
        id=one_of(own_line, list(cases.lines), "line"), agrees=False, why=why
    ))  # fmt: skip


@incident.command()
@click.argument("case")
@click.option("--why", default="", help="In words.")
@home_option
def close(case: str, why: str, home: str) -> int:
    """Close CASE; it is closed once both have.

    \b
    Example:
      keepclear incident close 5f2ab311 --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import CloseIncident

    return _act(home, "incidents.close/1", lambda _, cases: CloseIncident(
        id=_case(cases, case), why=why
    ))  # fmt: skip


@incident.command("leave-open")
@click.argument("case")
@click.argument("why")
@home_option
def leave_open(case: str, why: str, home: str) -> int:
    """Leave CASE open, and say WHY: nothing more is due, and it is not settled.

    \b
    Example:
      keepclear incident leave-open 5f2ab311 "No more is known." --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.incidents import LeaveIncident

    return _act(home, "incidents.leave-open/1", lambda _, cases: LeaveIncident(
        id=_case(cases, case), why=why
    ))  # fmt: skip


@click.command("none-here")
@click.option("--to", required=True, multiple=True, metavar="PARTY", help="To whom; several.")
@place_options
@home_option
def none_here(to: tuple[str, ...], home: str, **place: Any) -> int:  # noqa: ANN401 as click gives them
    """State that none of the forces your party answers for is or will be in a volume.

    For at most 6 hours, from now on where no --start is. It is signed in fixed words, says nothing
    about others or civilians, and can be withdrawn; your own operations that meet it contradict it.

    \b
    Example:
      keepclear line none-here --to south --circle 34.9,35.1 --radius "5 NM" \\
        --lasts "2 h" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.none_here import TEXT, StateNoneHere

    def payload(_: AtDesk, __: "Cases") -> "Signed":
        volume = volume_of({**place, "start": place["start"] or NOW})
        return StateNoneHere(text=TEXT, datum="WGS84", volume=volume, to=to)

    return _act(home, "none-here.state/1", payload)


@click.command("withdraw-none-here")
@click.argument("statement")
@click.option("--why", default="", help="In words.")
@home_option
def withdraw_none_here(statement: str, why: str, home: str) -> int:
    """Withdraw a none-here STATEMENT; those it was given to are told, URGENT.

    \b
    Example:
      keepclear line withdraw-none-here 624b60c5 --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.none_here import WithdrawNoneHere

    return _act(home, "none-here.withdraw/1", lambda _, cases: WithdrawNoneHere(
        id=_statement(cases, statement), why=why
    ))  # fmt: skip


@incident.command()
@click.option("--all", "is_all", is_flag=True, help="All, not the last 50.")
@home_option
def parts(home: str, *, is_all: bool) -> int:
    """List the parts of the record that the party sees, by hash: what evidence is named by.

    \b
    Example:
      keepclear incident parts --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.incident_text import part_text, read_cases

    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as post:
            stale.extend(stale_text(post.caught_up()))
            held = list(read_cases(post.folder.lines()).parts.items())
        shown = held if is_all else held[-PARTS_SHOWN:]
        more = [f"{len(held) - len(shown):,} earlier: --all"] if len(shown) < len(held) else []
        return [*stale, *more, *(part_text(leaf, part) for leaf, part in shown)]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


@incident.command()
@click.argument("part")
@click.argument("file", type=click.Path(dir_okay=False))
@home_option
def evidence(part: str, file: str, home: str) -> int:
    """Write PART of the record with its proof to FILE, to be shown in a case.

    \b
    Example:
      keepclear incident evidence 9c41d0aa proof.json --home south
      keepclear incident line 5f2ab311 "As we were told." \\
        --at 2015-09-30T09:05:00Z --receipt proof.json --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import write_text
    from keepclear.exchange.last_picture import receipt_of
    from keepclear.record.encoding import encode

    def make() -> list[str]:
        with desk(home) as post:
            post.client.catch_up()
            found = receipt_of(post.folder.parts(), post.client.seen.notes, part)
        write_text(file, encode(found).decode() + "\n")
        return [f"wrote {file}: a part with its proof; who is shown it learns all that it says"]

    return print_or_refuse(make)


def _act(home: str, kind: str, payload: "Callable[[AtDesk, Cases], Signed]") -> int:
    """Let a post act, and print the cases and statements that it has changed."""

    def make() -> list[str]:
        from keepclear.reports.incident_text import changed_text, read_cases

        with desk(home) as post:
            post.client.catch_up()
            made = payload(post, read_cases(post.folder.lines()))
            parts = post.act(kind, made)
            told = post.told(parts)
            return [changed_text(parts, post.folder.lines()).rstrip("\n") if parts else told]

    return print_or_refuse(make)


def _case(cases: "Cases", given: str) -> str:
    return one_of(given, list(cases.incidents), "case")


def _statement(cases: "Cases", given: str) -> str:
    return one_of(given, list(cases.statements), "statement")


def _about(post: AtDesk, cases: "Cases", given: str) -> str:
    """Return what is named: a conflict, an operation, a statement or a part of the record."""
    every = post.folder.picture(post.client.party)
    known = [
        *every.conflicts, *every.operations, *(each.other.id for each in every.conflicts.values()),
        *cases.statements, *cases.parts,
    ]  # fmt: skip
    return one_of(given, list(dict.fromkeys(known)), "thing")


def _receipt_in(file: str) -> "Receipt":
    from keepclear.record.receipts import read_receipt

    return read_receipt(Path(file).read_bytes().strip(), file)
