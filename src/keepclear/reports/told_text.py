# SPDX-License-Identifier: Apache-2.0
"""What a notice tells, in words: the rule that is broken, and what is seen of the other side."""

from collections.abc import Sequence

from keepclear.exchange.disclosure import Shown
from keepclear.plans.conflicts import Broken, Numbers
from keepclear.plans.filing import Craft, Domain
from keepclear.plans.operations import OUT_OF_PLAN, Operation, protects_until_us
from keepclear.plans.understood import Understood
from keepclear.reports.play_values import heights, listed, moment, of_each, off_by, where, window
from keepclear.reports.texts import lateral_text, position_text, printable, vertical_text
from keepclear.units import US_PER_S


def breaks_text(broken: Broken, day: str) -> str:
    """Return which rule two operations break, and how close they come. day: as of `window`."""
    rule, found = (
        f"clause {broken.clause}" if broken.clause else "the house rule",
        broken.numbers,
    )
    if found is None:
        return f"{rule}; too little is shown for numbers"
    vertical = (
        "heights that cannot be compared" if found.vertical_m is None
        else f"{vertical_text(found.vertical_m)} vertically"
    )  # fmt: skip
    return (
        f"{rule}: {lateral_text(found.lateral_m)} laterally, {vertical} at the closest, "
        f"as shown; {window(found.from_us, found.to_us, day)} ({found.verdict})"
        f"{_seconds_short(found)}{_without(found)}"
    )


def craft_text(count: int, most: int | None) -> str:
    """Return how many craft an operation is: 2 craft, 2 to 4 craft."""
    return f"{count} craft" if most in {None, count} else f"{count} to {most} craft"


def shown_rows(other: Shown, day: str) -> dict[str, str]:
    """Return what a party sees of another's operation, by what it is. day: as of `window`."""
    rows = {"state": other.state or ""}
    if other.box is not None:
        box = other.box
        corners = (box.south_deg, box.west_deg), (box.north_deg, box.east_deg)
        rows["area"] = " to ".join(position_text(*each) for each in corners)
    if other.lower is not None:
        rows["heights"] = f"{other.lower} to {other.upper}"
    if other.from_us is not None and other.to_us is not None:
        rows["when"] = window(other.from_us, other.to_us, day)
    if other.late_by:
        rows["LATE"] = _late_text(other.late_by, other.late_us)
    craft = [] if other.count is None else [craft_text(other.count, other.count_most)]
    craft += [printable(other.callsign)] if other.callsign else []
    if craft:
        rows["craft"] = ", ".join(craft)
    if other.volumes is not None:
        rows["where"] = of_each(other.volumes, where)
    if other.by:
        rows["by"] = listed([f"clause {each.partition(' of ')[0]}" for each in other.by])
    return {label: text for label, text in rows.items() if text}


def _seconds_short(found: Numbers) -> str:
    """Return by how much a stay is too long, or the two are too close in time; often neither."""
    return f", short by {found.short_by_s:,g} s in time" if found.short_by_s else ""


def _without(found: Numbers) -> str:
    """Return what it would be without uncertainty, where that is told."""
    exact = found.without_uncertainty
    if exact is None:
        return ""
    said = "; were both exactly where and when they say, "
    if not exact.is_broken:
        return f"{said}it would hold"
    if exact.short_by_m is None or found.short_by_m is None:
        return f"{said}it would be broken too"
    return f"{said}short by {exact.short_by_m:,.0f} m, as it is by {found.short_by_m:,.0f} m"


def _late_text(by: Sequence[str], late_us: int | None) -> str:
    clauses = listed([f"clause {each.partition(' of ')[0]}" for each in by])
    if late_us is None:
        return f"filed later than {clauses} asks; by how much is not shown"
    return f"filed later than {clauses} asks, by {-(-late_us // US_PER_S):,} s at most"


def operation_rows(operation: Operation, said: Understood, day: str) -> dict[str, str]:
    """Return what an operation is, by what it is, as the exchange understood it."""
    craft = [str(operation.domain)]
    if operation.domain is Domain.AIR:
        craft = [craft_text(operation.count, operation.count_most)]
    craft += [str(operation.craft)] if operation.craft is not Craft.MANNED else []
    craft += [f"class {operation.craft_class}"] if operation.craft_class != "any" else []
    craft += [printable(operation.callsign)] if operation.callsign else []
    rows = {} if craft == ["1 craft"] else {"craft": ", ".join(craft)}
    for label, volumes, echoed in (
        ("", operation.volumes, said.volumes),
        ("expected ", operation.off_nominal, said.off_nominal),
    ):
        if volumes:
            rows[f"{label}where"] = of_each(volumes, where)
            rows[f"{label}heights"] = of_each(echoed, heights)
            rows[f"{label}when"] = of_each(
                volumes, lambda one: window(one.start_us, one.end_us, day)
            )
    if off_by(said):
        rows["off by"] = off_by(said)
    if operation.state in OUT_OF_PLAN:
        rows["protects"] = until_text(operation, day)
    return rows


def until_text(operation: Operation, day: str) -> str:
    """Return until when an operation that is out of plan protects."""
    return f"until {moment(protects_until_us(operation), day)}, or until it is ended"
