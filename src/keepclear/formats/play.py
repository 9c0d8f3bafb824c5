# SPDX-License-Identifier: Apache-2.0
"""Plays: what parties do, and when, as a TOML file that people write.

Layout: title, note, region, start (RFC 3339), status ("Exercise" or "Test"), house (minima);
`[agreement]` with a template and what is to be replaced in it, or none; `[parties]` id = name;
`[areas]` name = a shape with its heights; and `[[acts]]` in order of time:

    at      after the start, as a quantity ("90 min")
    by      party
    does    file, change, activate, airborne, contingent, end, cancel, acknowledge, answer,
            propose, accept, agree-as-is; or nothing, to let time pass
    as      what the operation or the conflict is called in the play

An operation is called by its name in the play; a conflict by the two operations, "A1 and B1".
A play is an exercise: its keys are made for it and given to nobody.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from keepclear.errors import CallerError, Fault, FileErrors
from keepclear.units import parse_duration_us, parse_time_us


class PlayArea(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shape with its heights, as in `plans.filing`, without times."""

    shape: dict[str, Any]
    lower: str | None = None
    upper: str | None = None


class PlayAgreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which agreement the parties have signed: a template, with words replaced in it."""

    template: str
    replace: dict[str, str] = {}


class PlayAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a party does; see the module."""

    at: str
    by: str = ""
    does: str
    operation: str = ""
    conflict: str = ""
    area: str = ""
    start: str = ""
    lasts: str = ""
    craft_class: str = "any"
    callsign: str = ""
    count: int = 1
    domain: str = "air"
    moves: str = ""
    later: str = ""
    higher: str = ""
    answer: str = ""
    why: str = ""
    key: tuple[str, ...] | None = None
    says: str = ""


class Play(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A play; see the module."""

    title: str
    note: str = ""
    region: str
    start: str
    status: str = "Exercise"
    house: str = "5 NM / 1000 ft"
    parties: dict[str, str]
    agreement: PlayAgreement | None = None
    areas: dict[str, PlayArea] = {}
    acts: tuple[PlayAct, ...]

    @property
    def start_us(self) -> int:
        """Return when it starts."""
        return parse_time_us(self.start, "start")


DOES: Final = frozenset({
    "file", "change", "activate", "airborne", "contingent", "end", "cancel", "acknowledge",
    "answer", "propose", "accept", "agree-as-is", "nothing",
})  # fmt: skip


def read_play(data: bytes, file: str) -> Play:
    """Return the play that a file is; `FileErrors` names what is wrong in it."""
    try:
        play = msgspec.convert(tomllib.loads(data.decode()), Play)
        _check(play)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise _refused(file, str(fault), "mend the line it names") from None
    except CallerError as fault:
        raise _refused(file, str(fault), "mend it") from None
    return play


def _check(play: Play) -> None:
    play.start_us  # noqa: B018 it is read to be refused
    last_us = 0
    for number, act in enumerate(play.acts):
        path = f"acts[{number}]"
        at_us = parse_duration_us(act.at, f"{path}.at")
        if at_us < last_us:
            raise _fault(f"{path}.at", act.at, "is before the act before it", "order them by time")
        last_us = at_us
        if act.does not in DOES:
            raise _fault(f"{path}.does", act.does, "is nothing to do here", _known(DOES))
        if act.does != "nothing" and act.by not in play.parties:
            raise _fault(f"{path}.by", act.by, "is no party of the play", _known(play.parties))
        if act.does in {"file", "change"} and act.area not in play.areas:
            raise _fault(f"{path}.area", act.area, "is no area of the play", _known(play.areas))


def _fault(path: str, value: str, limit: str, way_out: str) -> CallerError:
    return CallerError(f"{path} {value!r}: {limit}; {way_out}")


def _known(names: Mapping[str, Any] | frozenset[str]) -> str:
    return f"one of {', '.join(sorted(names)) or 'none'}"


def _refused(file: str, limit: str, way_out: str) -> FileErrors:
    return FileErrors(file, [Fault(kind="play", limit=limit, way_out=way_out)])
