# SPDX-License-Identifier: Apache-2.0
"""What acts on shifts do: opened, taken over, closed. Rules are those of `line.shifts`.

1. A shift is part of the record for its own party and nobody else. No other act asks for one, so
   nothing that a shift is or is not keeps a message from being sent, acknowledged or answered.
2. What remains at a post is looked for when a shift is closed, and named where it is refused, each
   with its age and the ways out: what is acknowledged or has ended is no reason any more.
3. What was taken over with a key that signs for the post no more, as it was lost, counts for
   nothing: somebody else has to take it over.
4. Who closes is who has opened it, or another who has a shift at that post: a key that is lost does
   not keep a shift open for ever, and the same must have been taken over.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import ShiftChanged
from keepclear.exchange.operations import Refused
from keepclear.line.ladder import Step
from keepclear.line.messages import SPOKEN, Message
from keepclear.line.shifts import (
    MOST,
    Closed,
    CloseShift,
    Left,
    OpenShift,
    Shift,
    TakeOver,
    remains,
)
from keepclear.plans.stops import Stop
from keepclear.record.headers import Act, Status
from keepclear.units import US_PER_S, format_time

SHORT: Final = 8
SHOWN: Final = 10
MINUTE_S: Final = 60


class Remaining(NamedTuple):
    """What remains at a post: since when, what it is in words, and what to do about it."""

    id: str
    since_us: int
    what: str
    way_out: str


def open_shift(deciding: Deciding, act: Act, payload: OpenShift) -> None:
    """Let a key have the watch at a post."""
    key = _key(deciding, act)
    there = _open(deciding, act)
    for each in there:
        if each.key == key:
            raise Refused(
                f"shift {each.id[:SHORT]}: is open at {act.post} with this key, as {each.person} "
                f"since {format_time(each.opened_us)[:19]}Z; close it first, or sign with a key of "
                "your own"
            )
        if each.person == payload.person:
            raise InputError(
                "person", payload.person, f"has the watch at {act.post} already, with another key, "
                f"since {format_time(each.opened_us)[:19]}Z", "say who you are by another role",
            )  # fmt: skip
    if len(there) >= MOST:
        raise Refused(f"{len(there)} shifts are open at {act.post}: {MOST} is the most; close one")
    _tell(deciding, Shift(
        id=deciding.ids.id(), act=act.id, party=act.party, post=act.post, status=act.status,
        person=payload.person, key=key, opened_us=deciding.filed_us,
        took=_taken(deciding, act, payload.takes),
    ))  # fmt: skip


def take_over(deciding: Deciding, act: Act, payload: TakeOver) -> None:
    """Let the shift of the key that signs take over what remains."""
    own = _own(deciding, act)
    took = dict.fromkeys((*own.took, *_taken(deciding, act, payload.takes)))
    _tell(deciding, replace(own, took=tuple(took)))


def close(deciding: Deciding, act: Act, payload: CloseShift) -> None:
    """Close a shift, over nothing that nobody has taken over."""
    found = deciding.world.shifts.get(payload.id)
    here = act.party, act.post, act.status
    if found is None or (found.party, found.post, found.status) != here:
        raise InputError(
            "shift",
            payload.id,
            f"is none of {act.post} of {act.party}",
            "see keepclear line shift show",
        )
    if found.closed is not None:
        at = f"{format_time(found.closed.at_us)[:19]}Z"
        raise Refused(f"shift {found.id[:SHORT]}: was closed at {at}, by {found.closed.person}")
    key = _key(deciding, act)
    by = found if found.key == key else _own(deciding, act)
    keys = deciding.signing_for(act.party, act.post)
    others = [
        each for each in _open(deciding, act)
        if each.key != found.key and each.key in keys and payload.to in {None, each.person}
    ]  # fmt: skip
    if payload.to is not None and not others:
        raise InputError(
            "to", payload.to, f"has no shift at {act.post} with a key of his own",
            f"let {payload.to} open one: keepclear line shift open --person {payload.to} "
            "--take-over",
        )  # fmt: skip
    left, nobodys = _left(_remaining(deciding, act), others)
    if nobodys:
        raise Refused(_over_what(found, nobodys, payload.to, deciding.now_us))
    _tell(deciding, replace(found, closed=Closed(
        at_us=deciding.filed_us, key=key, person=by.person,
        to=others[0].id if payload.to is not None else None, left=left,
    )))  # fmt: skip


def remaining(
    messages: Mapping[str, Message], stops: Iterable[Stop], party: str, post: str, status: Status
) -> list[Remaining]:
    """Return what a watch has to hand over at a post, the oldest first. stops: of its party.

    A STOP is of the post that has told of it last. One of which no message is there, as in a record
    that an audit looks at, is of every post.
    """
    found = [
        *(_of_message(each) for each in messages.values() if remains(each, party, post, status)),
        *(_of_stop(each) for each in stops
          if (each.party, each.status) == (party, status) and each.is_protecting
          and _told_by(each, messages) in {None, post}),
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.since_us)


def _told_by(stop: Stop, messages: Mapping[str, Message]) -> str | None:
    """Return the post that has told of a STOP last; None where no message of it is there."""
    told = [messages[each] for each in stop.messages if each in messages]
    return told[0].sender_post if told else None


def _remaining(deciding: Deciding, act: Act) -> list[Remaining]:
    world = deciding.world
    return remaining(world.messages, world.stops.values(), act.party, act.post, act.status)


def _of_message(message: Message) -> Remaining:
    short = message.id[:SHORT]
    spoken = SPOKEN.get(message.precedence)
    urgency = f"{message.precedence} ({spoken})" if spoken else str(message.precedence)
    name = f"{urgency} message {short} from {message.sender}"
    taken = message.first(Step.ACKNOWLEDGED)
    if message.has_stop and taken is not None:
        what = "STOP" if message.stop is None or message.stop.sar is None else "SAR case"
        return Remaining(
            message.id, message.sent_us, f"{name}: the {what} stands", "it lasts until it has ended"
        )
    return Remaining(
        message.id, message.sent_us, f"{name} is not acknowledged", f"keepclear line ack {short}"
    )


def _of_stop(stop: Stop) -> Remaining:
    short = stop.id[:SHORT]
    what, ends = ("STOP", "stop-end") if stop.sar is None else ("SAR case", "sar close")
    return Remaining(
        stop.id, stop.sent_us, f"{what} {short} of {stop.party} stands, to be renewed",
        f"keepclear line {ends} {short} once nobody is there",
    )  # fmt: skip


def _left(
    there: Iterable[Remaining], others: Iterable[Shift]
) -> tuple[tuple[Left, ...], list[Remaining]]:
    """Return what remains with the shift that has it, and what nobody has taken over."""
    taken = {own: each.id for each in reversed(list(others)) for own in each.took}
    known = list(there)
    left = [Left(id=each.id, taken_by=taken[each.id]) for each in known if each.id in taken]
    return tuple(left), [each for each in known if each.id not in taken]


def _over_what(shift: Shift, nobodys: list[Remaining], to: str | None, now_us: int) -> str:
    """Return why a shift cannot be closed: each thing with its age, and the ways out."""
    taken = f"{to} has not" if to is not None else "nobody has"
    named = [
        f"  {each.what}, {age_text(now_us - each.since_us)} old: {each.way_out}"
        for each in nobodys[:SHOWN]
    ]
    more = len(nobodys) - SHOWN
    others = [f"  and {more} more: keepclear line shift show"] if more > 0 else []
    lines = [
        (f"shift {shift.id[:SHORT]} of {shift.person} at {shift.post}: cannot close over what "
        f"{taken} taken over:"), *named, *others,
        "Or let the next on watch take it over, signed with a key of their own, and close again:",
        ("  keepclear line shift open --person ROLE --take-over, or keepclear line shift take "
        "where theirs is open"),
    ]  # fmt: skip
    return "\n".join(lines)


def age_text(age_us: int) -> str:
    """Return how old something is, to the minute."""
    seconds = max(age_us, 0) // US_PER_S
    minutes = seconds // MINUTE_S
    if minutes < MINUTE_S:
        return f"{minutes} min" if minutes else f"{seconds} s"
    return f"{minutes // MINUTE_S} h {minutes % MINUTE_S} min"


def _taken(deciding: Deciding, act: Act, takes: Iterable[str]) -> tuple[str, ...]:
    """Return what is taken over, each once; one error for all that does not remain there."""
    there = {each.id for each in _remaining(deciding, act)}
    for each in takes:
        if each not in there:
            raise InputError(
                "takes", each, f"is nothing that remains at {act.post}",
                "see what does (keepclear line shift show), and take that",
            )  # fmt: skip
    return tuple(dict.fromkeys(takes))


def _open(deciding: Deciding, act: Act) -> list[Shift]:
    """Return the shifts that are open at the post that acts, in the order they were opened."""
    here = act.party, act.post, act.status
    return [
        each for each in deciding.world.shifts.values()
        if each.is_open and (each.party, each.post, each.status) == here
    ]  # fmt: skip


def _own(deciding: Deciding, act: Act) -> Shift:
    """Return the open shift of the key that signs."""
    key = _key(deciding, act)
    found = next((each for each in _open(deciding, act) if each.key == key), None)
    if found is None:
        raise Refused(
            f"post {act.post}: no shift is open here with this key; open one (keepclear line shift "
            "open --person ROLE)"
        )
    return found


def _key(deciding: Deciding, act: Act) -> str:
    """Return the id of the one key that signs for a person."""
    if len(deciding.signed_by) != 1:
        raise Refused(
            f"act {act.id[:SHORT]}: is signed with {len(deciding.signed_by)} keys; a person has "
            "the watch with one"
        )
    return deciding.signed_by[0]


def _tell(deciding: Deciding, shift: Shift) -> None:
    deciding.emit([shift.party], ShiftChanged(shift=shift))
