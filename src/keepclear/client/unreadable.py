# SPDX-License-Identifier: Apache-2.0
"""What an act cannot say, told in words before it is signed.

The exchange refuses the same, in the words of who writes programs: with the pattern that a text
does not match. Here it names the field, the value, what is wrong in it and the way out.

    >>> from keepclear.line.acts import AcknowledgeMessage
    >>> check_payload(AcknowledgeMessage(id="1a2b"))
    Traceback (most recent call last):
    keepclear.errors.InputError: id '1a2b': has not the form of one; see its type
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from keepclear.agreement.words import LINES, WORDS
from keepclear.errors import InputError
from keepclear.line.messages import Language
from keepclear.record.encoding import Signed, encode
from keepclear.record.headers import NAME

SHOWN: Final = 60
_UNSEEN: Final = "has a character that is not seen: a control character or a mark of direction"
_LANGUAGE: Final = msgspec.json.schema(Language)["pattern"]
WRONG: Final[Mapping[str, tuple[str, str]]] = {
    NAME: ("is no name of small letters, digits, hyphens", 'as "shift-lead"'),
    LINES: (_UNSEEN, "type it without"),
    WORDS: (f"{_UNSEEN}; or a line break", "type it without"),
    _LANGUAGE: ("is no language of two letters", 'write "en"'),
}
"""What is wrong in a text that does not match a pattern, and the way out."""
_FAULT: Final = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_PATTERN: Final = re.compile(r"Expected `str` matching regex (.*)", re.DOTALL)
_LENGTH: Final = re.compile(r"Expected `(str|array)` of length ([<>])= (\d+)")


def check_payload(payload: Signed) -> None:
    """Refuse a payload that the exchange could not read; `InputError` says why in words."""
    data = encode(payload)
    try:
        msgspec.json.decode(data, type=type(payload))
    except msgspec.ValidationError as fault:
        found = _FAULT.fullmatch(str(fault))
        why, path = (found[1], found[2] or "") if found is not None else (str(fault), "")
        limit, way_out = _words(why)
        value = _value(msgspec.json.decode(data), path)
        raise InputError(path or "act", value, limit, way_out) from None


def _words(why: str) -> tuple[str, str]:
    """Return what is wrong, and the way out."""
    if found := _PATTERN.fullmatch(why):
        known = (each for pattern, each in WRONG.items() if repr(pattern) == found[1])
        return next(known, ("has not the form of one", "see its type"))
    if found := _LENGTH.fullmatch(why):
        what, way, number = found.groups()
        of = "characters" if what == "str" else "entries"
        if way == "<":
            return f"has more than {int(number):,} {of}", "give fewer"
        return (
            ("is empty", "give it") if number == "1" else (f"has under {number} {of}", "give more")
        )
    return why, "see its type"


def _value(value: Any, path: str) -> object:  # noqa: ANN401 as it is read from JSON
    """Return the value at a path as msgspec has it, as far as it is shown."""
    for name, place in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[name or int(place)]
        except (KeyError, IndexError, TypeError):
            return ""
        if place and not isinstance(value, dict | list):
            break
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
