# SPDX-License-Identifier: Apache-2.0
"""A report for a terminal: verdict first, one idea a line, aligned, with units and Z.

Up to 20 findings get a block each; more get one row each in a table. Then come the counts,
the gaps, what was assumed, and what the answer does not say. It reads well at 80 columns,
and without colours: a colour never says what a word does not say too.
"""

import io
import textwrap
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keepclear.agreement.findings import Finding, Verdict
from keepclear.checks.report import Report, RulesUsed
from keepclear.reports import texts

BLOCKS_AT_MOST: Final = 20
ROWS_AT_MOST: Final = 200
GAPS_AT_MOST: Final = 5
LEFT_OUT_AT_MOST: Final = 10
INDENT: Final = 12
# Told apart with any colour vision; on black and on white.
STYLES: Final = {
    Verdict.CONFLICT: "bold white on red",
    Verdict.UNDETERMINED: "bold black on yellow",
    Verdict.BOUNDARY: "bold magenta",
    Verdict.LIMITED: "bold cyan",
}


def table_text(report: Report, *, width: int = 80, colour: bool = False, see_it: str = "") -> str:
    """Return the report as lines of at most `width`; `see_it` is a command that shows more."""
    out = io.StringIO()
    console = Console(
        file=out, width=max(width, 40), color_system="standard" if colour else None,
        force_terminal=colour, highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    day = texts.common_day(report)
    findings = texts.ranked(report.findings)
    if len(findings) <= BLOCKS_AT_MOST:
        for finding in findings:
            _print_block(console, finding, report.rules, day, see_it if len(findings) == 1 else "")
    else:
        _print_rows(console, findings, day)
    for line in _closing(report, day, see_it if len(findings) > 1 else ""):
        _print_line(console, line)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _print_block(
    console: Console, finding: Finding, rules: RulesUsed, day: str | None, see_it: str
) -> None:
    sides, when = texts.sides_text(finding), texts.intervals_text(finding.intervals, day)
    head = f"{finding.verdict}  {sides}, {when}"
    lines = textwrap.wrap(head, console.width, subsequent_indent=" " * INDENT)
    shown = Text("\n".join(lines))
    shown.stylize(STYLES[finding.verdict], 0, len(finding.verdict))
    console.print(shown, soft_wrap=True)
    for name, value in _block_lines(finding, rules, day):
        _print_named(console, name, value)
    if see_it:
        console.print(Text(f"  {'see it':<10}{see_it}"), soft_wrap=True)
    console.print()


def _block_lines(finding: Finding, rules: RulesUsed, day: str | None) -> Iterator[tuple[str, str]]:
    if cpa := finding.cpa:
        when = texts.time_text(cpa.time_us, day)
        where = texts.position_text(cpa.latitude_deg, cpa.longitude_deg)
        yield "closest", f"{when} at {where}: {texts.apart_text(finding)}"
    if len(rules.rules) > 1:
        yield "rule", texts.minimum_text(finding, rules)
        if short := texts.short_by_text(finding):
            yield "short by", short
    else:
        yield "rule", texts.rule_text(finding, rules)
    if clause := texts.clause_text(finding, rules):
        yield "it says", clause
    if finding.reason:
        yield "why", texts.printable(finding.reason)
    if texts.has_own_clocks(finding):
        for name, one in ((finding.a, finding.intervals_a), (finding.b, finding.intervals_b)):
            when = texts.intervals_text(one, day)
            yield "own clock", f"{texts.shortened(name, 40)} {when}"
    if finding.margin_m != finding.margin_without_uncertainty_m:
        without = texts.margin_text(finding.margin_without_uncertainty_m, finding.leaf)
        with_it = texts.margin_text(finding.margin_m, finding.leaf)
        yield "margin", f"{with_it} with the uncertainty of both, {without} without"


def _print_named(console: Console, name: str, value: str) -> None:
    for i, line in enumerate(textwrap.wrap(value, console.width - INDENT) or [""]):
        console.print(Text(f"  {name if i == 0 else '':<10}{line}"), soft_wrap=True)


def _print_rows(console: Console, findings: list[Finding], day: str | None) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("start", no_wrap=True)
    table.add_column("lasts", no_wrap=True, justify="right")
    table.add_column("a", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("b", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("lateral", no_wrap=True, justify="right")
    table.add_column("vertical", no_wrap=True, justify="right")
    for finding in findings[:ROWS_AT_MOST]:
        cpa = finding.cpa
        table.add_row(
            Text(finding.verdict, style=STYLES[finding.verdict]),
            texts.start_text(finding, day),
            _seconds(texts.total_us(finding.intervals)),
            Text(texts.shortened(finding.a, 60)), Text(texts.shortened(finding.b, 60)),
            texts.lateral_text(cpa.lateral_m) if cpa else "?",
            texts.vertical_text(cpa.vertical_m) if cpa and cpa.vertical_m is not None else "?",
        )  # fmt: skip
    console.print(table)
    if (more := len(findings) - ROWS_AT_MOST) > 0:
        console.print(f"… and {more:,} more: --format json has all")
    console.print()


def _seconds(duration_us: int) -> str:
    minutes, seconds = divmod(-(-duration_us // 1_000_000), 60)
    return f"{minutes}:{seconds:02d}"


def _closing(report: Report, day: str | None, see_it: str) -> Iterator[str]:
    days = f" All times on {day}." if day else ""
    assumed, of_files = texts.notes_of(report)
    counted = f"{texts.counts_text(report)} {texts.among_text(report)}.{days}"
    yield " ".join([counted, *assumed])
    yield from of_files
    yield from _rules(report)
    yield from _gaps(report, day)
    yield from _left_out(report)
    if see_it:
        yield f"See them: {see_it}"
    yield texts.NOT_LOOKED_AT
    yield texts.NO_NOTICE


def _rules(report: Report) -> Iterator[str]:
    rules = report.rules
    first, *others = texts.rules_lines(report)
    yield f"Rules: {first}" + (":" if others else ".")
    yield from (f"  {line}" for line in others)
    for name, said in (("Source", rules.source), ("Note", rules.note)):
        if said:
            yield f"{name}: {texts.printable(said).rstrip('.')}."


def _gaps(report: Report, day: str | None) -> Iterator[str]:
    if not report.unknown:
        return
    yield texts.gaps_text(report)
    for gap in report.unknown[:GAPS_AT_MOST]:
        start, end = texts.time_text(gap.start_us, day), texts.time_text(gap.end_us, day)
        plan, why = texts.shortened(gap.plan, 40), texts.printable(gap.why)
        yield f"  {plan}, {start} to {end}: {why}"
    if (more := len(report.unknown) - GAPS_AT_MOST) > 0:
        yield f"  … and {more:,} more: --format json has all"


def _left_out(report: Report) -> Iterator[str]:
    if not report.left_out:
        return
    yield f"Left out by --lenient, so not compared ({texts.faults_left_out_text(report)}):"
    for line in report.left_out[:LEFT_OUT_AT_MOST]:
        yield f"  {texts.printable(line)}"
    if (more := len(report.left_out) - LEFT_OUT_AT_MOST) > 0:
        yield f"  … and {more:,} more lines: --format json has all"


def _print_line(console: Console, line: str) -> None:
    if line.startswith("See them: "):
        console.print(Text(line), soft_wrap=True)  # unbroken, to be copied
        return
    indent = "  " if line.startswith("  ") else ""
    for part in textwrap.wrap(line, console.width, subsequent_indent=indent * 2):
        console.print(Text(part), soft_wrap=True)
