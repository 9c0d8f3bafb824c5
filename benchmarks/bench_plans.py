# SPDX-License-Identifier: Apache-2.0
"""Plans against plans: all conflicts, one against many, compiling, plan pairs a second."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from measuring import Line, Timing, line, timed
from worlds import LEGS, plans

from keepclear.detect.compiled import compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.fragments import Fragments, compile_points
from keepclear.detect.index import Detected, detect, every_pair, sweep_all
from keepclear.detect.kept import PlanIndex
from keepclear.detect.kernel import limits_of
from keepclear.detect.points import Points
from keepclear.detect.pool import Pool
from keepclear.units import TMM_PER_FOOT, TMM_PER_NM

Integers = npt.NDArray[np.int64]

MANY: Final = 100_000
NEW: Final = 1_000
EN_ROUTE: Final = limits_of([
    Cylinder(lateral_tmm=5 * TMM_PER_NM, vertical_tmm=1_000 * TMM_PER_FOOT)
])  # fmt: skip
CDII_PAIRS_A_SECOND: Final = 1_000  # NASA CDII, 20-leg plans; quoted from the design notes
DAIDALUS_PAIRS_A_SECOND: Final = (8e6, 13.6e6)  # DAIDALUS C++ -O2, one thread; quoted likewise


def plans_among_each_other() -> list[Line]:
    """100,000 plans x 20 legs, all conflicts with exact intervals, on compiled fragments."""
    functions = compiled()
    lines = []
    for count, limit_s, runs in ((MANY // 10, None, 5), (MANY, 0.7, 5)):
        f = compile_points(plans(count), functions=functions)
        groups = np.arange(count)
        found = detect(functions, f, groups, True, EN_ROUTE)
        inside = len(np.unique(found.row_pair))
        took = timed(lambda f=f, groups=groups: detect(functions, f, groups, True, EN_ROUTE), runs,
                     warm=False)  # fmt: skip
        _check_sample(f, found)
        note = f"{len(f.start_us):,} fragments; {len(found.a):,} pairs looked at, {inside:,} inside"
        lines.append(
            line(f"{count:,} plans x {LEGS} legs, all conflicts", took, limit_s, note=note)
        )
    return lines


def _check_sample(f: Fragments, found: Detected) -> None:
    """Assert that brute force finds the same of 200 plans, most of them in conflict."""
    with_rows = np.unique(found.row_pair)[:100]
    chosen = np.unique(np.concatenate([found.a[with_rows], found.b[with_rows]]))
    a, b = (chosen[k] for k in np.triu_indices(len(chosen), k=1))
    always = np.full(len(a), 2**62)
    slow = sweep_all(compiled(), f, EN_ROUTE, a, b, -always, always)
    among = np.isin(found.a, chosen) & np.isin(found.b, chosen)
    mine = among[found.row_pair]
    assert np.array_equal(slow.rows, found.rows[mine], equal_nan=True)
    assert np.array_equal(slow.a[slow.row_pair], found.a[found.row_pair][mine])


def one_plan_against_many() -> list[Line]:
    """One new plan against 100,000 that are kept, on compiled fragments; and keeping it."""
    functions = compiled()
    f = compile_points(plans(MANY), functions=functions)
    new = compile_points(plans(NEW, seed=2), functions=functions)
    index = PlanIndex(functions, EN_ROUTE)
    started = time.perf_counter()
    index.add_many([f"kept {plan:06}" for plan in range(MANY)], [0] * MANY, f)
    made_s = time.perf_counter() - started
    took = timed(lambda: [index.query("new", 1, new, plan) for plan in range(NEW)], 5)
    _check_queries(index, f, new)
    met = sum(len(index.query("new", 1, new, plan).keys) for plan in range(NEW))

    def add_and_remove() -> None:
        for plan in range(NEW):
            index.add(f"new {plan}", 1, new, plan)
        for plan in range(NEW):
            index.remove(f"new {plan}")

    added = timed(add_and_remove, 3, warm=False)
    note = f"{NEW:,} of them one by one meet {met:,}; keeping the {MANY:,} took {made_s:.1f} s"
    return [
        line(f"one new plan against {MANY:,}", _each(took, NEW), 0.2e-3, note=note),
        line("keep one new plan, and keep it no longer", _each(added, NEW)),
    ]


def _each(took: Timing, count: int) -> Timing:
    return took._replace(wall_s=took.wall_s / count, processor_s=took.processor_s / count)


def _check_queries(index: PlanIndex, f: Fragments, new: Fragments) -> None:
    """Assert that brute force finds the same of the first ten new plans."""
    a, always = np.arange(MANY), np.full(MANY, 2**62)
    for plan in range(10):
        both = Pool()
        both.lay(f, 0, MANY)
        both.keep(MANY)
        both.lay(new, plan, plan + 1)
        slow = sweep_all(compiled(), both.fragments, EN_ROUTE, a, a * 0 + MANY, -always, always)
        assert np.array_equal(slow.rows, index.query("new", 1, new, plan).rows, equal_nan=True)


def compiling() -> list[Line]:
    """Compile one plan of 20 legs, and 100,000 of them."""
    functions = compiled()
    one, many = plans(1), plans(MANY)
    lines = [
        line("compile one plan of 20 legs", timed(lambda: compile_points(one), 200), 1e-3,
             note="by numpy, as for small inputs"),
        line(f"compile {MANY:,} plans of 20 legs",
             timed(lambda: compile_points(many, functions=functions), 3), 5.0),
    ]  # fmt: skip
    _check_same(one, compile_points(one), compile_points(one, functions=functions))
    return lines


def _check_same(points: Points, slow: Fragments, fast: Fragments) -> None:
    assert slow.plans == fast.plans == points.plans
    assert all(np.array_equal(x, y) for x, y in zip(slow, fast, strict=True))


def pairs_a_second() -> list[Line]:
    """Plan pairs a second, every pair answered exactly, of plans that depart within an hour."""
    functions = compiled()
    count, few = 3_000, 300
    f = compile_points(plans(count, within_s=3_600.0), functions=functions)
    groups, pairs = np.arange(count), count * (count - 1) // 2
    took = timed(lambda: detect(functions, f, groups, True, EN_ROUTE), 5)
    found = detect(functions, f, groups, True, EN_ROUTE)
    _check_sample(f, found)
    some = compile_points(plans(few, within_s=3_600.0), functions=functions)
    slow = timed(lambda: every_pair(functions, some, groups[:few], True, EN_ROUTE), 3)
    each = few * (few - 1) // 2 / slow.wall_s
    note = (
        f"{pairs / took.wall_s / 1e6:.1f} million pairs a second (goal: 4 million); each pair "
        f"walked from end to end, without an index: {each / 1e6:.3f} million. DAIDALUS C++, one "
        f"thread, pairs of states and not of plans, quoted: {DAIDALUS_PAIRS_A_SECOND[0] / 1e6:g} "
        f"million (cylinder), {DAIDALUS_PAIRS_A_SECOND[1] / 1e6:g} million (well clear)"
    )
    return [
        line(f"{pairs:,} plan pairs, each answered exactly", took, pairs / 4e6,
             peer=f"CDII, quoted: {CDII_PAIRS_A_SECOND:,} pairs a second, so",
             peer_s=pairs / CDII_PAIRS_A_SECOND, note=note)
    ]  # fmt: skip


def memory() -> list[Line]:
    """Peak memory of a process that makes, compiles and compares 100,000 plans x 20 legs."""
    script = Path(__file__).resolve()
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=600
    )
    peak_gb = float(ran.stdout.split()[-1]) / 1e6
    met = "met" if peak_gb < 2 else f"missed {peak_gb / 2:.1f} times"
    return [
        Line(f"peak memory, {MANY:,} plans x {LEGS} legs", f"{peak_gb:.2f} GB", f"< 2 GB: {met}",
             note="in a process of its own: making the plans, compiling and comparing them")
    ]  # fmt: skip


def peak_kb() -> int:
    """Return the most memory this process has used; `getrusage` would count its parent's too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("VmHWM:"))


def _in_child() -> None:
    functions = compiled()
    f = compile_points(plans(MANY), functions=functions)
    detect(functions, f, np.arange(MANY), True, EN_ROUTE)
    print(peak_kb())


if __name__ == "__main__":
    _in_child()
