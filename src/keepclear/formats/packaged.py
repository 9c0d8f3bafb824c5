# SPDX-License-Identifier: Apache-2.0
"""Data that ships with the package, read and handed in as values.

`data/borders.bin`, written by `scripts/build_borders.py`; little-endian:

    8 bytes  "KCBORD01"; all that follows is one zlib stream (RFC 1950)
    4 f8     scale of x, of y; origin of x, of y: degrees = origin + scale * integer
    3 i4     bytes of names; lines; steps in all
    text     unit names, UTF-8, a newline between two
    i4[]     points of each line (its steps and one)
    i2[]     number of the unit on the left of each line; -1 is the sea
    i2[]     and on the right
    i4[]     x of each line's first point
    i4[]     y
    u2[]     steps of x, zigzag (0, -1, 1, -2: 0, 1, 2, 3); all low bytes, then all high bytes
    u2[]     steps of y, the same

`data/states.csv`: names and codes of the units (ISO 3166-1), and breadths of territorial seas
with their source (docs/borders.md explains the keys).
`data/disputed.toml`, `data/waters.toml`: the overlays, explained at their top.
`data/templates/*.toml`: drafts of agreements (`agreement_draft`).
`data/languages/*.toml`: words of the templates of messages, a file for each language (`wording`).
"""

import csv
import struct
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from keepclear.airspace.border_lines import (
    OUTSIDE,
    Floats,
    Integers,
    lines_of_rings,
    make_lines,
    ring_of_circle,
)
from keepclear.airspace.borders import M_PER_NM, Area, Borders, Unit, Water, join
from keepclear.errors import OperatorError

_MAGIC: Final = b"KCBORD01"
_HEAD: Final = struct.Struct("<4d3i")
_REASONS: Final[Mapping[str, str]] = {
    "archipelagic": "may be archipelagic waters",
    "enclosed": "claimed as internal or historic waters, or under a treaty of its own",
    "narrow": "a narrower territorial sea is kept here",
    "wide": "claimed beyond 12 NM",
    "islet": "land that the data does not hold",
}


class _Baked(msgspec.Struct, frozen=True, kw_only=True):
    names: tuple[str, ...]
    longitude_deg: Floats
    latitude_deg: Floats
    points: Integers
    left: Integers
    right: Integers


def template_names() -> tuple[str, ...]:
    """Return the names of the templates of agreements that ship."""
    folder = files("keepclear.formats") / "data" / "templates"
    return tuple(sorted(each.name.removesuffix(".toml") for each in folder.iterdir()))


def read_template(name: str) -> str:
    """Return a template of an agreement, one of `template_names`, as text."""
    return (files("keepclear.formats") / "data" / "templates" / f"{name}.toml").read_text("utf-8")


def read_language(name: str) -> str:
    """Return the words of templates of messages in a language, one of `LANGUAGES`, as text."""
    return (files("keepclear.formats") / "data" / "languages" / f"{name}.toml").read_text("utf-8")


def read_borders() -> Borders:
    """Return the packaged reference borders; about a tenth of a second, so keep them.

    `OperatorError` where the installed files are not whole.
    """
    folder = files("keepclear.formats") / "data"
    try:
        baked = _unpack((folder / "borders.bin").read_bytes())
        rows = csv.DictReader((folder / "states.csv").read_text(encoding="utf-8").splitlines())
        units = _units(list(rows), baked.names)
        areas = tomllib.loads((folder / "disputed.toml").read_text(encoding="utf-8"))["area"]
        waters = tomllib.loads((folder / "waters.toml").read_text(encoding="utf-8"))["water"]
        return _borders(baked, units, areas, waters)
    except (OSError, zlib.error, struct.error, KeyError, ValueError) as fault:
        message = f"the packaged borders cannot be read ({fault}); install keepclear again"
        raise OperatorError(message) from fault


