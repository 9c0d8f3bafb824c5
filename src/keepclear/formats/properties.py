# SPDX-License-Identifier: Apache-2.0
"""What a feature says about itself beside its shape: who, when, how high, how sure.

GeoJSON has these as `properties`, KML as `ExtendedData`; the names are the same in both.
Each function reads one of them and raises `InputError` with its name as the path.

| name | what | example |
|---|---|---|
| id, name, callsign | who; features with one id are one plan | "OP-7" |
| party, class | whose, and the class for separation rules | "north" |
| rvsm | approved for RVSM | "yes" or "no" |
| lower, upper | limits of an area; GND, SFC and UNL are no limit | "500 ft AGL" |
| start, end | window of an area, RFC 3339 | "2026-05-01T10:00:00Z" |
| radius, width | of a circle or orbit; of a corridor | "5 NM" |
| times | one a position of a line | ["2026-05-01T10:00:00Z", ...] |
| speed, departure | ground speed along a line, and when it starts | "450 kt" |
| altitude | height of a whole flight | "FL240" |
| altitude_reference | what third coordinates, in metres, are measured from | "AMSL EGM96" |
| edge | geodesic, rhumb, planar (also: parallel) | "geodesic" |
| lateral_uncertainty, vertical_uncertainty, time_uncertainty | | "0.1 NM" |
"""

from typing import Final

from keepclear.airspace.altitudes import HIGHEST_TMM, Altitude, parse_altitude
from keepclear.airspace.positions import Edge
from keepclear.errors import InputError
from keepclear.formats.contents import PlanName
from keepclear.formats.faults import shown
from keepclear.formats.json_values import Json, Object, as_name, as_text, member
from keepclear.formats.tracks import Uncertainty, read_moment_us
from keepclear.units import TMM_PER_M, parse_duration_us, parse_length_tmm

KNOWN: Final = frozenset(
    {"id", "name", "callsign", "party", "class", "rvsm", "lower", "upper", "start", "end",
     "radius", "width", "times", "speed", "departure", "altitude", "altitude_reference", "edge",
     "lateral_uncertainty", "vertical_uncertainty", "time_uncertainty"}
)  # fmt: skip
FARTHEST_TMM: Final = 10_000_000 * TMM_PER_M  # from pole to equator
LONGEST_US: Final = 24 * 3_600 * 1_000_000
NO_LOWER: Final = frozenset({"GND", "SFC"})
NO_UPPER: Final = frozenset({"UNL", "UNLIMITED"})
EDGES: Final = {
    "geodesic": Edge.GEODESIC, "rhumb": Edge.RHUMB, "planar": Edge.PLANAR, "parallel": Edge.PLANAR,
}  # fmt: skip
YES_NO: Final = {"yes": True, "no": False, "true": True, "false": False}


def plan_name(properties: Object, feature_id: str | None, path: str) -> PlanName:
    """Return who a feature is; its path stands in where it has no id."""
    identity = optional_name(properties, "id") or feature_id
    callsign = optional_name(properties, "callsign") or optional_name(properties, "name")
    return PlanName(
        name=callsign or identity or path,
        key=identity or path,
        is_named=bool(callsign or optional_name(properties, "id")),
        party=optional_name(properties, "party"),
        category=optional_name(properties, "class") or "",
        rvsm=_rvsm(properties),
    )


def optional_name(properties: Object, name: str) -> str | None:
    """Return a printable name, None where there is none; a whole number is taken as text."""
    value = properties.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return as_name(value, name)


def _rvsm(properties: Object) -> bool | None:
    value = properties.get("rvsm")
    if value is None or isinstance(value, bool):
        return value
    return yes_no(as_text(value, "rvsm"))


def yes_no(text: str) -> bool:
    """Read "yes" or "no"."""
    answer = text.strip().lower()
    if answer not in YES_NO:
        raise InputError("rvsm", text, "is not yes or no", "write yes or no")
    return YES_NO[answer]


def lower_limit(properties: Object) -> Altitude | None:
    """Return the lower limit, None for no limit."""
    return _limit(properties, "lower", NO_LOWER)


