# SPDX-License-Identifier: Apache-2.0
"""What a post reads of STOPs and SAR cases: its own, those it was told of, where to keep out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from keepclear.agreement.emergencies import Phase
from keepclear.agreement.quantities import lateral_text
from keepclear.exchange.events import KeepOutsChanged, StandingCarried, StopChanged
from keepclear.exchange.objects import KeepOuts
from keepclear.exchange.world import stood
from keepclear.line.stops import Area, Called, Stands
from keepclear.plans.stops import State, Stop
from keepclear.record.entries import Part
from keepclear.record.files import LeafLine
from keepclear.reports.play_values import day_of, listed, window
from keepclear.reports.printable import printable
from keepclear.reports.texts import position_text
from keepclear.units import format_time, nautical_miles

SHORT: Final = 8
LABEL: Final = 12
WIDE: Final = 72
LEAF: Final = b'{"line":"leaf"'
KINDS: Final[Mapping[str, type[StopChanged | KeepOutsChanged | StandingCarried]]] = {
    "stop-changed/1": StopChanged, "keep-outs-changed/1": KeepOutsChanged,
    "standing-carried/1": StandingCarried,
}  # fmt: skip
UNCONFIRMED: Final = (
    "UNCONFIRMED: its sender has not said that it still holds; keep out all the same"
)
WORDS: Final = {
    Stands.IN_FORCE: "in force", Stands.UNCONFIRMED: UNCONFIRMED,
    Stands.FOLLOWED: "followed: a later message says how it stands, and where to keep out",
    Stands.ENDED: "has ended; nobody need keep out any more",
}  # fmt: skip


MEANS: Final = {
    Phase.INCERFA: "uncertainty", Phase.ALERFA: "alert", Phase.DETRESFA: "distress",
}  # fmt: skip


class Held(NamedTuple):
    """What a party's own copy holds.

    stops: its own STOPs and SAR cases, by id; keep_outs: where its operations must keep out.
    """

    stops: dict[str, Stop]
    keep_outs: dict[str, tuple[Area, ...]]


def read_stops(lines: Iterable[bytes]) -> Held:
    """Return what the lines of a party's file hold."""
    held = Held({}, {})
    for line in lines:
        if not line.startswith(LEAF):
            continue
        leaf = msgspec.json.decode(line, type=LeafLine).leaf
        part = msgspec.json.decode(leaf.part, type=Part)
        if part.kind in KINDS:
            _take(held, msgspec.json.decode(part.data, type=KINDS[part.kind]))
    return held


def _take(held: Held, event: StopChanged | KeepOutsChanged | StandingCarried) -> None:
    match event:
        case StopChanged(stop=stop):
            held.stops[stop.id] = stop
        case KeepOutsChanged(id=own, areas=areas):
            held.keep_outs[own] = areas
        case StandingCarried(table="stops" | "keep_outs", key=own):
            value = stood(event)
            if isinstance(value, Stop):
                held.stops[own] = value
            elif isinstance(value, KeepOuts):
                held.keep_outs[own] = value.areas
        case _:
            pass


def area_rows(area: Area, day: str) -> Iterator[tuple[str, str]]:
    """Yield an area in words. day: as of `window`."""
    corners = (area.south_deg, area.west_deg), (area.north_deg, area.east_deg)
    yield "keep out of", " to ".join(position_text(*each) for each in corners)
    lower = "any height" if area.lower is None else area.lower.text()
    upper = "any height" if area.upper is None else area.upper.text()
    yield "heights", f"{lower} to {upper}"
    yield "when", window(area.from_us, area.to_us, day)


def called_rows(called: Called, day: str) -> Iterator[tuple[str, str]]:
    """Yield how a STOP or a SAR case stands for those who were told of it.

    Of what is followed no area: it is of no use any more where to keep out was.
    """
    yield name_of(called), how_text(called)
    if called.sar is not None:
        yield from within_rows(called.sar.within_m)
    if called.stands is not Stands.FOLLOWED:
        yield from area_rows(called.area, day)


def name_of(called: Called) -> str:
    """Return what keeps others out: STOP, or SAR."""
    return "STOP" if called.sar is None else "SAR"


def how_text(called: Called) -> str:
    """Return how a STOP stands; of a SAR case its phase and what is in danger, too."""
    stands, sar = WORDS[called.stands], called.sar
    return stands if sar is None else f"{phase_text(sar.phase)}, {sar.what} in danger; {stands}"


def within_rows(far_m: int | None) -> Iterator[tuple[str, str]]:
    """Yield how far from the position that is told those in danger may be."""
    if far_m is not None:
        yield "within", f"{far_m:,} m ({nautical_miles(far_m):.1f} NM) of the position"


