# SPDX-License-Identifier: Apache-2.0
"""What a post reads of checks of its lines: how each line stands, what waits, what was missed.

No word here says why a check was missed: that is not known.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from keepclear.exchange.events import LineChecked
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.checks import THE_LINE, Check, CheckedLine, LineState, Result
from keepclear.reports.message_text import SHORT, duration, second
from keepclear.reports.play_values import day_of
from keepclear.reports.printable import printable
from keepclear.units import US_PER_S

LABEL: Final = 12
STATE: Final = 10
WHY: Final = "Why a check was missed is not known: the line, the post, or a refusal."
DOWN: Final = "use the fallback card (keepclear line card)"
LOUD: Final = ("LINE CHECK: ", "MISSED: ", "DOWN: ")
ORDER: Final = (LineState.DOWN, LineState.DOUBTFUL, LineState.UP, LineState.UNKNOWN)


def lines_text(
    lines: Iterable[CheckedLine], checks: Mapping[str, Check], now_us: int, party: str
) -> str:
    """Return how the lines of a party stand, those that are down first."""
    known = sorted(lines, key=lambda each: ORDER.index(each.state))
    rows = [row for each in known for row in (*line_rows(each, checks, now_us, party), "")]
    none = "no line of yours was checked, and no times for it are agreed\n"
    return "\n".join([*(rows or [none]), WHY, SAYS_NOTHING_ELSE]) + "\n"


def line_rows(
    line: CheckedLine, checks: Mapping[str, Check], now_us: int, party: str
) -> Iterator[str]:
    """Yield the lines of one: its state, the checks that it is so because of, what waits or is due.

    checks: by id, those of the line among them. party: who reads it.
    """
    since = "no check was made" if line.waits is None else "the first check waits"
    if line.since_us is not None:
        since = f"since {day_of(line.since_us)} {second(line.since_us)}{_run(line)}"
    use = f"; {DOWN}" if line.state is LineState.DOWN else ""
    yield f"{line.state:<{STATE}}{name_of(line)}: {since}{use}"
    for own in line.checks:
        if (check := checks.get(own)) is not None:
            yield f"  {'check':<{LABEL}}{_result(check)}"
    waiting = checks.get(line.waits or "")
    if waiting is not None:
        left = max(waiting.missed_us - now_us, 0)
        yield (
            f"  {'waits':<{LABEL}}check {waiting.id[:SHORT]} for an answer of {line.answerer}; "
            f"MISSED at {second(waiting.missed_us)}, in {duration(left)}"
        )
        if line.answerer == party and waiting.answer is None:
            yield f"  {'answer it':<{LABEL}}keepclear line check --answer {waiting.id[:SHORT]}"
    if line.due_us is not None:
        clause = line.clause.replace(" of ", " of agreement ")
        yield (
            f"  {'due':<{LABEL}}{line.caller} sends the next at {day_of(line.due_us)} "
            f"{second(line.due_us)} ({clause})"
        )


def name_of(line: CheckedLine | Check) -> str:
    """Return what is checked, and in which direction."""
    of = "" if line.of == THE_LINE else f" on {printable(line.of)}"
    return f"{line.caller} checks {line.answerer}{of}"


def line_changed_text(event: LineChecked) -> str:
    """Return what is new of a line, in a sentence; what a bell is rung for begins so (`LOUD`)."""
    line, check = event.line, event.check
    if check is None:
        if line.due_us is None:
            return f"{name_of(line)}: no times are agreed any more"
        return f"{name_of(line)}: next at {day_of(line.due_us)} {second(line.due_us)}"
    if check.result is None:
        return (
            f"LINE CHECK: {name_of(check)}: check {check.id[:SHORT]} waits for an answer until "
            f"{second(check.missed_us)}"
        )
    stands = f"the line is {line.state}"
    if line.state is not event.was:
        stands += f", and was {event.was}"
    said = f"{_result(check)}; {stands}"
    if line.state is LineState.DOWN and event.was is not LineState.DOWN:
        return f"DOWN: {name_of(check)}: {said}; {DOWN}"
    is_new = check.result is Result.MISSED and check.answer is None
    return f"{'MISSED: ' if is_new else ''}{name_of(check)}: {said}"


def waiting_checks_text(
    lines: Iterable[CheckedLine], checks: Mapping[str, Check], party: str, now_us: int
) -> list[str]:
    """Return the checks that wait for an answer of a party, and its lines that are not up."""
    shown = [
        each for each in lines
        if each.state in {LineState.DOWN, LineState.DOUBTFUL}
        or (each.waits is not None and each.answerer == party)
    ]  # fmt: skip
    return [row for each in shown for row in (*line_rows(each, checks, now_us, party), "")]


def _run(line: CheckedLine) -> str:
    """Return how many checks were missed or late, one after another."""
    said = [f"{line.missed} MISSED"] if line.missed else []
    said += [f"{line.late} LATE"] if line.late else []
    return f", {' and '.join(said)} one after another" if said else ""


def _result(check: Check) -> str:
    """Return what came of a check, and when."""
    due = "" if check.due_us is None else f" of {day_of(check.due_us)} {second(check.due_us)}"
    short, answer = f"check {check.id[:SHORT]}{due}", check.answer
    if check.sent_us is None:
        return f"{short} MISSED: {check.caller} sent none by {second(check.missed_us)}"
    sent = f"sent {day_of(check.sent_us)} {second(check.sent_us)} by {check.post}"
    if answer is None:
        return f"{short} {check.result}: {sent}, not answered by {second(check.missed_us)}"
    person = f" ({answer.person})" if answer.person else ""
    after = f"{(answer.at_us - check.sent_us) / US_PER_S:,.1f} s later"
    return f"{short} {check.result}: {sent}, answered by {answer.post}{person} {after}"
