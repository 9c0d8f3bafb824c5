# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks, prints their table, and keeps it in results.md where all were run.

python benchmarks/run.py              all of them
python benchmarks/run.py live memory  some, printed only
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench_command import small_inputs, swiss_day
from bench_exchange import exchange_speed
from bench_line import line_speed
from bench_live import live_tracks
from bench_plans import (
    compiling,
    memory,
    one_plan_against_many,
    pairs_a_second,
    plans_among_each_other,
)
from bench_record import record_speed
from bench_server import server_speed
from bench_stops import stop_speed
from bench_volumes import volumes_among_each_other
from measuring import Line, load, machine, table

RESULTS: Final = Path(__file__).resolve().parent / "results.md"
BENCHMARKS: Final[Mapping[str, Callable[[], list[Line]]]] = {
    "plans": plans_among_each_other,
    "one": one_plan_against_many,
    "compile": compiling,
    "pairs": pairs_a_second,
    "memory": memory,
    "live": live_tracks,
    "volumes": volumes_among_each_other,
    "swiss": swiss_day,
    "small": small_inputs,
    "record": record_speed,
    "exchange": exchange_speed,
    "server": server_speed,
    "line": line_speed,
    "stops": stop_speed,
}

HEAD: Final = """\
# Benchmarks

Written by `make bench`.
Times are medians: by the wall clock, and in brackets by the processor.
Where others use the machine, the first says how long one waits and the second how much there
is to do; compare ratios of one run, not times of two.

{machine}

**Worlds** (`worlds.py`, seeded).
Plans start evenly over latitude 35 to 60, longitude -10 to 40, and over 24 h.
Each has 20 legs of 15 to 40 NM with turns of up to 20 degrees, 380 to 480 kt.
Three legs climb from 3000 ft to FL200 to FL410 (k x 1000 ft), three descend.
Live tracks: the same area and speeds, FL100 to FL400, 3 of 10 climb or descend by 10 m/s.
Volumes: the same area, circles and polygons 1 to 10 NM across, 2000 ft high, 20 to 60 minutes
within a day.
Minima: 5 NM or 1000 ft; volumes: touching.

**Checks.**
Each benchmark asserts that both sides give the same answer, as far as they ask the same.
The index finds what brute force finds, numpy alone gives the bits of the compiled kernel, and
where a peer's pairs differ from ours, ours are right by small steps along PROJ's geodesics.

"""


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        sys.exit(f"no benchmark is called {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    before, started = load(), time.monotonic()
    lines: list[Line] = []
    for name in names or BENCHMARKS:
        print(f"-- {name}: {str(BENCHMARKS[name].__doc__).splitlines()[0]}", flush=True)
        for each in BENCHMARKS[name]():
            print("   ", "; ".join(part for part in each if part), flush=True)
            lines.append(each)
    took = f"Load before {before}, after {load()}; the run took {time.monotonic() - started:.0f} s."
    text = HEAD.format(machine="\n".join([*machine(), took])) + table(lines)
    print("\n" + text)
    if not names:
        notes = RESULTS.with_name("notes.md")
        RESULTS.write_text(text + ("\n" + notes.read_text() if notes.exists() else ""))


if __name__ == "__main__":
    main(sys.argv[1:])
