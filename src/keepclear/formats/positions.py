# SPDX-License-Identifier: Apache-2.0
"""Tables of positions as flights: what the columns mean, for CSV and Parquet alike.

| column | what | needed |
|---|---|---|
| timestamp | time with zone: RFC 3339, or 2018-08-01 05:00:00+00:00 | yes |
| latitude, longitude | WGS 84 degrees | yes |
| icao24, callsign, id | who | one of them |
| altitude | pressure altitude in ft, or what `altitude_reference` says | this or the next |
| geoaltitude | ft above WGS 84; used only in rows without `altitude` | |
| altitude_reference | "standard", "WGS84", "QNH 1013", "QFE LLBG", "AMSL EGM96", "AGL srtm" | no |
| party, class | whose; class for separation rules | no |
| rvsm | yes or no | no |
| lateral_uncertainty, vertical_uncertainty, time_uncertainty | "0.1 NM", "100 ft", "5 s" | no |
| lateral_uncertainty_m (_nm), vertical_uncertainty_ft (_m), time_uncertainty_s | numbers | no |

1. Each (party, icao24, callsign) is a plan; `id` tells plans apart only where a row has neither.
2. A row without a height is kept: what needs the height is UNDETERMINED.
3. Rows of different plans may stand in any order; those of one plan are in order of time, no
   two at one time.
4. Heights become integer tenths of a millimetre, feet exactly (1 ft = 3048).
5. The limit of heights is 100,000 ft, as for all altitudes; times are of 1900 to 2199.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from keepclear.airspace.altitudes import HIGHEST_TMM, LOWEST_TMM, Altitude, Reference
from keepclear.formats import properties
from keepclear.formats.columns import TIME as TIMESTAMP
from keepclear.formats.columns import WHO, Booleans, Columns, Rows, texts_of
from keepclear.formats.contents import Flights, Floats, Integers, PlanName
from keepclear.formats.json_values import as_name
from keepclear.formats.tracks import EARLIEST_US, LATEST_US, order_text
from keepclear.units import TMM_PER_FOOT, TMM_PER_M, TMM_PER_NM, US_PER_S, format_time

STANDARD: Final = Altitude(height_tmm=0, reference=Reference.STANDARD)
WGS84: Final = Altitude(height_tmm=0, reference=Reference.WGS84)


@dataclass(frozen=True, kw_only=True)
class _Uncertainty:
    """One kind of uncertainty: its column of text, or columns of numbers with their unit."""

    text: str
    read: Callable[[str], float]
    numbers: Mapping[str, int]
    most: int


LATERAL: Final = _Uncertainty(
    text="lateral_uncertainty",
    read=lambda text: properties.lateral_uncertainty_m(text) * TMM_PER_M,
    numbers={"lateral_uncertainty_m": TMM_PER_M, "lateral_uncertainty_nm": TMM_PER_NM},
    most=properties.FARTHEST_TMM,
)
VERTICAL: Final = _Uncertainty(
    text="vertical_uncertainty",
    read=properties.vertical_uncertainty_tmm,
    numbers={"vertical_uncertainty_ft": TMM_PER_FOOT, "vertical_uncertainty_m": TMM_PER_M},
    most=HIGHEST_TMM,
)
TIME: Final = _Uncertainty(
    text="time_uncertainty",
    read=properties.time_uncertainty_us,
    numbers={"time_uncertainty_s": US_PER_S},
    most=properties.LONGEST_US,
)


def flights_of(columns: Columns, rows: Rows) -> tuple[Flights, ...]:
    """Return the flights in a table, none where no row is usable; faults go to `rows`."""
    _check_times(columns, rows)
    _check_places(columns, rows)
    height_tmm, datum, datums = _heights(columns, rows)
    lateral, vertical, time = (_uncertainty(columns, rows, of) for of in (LATERAL, VERTICAL, TIME))
    columns = _with_names(columns, rows)
    plan = _plans(columns, rows)
    order = np.argsort(plan, kind="stable")
    order = _in_order(order[rows.usable[order]], plan, columns.time.time_us, rows)
    for name in ("class", "rvsm"):
        order = _said_once(order, plan, columns, rows, name)
    if len(order) == 0:
        return ()
    starts = np.flatnonzero(np.diff(plan[order], prepend=-1))
    used, datum = np.unique(datum[order], return_inverse=True)
    missing = int(used[0] == -1)
    return (
        Flights(
            plans=_plan_names(columns, order, starts),
            offsets=np.append(starts, len(order)).astype(np.int64),
            time_us=columns.time.time_us[order],
            latitude_deg=columns.numbers["latitude"][order],
            longitude_deg=columns.numbers["longitude"][order],
            height_tmm=height_tmm[order], datum=datum.astype(np.int64) - missing,
            datums=tuple(datums[i] for i in used[missing:].tolist()),
            lateral_uncertainty_m=lateral[order] / TMM_PER_M,
            vertical_uncertainty_tmm=np.rint(vertical[order]).astype(np.int64),
            time_uncertainty_us=np.rint(time[order]).astype(np.int64),
        ),
    )  # fmt: skip


# --- when and where -------------------------------------------------------------------------


def _check_times(columns: Columns, rows: Rows) -> None:
    time = columns.time
    rows.refuse(~time.present & ~rows.told(TIMESTAMP), "time", TIMESTAMP, "has nothing in it",
                "give a time")  # fmt: skip
    beyond = time.present & ((time.time_us < EARLIEST_US) | (time.time_us >= LATEST_US))
    rows.refuse(beyond & ~rows.told(TIMESTAMP), "time", TIMESTAMP,
                "is outside the years 1900 to 2199", "check the unit and the year")  # fmt: skip


def _check_places(columns: Columns, rows: Rows) -> None:
    for name, limit_deg in (("latitude", 90), ("longitude", 180)):
        degrees = columns.numbers[name]
        rows.refuse(np.isnan(degrees) & ~rows.told(name), "position", name,
                    "has nothing in it, or NaN", "give degrees")  # fmt: skip
        rows.refuse(np.abs(degrees) > limit_deg, "position", name,
                    f"is beyond {limit_deg} degrees", "give WGS 84 degrees, signed",
                    _value_in(degrees))  # fmt: skip


def _value_in(column: Floats) -> Callable[[int], object]:
    return lambda i: f"{column[i]:.10g}"


def _in_order(order: Integers, plan: Integers, time_us: Integers, rows: Rows) -> Integers:
    """Return the rows without those that do not follow the latest one of their plan in time."""
    at_us, of = time_us[order], plan[order]
    same = np.append(False, of[1:] == of[:-1])
    if not np.any(same & (np.diff(at_us, prepend=at_us[:1]) <= 0)):
        return order
    times_us, rank = np.unique(at_us, return_inverse=True)
    key = of * len(times_us) + rank
    latest = np.append(-1, np.maximum.accumulate(key)[:-1])
    late = same & (key <= latest)
    before_us = {int(order[i]): int(times_us[latest[i] % len(times_us)])
                 for i in np.flatnonzero(late)}  # fmt: skip
    bad = np.zeros(len(plan), dtype=np.bool_)
    bad[order[late]] = True
    rows.refuse(bad, "order", TIMESTAMP, lambda i: order_text(int(time_us[i]), before_us[i]),
                "put the rows of each plan in order of time, each time once",
                lambda i: format_time(int(time_us[i])))  # fmt: skip
    return order[~late]


# --- how high, how sure ---------------------------------------------------------------------


def _heights(columns: Columns, rows: Rows) -> tuple[Integers, Integers, tuple[Altitude, ...]]:
    """Return heights, the datum of each (-1 for none), and the datums."""
    nothing = np.full(len(rows.numbers), np.nan)
    altitude = columns.numbers.get("altitude", nothing)
    geometric = columns.numbers.get("geoaltitude", nothing)
    datum, datums = _references(columns, rows, ~np.isnan(altitude))
    datum = np.where(np.isnan(altitude), np.where(np.isnan(geometric), -1, 1), datum)
    height_ft = np.where(datum == -1, 0.0, np.where(np.isnan(altitude), geometric, altitude))
    with np.errstate(invalid="ignore", over="ignore"):
        height = height_ft * TMM_PER_FOOT
        beyond = ~((height >= LOWEST_TMM) & (height <= HIGHEST_TMM))
    for name, of in (("altitude", ~np.isnan(altitude)), ("geoaltitude", np.isnan(altitude))):
        rows.refuse(beyond & of, "height", name, "is outside -1,640 ft to 100,000 ft",
                    "check number and unit, or leave it empty",
                    lambda i: f"{height_ft[i]:,.0f} ft")  # fmt: skip
    return np.rint(np.where(beyond, 0.0, height)).astype(np.int64), datum, datums


def _references(
    columns: Columns, rows: Rows, given: Booleans
) -> tuple[Integers, tuple[Altitude, ...]]:
    """Return what each row's `altitude` is measured from; 0 is STANDARD and 1 is WGS84."""
    texts = columns.texts.get("altitude_reference")
    if texts is None:
        return np.zeros(len(given), dtype=np.int64), (STANDARD, WGS84)
    rows.refuse(given & (texts.codes < 0), "reference", "altitude_reference",
                "is missing: a height without a reference",
                'write "standard", "WGS84" or "QNH 1013"')  # fmt: skip
    name = "altitude_reference"
    found = rows.parse(
        texts, "reference", name, lambda text: properties.parse_reference(text, name)
    )
    numbers = {STANDARD: 0, WGS84: 1}
    to_datum = [numbers.setdefault(a, len(numbers)) if a is not None else 0 for a in found]
    return np.array([*to_datum, 0], dtype=np.int64)[texts.codes], tuple(numbers)


