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

    file, change   operation, area, start, lasts, [craft, craft_class, callsign, count, count_most,
                   domain, lateral, vertical, early, late: what it may be off by]
    activate       operation, [key]
    airborne, end  operation
    cancel         operation, [why]
    contingent     operation, [area, start, lasts]
    acknowledge    conflict, [key]
    answer         conflict, answer, [clause, why]
    propose        conflict, moves, [later, higher, aside, towards, why]
    accept         conflict
    agree-as-is    conflict
    state-none-here     none_here, to, area, start, lasts
    withdraw-none-here  none_here, [why]
    open-case      case, to, about, words, [urgent]
    query, reply   case, words
    write-line     case, when, words, [none_here]
    answer-line    case, line, agrees, [why]
    close-case     case, [why]
    leave-case-open  case, why
    send           message, to, [words, precedence, channel, post, person, reply_to, language,
                   values, template, when, means]
    deliver        message, [post]
    display        message, [post, person]
    acknowledge-message  message, [post, person, when, means]
    read-back      message, values, [post, person]
    disseminate    message, units, [post, person]
    answer-message  message, answer, [why, until, clause, post, person]
    check          check, to, [of]: of the line, or of a frequency
    answer-check   check, [post, person]
    log-call       call, to, when, lasts, words, [of, person, language]
    sign-call      call, [post, person]
    annotate-call  call, words, [post, person, language]
    stop           message, to, area, start, lasts, words, [language]
    suspend, resume  [why]: of the agreement, by a representative

An operation, a none-here, an incident case, a message, a check and a call are called by their names
in the play; a conflict by the two operations, "A1 and B1". of: "line" is the default. precedence:
URGENT is the default; with DISTRESS no channel stands. post: to which it is sent, or by which post
of its party a step is taken, "watch" or "duty-officer". until: after the start, as `at`. to: a
party, or for a none-here a list of them. values: table: field = what it says, as somebody types it
(`line.values`). template: by its name (`line.templates`); a message has words, or a template, or
both. about: an operation, a conflict or a none-here. when: the time (RFC 3339) that a line is
about, that a call began, or that a message was said where it is keyed in later; means: by what it
was said. line: its number in its case, in the order in which they were written.
area: one name, or a list of them, for all of which `lasts` counts; start: one, or one for each.
key: versions of others' operations, as `["A1 v1"]`, that the party has before it; without it those
of the latest notices it had.

