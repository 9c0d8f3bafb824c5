# SPDX-License-Identifier: Apache-2.0
"""`keepclear line check`: try a line, answer a check of it, and see how one's lines stand."""

import time
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import AtDesk, desk, home_option, one_of, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse

if TYPE_CHECKING:
    from keepclear.record.encoding import Signed

LONGEST: Final = 60  # characters of what is checked (`agreement.clauses.LineName`)


@click.command()
@click.argument("to", metavar="[PARTY]", default="")
@click.option("--of", metavar="WHAT", default="line", show_default=True,
              help='What is checked: the line, or a frequency: "243.0 MHz".')  # fmt: skip
@click.option("--answer", metavar="ID", help="Answer check ID, which another party has sent.")
@click.option("--person", metavar="ROLE", help='Who answers, as a role: "shift-lead". No name.')
@home_option
def check(to: str, of: str, answer: str | None, person: str | None, home: str) -> int:
    """Send a check to PARTY; without PARTY, show how the lines of this party stand.

    A check is OK where the other side answers it in time, LATE after that, and MISSED at its limit.
    MISSED says no more than that: whether the line, the post or a refusal is why is not known.

    \b
    Examples:
      keepclear line check south --home north
      keepclear line check --answer 1a2b3c4d --home south
      keepclear line check --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.line.check_acts import AnswerLineCheck, CheckLine

    if to and answer is not None:
        raise click.UsageError(f"--answer {answer}: names the check; leave {to!r} out")
    if person is not None and answer is None:
        raise click.UsageError(f"--person {person}: says who answers; give --answer, too")
    if not 0 < len(of.strip()) <= len(of) <= LONGEST:
        raise click.UsageError(f"--of: has {len(of)} characters, not 1 to {LONGEST}")
    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as at:
            if to:
                return _done(at, "line.check/1", CheckLine(to=to, of=of))
            stale.extend(stale_text(at.caught_up()))
            if answer is not None:
                checks = at.folder.picture(at.client.party).checks
                own = one_of(answer, list(checks), "check")
                return _done(at, "line.check-answer/1", AnswerLineCheck(id=own, person=person))
            return [*stale, _standing(at)]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _standing(at: AtDesk) -> str:
    """Return how the lines of this party stand."""
    from keepclear.reports.line_check_text import lines_text

    picture = at.picture
    text = lines_text(picture.lines.values(), picture.checks, _now_us(), at.client.party)
    return text.rstrip("\n")


def _done(at: AtDesk, kind: str, payload: "Signed") -> list[str]:
    """Return how a line stands after an act; where it was signed apart, that it was."""
    from keepclear.exchange.events import LineChecked
    from keepclear.exchange.picture import told_in
    from keepclear.reports.line_check_text import line_rows

    parts = at.act(kind, payload)
    found = [each for each in map(told_in, parts) if isinstance(each, LineChecked)]
    if not found:
        return [at.told(parts)]
    last = found[-1]
    checks = dict(at.picture.checks)
    if last.check is not None:
        checks[last.check.id] = last.check
    return list(line_rows(last.line, checks, _now_us(), at.client.party))


def _now_us() -> int:
    return time.time_ns() // 1000
