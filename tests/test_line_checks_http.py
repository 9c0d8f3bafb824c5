# SPDX-License-Identifier: Apache-2.0
"""Checks of lines between two clients of a node, on a clock that is handed in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from keepclear.line.check_acts import AnswerLineCheck, CheckLine
from keepclear.line.checks import Check, CheckedLine, LineState, Result
from tests.http_stage import HttpStage, over_http
from tests.line_check_plays import MISSED_US, check_agreement

PATHS: Final[dict[str, Any]] = {"/v1/lines": list[CheckedLine], "/v1/line-checks": list[Check]}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[HttpStage]:
    with over_http(tmp_path, check_agreement(), "a", "b") as made:
        yield made


def given(line: HttpStage, party: str, path: str) -> Any:  # noqa: ANN401 as asked for
    """Return what the exchange gives a party at an address."""
    return msgspec.json.decode(line.client(party)._ask("GET", path), type=PATHS[path])


def test_a_check_that_is_missed_and_answered_is_the_same_at_both_clients_and_at_the_node(
    line: HttpStage,
) -> None:
    a, b = line.client("a"), line.client("b")
    a.act("line.check/1", CheckLine(to="b"))
    line.clock.move_to(line.clock.now_us() + MISSED_US)
    b.act("line.check/1", CheckLine(to="a"))  # whatever comes next enters what fell due
    assert [each.state for each in a.lines()] == [LineState.DOUBTFUL, LineState.UNKNOWN]
    [own, _] = given(line, "b", "/v1/line-checks")

    b.act("line.check-answer/1", AnswerLineCheck(id=own.id))

    for party in ("a", "b"):
        held = line.client(party)
        assert held.lines() == given(line, party, "/v1/lines")
        assert held.lines()[0].state is LineState.UP
        checks = given(line, party, "/v1/line-checks")
        assert list(held.picture.checks.values()) == checks
        assert checks[0].result is Result.MISSED
        assert checks[0].answer.post == "watch"
