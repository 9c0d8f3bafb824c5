# SPDX-License-Identifier: Apache-2.0
"""Shifts, calls and late entries between two clients of a node, and what each is told at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.line.acts import SendMessage
from keepclear.line.calls import AnnotateCall, Call, LogCall
from keepclear.line.messages import FLIGHT_SAFETY, Message
from keepclear.line.said import Said
from keepclear.line.shifts import OpenShift, Shift
from keepclear.reports.desk_text import LOUD, step_text
from tests.http_stage import HttpStage, over_http
from tests.message_plays import line_agreement
from tests.record_plays import START_US

PATHS: Final[dict[str, Any]] = {
    "/v1/shifts": list[Shift], "/v1/calls": list[Call], "/v1/messages": list[Message],
}  # fmt: skip
BEFORE: Final = Said(at_us=START_US - 60_000_000, by="satellite")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[HttpStage]:
    with over_http(tmp_path, line_agreement(), "a", "b") as made:
        yield made


def given(line: HttpStage, party: str, path: str) -> Any:  # noqa: ANN401 as asked for
    """Return what the exchange gives a party at an address."""
    return msgspec.json.decode(line.client(party)._ask("GET", path), type=PATHS[path])


def test_each_client_holds_what_the_node_gives_it_and_no_shift_of_the_other(
    line: HttpStage,
) -> None:
    a, b = line.client("a"), line.client("b")
    a.act("line.shift-open/1", OpenShift(person="day"))
    a.act("line.call/1", LogCall(
        to="b", at_us=START_US - 60_000_000, lasts_us=0, on="line B", summary="x", language="en"
    ))  # fmt: skip
    a.act("line.send/1", SendMessage(
        to="b", channel=FLIGHT_SAFETY, precedence=Precedence.URGENT, text="x", language="en",
        said=BEFORE,
    ))  # fmt: skip
    told = [step_text(each, {})[0] for each in b.catch_up()]
    [own] = given(line, "b", "/v1/calls")
    b.act("line.call-annotate/1", AnnotateCall(id=own.id, text="y", language="en"))
    a.catch_up()

    for party in ("a", "b"):
        picture = line.client(party).picture
        assert list(picture.calls.values()) == given(line, party, "/v1/calls")
        assert list(picture.shifts.values()) == given(line, party, "/v1/shifts")
        [message] = given(line, party, "/v1/messages")
        assert message.said == BEFORE
    assert len(given(line, "a", "/v1/shifts")) == 1
    assert given(line, "b", "/v1/shifts") == []
    assert any(f"CALL: call {own.id[:8]} of a with b at " in each for each in told)
    assert any("URGENT (PAN PAN): LATE ENTRY  message" in each for each in told)
    assert not any("shift" in each for each in told)


def test_a_late_entry_rings_as_loud_as_what_is_said_now() -> None:
    assert "URGENT (PAN PAN): LATE ENTRY  message".startswith(LOUD)