def upper_limit(properties: Object) -> Altitude | None:
    """Return the upper limit, None for no limit."""
    return _limit(properties, "upper", NO_UPPER)


def _limit(properties: Object, name: str, no_limit: frozenset[str]) -> Altitude | None:
    text = _optional_text(properties, name)
    if text is None or text.strip().upper() in no_limit:
        return None
    return parse_altitude(text, name)


def flight_altitude(properties: Object) -> Altitude | None:
    """Return the height of a whole flight, None where none is given."""
    text = _optional_text(properties, "altitude")
    return None if text is None else parse_altitude(text, "altitude")


def altitude_reference(properties: Object) -> Altitude | None:
    """Return what third coordinates are measured from, as an altitude of 0."""
    text = _optional_text(properties, "altitude_reference")
    return None if text is None else parse_reference(text, "altitude_reference")


def parse_reference(text: str, path: str) -> Altitude:
    """Read "standard", "WGS84", "QNH 1013", "AMSL EGM96" as an altitude of 0."""
    try:
        return parse_altitude(f"0 ft {text.strip()}", path)
    except InputError:
        raise InputError(
            path, text, "is no reference of heights",
            'write "standard", "WGS84", "QNH 1013", "QFE LLBG", "AMSL EGM96" or "AGL srtm"',
        ) from None  # fmt: skip


def moment_us(properties: Object, name: str) -> int:
    """Return a time that must be there: start, end or departure."""
    value = member(properties, name, "", "add it, as 2026-05-01T10:00:00Z")
    return read_moment_us(as_text(value, name), name)


def length_tmm(properties: Object, name: str) -> int:
    """Return a length that must be there, above 0 and below 10,000 km."""
    value = as_text(member(properties, name, "", 'add it, as "5 NM"'), name)
    return _positive_length(value, name)


def _positive_length(text: str, name: str) -> int:
    parsed_tmm = parse_length_tmm(text, name)
    if not 0 < parsed_tmm <= FARTHEST_TMM:
        raise InputError(name, text, "is not above 0 and at most 10,000 km", "check the unit")
    return parsed_tmm


def edge_of(properties: Object) -> Edge | None:
    """Return the edge that is declared, None where none is."""
    text = _optional_text(properties, "edge")
    if text is None:
        return None
    if text.strip().lower() not in EDGES:
        raise InputError("edge", text, f"is not one of {', '.join(EDGES)}", 'write "geodesic"')
    return EDGES[text.strip().lower()]


def uncertainty_of(properties: Object) -> Uncertainty:
    """Return the uncertainty that is declared; nothing declared is 0."""
    lateral, vertical, time = (
        _optional_text(properties, f"{name}_uncertainty")
        for name in ("lateral", "vertical", "time")
    )
    return Uncertainty(
        lateral_m=lateral_uncertainty_m(lateral) if lateral else 0.0,
        vertical_tmm=vertical_uncertainty_tmm(vertical) if vertical else 0,
        time_us=time_uncertainty_us(time) if time else 0,
    )


def lateral_uncertainty_m(text: str) -> float:
    """Read "0.1 NM"; at most 10,000 km."""
    name = "lateral_uncertainty"
    return _within(parse_length_tmm(text, name), FARTHEST_TMM, text, name) / TMM_PER_M


def vertical_uncertainty_tmm(text: str) -> int:
    """Read "100 ft"; at most 100,000 ft."""
    name = "vertical_uncertainty"
    return _within(parse_length_tmm(text, name), HIGHEST_TMM, text, name)


def time_uncertainty_us(text: str) -> int:
    """Read "5 s"; at most 24 h."""
    name = "time_uncertainty"
    return _within(parse_duration_us(text, name), LONGEST_US, text, name)


def _within(value: int, most: int, text: str, name: str) -> int:
    if not 0 <= value <= most:
        raise InputError(name, text, "is below 0 or too large", "check the unit")
    return value


def _optional_text(properties: Object, name: str) -> str | None:
    value: Json = properties.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise InputError(name, shown(value), "has no unit", 'write text: "5 NM", "500 ft AGL"')
    return as_text(value, name)