def _borders(
    baked: _Baked, units: Sequence[Unit], areas: Sequence[dict[str, Any]],
    waters: Sequence[dict[str, Any]],
) -> Borders:  # fmt: skip
    area_rings = [
        (i, ring) for i, area in enumerate(areas) if "until" not in area for ring in _rings(area)
    ]
    water_rings = [(i, ring) for i, water in enumerate(waters) for ring in _rings(water)]
    corners, lengths = lines_of_rings([ring for _, ring in area_rings + water_rings])
    overlay = len(units) + np.arange(len(lengths))
    lines = make_lines(
        longitude_deg=np.concatenate([baked.longitude_deg, corners[:, 1]]),
        latitude_deg=np.concatenate([baked.latitude_deg, corners[:, 0]]),
        points_a_line=np.concatenate([baked.points, lengths]),
        left=np.concatenate([baked.left, overlay]),
        right=np.concatenate([baked.right, np.full(len(lengths), OUTSIDE)]),
        faces=len(units) + len(lengths),
    )
    return join(
        units=units,
        areas=[_area(area) for area in areas],
        waters=[
            Water(
                name=w["name"],
                reason=_REASONS[w["kind"]],
                by=tuple(w["by"]),
                is_narrow=w["kind"] == "narrow",
            )
            for w in waters
        ],
        area_of_ring=[i for i, _ in area_rings],
        water_of_ring=[i for i, _ in water_rings],
        lines=lines,
    )


def _unpack(packed: bytes) -> _Baked:
    if not packed.startswith(_MAGIC):
        raise ValueError("borders.bin does not begin with KCBORD01")
    raw = zlib.decompress(packed[len(_MAGIC) :])
    x_scale, y_scale, x_origin, y_origin, text, lines, steps = _HEAD.unpack_from(raw)
    names = tuple(raw[_HEAD.size : _HEAD.size + text].decode().split("\n"))
    at = _HEAD.size + text
    columns: list[Integers] = []
    for kind in ("<i4", "<i2", "<i2", "<i4", "<i4"):
        columns.append(np.frombuffer(raw, kind, lines, at).astype(np.int64))
        at += lines * np.dtype(kind).itemsize
    points, left, right, first_x, first_y = columns
    x = _run(_planes(raw, at, steps), first_x, points)
    y = _run(_planes(raw, at + 2 * steps, steps), first_y, points)
    return _Baked(
        names=names, longitude_deg=x_origin + x_scale * x, latitude_deg=y_origin + y_scale * y,
        points=points, left=left, right=right,
    )  # fmt: skip


def _planes(raw: bytes, at: int, count: int) -> npt.NDArray[np.int32]:
    low = np.frombuffer(raw, np.uint8, count, at).astype(np.int32)
    high = np.frombuffer(raw, np.uint8, count, at + count).astype(np.int32)
    zigzag = low | (high << 8)
    return (zigzag >> 1) ^ -(zigzag & 1)


def _run(steps: npt.NDArray[np.int32], first: Integers, points: Integers) -> Integers:
    """Return the coordinates of all points from the first of each line and the steps after."""
    starts = np.cumsum(points) - points
    moves = np.zeros(int(points.sum()), dtype=np.int64)
    is_step = np.ones(len(moves), dtype=bool)
    is_step[starts] = False
    moves[is_step] = steps
    ends = np.concatenate([[0], np.cumsum(moves)[starts[1:] - 1]])
    moves[starts] = first - np.concatenate([[0], np.diff(ends) + first[:-1]])
    return np.cumsum(moves)


def _units(rows: Sequence[dict[str, str]], names: Sequence[str]) -> list[Unit]:
    by_name = {row["source_name"]: row for row in rows}
    return [
        Unit(
            source_name=name,
            name=by_name[name]["name"],
            alpha2=by_name[name]["alpha2"],
            alpha3=by_name[name]["alpha3"],
            state=by_name[name]["state"],
            territorial_sea_nm=float(by_name[name]["sea_nm"]),
            territorial_sea_widest_nm=float(by_name[name]["sea_widest_nm"]),
        )
        for name in names
    ]


def _area(area: dict[str, Any]) -> Area:
    return Area(
        name=area["name"],
        claimants=tuple(area["claimants"]),
        is_unclaimed=area.get("kind") == "unclaimed",
        until=area.get("until"),
        source_units=tuple(area.get("source_units", ())),
        on_land_of=tuple(area.get("on_land_of", area["claimants"])),
        note=area["note"],
    )


def _rings(entry: dict[str, Any]) -> list[Floats]:
    """Return the outline and the circles of an overlay entry as rings (latitude, longitude)."""
    rings = []
    if "outline" in entry:
        rings.append(np.array([pair.split() for pair in entry["outline"].split(",")], dtype=float))
    for circle in entry.get("circles", "").split(",") if "circles" in entry else ():
        latitude_deg, longitude_deg, radius_nm = map(float, circle.split())
        rings.append(ring_of_circle(latitude_deg, longitude_deg, radius_nm * M_PER_NM))
    return rings
