# SPDX-License-Identifier: Apache-2.0
"""How long a client goes on asking an exchange that gives no answer, and how soon it asks again."""

import httpx
import pytest

from keepclear.client import Client, NoAnswer
from keepclear.record.files import KeysFile
from tests.record_plays import signer


def nobody(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_it_asks_for_half_a_minute_and_never_waits_long_for_a_node_that_may_be_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("keepclear.client.acting.time.sleep", waits.append)
    http = httpx.Client(base_url="http://exchange", transport=httpx.MockTransport(nobody))
    client = Client("http://exchange", "north", "watch", signer("n"), KeysFile(), http=http)

    with client, pytest.raises(NoAnswer, match="in 18 tries"):
        client.operations()

    assert waits[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert set(waits[4:]) == {2.0}
    assert 25 < sum(waits) < 35
