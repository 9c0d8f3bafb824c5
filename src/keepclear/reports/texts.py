# SPDX-License-Identifier: Apache-2.0
"""How a number, a time, a place and a finding are said, the same in every output.

1. Distances that lie between two craft are rounded down and shortfalls up: 4.998 NM is never
   said as 5 NM where 5 NM was the minimum. Intervals are rounded outward.
2. Every number carries its unit and every time its Z.
3. Text from files goes through `printable`: no control character reaches a terminal or a page.
4. Nothing found is "none found among N plans"; the answer never says that there is nothing.

    >>> lateral_text(3889.2), vertical_text(91.44), position_text(34.1032, 35.2217)
    ('2.1 NM', '300 ft', '34.1032N 035.2217E')
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

from keepclear.agreement.findings import Finding, Interval, Verdict
from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.volumes import Volume3D
from keepclear.checks.report import Report, RulesUsed, RuleUsed
from keepclear.reports.printable import printable as printable  # noqa: PLC0414 all use it from here
from keepclear.units import US_PER_S, feet, format_clock, format_time, nautical_miles

NOT_LOOKED_AT: Final = "Plans that are not in these files were not looked at."
# Which every answer carries (definitions: "Every notice, answer and printed sheet").
NO_NOTICE: Final = "Absence of notification implies nothing and changes no legal protection."
MEANING: Final = {
    Verdict.CONFLICT: "at some compared instant the rule is broken",
    Verdict.UNDETERMINED: "cannot be decided; counts as a conflict",
    Verdict.BOUNDARY: "so near the minimum that it cannot be told; counts as a conflict",
    Verdict.LIMITED: "inside the minima, but not for longer than the rule allows",
}
LATERAL_IN_METRES_BELOW_NM: Final = 0.1
WHOLE_MILES_FROM_NM: Final = 100
RULE_AT_MOST: Final = 40
TENTHS_BELOW_US: Final = 10 * US_PER_S
_RANK: Final = {verdict: i for i, verdict in enumerate(Verdict)}
_ROUNDING: Final = 1e-6  # a floor that is not upset by 2.0999999


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, worst verdict first, then soonest, then by id."""
    return sorted(findings, key=lambda f: (_RANK[f.verdict], start_us(f), f.id))


def start_us(finding: Finding) -> int:
    """Return the first instant of a finding; that of its closest point where it has no interval."""
    if finding.intervals:
        return finding.intervals[0].start_us
    return finding.cpa.time_us if finding.cpa else 0


