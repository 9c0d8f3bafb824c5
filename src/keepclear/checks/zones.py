# SPDX-License-Identifier: Apache-2.0
"""Where plans are inside the zones that the rules name.

A plan counts as inside while it may be: within its uncertainty, within the guard band, and where
its height cannot be compared with the zone's limits. Plans given as volumes count as inside
every zone.
"""

from typing import Final

import numpy as np

from keepclear.agreement.separation import RuleSet
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.pairing import Kernel
from keepclear.checks.prepare import Prepared
from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.kernel import limits_of
from keepclear.detect.skeletons import compile_volumes
from keepclear.detect.volume_detection import sweep_entries
from keepclear.detect.zoning import Stretch, mark_zones
from keepclear.units import parse_time_us

INSIDE: Final = Cylinder(
    lateral_tmm=1, lateral_is_closed=True, vertical_tmm=0, vertical_is_closed=True
)
FIRST_US: Final = parse_time_us("1900-01-01T00:00:00Z")
LAST_US: Final = parse_time_us("2200-01-01T00:00:00Z")


def mark(kernel: Kernel, prepared: Prepared, rule_set: RuleSet) -> Kernel:
    """Return the kernel with its fragments marked with the zones of the rules."""
    if not rule_set.zones or not kernel.fragments.plans:
        return kernel
    zones = [
        Volume4D(volume=rule_set.zones[name], start_us=FIRST_US, end_us=LAST_US)
        for name in sorted(rule_set.zones)
    ]
    volumes = compile_volumes(zones, prepared.numbers)
    plans = kernel.fragments.plans
    a, b = np.repeat(np.arange(plans), len(zones)), np.tile(np.arange(len(zones)), plans)
    found = sweep_entries(kernel.functions, kernel.fragments, volumes, a, b, limits_of([INSIDE]))
    stretches = [
        Stretch(
            int(found.a[pair]), int(found.b[pair]), int(row[column.START_A]) - 1,
            int(row[column.END_A]) + 2,
        )
        for row, pair in zip(found.rows, found.row_pair.tolist(), strict=True)
    ]  # fmt: skip
    return kernel._replace(fragments=mark_zones(kernel.fragments, stretches))
