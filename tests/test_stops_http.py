# SPDX-License-Identifier: Apache-2.0
"""STOPs between three clients of a node: what each holds is what the node gives it, and no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from keepclear.line.stops import KeepOut
from keepclear.plans import acts
from keepclear.plans.stops import EndStop, Stop
from tests.http_stage import HttpStage, over_http
from tests.incident_plays import filed
from tests.message_plays import line_agreement
from tests.stop_plays import calling, small

PATHS: Final[dict[str, Any]] = {"/v1/stops": list[Stop], "/v1/keep-outs": list[KeepOut]}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[HttpStage]:
    with over_http(tmp_path, line_agreement(), "a", "b", "c") as made:
        yield made


def given(line: HttpStage, party: str, path: str) -> Any:  # noqa: ANN401 as asked for
    """Return what the exchange gives a party at an address."""
    return msgspec.json.decode(line.client(party)._ask("GET", path), type=PATHS[path])


def test_each_party_reads_its_own_stops_and_where_it_must_keep_out_and_no_others(
    line: HttpStage,
) -> None:
    a, c = line.client("a"), line.client("c")
    c.act("operations.file/1", acts.FileOperation(operation=filed(small(35.0, minutes=200))))
    a.act("line.stop/1", calling())

    for party in "abc":
        held = line.client(party)
        assert held.stops() == given(line, party, "/v1/stops")
        assert held.keep_outs() == given(line, party, "/v1/keep-outs")
    [own] = a.stops()
    [out] = c.keep_outs()
    assert (own.party, own.is_protecting) == ("a", True)
    assert list(c.picture.operations) == [out.operation]
    assert [message.stop.area for message in line.client("b").messages() if message.stop] == [
        *out.areas
    ]
    assert (line.client("b").stops(), line.client("b").keep_outs(), c.stops()) == ([], [], [])
    assert a.keep_outs() == []

    a.act("line.stop-end/1", EndStop(id=own.id))
    assert c.keep_outs() == given(line, "c", "/v1/keep-outs") == []
    assert [each.is_protecting for each in given(line, "a", "/v1/stops")] == [False]
