# SPDX-License-Identifier: Apache-2.0
"""What another version would change, in words; the same in the table and on the page.

1. "0 new among what you may see": whatever was not shown was not looked at, and that is said.
2. Who acts is never said from files: they have no place in the record. Only that the clause
   differs is.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from keepclear.checks.effect import Broken, ClauseUsed, Effect, Kind
from keepclear.checks.versions import EffectReport, Version
from keepclear.reports import texts
from keepclear.reports.agreement_text import decides_text
from keepclear.reports.record_text import grouped

MEANING: Final = {
    Kind.APPEARS: "found under the version after, not under the one before",
    Kind.DISAPPEARS: "found under the version before, not under the one after",
    Kind.CHANGES: "found under both, with another verdict, interval, leaf or margin, or another "
    "clause about who acts",
    Kind.SAME: "found under both alike",
    Kind.UNDETERMINED: "cannot be decided under one version or both; counts as worse",
}
NOT_SHOWN: Final = (
    "What others have not shown you is not in these files: what the version after does there is "
    "not in this answer."
)


def counts_text(report: EffectReport) -> str:
    """Return 1 APPEARS, 0 DISAPPEARS, 2 CHANGES, 3 SAME, 0 UNDETERMINED."""
    return ", ".join(f"{n:,} {kind}" for kind, n in report.counts.items())


def new_text(report: EffectReport) -> str:
    """Return how many are new and worse, and among what: 0 new among what you may see: 2 plans."""
    worse = sum(e.is_worse and e.kind is Kind.CHANGES for e in report.effects)
    counted = ((worse, "worse"), (report.counts[Kind.UNDETERMINED], "undetermined"))
    parts = [f"{report.counts[Kind.APPEARS]:,} new", *(f"{n:,} {word}" for n, word in counted if n)]
    said = _listed(parts)
    among = texts.among_text(report.checked).removeprefix("among ")
    whose = f", {report.own}'s with others" if report.own else ""
    return texts.printable(f"{said} among what you may see: {among}{whose}.")


def kind_text(effect: Effect) -> str:
    """Return CHANGES, worse."""
    return f"{effect.kind}, worse" if is_worse_change(effect) else effect.kind.value


def is_worse_change(effect: Effect) -> bool:
    """Tell whether a finding that changes has to be told from one that changes for the better."""
    return effect.kind is Kind.CHANGES and effect.is_worse


def changed_text(effect: Effect) -> str:
    """Return what differs: interval and margin; for UNDETERMINED also where it is found."""
    if effect.kind is Kind.UNDETERMINED and not effect.changed:
        if effect.before is not None and effect.after is not None:
            return "under both alike"
        return f"only under the version {'after' if effect.before is None else 'before'}"
    return _listed(effect.changed)


def compared(
    report: EffectReport, effect: Effect, day: str | None
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield a name and what each side says under it: once, without a side, where they agree."""
    both, parties = (effect.before, effect.after), effect.shown.finding.parties
    for name, said in (("verdict", _verdict), ("interval", _interval), ("closest", _closest)):
        before, after = (None if one is None else said(one, day) for one in both)
        yield name, _sides(before, after)
    before, after = (
        not_broken_text(report, version, parties) if one is None else broken_text(one)
        for one, version in zip(both, (report.before, report.after), strict=True)
    )
    yield "rule", _sides(before, after)
    yield "margin", _sides(*margins_text(effect))


def _sides(before: str | None, after: str | None) -> tuple[tuple[str, str], ...]:
    if before is None or after is None or before == after:
        return (("", after or before or ""),)
    return (("before", before), ("after", after))


def _verdict(broken: Broken, _day: str | None) -> str:
    reason = texts.printable(broken.finding.reason)
    return f"{broken.finding.verdict}: {reason}" if reason else broken.finding.verdict.value


def _interval(broken: Broken, day: str | None) -> str:
    return texts.intervals_text(broken.finding.intervals, day)


def _closest(broken: Broken, day: str | None) -> str:
    cpa = broken.finding.cpa
    if cpa is None:
        return "cannot be told"
    where = texts.position_text(cpa.latitude_deg, cpa.longitude_deg)
    return f"{texts.time_text(cpa.time_us, day)} at {where}: {texts.apart_text(broken.finding)}"


def broken_text(broken: Broken) -> str:
    """Return the clause and the rule that are broken: clause 3, 5 NM or 1000 ft."""
    return f"{_named(broken.clause)}, {texts.minimum_text(broken.finding, broken.clause.rules)}"


def not_broken_text(report: EffectReport, version: Version, parties: tuple[str, str]) -> str:
    """Return the clauses that bind two parties: clause 3, 5 NM or 1000 ft; clause 4, 1 NM."""
    clauses = version.clauses if version.binds(parties) else (report.house,)
    return "; ".join(f"{_named(each)}, {texts.printable(each.rules.text)}" for each in clauses)


def besides_text(effect: Effect) -> str:
    """Return what the pair breaks under the other version at that time; "" for nothing."""
    if not effect.besides:
        return ""
    listed = "; ".join(broken_text(each) for each in effect.besides)
    other = "after" if effect.after is None else "before"
    return f"under the version {other} the pair breaks {listed}"


def margins_text(effect: Effect) -> tuple[str, str]:
    """Return the margin of both sides; where nothing is found, whether another clause is broken."""
    others = ", ".join(_named(each.clause) for each in effect.besides)
    none = f"{others} broken" if others else "not broken"
    both = (effect.before, effect.after)
    before, after = (none if one is None else _margin(one) for one in both)
    return before, after


def _margin(broken: Broken) -> str:
    finding = broken.finding
    said = texts.margin_text(finding.margin_m, finding.leaf)
    if finding.short_by_s is None:
        return said
    return f"{said}, short by {finding.short_by_s:,.1f} s"


def version_text(version: Version) -> str:
    """Return which document it is: mou.agreement: mou, version 2."""
    return texts.printable(f"{version.file}: {version.id}, version {version.version}")


def version_lines(report: EffectReport, version: Version) -> Iterator[str]:
    """Yield a version's hash, and what its separation clauses ask or the house rule in stead."""
    yield f"hash {grouped(version.hash)}"
    for clause in version.clauses:
        yield f"{_named(clause)}, {texts.printable(clause.rules.text)}"
    if not version.clauses:
        yield f"no separation clause: the house rule, {report.house.rules.text}"


def acts_lines(report: EffectReport) -> Iterator[str]:
    """Yield what the clauses about who acts say, where they differ."""
    if report.before.who_acts == report.after.who_acts:
        return
    for name, version in (("before", report.before), ("after", report.after)):
        said = "; ".join(decides_text(each) for each in version.who_acts) or "no clause"
        yield f"Who acts, {name}: {texts.printable(said)}."
    yield "Files have no place in the record, so who acts in a conflict is not told here."


def unbound_text(report: EffectReport) -> str:
    """Return which parties are under the house rule in both; "" for none."""
    if not report.unbound:
        return ""
    listed = ", ".join(f"{a} and {b}" for a, b in report.unbound)
    rule = report.house.rules.text
    return texts.printable(f"Bound by neither version, so under the house rule ({rule}): {listed}.")


def _listed(parts: Sequence[str]) -> str:
    """Return a, b and c."""
    *most, last = parts or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def _named(clause: ClauseUsed) -> str:
    return f"clause {clause.id}" if clause.id else "house rule"
