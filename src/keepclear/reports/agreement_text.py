# SPDX-License-Identifier: Apache-2.0
"""How an agreement, its standing and the difference of two versions read, on paper too.

1. Every field that is signed is printed.
2. What a file says cannot look like what this page says: characters that are not seen are
   written out, and a text that goes on in the next line stands further in than any line of ours.
   Words of clauses begin in column 8, what is decided in column 3, headings in column 1.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from keepclear.agreement.annex_standing import AnnexStanding
from keepclear.agreement.annexes import Annex, annex_hash
from keepclear.agreement.binding import Answer, Answers
from keepclear.agreement.clauses import (
    AnnexAuthority,
    CheckSchedule,
    Deadlines,
    Decision,
    Fallback,
    FallbackWay,
    Frequencies,
    Separation,
    WhoActs,
    kind_of,
)
from keepclear.agreement.documents import Agreement, Change, Clause, PartyTerms, Text, hash_of
from keepclear.agreement.leaves import Duration, walk
from keepclear.agreement.quantities import duration_text, lateral_text, vertical_text
from keepclear.agreement.reminders import Reminder
from keepclear.agreement.separation import RuleSet, describe_rule, describe_scope
from keepclear.agreement.signing import Stated
from keepclear.agreement.standing import Standing
from keepclear.agreement.states import State
from keepclear.exchange.events import AgreementStood
from keepclear.record.encoding import encode
from keepclear.reports.printable import printable
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
DURATIONS: Final = frozenset({"notice_us", "remind_us"})
FURTHER_IN: Final = 17
OF_NONE: Final = {"ground": "the area alone and grown"}
NOT_PROVEN: Final = (
    "Proven by this file alone, with the times that the signers wrote. Who holds",
    "another copy may have more (a suspension, a denunciation, an annex).",
)


def agreement_text(agreement: Agreement) -> str:
    """Return the whole agreement as it is printed and read before it is signed."""
    return "\n".join(_agreement_lines(agreement)) + "\n"


def in_region_text(agreement: Agreement, stood: AgreementStood) -> str:
    """Return an agreement and how it stands in the region, in a few lines."""
    names = " and ".join(party.id for party in agreement.parties)
    return "\n".join([
        *_row(f"{agreement.id}, version {agreement.version}: {stood.state}", ""),
        *_row("  title      ", agreement.title[0].text),
        f"  between    {names}",
        f"  in force   {_time(agreement.in_force_us)} to {_time(agreement.until_us)}",
        f"  clauses    {len(stood.clauses)} hold now",
        f"  hash       {grouped(hash_of(agreement))}",
    ])  # fmt: skip


def answer_text(answer: Answer, force: str, now_us: int) -> str:
    """Return who answers for a force."""
    match answer.what:
        case Answers.ANSWERED:
            said = f"{answer.party} answers for {printable(force)}"
        case Answers.DENIED:
            at = _time(answer.at_us or 0)
            said = f"nobody answers for {printable(force)}: denied by {answer.party} at {at}"
        case _:
            said = f"nobody answers for {printable(force)}"
    asked = f"{said} (asked for {_time(now_us)}, of the agreements given)"
    return "\n".join(_wrapped(asked, "", 2))


def annex_text(annex: Annex) -> str:
    """Return one version of an annex as it is printed and read before it is signed."""
    lines = [
        f"ANNEX {annex.id}, version {annex.version}",
        f"hash       {grouped(annex_hash(annex))} (what every party signs)",
        f"of         {annex.agreement}",
        f"after      {annex.previous or 'none: it is the first version'}",
        f"in force   {_time(annex.in_force_us)}",
    ]
    for clause in annex.clauses:
        lines += ["", *_clause_lines(clause)]
    return "\n".join(lines) + "\n"


def standing_text(standing: Standing, reminders: Sequence[Reminder], now_us: int, file: str) -> str:
    """Return what holds of an agreement, verdict first, and what is not proven last."""
    lines = [f"{standing.state.upper()}  {printable(file)} at {_time(now_us)}"]
    for each in standing.waits_for:
        lines += _row("  waits for  ", each)
    lines.append(f"  hash       {grouped(standing.hash)} (compare it by voice)")
    for one in standing.signed:
        alone = " (one person may bind it, by its key document)" if one.is_alone else ""
        lines += _row("  signed     ", f"{one.party}, {one.by}, {_time(one.at_us)}{alone}")
    for stated in standing.stated:
        lines += _row("  stated     ", _said(stated))
    if standing.suspended_by:
        lines += _row("  suspended  ", f"by {', '.join(standing.suspended_by)}")
    holds = ", ".join(standing.holds) or "none"
    if standing.state is State.IN_FORCE:
        holds = f"all {len(standing.holds)}"
    lines += _row("  clauses    ", f"that hold now: {holds}")
    for annex in standing.annexes:
        lines += _annex_lines(annex)
    for out in standing.left_out:
        lines += _row(
            "  LEFT OUT   ", f"{out.what} of {out.party}, {out.by}, {_time(out.at_us)}: {out.why}"
        )
    for reminder in reminders:
        when = "was due" if reminder.due_us <= now_us else "due"
        lines += _row("  REMINDER   ", f"{reminder.what} ({when} {_time(reminder.due_us)})")
    return "\n".join((*lines, "", *NOT_PROVEN)) + "\n"


def _annex_lines(annex: AnnexStanding) -> Iterator[str]:
    version = f"version {annex.version}" if annex.version else "no version"
    yield f"  annex {annex.id:<4} {version} holds"
    for each in annex.versions:
        if each.version < annex.version:
            continue
        yield f"             version {each.version} has hash {grouped(each.hash)}"
        for one in each.signed:
            signed = f"version {each.version} signed by {one.party}, {one.by}, {_time(one.at_us)}"
            yield from _row(" " * 13, signed)
        if each.waits_for:
            yield from _row(" " * 13, f"waits for version {each.version}: {each.waits_for}")


def _said(stated: Stated) -> str:
    each = stated.what
    force = f" that it answers for {each.force}" if each.force else ""
    counter = f" by {grouped(each.counter)}" if each.counter else ""
    why = f": {each.why}" if each.why else ""
    return f"{each.party}, {stated.by}, {_time(each.at_us)}: {each.said}{force}{counter}{why}"


def changes_text(changes: Sequence[Change], of_annexes: Sequence[tuple[str, Change]] = ()) -> str:
    """Return the differences of two versions, clause by clause, and those of their annexes."""
    if not changes and not of_annexes:
        return "No difference.\n"
    lines: list[str] = []
    for annex, each in (*(("", each) for each in changes), *of_annexes):
        place = f"clause {each.id}" if each.id else f"annex {annex}" if annex else "around"
        lines.append(f"{place}: {each.what}")
        for mark, value in (("-", each.before), ("+", each.after)):
            for text in _value_texts(each.what, value):
                lines += _wrapped(text, f"  {mark} ")
    return "\n".join(lines) + "\n"


def _value_texts(name: str, value: object) -> list[str]:  # noqa: PLR0911 a line for each kind
    """Return a value of a field in lines, as it is printed elsewhere; none for None."""
    match value:
        case None:
            return []
        case Clause():
            return list(_clause_lines(value))
        case Decision():
            return [_decision_text(value)]
        case bool():
            return ["yes" if value else "no"]
        case int() if name in DURATIONS:
            return [_duration(value)]
        case int() if name.endswith("_us"):
            return [_time(value)]
        case tuple():
            return [line for each in value for line in _value_texts(name, each)] or ["none"]
        case PartyTerms():
            return list(_party_lines(value))
        case Text():
            return [f"[{value.language}] {value.text}"]
        case _:
            return [str(value) or "none"]


def decides_text(decision: Decision) -> str:  # noqa: PLR0911 a line for each kind
    """Return what a clause decides, in words: what a machine will act on."""
    match decision:
        case Separation():
            return "; ".join(_rule_set_texts(decision.rules))
        case Deadlines():
            times = ", ".join(
                f"{each.precedence} {_duration(each.acknowledge_s * US_PER_S)}"
                for each in decision.deadlines
            )
            return f"{times}; then {', '.join(decision.escalation)}"
        case Frequencies():
            return "; ".join(f"{each.purpose}: {each.on}" for each in decision.frequencies)
        case Fallback():
            return "; ".join(way_text(each) for each in decision.ways)
        case CheckSchedule():
            return _schedule_text(decision)
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


def way_text(way: FallbackWay) -> str:
    """Return a way to talk, who is there, and when the next is tried."""
    answers = f", {way.answers} answers" if way.answers else ""
    after = f", the next after {_duration(way.next_after_us)}" if way.next_after_us else ""
    return f"{way.by} {way.on}{answers}{after}"


def _schedule_text(schedule: CheckSchedule) -> str:
    """Return when a line is checked, and what becomes of checks and of the line."""
    times = f"at {', '.join(schedule.times)}" if schedule.times else "on demand"
    by = f" by {', '.join(schedule.by)}" if schedule.by else " by each party"
    return (
        f"{schedule.of} checked {times}{by}; answered within {_duration(schedule.answer_us)}, "
        f"MISSED after {_duration(schedule.missed_us)}; DOUBTFUL after 1 MISSED or "
        f"{schedule.doubtful_late} LATE, DOWN after {schedule.down_missed} MISSED"
    )


def _rule_set_texts(rules: RuleSet) -> Iterator[str]:
    """Yield each rule with whom it binds, then where the rules are from, then their zones."""
    for rule in rules.rules:
        more = [describe_scope(rule)] if describe_scope(rule) else []
        more += [
            f"stays less than {duration_text(place.node.reset_us)} apart are one"
            for place in walk(rule.holds, "") if isinstance(place.node, Duration)
        ]  # fmt: skip
        if rule.floor is not None and rule.floor.is_closed:
            more.append("nor at these")
        more += [f"rule {rule.id}", *([f'"{rule.text}"'] if rule.text else [])]
        yield f"{describe_rule(rule)} ({', '.join(more)})"
    yield f'of "{rules.name}"'
    if rules.source:
        yield f'source "{rules.source}"'
    if rules.note:
        yield f'note "{rules.note}"'
    for name, zone in rules.zones.items():
        yield f"zone {name}: {encode(zone).decode()}"


def _agreement_lines(a: Agreement) -> Iterator[str]:
    for text in a.title:
        language = f"[{text.language}] " if len(a.title) > 1 else ""
        yield from _row("title      ", language + text.text)
    yield f"agreement  {a.id}, version {a.version}"
    yield f"hash       {grouped(hash_of(a))} (what every party signs)"
    yield from _row("languages  ", ", ".join(a.languages))
    yield f"in force   {_time(a.in_force_us)} to {_time(a.until_us)}"
    yield f"review     {_time(a.review_us)}"
    yield f"notice     {_duration(a.notice_us)} after it is denounced"
    yield f"reminders  {_duration(a.remind_us)} before a review, an end, the end of a mandate"
    for replaced in a.replaces:
        yield f"replaces   {replaced}"
    if a.operator_key:
        yield f"exchange   {a.operator_key} (its key)"
    for party in a.parties:
        yield from _party_lines(party)
    for clause in a.clauses:
        yield ""
        yield from _clause_lines(clause)
    yield ""
    yield "Signed by, for each party, two representatives:"
    for party in a.parties:
        yield f"{party.id:<12} ______________________________  ______________________________"


def _party_lines(party: PartyTerms) -> Iterator[str]:
    yield from _row("party      ", f"{party.id}: {party.name} ({party.role.replace('_', ' ')})")
    for force in party.answers_for:
        yield from _row(" " * 11, f"answers for {force}")
    for post in party.posts:
        yield from _row(" " * 11, f"post {post.id}: {post.name}")
        if post.call:
            yield from _row(" " * 13, f"call {post.call}")


def _clause_lines(clause: Clause) -> Iterator[str]:
    place = f"{clause.id:<6} "
    for text in clause.texts:
        language = f"[{text.language}] " if len(clause.texts) > 1 else ""
        yield from _wrapped(text.text, place + language)
        place = " " * len(place)
    if clause.decides is not None:
        yield from _wrapped(_decision_text(clause.decides), "  = ")
    if clause.survives:
        yield "  (survives suspension)"


def _decision_text(decision: Decision) -> str:
    return f"{kind_of(decision)}: {decides_text(decision)}"


def _field_text(name: str, value: object) -> str:
    if name.endswith("_us") and isinstance(value, int):
        return f"{name[:-3].replace('_', ' ')} {_duration(value)}"
    if name.endswith("_tmm") and isinstance(value, int):
        plain = name[:-4]
        shown = vertical_text(value) if plain in LEVELS else lateral_text(value)
        return f"{plain.replace('_', ' ')} {shown}"
    if isinstance(value, tuple):
        said = ", ".join(map(str, value)) or OF_NONE.get(name, "")
        return f"{name.replace('_', ' ')} {said}"
    if value is None:
        return f"{name.rpartition('_')[0].replace('_', ' ')} not limited"
    if name.endswith(("_km2h", "_km3")):
        plain, _, unit = name.rpartition("_")
        return f"{plain.replace('_', ' ')} {value:,} {unit}"
    return f"{name.replace('_', ' ')} {value}"


def _duration(time_us: int) -> str:
    """Return a duration in the largest unit that it is a whole number of."""
    for unit_us, one, many in ((DAY_US, "day", "days"), (HOUR_US, "hour", "hours")):
        if time_us % unit_us == 0 and time_us:
            count = time_us // unit_us
            return f"{count} {one if count == 1 else many}"
    return duration_text(time_us)


def _row(before: str, text: str) -> list[str]:
    """Return a line of ours with a text in it; what goes on stands further in than any of ours."""
    return _wrapped(text, before, FURTHER_IN)


def _wrapped(text: str, before: str, after: int | None = None) -> list[str]:
    """Return a text in lines of 80 columns, with its own line breaks; after: for the next ones."""
    lines: list[str] = []
    inner = " " * (len(before) if after is None else after)
    for own in text.split("\n"):
        first = inner if lines else before
        held = HELD.sub(NO_BREAK, printable(own))
        lines += textwrap.wrap(
            held, WIDTH, initial_indent=first, subsequent_indent=inner, break_on_hyphens=False,
        ) or [first.rstrip()]  # fmt: skip
    return [line.replace(NO_BREAK, " ") for line in lines]


def _time(time_us: int) -> str:
    return f"{format_time(time_us)[:19]}Z"