1. A play is an exercise: its keys are made for it and given to nobody.
2. A field that does nothing in an act is refused, so that none is thought to do something.
"""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from keepclear.errors import CallerError, Fault, FileErrors
from keepclear.formats.play_faults import check_area, check_numbers, converted, split
from keepclear.plans.filing import MOST_VOLUMES
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
    start: str | tuple[str, ...] = ""
    lasts: str = ""
    craft: str = "manned"
    craft_class: str = "any"
    callsign: str = ""
    count: int = 1
    count_most: int | None = None
    domain: str = "air"
    lateral: str = "0 m"
    vertical: str = "0 m"
    early: str = "0 s"
    late: str = "0 s"
    moves: str = ""
    later: str = ""
    higher: str = ""
    aside: str = ""
    towards: str = ""
    answer: str = ""
    clause: str = ""
    why: str = ""
    key: tuple[str, ...] | None = None
    none_here: str = ""
    case: str = ""
    to: str | tuple[str, ...] = ()
    about: str = ""
    words: str = ""
    urgent: bool = False
    when: str = ""
    line: int = 0
    message: str = ""
    check: str = ""
    call: str = ""
    means: str = ""
    of: str = "line"
    precedence: str = "URGENT"
    channel: str = "flight-safety"
    post: str = ""
    person: str = ""
    reply_to: str = ""
    language: str = "en"
    units: tuple[str, ...] = ()
    values: dict[str, str] | None = None
    template: str = ""
    until: str = ""
    agrees: bool | None = None

    @property
    def areas(self) -> tuple[str, ...]:
        """Return the names of its areas."""
        return (self.area,) if isinstance(self.area, str) else self.area

    @property
    def starts(self) -> tuple[str, ...]:
        """Return when it starts: once for all of its areas, or once for each."""
        return (self.start,) if isinstance(self.start, str) else self.start

    @property
    def pair(self) -> tuple[str, ...]:
        """Return the names of the two operations in its conflict."""
        return pair_of(self.conflict)

    @property
    def others(self) -> tuple[str, ...]:
        """Return the parties that it is to."""
        return (self.to,) if isinstance(self.to, str) else self.to


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


OF_FILING: Final = (
    "craft", "craft_class", "callsign", "count", "count_most", "domain", "lateral", "vertical",
    "early", "late",
)  # fmt: skip
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
    "answer": (("conflict", "answer"), ("clause", "why")),
    "propose": (("conflict", "moves"), ("later", "higher", "aside", "towards", "why")),
    "accept": (("conflict",), ()),
    "agree-as-is": (("conflict",), ()),
    "state-none-here": (("none_here", "to", "area", "start", "lasts"), ()),
    "withdraw-none-here": (("none_here",), ("why",)),
    "open-case": (("case", "to", "about", "words"), ("urgent",)),
    "query": (("case", "words"), ()),
    "reply": (("case", "words"), ()),
    "write-line": (("case", "when", "words"), ("none_here",)),
    "answer-line": (("case", "line", "agrees"), ("why",)),
    "close-case": (("case",), ("why",)),
    "leave-case-open": (("case", "why"), ()),
    "send": (
        ("message", "to"),
        (
            "words",
            "precedence",
            "channel",
            "post",
            "person",
            "reply_to",
            "language",
            "values",
            "template",
            "when",
            "means",
        ),
    ),
    "deliver": (("message",), ("post",)),
    "display": (("message",), ("post", "person")),
    "acknowledge-message": (("message",), ("post", "person", "when", "means")),
    "read-back": (("message", "values"), ("post", "person")),
    "disseminate": (("message", "units"), ("post", "person")),
    "answer-message": (("message", "answer"), ("why", "until", "clause", "post", "person")),
    "check": (("check", "to"), ("of",)),
    "answer-check": (("check",), ("post", "person")),
    "log-call": (("call", "to", "when", "lasts", "words"), ("of", "person", "language")),
    "sign-call": (("call",), ("post", "person")),
    "annotate-call": (("call", "words"), ("post", "person", "language")),
    "stop": (("message", "to", "area", "start", "lasts", "words"), ("language",)),
    "suspend": ((), ("why",)),
    "resume": ((), ("why",)),
    "nothing": ((), ()),
}
# What gives a thing its name, and in which field the name stands.
NAMES: Final = {
    "file": "operation", "state-none-here": "none_here", "open-case": "case", "send": "message",
    "check": "check", "stop": "message", "log-call": "call",
}  # fmt: skip
SUSPENSIONS: Final = frozenset({"suspend", "resume"})
ALWAYS: Final = frozenset({"at", "by", "does", "signed"})


def read_play(data: bytes, file: str) -> Play:
    """Return the play that a file is; `FileErrors` names what is wrong in it."""
    try:
        tree = tomllib.loads(data.decode())
        check_numbers(tree)
        play = _play(tree)
        _check(play)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise _refused(file, str(fault), "mend the line it names") from None
    except CallerError as fault:
        raise _refused(file, *split(fault)) from None
    return play


def _play(tree: dict[str, Any]) -> Play:
    areas = tree.get("areas")
    for name, area in areas.items() if isinstance(areas, dict) else ():
        converted(area, PlayArea, f"areas.{name}")
    return converted(tree, Play, "")


def version_of(text: str) -> tuple[str, int]:
    """Return the operation and the version that "A1 v2" names; `CallerError` where it is none."""
    found = VERSION.fullmatch(text)
    if found is None:
        raise _fault("key", text, "is no version of an operation", 'write "A1 v2"')
    return found["name"], int(found["version"])


def pair_of(text: str) -> tuple[str, ...]:
    """Return the names of the two operations of a conflict."""
    return tuple(name.strip() for name in text.split(AND))


def _check(play: Play) -> None:
    play.start_us  # noqa: B018 it is read to be refused
    if play.status not in {Status.EXERCISE, Status.TEST}:
        raise _fault("status", play.status, "is no status of a play", "Exercise or Test")
    for name in (play.region, *play.parties):
        if not is_name(name):
            raise _fault("name", name, "is no name of a region or party", "a-z, 0-9 and -")
    for name, area in play.areas.items():
        check_area(area.shape, area.lower, area.upper, f"areas.{name}")
    last_us = 0
    made: dict[str, set[str]] = {field: set() for field in NAMES.values()}
    for number, act in enumerate(play.acts):
        path = f"acts[{number}]"
        at_us = parse_duration_us(act.at, f"{path}.at")
        if at_us < 0:
            raise _fault(f"{path}.at", act.at, "is before the start", "give a time after it")
        if at_us < last_us:
            raise _fault(f"{path}.at", act.at, "is before the act before it", "order them by time")
        last_us = at_us
        _check_act(act, play, path)
        _check_names(act, made, path)
        if act.does in NAMES:
            made[NAMES[act.does]].add(getattr(act, NAMES[act.does]))


def _check_act(act: PlayAct, play: Play, path: str) -> None:
    """Refuse an act that has not what it needs, or something that does nothing in it."""
    if act.does not in DOES:
        raise _fault(f"{path}.does", act.does, "is nothing to do here", _known(DOES))
    if act.does != "nothing" and act.by not in play.parties:
        raise _fault(f"{path}.by", act.by, "is no party of the play", _known(play.parties))
    if act.does in SUSPENSIONS and play.agreement is None:
        raise _fault(f"{path}.does", act.does, "is of an agreement", "give the play one")
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
    _check_values(act, play, path)


def _check_values(act: PlayAct, play: Play, path: str) -> None:
    """Refuse an area or a party that is none, and several where there can be one."""
    if len(act.areas) > MOST_VOLUMES:
        limit, way_out = f"are more than {MOST_VOLUMES}", "file several operations"
        raise _fault(f"{path}.area", f"{len(act.areas)} areas", limit, way_out)
    for area in act.areas:
        if area not in play.areas:
            raise _fault(f"{path}.area", area, "is no area of the play", _known(play.areas))
    for party in act.others:
        if party not in play.parties:
            raise _fault(f"{path}.to", party, "is no party of the play", _known(play.parties))
    if act.does in {"open-case", "send", "check", "stop", "log-call"} and len(act.others) > 1:
        raise _fault(f"{path}.to", ", ".join(act.others), "are several", "name one party")
    if act.does in {"state-none-here", "stop"} and len(act.areas) > 1:
        raise _fault(f"{path}.area", ", ".join(act.areas), "are several", "state it of one")
    _check_times(act, path)


def _check_times(act: PlayAct, path: str) -> None:
    """Refuse what is no time."""
    if act.until:
        parse_duration_us(act.until, f"{path}.until")
    if act.when:
        parse_time_us(act.when, f"{path}.when")
    if act.means and not act.when:
        raise _fault(f"{path}.means", act.means, "says nothing without when", "give when, too")


def _check_names(act: PlayAct, made: dict[str, set[str]], path: str) -> None:
    """Refuse a name that is given twice, and one of something that no act before it makes."""
    if act.does in NAMES:
        field = NAMES[act.does]
        name = getattr(act, field)
        if any(name in known for known in made.values()):
            done = "filed" if field == "operation" else "made"
            raise _fault(f"{path}.{field}", name, f"is {done} already", "give it another name")
        if AND in name:
            raise _fault(f"{path}.{field}", name, f"has{AND}in it", "give it another name")
    if act.conflict and len(act.pair) != 2:
        raise _fault(f"{path}.conflict", act.conflict, "is no pair", 'write "A1 and B1"')
    for field, known in made.items():
        for name in _named(act, field):
            if name not in known:
                what = "filed" if field == "operation" else "made"
                raise _fault(path, name, f"is {what} by no act before it", _known(known))
    if act.reply_to and act.reply_to not in made["message"]:
        raise _fault(
            f"{path}.reply_to", act.reply_to, "is sent by no act before it", "see the acts"
        )
    if act.about and AND not in act.about and not any(act.about in e for e in made.values()):
        raise _fault(f"{path}.about", act.about, "is made by no act before it", "see the acts")


def _named(act: PlayAct, field: str) -> list[str]:
    """Return the things of one kind that an act is about, by name."""
    if field != "operation":
        name = getattr(act, field)
        return [name] if name and NAMES.get(act.does) != field else []
    named = [act.operation] if act.operation and act.does != "file" else []
    named += [*(act.pair if act.conflict else ()), *([act.moves] if act.moves else [])]
    named += pair_of(act.about) if AND in act.about else ()
    return named + [version_of(each)[0] for each in act.key or ()]


def _fault(path: str, value: str, limit: str, way_out: str) -> CallerError:
    return CallerError(f"{path} {value!r}: {limit}; {way_out}")


def _known(names: Iterable[str]) -> str:
    return f"one of {', '.join(sorted(names)) or 'none'}"


def _refused(file: str, limit: str, way_out: str) -> FileErrors:
    return FileErrors(file, [Fault(kind="play", limit=limit, way_out=way_out)])
