# SPDX-License-Identifier: Apache-2.0
"""One finding as one sheet of the page: headline, map, time axis, heights, numbers."""

from collections.abc import Iterator, Mapping
from typing import Final

from keepclear.agreement.findings import Finding, Verdict
from keepclear.airspace.borders import Borders
from keepclear.checks.report import Report, RulesUsed
from keepclear.reports import texts
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text
from keepclear.reports.sides import Side, sides_of
from keepclear.reports.svg_map import finding_map
from keepclear.reports.svg_profile import altitude_profile
from keepclear.reports.svg_time import LEFT, RIGHT, time_axis
from keepclear.reports.time_scale import scale_of

NAME_AT_MOST: Final = 60
LISTED_INTERVALS: Final = 6


def finding_sheet(
    report: Report, finding: Finding, place: int, colours: Mapping[str, str],
    borders: Borders | None, day: str | None,
) -> Markup:  # fmt: skip
    """Return the sheet; `place` is its number in the index."""
    sides = sides_of(report, finding, colours)
    drawn = finding_map(finding, sides, borders)
    picture = drawn or tag("p", text("No place is known, so there is no map."), class_="words")
    return tag(
        "section", _headline(finding, place, colours, day), _rule(finding, report.rules),
        picture, side_key(sides, finding.verdict), *_in_time(report, finding, sides),
        _numbers(finding, report.rules, day),
        tag("p", text(texts.NO_NOTICE), class_="small"),
        class_="finding long" if _is_long(finding, report.rules) else "finding",
        id=f"finding-{place}",
    )  # fmt: skip


def _is_long(finding: Finding, rules: RulesUsed) -> bool:
    """Tell whether a sheet has so many words that its map must be smaller to fit on A4."""
    return texts.has_own_clocks(finding) or bool(texts.clause_text(finding, rules))


def badge(verdict: Verdict, n: int | None = None) -> Markup:
    """Return a verdict as a word in a frame of its own kind, with a number before."""
    counted = "" if n is None else f"{n:,} "
    return tag("span", text(f"{counted}{verdict}"), class_=f"badge {verdict}")


def plan_words(
    finding: Finding, which: int, colours: Mapping[str, str], most: int = NAME_AT_MOST
) -> Markup:
    """Return a plan's name in the colour of its party, and the party's name."""
    name, party = (finding.a, finding.b)[which], finding.parties[which]
    shown = tag("bdi", text(f"{'AB'[which]} {texts.shortened(name, most)}"), class_="side",
                style=f"color:{colours[party]}")  # fmt: skip
    return joined([shown, text(" ("), tag("bdi", text(texts.shortened(party, most))), text(")")])


def _headline(finding: Finding, place: int, colours: Mapping[str, str], day: str | None) -> Markup:
    pair = joined([plan_words(finding, 0, colours), plan_words(finding, 1, colours)], text(" and "))
    title = tag("h2", badge(finding.verdict), text(f"Finding {place}"), tag("br"), pair)
    when = texts.intervals_text(finding.intervals)  # with its day: a sheet may be read alone
    lasts = texts.total_us(finding.intervals)
    span = f"{when} ({texts.duration_text(lasts)})" if lasts else when
    lines = [tag("p", tag("b", text(span)), class_="lead")]
    if cpa := finding.cpa:
        at = texts.time_text(cpa.time_us, day)
        where = texts.position_text(cpa.latitude_deg, cpa.longitude_deg)
        lines.append(tag("p", text("Closest: "), tag("b", text(texts.apart_text(finding))),
                         text(f", {at} at "), tag("bdi", text(where), class_="time"),
                         class_="lead"))  # fmt: skip
    if short := texts.short_by_text(finding):
        lines.append(
            tag(
                "p",
                text("Short by "),
                tag("b", text(short)),
                text(" at the worst moment."),
                class_="lead",
            )
        )
    if finding.reason:
        lines.append(tag("p", text(f"Why: {finding.reason}"), class_="lead"))
    return joined([title, *lines])


