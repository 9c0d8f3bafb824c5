# SPDX-License-Identifier: Apache-2.0
"""`keepclear line call`: voice calls as both posts write them down, side by side."""

from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.desk import AtDesk, desk, home_option, one_of, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.line_values import past_time

if TYPE_CHECKING:
    from keepclear.line.calls import Call
    from keepclear.record.encoding import Signed

recording_option = click.option(
    "--recording", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
    help="A recording: it stays here, and its SHA-256 alone is entered.",
)  # fmt: skip
person_option = click.option(
    "--person", metavar="ROLE", help='Who spoke here, as a role: "shift-lead". No name.'
)
language_option = click.option(
    "--language", default="en", show_default=True, help="In which it is typed."
)


@click.group()
def call() -> None:
    """Log voice calls, and sign or annotate those that the other side has logged.

    Each side writes its own account beside the other's. Both stand for ever; neither is what was
    said.
    """


@call.command()
@click.option("--with", "to", required=True, metavar="PARTY", help="With whom the call was.")
@click.option("--at", "began", required=True, metavar="TIME",
              help='When it began: "2026-11-28T03:10:00Z", "0310Z", "-10 min".')  # fmt: skip
@click.option("--lasts", required=True, metavar="TIME", help='How long it was: "4 min".')
@click.option("--number", metavar="NUMBER", help="On which number.")
@click.option("--frequency", metavar="FREQUENCY", help='On which frequency: "243.0 MHz".')
@click.option("--summary", required=True, metavar="TEXT", help="What was said, as heard here.")
@recording_option
@language_option
@person_option
@home_option
def log(
    to: str, began: str, lasts: str, number: str | None, frequency: str | None, summary: str,
    recording: str | None, language: str, person: str | None, home: str,
) -> int:  # fmt: skip
    """Log a voice call; the other party is told, and signs or annotates it.

    \b
    Example:
      keepclear line call log --with south --at 0310Z --lasts "4 min" \\
        --frequency "243.0 MHz" --summary "asked south to cease at 33.50N 038.62E; he repeated" \\
        --person shift-lead --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.line import refusing_values
    from keepclear.line.calls import LogCall
    from keepclear.units import parse_duration_us

    if (number is None) == (frequency is None):
        raise click.UsageError("--number, --frequency: give one of them: what the call was on")

    def make() -> list[str]:
        with desk(home) as at:
            return _done(at, "line.call/1", LogCall(
                to=to, at_us=past_time(began, "--at"), lasts_us=parse_duration_us(lasts, "--lasts"),
                on=number or frequency or "", summary=summary, language=language, person=person,
                recording=_digest(recording),
            ))  # fmt: skip

    return refusing_values(make)


@call.command()
@click.argument("own", metavar="ID")
@person_option
@home_option
def sign(own: str, person: str | None, home: str) -> int:
    """Sign call ID: it was heard so here, too.

    \b
    Example:
      keepclear line call sign 1a2b3c4d --person shift-lead --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.line import refusing_values
    from keepclear.line.calls import SignCall

    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            made = SignCall(id=_named(at, own).id, person=person)
            return _done(at, "line.call-sign/1", made)

    return refusing_values(make)


@call.command()
@click.argument("own", metavar="ID")
@click.argument("text")
@recording_option
@language_option
@person_option
@home_option
def annotate(
    own: str, text: str, recording: str | None, language: str, person: str | None, home: str
) -> int:  # fmt: skip
    """Write TEXT beside call ID, as it was heard here. All that was written before stands.

    \b
    Example:
      keepclear line call annotate 1a2b3c4d "No position was given." --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.line import refusing_values
    from keepclear.line.calls import AnnotateCall

    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            made = AnnotateCall(
                id=_named(at, own).id, text=text, language=language, person=person,
                recording=_digest(recording),
            )  # fmt: skip
            return _done(at, "line.call-annotate/1", made)

    return refusing_values(make)


@call.command()
@click.argument("own", metavar="[ID]", default="")
@click.option("--html", metavar="FILE", help="Write call ID as a page for A4 to FILE instead.")
@home_option
def show(own: str, html: str | None, home: str) -> int:
    """Print call ID, both accounts side by side; without ID all calls, in short.

    \b
    Example:
      keepclear line call show 1a2b3c4d --html call.html --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    if html is not None and not own:
        raise click.UsageError(f"--html {html}: is for one call; name it")
    stale: list[str] = []

    def make() -> list[str]:
        from keepclear.cli.output import write_text
        from keepclear.reports.call_html import call_html
        from keepclear.reports.call_text import call_text, calls_text

        with desk(home) as at:
            why = at.caught_up()
            stale.extend(stale_text(why))
            if not own:
                known = at.folder.picture(at.client.party).calls.values()
                return [*stale, *calls_text(known, at.client.party)]
            found, page = _named(at, own), at.page(why)
        if html is None:
            return [*stale, call_text(found).rstrip("\n")]
        write_text(html, call_html(found, page))
        return [*stale, f"{html}: call {found.id[:8]}, both accounts side by side"]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _named(at: AtDesk, given: str) -> "Call":
    """Return the call whose id begins so."""
    known = at.folder.picture(at.client.party).calls
    return known[one_of(given, list(known), "call")]


def _digest(file: str | None) -> str | None:
    """Return the SHA-256 of a file; it is read and stays where it is."""
    if file is None:
        return None
    with Path(file).open("rb") as data:
        return file_digest(data, "sha256").hexdigest()


def _done(at: AtDesk, kind: str, payload: "Signed") -> list[str]:
    """Return how a call stands after an act; where it was signed apart, that it was."""
    from keepclear.exchange.events import CallChanged
    from keepclear.exchange.picture import told_in
    from keepclear.reports.call_text import call_text

    parts = at.act(kind, payload)
    found = [each.call for each in map(told_in, parts) if isinstance(each, CallChanged)]
    return [call_text(found[-1]).rstrip("\n")] if found else [at.told(parts)]
