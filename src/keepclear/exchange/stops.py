# SPDX-License-Identifier: Apache-2.0
"""What acts on STOPs do: sent, renewed, ended; and what comes of them by time.

1. The act, with the volume as it was sent and all who are named, is for its sender alone. Each
   party named gets a message of its own, with the area to be kept clear of (`keep_outs.area_of`)
   and the text, and learns nothing of the others.
2. Every operation of another party that meets the grown volume is told to keep out, whether its
   party is named or not; who sent the STOP is told of none.
3. Only its sender renews or ends it. Nobody's silence does: its time is what its sender gave.
4. Its area-hours count with no filing: what a party calls within a day is capped by itself.
"""

from typing import Final

from msgspec.structs import replace

from keepclear.airspace.footprints import footprint_km2
from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding, area_caps
from keepclear.exchange.events import MessageChanged, StopChanged
from keepclear.exchange.keep_outs import area_of, look
from keepclear.exchange.messages import channels, check_receiver, send_stop
from keepclear.exchange.operations import Refused
from keepclear.exchange.rechecking import accept
from keepclear.exchange.rounding import Box, pieces_of
from keepclear.line.messages import FLIGHT_SAFETY
from keepclear.line.stops import Area, Called, Stands
from keepclear.plans.stops import (
    ASKED_US,
    HOUR_US,
    MOST,
    RENEWED_US,
    EndStop,
    RenewStop,
    SendStop,
    State,
    Stop,
    grown,
    stop_volume,
    takes_km2h,
)
from keepclear.record.headers import Act
from keepclear.units import format_time

DAY_US: Final = 24 * HOUR_US
STANDS: Final = {
    State.ACTIVE: Stands.IN_FORCE, State.ASKED: Stands.IN_FORCE,
    State.UNCONFIRMED: Stands.UNCONFIRMED, State.ENDED: Stands.ENDED,
}  # fmt: skip


def send(deciding: Deciding, act: Act, payload: SendStop) -> None:
    """Tell each party that is named, and every operation of others that meets it."""
    to = tuple(sorted(set(payload.to)))
    for party in to:
        check_receiver(deciding, act, party)
        if FLIGHT_SAFETY not in channels(deciding, act.party, party):
            raise InputError(
                "to", party, f"has no channel {FLIGHT_SAFETY} with {act.party} now",
                "send it as URGENT over a channel that is open, or as distress/1",
            )  # fmt: skip
    volume, now_us = stop_volume(payload, deciding.now_us), deciding.now_us
    stop_id = deciding.ids.id()
    made = Stop(
        id=stop_id, act=act.id, party=act.party, status=act.status, to=to, volume=volume,
        messages=tuple([deciding.ids.id() for _ in to]), sent_us=deciding.filed_us, takes_km2h=0,
        state=State.ACTIVE, next_us=min(now_us + RENEWED_US, volume.end_us),
    )  # fmt: skip
    area = area_of(made)
    made = replace(made, takes_km2h=_takes(area))
    _check_metered(deciding, made)
    deciding.near.put(made.status, grown(stop_id, act.party, volume))  # who comes near it
    near_it = deciding.near.near(stop_id)
    deciding.near.drop(stop_id)
    deciding.emit([act.party], StopChanged(stop=made))
    called = Called(area=area, stands=STANDS[made.state])
    for party, message_id in zip(to, made.messages, strict=True):
        send_stop(deciding, act, party, message_id, payload.text, payload.language, called)
    for each in sorted(near_it):
        look(deciding, deciding.world.operations[each])


def renew(deciding: Deciding, act: Act, payload: RenewStop) -> None:
    """Take that a STOP still holds."""
    old = _own(deciding, act, payload.id)
    next_us = min(deciding.now_us + RENEWED_US, old.volume.end_us)
    _change(deciding, old, State.ACTIVE, next_us)


def end(deciding: Deciding, act: Act, payload: EndStop) -> None:
    """End a STOP; all who were told of it are told."""
    _end(deciding, _own(deciding, act, payload.id))


def fall_due(deciding: Deciding, stop: Stop) -> None:
    """Ask whether a STOP still holds, say that nobody answered, or let it end at its time."""
    now_us, end_us = deciding.now_us, stop.volume.end_us
    if stop.next_us is None or stop.next_us > now_us:
        return
    if end_us <= now_us:
        _end(deciding, stop)
    elif stop.state is State.ACTIVE:
        _change(deciding, stop, State.ASKED, min(now_us + ASKED_US, end_us))
    else:
        _change(deciding, stop, State.UNCONFIRMED, end_us)


def _end(deciding: Deciding, stop: Stop) -> None:
    """Let a STOP be over, and with it what was to keep out of it."""
    _change(deciding, stop, State.ENDED, None)
    for each in sorted(deciding.world.keep_outs):
        look(deciding, deciding.world.operations[each])
        accept(deciding, each)


def _change(deciding: Deciding, old: Stop, state: State, next_us: int | None) -> None:
    """Let a STOP stand otherwise; those named are told where it is otherwise for them."""
    deciding.emit([old.party], StopChanged(stop=replace(old, state=state, next_us=next_us)))
    for each in old.messages:
        message = deciding.world.messages[each]
        if message.stop is not None and message.stop.stands is not STANDS[state]:
            called = replace(message.stop, stands=STANDS[state])
            deciding.emit(
                message.parties, MessageChanged(message=replace(message, stop=called))
            )  # fmt: skip


def _own(deciding: Deciding, act: Act, stop_id: str) -> Stop:
    """Return a STOP that goes on, of who acts; one error for all that is not."""
    found = deciding.world.stops.get(stop_id)
    if found is None or (found.party, found.status) != (act.party, act.status):
        raise InputError("stop", stop_id, f"is no STOP of {act.party}", "see your own STOPs")
    if not found.is_protecting:
        raise Refused(
            f"stop {found.id[:8]}: has ended, at {format_time(found.volume.end_us)[:19]}Z or "
            "before; send another where one is needed"
        )
    return found


def _takes(area: Area) -> int:
    """Return the area-hours of what others are told."""
    box = Box(
        south_deg=area.south_deg, west_deg=area.west_deg, north_deg=area.north_deg,
        east_deg=area.east_deg,
    )  # fmt: skip
    return takes_km2h(footprint_km2(pieces_of(box)), area.from_us, area.to_us)


def _check_metered(deciding: Deciding, made: Stop) -> None:
    """Refuse a STOP past what a party may call at a time, alone or in a day."""
    own = [each for each in deciding.world.stops.values() if each.party == made.party]
    if sum(each.is_protecting for each in own) >= MOST:
        raise Refused(
            f"stop: {MOST} of {made.party} have not ended, and {MOST} is the most at a time; end "
            "one, or send distress/1 where lives are in danger"
        )
    taken = sum(each.takes_km2h for each in own if each.sent_us > deciding.now_us - DAY_US)
    takes = made.takes_km2h
    for says, one, day in area_caps(deciding.world, made.party):
        if takes > one:
            raise Refused(
                f"stop of {takes:,} km2h, grown and rounded: above {one:,} km2h, which {says} "
                "allows one; make it smaller or shorter, or send distress/1"
            )
        if taken + takes > day:
            raise Refused(
                f"stop of {takes:,} km2h, with {taken:,} called within a day: above {day:,} km2h, "
                f"which {says} allows one party in a day; make it smaller or shorter, or send "
                "distress/1"
            )
