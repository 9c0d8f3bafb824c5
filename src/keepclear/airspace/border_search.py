# SPDX-License-Identifier: Apache-2.0
"""Whose a place is, and whether anything within a radius of it is somebody else's.

Works in the plane round one place (`border_lines`), with *codes* for owners: states and areas
have codes from 0, `HIGH`, `BAND` and `WATER` are below. What the codes mean is left to
`borders`.

The owner of a place:
1. an area, where one of its zones holds the place and the land there is of a kind it applies
   to, or there is no land;
2. else whose land it is;
3. else the owner of the nearest land, if that is within the breadth of its sea. So the line
   between two coasts is the median line (UNCLOS article 15). Between the narrow and the wide
   breadth of a coast lies its `BAND`;
4. else `WATER` inside a stretch of water where distance does not tell, or `HIGH`.
Inside a narrow stretch all sea is `WATER`, before 3.

`stranger_within` does not sample: it halves squares until each is wholly one owner's, which
it knows from a lower bound of the distance to any other owner, or smaller than `FINEST_M`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.border_lines import Floats, NearFace, Truths, measure

Codes = npt.NDArray[np.int64]

HIGH: Final = -1
BAND: Final = -2
WATER: Final = -3
FINEST_M: Final = 30.0
_QUARTERS: Final = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])
_HERE: Final = np.zeros((1, 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Shore:
    """Land with its owner and the breadths of its sea, in metres; equal if there is but one."""

    code: int
    narrow_m: float
    wide_m: float
    near: NearFace


@dataclass(frozen=True, kw_only=True, eq=False)
class Zone:
    """An area's outline: it applies at sea and on land of these owners."""

    code: int
    on_land_of: frozenset[int]
    near: NearFace


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """All that matters within reach of one place. Earlier zones go before later ones."""

    shores: tuple[Shore, ...]
    zones: tuple[Zone, ...]
    waters: tuple[NearFace, ...]
    narrows: tuple[NearFace, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Survey:
    """Many places against all surroundings; rows are places, columns shores or zones.

    `sea_m` is the distance to land: 0 on it. `edge_m` is the distance to its edge.
    """

    owner: Codes
    on_land: Truths
    at_shore: Codes
    edge_m: Floats
    sea_m: Floats
    zone_margin_m: Floats
    water_margin_m: Floats
    narrow_margin_m: Floats


def owner_here(around: Surroundings) -> tuple[int, bool]:
    """Return the code of the owner of the place itself, and True if it is on land."""
    survey = _survey(around, _HERE)
    return int(survey.owner[0]), bool(survey.on_land[0])


def zones_here(around: Surroundings) -> tuple[int, ...]:
    """Return the codes of all zones that hold the place, first ones first, each once."""
    survey = _survey(around, _HERE)
    lands = {around.shores[survey.at_shore[0]].code} if survey.on_land[0] else set()
    holding = [z.code for z in around.zones if z.near.inside_here and lands <= z.on_land_of]
    return tuple(dict.fromkeys(holding))


def stranger_within(around: Surroundings, radius_m: float) -> int | None:
    """Return the code of an owner within the radius who is not the owner here, else None.

    On land only other states and areas are strangers: that land's own sea, and what lies
    beyond it, do not put the land in doubt. Where squares get too small to tell, what is
    found there counts as a stranger: a line up to `FINEST_M` too far away may be reported.
    """
    own, on_land = owner_here(around)
    kin = {own, HIGH, BAND, WATER} if on_land else {own}
    places_m, half_m = _HERE, radius_m
    survey = _survey(around, places_m)
    here_m = float(_margins_m(around, survey, own, on_land=on_land)[0])
    while here_m < radius_m:
        of_kin = np.isin(survey.owner, list(kin))
        away_m = np.hypot(places_m[:, 0], places_m[:, 1])
        strange = np.flatnonzero(~of_kin & (away_m <= radius_m))
        if len(strange):
            named_first = np.lexsort((away_m[strange], survey.owner[strange] < 0))
            return int(survey.owner[strange[named_first[0]]])
        margins_m = _margins_m(around, survey, own, on_land=on_land)
        open_ = ~of_kin | (margins_m < half_m * np.sqrt(2))
        if not open_.any():
            return None
        if half_m * np.sqrt(2) < FINEST_M:
            return _neighbour(around, survey, int(np.flatnonzero(open_)[0]), own)
        half_m /= 2
        places_m = (places_m[open_][:, None, :] + 2 * half_m * _QUARTERS).reshape(-1, 2)
        places_m = _worth_asking(places_m, half_m, here_m, radius_m)
        if not len(places_m):
            return None
        survey = _survey(around, places_m)
    return None


def _worth_asking(places_m: Floats, half_m: float, here_m: float, radius_m: float) -> Floats:
    """Return the squares that reach into the disc and out of the part known to be one's own."""
    size_m = np.abs(places_m)
    near_corner_m = np.hypot(*np.maximum(size_m - half_m, 0).T)
    far_corner_m = np.hypot(*(size_m + half_m).T)
    kept: Floats = places_m[(near_corner_m <= radius_m) & (far_corner_m > here_m)]
    return kept


def _neighbour(around: Surroundings, survey: _Survey, place: int, own: int) -> int:
    """Return the owner next to a place on a line: the nearest land that is not one's own."""
    others = [i for i, shore in enumerate(around.shores) if shore.code != own]
    if not others:
        return HIGH
    return around.shores[min(others, key=lambda i: float(survey.sea_m[place, i]))].code


def _survey(around: Surroundings, places_m: Floats) -> _Survey:
    count = len(places_m)
    edge_m = np.full((count, len(around.shores) + 1), np.inf)
    inside = np.zeros((count, len(around.shores) + 1), dtype=bool)
    for i, shore in enumerate(around.shores):
        edge_m[:, i], inside[:, i] = measure(shore.near, places_m)
    on_land: Truths = np.asarray(inside.any(axis=1))
    sea_m = np.where(inside, 0.0, edge_m)
    at_shore = np.where(on_land, np.argmax(inside, axis=1), np.argmin(sea_m, axis=1))
    # The last column is no shore: infinitely far, with no breadth of sea.
    codes = np.array([shore.code for shore in around.shores] + [HIGH])[at_shore]
    narrow_m = np.array([shore.narrow_m for shore in around.shores] + [0.0])[at_shore]
    wide_m = np.array([shore.wide_m for shore in around.shores] + [0.0])[at_shore]
    nearest_m = sea_m[np.arange(count), at_shore]
    in_water, water_margin_m = _within_any(around.waters, places_m)
    in_narrow, narrow_margin_m = _within_any(around.narrows, places_m)
    # On land in a narrow stretch, its water begins at the coast.
    coast_m = edge_m[np.arange(count), at_shore]
    narrow_margin_m = np.where(in_narrow, np.where(on_land, coast_m, 0), narrow_margin_m)
    beyond = np.where(in_water, WATER, np.where(nearest_m <= wide_m, BAND, HIGH))
    owner = np.where(on_land | (nearest_m <= narrow_m), codes, beyond)
    owner = np.where(in_narrow & ~on_land, WATER, owner)
    zone_margin_m = np.full(count, np.inf)
    for zone in reversed(around.zones):
        distance_m, within = measure(zone.near, places_m)
        applies = within & (~on_land | np.isin(codes, list(zone.on_land_of)))
        owner = np.where(applies, zone.code, owner)
        # Where the outline leaves this land alone, one has to leave the land to be in the zone.
        spared = on_land & ~np.isin(codes, list(zone.on_land_of))
        spared_m = np.where(within, coast_m, np.maximum(distance_m, coast_m))
        elsewhere_m = np.where(spared, spared_m, distance_m)
        zone_margin_m = np.minimum(zone_margin_m, elsewhere_m)
    return _Survey(
        owner=owner, on_land=on_land, at_shore=at_shore, edge_m=edge_m, sea_m=sea_m,
        zone_margin_m=zone_margin_m, water_margin_m=water_margin_m,
        narrow_margin_m=narrow_margin_m,
    )  # fmt: skip


def _within_any(waters: tuple[NearFace, ...], places_m: Floats) -> tuple[Truths, Floats]:
    """Return whether each place lies in one of the waters, and how far the nearest edge is."""
    inside = np.zeros(len(places_m), dtype=bool)
    margin_m = np.full(len(places_m), np.inf)
    for water in waters:
        distance_m, within = measure(water, places_m)
        inside |= within
        margin_m = np.minimum(margin_m, distance_m)
    return inside, margin_m


def _margins_m(around: Surroundings, survey: _Survey, own: int, *, on_land: bool) -> Floats:
    """Return for each place a distance within which no stranger is: a lower bound.

    d changes by at most the way gone. So the sea of t, nearest land n, begins no nearer than
    (d_t - d_n) / 2 and than d_t - breadth_t; one's own ends no nearer than breadth - d.
    """
    margin_m = survey.zone_margin_m.copy()
    rows = np.arange(len(margin_m))
    nearest_m = survey.sea_m[rows, survey.at_shore]
    own_edge_m = survey.edge_m[rows, survey.at_shore]
    own_sea = own != HIGH and not on_land
    breadths_m = np.array([shore.narrow_m for shore in around.shores] + [0.0])
    breadth_m = breadths_m[survey.at_shore]
    for i, shore in enumerate(around.shores):
        reach_m = survey.sea_m[:, i] - shore.wide_m
        half_way_m = (survey.sea_m[:, i] - nearest_m) / 2
        if shore.code == own:
            if own_sea:
                rim_m = np.maximum(half_way_m, shore.narrow_m - survey.sea_m[:, i])
                rim_m = np.where(survey.on_land, own_edge_m + shore.narrow_m, rim_m)
                margin_m = np.minimum(margin_m, rim_m)
            continue
        # Past the half-way line lies t's sea, or high seas where t's is the narrower.
        gap = own_sea & (shore.narrow_m < breadth_m)
        bound_m = np.where(gap, half_way_m, np.maximum(half_way_m, reach_m))
        bound_m = np.where(survey.on_land, np.maximum(bound_m, own_edge_m), bound_m)
        margin_m = np.minimum(margin_m, bound_m)
    if own == HIGH:
        margin_m = np.minimum(margin_m, survey.water_margin_m)
    if not on_land:
        margin_m = np.minimum(margin_m, survey.narrow_margin_m)
    return np.maximum(margin_m, 0.0)
