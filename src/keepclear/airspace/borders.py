# SPDX-License-Identifier: Apache-2.0
"""Whose airspace a place is in, by reference borders: a state, nobody, or not to be told.

Reference only: a state's airspace is what its authority filed or published
(docs/borders.md). Leaves to others: reading the packaged data (`formats.packaged`), heights,
FIRs (a FIR is no sovereignty), the state of an agreement, drawing (`border_outlines`).

1. Never over another state's land.
2. At sea, the nearest land's owner has the place if it is within that coast's territorial sea;
   so the line between two coasts is the median line. Beyond: `HIGH_SEAS`.
3. Within `RESERVE_M` (6 NM) of a line between two owners, or of the outer limit of a territorial
   sea for a place at sea: `UNDETERMINED`. A coast is no such line. The reserve is there for the
   data: Natural Earth at 1:10 million is off by a kilometre and more in places, its grid here is
   0.4 km by 0.2 km, and it has no baselines. Distances are right to a metre.
4. A disputed area is `DISPUTED` up to its edge, an unclaimed one `NOBODY`; both belong to nobody
   unless an agreement says so. No reserve is taken off inside: nobody gains by it.
5. Where a coast's breadth of sea differs from place to place, or is not known for sure, the
   smaller one counts, and the band up to the larger is `UNDETERMINED`; so are waters of which
   distance from land does not tell whose they are (archipelagos, historic bays, the Caspian).
   Where a state keeps a narrower sea than elsewhere (straits), all sea is `UNDETERMINED`.

    >>> from keepclear.formats.packaged import read_borders
    >>> whose = state_at(read_borders(), 46.95, 7.44)
    >>> whose.kind.value, whose.state.alpha3
    ('state', 'CHE')
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from keepclear.airspace.border_lines import Lines, NearFace, faces_at, near_faces
from keepclear.airspace.border_search import (
    BAND,
    HIGH,
    WATER,
    Shore,
    Surroundings,
    Zone,
    owner_here,
    stranger_within,
    zones_here,
)
from keepclear.airspace.positions import check_degrees
from keepclear.errors import InputError

M_PER_NM: Final = 1852.0
RESERVE_M: Final = 6 * M_PER_NM


class WhoseKind(StrEnum):
    """What the reference borders say of a place."""

    STATE = "state"
    HIGH_SEAS = "high seas"
    DISPUTED = "disputed"
    NOBODY = "nobody"
    UNDETERMINED = "undetermined"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A state: its name and ISO 3166-1 codes, and the breadth of its territorial sea.

    The breadth is the smallest that the state keeps off its main territory; where it keeps a
    larger one off other coasts, `territorial_sea_widest_nm` is that.
    """

    name: str
    alpha2: str
    alpha3: str
    territorial_sea_nm: float
    territorial_sea_widest_nm: float


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of land of the source: a state, or a territory with a name of its own.

    `state` is the alpha-3 code of the state it is of; "" where that is disputed or nobody's.
    """

    source_name: str
    name: str
    alpha2: str
    alpha3: str
    state: str
    territorial_sea_nm: float
    territorial_sea_widest_nm: float


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """A disputed or unclaimed area of the overlay.

    `until` is the day on which the dispute ended: such an area changes no answer.
    """

    name: str
    claimants: tuple[str, ...]
    is_unclaimed: bool
    until: str | None
    source_units: tuple[str, ...]
    on_land_of: tuple[str, ...]
    note: str


class Water(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of sea of which distance from land does not tell whose it is.

    It begins where the territorial seas end; with `is_narrow` it begins at the coast.
    """

    name: str
    reason: str
    by: tuple[str, ...]
    is_narrow: bool = False


