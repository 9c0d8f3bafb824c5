# SPDX-License-Identifier: Apache-2.0
"""What a story says of STOPs and SAR cases: how one stands for its sender, and what keeps out."""

from collections.abc import Iterator, Sequence

from keepclear.line.stops import Area
from keepclear.plans.stops import State, Stop
from keepclear.reports.play_values import clock
from keepclear.reports.stop_text import area_rows


def stop_text(stop: Stop) -> str:
    """Return how a STOP stands, as its sender is told."""
    by = "" if stop.next_us is None else f" by {clock(stop.next_us)}"
    name = f"the STOP of {stop.party.upper()}"
    if stop.sar is not None:
        name = f"the SAR case of {stop.party.upper()} ({stop.sar.phase}, {stop.sar.what})"
    match stop.state:
        case State.ACTIVE:
            return f"{name} is in force; whether it still holds is to be said{by}"
        case State.ASKED:
            return f"URGENT: {name}: does it still hold? To be said{by}, or it is unconfirmed"
        case State.UNCONFIRMED:
            return f"URGENT: {name} is unconfirmed, and protects all the same"
        case _:
            return f"{name} has ended"


def keep_out_texts(operation: str, areas: Sequence[Area], day: str) -> Iterator[str]:
    """Yield where an operation must keep out. operation: its name; day: as of `area_rows`."""
    for each in areas:
        rows = dict(area_rows(each, day))
        yield (
            f"URGENT: {operation} must keep out of {rows['keep out of']}, {rows['heights']}, "
            f"{rows['when']}"
        )
    if not areas:
        yield f"{operation} need keep out of nowhere any more"
