# SPDX-License-Identifier: Apache-2.0
"""Curves on the WGS 84 ellipsoid: distances along them and points on them.

Geodesics are PROJ's, after C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87 (2013),
right to 15 nm. Rhumb lines are straight in longitude and isometric latitude. Degrees in,
metres and degrees out; longitudes come back as -180..180.

PROJ is loaded by the first call of `geod`: most checks of timed positions need no geodesic, and
loading it takes longer than such a check.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.positions import Edge, Position

if TYPE_CHECKING:
    from pyproj import Geod

Floats = npt.NDArray[np.float64]

SEMI_MAJOR_M: Final = 6_378_137.0  # WGS 84, NGA.STND.0036 (2014), table 3.1
FLATTENING: Final = 1 / 298.257223563  # the same
ECCENTRICITY_SQ: Final = FLATTENING * (2 - FLATTENING)


@cache
def geod() -> "Geod":
    """Return PROJ's geodesics on WGS 84: `inv`, `fwd`, longitude before latitude."""
    from pyproj import Geod

    return Geod(a=SEMI_MAJOR_M, f=FLATTENING)


def distance_m(start: Position, end: Position, edge: Edge = Edge.GEODESIC) -> float:
    """Return the length of the edge from one position to another, in metres."""
    lengths_m = lengths_m_of(
        np.array([start.latitude_deg]), np.array([start.longitude_deg]),
        np.array([end.latitude_deg]), np.array([end.longitude_deg]), edge,
    )  # fmt: skip
    return float(lengths_m[0])


def lengths_m_of(
    latitude_deg: Floats, longitude_deg: Floats, to_latitude_deg: Floats,
    to_longitude_deg: Floats, edge: Edge,
) -> Floats:  # fmt: skip
    """Return the lengths in metres of many edges; the arrays have one shape.

    A rhumb or planar edge is summed over 64 geodesic chords: right to 1e-6 of its length.
    """
    if edge is Edge.GEODESIC:
        _, _, lengths_m = geod().inv(longitude_deg, latitude_deg, to_longitude_deg, to_latitude_deg)
        return np.asarray(lengths_m)
    parts = 64
    total_m = np.zeros(np.shape(latitude_deg))
    last = (latitude_deg, longitude_deg)
    for i in range(1, parts + 1):
        fraction = np.full(np.shape(latitude_deg), i / parts)
        point = along_curve(
            latitude_deg, longitude_deg, to_latitude_deg, to_longitude_deg, fraction, edge
        )
        total_m += geod().inv(last[1], last[0], point[1], point[0])[2]
        last = point
    return total_m


def along_curve(
    latitude_deg: Floats, longitude_deg: Floats, to_latitude_deg: Floats,
    to_longitude_deg: Floats, fraction: Floats, edge: Edge,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return latitude and longitude at a fraction (0 to 1) of a rhumb or planar edge."""
    step_deg = wrap_deg(to_longitude_deg - longitude_deg)
    at_latitude_deg = latitude_deg + (to_latitude_deg - latitude_deg) * fraction
    if edge is Edge.PLANAR:
        return at_latitude_deg, wrap_deg(longitude_deg + step_deg * fraction)
    psi, to_psi = isometric_latitude(latitude_deg), isometric_latitude(to_latitude_deg)
    rise_deg = to_latitude_deg - latitude_deg
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (isometric_latitude(at_latitude_deg) - psi) / (to_psi - psi)
    # The difference cancels where the line runs along a parallel: two terms of the series do not.
    sine, cosine = np.sin(np.radians(latitude_deg)), np.cos(np.radians(latitude_deg))
    bend = sine / cosine + 2 * ECCENTRICITY_SQ * sine * cosine / (1 - ECCENTRICITY_SQ * sine**2)
    near = fraction * (1 + bend * np.radians(rise_deg) / 2 * (fraction - 1))
    share = np.where(np.abs(rise_deg) < 1e-4, near, share)
    return at_latitude_deg, wrap_deg(longitude_deg + step_deg * share)


def isometric_latitude(latitude_deg: Floats) -> Floats:
    """Return Snyder's psi (Map Projections, USGS PP 1395, eq. 7-7); latitudes below 89.999."""
    phi = np.radians(np.clip(latitude_deg, -89.999999, 89.999999))
    e = np.sqrt(ECCENTRICITY_SQ)
    psi: Floats = np.arctanh(np.sin(phi)) - e * np.arctanh(e * np.sin(phi))
    return psi


def wrap_deg(longitude_deg: Floats) -> Floats:
    """Return longitudes in -180 up to, not including, 180."""
    wrapped: Floats = np.mod(longitude_deg + 180.0, 360.0) - 180.0
    return wrapped


def to_ecef(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """Return points on the ellipsoid as earth-centred x, y, z in metres, shape (..., 3)."""
    phi, lam = np.radians(latitude_deg), np.radians(longitude_deg)
    sin_phi, cos_phi = np.sin(phi), np.cos(phi)
    radius_m = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_SQ * sin_phi**2)
    points = np.empty((*np.shape(phi), 3))
    points[..., 0] = radius_m * cos_phi * np.cos(lam)
    points[..., 1] = radius_m * cos_phi * np.sin(lam)
    points[..., 2] = radius_m * (1 - ECCENTRICITY_SQ) * sin_phi
    return points


def from_ecef(point_m: Floats) -> tuple[Floats, Floats]:
    """Return latitude and longitude of points on, or within 1 km of, the ellipsoid.

    Along the geodetic normal, after B. R. Bowring (Survey Review 23, 1976), right to 1e-9 deg.
    """
    x, y, z = point_m[..., 0], point_m[..., 1], point_m[..., 2]
    across_m = np.hypot(x, y)
    minor_m = SEMI_MAJOR_M * (1 - FLATTENING)
    beta = np.arctan2(z * SEMI_MAJOR_M, across_m * minor_m)
    second_sq = ECCENTRICITY_SQ / (1 - ECCENTRICITY_SQ)
    phi = np.arctan2(
        z + second_sq * minor_m * np.sin(beta) ** 3,
        across_m - ECCENTRICITY_SQ * SEMI_MAJOR_M * np.cos(beta) ** 3,
    )
    return np.degrees(phi), np.degrees(np.arctan2(y, x))