class Borders(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All reference borders.

    Faces of `lines`: the units in order, then one a ring of the areas (`area_of_ring`), then
    one a ring of the waters (`water_of_ring`).
    """

    states: tuple[State, ...]
    units: tuple[Unit, ...]
    areas: tuple[Area, ...]
    waters: tuple[Water, ...]
    area_of_ring: tuple[int, ...]
    water_of_ring: tuple[int, ...]
    unit_codes: tuple[int, ...]
    ring_lands: tuple[frozenset[int], ...]
    lines: Lines


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whose airspace a place is in, by the reference borders.

    `state` and `territory` are set for STATE alone. `areas` and `claimants` are set for
    DISPUTED and NOBODY. `between` names the two sides of a line that is near, where it is for
    such a line that the answer is UNDETERMINED. `why` is a sentence for people.
    """

    kind: WhoseKind
    state: State | None = None
    territory: str | None = None
    areas: tuple[str, ...] = ()
    claimants: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    why: str


def join(
    units: Sequence[Unit], areas: Sequence[Area], waters: Sequence[Water],
    area_of_ring: Sequence[int], water_of_ring: Sequence[int], lines: Lines,
) -> Borders:  # fmt: skip
    """Return the borders, with a code for the owner of each unit: states first, then areas."""
    states = tuple(_state(unit) for unit in units if unit.state and unit.state == unit.alpha3)
    code_of = {state.alpha3: i for i, state in enumerate(states)}
    for i, area in enumerate(areas):
        code_of |= {f"unit {name}": len(states) + i for name in area.source_units}
    unit_codes = tuple(
        code_of.get(f"unit {unit.source_name}", code_of.get(unit.state, -1)) for unit in units
    )
    for unit, code in zip(units, unit_codes, strict=True):
        if code < 0:
            raise InputError(unit.source_name, unit.state, "is no state and in no area", "add it")
    lands = tuple(
        frozenset(code_of[name] for name in areas[a].on_land_of if name in code_of)
        | {len(states) + a}
        | {c for c, u in zip(unit_codes, units, strict=True) if u.alpha3 in areas[a].on_land_of}
        for a in area_of_ring
    )
    return Borders(
        states=states, units=tuple(units), areas=tuple(areas), waters=tuple(waters),
        area_of_ring=tuple(area_of_ring), water_of_ring=tuple(water_of_ring),
        unit_codes=unit_codes, ring_lands=lands, lines=lines,
    )  # fmt: skip


def state_at(borders: Borders, latitude_deg: float, longitude_deg: float) -> Whose:
    """Return whose airspace a place is in. Any turn of longitude will do: 190 is -170.

    `InputError` for a latitude beyond ±90 and for what is no number.
    """
    check_degrees(latitude_deg, 90, "latitude")
    if not math.isfinite(longitude_deg):
        raise InputError("longitude", longitude_deg, "is not a number", "give degrees")
    longitude_deg = math.remainder(longitude_deg, 360)
    here = faces_at(borders.lines, latitude_deg, longitude_deg)
    near = near_faces(borders.lines, latitude_deg, longitude_deg, here)
    around = _surroundings(borders, near)
    own, on_land = owner_here(around)
    if own >= len(borders.states):
        return _nobodys(borders, own, zones_here(around))
    if own in (BAND, WATER):
        return _untold(borders, own, here)
    stranger = stranger_within(around, RESERVE_M)
    if stranger is not None:
        sides = (_name(borders, own), _name(borders, stranger))
        return Whose(
            kind=WhoseKind.UNDETERMINED,
            between=sides,
            why=f"a line between {sides[0]} and {sides[1]} is within 6 NM",
        )
    if own == HIGH:
        return Whose(kind=WhoseKind.HIGH_SEAS, why="beyond every territorial sea")
    state = borders.states[own]
    if not on_land:
        return Whose(kind=WhoseKind.STATE, state=state, why=f"territorial sea of {state.name}")
    unit = next(u for i, u in enumerate(borders.units) if i in here)
    return Whose(kind=WhoseKind.STATE, state=state, territory=unit.name, why=f"land of {unit.name}")


def _state(unit: Unit) -> State:
    return State(
        name=unit.name,
        alpha2=unit.alpha2,
        alpha3=unit.alpha3,
        territorial_sea_nm=unit.territorial_sea_nm,
        territorial_sea_widest_nm=unit.territorial_sea_widest_nm,
    )


def _surroundings(borders: Borders, near: tuple[NearFace, ...]) -> Surroundings:
    units, rings = len(borders.units), len(borders.area_of_ring)
    shores, zones, waters, narrows = [], [], [], []
    for face in near:
        if face.face < units:
            unit = borders.units[face.face]
            shores.append(
                Shore(
                    code=borders.unit_codes[face.face],
                    narrow_m=unit.territorial_sea_nm * M_PER_NM,
                    wide_m=unit.territorial_sea_widest_nm * M_PER_NM,
                    near=face,
                )
            )
        elif face.face < units + rings:
            ring = face.face - units
            code = len(borders.states) + borders.area_of_ring[ring]
            zones.append(Zone(code=code, on_land_of=borders.ring_lands[ring], near=face))
        elif borders.waters[borders.water_of_ring[face.face - units - rings]].is_narrow:
            narrows.append(face)
        else:
            waters.append(face)
    return Surroundings(
        shores=tuple(shores), zones=tuple(zones), waters=tuple(waters), narrows=tuple(narrows)
    )


def _nobodys(borders: Borders, own: int, zones: tuple[int, ...]) -> Whose:
    codes = dict.fromkeys((own, *zones))
    areas = [borders.areas[code - len(borders.states)] for code in codes]
    disputed = [area for area in areas if not area.is_unclaimed]
    areas = disputed or areas
    claimants = tuple(sorted({name for area in areas for name in area.claimants}))
    names = tuple(area.name for area in areas)
    says = "claimed by " + ", ".join(claimants) if claimants else "claimed by nobody"
    return Whose(
        kind=WhoseKind.DISPUTED if disputed else WhoseKind.NOBODY,
        areas=names,
        claimants=claimants,
        why=f"{' and '.join(names)}: {says}; reference only, no side taken",
    )


def _untold(borders: Borders, own: int, here: frozenset[int]) -> Whose:
    if own == BAND:
        why = "between the smaller and the larger territorial sea of the nearest coast"
        return Whose(kind=WhoseKind.UNDETERMINED, why=why)
    before = len(borders.units) + len(borders.area_of_ring)
    rings = sorted(face - before for face in here if face >= before)
    waters = [borders.waters[borders.water_of_ring[ring]] for ring in rings]
    why = "; ".join(f"{water.name}: {water.reason} ({', '.join(water.by)})" for water in waters)
    return Whose(kind=WhoseKind.UNDETERMINED, why=why)


def _name(borders: Borders, code: int) -> str:
    if code < 0:
        return {HIGH: "high seas", BAND: "a narrower sea", WATER: "claimed waters"}[code]
    if code < len(borders.states):
        return borders.states[code].name
    return borders.areas[code - len(borders.states)].name
