# SPDX-License-Identifier: Apache-2.0
"""JSON (RFC 8259) as values, and values as what a reader expects of them.

Leaves what the values mean to the readers.

1. UTF-8 only. NaN, Infinity, a name given twice and nesting past Python's limit are refused.
2. What is not as expected is an `InputError` with the path of the value: features[3].geometry.
3. A name that is shown to people holds printable characters only: no control characters, no
   lone surrogates, nothing that turns the direction of writing.
"""

import json
import math
from collections.abc import Mapping
from typing import Final, NoReturn

from keepclear.errors import InputError
from keepclear.formats.faults import Faults, shown

MOST_BYTES: Final = 32 * 1024 * 1024  # as Python values this takes up to 1 GB
LONGEST_TEXT: Final = 200  # of a value that is read; descriptions are not

Json = object
Object = Mapping[str, Json]


def decode_text(content: bytes, faults: Faults) -> str:
    """Return a text file's characters; `FileErrors` where it is empty, too large or not UTF-8."""
    if len(content) > MOST_BYTES:
        raise faults.fatal(
            "size", value=f"{len(content):,} bytes", limit=f"is more than {MOST_BYTES:,} bytes",
            way_out="split the file",
        )  # fmt: skip
    if not content.strip():
        raise faults.fatal("empty", limit="is empty", way_out="check that it was written")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise faults.fatal(
            "encoding", row=content.count(b"\n", 0, error.start) + 1,
            value=content[error.start : error.start + 1].hex(" "),
            limit="is not UTF-8", way_out="save the file as UTF-8",
        ) from None  # fmt: skip


def decode_json(content: bytes, faults: Faults) -> Json:
    """Return the document; `FileErrors` where it is not JSON or is cut off."""
    text = decode_text(content, faults)
    try:
        document: Json = json.loads(
            text, object_pairs_hook=_object_of, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise faults.fatal(
            "JSON", row=error.lineno, column=f"character {error.colno}",
            limit=f"is not JSON: {error.msg}", way_out="check that the file is whole",
        ) from None  # fmt: skip
    except RecursionError:
        raise faults.fatal("JSON", limit="is nested too deep", way_out="flatten it") from None
    except ValueError as error:
        raise faults.fatal(
            "JSON", limit=str(error)[:100], way_out="correct it and export again"
        ) from None
    return document


def _object_of(pairs: list[tuple[str, Json]]) -> Object:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in members if names.count(name) > 1)
        raise ValueError(f"name {shown(twice)!r} stands twice in one object")
    return members


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def as_object(value: Json, path: str) -> Object:
    """Return an object; `InputError` otherwise."""
    if not isinstance(value, dict):
        raise InputError(path, shown(value), "is not an object", "give { }")
    return value


def as_list(value: Json, path: str) -> list[Json]:
    """Return an array; `InputError` otherwise."""
    if not isinstance(value, list):
        raise InputError(path, shown(value), "is not an array", "give [ ]")
    return value


def as_number(value: Json, path: str) -> float:
    """Return a finite number of ordinary size; true, false and text are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(path, shown(value), "is not a number", "give a number")
    if not -1e15 < value < 1e15 or math.isnan(value):
        raise InputError(path, shown(value), "is no number of this world", "check it")
    return float(value)


def as_text(value: Json, path: str) -> str:
    """Return text; `InputError` otherwise."""
    if not isinstance(value, str):
        raise InputError(path, shown(value), "is not text", 'put it in quotes: "..."')
    if len(value) > LONGEST_TEXT:
        raise InputError(
            path, shown(value), f"is longer than {LONGEST_TEXT} characters", "shorten it"
        )
    return value


def as_name(value: Json, path: str) -> str:
    """Return a name that can be shown to people: stripped, not empty, printable."""
    text = as_text(value, path).strip()
    if not text:
        raise InputError(path, text, "is empty", "leave it out or name it")
    if not text.isprintable():
        raise InputError(path, shown(ascii(text)), "holds unprintable characters", "remove them")
    return text


def member(of: Object, name: str, path: str, way_out: str) -> Json:
    """Return a member that must be there."""
    if of.get(name) is None:
        raise InputError(f"{path}.{name}" if path else name, None, "is missing", way_out)
    return of[name]
