# SPDX-License-Identifier: Apache-2.0
"""The plans of the findings as points that can be drawn."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.findings import Finding
from keepclear.airspace.positions import Edge
from keepclear.checks.prepare import EDGES, Prepared
from keepclear.checks.report import Path, PathPoint

EDGE_OF: Final[Mapping[int, Edge]] = {number: edge for edge, number in EDGES.items()}


def paths_of(prepared: Prepared, findings: Sequence[Finding]) -> dict[int, Path]:
    """Return how to draw each plan that a finding names, by its place among the plans."""
    row_of = {int(place): row for row, place in enumerate(prepared.with_points)}
    wanted = sorted({place for f in findings for place in (f.a_index, f.b_index)})
    return {place: _path(prepared, place, row_of.get(place)) for place in wanted}


def _path(prepared: Prepared, place: int, row: int | None) -> Path:
    plan = prepared.plans[place]
    stretches: list[list[PathPoint]] = []
    if row is not None:
        points = prepared.points
        for i in range(int(points.offsets[row]), int(points.offsets[row + 1])):
            if points.starts_stretch[i]:
                stretches.append([])
            stretches[-1].append(_point(prepared, i))
    volumes = plan.area.volumes if plan.area is not None else ()
    edge = Edge.GEODESIC if row is None else EDGE_OF[int(prepared.points.edge[row])]
    return Path(
        name=plan.name, party=plan.party, edge=edge,
        stretches=tuple(tuple(each) for each in stretches), volumes=volumes,
    )  # fmt: skip


def _point(prepared: Prepared, i: int) -> PathPoint:
    points = prepared.points
    datum = int(points.datum[i])
    altitude = None
    if datum >= 0:
        altitude = replace(prepared.datums[datum], height_tmm=int(points.height_tmm[i]))
    return PathPoint(
        time_us=int(points.time_us[i]), latitude_deg=float(points.latitude_deg[i]),
        longitude_deg=float(points.longitude_deg[i]), altitude=altitude,
    )  # fmt: skip
