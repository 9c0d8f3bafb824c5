# SPDX-License-Identifier: Apache-2.0
"""How an agreement, its standing and the difference of two versions read, on paper too."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from keepclear.agreement.annexes import Annex, annex_hash
from keepclear.agreement.binding import Answer, Answers
from keepclear.agreement.clauses import (
    AnnexAuthority,
    AnyDecision,
    Deadlines,
    Frequencies,
    Separation,
    WhoActs,
    kind_of,
)
from keepclear.agreement.documents import Agreement, Change, Clause, hash_of
from keepclear.agreement.quantities import duration_text, lateral_text, vertical_text
from keepclear.agreement.reminders import Reminder
from keepclear.agreement.separation import describe_rule
from keepclear.agreement.standing import Standing
from keepclear.agreement.statements import AgreementStatement
from keepclear.agreement.states import State
from keepclear.reports.record_text import grouped
from keepclear.units import US_PER_S, format_time

WIDTH: Final = 80
CONDITION: Final = "in force once every party has stated it"
# No line begins with a mark that French sets off by a space, or with the unit of a number.
HELD: Final = re.compile(r" (?=[:;?!])|(?<=\d) ")
NO_BREAK: Final = "\u00a0"
LEVELS: Final = frozenset({"level_grain", "height"})
HOUR_US: Final = 3_600 * US_PER_S
DAY_US: Final = 24 * HOUR_US


def agreement_text(agreement: Agreement) -> str:
    """Return the whole agreement as it is printed and read before it is signed."""
    return "\n".join(_agreement_lines(agreement)) + "\n"


def answer_text(answer: Answer, force: str, now_us: int) -> str:
    """Return who answers for a force, in a line."""
    match answer.what:
        case Answers.ANSWERED:
            said = f"{answer.party} answers for {force}"
        case Answers.DENIED:
            at = _time(answer.at_us or 0)
            said = f"nobody answers for {force}: denied by {answer.party} at {at}"
        case _:
            said = f"nobody answers for {force}"
    return f"{said} (asked for {_time(now_us)}, of the agreements given)"


def annex_text(annex: Annex) -> str:
    """Return one version of an annex as it is printed and read before it is signed."""
    lines = [
        f"ANNEX {annex.id}, version {annex.version}",
        f"hash       {grouped(annex_hash(annex))} (what every party signs)",
        f"of         {grouped(annex.agreement)} (the agreement)",
        f"in force   {_time(annex.in_force_us)}",
    ]
    for clause in annex.clauses:
        lines += ["", *_clause_lines(clause)]
    return "\n".join(lines) + "\n"


def standing_text(standing: Standing, reminders: Sequence[Reminder], now_us: int, file: str) -> str:
    """Return what holds of an agreement, verdict first."""
    lines = [f"{standing.state.upper()}  {file} at {_time(now_us)}"]
    lines += [f"  waits for  {each}" for each in standing.waits_for]
    lines.append(f"  hash       {grouped(standing.hash)} (compare it by voice)")
    for each in standing.signed:
        alone = " (one person may bind it, by its key document)" if each.is_alone else ""
        lines.append(f"  signed     {each.party}, {each.by}, {_time(each.at_us)}{alone}")
    lines += [f"  stated     {_said(each)}" for each in standing.said]
    if standing.suspended_by:
        lines.append(f"  suspended  by {', '.join(standing.suspended_by)}")
    holds = ", ".join(standing.holds) or "none"
    if standing.state is State.IN_FORCE:
        holds = f"all {len(standing.holds)}"
    lines.append(f"  clauses    that hold now: {holds}")
    for annex in standing.annexes:
        version = f"version {annex.version}" if annex.version else "no version"
        lines.append(f"  annex {annex.id:<4} {version} holds")
        lines += [f"             waits for {each}" for each in annex.waits_for]
    for reminder in reminders:
        when = "was due" if reminder.due_us <= now_us else "due"
        lines.append(f"  REMINDER   {reminder.what} ({when} {_time(reminder.due_us)})")
    return "\n".join(lines) + "\n"


def _said(each: AgreementStatement) -> str:
    force = f" that it answers for {each.force}" if each.force else ""
    why = f": {each.why}" if each.why else ""
    return f"{each.party}, {_time(each.at_us)}: {each.said}{force}{why}"


def changes_text(changes: Sequence[Change]) -> str:
    """Return the differences of two versions, clause by clause."""
    if not changes:
        return "No difference.\n"
    lines = []
    for each in changes:
        lines.append(f"{f'clause {each.id}' if each.id else 'around'}: {each.what}")
        lines += _wrapped(each.before, "  - ") if each.before else []
        lines += _wrapped(each.after, "  + ") if each.after else []
    return "\n".join(lines) + "\n"


def decides_text(decision: AnyDecision) -> str:
    """Return what a clause decides, in words: what a machine will act on."""
    match decision:
        case Separation():
            return "; ".join(describe_rule(rule) for rule in decision.rules.rules)
        case Deadlines():
            times = ", ".join(
                f"{each.precedence} {_duration(each.acknowledge_s * US_PER_S)}"
                for each in decision.deadlines
            )
            return f"{times}; then {', '.join(decision.escalation)}"
        case Frequencies():
            return "; ".join(f"{each.purpose}: {each.on}" for each in decision.frequencies)
        case WhoActs():
            order = ", ".join(f"{each.of} {each.number}" for each in decision.priorities)
            first = f"the lower of {order} acts; " if order else ""
            both = {"filed-later": "the one filed later", "both": "both"}
            return f"{first}among equals {both[decision.among_equals]}"
        case AnnexAuthority():
            who = " or ".join(decision.posts) or "one representative"
            may = ", ".join(decision.may) or "nothing"
            return f"annex {decision.annex} is signed for each party by {who}; it may decide {may}"
        case _:
            fields = msgspec.structs.asdict(decision).items()
            return ", ".join(_field_text(*field) for field in fields) or CONDITION


def _agreement_lines(a: Agreement) -> Iterator[str]:
    for text in a.title:
        yield from _wrapped(text.text.upper(), "")
        yield ""
    yield f"{a.id}, version {a.version}"
    yield f"hash       {grouped(hash_of(a))} (what every party signs)"
    yield f"in force   {_time(a.in_force_us)} to {_time(a.until_us)}"
    yield f"review     {_time(a.review_us)}"
    yield f"notice     {_duration(a.notice_us)} after it is denounced"
    yield f"reminders  {_duration(a.remind_us)} before a review, an end, the end of a mandate"
    for party in a.parties:
        yield f"party      {party.id}: {party.name} ({party.role.replace('_', ' ')})"
        if party.answers_for:
            yield f"           answers for {', '.join(party.answers_for)}"
        for post in party.posts:
            call = f", {post.call}" if post.call else ""
            yield from _wrapped(f"{post.id}: {post.name}{call}", "           post ")
    for clause in a.clauses:
        yield ""
        yield from _clause_lines(clause)
    yield ""
    yield "Signed by, for each party, two representatives:"
    for party in a.parties:
        yield f"{party.id:<12} ______________________________  ______________________________"


def _clause_lines(clause: Clause) -> Iterator[str]:
    place = f"{clause.id:<6} "
    for text in clause.texts:
        language = f"[{text.language}] " if len(clause.texts) > 1 else ""
        yield from _wrapped(text.text, place + language)
        place = " " * len(place)
    if clause.decides is not None:
        words = f"{kind_of(clause.decides)}: {decides_text(clause.decides)}"
        yield from _wrapped(words, "       = ")
    if clause.survives:
        yield "       (survives suspension)"


def _field_text(name: str, value: object) -> str:
    if name.endswith("_us") and isinstance(value, int):
        return f"{name[:-3].replace('_', ' ')} {_duration(value)}"
    if name.endswith("_tmm") and isinstance(value, int):
        plain = name[:-4]
        shown = vertical_text(value) if plain in LEVELS else lateral_text(value)
        return f"{plain.replace('_', ' ')} {shown}"
    if isinstance(value, tuple):
        return f"{name.replace('_', ' ')} {', '.join(map(str, value))}"
    if name.endswith("_km2h"):
        return f"{name[:-5].replace('_', ' ')} {value:,} km2h"
    return f"{name.replace('_', ' ')} {value}"


def _duration(time_us: int) -> str:
    """Return a duration in the largest unit that it is a whole number of."""
    for unit_us, one, many in ((DAY_US, "day", "days"), (HOUR_US, "hour", "hours")):
        if time_us % unit_us == 0 and time_us:
            count = time_us // unit_us
            return f"{count} {one if count == 1 else many}"
    return duration_text(time_us)


def _wrapped(text: str, before: str) -> list[str]:
    held = HELD.sub(NO_BREAK, text)
    lines = textwrap.wrap(
        held, WIDTH, initial_indent=before, subsequent_indent=" " * len(before),
        break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(NO_BREAK, " ") for line in lines] or [before]


def _time(time_us: int) -> str:
    return f"{format_time(time_us)[:19]}Z"
