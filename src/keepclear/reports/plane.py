# SPDX-License-Identifier: Apache-2.0
"""A flat picture of the earth round a place: azimuthal equidistant, north up at the centre.

Distances and directions from the centre are true on the ellipsoid, so poles and 180 degrees
are places like any other. `Frame` puts a rectangle of that plane onto a drawing, y down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import geod

Floats = npt.NDArray[np.float64]
Pair = tuple[float, float]

FARTHEST_M: Final = 17_000_000.0  # beyond, the plane tears: the other side of the earth
SAME_PX: Final = 0.4  # what the eye does not see is left out
BEYOND_PX: Final = 20.0  # how far past the edge lines are cut, where the drawing clips them


@dataclass(frozen=True, kw_only=True)
class Plane:
    """The plane that touches the earth at a centre, in metres east and north of it."""

    latitude_deg: float
    longitude_deg: float

    def xy(self, places: Sequence[Pair]) -> Floats:
        """Return metres east and north, shape (n, 2), of (longitude, latitude) pairs."""
        if not len(places):
            return np.empty((0, 2))
        degrees = np.asarray(places, dtype=np.float64)
        n = len(degrees)
        azimuth_deg, _, length_m = geod().inv(
            np.full(n, self.longitude_deg), np.full(n, self.latitude_deg),
            degrees[:, 0].copy(), degrees[:, 1].copy(),
        )  # fmt: skip
        angle = np.radians(azimuth_deg)
        return np.stack([length_m * np.sin(angle), length_m * np.cos(angle)], axis=-1)

    def places(self, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes of points of the plane."""
        n = len(x_m)
        longitude_deg, latitude_deg, _ = geod().fwd(
            np.full(n, self.longitude_deg), np.full(n, self.latitude_deg),
            np.degrees(np.arctan2(x_m, y_m)), np.hypot(x_m, y_m),
        )  # fmt: skip
        return np.asarray(longitude_deg), np.asarray(latitude_deg)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle of a plane on a drawing of `width` by `height`; the same scale both ways."""

    plane: Plane
    centre_x_m: float
    centre_y_m: float
    metres_a_pixel: float
    width: float
    height: float

    def draw(self, places: Sequence[Pair]) -> Floats:
        """Return the points of a drawing, shape (n, 2), for (longitude, latitude) pairs."""
        xy = self.plane.xy(places)
        x = self.width / 2 + (xy[:, 0] - self.centre_x_m) / self.metres_a_pixel
        y = self.height / 2 - (xy[:, 1] - self.centre_y_m) / self.metres_a_pixel
        return np.stack([x, y], axis=-1)

    def place(self, x: float, y: float) -> Pair:
        """Return longitude and latitude of a point of the drawing."""
        longitude_deg, latitude_deg = self.places(np.array([x]), np.array([y]))
        return float(longitude_deg[0]), float(latitude_deg[0])

    def places(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes of points of the drawing."""
        return self.plane.places(
            self.centre_x_m + (x - self.width / 2) * self.metres_a_pixel,
            self.centre_y_m - (y - self.height / 2) * self.metres_a_pixel,
        )

    def holds(self, x: float, y: float, rim: float = 0.0) -> bool:
        """Tell whether a point of the drawing lies inside, `rim` away from the edge."""
        return rim <= x <= self.width - rim and rim <= y <= self.height - rim

    def window(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north of a box round all that is shown; east may pass 180.

        Round a pole it is all longitudes up to the pole.
        """
        x, y = np.meshgrid(np.linspace(0, self.width, 17), np.linspace(0, self.height, 17))
        longitude_deg, latitude_deg = self.places(x.ravel(), y.ravel())
        middle = float(longitude_deg[len(longitude_deg) // 2])
        off = np.mod(longitude_deg - middle + 180, 360) - 180
        south, north = float(latitude_deg.min()), float(latitude_deg.max())
        for pole in (-90.0, 90.0):
            at_x, at_y = self.draw([(0.0, pole)])[0].tolist()
            if self.holds(at_x, at_y, -BEYOND_PX):
                return -180.0, min(south, pole), 180.0, max(north, pole)
        spare = 0.1 * (north - south) + 0.01
        west, east = middle + float(off.min()) - spare, middle + float(off.max()) + spare
        if east - west >= 360:
            west, east = -180.0, 180.0
        return west, max(south - spare, -90.0), east, min(north + spare, 90.0)

    def lines(self, *lines: Sequence[Pair]) -> list[Floats]:
        """Return the parts of lines that show, as points of the drawing, without what is too fine.

        A line past the far side of the earth is broken there.
        """
        points = self.draw([place for line in lines for place in line])
        ends = {i - 1 for i in accumulate(len(line) for line in lines)}
        size = np.array([self.width, self.height])
        inside = np.all((points >= 0) & (points <= size), axis=1)
        listed = points.tolist()
        parts: list[list[Pair]] = []
        for i in self._near(points):
            here, there = tuple(listed[i]), tuple(listed[i + 1])
            is_whole = inside[i] and inside[i + 1]
            kept = (here, there) if is_whole else self._clipped(*here, *there)
            if kept is None or i in ends:
                continue
            if not parts or parts[-1][-1] != kept[0]:
                parts.append([kept[0]])
            parts[-1].append(kept[1])
        return [thinned(part) for part in parts]

    def _near(self, points: Floats) -> list[int]:
        """Return which pieces of a line may show: those whose box meets the drawing."""
        least = np.minimum(points[:-1], points[1:])
        most = np.maximum(points[:-1], points[1:])
        size = np.array([self.width, self.height]) + BEYOND_PX
        torn = (most - least > FARTHEST_M / self.metres_a_pixel).any(axis=1)
        shows = (least <= size).all(axis=1) & (most >= -BEYOND_PX).all(axis=1) & ~torn
        return [int(i) for i in np.flatnonzero(shows)]

    def _clipped(self, x: float, y: float, to_x: float, to_y: float) -> tuple[Pair, Pair] | None:
        """Return the part of a straight piece inside, after Liang and Barsky (1984)."""
        start, end = 0.0, 1.0
        low, wide, high = -BEYOND_PX, self.width + BEYOND_PX, self.height + BEYOND_PX
        for step, room in (
            (x - to_x, x - low), (to_x - x, wide - x), (y - to_y, y - low), (to_y - y, high - y),
        ):  # fmt: skip
            if step == 0 and room < 0:
                return None
            if step < 0:
                start = max(start, room / step)
            elif step > 0:
                end = min(end, room / step)
        if start > end:
            return None
        at = (x + (to_x - x) * start, y + (to_y - y) * start) if start > 0 else (x, y)
        to = (x + (to_x - x) * end, y + (to_y - y) * end) if end < 1 else (to_x, to_y)
        return at, to

    def ring(self, places: Sequence[Pair]) -> Floats:
        """Return what shows of a ring, as points of the drawing, after Sutherland and Hodgman."""
        kept: list[Pair] = [(x, y) for x, y in self.draw(places).tolist()]
        for axis, limit, keep_below in (
            (0, -BEYOND_PX, False), (0, self.width + BEYOND_PX, True),
            (1, -BEYOND_PX, False), (1, self.height + BEYOND_PX, True),
        ):  # fmt: skip
            kept = _half(kept, axis, limit, keep_below=keep_below)
        return thinned(kept) if kept else np.empty((0, 2))


def frame_round(plane: Plane, points: Floats, width: float, height: float, least_m: float,
                rim_share: float = 0.18) -> Frame:  # fmt: skip
    """Return the frame that holds points of the plane with room round them.

    Its longer side shows at least `least_m`.
    """
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    free = 1 - 2 * rim_share
    scale = max((east - west) / (width * free), (north - south) / (height * free))
    scale = max(scale, least_m / max(width, height))
    return Frame(
        plane=plane, centre_x_m=float(west + east) / 2, centre_y_m=float(south + north) / 2,
        metres_a_pixel=float(scale), width=width, height=height,
    )  # fmt: skip


def thinned(points: Sequence[Pair]) -> Floats:
    """Return points without those that lie on the one before, to the eye; both ends stay."""
    kept = list(points[:1])
    for x, y in points[1:]:
        last_x, last_y = kept[-1]
        if abs(x - last_x) >= SAME_PX or abs(y - last_y) >= SAME_PX:
            kept.append((x, y))
    if len(kept) == 1 or kept[-1] != points[-1]:
        kept.append(points[-1])
    return np.array(kept)


def _half(ring: list[Pair], axis: int, limit: float, *, keep_below: bool) -> list[Pair]:
    kept: list[Pair] = []
    for here, there in pairwise([*ring, *ring[:1]]):
        inside = (here[axis] <= limit) == keep_below
        if inside:
            kept.append(here)
        if inside != ((there[axis] <= limit) == keep_below):
            share = (limit - here[axis]) / (there[axis] - here[axis])
            x = here[0] + (there[0] - here[0]) * share
            kept.append((x, here[1] + (there[1] - here[1]) * share))
    return kept
