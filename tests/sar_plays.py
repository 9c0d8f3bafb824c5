# SPDX-License-Identifier: Apache-2.0
"""Short ways to open and change SAR cases on a stage."""

from typing import Any, Final

from keepclear.agreement.emergencies import InDanger, Phase
from keepclear.plans.filing import FiledCircle
from keepclear.plans.sar import (
    ChangePhase,
    CloseSar,
    Known,
    OpenSar,
    RenewSar,
    UpdateSar,
    Where,
)
from keepclear.plans.stops import Stop
from keepclear.plays.stage import Stage

CRY: Final = "Crew in the sea, two persons."
AT: Final = "35.000N 035.500E"


def where(
    latitude: float = 35.0, longitude: float = 35.5, radius: str = "5 km", lasts: str = "5 h",
    **more: Any,  # noqa: ANN401 heights
) -> Where:  # fmt: skip
    """Return a circle in which somebody is in danger, and for how long."""
    return Where(
        datum="WGS84", shape=FiledCircle(centre=(latitude, longitude), radius=radius), lasts=lasts,
        **{"lower": "FL240", "upper": "FL250"} | more,
    )  # fmt: skip


def opening(*to: str, phase: Phase = Phase.DETRESFA, **more: Any) -> OpenSar:  # noqa: ANN401
    """Return what opens a case, told to some parties or to b, with the position."""
    given: dict[str, Any] = {"known": Known(position=AT), "where": where(), "text": CRY}
    given |= more
    return OpenSar(to=to or ("b",), phase=phase, what=InDanger.PERSONS, language="en", **given)


def cry(stage: Stage, *to: str, party: str = "a", **more: Any) -> Stop:  # noqa: ANN401
    """Open a case and return it."""
    stage.submit(party, "sar.open/1", opening(*to, **more))
    return list(stage.exchange.world.stops.values())[-1]


def drift(stage: Stage, made: Stop, latitude: float, **more: Any) -> None:  # noqa: ANN401
    """Say that they are elsewhere now."""
    given: dict[str, Any] = {
        "known": Known(position=f"{latitude:.3f}N 035.500E"), "where": where(latitude),
    } | more  # fmt: skip
    update = UpdateSar(id=made.id, text="They drift.", language="en", **given)
    stage.submit(made.party, "sar.update/1", update)


def to_phase(stage: Stage, made: Stop, phase: Phase) -> None:
    """Say that a case is in another phase."""
    payload = ChangePhase(id=made.id, phase=phase, text="Heard by radio.", language="en")
    stage.submit(made.party, "sar.phase/1", payload)


def go_on(stage: Stage, made: Stop, lasts: str = "6 h") -> None:
    """Renew a case."""
    stage.submit(made.party, "sar.renew/1", RenewSar(id=made.id, lasts=lasts))


def close(stage: Stage, made: Stop) -> None:
    """Close a case."""
    stage.submit(made.party, "sar.close/1", CloseSar(id=made.id))