def phase_text(phase: Phase) -> str:
    """Return a phase with what its code means."""
    return f"{phase} ({MEANS[phase]})"


def called_text(called: Called, now_us: int) -> str:
    """Return a STOP that one was told of, in a sentence."""
    rows = dict(area_rows(called.area, day_of(now_us)))
    where = ", ".join(rows.values())
    return f"{name_of(called)}, {how_text(called)}; {where}"


def framed(rows: Iterable[str], called: Called) -> Iterator[str]:
    """Yield the lines of a message, between two bars where its STOP or SAR case stands."""
    if not called.is_standing:
        yield from rows
        return
    phase = "" if called.sar is None else f"{called.sar.phase} "
    bar = f" {name_of(called)} {phase}".center(WIDE, "#")
    yield bar
    yield from rows
    yield bar


def stop_changed_text(stop: Stop) -> str:
    """Return how one's own STOP or SAR case stands, in a sentence.

    What is to be done begins with URGENT.
    """
    name = f"{own_name(stop)} to {listed(list(stop.to))}"
    by = "" if stop.next_us is None else f"{format_time(stop.next_us)[11:19]}Z"
    ends = "end" if stop.sar is None else "close"
    until = "" if stop.sar is None else f" until {format_time(stop.volume.end_us)[:19]}Z"
    match stop.state:
        case State.ACTIVE:
            ends = ", or it ends" if stop.sar is None else ""
            return (
                f"{name} is in force{until}, grown by {lateral_text(stop.grown_tmm)}; at {by} you "
                f"are asked whether it still holds{ends}"
            )
        case State.ASKED:
            return (
                f"URGENT: {name}: does it still hold? Renew or {ends} it by {by}; it is then "
                "unconfirmed, and protects all the same"
            )
        case State.UNCONFIRMED:
            return (
                f"URGENT: {name} is unconfirmed, and protects all the same{until}; renew it, or "
                f"{ends} it"
            )
        case _:
            return f"{name} has ended"


def own_name(stop: Stop) -> str:
    """Return what one's own STOP or SAR case is called, by how its id begins."""
    short = stop.id[:SHORT]
    if stop.sar is None:
        return f"STOP {short}"
    return f"SAR case {short} ({stop.sar.phase}, {stop.sar.what})"


def own_stops_text(stops: Iterable[Stop]) -> list[str]:
    """Return how one's own STOPs stand that have not ended; nothing where there are none."""
    going_on = [each for each in stops if each.is_protecting]
    return ["", *map(stop_changed_text, going_on)] if going_on else []


def told_first(
    head: str, party: str, said: tuple[str, str], grown_tmm: int, *rows: tuple[str, str],
    is_place_told: bool = False,
) -> list[str]:  # fmt: skip
    """Return what each will learn of a STOP or SAR case, before it is sent.

    said: the text, and the language that it is in; grown_tmm: by how much its volume is grown;
    rows: what those named learn beside it, with is_place_told the very place, too.
    """
    text, language = said
    grown = lateral_text(grown_tmm)
    place = "the place, to all others" if is_place_told else "the volume as you gave it"
    all_rows = [
        ("grown by", f"{grown} on every side, upward and downward too"),
        ("they read", f'"{printable(text)}" ({language}), and that {party} says so'),
        *rows,
        (
            "all others",
            f"whose operations come within {grown} of it, now or later, learn that they",
        ),
        ("", "must keep out of this area at these times, and not from whom or why"),
        ("not told", f"{place}; who else is named; and to you, who must keep out"),
    ]
    return [head, *(f"  {label:<{LABEL}}{each}" for label, each in all_rows), ""]


def keep_outs_changed_text(event: KeepOutsChanged, at_us: int) -> str:
    """Return where an operation must keep out from now on."""
    if not event.areas:
        return f"operation {event.id[:SHORT]} need keep out of nowhere any more"
    return f"URGENT: {'; '.join(_keep_out(event.id, each, day_of(at_us)) for each in event.areas)}"


def keep_outs_text(
    keep_outs: Mapping[str, tuple[Area, ...]], now_us: int, of: Iterable[str]
) -> list[str]:
    """Return where some operations must keep out, a line for each area."""
    wanted = set(of)
    found = [
        f"KEEP OUT: {_keep_out(own, each, day_of(now_us))}"
        for own, areas in keep_outs.items() if own in wanted
        for each in areas
    ]  # fmt: skip
    return [*found, ""] if found else []


def _keep_out(operation: str, area: Area, day: str) -> str:
    rows = dict(area_rows(area, day))
    return (
        f"operation {operation[:SHORT]} must keep out of {rows['keep out of']}, {rows['heights']}, "
        f"{rows['when']}"
    )
