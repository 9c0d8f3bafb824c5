# SPDX-License-Identifier: Apache-2.0
"""Volumes against volumes, beside one STRtree of shapely over boxes."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from measuring import Line, line, timed
from worlds import volumes

from keepclear.airspace.volumes import Circle, Polygon, Volume4D
from keepclear.detect.compiled import compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
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
    tree, shapes = _peer(world)
    theirs = timed(lambda: _meeting(v, tree, shapes), 3)
    _check(functions, v, found.a[found.row_pair], found.b[found.row_pair], tree, shapes)
    note = f"{len(np.unique(found.row_pair)):,} pairs inside, exact on the ellipsoid"
    return [
        line(f"{MANY:,} volumes against each other", ours, 0.5,
             peer="shapely STRtree, planar, circles as polygons", peer_s=theirs.wall_s, note=note),
        _one(functions, v, tree, shapes),
    ]  # fmt: skip


def _one(functions: Any, v: Volumes, tree: Any, shapes: Any) -> Line:
    """Return the line of one volume against many that are kept."""
    index = VolumeIndex(functions, TOUCHING)
    kept = take_volumes(v, list(range(MANY - 100)))
    index.add_many([str(i) for i in range(MANY - 100)], [0] * (MANY - 100), kept)
    asked = [take_volumes(v, [i]) for i in range(MANY - 100, MANY)]

    def ask() -> int:
        return sum(len(index.query("new", 1, one).keys) for one in asked)

    ours = timed(ask, 9)
    theirs = timed(lambda: [tree.query(shape) for shape in shapes[-100:]], 9)
    per = ours._replace(wall_s=ours.wall_s / 100, processor_s=ours.processor_s / 100)
    return line(f"one volume against {MANY:,}", per, 40e-6, peer="shapely STRtree, boxes only",
                peer_s=theirs.wall_s / 100, note=f"{ask()} met by 100 volumes")  # fmt: skip


def _peer(world: list[Volume4D]) -> tuple[Any, Any]:
    """Return shapes in degrees and a tree over them; circles get 16 segments a quarter."""
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
    return shapely.STRtree(shapes), np.array(shapes)


def _meeting(v: Volumes, tree: Any, shapes: Any) -> tuple[Integers, Integers]:
    """Return the pairs of shapes that meet, in height and time too."""
    a, b = tree.query(shapes)
    mine = a < b
    a, b = a[mine], b[mine]
    meets = (v.start_us[a] < v.end_us[b]) & (v.start_us[b] < v.end_us[a])
    meets &= (v.lower_tmm[a] <= v.upper_tmm[b]) & (v.lower_tmm[b] <= v.upper_tmm[a])
    a, b = a[meets], b[meets]
    inside = shapely.intersects(shapes[a], shapes[b])
    return a[inside], b[inside]


def _check(functions: Any, v: Volumes, a: Integers, b: Integers, tree: Any, shapes: Any) -> None:
    """Assert that ours finds all pairs that meet for shapely too, but for touching ones."""
    ours = set(zip(a.tolist(), b.tolist(), strict=True))
    theirs = set(zip(*(column.tolist() for column in _meeting(v, tree, shapes)), strict=True))
    assert len(ours ^ theirs) < 0.01 * len(ours) + 10, (len(ours), len(theirs))
    only = sorted(theirs - ours)[:20]
    if only:
        again = overlap_all(
            functions, v, np.array([p[0] for p in only]), np.array([p[1] for p in only]), TOUCHING
        )
        assert not len(again.rows)
