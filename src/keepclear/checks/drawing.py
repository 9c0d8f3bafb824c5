# SPDX-License-Identifier: Apache-2.0
"""The plans of the findings as points that can be drawn."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec.structs import replace

from keepclear.agreement.findings import Finding
from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Edge
from keepclear.checks.prepare import EDGES, Prepared
from keepclear.checks.report import Path, PathPoint
from keepclear.detect.points import Points

EDGE_OF: Final[Mapping[int, Edge]] = {number: edge for edge, number in EDGES.items()}


def paths_of(prepared: Prepared, findings: Sequence[Finding]) -> dict[int, Path]:
    """Return how to draw each plan that a finding names, by its place among the plans."""
    row_of = {int(place): row for row, place in enumerate(prepared.with_points)}
    wanted = sorted({place for f in findings for place in (f.a_index, f.b_index)})
    altitudes = _Altitudes(prepared)
    return {place: _path(prepared, altitudes, place, row_of.get(place)) for place in wanted}


class _Altitudes(dict[tuple[int, int], Altitude | None]):
    """Datum and height -> the altitude, made once: a day has far fewer than it has points."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__()
        self._datums = prepared.datums

    def __missing__(self, key: tuple[int, int]) -> Altitude | None:
        datum, height_tmm = key
        made = replace(self._datums[datum], height_tmm=height_tmm) if datum >= 0 else None
        self[key] = made
        return made


def _path(prepared: Prepared, altitudes: _Altitudes, place: int, row: int | None) -> Path:
    plan = prepared.plans[place]
    stretches = () if row is None else _stretches(prepared.points, altitudes, row)
    volumes = plan.area.volumes if plan.area is not None else ()
    edge = Edge.GEODESIC if row is None else EDGE_OF[int(prepared.points.edge[row])]
    return Path(
        name=plan.name, party=plan.party, edge=edge, stretches=stretches, volumes=volumes
    )  # fmt: skip


def _stretches(
    points: Points, altitudes: _Altitudes, row: int
) -> tuple[tuple[PathPoint, ...], ...]:
    mine = slice(int(points.offsets[row]), int(points.offsets[row + 1]))
    columns = (
        points.time_us, points.latitude_deg, points.longitude_deg, points.datum, points.height_tmm
    )  # fmt: skip
    listed = [
        PathPoint(
            time_us=time_us, latitude_deg=latitude_deg, longitude_deg=longitude_deg,
            altitude=altitudes[datum, height_tmm],
        )
        for time_us, latitude_deg, longitude_deg, datum, height_tmm in zip(
            *(column[mine].tolist() for column in columns), strict=True
        )
    ]  # fmt: skip
    starts = np.flatnonzero(points.starts_stretch[mine]).tolist()
    return tuple(tuple(listed[i:j]) for i, j in pairwise([*starts, len(listed)]))
