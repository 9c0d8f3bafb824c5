# SPDX-License-Identifier: Apache-2.0
"""Live tracks: all pairs within a look-ahead of 300 s, beside MiniSky and BlueSky."""

import contextlib
import io
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from bench_plans import EN_ROUTE
from measuring import Line, line, timed
from worlds import tracks

from keepclear.airspace.geodesics import geod
from keepclear.detect.compiled import compiled, plain
from keepclear.detect.do365 import ALERT_LEVELS
from keepclear.detect.index import Detected
from keepclear.detect.live import detect_live
from keepclear.detect.live_alerts import alerts
from keepclear.detect.tracks import Tracks
from keepclear.units import TMM_PER_M

with contextlib.redirect_stdout(io.StringIO()):  # they greet when they are imported
    from bluesky.traffic.asas.statebased import StateBased
    from minisky._internal.conflict.detection import ConflictDetection

AHEAD_US: Final = 300_000_000
LATERAL_M: Final = 9_260.0
VERTICAL_M: Final = 304.8
Pairs = set[tuple[int, int]]


def live_tracks() -> list[Line]:
    """All pairs of 1000, 4000 and 8000 tracks, compiled and by numpy alone."""
    lines = []
    for count in (1_000, 4_000, 8_000):
        world = tracks(count)
        took = timed(lambda world=world: detect_live(compiled(), world, AHEAD_US, EN_ROUTE), 15)
        found = detect_live(compiled(), world, AHEAD_US, EN_ROUTE)
        theirs = _traffic(world)
        mini = timed(lambda theirs=theirs: _ask(ConflictDetection, theirs), 5)
        agreed = _compare(world, found, _pairs(_ask(ConflictDetection, theirs)))
        lines.append(line(
            f"{count:,} live tracks, all pairs, 300 s ahead", took,
            0.020 if count == 8_000 else None, peer="MiniSky", peer_s=mini.wall_s, note=agreed,
        ))  # fmt: skip
        if count < 8_000:
            blue = timed(lambda theirs=theirs: _ask(StateBased, theirs), 1, warm=False)
            lines.append(line(
                f"{count:,} live tracks, the same", took, peer="BlueSky, numpy, one run",
                peer_s=blue.wall_s, note=_compare(world, found, _pairs(_ask(StateBased, theirs)))
                if count == 1_000 else "",
            ))  # fmt: skip
        lines.append(_by_numpy(world, found))
    return [*lines, _alerts()]


def _by_numpy(world: Tracks, found: Detected) -> Line:
    """Return the line of the path without numba."""
    took = timed(lambda: detect_live(plain(), world, AHEAD_US, EN_ROUTE), 3)
    slow = detect_live(plain(), world, AHEAD_US, EN_ROUTE)
    assert np.array_equal(slow.rows, found.rows, equal_nan=True)
    return line(f"{len(world):,} live tracks, numpy alone", took, note="the same bits")


def _alerts() -> Line:
    world, levels = tracks(8_000), ALERT_LEVELS["phase-1"]
    took = timed(lambda: alerts(compiled(), world, levels), 5)
    note = f"{len(alerts(compiled(), world, levels))} pairs listed"
    return line("8,000 live tracks, DO-365 alerts, 180 s ahead", took, note=note)


def _traffic(world: Tracks) -> Any:
    """Return the same tracks as both peers want them."""
    names = [str(i) for i in range(len(world))]
    return SimpleNamespace(
        ntraf=len(world), id=names, callsign=names, lat=world.latitude_deg,
        lon=world.longitude_deg, gs=world.speed_mps, trk=world.track_deg,
        alt=world.height_tmm / TMM_PER_M, vs=world.climb_mps,
    )  # fmt: skip


def _ask(peer: Any, traffic: Any) -> Any:
    count = traffic.ntraf
    lateral_m, vertical_m = np.full(count, LATERAL_M), np.full(count, VERTICAL_M)
    return peer.detect(peer, traffic, traffic, lateral_m, vertical_m, np.full(count, 300.0))


def _pairs(answer: Any) -> Pairs:
    """Return what a peer says of both directions of a pair.

    Of levels exactly the minimum apart they name one direction only.
    """
    named = answer.confpairs if hasattr(answer, "confpairs") else answer[0]
    both = {(int(str(a)), int(str(b))) for a, b in (tuple(pair) for pair in named)}
    return {(a, b) for a, b in both if a < b and (b, a) in both}


def _compare(world: Tracks, found: Detected, theirs: Pairs) -> str:
    """Assert that ours is right wherever the two differ; return how many pairs are in which.

    Both peers draw straight lines on a plane for each pair, without the convergence of
    meridians, so pairs that only just meet differ; and so do levels exactly the minimum apart.
    """
    ours = {(int(found.a[k]), int(found.b[k])) for k in found.row_pair.tolist()}
    for pair in ours ^ theirs:
        assert _comes_close(world, *pair) == (pair in ours), pair
    return (
        f"{len(ours & theirs)} pairs in both answers, {len(ours - theirs)} in ours only, "
        f"{len(theirs - ours)} in theirs only: of these ours are right, by small steps"
    )


def _comes_close(world: Tracks, a: int, b: int) -> bool:
    """Tell whether a pair comes close, in steps of 50 ms along PROJ's geodesics."""
    at_s = np.arange(0.0, AHEAD_US * 1e-6, 0.05)
    apart_tmm = float(world.height_tmm[a] - world.height_tmm[b])
    climb_mps = world.climb_mps[a] - world.climb_mps[b]
    low = np.abs(apart_tmm / TMM_PER_M + climb_mps * at_s) < VERTICAL_M - 1e-6
    places = []
    for craft in (a, b):
        start = [np.full(len(at_s), column[craft]) for column in
                 (world.longitude_deg, world.latitude_deg, world.track_deg)]  # fmt: skip
        places += geod().fwd(*start, world.speed_mps[craft] * at_s)[:2]
    apart_m = geod().inv(*places)[2]
    return bool((low & (apart_m < LATERAL_M)).any())