def shortened(text: str, most: int) -> str:
    """Return printable text of at most `most` characters; an ellipsis stands for the rest."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def position_text(latitude_deg: float, longitude_deg: float) -> str:
    """Return a place as 34.1032N 035.2217E."""
    latitude_deg, longitude_deg = round(latitude_deg, 4), round(longitude_deg, 4)
    north, east = "S" if latitude_deg < 0 else "N", "W" if longitude_deg < 0 else "E"
    return f"{abs(latitude_deg):07.4f}{north} {abs(longitude_deg):08.4f}{east}"


def lateral_text(length_m: float) -> str:
    """Return a distance between two craft, rounded down, in NM; below 0.1 NM in metres."""
    return _lateral(length_m, math.floor, -_ROUNDING)


def vertical_text(height_m: float) -> str:
    """Return a difference of height between two craft, rounded down, in feet."""
    return f"{math.floor(feet(height_m) + _ROUNDING):,} ft"


def apart_text(finding: Finding) -> str:
    """Return how far apart the two are at the closest point: 2.1 NM and 300 ft apart."""
    cpa = finding.cpa
    if cpa is None:
        return "cannot be told"
    lateral = lateral_text(cpa.lateral_m)
    if cpa.vertical_m is None:
        return f"{lateral} apart, heights cannot be compared"
    return f"{lateral} and {vertical_text(cpa.vertical_m)} apart"


def short_by_text(finding: Finding) -> str:
    """Return by how much the minimum is missed, rounded up; "" where it is not known."""
    parts = []
    if finding.short_by_m is not None:
        way = "vertically" if is_vertical(finding.leaf) else "laterally"
        parts.append(f"{_shortfall(finding.short_by_m, finding.leaf)} {way}")
    if finding.short_by_s is not None:
        parts.append(f"{duration_text(round(finding.short_by_s * US_PER_S))} in time")
    return " and ".join(parts)


def margin_text(margin_m: float | None, leaf: str) -> str:
    """Return a margin with its sign, in the unit of its leaf; below zero the minimum is missed."""
    if margin_m is None or not math.isfinite(margin_m):
        return "cannot be known"
    if margin_m < 0:
        return "−" + _shortfall(-margin_m, leaf)
    return "+" + (vertical_text(margin_m) if is_vertical(leaf) else lateral_text(margin_m))


def is_vertical(leaf: str) -> bool:
    """Tell whether a leaf is a difference of height, by its path ("any/vertical") or words."""
    last = leaf.rsplit("/", 1)[-1].lower()
    if last.startswith(("lateral", "vertical")):
        return last.startswith("vertical")
    return re.search(r"\d\s*(ft|feet)\b", last) is not None


def duration_text(duration_us: int) -> str:
    """Return a duration to the second: 1 h 2 min 5 s; below 10 s to a tenth."""
    if 0 < duration_us < TENTHS_BELOW_US:
        return f"{math.ceil(duration_us / (US_PER_S // 10)) / 10:.1f} s"
    minutes, seconds = divmod(-(-duration_us // US_PER_S), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"


def day_text(time_us: int) -> str:
    """Return the UTC day of an instant: 2015-09-30."""
    return format_time(time_us)[:10]


def common_day(report: Report) -> str | None:
    """Return the one UTC day that all of the findings and gaps lie on; None where they do not."""
    days = {
        day_text(time_us)
        for f in report.findings
        for one in (*f.intervals, *f.intervals_a, *f.intervals_b)
        for time_us in (one.start_us, one.end_us)
    }
    days |= {day_text(f.cpa.time_us) for f in report.findings if f.cpa}
    days |= {day_text(time_us) for gap in report.unknown for time_us in (gap.start_us, gap.end_us)}
    return days.pop() if len(days) == 1 else None


def time_text(time_us: int, day: str | None = None) -> str:
    """Return a time of day, 10:14:05Z, with its day in front unless that is `day`."""
    shown, on = format_clock(time_us), day_text(time_us + US_PER_S // 2)  # rounded alike
    return shown if on == day else f"{on} {shown}"


def start_text(finding: Finding, day: str | None = None) -> str:
    """Return when a finding starts, rounded down to the second."""
    return time_text(start_us(finding) // US_PER_S * US_PER_S, day)


def interval_text(interval: Interval, day: str | None = None) -> str:
    """Return an interval, rounded outward: 10:14:05Z to 10:15:37Z; short ones to a tenth."""
    start, end = interval.start_us, interval.end_us
    if start == end:
        return f"at {time_text(start, day)}"
    if end - start < TENTHS_BELOW_US:
        tenth = US_PER_S // 10
        start, end = start // tenth * tenth, -(-end // tenth) * tenth
        return f"{_tenths(start, day)} to {_tenths(end, day_text(start))}"
    start, end = start // US_PER_S * US_PER_S, -(-end // US_PER_S) * US_PER_S
    return f"{time_text(start, day)} to {time_text(end, day_text(start))}"


def intervals_text(intervals: Sequence[Interval], day: str | None = None) -> str:
    """Return the first interval, and how many follow and until when."""
    if not intervals:
        return "at no time that can be told"
    first = interval_text(intervals[0], day)
    if len(intervals) == 1:
        return first
    last = time_text(-(-intervals[-1].end_us // US_PER_S) * US_PER_S, day)
    more = len(intervals) - 1
    return f"{first}, and {more} more {'time' if more == 1 else 'times'} until {last}"


def total_us(intervals: Sequence[Interval]) -> int:
    """Return how long the intervals last together."""
    return sum(one.end_us - one.start_us for one in intervals)


def sides_text(finding: Finding, most: int = 40) -> str:
    """Return who meets whom: N101 (north) and S88 (south)."""
    named = zip((finding.a, finding.b), finding.parties, strict=True)
    return " and ".join(f"{shortened(n, most)} ({shortened(p, most)})" for n, p in named)


def rule_text(finding: Finding, rules: RulesUsed) -> str:
    """Return the rule and by how much it is missed: 5 NM or 1000 ft: short by 700 ft vertically."""
    short = short_by_text(finding)
    return minimum_text(finding, rules) + (f": short by {short}" if short else "")


def minimum_text(finding: Finding, rules: RulesUsed) -> str:
    """Return what the broken rule asks for: 5 NM or 1000 ft.

    Where there are several, its name stands in front, and whom it binds behind; where the only
    one takes a long text, its name stands for it.
    """
    rule = broken_rule(finding, rules)
    if rule is None:
        return printable(rules.text if not rules.rules else finding.rule)
    if len(rules.rules) > 1:
        return rule_words(rule)
    return printable(rule.asks if len(rule.asks) <= RULE_AT_MOST else finding.rule)


def broken_rule(finding: Finding, rules: RulesUsed) -> RuleUsed | None:
    """Return the rule that a finding names; None where it is not among the rules."""
    return next((rule for rule in rules.rules if rule.id == finding.rule), None)


def rule_words(rule: RuleUsed) -> str:
    """Return a rule with its name: west: 10 NM or 2000 ft, where one or both are in zone a."""
    return printable(f"{rule.id}: {rule.asks}" + (f", {rule.binds}" if rule.binds else ""))


def clause_text(finding: Finding, rules: RulesUsed) -> str:
    """Return the broken rule's own text; "" where it has none."""
    rule = broken_rule(finding, rules)
    return printable(rule.text) if rule else ""


