# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a play, in words: the field by its name, the value as written, the way out."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from keepclear.errors import CallerError, InputError
from keepclear.plans.conflicts import Answer
from keepclear.plans.filing import Craft, Domain
from keepclear.units import parse_length_tmm

Made = TypeVar("Made")
AT: Final = re.compile(r"(?P<limit>.*) - at `\$(?P<path>[^`]*)`")
STEP: Final = re.compile(r"\[(?P<index>\d+)\]|\.?(?P<name>[^.\[\]]+)")
FIELD: Final = re.compile(
    r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`"
)
ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "craft": tuple(Craft), "domain": tuple(Domain), "answer": tuple(Answer),
    "kind": ("circle", "corridor", "orbit", "polygon"), "edge": ("geodesic", "rhumb", "planar"),
}  # fmt: skip
# How a value is refused, and what is said of it: the limit and the way out.
SAID: Final = (
    (r"Expected `str`, got .*", "is no text", 'write it in quotes, such as "5 NM"'),
    (r"Expected `(?:int|float)`, got .*", "is no number", "write a number without quotes"),
    (r"Expected `array`, got .*", "is no list", "write [ and ] round it"),
    (r"Expected `(?:object|table)`, got .*", "is no table", "write { and } round its fields"),
    (r"Expected `bool`, got .*", "is neither true nor false", "write true or false"),
    (r"Expected `array` of length (\d+), got (\d+)", r"is \2 long, not \1", r"give \1"),
    (r"Expected `array` of length >= (\d+)", r"has fewer than \1 parts", r"give \1 or more"),
    (r"Expected `array` of length <= (\d+)", r"has more than \1 parts", r"give \1 or fewer"),
    (r"Expected `str` of length <= (\d+)", r"has more than \1 characters", "write less"),
    (r"Expected `str` of length >= (\d+)", r"has fewer than \1 characters", "write more"),
    (r"Expected `int` >= (\d+)", r"is below \1", r"give \1 or more"),
    (r"Expected `int` <= (\d+)", r"is above \1", r"give \1 or less"),
    (r"Expected `str` matching regex .*", "is no name", "use up to 64 of a-z, 0-9 and -"),
)  # fmt: skip
NO_LOWER: Final = ("SFC", "GND", "SURFACE", "GROUND")
NO_UPPER: Final = ("UNL", "UNLIMITED")
LONGEST: Final = 60
SIZES: Final = ("radius", "width")


def converted(value: object, kind: type[Made], path: str) -> Made:
    """Return a value of the play as its kind; `InputError` where it cannot be one."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        raise _fault(fault, value, path) from None


def _fault(fault: msgspec.ValidationError, value: Any, path: str) -> InputError:  # noqa: ANN401 any TOML
    """Return what is wrong with a value that does not fit. path: of the value in the play."""
    found = AT.fullmatch(str(fault))
    limit, inner = (found["limit"], found["path"]) if found else (str(fault), "")
    own = _inside(value, inner)
    if field := FIELD.fullmatch(limit):
        is_missing = field["what"].startswith("missing")
        inner += f".{field['name']}"
        own = "" if is_missing or not isinstance(own, Mapping) else own.get(field["name"], "")
        said = ("is needed", "give it") if is_missing else ("is no field here", "leave it out")
    else:
        said = _said(limit, inner)
    return InputError(f"{path}{inner}".lstrip("."), _short(own), *said)


def _said(limit: str, inner: str) -> tuple[str, str]:
    name = inner.rpartition(".")[2]
    if limit.startswith("Invalid ") and name in ENUMS:
        return "is none that is known", f"one of {', '.join(ENUMS[name])}"
    for pattern, words, way_out in SAID:
        if found := re.fullmatch(pattern, limit):
            return found.expand(words), found.expand(way_out)
    words, _, way_out = limit.rpartition("; ")
    return (words, way_out) if words else (limit, "see docs/plays.md")


def _inside(value: Any, path: str) -> Any:  # noqa: ANN401 any TOML
    """Return what stands at a path inside a value, "" where that cannot be told."""
    for step in STEP.finditer(path):
        try:
            value = value[int(step["index"])] if step["index"] else value[step["name"]]
        except (KeyError, IndexError, TypeError):
            return ""
    return value


def _short(value: object) -> object:
    """Return a value as an error names it, never longer than a line."""
    if isinstance(value, Mapping):
        return f"{len(value)} fields"
    if isinstance(value, list | tuple) and len(repr(value)) > LONGEST:
        return f"{len(value)} parts"
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}..."
    return value


def check_numbers(tree: object, path: str = "") -> None:
    """Refuse a number of TOML that is none: nan and inf. `InputError`."""
    for place, value in _leaves(tree, path):
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(place, value, "is no number", "give degrees, or leave it out")


def _leaves(tree: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(tree, Mapping):
        for name, each in tree.items():
            yield from _leaves(each, f"{path}.{name}".lstrip("."))
    elif isinstance(tree, list):
        for number, each in enumerate(tree):
            yield from _leaves(each, f"{path}[{number}]")
    else:
        yield path, tree


def check_area(
    shape: Mapping[str, object], lower: str | None, upper: str | None, path: str
) -> None:
    """Refuse a size that is not above 0, and a height that means no limit. `InputError`."""
    for name in SIZES:
        size = shape.get(name)
        is_read = isinstance(size, str) and len(size) <= LONGEST  # else it is refused as filed
        if is_read and parse_length_tmm(str(size), f"{path}.shape.{name}") <= 0:
            raise InputError(
                f"{path}.shape.{name}", size, "is not above 0", "give a distance above 0"
            )
    for name, text, none in (("lower", lower, NO_LOWER), ("upper", upper, NO_UPPER)):
        if text is not None and text.strip().upper() in none:
            raise InputError(
                f"{path}.{name}", text, "is no height, but no limit", f"leave {name} out"
            )


def split(fault: CallerError) -> tuple[str, str]:
    """Return the limit and the way out that an error has in its words."""
    limit, _, way_out = str(fault).rpartition("; ")
    return (limit, way_out) if limit else (str(fault), "mend it")
