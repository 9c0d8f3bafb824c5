# SPDX-License-Identifier: Apache-2.0
"""The page on the life of an operation names what is there, and tables as they stand."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from keepclear.plans import conflicts, operations

REPOSITORY: Final = Path(__file__).resolve().parent.parent
PAGE: Final = (REPOSITORY / "docs" / "life-of-an-operation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("## States of an operation", operations.TABLE),
        ("## States of a conflict", conflicts.TABLE),
    ],
)
def test_the_page_has_the_tables_of_states_as_they_are(
    heading: str, table: Mapping[Any, Mapping[Any, Any]]
) -> None:
    rows = [
        f"| {state} | {event} | {after} |"
        for state, moves in table.items()
        for event, after in moves.items()
    ]
    section = PAGE.split(heading)[1].split("\n## ")[0]

    assert [line for line in section.splitlines() if line.startswith("| ")][1:] == rows


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`([a-z0-9_/]+\.py)`", PAGE))

    assert len(named) > 20
    for file in named:
        assert (REPOSITORY / "src" / "keepclear" / file).is_file(), file
