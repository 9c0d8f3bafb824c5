# SPDX-License-Identifier: Apache-2.0
"""Plays: what parties do, and when, as a TOML file that people write.

Layout:

    title, note    what it is called, and what is said before it is told
    region         name of the region
    start          when it starts (RFC 3339)
    status         "Exercise", the default, or "Test"
    house          minima where no agreement binds; "5 NM / 1000 ft" is the default
    parties        table: id = name
    agreement      table: template, and in `replace` which words of it stand otherwise; or none
    areas          table: name = a shape with its heights, as in `plans.filing`
    acts           list, in order of time, of what parties do

Each act has:

    at             when the exchange gets it: after the start, as a quantity ("90 min")
    by             party
    does           what it does, as below; or nothing, to let time pass
    signed         when it was signed by the sender's clock, where that differs: after the start

and what belongs to it (`DOES`); what stands in brackets may be left out:

    file, change   operation, area, start, lasts, [craft, craft_class, callsign, count,
                   domain]
    activate       operation, [key]
    airborne, end  operation
    cancel         operation, [why]
    contingent     operation, [area, start, lasts]
    acknowledge    conflict, [key]
    answer         conflict, answer, [why]
    propose        conflict, moves, [later, higher, why]
    accept         conflict
    agree-as-is    conflict

An operation is called by its name in the play; a conflict by the two operations, "A1 and B1".
area: one name, or a list of them; all have the same times. key: versions of others' operations,
as `["A1 v1"]`, that the party has before it; without it those of the latest notices it had.

1. A play is an exercise: its keys are made for it and given to nobody.
2. A field that does nothing in an act is refused, so that none is thought to do something.
"""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from keepclear.errors import CallerError, Fault, FileErrors
from keepclear.record.headers import Status, is_name
from keepclear.units import parse_duration_us, parse_time_us

VERSION: Final = re.compile(r"(?P<name>.+) v(?P<version>[1-9][0-9]{0,5})")
AND: Final = " and "


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
    signed: str = ""
    operation: str = ""
    conflict: str = ""
    area: str | tuple[str, ...] = ()
    start: str = ""
    lasts: str = ""
    craft: str = "manned"
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

    @property
    def areas(self) -> tuple[str, ...]:
        """Return the names of its areas."""
        return (self.area,) if isinstance(self.area, str) else self.area

    @property
    def pair(self) -> tuple[str, ...]:
        """Return the names of the two operations in its conflict."""
        return tuple(name.strip() for name in self.conflict.split(AND))


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


OF_FILING: Final = ("craft", "craft_class", "callsign", "count", "domain")
# What each thing to do needs, and what else it may have.
DOES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "file": (("operation", "area", "start", "lasts"), OF_FILING),
    "change": (("operation", "area", "start", "lasts"), OF_FILING),
    "activate": (("operation",), ("key",)),
    "airborne": (("operation",), ()),
    "end": (("operation",), ()),
    "cancel": (("operation",), ("why",)),
    "contingent": (("operation",), ("area", "start", "lasts")),
    "acknowledge": (("conflict",), ("key",)),
    "answer": (("conflict", "answer"), ("why",)),
    "propose": (("conflict", "moves"), ("later", "higher", "why")),
    "accept": (("conflict",), ()),
    "agree-as-is": (("conflict",), ()),
    "nothing": ((), ()),
}
ALWAYS: Final = frozenset({"at", "by", "does", "signed"})


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


def version_of(text: str) -> tuple[str, int]:
    """Return the operation and the version that "A1 v2" names; `CallerError` where it is none."""
    found = VERSION.fullmatch(text)
    if found is None:
        raise _fault("key", text, "is no version of an operation", 'write "A1 v2"')
    return found["name"], int(found["version"])


def _check(play: Play) -> None:
    play.start_us  # noqa: B018 it is read to be refused
    if play.status not in {Status.EXERCISE, Status.TEST}:
        raise _fault("status", play.status, "is no status of a play", "Exercise or Test")
    for name in (play.region, *play.parties):
        if not is_name(name):
            raise _fault("name", name, "is no name of a region or party", "a-z, 0-9 and -")
    last_us = 0
    filed: set[str] = set()
    for number, act in enumerate(play.acts):
        path = f"acts[{number}]"
        at_us = parse_duration_us(act.at, f"{path}.at")
        if at_us < last_us:
            raise _fault(f"{path}.at", act.at, "is before the act before it", "order them by time")
        last_us = at_us
        _check_act(act, play, path)
        _check_names(act, filed, path)
        if act.does == "file":
            filed.add(act.operation)


def _check_act(act: PlayAct, play: Play, path: str) -> None:
    """Refuse an act that has not what it needs, or something that does nothing in it."""
    if act.does not in DOES:
        raise _fault(f"{path}.does", act.does, "is nothing to do here", _known(DOES))
    if act.does != "nothing" and act.by not in play.parties:
        raise _fault(f"{path}.by", act.by, "is no party of the play", _known(play.parties))
    if act.signed:
        parse_duration_us(act.signed, f"{path}.signed")
    needs, may = DOES[act.does]
    for field in msgspec.structs.fields(PlayAct):
        is_given = field.required or getattr(act, field.name) != field.default
        if field.name in needs and not is_given:
            raise _fault(f"{path}.{field.name}", "", f"is needed to {act.does}", "give it")
        if is_given and field.name not in {*needs, *may, *ALWAYS}:
            value = str(getattr(act, field.name))
            raise _fault(
                f"{path}.{field.name}", value, f"does nothing in {act.does}", "leave it out"
            )
    for area in act.areas:
        if area not in play.areas:
            raise _fault(f"{path}.area", area, "is no area of the play", _known(play.areas))


def _check_names(act: PlayAct, filed: set[str], path: str) -> None:
    """Refuse an act about an operation that no act before it files."""
    if act.does == "file" and act.operation in filed:
        raise _fault(f"{path}.operation", act.operation, "is filed already", "give it another name")
    if act.does == "file" and AND in act.operation:
        raise _fault(f"{path}.operation", act.operation, f"has{AND}in it", "give it another name")
    pair = act.pair if act.conflict else ()
    if act.conflict and len(pair) != 2:
        raise _fault(f"{path}.conflict", act.conflict, "is no pair", 'write "A1 and B1"')
    named = [act.operation] if act.operation and act.does != "file" else []
    named += [*pair, *([act.moves] if act.moves else [])]
    named += [version_of(each)[0] for each in act.key or ()]
    for name in named:
        if name not in filed:
            raise _fault(path, name, "is filed by no act before it", _known(filed))


def _fault(path: str, value: str, limit: str, way_out: str) -> CallerError:
    return CallerError(f"{path} {value!r}: {limit}; {way_out}")


def _known(names: Iterable[str]) -> str:
    return f"one of {', '.join(sorted(names)) or 'none'}"


def _refused(file: str, limit: str, way_out: str) -> FileErrors:
    return FileErrors(file, [Fault(kind="play", limit=limit, way_out=way_out)])
