# SPDX-License-Identifier: Apache-2.0
"""What a reader finds in a file: flights as columns, areas as values, and what it left out.

Readers take bytes and a name, and give `Contents` or raise `FileErrors` with every fault of
the file. With `lenient` a reader leaves out what it cannot use and lists it in `left_out`.

Flights are columns and not one value a point, because a day has 100,000 points and more.
"""

from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Volume4D
from keepclear.errors import Fault

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class PlanName(msgspec.Struct, frozen=True, kw_only=True):
    """Who a plan is.

    name: callsign where there is one, else the id. key: what makes it one plan in its file
    (icao24 and callsign; the id of a feature). party: from the file, None where it says none.
    is_named: the file says name or key; else both say where in the file it stands. craft: the
    icao24 of its positions, "" where there is none. category: class for the
    separation rules ("" where the file says none).
    """

    name: str
    key: str
    is_named: bool = True
    craft: str = ""
    party: str | None = None
    category: str = ""
    rvsm: bool | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Flights:
    """Timed points of the plans of one file, by plan, then by time; no two at one time.

    plans: one a plan. offsets (plans + 1): plan i has points offsets[i] to offsets[i + 1].
    Per point: time_us (int64, microseconds UTC), latitude_deg, longitude_deg (float64, WGS 84),
    height_tmm (int64; 0 where missing), datum (int64: index into `datums`, -1 where the height
    is missing), lateral_m (float64), vertical_tmm and time_us uncertainty (int64), 0 for none.
    datums: the references that heights in this file are measured from; their `height_tmm`
    is 0 and means nothing. edge: how points are joined.
    are_positions: recorded or listed positions, in which a long break is a gap; False for a plan
    that says where it goes between its points.
    """

    plans: tuple[PlanName, ...]
    offsets: Integers
    time_us: Integers
    latitude_deg: Floats
    longitude_deg: Floats
    height_tmm: Integers
    datum: Integers
    datums: tuple[Altitude, ...]
    lateral_uncertainty_m: Floats
    vertical_uncertainty_tmm: Integers
    time_uncertainty_us: Integers
    edge: Edge = Edge.GEODESIC
    are_positions: bool = True


class AreaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan given as volumes, with the uncertainty that the file states."""

    plan: PlanName
    volumes: tuple[Volume4D, ...]
    lateral_uncertainty_m: float = 0.0
    vertical_uncertainty_tmm: int = 0
    time_uncertainty_us: int = 0


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What one file holds.

    flights: one entry for each kind of edge that occurs. notes: what the reader did that
    the user should know ("2 rings turned"). left_out: only with `lenient`.
    """

    file: str
    flights: tuple[Flights, ...] = ()
    areas: tuple[AreaPlan, ...] = ()
    notes: tuple[str, ...] = field(default=())
    left_out: tuple[Fault, ...] = field(default=())
