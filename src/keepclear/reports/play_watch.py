# SPDX-License-Identifier: Apache-2.0
"""What a story says of shifts and of voice calls.

Shifts are told to their own party alone, calls to both. A call has the two accounts, and no word of
which one holds.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from keepclear.exchange.events import CallChanged, ShiftChanged
from keepclear.line import calls, shifts
from keepclear.line.calls import Call
from keepclear.reports.call_text import stands
from keepclear.reports.form_text import apart
from keepclear.reports.message_text import SHORT
from keepclear.reports.play_messages import Row
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import clock, listed
from keepclear.reports.printable import printable
from keepclear.reports.shift_text import shift_changed_text
from keepclear.units import US_PER_S

DOES: Final = {
    "line.shift-open": "takes the watch: {}",
    "line.shift-take": "takes over {}",
    "line.shift-close": "closes the shift {}",
    "line.call": "logs {}",
    "line.call-sign": "signs {}",
    "line.call-annotate": "annotates {}",
}
OF_THE_WATCH: Final = (ShiftChanged, CallChanged)


class WatchTeller:
    """Says what is new of shifts and calls; keeps how calls stand."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.calls: dict[str, Call] = {}

    def about(self, payload: Any, values: Sequence[object]) -> str | None:  # noqa: ANN401 any act
        """Return what an act on a shift or a call is about; None where it is none of these."""
        made = [each.call.id for each in values if isinstance(each, CallChanged)]
        what: str | None = None
        match payload:
            case shifts.OpenShift(person=person):
                what = person
            case shifts.TakeOver(takes=takes):
                what = f"{len(takes)} that remained"
            case shifts.CloseShift(to=to, id=own):
                what = f"{own[:SHORT]}{f', to {to}' if to else ''}"
            case calls.LogCall(to=to):
                what = f"{self._names.call(made[0]) if made else 'a call'} with {to}"
            case calls.SignCall(id=own) | calls.AnnotateCall(id=own):
                what = self._names.call(own)
            case _:
                pass
        return what

    def tell(self, event: ShiftChanged | CallChanged) -> Iterator[Row]:
        """Yield what is new of a shift or a call."""
        if isinstance(event, ShiftChanged):
            yield Row("", shift_changed_text(event.shift))
            yield Row("told", f"{event.shift.party} alone")
            return
        call, account = event.call, event.account
        self.calls[call.id] = call
        if account is None:
            return
        if len(call.accounts) == 1:
            yield Row("call", f"at {clock(call.at_us)}, {call.lasts_us // US_PER_S:,} s, on "
                              f"{printable(call.on)}")  # fmt: skip
        yield Row("says", f'"{apart(account.text)}" ({account.language})')
        if account.recording is not None:
            yield Row("recording", f"SHA-256 {account.recording}")
        if len(call.accounts) == 1:
            yield Row("told", f"{listed(call.parties)}, and nobody else")

    def outcome(self) -> list[str]:
        """Return how calls stand, in words."""
        return [f"{self._names.call(each.id)} {stands(each)}" for each in self.calls.values()]
