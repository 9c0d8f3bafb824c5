# SPDX-License-Identifier: Apache-2.0
"""No text from a file rewrites the screen or begins a line of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.reports.printable import printable


@pytest.mark.parametrize(
    "hidden",
    [
        "\x00", "\x07", "\x08", "\t", "\n", "\r", "\x1b", "\x7f",  # C0 and DEL
        "\x80", "\x85", "\x9b", "\x9f",  # C1: 0x9b alone starts a sequence on some terminals
        "\u061c", "\u200e", "\u200f", "\u2028", "\u2029",
        *(chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
        "\u200b", "\u2060", "\ufeff", "\U000e0041", "\ud800",
    ],
)  # fmt: skip
def test_a_character_that_is_not_seen_is_written_out(hidden: str) -> None:
    shown = printable(f"a{hidden}b")

    assert shown.isprintable()
    assert shown.startswith("a\\")
    assert f"{ord(hidden):x}" in shown


@pytest.mark.parametrize(
    "text",
    ["north", "10:14Z", "Дежурный", "क्\u200dष", "5\u202f000 m", "日本", "a\\b"],
)
def test_what_people_write_is_left_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.text())
def test_printable_text_is_one_line_and_stays_as_it_is(text: str) -> None:
    shown = printable(text)

    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
