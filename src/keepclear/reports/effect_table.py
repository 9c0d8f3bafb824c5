# SPDX-License-Identifier: Apache-2.0
"""What another version would change, for a terminal: counts first, then each change, both sides.

Up to 20 changes get a block each; more get one row each. What is the same is counted only.
"""

import io
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keepclear.checks.effect import Effect, Kind
from keepclear.checks.versions import EffectReport
from keepclear.reports import effect_texts, texts

BLOCKS_AT_MOST: Final = 20
ROWS_AT_MOST: Final = 200
GAPS_AT_MOST: Final = 5
INDENT: Final = 12
SIDE: Final = 8
STYLES: Final = {
    Kind.APPEARS: "bold white on red",
    Kind.UNDETERMINED: "bold black on yellow",
    Kind.CHANGES: "bold magenta",
    Kind.DISAPPEARS: "bold cyan",
}


def effect_text(
    report: EffectReport, *, width: int = 80, colour: bool = False, see_it: str = ""
) -> str:
    """Return the report as lines of at most `width`; `see_it` is a command that shows more."""
    out = io.StringIO()
    console = Console(
        file=out, width=max(width, 60), color_system="standard" if colour else None,
        force_terminal=colour, highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    day = texts.common_day(report.checked)
    changes = [each for each in report.effects if each.kind is not Kind.SAME]
    for line in (effect_texts.counts_text(report), effect_texts.new_text(report)):
        _print_wrapped(console, line)
    console.print()
    if len(changes) <= BLOCKS_AT_MOST:
        for each in changes:
            _print_block(console, report, each, day)
    else:
        _print_rows(console, changes, day)
    for name, line in _versions(report):
        _print_named(console, f"{name:<{INDENT - 2}}", line)
    for line in _closing(report, day):
        _print_wrapped(console, line)
    if see_it and changes:
        console.print(Text(f"See them: {see_it}"), soft_wrap=True)  # unbroken, to be copied
    for line in (effect_texts.NOT_SHOWN, texts.NO_NOTICE):
        _print_wrapped(console, line)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _print_block(console: Console, report: EffectReport, effect: Effect, day: str | None) -> None:
    kind = effect_texts.kind_text(effect)
    head = f"{kind}  {texts.sides_text(effect.shown.finding)}"
    if changed := effect_texts.changed_text(effect):
        head += f": {changed}"
    shown = Text("\n".join(textwrap.wrap(head, console.width, subsequent_indent=" " * INDENT)))
    shown.stylize(STYLES[effect.kind], 0, len(kind))
    console.print(shown, soft_wrap=True)
    for name, sides in effect_texts.compared(report, effect, day):
        for i, (side, value) in enumerate(sides):
            label = f"  {name if i == 0 else '':<10}{side:<{SIDE if side else 0}}"
            _print_named(console, label, value)
    if besides := effect_texts.besides_text(effect):
        _print_named(console, f"  {'besides':<10}", besides)
    console.print()


def _print_rows(console: Console, changes: Sequence[Effect], day: str | None) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("effect", no_wrap=True)
    table.add_column("start", no_wrap=True)
    table.add_column("a", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("b", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("margin before", no_wrap=True, justify="right")
    table.add_column("after", no_wrap=True, justify="right")
    for each in changes[:ROWS_AT_MOST]:
        finding = each.shown.finding
        table.add_row(
            Text(effect_texts.kind_text(each), style=STYLES[each.kind]),
            texts.start_text(finding, day),
            Text(texts.shortened(finding.a, 60)), Text(texts.shortened(finding.b, 60)),
            *effect_texts.margins_text(each),
        )  # fmt: skip
    console.print(table)
    if (more := len(changes) - ROWS_AT_MOST) > 0:
        console.print(f"… and {more:,} more: --format json has all")
    console.print()


def _versions(report: EffectReport) -> Iterator[tuple[str, str]]:
    for name, version in (("before", report.before), ("after", report.after)):
        yield name, effect_texts.version_text(version)
        for line in effect_texts.version_lines(report, version):
            yield "", line


def _closing(report: EffectReport, day: str | None) -> Iterator[str]:
    checked = report.checked
    assumed, of_files = texts.notes_of(checked)
    yield " ".join([*([f"All times on {day}."] if day else []), *assumed])
    yield from of_files
    yield from effect_texts.acts_lines(report)
    if unbound := effect_texts.unbound_text(report):
        yield unbound
    if checked.unknown:
        yield texts.gaps_text(checked)
    for gap in checked.unknown[:GAPS_AT_MOST]:
        start, end = texts.time_text(gap.start_us, day), texts.time_text(gap.end_us, day)
        plan, why = texts.shortened(gap.plan, 40), texts.printable(gap.why)
        yield f"  {plan}, {start} to {end}: {why}"
    if (more := len(checked.unknown) - GAPS_AT_MOST) > 0:
        yield f"  … and {more:,} more: --format json has all"


def _print_named(console: Console, label: str, value: str) -> None:
    """Print a value beside its label, wrapped so that it stays aligned."""
    for i, line in enumerate(textwrap.wrap(value, console.width - len(label)) or [""]):
        console.print(Text(f"{label if i == 0 else ' ' * len(label)}{line}"), soft_wrap=True)


def _print_wrapped(console: Console, line: str) -> None:
    indent = "  " if line.startswith("  ") else ""
    for part in textwrap.wrap(line, console.width, subsequent_indent=indent * 2):
        console.print(Text(part), soft_wrap=True)