def counts_text(report: Report) -> str:
    """Return the verdicts counted: 2 CONFLICT, 1 LIMITED; "None found" where there are none."""
    counted = [f"{n} {verdict}" for verdict, n in report.counts.items() if n]
    return ", ".join(counted) or "None found"


def among_text(report: Report) -> str:
    """Return what was compared: among 2 plans (1 pair); and that something was left out."""
    among = f"among {_plural(report.plans, 'plan')} ({_plural(report.pairs, 'pair')})"
    if not report.left_out:
        return among
    return f"{among}, without what --lenient left out ({faults_left_out_text(report)})"


def faults_left_out_text(report: Report) -> str:
    """Return how many faults were left out: 2 faults."""
    return _plural(report.faults_left_out, "fault")


def band_text(volume: Volume3D) -> str:
    """Return the heights of a volume: FL100 to FL200, FL100 and above, up to FL200."""
    match volume.lower, volume.upper:
        case None, None:
            return "every height"
        case Altitude() as lower, None:
            return f"{lower.text()} and above"
        case None, Altitude() as upper:
            return f"up to {upper.text()}"
        case Altitude() as lower, Altitude() as upper:
            return f"{lower.text()} to {upper.text()}"
    raise AssertionError(volume)


def notes_of(report: Report) -> tuple[list[str], list[str]]:
    """Return what was assumed, and what the readers say of files, as printable sentences."""
    of_files = [note for note in report.notes if note.startswith(report.files)]
    assumed = [note for note in report.notes if note not in of_files]
    return [printable(note) for note in assumed], [printable(note) for note in of_files]


def gaps_text(report: Report) -> str:
    """Return how many gaps there are, in a sentence; "" where there are none."""
    if not report.unknown:
        return ""
    gaps = _plural(len(report.unknown), "gap")
    return f"{gaps} in which nothing is known and nothing was compared."


def rules_text(report: Report) -> str:
    """Return the rules that were used in one line, and whether somebody chose them."""
    first, *others = rules_lines(report)
    return f"{first}: {'; '.join(others)}" if others else first


def rules_lines(report: Report) -> list[str]:
    """Return the rules that were used: in one line, or a name and then one line a rule."""
    rules = report.rules
    if len(rules.rules) > 1:
        return [printable(rules.name), *map(rule_words, rules.rules)]
    chosen = " (the default: no --rules were given)" if rules.was_default else ""
    named = "" if rules.name == rules.text else f"{printable(rules.name)}: "
    return [f"{named}{printable(rules.text)}{chosen}"]


def has_own_clocks(finding: Finding) -> bool:
    """Tell whether a plan's own clock shows other times than the clock."""
    return not finding.intervals == finding.intervals_a == finding.intervals_b


def _plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _shortfall(length_m: float, leaf: str) -> str:
    if is_vertical(leaf):
        return f"{math.ceil(feet(length_m) - _ROUNDING):,} ft"
    return _lateral(length_m, math.ceil, _ROUNDING)


def _lateral(length_m: float, to_whole: Callable[[float], int], slack: float) -> str:
    miles = nautical_miles(length_m)
    if miles < LATERAL_IN_METRES_BELOW_NM:
        tenths = to_whole(length_m * 10 - slack) / 10
        return f"{tenths:.1f} m" if 0 < tenths < 10 else f"{to_whole(length_m - slack):,} m"
    if miles >= WHOLE_MILES_FROM_NM:
        return f"{to_whole(miles - slack):,} NM"
    return f"{to_whole(miles * 100 - slack) / 100:.2f}".removesuffix("0") + " NM"


def _tenths(time_us: int, day: str | None) -> str:
    clock = format_time(time_us)
    shown = clock[11:21] + "Z"
    return shown if clock[:10] == day else f"{clock[:10]} {shown}"
