# SPDX-License-Identifier: Apache-2.0
"""What an archive amounts to when it is decided again, verdict first, as it reads on a terminal."""

from typing import Final

from keepclear.agreement.separation import describe_rules
from keepclear.detect.kernel import KERNEL
from keepclear.exchange.audit import Audited
from keepclear.reports.texts import printable
from keepclear.units import format_time

LISTED_AT_MOST: Final = 200
# docs/after-action.md says it in more words.
NOT_SAID: Final = (
    "Not decided again: how agreements stand; incident cases; which none-here statements were",
    "taken or withdrawn; acts that were refused or never entered; when acts came; words.",
    "Signatures and proofs were not looked at: keepclear record verify does that.",
)


def audited_text(found: Audited, file: str) -> str:
    """Return what was found."""
    faults = [each for each in found.differences if not each.is_boundary]
    edges = [each for each in found.differences if each.is_boundary]
    if faults:
        verdict = f"DIFFERS  {file}: {_count(len(faults), 'difference')}"
    elif edges:
        verdict = f"BOUNDARY  {file}: differs within the guard band alone, which is no fault"
    else:
        verdict = f"SAME  {file}: decided again, the same comes out"
    lines = [verdict]
    for each in [*faults, *edges][:LISTED_AT_MOST]:
        kind = "BOUNDARY " if each.is_boundary else ""
        time = f"{format_time(each.at_us)[:19]}Z"
        lines += [f"  entry {each.seq}, {time}  {each.about}", f"    {kind}{each.what}"]
    if (more := len(found.differences) - LISTED_AT_MOST) > 0:
        lines.append(f"  … and {more:,} more")
    header = found.header
    compared = (
        _count(found.entries, "entry", "entries"),
        f"{_count(found.findings, 'conflict')} raised or changed",
        _count(found.notices, "notice"),
        _count(found.filings, "filing"),
        _count(found.acts, "act"),
        f"{_count(found.pairs, 'pair')} by the kernel",
    )
    lines += [
        f"  record     {header.region}, incarnation {header.incarnation}",
        f"  compared   {', '.join(compared)}",
    ]
    if found.last_us is not None:
        lines.append(
            f"  up to      entry {found.entries - 1}, {format_time(found.last_us)[:19]}Z; what "
            "came after may have been cut off: see keepclear record verify"
        )
    if edges and faults:
        lines.append(f"  boundary   {len(edges):,} more differ within the guard band alone")
    if found.house is not None:
        bound = "bound some pair" if found.has_house else "bound no pair that was compared"
        lines.append(f"  house rule {describe_rules(found.house)}; {bound}")
    if found.waiting:
        waits = _count(found.waiting, "operation")
        lines.append(f"  waiting    {waits} RE-CHECKING at the end: not compared by the new rules")
    others = [each for each in found.kernels if each != KERNEL]
    if others:
        lines.append(
            f"  kernel     {KERNEL} now; some were found by {', '.join(others)}, which may differ"
        )
    else:
        lines.append(f"  kernel     {KERNEL}")
    return "".join(f"{printable(line)}\n" for line in [*lines, "", *NOT_SAID])


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
