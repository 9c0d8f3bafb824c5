# SPDX-License-Identifier: Apache-2.0
"""What the party that opens a SAR case reads of it: before it is sent, and how far it was told."""

from collections.abc import Iterable, Iterator, Mapping

from keepclear.exchange.keep_outs import area_of, area_told
from keepclear.exchange.sar import values_of
from keepclear.line.messages import Message
from keepclear.plans.sar import Case, OpenSar, UpdateSar, volume_from, within_m
from keepclear.plans.stops import Stop, stop_volume
from keepclear.reports.message_text import message_rows, second, standing_text
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.read_back_text import value_row
from keepclear.reports.stop_text import (
    LABEL,
    SHORT,
    area_rows,
    own_name,
    phase_text,
    stop_changed_text,
    told_first,
    within_rows,
)


def preview(
    made: OpenSar | UpdateSar, head: str, to: tuple[str, ...], party: str, grown_tmm: int,
    now_us: int,
) -> list[str]:  # fmt: skip
    """Return what each will learn of a case, or of where they are now, before it is sent.

    grown_tmm: by how much its volume is grown. `InputError` for what the exchange would refuse.
    """
    far_m = within_m(made.known, made.where)
    area = area_told(stop_volume(volume_from(made.where, now_us), now_us), grown_tmm)
    rows = [each for each in area_rows(area, day_of(now_us)) if each[0] != "when"]
    rows.append(("lasts", f"{made.where.lasts} from when it is entered; renewed, longer"))
    known = [value_row(each) for each in values_of(made.known)]
    known += within_rows(far_m)
    said = made.text, made.language
    return told_first(
        f"{head}, to {listed(list(to))}", party, said, grown_tmm, *known, *rows,
        is_place_told=far_m is not None,
    )  # fmt: skip


def cases_text(
    cases: Iterable[Stop], messages: Mapping[str, Message], others: Iterable[Message], now_us: int
) -> list[str]:  # fmt: skip
    """Return the cases of one's own with how far each was told, and those of others.

    messages: all that are held, by id; others: of cases that one was told of.
    """
    lines: list[str] = []
    for each in cases:
        lines += [*_case_rows(each, messages, now_us), ""]
    for message in others:
        lines += [*message_rows(message, now_us), ""]
    return lines[:-1] or ["no SAR case stands, of this party or told to it"]


def _case_rows(stop: Stop, messages: Mapping[str, Message], now_us: int) -> Iterator[str]:
    yield own_name(stop)
    for label, said in _rows(stop, messages, now_us):
        yield f"  {label:<{LABEL}}{said}"


def _rows(stop: Stop, messages: Mapping[str, Message], now_us: int) -> Iterator[tuple[str, str]]:
    case = stop.sar
    if isinstance(case, Case):
        yield "phase", f"{phase_text(case.phase)}, {case.what} in danger"
        yield from (value_row(each) for each in values_of(case.known))
        yield from within_rows(case.within_m)
    name = f"{own_name(stop)} to {listed(list(stop.to))} "
    yield "stands", stop_changed_text(stop).replace(name, "", 1)
    yield from area_rows(area_of(stop), day_of(now_us))
    yield "takes", f"{stop.takes_km2h:,} km2h; no cap refuses a SAR case"
    for party, own in zip(stop.to, stop.messages, strict=False):
        message = messages.get(own)
        if message is None:
            yield "told", f"{party}: message {own[:SHORT]} is not held here yet"
        else:
            sent = second(message.sent_us)
            yield "told", f"{party} at {sent}, message {own[:SHORT]}: {standing_text(message)}"
