# SPDX-License-Identifier: Apache-2.0
"""Short ways to send STOPs on a stage, and what each party has read of it."""

from typing import Any, Final

from keepclear.exchange.events import KeepOutsChanged
from keepclear.line.messages import Message
from keepclear.plans.filing import FiledVolume
from keepclear.plans.stops import EndStop, RenewStop, SendStop, Stop
from keepclear.plays.stage import Stage
from keepclear.record.views import view_of
from tests.incident_plays import events_seen, volume

TEXT: Final = "Cease activity, our people are there."


def calling(*to: str, **more: Any) -> SendStop:  # noqa: ANN401 fields of the volume
    """Return a STOP to some parties, or to b."""
    where: dict[str, Any] = {
        "start": 0, "minutes": 300, "radius": "5 km", "lower": "FL240", "upper": "FL250",
    }  # fmt: skip
    return SendStop(
        to=to or ("b",), datum="WGS84", text=TEXT, language="en", volume=volume(**where | more)
    )  # fmt: skip


def stop(stage: Stage, *to: str, party: str = "a", **more: Any) -> Stop:  # noqa: ANN401
    """Send a STOP and return it."""
    stage.submit(party, "line.stop/1", calling(*to, **more))
    return list(stage.exchange.world.stops.values())[-1]


def at_stop(stage: Stage, made: Stop) -> Stop:
    """Return a STOP as it stands."""
    return stage.exchange.world.stops[made.id]


def renew(stage: Stage, made: Stop, party: str = "a") -> None:
    """Renew a STOP."""
    stage.submit(party, "line.stop-renew/1", RenewStop(id=made.id))


def end(stage: Stage, made: Stop, party: str = "a") -> None:
    """End a STOP."""
    stage.submit(party, "line.stop-end/1", EndStop(id=made.id))


def message_of(stage: Stage, made: Stop, to: str = "b") -> Message:
    """Return the message of a STOP to one party, as it stands."""
    return stage.exchange.world.messages[made.messages[made.to.index(to)]]


def must_keep_out(stage: Stage, operation: str) -> bool:
    """Tell whether an operation must keep out of somewhere."""
    return operation in stage.exchange.world.keep_outs


def told_to_keep_out(stage: Stage, party: str) -> list[KeepOutsChanged]:
    """Return what a party was told of where its operations must keep out."""
    return events_seen(stage, party, KeepOutsChanged)


def bytes_of(stage: Stage, party: str) -> bytes:
    """Return all that a party has of the record."""
    return b"\n".join(view_of(stage.lines, party))


def small(latitude: float, **more: Any) -> FiledVolume:  # noqa: ANN401
    """Return a circle of 100 m within a STOP's levels and times."""
    made: dict[str, Any] = {"radius": "100 m", "latitude": latitude}
    return volume(**made | more)
