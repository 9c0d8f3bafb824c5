# SPDX-License-Identifier: Apache-2.0
"""How much one party, or one address, may ask of a node in a while."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from keepclear.record.encoding import encode
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.server import app
from keepclear.server.app import Public
from keepclear.server.sessions import TOKEN_US
from tests.test_writer import Served


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    made.writer.start()
    yield made
    made.writer.stop()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four be asked at once, and hardly any more after."""
    for each in ("READS", "LOOKS", "CALLS"):
        monkeypatch.setattr(app, f"{each}_AT_ONCE", 4.0)
        monkeypatch.setattr(app, f"{each}_A_SECOND", 0.01)


def reached(served: Served) -> TestClient[Litestar]:
    return TestClient(Public(served.writer, served.stage.clock.now_us).app())


def signed_in(http: TestClient[Litestar], served: Served, party: str) -> dict[str, str]:
    """Sign in as the watch of a party, and return the headers with its token."""
    challenge = http.get("/v1/challenge").json()["challenge"]
    envelope = served.stage.envelope(party, SIGN_IN, OpenSession(challenge=challenge))
    answer = http.post("/v1/sessions", content=encode(envelope))
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.mark.usefixtures("few")
def test_what_one_party_reads_too_often_waits_and_no_others(served: Served) -> None:
    with reached(served) as http:
        ours, theirs = signed_in(http, served, "a"), signed_in(http, served, "b")
        paths = (
            "/v1/operations",
            "/v1/conflicts",
            "/v1/record",
            "/v1/proofs?audience=a&from=1&to=1",
        )
        codes = [http.get(each, headers=ours).status_code for each in paths]
        assert 429 not in codes

        for each in (*paths, "/v1/stream"):
            answer = http.get(each, headers=ours)
            assert answer.status_code == 429
            assert "a: sends more reads than are taken; nothing was done" in answer.json()["error"]
            assert 90 <= int(answer.headers["Retry-After"]) <= 100
        assert http.get("/v1/operations", headers=theirs).status_code == 200


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("method", "path", "what"), [
    ("GET", "/v1/region", "looks at the region"), ("GET", "/v1/challenge", "calls to sign in"),
    ("POST", "/v1/sessions", "tries to sign in"),
])  # fmt: skip
def test_what_one_address_asks_too_often_waits(
    served: Served, method: str, path: str, what: str
) -> None:
    with reached(served) as http:
        answers = [http.request(method, path, content=b"{}") for _ in range(5)]

    assert [each.status_code == 429 for each in answers] == [False] * 4 + [True]
    assert f"sends more {what} than are taken" in answers[4].json()["error"]


@pytest.mark.usefixtures("few")
def test_a_token_that_has_ended_takes_nothing_of_what_its_party_may_ask(served: Served) -> None:
    with reached(served) as http:
        ours = signed_in(http, served, "a")
        clock = served.stage.clock
        clock.move_to(clock.now_us() + TOKEN_US)
        codes = [http.get("/v1/operations", headers=ours).status_code for _ in range(9)]
        assert codes == [401] * 9

        ours = signed_in(http, served, "a")

        codes = [http.get("/v1/operations", headers=ours).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]  # the first of the nine took one