def _uncertainty(columns: Columns, rows: Rows, of: _Uncertainty) -> Floats:
    """Return an uncertainty in tenths of a millimetre or microseconds, 0 where none is given."""
    if of.text in columns.texts:
        texts = columns.texts[of.text]
        found = rows.parse(texts, "uncertainty", of.text, of.read)
        return np.array([*(value or 0.0 for value in found), 0.0])[texts.codes]
    for name, unit in of.numbers.items():
        if name in columns.numbers:
            given = columns.numbers[name]
            value = np.where(np.isnan(given), 0.0, given) * unit
            bad = ~((value >= 0) & (value <= of.most))
            rows.refuse(bad, "uncertainty", name, "is below 0 or too large", "check the unit",
                        _value_in(given))  # fmt: skip
            return np.where(bad, 0.0, value)
    return np.zeros(len(rows.numbers))


# --- who ------------------------------------------------------------------------------------


def _with_names(columns: Columns, rows: Rows) -> Columns:
    """Return the columns with addresses in small letters; faults where a name is unprintable."""
    texts = dict(columns.texts)
    for name in (*WHO, "party", "class"):
        if name in texts:
            rows.parse(texts[name], "name", name, lambda text: as_name(text, "name"))
    for name in ("icao24", "rvsm"):
        if name in texts:
            small = [value.lower() for value in texts[name].values]
            texts[name] = texts_of(small, texts[name].codes)
    if "rvsm" in texts:
        rows.parse(texts["rvsm"], "rvsm", "rvsm", properties.yes_no)
    return replace(columns, texts=texts)


