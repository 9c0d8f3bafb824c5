# SPDX-License-Identifier: Apache-2.0
"""A play with every way in which a conflict ends, and records read apart from the program."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.exchange_plays import example

CROSS: Final = example("two_plans_cross.toml")
# Beside N1 and S1: N2 and S2 agreed as is, N3 and S3 withdrawn, N4 and S4 open and unanswered,
# N5 filed late.
LATE: Final = 'start = "2015-10-05T07:02:00Z"'
MANY: Final = CROSS + "".join(
    f"""
[areas.{name}]
shape = {{ kind = "circle", centre = [{latitude}, 33.0], radius = "10 NM" }}
lower = "FL200"
upper = "FL240"
"""
    for name, latitude in (("one", 31.0), ("two", 32.0), ("three", 33.0), ("four", 34.0))
) + "".join(
    f"""
[[acts]]
at = "{at}"
by = "{by}"
does = "{does}"
{more}
"""
    for at, by, does, more in (
        ("42 min", "north", "file",
         'operation = "N2"\narea = "one"\nstart = "2015-10-05T12:00:00Z"\nlasts = "1 h"'),
        ("43 min", "south", "file",
         'operation = "S2"\narea = "one"\nstart = "2015-10-05T12:00:00Z"\nlasts = "1 h"'),
        ("44 min", "north", "acknowledge", 'conflict = "N2 and S2"'),
        ("45 min", "north", "answer",
         'conflict = "N2 and S2"\nanswer = "CONCERNED"\nwhy = "a tanker"'),
        ("45 min 30 s", "south", "answer", 'conflict = "N2 and S2"\nanswer = "NOTED"'),
        ("46 min", "south", "acknowledge", 'conflict = "N2 and S2"'),
        ("47 min", "north", "agree-as-is", 'conflict = "N2 and S2"'),
        ("48 min", "south", "agree-as-is", 'conflict = "N2 and S2"'),
        ("49 min", "north", "file",
         'operation = "N3"\narea = "two"\nstart = "2015-10-05T12:00:00Z"\nlasts = "1 h"'),
        ("50 min", "south", "file",
         'operation = "S3"\narea = "two"\nstart = "2015-10-05T12:00:00Z"\nlasts = "1 h"'),
        ("53 min", "south", "answer",
         'conflict = "N3 and S3"\nanswer = "OBJECTS"\nclause = "3"'),
        ("57 min", "north", "acknowledge", 'conflict = "N3 and S3"'),
        ("58 min", "south", "cancel", 'operation = "S3"\nwhy = "weather"'),
        ("59 min", "north", "file",
         'operation = "N4"\narea = "three"\nstart = "2015-10-05T12:00:00Z"\nlasts = "1 h"'),
        ("60 min", "south", "file",
         'operation = "S4"\narea = "three"\nstart = "2015-10-05T12:00:00Z"\nlasts = "1 h"'),
        ("61 min", "north", "file",
         'callsign = "LATE BIRD"\noperation = "N5"\narea = "four"\nlasts = "1 h"\n' + LATE),
    )
)  # fmt: skip


def raw_parts(lines: Iterable[bytes]) -> Iterator[tuple[int, str, str, Any]]:
    """Yield time, audience, kind and value of each part, read as plain JSON; of acts the act."""
    for data in lines:
        line = json.loads(data)
        leaves = line["entry"]["leaves"] if line["line"] == "entry" else [line.get("leaf")]
        for leaf in filter(None, leaves):
            part = leaf["part"]
            value = part["data"]
            if part["kind"] == "act/1":
                value = json.loads(base64.b64decode(value["payload"]))
            yield part["at_us"], leaf["audience"], part["kind"], value
