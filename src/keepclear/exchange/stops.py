# SPDX-License-Identifier: Apache-2.0
"""What acts on STOPs do: sent, renewed, ended; and what comes of them by time.

1. The act, with the volume as it was sent and all who are named, is for its sender alone. Each
   party named gets a message of its own, with the area to be kept clear of (`keep_outs.area_of`)
   and the text, and learns nothing of the others.
2. Every operation of another party that meets the grown volume is told to keep out, whether its
   party is named or not; who sent the STOP is told of none.
3. Only its sender renews or ends it. Nobody's silence does: its time is what its sender gave, up
   to the end of what others are told of it, so that none of them sees a finer one.
4. Its area-hours count with no filing: what a party calls within a day is capped by itself, and
   what was agreed to be wider than 5 km takes nothing of that.
5. SAR cases (`sar`) go the same way, but for channels and caps, which stop no cry for help.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from keepclear.airspace.footprints import footprint_km2
from keepclear.airspace.volumes import Volume4D
from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding, area_caps
from keepclear.exchange.events import MessageChanged, StopChanged
from keepclear.exchange.keep_outs import area_of, area_told, look, told_until_us
from keepclear.exchange.messages import Telling, channels, check_receiver, send_called
from keepclear.exchange.operations import Refused
from keepclear.exchange.rechecking import accept
from keepclear.exchange.rounding import Box, pieces_of
from keepclear.line.messages import FLIGHT_SAFETY, Message
from keepclear.line.stops import Called, Sar, Stands
from keepclear.plans.sar import Case
from keepclear.plans.stops import (
    ASKED_US,
    DEFAULT_GROWN_TMM,
    HOUR_US,
    MOST,
    RENEWED_US,
    EndStop,
    RenewStop,
    SendStop,
    State,
    Stop,
    claim_of_stop,
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
    to = named_in(deciding, act, payload.to)
    for party in to:
        if FLIGHT_SAFETY not in channels(deciding, act.party, party):
            raise InputError(
                "to", party, f"has no channel {FLIGHT_SAFETY} with {act.party} now",
                "send it as URGENT over a channel that is open, or as distress/1",
            )  # fmt: skip
    volume = stop_volume(payload.volume, deciding.now_us)
    made = begun(deciding, act, to, volume)
    _check_metered(deciding, made)
    call(deciding, act, made, Telling(payload.text, payload.language))


def named_in(deciding: Deciding, act: Act, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parties that are named, each once, in order; refuse who cannot be told."""
    to = tuple(sorted(set(given)))
    for party in to:
        check_receiver(deciding, act, party)
    return to


def begun(
    deciding: Deciding, act: Act, to: tuple[str, ...], volume: Volume4D, sar: Case | None = None
) -> Stop:  # fmt: skip
    """Return a STOP or SAR case as it begins."""
    made = Stop(
        id=deciding.ids.id(), act=act.id, party=act.party, status=act.status, to=to, volume=volume,
        messages=message_ids(deciding, to), sent_us=deciding.filed_us, takes_km2h=0,
        state=State.ACTIVE, next_us=asked_us(deciding, volume),
        grown_tmm=deciding.stop_tmm(act.party), sar=sar,
    )  # fmt: skip
    return with_area_hours(made)


def with_area_hours(stop: Stop) -> Stop:
    """Return a STOP or SAR case with the area-hours of what others are told of it.

    Grown by no more than without a clause: what was agreed to be wider keeps nobody from calling.
    """
    area = area_told(stop.volume, min(stop.grown_tmm, DEFAULT_GROWN_TMM))
    box = Box(
        south_deg=area.south_deg, west_deg=area.west_deg, north_deg=area.north_deg,
        east_deg=area.east_deg,
    )  # fmt: skip
    taken = takes_km2h(footprint_km2(pieces_of(box)), area.from_us, area.to_us)
    return replace(stop, takes_km2h=taken)


