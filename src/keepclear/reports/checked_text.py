# SPDX-License-Identifier: Apache-2.0
"""What a plan would meet, and what answers cover, as a post reads it in a terminal."""

from collections.abc import Iterator, Mapping
from typing import Final

from keepclear.agreement.binding import Answers
from keepclear.agreement.findings import Verdict
from keepclear.exchange.checking import Checked, How, Met
from keepclear.exchange.coverage import AgreementSaid, AnswersFor, ForceSaid
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.printable import printable
from keepclear.reports.stop_text import area_rows
from keepclear.reports.told_text import breaks_text
from keepclear.units import US_PER_S, format_time

SHORT: Final = 8
LABEL: Final = 12
SEEN_AS: Final[Mapping[How, str]] = {
    How.OWN: "whole, as it is your own",
    How.WHOLE: "whole, as it was shown to you",
    How.ROUNDED: "as it was shown to you, rounded outward",
    How.PARTLY: "as it was shown to you; what was not shown is taken as any height, any time",
    How.UNSEEN: "not at all: no place of it was shown to you, so it may be anywhere",
}


def checked_text(found: Checked) -> str:
    """Return what a plan would meet: the worst first said, and at the end what that is not."""
    lines = [f"WOULD BE REFUSED: {printable(each)}" for each in found.refused]
    if found.late_us:
        lines.append(f"WOULD BE LATE by {-(-found.late_us // US_PER_S):,} s, filed now")
    day = day_of(found.at_us)
    for area in found.keep_out:
        rows = (_row(label, said) for label, said in area_rows(area, day))
        lines += ["MUST KEEP OUT: a STOP that you were told of", *rows, ""]
    for each in found.found:
        lines += [*_met(each, day), ""]
    if found.more:
        lines.append(f"and {found.more:,} more")
    sure = sum(each.verdict not in {Verdict.UNDETERMINED, Verdict.LIMITED} for each in found.found)
    unsure = sum(each.verdict is Verdict.UNDETERMINED for each in found.found)
    lines.append(
        f"{_keep_out(len(found.keep_out))}{sure:,} found in conflict and {unsure:,} of which too "
        f"little was shown, among what you know at {format_time(found.at_us)[:19]}Z"
    )
    return "\n".join([*lines, found.says]) + "\n"


def _keep_out(count: int) -> str:
    return f"must keep out of {count:,} area{'' if count == 1 else 's'}; " if count else ""


def _met(met: Met, day: str) -> Iterator[str]:
    whose = "your own " if met.compared is How.OWN else ""
    of = "" if met.compared is How.OWN else f" of {met.party}"
    yield f"{met.verdict} with {whose}{met.operation[:SHORT]}{of}"
    for number, each in enumerate(met.broken):
        yield _row("breaks" if not number else f"breaks {number + 1}", breaks_text(each, day))
    if met.limits:
        clauses = [f"clause {each.clause}" if each.clause else "the house rule"
                   for each in met.limits]  # fmt: skip
        yield _row("within", f"the minima of {listed(clauses)}, for no longer than that allows")
    yield _row("compared", SEEN_AS[met.compared])
    if met.conflict:
        yield _row("shown in", f"conflict {met.conflict[:SHORT]} of your {met.own[:SHORT]}")
        if not met.is_told:
            yield _row("stale", "that conflict is settled; it may be elsewhere by now, or over")
    elif met.own:
        yield _row("known by", f"being LIMITED with your {met.own[:SHORT]} when that was filed")


def coverage_text(found: AnswersFor) -> str:
    """Return what answers cover now, and who answers for whom."""
    lines = [f"region {found.region}, {format_time(found.at_us)[:19]}Z", "", "covered:"]
    lines += [f"  {each}" for each in found.covers]
    lines += ["", "not covered:", *(f"  {each}" for each in found.leaves_out), ""]
    lines.append(f"parties: {', '.join(found.parties)}")
    for each in found.agreements:
        lines.append(_agreement(each))
    if found.by_house_rule:
        lines.append(f"by the house rule, {found.house}: {', '.join(found.by_house_rule)}")
    lines += [_force(each) for each in found.forces]
    return "\n".join([*lines, "", found.says]) + "\n"


def _agreement(said: AgreementSaid) -> str:
    until = format_time(said.until_us)[:19]
    holds = f"clauses {', '.join(said.clauses)} hold" if said.clauses else "no clause of it holds"
    return (
        f"agreement {said.hash[:SHORT]}, {said.id} version {said.version}, of "
        f"{listed([*said.parties])}: {said.state}, until {until}Z; {holds}"
    )


def _force(said: ForceSaid) -> str:
    force = printable(said.force)
    match said.answer:
        case Answers.ANSWERED:
            return f"{said.party} answers for {force}"
        case Answers.DENIED:
            at = format_time(said.at_us or 0)[:19]
            return f"nobody answers for {force}: denied by {said.party} at {at}Z"
        case _:
            return f"nobody answers for {force}"


def _row(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"
