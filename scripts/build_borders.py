# SPDX-License-Identifier: Apache-2.0
"""Bake `countries-10m.json` of the npm package world-atlas 2.0.2 into the packaged borders.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python scripts/build_borders.py package/countries-10m.json

The source is Natural Earth 4.1 at 1:10 million (public domain), on a grid of 0.0036 by 0.0017
degrees, as TopoJSON: arcs, each shared by the two units that it parts. The arcs are kept as
they are; what is added is which unit lies left and right of each. The file's layout stands in
`keepclear.formats.packaged`. The same input gives the same bytes.

What is mended:
1. Rings cross 180 degrees as a jump in longitude; the jump is taken out, so that an arc runs on
   (179.9, 180.1), and nothing between is lost.
2. Where the source cut a ring at 180 degrees, the cut is two edges along the meridian, one
   each side. Both are dropped; the ring's two halves then stand as one.
3. Arcs that enclose nothing (a step out and the same step back) are dropped.
"""

import json
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

TARGET: Final = Path(__file__).parent.parent / "src/keepclear/formats/data/borders.bin"
MAGIC: Final = b"KCBORD01"
SEA: Final = -1


def main(source: Path) -> None:
    """Read the source, write the packaged file, and say what is in it."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    names, arcs, left, right = label(topology)
    packed = pack(names, topology["transform"], arcs, left, right)
    TARGET.write_bytes(packed)
    points = sum(map(len, arcs))
    sys.stdout.write(f"{len(names)} units, {len(arcs)} arcs, {points} points, ")
    sys.stdout.write(f"{len(packed)} bytes in {TARGET.name}\n")


def label(
    topology: dict[str, Any],
) -> tuple[list[str], list[Integers], list[int], list[int]]:
    """Return unit names, mended arcs, and for each arc the unit on its left and right."""
    grid = round(360 / topology["transform"]["scale"][0])
    units = topology["objects"]["countries"]["geometries"]
    sides: dict[int, list[int]] = {}
    for number, unit in enumerate(units):
        for arc in arcs_of(unit):
            # A spherical TopoJSON ring has its inside on the right; ~i is arc i backwards.
            side = sides.setdefault(arc if arc >= 0 else ~arc, [SEA, SEA])
            side[1 if arc >= 0 else 0] = number
    arcs: list[Integers] = []
    left: list[int] = []
    right: list[int] = []
    for i, deltas in enumerate(topology["arcs"]):
        whole = unwrap(np.cumsum(np.array(deltas, dtype=np.int64), axis=0), grid)
        if i not in sides or encloses_nothing(whole):
            continue
        for part in cut_at_antimeridian(whole, grid):
            arcs.append(part)
            left.append(sides[i][0])
            right.append(sides[i][1])
    return [unit["properties"]["name"] for unit in units], arcs, left, right


def arcs_of(unit: dict[str, Any]) -> Iterator[int]:
    """Yield the signed arc numbers of all rings of a Polygon or MultiPolygon."""
    polygons = unit["arcs"] if unit["type"] == "MultiPolygon" else [unit["arcs"]]
    for rings in polygons:
        for ring in rings:
            yield from ring


def unwrap(points: Integers, grid: int) -> Integers:
    """Return the arc with jumps of a whole turn in longitude taken out."""
    steps = np.diff(points[:, 0])
    turns = np.where(steps > grid / 2, -grid, np.where(steps < -grid / 2, grid, 0))
    whole = points.copy()
    whole[1:, 0] += np.cumsum(turns)
    return whole


def encloses_nothing(arc: Integers) -> bool:
    """Return True for an arc of one point, or out and back the same way."""
    if len(np.unique(arc, axis=0)) < 2:
        return True
    return bool((arc == arc[::-1]).all()) and len(arc) > 1


def cut_at_antimeridian(arc: Integers, grid: int) -> list[Integers]:
    """Return the arc without its edges along the antimeridian, in as many parts as that leaves."""
    on_line = arc[:, 0] % grid == 0
    artificial = on_line[:-1] & on_line[1:]
    breaks = np.flatnonzero(artificial)
    parts = np.split(arc, breaks + 1)
    return [part for part in parts if len(part) > 1]


def pack(
    names: Sequence[str], transform: dict[str, list[float]], arcs: Sequence[Integers],
    left: Sequence[int], right: Sequence[int],
) -> bytes:  # fmt: skip
    """Return the bytes of the packaged file."""
    text = "\n".join(names).encode()
    lengths = np.array([len(arc) for arc in arcs], dtype="<i4")
    firsts = np.array([arc[0] for arc in arcs], dtype="<i4")
    steps = np.concatenate([np.diff(arc, axis=0) for arc in arcs])
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise SystemExit("a step is longer than 16 bits hold; the layout needs wider steps")
    parts = [
        struct.pack("<4d", *transform["scale"], *transform["translate"]),
        struct.pack("<3i", len(text), len(arcs), len(steps)),
        text,
        lengths.tobytes(),
        np.array(left, dtype="<i2").tobytes(),
        np.array(right, dtype="<i2").tobytes(),
        firsts[:, 0].tobytes(),
        firsts[:, 1].tobytes(),
        planes(steps[:, 0]),
        planes(steps[:, 1]),
    ]
    return MAGIC + zlib.compress(b"".join(parts), 9)


def planes(values: Integers) -> bytes:
    """Return 16-bit values as all low bytes, then all high bytes: it packs smaller."""
    zigzag = ((values << 1) ^ (values >> 63)).astype("<u2")
    return zigzag.view(np.uint8).reshape(-1, 2).T.tobytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