def _plans(columns: Columns, rows: Rows) -> Integers:
    """Return the number of each row's plan."""
    plan = np.zeros(len(rows.numbers), dtype=np.int64)
    unnamed = np.ones(len(plan), dtype=np.bool_)
    for name in ("party", "icao24", "callsign"):
        if name in columns.texts:
            codes = columns.texts[name].codes
            plan = _refined(plan, codes)
            unnamed &= (codes < 0) | (name == "party")
    if "id" in columns.texts:
        codes = columns.texts["id"].codes
        plan = _refined(plan, np.where(unnamed, codes, -1))
        unnamed &= codes < 0
    rows.refuse(unnamed, "name", "icao24, callsign, id", "have nothing in them: whose row is it?",
                "name the craft")  # fmt: skip
    return plan


def _refined(plan: Integers, codes: Integers) -> Integers:
    """Return plans split further by the codes, numbered from 0 without gaps."""
    if len(plan) == 0:
        return plan
    width = int(codes.max()) + 2
    key = plan * width + codes + 1
    size = int(key.max()) + 1
    if size > 4 * len(key) + 1_000_000:
        numbers: Integers = np.unique(key, return_inverse=True)[1].astype(np.int64)
        return numbers
    seen = np.zeros(size, dtype=np.bool_)
    seen[key] = True
    plans: Integers = (np.cumsum(seen) - 1)[key]
    return plans


def _said_once(
    order: Integers, plan: Integers, columns: Columns, rows: Rows, name: str
) -> Integers:
    """Refuse rows that say something else than the first row of their plan that says anything."""
    if name not in columns.texts or len(order) == 0:
        return order
    texts = columns.texts[name]
    said = order[texts.codes[order] >= 0]
    of, first = np.unique(plan[said], return_index=True)
    expected = np.full(int(plan.max()) + 1, -1, dtype=np.int64)
    expected[of] = texts.codes[said[first]]
    bad = np.zeros(len(plan), dtype=np.bool_)
    bad[said] = texts.codes[said] != expected[plan[said]]
    rows.refuse(bad, name, name, lambda i: f"was {texts.values[expected[plan[i]]]!r} before in this"
                " plan", "say the same in all rows of a plan",
                lambda i: texts.values[texts.codes[i]])  # fmt: skip
    return order[~bad[order]]


def _plan_names(columns: Columns, order: Integers, starts: Integers) -> tuple[PlanName, ...]:
    first = order[starts]
    party, icao24, callsign, identity = (
        _said(columns, name, first) for name in ("party", "icao24", "callsign", "id")
    )
    category, rvsm = (_said_by_plan(columns, name, order, starts) for name in ("class", "rvsm"))
    return tuple(
        PlanName(
            name=callsign[i] or icao24[i] or identity[i] or "",
            key=" ".join(part for part in (icao24[i], callsign[i]) if part) or identity[i] or "",
            craft=icao24[i] or "",
            party=party[i],
            category=category[i] or "",
            rvsm=None if rvsm[i] is None else properties.yes_no(rvsm[i] or ""),
        )
        for i in range(len(starts))
    )


def _said(columns: Columns, name: str, at: Integers) -> list[str | None]:
    """Return what a column of text says in some rows."""
    if name not in columns.texts:
        return [None] * len(at)
    texts = columns.texts[name]
    values = (*texts.values, None)
    return [values[code] for code in texts.codes[at].tolist()]


def _said_by_plan(
    columns: Columns, name: str, order: Integers, starts: Integers
) -> list[str | None]:
    """Return what each plan says in a column; its rows say one thing or nothing (code -1)."""
    if name not in columns.texts:
        return [None] * len(starts)
    codes = columns.texts[name].codes[order]
    values = (*columns.texts[name].values, None)
    highest = np.maximum.reduceat(codes, starts)
    return [values[code] for code in highest.tolist()]
