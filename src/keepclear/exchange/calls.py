# SPDX-License-Identifier: Apache-2.0
"""What acts on voice calls do: logged, signed, annotated. Rules are those of `line.calls`.

1. A call and all that is written of it are parts of the record for its two parties and nobody else.
2. It can be logged, signed and annotated whatever is suspended: it tells of what was said.
3. One that is not there, one of others and one of another status get the same answer.
4. When a call was is a claim of who logs it: no later than now, no longer ago than `OLDEST_US`.
"""

from typing import Final

from msgspec.structs import replace

from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import CallChanged
from keepclear.exchange.messages import check_receiver
from keepclear.exchange.operations import Refused
from keepclear.line.calls import (
    MOST_ANNOTATIONS,
    Account,
    AnnotateCall,
    Call,
    CallSigned,
    LogCall,
    SignCall,
    annotated,
)
from keepclear.line.said import OLDEST, OLDEST_US
from keepclear.record.headers import Act
from keepclear.units import format_time

SHORT: Final = 8


def log(deciding: Deciding, act: Act, payload: LogCall) -> None:
    """Write down a call; the other party is told."""
    check_receiver(deciding, act, payload.to)
    end_us, now_us = payload.at_us + payload.lasts_us, deciding.filed_us
    if end_us > now_us:
        raise InputError(
            "at_us, lasts_us", f"{format_time(end_us)[:19]}Z",
            f"is when the call ended, and is after now, {format_time(now_us)[:19]}Z",
            "log it once it is over, with its time in UTC",
        )  # fmt: skip
    if payload.at_us < now_us - OLDEST_US:
        raise InputError(
            "at_us", f"{format_time(payload.at_us)[:19]}Z", f"is more than {OLDEST} ago",
            "send what was said as a message, or open an incident case about it",
        )  # fmt: skip
    account = Account(
        party=act.party, post=act.post, person=payload.person, at_us=now_us,
        text=payload.summary, language=payload.language, recording=payload.recording,
    )  # fmt: skip
    made = Call(
        id=deciding.ids.id(), act=act.id, status=act.status, party=act.party, other=payload.to,
        at_us=payload.at_us, lasts_us=payload.lasts_us, on=payload.on, accounts=(account,),
    )  # fmt: skip
    deciding.seen_by = made.parties
    deciding.emit(made.parties, CallChanged(call=made, account=account))


def sign(deciding: Deciding, act: Act, payload: SignCall) -> None:
    """Take that the other party has heard it so, too."""
    old = _call(deciding, act, payload.id)
    short = f"call {old.id[:SHORT]}"
    if act.party == old.party:
        raise Refused(f"{short}: is logged by {old.party}; {old.other} signs or annotates it")
    if old.signed is not None:
        at = f"{format_time(old.signed.at_us)[:19]}Z"
        raise Refused(f"{short}: is signed already, by {old.signed.post} at {at}")
    made = CallSigned(
        party=act.party, post=act.post, person=payload.person, at_us=deciding.filed_us
    )
    deciding.emit(old.parties, CallChanged(call=replace(old, signed=made), signed=made))


def annotate(deciding: Deciding, act: Act, payload: AnnotateCall) -> None:
    """Take what either party has to say of it, beside all that stands."""
    old = _call(deciding, act, payload.id)
    own = len(old.of(act.party)) - (act.party == old.party)
    if own >= MOST_ANNOTATIONS:
        raise Refused(
            f"call {old.id[:SHORT]}: has {own} annotations of {act.party}, and {MOST_ANNOTATIONS} "
            "is the most; send a message, or open an incident case about it"
        )
    made = Account(
        party=act.party, post=act.post, person=payload.person, at_us=deciding.filed_us,
        text=payload.text, language=payload.language, recording=payload.recording,
    )  # fmt: skip
    deciding.emit(old.parties, CallChanged(call=annotated(old, made), account=made))


def _call(deciding: Deciding, act: Act, call_id: str) -> Call:
    """Return a call that a party may act on; one error for all that it does not see."""
    found = deciding.world.calls.get(call_id)
    if found is None or act.party not in found.parties or found.status is not act.status:
        raise InputError("call", call_id, f"is no call of {act.party}", "see your own calls")
    deciding.seen_by = found.parties
    return found
