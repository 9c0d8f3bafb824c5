# SPDX-License-Identifier: Apache-2.0
"""Traces of one aircraft's day as readsb and tar1090 write them (trace_full_<hex>.json).

Layout after wiedehopf/readsb, README-json.md, "trace jsons" (read in 2026):

    icao        hex address
    timestamp   seconds since 1970 UTC, of which the offsets below count
    trace       [ [ 0  seconds after timestamp
                    1  latitude, degrees
                    2  longitude, degrees
                    3  altitude in ft on 1013.25 hPa, "ground", or null
                    4  ground speed, kt          (not read)
                    5  track, degrees            (not read)
                    6  flags: 1 position is stale (nothing received for 20 s before this one)
                              2 start of a new leg
                              4 vertical rate is geometric (not read)
                              8 altitude (3) is geometric: above WGS 84
                    7  vertical rate, ft/min     (not read)
                    8  object with more, or null: flight (callsign), alt_geom
                    9  source of the position    (not read)
                    10 geometric altitude in ft above WGS 84, or null; files since 2022
                    11..13                       (not read) ], ... ]

1. A leg is a plan, named for the first callsign heard in it. Nothing joins two legs.
2. "ground" is 0 ft above ground level, which compares with nothing: UNDETERMINED, not dropped.
3. The geometric altitude stands in only where the barometric one is null.
4. A stale position with the time of the position before or after it gives way to that one, and
   a note counts them; any other is used as it stands.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.positions import Position
from keepclear.airspace.trajectories import TimedPoint, Trajectory
from keepclear.errors import InputError
from keepclear.formats.contents import Contents, PlanName
from keepclear.formats.faults import Faults, shown
from keepclear.formats.json_values import (
    Json,
    Object,
    as_list,
    as_name,
    as_number,
    as_object,
    decode_json,
    member,
)
from keepclear.formats.tracks import Track, Uncertainty, check_time_us, order_text, pack
from keepclear.units import TMM_PER_FOOT, US_PER_S

FEWEST_FIELDS: Final = 7
STALE: Final = 1
NEW_LEG: Final = 2
GEOMETRIC: Final = 8
ON_GROUND: Final = Altitude(height_tmm=0, reference=Reference.AGL)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the trace."""

    number: int
    point: TimedPoint
    flags: int
    callsign: str | None


