# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML page: opens without a network, prints on A4, runs no script.

First sheet: the verdict in large type, what was compared, by which rules, what was assumed,
what is unknown. Then the map of all findings and the index, worst first, then soonest. Then
one sheet a finding for the first `DETAILED` of them (`html_finding`).

Whoever reads it may be tired: no colour stands without a word or a pattern, a party has one
colour throughout, plan A is solid and plan B dashed.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from keepclear.agreement.findings import Finding, Verdict
from keepclear.airspace.borders import Borders
from keepclear.checks.report import Report
from keepclear.reports import texts
from keepclear.reports.html_finding import badge, finding_sheet, plan_words
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text
from keepclear.reports.sides import party_colours, sides_of
from keepclear.reports.style import CSS
from keepclear.reports.svg_map import HEIGHT, WIDTH
from keepclear.reports.svg_overview import overview_map
from keepclear.reports.svg_patterns import patterns

DETAILED: Final = 50
GAPS_AT_MOST: Final = 200
LEFT_OUT_AT_MOST: Final = 100
MAP_WORDS: Final = "Borders and coasts are reference data, for orientation only. Dotted: disputed."


def html_report(report: Report, borders: Borders | None = None) -> str:
    """Return the page; without `borders` its maps have none, and say so."""
    colours = party_colours(report)
    findings = texts.ranked(report.findings)
    day = texts.common_day(report)
    sheets = [
        finding_sheet(report, finding, place, colours, borders, day)
        for place, finding in enumerate(findings[:DETAILED], 1)
    ]
    body = tag(
        "body", patterns(colours.values(), WIDTH, HEIGHT), _header(report, day),
        _compared(report), _overview(report, findings, colours, borders),
        _index(findings, colours, day), gap_section(report, day), _left_out(report),
        _footer(report, borders), *sheets,
    )  # fmt: skip
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", text(f"keepclear: {texts.counts_text(report)} {texts.among_text(report)}")),
        tag("style", Markup(CSS)),
    )  # fmt: skip
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _header(report: Report, day: str | None) -> Markup:
    counts = {Verdict(name): n for name, n in report.counts.items() if n}
    shown = [tag("div", badge(verdict, n), class_="verdict") for verdict, n in counts.items()]
    meaning = [
        tag("p", tag("b", text(verdict)), text(f": {texts.MEANING[verdict]}."), class_="small")
        for verdict in counts
    ]
    if not shown:
        shown = [tag("div", text("None found"), class_="verdict")]
    gaps = tag("p", text(texts.gaps_text(report)), class_="words") if report.unknown else NOTHING
    days = tag("p", text(f"All times are UTC, on {day}.")) if day else NOTHING
    among = tag("p", text(f"{texts.among_text(report)}."), class_="among")
    limits = tag("p", text(texts.NOT_LOOKED_AT))
    title = tag("h1", text("keepclear check"))
    return tag("header", title, *shown, among, gaps, *meaning, limits, days)


def _compared(report: Report) -> Markup:
    rules = report.rules
    first, *others = texts.rules_lines(report)
    lines = [("Rules", first), *(("", line) for line in others)]
    lines += [
        (f"{rule.id} says" if others else "It says", rule.text) for rule in rules.rules if rule.text
    ]
    lines += [("Source", rules.source)] if rules.source else []
    lines += [("Note", rules.note)] if rules.note else []
    assumed, of_files = texts.notes_of(report)
    joint = (("Assumed", " ".join(assumed)), ("Files", ", ".join(report.files)))
    lines += [(name, said) for name, said in joint if said]
    lines += [("Read" if i == 0 else "", line) for i, line in enumerate(of_files)]
    rows = [tag("tr", tag("th", text(name), scope="row"), tag("td", text(value)))
            for name, value in lines]  # fmt: skip
    return tag("section", tag("table", tag("tbody", *rows)))