def _rule(finding: Finding, rules: RulesUsed) -> Markup:
    """Return the broken rule and its own words, where the reader would not know which it is."""
    lines = []
    if len(rules.rules) > 1:
        lines.append(tag("p", text(f"Rule {texts.minimum_text(finding, rules)}."), class_="words"))
    if clause := texts.clause_text(finding, rules):
        lines.append(tag("p", text(f"It says: {clause}")))
    return joined(lines)


def side_key(sides: tuple[Side, Side], verdict: Verdict) -> Markup:
    """Return what the lines of a map stand for."""
    parts = []
    for side in sides:
        line = tag("line", x1=0, x2=46, y1=5, y2=5, stroke=side.colour, stroke_width=4,
                   stroke_dasharray=side.dash and "12 5")  # fmt: skip
        words = (
            f"{side.letter} {texts.shortened(side.name, 30)} ({texts.shortened(side.party, 30)})"
        )
        drawn = tag("svg", line, viewBox="0 0 46 10", class_="inline", aria_hidden="true")
        parts.append(tag("span", drawn, text(words), class_="side-key"))
    rest = text(f"Thick: {verdict}. Arrows carry the time. Black: closest point.")
    return tag("p", *parts, rest, class_="small")


def _in_time(report: Report, finding: Finding, sides: tuple[Side, Side]) -> Iterator[Markup]:
    scale = scale_of(finding, LEFT, RIGHT)
    if scale is None:
        yield tag("p", text("No time is known, so there is no time axis."), class_="words")
        return
    yield tag("h3", text("When (UTC)"))
    if texts.has_own_clocks(finding):
        words = ("The plans may run early or late: the first row is the clock, the other two are "
                 "each plan's own times.")  # fmt: skip
        yield tag("p", text(words), class_="small")
    yield time_axis(finding, sides, report.unknown, scale)
    yield tag("h3", text("How high"))
    yield altitude_profile(finding, sides, scale)


def _numbers(finding: Finding, rules: RulesUsed, day: str | None) -> Markup:
    rows = [
        tag("div", tag("dt", text(name)), tag("dd", text(value)))
        for name, value in _named_numbers(finding, rules, day)
    ]
    return tag("dl", *rows, class_="numbers") if rows else NOTHING


def _named_numbers(
    finding: Finding, rules: RulesUsed, day: str | None
) -> Iterator[tuple[str, str]]:
    if cpa := finding.cpa:
        yield "lateral", f"{texts.lateral_text(cpa.lateral_m)} ({cpa.lateral_m:,.1f} m)"
        if cpa.vertical_m is None:
            yield "vertical", "cannot be compared"
        else:
            yield "vertical", f"{texts.vertical_text(cpa.vertical_m)} ({cpa.vertical_m:,.1f} m)"
    if len(rules.rules) < 2:  # else it stands under the headline
        yield "rule", texts.minimum_text(finding, rules)
    yield "leaf", finding.leaf
    yield "short by", texts.short_by_text(finding) or "cannot be known"
    yield "margin with uncertainty", texts.margin_text(finding.margin_m, finding.leaf)
    without = finding.margin_without_uncertainty_m
    yield "margin without", texts.margin_text(without, finding.leaf)
    yield "lasts", texts.duration_text(texts.total_us(finding.intervals))
    yield from _named_intervals(finding, day)
    yield "finding", finding.id


def _named_intervals(finding: Finding, day: str | None) -> Iterator[tuple[str, str]]:
    clocks = [("intervals", finding.intervals)]
    if texts.has_own_clocks(finding):
        a, b = texts.shortened(finding.a, 20), texts.shortened(finding.b, 20)
        clocks += [(f"clock of {a}", finding.intervals_a), (f"clock of {b}", finding.intervals_b)]
    for name, intervals in clocks:
        shown = [texts.interval_text(one, day) for one in intervals[:LISTED_INTERVALS]]
        if (more := len(intervals) - LISTED_INTERVALS) > 0:
            shown.append(f"and {more:,} more")
        yield name, "; ".join(shown) or "none can be told"
