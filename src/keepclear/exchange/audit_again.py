# SPDX-License-Identifier: Apache-2.0
"""An act decided again by the audit: in the world before its entry, with the ids that it gave."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from keepclear.errors import CallerError
from keepclear.exchange.audit_found import Found
from keepclear.exchange.decide import DECIDE
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import KINDS, Event, LateActDecided, StopChanged
from keepclear.exchange.kept import index_anew
from keepclear.exchange.world import undo
from keepclear.plans.sar import ChangePhase, CloseSar, OpenSar, RenewSar, UpdateSar
from keepclear.plans.stops import EndStop, RenewStop, SendStop
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act

OF_STOPS: Final = (
    SendStop, RenewStop, EndStop, OpenSar, UpdateSar, ChangePhase, RenewSar, CloseSar,
)  # fmt: skip


class Said(NamedTuple):
    """An event, as an entry has it or as it comes out now, and who is told of it."""

    audience: str
    event: Event


class GivenIds:
    """The ids that an entry has given, in the order in which deciding asks; then made-up ones."""

    def __init__(self, given: Iterable[str]) -> None:
        self._given, self._made = iter(given), 0

    def id(self) -> str:
        """Return the next."""
        self._made += 1
        return next(self._given, f"{self._made:032x}")

    def salt(self) -> bytes:
        """Return a salt: none is compared."""
        return bytes(32)


def is_refused(said: list[Said]) -> bool:
    """Tell whether an entry says that its late act was refused."""
    return any(isinstance(each, LateActDecided) and each.refused for _, each in said)


def is_of_stop(payload: Signed | None, said: list[Said]) -> bool:
    """Tell whether an entry is of a STOP or a SAR case: of an act on one, or of its time."""
    return isinstance(payload, OF_STOPS) or any(isinstance(each, StopChanged) for _, each in said)


def told_of(deciding: Deciding, about: tuple[type, ...]) -> list[Said]:
    """Return what has come of deciding, as far as it is told by such events."""
    return [
        Said(to, value)  # type: ignore[arg-type]
        for to, kind, value in deciding.parts
        if kind in KINDS and isinstance(value, about)
    ]


def taken_back(deciding: Deciding) -> None:
    """Take back what was decided again, in the world and beside it."""
    undo(deciding.world)
    index_anew(deciding.near, deciding.world, list(deciding.near.touched))


def made_again(
    found: Found, deciding: Deciding, act: Act, payload: Signed, said: list[Said],
    about: tuple[type, ...],
) -> list[Said] | None:  # fmt: skip
    """Return what comes of an act now, as far as it is told by such events; it is taken back.

    said: by its entry. None where it is refused now, or was then: that is noted where it differs.
    """
    was_refused = is_refused(said)
    try:
        DECIDE[type(payload)](deciding, act, payload)
    except CallerError as refusal:
        taken_back(deciding)
        if not was_refused or any(isinstance(each.event, about) for each in said):
            found.was_taken(act, refusal)
        return None
    made = told_of(deciding, about)
    taken_back(deciding)
    if was_refused:
        found.was_refused(act)
        return None
    return made