def message_ids(deciding: Deciding, to: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of new messages to parties."""
    return tuple([deciding.ids.id() for _ in to])


def asked_us(deciding: Deciding, volume: Volume4D) -> int:
    """Return when it is asked next whether it still holds, or when it ends before that."""
    return min(deciding.now_us + RENEWED_US, told_until_us(volume))


def call(
    deciding: Deciding, act: Act, made: Stop, telling: Telling, before: Stop | None = None
) -> None:  # fmt: skip
    """Let a STOP or SAR case stand, tell those named, and let all that meets it keep out.

    before: as it stood, where it is told anew; what was told then is followed by this. What an
    audit looks at may lack some of that (see `change`).
    """
    concerned = near_it(deciding, made)
    deciding.emit([made.party], StopChanged(stop=made))
    earlier: dict[str, str] = {}
    if before is not None:
        earlier = dict(zip(before.to, before.messages, strict=False))
        concerned |= deciding.world.keep_outs.keys() & deciding.world.operations.keys()
        for each in before.messages:
            _follow(deciding, deciding.world.messages.get(each))
    for party, message_id in zip(made.to, made.messages, strict=True):
        called = called_of(made)
        send_called(deciding, act, party, message_id, telling, called, earlier.get(party))
    for each in sorted(concerned):
        look(deciding, deciding.world.operations[each])
        if before is not None:
            accept(deciding, each)


def near_it(deciding: Deciding, stop: Stop) -> set[str]:
    """Return the ids of all operations that may meet a STOP or SAR case, and of more."""
    deciding.near.put(stop.status, claim_of_stop(stop))
    found = {*deciding.near.near(stop.id)}
    deciding.near.drop(stop.id)
    return found


def called_of(stop: Stop) -> Called:
    """Return what those named are told of a STOP or SAR case, beside its words."""
    case = stop.sar
    return Called(
        area=area_of(stop), stands=STANDS[stop.state],
        sar=None if case is None else Sar(
            phase=case.phase, what=case.what, within_m=case.within_m
        ),
    )  # fmt: skip


def renew(deciding: Deciding, act: Act, payload: RenewStop) -> None:
    """Take that a STOP still holds."""
    confirm(deciding, own_stop(deciding, act, payload.id))


def confirm(deciding: Deciding, old: Stop) -> None:
    """Let a STOP or SAR case be in force, and be asked for anew. old: as it stands, or is to."""
    change(deciding, replace(old, state=State.ACTIVE, next_us=asked_us(deciding, old.volume)))


def end(deciding: Deciding, act: Act, payload: EndStop) -> None:
    """End a STOP; all who were told of it are told."""
    found = own_stop(deciding, act, payload.id)
    check_not_renewed(deciding, act, found)
    finish(deciding, found)


def check_not_renewed(deciding: Deciding, act: Act, stop: Stop) -> None:
    """Refuse a late act that ends a STOP or SAR case which was renewed after that.

    That it was is known as long as it need not be renewed anew, and not in its last hour.
    """
    if deciding.first_us is None or stop.next_us is None or stop.state is not State.ACTIVE:
        return
    renewed_us = stop.next_us - RENEWED_US
    if renewed_us > deciding.first_us:
        was, now = (f"{format_time(us)[:19]}Z" for us in (deciding.first_us, renewed_us))
        raise Refused(
            f"act {act.id[:8]}: is from {was}, and {stop.id[:8]} was renewed at {now} or later; "
            "end it anew where nobody is there"
        )


def fall_due(deciding: Deciding, stop: Stop) -> None:
    """Ask whether a STOP still holds, say that nobody answered, or let it end at its time."""
    now_us, end_us = deciding.now_us, told_until_us(stop.volume)
    if stop.next_us is None or stop.next_us > now_us:
        return
    if end_us <= now_us:
        finish(deciding, stop)
    elif stop.state is State.ACTIVE:
        next_us = min(now_us + ASKED_US, end_us)
        change(deciding, replace(stop, state=State.ASKED, next_us=next_us))
    else:
        change(deciding, replace(stop, state=State.UNCONFIRMED, next_us=end_us))


def finish(deciding: Deciding, stop: Stop) -> None:
    """Let a STOP or SAR case be over, and with it what was to keep out of it."""
    change(deciding, replace(stop, state=State.ENDED, next_us=None))
    world, area = deciding.world, area_of(stop)
    look_again(deciding, [
        own for own, told in world.keep_outs.items()
        if area in told.areas and own in world.operations  # see `change`
    ])  # fmt: skip


def look_again(deciding: Deciding, operations: Iterable[str]) -> None:
    """Look at some operations anew, by their ids: where they must keep out, and what follows."""
    for each in sorted(operations):
        look(deciding, deciding.world.operations[each])
        accept(deciding, each)


def change(deciding: Deciding, made: Stop) -> None:
    """Let a STOP or SAR case stand otherwise; those named are told where it is so for them.

    An audit comes here with a record that may have left out what a STOP has made: it says so then.
    """
    deciding.emit([made.party], StopChanged(stop=made))
    called = called_of(made)
    for each in made.messages:
        message = deciding.world.messages.get(each)
        if message is not None and message.stop is not None and message.stop != called:
            deciding.emit(
                message.parties, MessageChanged(message=replace(message, stop=called))
            )  # fmt: skip


def own_stop(deciding: Deciding, act: Act, stop_id: str, *, is_sar: bool = False) -> Stop:
    """Return a STOP, or a SAR case, that goes on, of who acts; one error for all that is not."""
    found = deciding.world.stops.get(stop_id)
    own = None if found is None else (found.party, found.status, found.sar is not None)
    if found is None or own != (act.party, act.status, is_sar):
        what = "SAR case" if is_sar else "STOP"
        raise InputError(what, stop_id, f"is no {what} of {act.party}", f"see your own {what}s")
    if not found.is_protecting:
        raise Refused(
            f"{'SAR case' if is_sar else 'stop'} {found.id[:8]}: has ended, at "
            f"{format_time(told_until_us(found.volume))[:19]}Z or before; send another where one "
            "is needed"
        )
    return found


def _follow(deciding: Deciding, message: Message | None) -> None:
    """Let a message be followed by a later one, which says all anew: nothing more is due of it."""
    if message is None or message.stop is None:  # as in `change`
        return
    called = replace(message.stop, stands=Stands.FOLLOWED)
    made = replace(message, stop=called, next_us=None)
    deciding.emit(message.parties, MessageChanged(message=made))


def _check_metered(deciding: Deciding, made: Stop) -> None:
    """Refuse a STOP past what a party may call at a time, alone or in a day."""
    own = [
        each for each in deciding.world.stops.values()
        if (each.party, each.status) == (made.party, made.status) and each.sar is None
    ]  # fmt: skip
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
