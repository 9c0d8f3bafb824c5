# SPDX-License-Identifier: Apache-2.0
"""A period's numbers on a terminal: verdict first, a column for each file's view of it."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from keepclear.plans.conflicts import Answer
from keepclear.reports.after_action import Story
from keepclear.reports.after_action_words import (
    Proof,
    agreement_title,
    range_words,
    whose_words,
)
from keepclear.reports.period import Breaches, Counts, Pair, Period
from keepclear.reports.texts import NO_NOTICE, duration_text, printable

NAME_WIDTH: Final = 36
COLUMN: Final = 18
UNKNOWN: Final = "not in its file"
NO_REFUSALS: Final = "What was refused stands in no record, and is in no number here."
ASKED_MEANS: Final = (
    "Asked: told of an open conflict. The clock runs from that notice to the acknowledgement, "
    "or to the answer."
)
Row = tuple[str, list[str]]


def period_text(story: Story, periods: Sequence[Period], proof: Proof, file: str) -> str:
    """Return the report. periods: of the file itself first, then as each party sees it."""
    lines = [f"{proof.title}  {file}"]
    lines += [f"  {each}" for each in proof.words]
    header = story.header
    status = ", ".join(each.upper() for each in story.statuses) or "no act"
    lines += [
        "",
        f"PERIOD  {range_words(story)}",
        f"  record     {header.region}, incarnation {header.incarnation}; status {status}",
        f"  view       {whose_words(story)}",
    ]
    if story.stopped is not None:
        lines.append(f"  STOPPED    the file cannot be read on from here: {story.stopped}")
    lines.append("")
    for rows in party_tables(periods):
        lines += [*_columns(rows), ""]
    own = periods[0]
    lines += ["CONFLICTS", *_pairs(own.pairs), "", "BROKEN, BY RULE AND CLAUSE"]
    lines += [f"  {each}" for each in breach_lines(own.breaches, story)] or ["  none"]
    lines += ["", ASKED_MEANS, NO_REFUSALS, NO_NOTICE]
    return "".join(f"{printable(line)}\n" for line in lines)


def party_tables(periods: Sequence[Period]) -> Iterator[list[Row]]:
    """Yield a table for each party; its first row has the party and the names of the columns."""
    heads = ["the archive" if each.viewer is None else f"{each.viewer} sees" for each in periods]
    for party in [each.party for each in periods[0].parties]:
        counts = [
            next((one for one in each.parties if one.party == party), None) for each in periods
        ]
        yield [(party.upper(), heads), *_rows(counts)]


def _rows(counts: Sequence[Counts | None]) -> Iterator[Row]:
    known = [each or Counts("", None, None, None, None, 0, (), 0, 0, {}) for each in counts]
    yield "operations filed", [_number(each.filed) for each in known]
    yield "new versions filed", [_number(each.updated) for each in known]
    yield "filed late", [_late(each.late_us) for each in known]
    yield "  late by, in all", [_seconds(each.late_us, sum) for each in known]
    yield "  late by, at most", [_seconds(each.late_us, max) for each in known]
    yield "notices it was sent", [_number(each.notices) for each in known]
    yield "asked to acknowledge a conflict", [f"{each.asked:,}" for each in known]
    yield "  acknowledged", [f"{len(each.took_us):,}" for each in known]
    yield "    after, median", [_duration(_median(each.took_us)) for each in known]
    yield "    after, longest", [_duration(max(each.took_us, default=None)) for each in known]
    yield "  acted on, not acknowledged", [f"{each.acted:,}" for each in known]
    yield "  neither", [f"{each.silent:,}" for each in known]
    yield "answers to notices", [f"{len(each.replied_us):,}" for each in known]
    for reply in Answer:
        yield f"  {reply}", [f"{len(each.replies.get(reply, ())):,}" for each in known]
    yield "  after, median", [_duration(_median(each.replied_us)) for each in known]
    yield "  after, longest", [_duration(max(each.replied_us, default=None)) for each in known]


def _median(took_us: Sequence[int]) -> float | None:
    return median(took_us) if took_us else None


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _late(late_us: tuple[int, ...] | None) -> str:
    return UNKNOWN if late_us is None else f"{len(late_us):,}"


def _seconds(late_us: tuple[int, ...] | None, of: object) -> str:
    if late_us is None:
        return UNKNOWN
    if not late_us:
        return "-"
    whole = max(late_us) if of is max else sum(late_us)
    return f"{-(-whole // 1_000_000):,} s"


def _duration(took_us: float | None) -> str:
    return "-" if took_us is None else duration_text(round(took_us))


def _columns(rows: Sequence[Row]) -> Iterator[str]:
    for place, (name, cells) in enumerate(rows):
        indent = "" if place == 0 else "  "
        yield f"{indent + name:<{NAME_WIDTH}}" + "".join(f"{each:>{COLUMN}}" for each in cells)


def _pairs(pairs: Sequence[Pair]) -> Iterator[str]:
    for each in pairs:
        yield f"  {each.parties[0]} and {each.parties[1]}"
        for name, value in pair_rows(each):
            yield f"    {name:<{NAME_WIDTH - 4}}{value:>{COLUMN}}"
    if not pairs:
        yield "  none"


def pair_rows(pair: Pair) -> Iterator[tuple[str, str]]:
    """Yield what became of a pair's conflicts."""
    yield "raised", f"{pair.raised:,}"
    yield "settled", f"{sum(pair.settled.values()):,}"
    for how, count in sorted(pair.settled.items()):
        yield f"  {how}", f"{count:,}"
    yield "agreed as is, still so", f"{pair.agreed:,}"
    yield "open at the end", f"{pair.open:,}"


def breach_lines(breaches: Sequence[Breaches], story: Story) -> list[str]:
    """Return a line for each rule that was broken."""
    lines = []
    for each in breaches:
        where = "the house rule of the region"
        if each.agreement:
            where = f"clause {each.clause} of {agreement_title(story, each.agreement)}"
        rule = f", rule {each.rule}" if each.rule else ", no numbers are disclosed"
        lines.append(f"{each.conflicts:,} x {where}{rule}")
    return lines