def read_readsb(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the legs in a trace."""
    faults = Faults(file, lenient=lenient)
    return contents_of(decode_json(content, faults), faults)


def is_readsb(document: Json) -> bool:
    """Tell whether a JSON document looks like a trace."""
    return isinstance(document, dict) and "trace" in document


def contents_of(document: Json, faults: Faults) -> Contents:
    """Return the legs in a document."""
    trace = faults.trial("trace", "", as_object, document, "document") or {}
    icao24 = faults.trial("trace", "", _icao24, trace)
    base_us = faults.trial("trace", "", _base_us, trace)
    entries = faults.trial("trace", "", _entries, trace)
    if icao24 is None or base_us is None or entries is None:
        raise faults.fatal("trace", limit="is no trace that can be followed", way_out="see above")
    found = [
        faults.trial("row", f"trace[{i}]", _row, i, entry, base_us)
        for i, entry in enumerate(entries)
    ]
    legs: list[list[_Row]] = []
    given_way = 0
    new_leg = True
    for i, row in enumerate(found):
        new_leg = new_leg or _flags_of(entries[i]) & NEW_LEG != 0
        if row is None:
            continue
        if new_leg:
            legs.append([])
            new_leg = False
        given_way += _append(legs[-1], row, faults)
    left_out = faults.settle()
    tracks = [_track(icao24, i, leg) for i, leg in enumerate(legs)]
    notes = ["a leg of the trace is a plan: nothing joins two legs"] if len(tracks) > 1 else []
    if given_way:
        notes.append(f"stale positions that gave way to another at the same time: {given_way}")
    return Contents(file=faults.file, flights=pack(tracks), notes=tuple(notes), left_out=left_out)


def _append(leg: list[_Row], row: _Row, faults: Faults) -> int:
    """Add a row to its leg where it follows in time; return how many stale rows gave way."""
    if not leg or row.point.time_us > leg[-1].point.time_us:
        leg.append(row)
        return 0
    if row.point.time_us == leg[-1].point.time_us:
        if row.flags & STALE:
            return 1
        if leg[-1].flags & STALE:
            leg[-1] = row
            return 1
    faults.add(
        "order", column=f"trace[{row.number}][0]",
        limit=order_text(row.point.time_us, leg[-1].point.time_us),
        way_out="put the positions in order of time",
    )  # fmt: skip
    return 0


def _track(icao24: str, number: int, leg: Sequence[_Row]) -> Track:
    callsign = next((row.callsign for row in leg if row.callsign), None)
    who = f"{icao24} {callsign}" if callsign else icao24
    plan = PlanName(name=callsign or icao24, key=f"{who} leg {number + 1}")
    trajectory = Trajectory(points=tuple(row.point for row in leg))
    return Track(plan=plan, trajectory=trajectory, uncertainty=Uncertainty())


def _icao24(trace: Object) -> str:
    return as_name(member(trace, "icao", "", "add the address"), "icao").lower()


def _base_us(trace: Object) -> int:
    seconds = as_number(member(trace, "timestamp", "", "add the start"), "timestamp")
    return check_time_us(round(seconds * US_PER_S), "timestamp")


def _entries(trace: Object) -> list[Json]:
    entries = as_list(member(trace, "trace", "", "add the positions"), "trace")
    if not entries:
        raise InputError("trace", None, "holds no position", "check that it was written")
    return entries


def _flags_of(entry: Json) -> int:
    """Return the flags of an entry that may have faults: a new leg is one all the same."""
    if isinstance(entry, list) and len(entry) >= FEWEST_FIELDS and isinstance(entry[6], int):
        return entry[6]
    return 0


def _row(number: int, entry: Json, base_us: int) -> _Row:
    fields = as_list(entry, "")
    if len(fields) < FEWEST_FIELDS:
        raise InputError("", len(fields), "fields are no position", "give 7 or more")
    offset_us = round(as_number(fields[0], "[0]") * US_PER_S)
    flags = fields[6]
    if isinstance(flags, bool) or not isinstance(flags, int):
        raise InputError("[6]", shown(flags), "is no set of flags", "give a whole number")
    more = {} if len(fields) < 9 or fields[8] is None else as_object(fields[8], "[8]")
    position = Position(
        latitude_deg=_degrees(fields[1], 90, "[1]"), longitude_deg=_degrees(fields[2], 180, "[2]")
    )
    point = TimedPoint(
        time_us=check_time_us(base_us + offset_us, "[0]"), position=position,
        altitude=_altitude(fields, flags, more),
    )  # fmt: skip
    return _Row(number=number, point=point, flags=flags, callsign=_callsign(more))


def _degrees(value: Json, limit_deg: int, path: str) -> float:
    degrees = as_number(value, path)
    if abs(degrees) > limit_deg:
        raise InputError(path, degrees, f"is beyond {limit_deg} degrees", "give WGS 84 degrees")
    return degrees


def _callsign(more: Object) -> str | None:
    flight = more.get("flight")
    if not isinstance(flight, str) or not flight.strip():
        return None
    return as_name(flight, "[8].flight")


def _altitude(fields: Sequence[Json], flags: int, more: Object) -> Altitude | None:
    if fields[3] == "ground":
        return ON_GROUND
    if fields[3] is not None:
        reference = Reference.WGS84 if flags & GEOMETRIC else Reference.STANDARD
        return _height(fields[3], reference, "[3]")
    geometric = fields[10] if len(fields) > 10 else more.get("alt_geom")
    return None if geometric is None else _height(geometric, Reference.WGS84, "[10]")


def _height(value: Json, reference: Reference, path: str) -> Altitude:
    height_tmm = round(as_number(value, path) * TMM_PER_FOOT)
    try:
        return Altitude(height_tmm=height_tmm, reference=reference)
    except InputError as error:
        raise InputError(path, error.value, error.limit, error.way_out) from None
