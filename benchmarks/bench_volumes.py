# SPDX-License-Identifier: Apache-2.0
"""Volumes against volumes, beside one STRtree of shapely over boxes."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from measuring import Line, line, timed
from worlds import volumes

from keepclear.airspace.volumes import Circle, Polygon, Volume4D
from keepclear.detect.compiled import compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.index import Detected
from keepclear.detect.kernel import limits_of
from keepclear.detect.skeletons import Volumes, compile_volumes
from keepclear.detect.volume_arrays import take_volumes
from keepclear.detect.volume_detection import Things, detect_volumes, overlap_all
from keepclear.detect.volume_index import VolumeIndex

Integers = npt.NDArray[np.int64]

MANY: Final = 100_000
# Touching intersects: all minima 0 and closed, as a volume of F3548 asks for.
TOUCHING: Final = limits_of([
    Cylinder(lateral_tmm=1, vertical_tmm=0, vertical_is_closed=True, lateral_is_closed=True)
])  # fmt: skip


class Peer(NamedTuple):
    """The same volumes for shapely: planar shapes, windows and heights, and a tree over all."""

    tree: Any
    shapes: Any
    start_us: Integers
    end_us: Integers
    lower_tmm: Integers
    upper_tmm: Integers


def volumes_among_each_other() -> list[Line]:
    """100,000 volumes against each other, and one against them."""
    functions = compiled()
    if not hasattr(functions, "overlap_pairs"):
        return [Line(f"{MANY:,} volumes", "skipped", "", note="volumes have no compiled kernel")]
    world = volumes(MANY)
    v = compile_volumes(world, Datums())
    things = Things(owners=np.arange(MANY), groups=np.arange(MANY))
    found = detect_volumes(functions, v, things, True, TOUCHING)
    ours = timed(lambda: detect_volumes(functions, v, things, True, TOUCHING), 5)
    peer = _peer(world)
    theirs = timed(lambda: _meeting(peer), 3)
    _check(functions, v, found, peer)
    note = f"{len(np.unique(found.row_pair)):,} pairs inside, exact on the ellipsoid"
    return [
        line(f"{MANY:,} volumes against each other", ours, 0.5,
             peer="shapely STRtree, planar, circles as polygons", peer_s=theirs.wall_s, note=note),
        _one(functions, v, peer),
    ]  # fmt: skip


def _one(functions: Any, v: Volumes, peer: Peer) -> Line:
    """Return the line of one volume against many that are kept."""
    index = VolumeIndex(functions, TOUCHING)
    kept = take_volumes(v, list(range(MANY - 100)))
    index.add_many([str(i) for i in range(MANY - 100)], [0] * (MANY - 100), kept)
    asked = [take_volumes(v, [i]) for i in range(MANY - 100, MANY)]

    def ask() -> int:
        return sum(len(index.query("new", 1, one).keys) for one in asked)

    ours = timed(ask, 9)
    theirs = timed(lambda: [peer.tree.query(shape) for shape in peer.shapes[-100:]], 9)
    per = ours._replace(wall_s=ours.wall_s / 100, processor_s=ours.processor_s / 100)
    return line(f"one volume against {MANY:,}", per, 40e-6, peer="shapely STRtree, boxes only",
                peer_s=theirs.wall_s / 100, note=f"{ask()} met by 100 volumes")  # fmt: skip


def _peer(world: list[Volume4D]) -> Peer:
    """Return shapes in degrees; circles get 16 segments a quarter."""
    shapes = []
    for each in world:
        shape = each.volume.shape
        if isinstance(shape, Polygon):
            shapes.append(shapely.Polygon([(p.longitude_deg, p.latitude_deg) for p in shape.ring]))
        elif isinstance(shape, Circle):
            centre = (shape.centre.longitude_deg, shape.centre.latitude_deg)
            disc = shapely.Point(0.0, 0.0).buffer(shape.radius_tmm / 1.11e9, quad_segs=16)
            wide = 1.0 / np.cos(np.radians(centre[1]))
            at = np.array(disc.exterior.coords) * (wide, 1.0) + centre
            shapes.append(shapely.Polygon(at))
    bounds = [
        (each.start_us, each.end_us, each.volume.lower.height_tmm, each.volume.upper.height_tmm)
        for each in world if each.volume.lower and each.volume.upper
    ]  # fmt: skip
    columns = np.array(bounds, dtype=np.int64).T
    return Peer(shapely.STRtree(shapes), np.array(shapes), *columns)


def _meeting(peer: Peer) -> tuple[Integers, Integers]:
    """Return the pairs that meet: boxes by the tree, then time, height and shapes."""
    a, b = peer.tree.query(peer.shapes)
    mine = a < b
    a, b = a[mine], b[mine]
    meets = (peer.start_us[a] < peer.end_us[b]) & (peer.start_us[b] < peer.end_us[a])
    meets &= (peer.lower_tmm[a] <= peer.upper_tmm[b]) & (peer.lower_tmm[b] <= peer.upper_tmm[a])
    a, b = a[meets], b[meets]
    inside = shapely.intersects(peer.shapes[a], peer.shapes[b])
    return a[inside], b[inside]


def _check(functions: Any, v: Volumes, found: Detected, peer: Peer) -> None:
    """Assert that both find the same but for shapes that only just meet, and ours by brute force.

    Planar shapes with polygons for circles differ by some metres from what was meant.
    """
    ours = set(zip(found.a[found.row_pair].tolist(), found.b[found.row_pair].tolist(), strict=True))
    theirs = set(zip(*(column.tolist() for column in _meeting(peer)), strict=True))
    assert len(ours ^ theirs) < 0.01 * len(ours) + 10, (len(ours - theirs), len(theirs - ours))
    only = sorted(theirs - ours)[:20]
    if only:
        a, b = (np.array(column) for column in zip(*only, strict=True))
        assert not len(overlap_all(functions, v, a, b, TOUCHING).rows)
