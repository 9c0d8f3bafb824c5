# SPDX-License-Identifier: Apache-2.0
"""Ways to spoil what was signed: bytes, lines, and fields taken from another valid value."""

import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

MOST: Final = 2**16
Numbers = tuple[int, int, int]
Mutation = tuple[str, Numbers]


def _span(data: bytes, numbers: Numbers) -> tuple[int, int]:
    first = numbers[0] % (len(data) + 1)
    return first, min(first + 1 + numbers[1] % 40, len(data))


def _set(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    first, _ = _span(data, numbers)
    return data[:first] + bytes([numbers[2] % 256]) + data[first + 1 :]


def _flip(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    first = numbers[0] % max(len(data), 1)
    flipped = bytes(byte ^ 1 << numbers[2] % 8 for byte in data[first : first + 1])
    return data[:first] + flipped + data[first + 1 :]


def _insert(data: bytes, other: bytes, numbers: Numbers) -> bytes:
    first, _ = _span(data, numbers)
    start, end = _span(other, numbers[1:] + numbers[:1])
    return data[:first] + other[start:end] + data[first:]


def _delete(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    first, last = _span(data, numbers)
    return data[:first] + data[last:]


def _duplicate(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    first, last = _span(data, numbers)
    return data[:last] + data[first:]


def _truncate(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    return data[: numbers[0] % (len(data) + 1)]


def _swap_lines(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    lines = data.split(b"\n")
    one, two = numbers[0] % len(lines), numbers[1] % len(lines)
    lines[one], lines[two] = lines[two], lines[one]
    return b"\n".join(lines)


def _repeat_line(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    lines = data.split(b"\n")
    lines.insert(numbers[1] % len(lines), lines[numbers[0] % len(lines)])
    return b"\n".join(lines)


def _drop_line(data: bytes, other: bytes, numbers: Numbers) -> bytes:  # noqa: ARG001 one of a table
    lines = data.split(b"\n")
    del lines[numbers[0] % len(lines)]
    return b"\n".join(lines)


def _take_line(data: bytes, other: bytes, numbers: Numbers) -> bytes:
    lines, others = data.split(b"\n"), other.split(b"\n")
    lines[numbers[0] % len(lines)] = others[numbers[1] % len(others)]
    return b"\n".join(lines)


def _take_field(data: bytes, other: bytes, numbers: Numbers) -> bytes:
    """Put a value from one place of the other into a place of this, in its one form again."""
    lines, others = data.split(b"\n"), other.split(b"\n")
    k = numbers[0] % len(lines)
    try:
        value, source = json.loads(lines[k]), json.loads(others[numbers[1] % len(others)])
    except ValueError:
        return data
    if not isinstance(value, dict) or not isinstance(source, dict):
        return data
    places, sources = list(_places(value)), list(_places(source))
    if not places or not sources:
        return data
    holder, key = places[numbers[1] % len(places)]
    # mostly the field of the same name, so that what comes out may well be read
    named = [each for each in sources if each[1] == key] or sources
    from_holder, from_key = named[numbers[2] % len(named)]
    holder[key] = from_holder[from_key]
    lines[k] = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return b"\n".join(lines)


def _places(value: Any) -> Any:  # noqa: ANN401 what JSON holds
    """Yield every place of a JSON value as what holds it and under which key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


WAYS: Final[dict[str, Callable[[bytes, bytes, Numbers], bytes]]] = {
    "set": _set, "flip": _flip, "insert": _insert, "delete": _delete, "duplicate": _duplicate,
    "truncate": _truncate, "swap lines": _swap_lines, "repeat line": _repeat_line,
    "drop line": _drop_line, "take line": _take_line, "take field": _take_field,
}  # fmt: skip
_number: Final = st.integers(0, MOST)
mutations: Final = st.lists(
    st.tuples(st.sampled_from(sorted(WAYS)), st.tuples(_number, _number, _number)),
    min_size=1, max_size=3,
)  # fmt: skip


def mutated(data: bytes, other: bytes, ways: list[Mutation]) -> bytes:
    """Return data after each of the mutations; other: a valid value of the same type."""
    for name, numbers in ways:
        data = WAYS[name](data, other, numbers)
    return data
