# SPDX-License-Identifier: Apache-2.0
"""What acts on SAR cases do: opened, said to be elsewhere or in another phase, renewed, closed.

A case keeps others out and is told as a STOP is (`stops`); what is its own stands here.

1. No channel, suspension, mandate, clock, rate or cap refuses it; its area-hours are shown and
   count with nothing.
2. Only who opened it changes it. An act on it is taken once, however late it comes again: the
   clocks that would tell are not asked.
3. Another position or phase is a new message to each party named, with deadlines of its own. The
   one before says that it is followed, and nothing more is due of it.
4. An act that a restored backup did not have (`late`) takes no case back to where it was before
   what was said since, and neither lowers its phase nor closes it. A graver phase is taken.
"""

from typing import Final

from msgspec.structs import replace

from keepclear.agreement.emergencies import Phase
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.messages import Telling
from keepclear.exchange.operations import Refused
from keepclear.exchange.stops import (
    asked_us,
    begun,
    call,
    check_not_renewed,
    confirm,
    finish,
    look_again,
    message_ids,
    named_in,
    near_it,
    own_stop,
    with_area_hours,
)
from keepclear.line.values import FREE, Typed, Value, read_values
from keepclear.plans.sar import (
    Case,
    ChangePhase,
    CloseSar,
    Known,
    OpenSar,
    RenewSar,
    UpdateSar,
    lasting_us,
    volume_from,
    within_m,
)
from keepclear.plans.stops import State, Stop, stop_volume
from keepclear.record.headers import Act
from keepclear.units import format_time

SHORT: Final = 8
PHASES: Final = tuple(Phase)  # each one graver than the one before


def open_case(deciding: Deciding, act: Act, payload: OpenSar) -> None:
    """Open a case; each party named is told, and every operation of others that meets it."""
    for each in deciding.world.stops.values():  # its act may come after any time
        if each.party == act.party and each.act == act.id:
            raise Refused(f"act {act.id[:SHORT]}: was taken before, as SAR case {each.id[:SHORT]}")
    to, now_us = named_in(deciding, act, payload.to), deciding.now_us
    volume = stop_volume(volume_from(payload.where, now_us), now_us)
    case = Case(
        phase=payload.phase, what=payload.what, known=payload.known, acts=(act.id,),
        within_m=within_m(payload.known, payload.where),
    )  # fmt: skip
    telling = Telling(payload.text, payload.language, values_of(payload.known))
    call(deciding, act, begun(deciding, act, to, volume, case), telling)


def update(deciding: Deciding, act: Act, payload: UpdateSar) -> None:
    """Say where they are now: others keep out of there, and no longer of where they were."""
    old, case = _own(deciding, act, payload.id)
    _check_in_order(deciding, act, old)
    now_us = deciding.now_us
    volume = stop_volume(volume_from(payload.where, now_us), now_us)
    known = within_m(payload.known, payload.where)
    made = replace(
        old, volume=volume, sar=replace(case, known=payload.known, within_m=known)
    )  # fmt: skip
    telling = Telling(payload.text, payload.language, values_of(payload.known))
    _tell_anew(deciding, act, old, made, telling)


def change_phase(deciding: Deciding, act: Act, payload: ChangePhase) -> None:
    """Say that a case is in another phase, up or down."""
    old, case = _own(deciding, act, payload.id)
    if PHASES.index(payload.phase) < PHASES.index(case.phase):  # a cry that is late is one
        _check_in_order(deciding, act, old)
    if case.phase is payload.phase:
        raise Refused(f"SAR case {old.id[:SHORT]}: is in phase {case.phase} already")
    made = replace(old, sar=replace(case, phase=payload.phase))
    telling = Telling(payload.text, payload.language, values_of(case.known))
    _tell_anew(deciding, act, old, made, telling)


def renew(deciding: Deciding, act: Act, payload: RenewSar) -> None:
    """Take that a case goes on, and for how long from now; it never ends sooner by that."""
    old, case = _own(deciding, act, payload.id)
    end_us = max(old.volume.end_us, deciding.now_us + lasting_us(payload.lasts))
    made = replace(old, volume=replace(old.volume, end_us=end_us), sar=case)
    confirm(deciding, with_area_hours(made))
    look_again(deciding, near_it(deciding, made))  # also what meets it in the time that is added


def close(deciding: Deciding, act: Act, payload: CloseSar) -> None:
    """Close a case; all who were told of it are told."""
    old, case = _own(deciding, act, payload.id)
    _check_in_order(deciding, act, old)
    check_not_renewed(deciding, act, old)
    finish(deciding, replace(old, sar=case))


def values_of(known: Known) -> tuple[Value, ...]:
    """Return what those named are told in fields of their own, as it is read."""
    given = [
        Typed(name=name, typed=typed)
        for name in FREE
        if (typed := getattr(known, name)) is not None
    ]
    return read_values(given, FREE)


def _tell_anew(deciding: Deciding, act: Act, old: Stop, made: Stop, telling: Telling) -> None:
    """Tell each party named how a case is now; that confirms it, too."""
    made = replace(
        made, messages=message_ids(deciding, made.to), state=State.ACTIVE,
        next_us=asked_us(deciding, made.volume),
    )  # fmt: skip
    call(deciding, act, with_area_hours(made), telling, old)


def _own(deciding: Deciding, act: Act, case_id: str) -> tuple[Stop, Case]:
    """Return a case of who acts, and what it has of its own with this act; as `own_stop`."""
    found = own_stop(deciding, act, case_id, is_sar=True)
    case = found.sar
    if case is None or act.id in case.acts:
        raise Refused(f"act {act.id[:SHORT]}: was taken before, on SAR case {found.id[:SHORT]}")
    return found, replace(case, acts=(*case.acts, act.id))


def _check_in_order(deciding: Deciding, act: Act, case: Stop) -> None:
    """Refuse a late act on a case of which something was said after that."""
    if deciding.first_us is None:
        return
    for each in case.messages:
        told = deciding.world.messages.get(each)
        if told is not None and told.sent_us > deciding.first_us:
            was, now = (f"{format_time(us)[:19]}Z" for us in (deciding.first_us, told.sent_us))
            raise Refused(
                f"act {act.id[:SHORT]}: is from {was}, and of SAR case {case.id[:SHORT]} more was "
                f"said at {now}; say it again where it still holds"
            )