def _overview(
    report: Report, findings: Sequence[Finding], colours: Mapping[str, str],
    borders: Borders | None,
) -> Markup:  # fmt: skip
    sides = [sides_of(report, finding, colours) for finding in findings[:DETAILED]]
    drawn = overview_map(findings, sides, DETAILED, borders) if len(findings) > 1 else None
    if drawn is None:
        return NOTHING
    return tag("section", tag("h3", text("Where")), drawn, class_="overview")


def _index(findings: Sequence[Finding], colours: Mapping[str, str], day: str | None) -> Markup:
    if not findings:
        return NOTHING
    names = ("", "verdict", "starts", "plans (party)", "closest", "height then", "short by")
    head = tag("tr", *(tag("th", text(name), scope="col") for name in names))
    rows = [_row(place, finding, colours, day) for place, finding in enumerate(findings, 1)]
    said = NOTHING
    if (more := len(findings) - DETAILED) > 0:
        words = (
            f"The first {DETAILED} have a sheet of their own below. "
            f"The other {more:,} are in this index only; --format json has all of each."
        )
        said = tag("p", text(words), class_="words")
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("section", tag("h3", text("Findings, worst first, then soonest")), said, table)


def _row(place: int, finding: Finding, colours: Mapping[str, str], day: str | None) -> Markup:
    cpa = finding.cpa
    number = text(f"{place}")
    linked = tag("a", number, href=f"#finding-{place}") if place <= DETAILED else number
    vertical = texts.vertical_text(cpa.vertical_m) if cpa and cpa.vertical_m is not None else "?"
    if len(colours) == 1:  # one party only: the sheets name it
        pair = text(f"A {texts.shortened(finding.a, 20)} – B {texts.shortened(finding.b, 20)}")
    else:
        pair = joined([plan_words(finding, i, colours, 24) for i in (0, 1)], tag("br"))
    return tag(
        "tr", tag("td", linked, class_="n"), tag("td", badge(finding.verdict)),
        tag("td", text(texts.start_text(finding, day)), class_="t"),
        tag("td", pair),
        tag("td", text(texts.lateral_text(cpa.lateral_m) if cpa else "?"), class_="t"),
        tag("td", text(vertical), class_="t"), tag("td", text(texts.short_by_text(finding) or "?")),
    )  # fmt: skip


def gap_section(report: Report, day: str | None) -> Markup:
    """Return the gaps as a table; nothing where there are none."""
    if not report.unknown:
        return NOTHING
    rows = [
        tag("tr", tag("td", text(texts.shortened(gap.plan, 60))),
            tag("td", text(texts.time_text(gap.start_us, day)), class_="t"),
            tag("td", text(texts.time_text(gap.end_us, day)), class_="t"), tag("td", text(gap.why)))
        for gap in report.unknown[:GAPS_AT_MOST]
    ]  # fmt: skip
    head = tag("tr", *(tag("th", text(n), scope="col") for n in ("plan", "from", "to", "why")))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    said = tag("p", text(texts.gaps_text(report)))
    more = _and_more(len(report.unknown) - GAPS_AT_MOST)
    return tag("section", tag("h3", text("Not known")), said, table, more)


def _left_out(report: Report) -> Markup:
    if not report.left_out:
        return NOTHING
    lines = [tag("p", text(line), class_="small") for line in report.left_out[:LEFT_OUT_AT_MOST]]
    title = f"Left out by --lenient, so not compared ({texts.faults_left_out_text(report)})"
    more = _and_more(len(report.left_out) - LEFT_OUT_AT_MOST)
    return tag("section", tag("h3", text(title)), *lines, more)


def _and_more(more: int) -> Markup:
    if more <= 0:
        return NOTHING
    return tag("p", text(f"… and {more:,} more: --format json has all."))


def _footer(report: Report, borders: Borders | None) -> Markup:
    drawn = MAP_WORDS if borders else "No borders are drawn."
    lines = (texts.NO_NOTICE, drawn, f"keepclear, kernel {report.kernel}.")
    return tag("footer", *(tag("p", text(line), class_="small") for line in lines))
