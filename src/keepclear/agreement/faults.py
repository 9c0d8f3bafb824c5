# SPDX-License-Identifier: Apache-2.0
"""Why a document cannot be read, in words: which clause, the value, the limit, the way out.

msgspec tells a fault by its types and a path ("Expected `int` >= 1 - at `$.clauses[1]...`"); who
wrote the agreement knows clause 2.1, and a notice in hours.

    >>> fault = "Expected `int` >= 1 - at `$.clauses[0].decides.notice_us`"
    >>> place, shown, limit, _ = in_words(fault, {"clauses": [{"id": "2", "decides": {}}]})
    >>> place, limit
    ('clause 2, decides.notice', 'is not above 0')
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from keepclear.agreement.clauses import (
    HOUR_US,
    TIME_OF_DAY,
    AmongEquals,
    AnyDecision,
    Field,
    Means,
    OnConflict,
    Precedence,
    kind_of,
)
from keepclear.agreement.quantities import duration_text, lateral_text
from keepclear.agreement.words import LINES, WORDS
from keepclear.record.headers import NAME

FAULT: Final = re.compile(r"(?P<said>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")
NAMED: Final[Mapping[str, str]] = {"clauses": "clause", "parties": "party", "posts": "post"}
UNITS: Final = re.compile(r"_(?:us|tmm|s)$")
TIMES: Final = frozenset({"in_force_us", "until_us", "review_us", "at_us", "expires_us"})
SEEN: Final = "write it in plain words"
# What a pattern asks for, and what to write instead.
PATTERNS: Final[Mapping[str, tuple[str, str]]] = {
    NAME: ("is no id of small letters, digits and - (64 at most)", 'write one such as "north-2"'),
    WORDS: ("has a line break, or a character that is not seen", SEEN),
    LINES: ("has a character that is not seen", SEEN),
    r"^[A-Z0-9]{1,3}(?:\.[0-9]{1,2}){0,2}\Z": ("is no clause id", "write one such as 2.1 or A.1"),
    TIME_OF_DAY: ("is no time of day in UTC", "write one such as 09:00Z"),
    r"^[a-z]{2}\Z": ("is no language", "write its two letters, such as en"),
    r"^[A-Z]{1,3}\Z": ("is no id of an annex", "write one to three capitals, such as A"),
    r"^[0-9a-f]{64}\Z": ("is not 64 hexadecimal digits", "copy it whole"),
    r"^(?:[0-9a-f]{64})?\Z": ("is not 64 hexadecimal digits", "copy it whole, or leave it out"),
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": tuple(map(kind_of, get_args(AnyDecision))),
    "action": tuple(OnConflict), "precedence": tuple(Precedence), "fields": tuple(Field),
    "among_equals": tuple(AmongEquals), "by": tuple(Means),
    "role": ("force", "civil_authority", "humanitarian", "neutral_operator"),
    "type": ("lateral", "vertical", "time", "duration", "standoff", "well_clear", "any", "all"),
}  # fmt: skip
TYPES: Final[Mapping[str, str]] = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
    "array": "a list", "object": "a table", "null": "nothing",
}  # fmt: skip


class Said(NamedTuple):
    """A fault in words. place: empty for the whole document."""

    place: str
    value: object
    limit: str
    way_out: str


def in_words(fault: str, document: object) -> Said:
    """Return what msgspec says of a document, in the words of who wrote it."""
    match = FAULT.fullmatch(fault)
    said, path = (fault, "") if match is None else (match["said"], match["path"] or "")
    place, value, name = _place(path, document)
    limit, way_out = _limit(said, name)
    return Said(place, _shown(value, name), limit, way_out)


def _place(path: str, document: object) -> tuple[str, object, str]:
    """Return a path in words, the value there, and the name of its field."""
    words: list[str] = []
    name, at = "", document
    for field, number in STEP.findall(path):
        if field:
            name, at = field, at.get(field) if isinstance(at, Mapping) else None
            words.append(UNITS.sub("", field))
            continue
        is_there = number and isinstance(at, Sequence) and int(number) < len(at)
        at = at[int(number)] if is_there and isinstance(at, Sequence) else None
        own: Mapping[str, Any] = at if isinstance(at, Mapping) else {}
        if name in NAMED:
            words[-1] = f"{NAMED[name]} {own.get('id', int(number or 0) + 1)}"
        elif name in {"texts", "title"}:
            words[-1] = f"{'title' if name == 'title' else 'text'}.{own.get('language', '')}"
        else:
            words[-1] += f"[{number}]"
    if words[-2:-1] and words[-2].startswith(("text.", "title.")):
        words.pop()  # a text is named by its language
    named = [each for each in words if " " in each]
    rest = ".".join(each for each in words if " " not in each)
    return ", ".join((*named, *([rest] if rest else []))), at, name


def _limit(said: str, name: str) -> tuple[str, str]:
    """Return what is wrong, and the way out."""
    for pattern, words in WORDED:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return words(found, name)
    limit, semicolon, way_out = said.rpartition("; ")
    return (limit, way_out) if semicolon else (said, "see the template")


def _of_form(found: re.Match[str], _name: str) -> tuple[str, str]:
    pattern = found[1].replace("\\\\", "\\")
    return PATTERNS.get(pattern, ("has another form than it must", "see the template"))


def _of_choice(_found: re.Match[str], name: str) -> tuple[str, str]:
    return f"is none of {', '.join(CHOICES.get(name, ())) or 'those known'}", "take one of them"


def _of_limit(found: re.Match[str], name: str) -> tuple[str, str]:
    if name in TIMES:
        return "is beyond the calendar", "give a date between 1970 and 9999"
    if found[1] == ">=" and found[2] == "1":
        return "is not above 0", "give more"
    side = "below" if found[1].startswith(">") else "above"
    return f"is {side} {_shown(int(found[2]), name)}", "give one within the limit"


def _of_type(found: re.Match[str], _name: str) -> tuple[str, str]:
    wanted, got = (TYPES.get(each, each) for each in found.groups())
    return f"is {got} and should be {wanted}", "see the template"


def _of_length(found: re.Match[str], _name: str) -> tuple[str, str]:
    if found[2] == "1":
        return "is empty", "fill it in, or leave it out"
    side = "shorter" if found[1] == ">=" else "longer"
    return f"is {side} than {found[2]}", "give one within the limit"


def _of_missing(found: re.Match[str], _name: str) -> tuple[str, str]:
    return f"lacks {UNITS.sub('', found[1])}", "add it; see the template"


def _of_unknown(found: re.Match[str], _name: str) -> tuple[str, str]:
    return f"has {found[1]!r}, which is no field there", "take it out, or mend its name"


# What msgspec says, and who puts it into words.
WORDED: Final[Sequence[tuple[str, Callable[[re.Match[str], str], tuple[str, str]]]]] = (
    (r"Expected `str` matching regex '(.*)'", _of_form),
    (r"Invalid (?:enum )?value .*", _of_choice),
    (r"Expected `(?:int|float)` (>=|<=|<|>) (-?\d+)", _of_limit),
    (r"Expected `(\w+)`, got `(\w+)`", _of_type),
    (r"Expected `\w+` of length (>=|<=) (\d+)", _of_length),
    (r"Object missing required field `(.*)`", _of_missing),
    (r"Object contains unknown field `(.*)`", _of_unknown),
)


def _shown(value: object, name: str) -> object:
    """Return a value as who wrote it knows it: a number with its unit, a table by its name."""
    if isinstance(value, Mapping):
        return value.get("kind") or value.get("id") or "..."
    if value is None or isinstance(value, list | tuple):
        return "..."
    if not isinstance(value, int) or isinstance(value, bool) or name in TIMES:
        return value
    if name.endswith("_us"):
        return _duration(value)
    if name.endswith("_tmm"):
        return lateral_text(value)
    return f"{value} s" if name.endswith("_s") else value


def _duration(time_us: int) -> str:
    for unit_us, unit in ((24 * HOUR_US, "d"), (HOUR_US, "h")):
        if time_us % unit_us == 0 and time_us:
            return f"{time_us // unit_us} {unit}"
    return duration_text(time_us)
