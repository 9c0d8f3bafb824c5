# SPDX-License-Identifier: Apache-2.0
"""Signing in by cookie: what a browser is given, and what it may do with it."""

from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from keepclear.record.encoding import encode
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.server.app import Public
from tests.test_writer import Served

HERE = "http://exchange.example:8610"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": HERE}
OTHERS: tuple[dict[str, str], ...] = (
    {}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site", "Origin": HERE},
    {"Sec-Fetch-Site": "none"}, {"Origin": "http://elsewhere.example"}, {"Origin": "null"},
    {"Origin": "http://exchange.example:8611"}, {"Origin": ""},
)  # fmt: skip


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    made.writer.start()
    yield made
    made.writer.stop()


@pytest.fixture
def http(served: Served) -> Iterator[TestClient[Litestar]]:
    app = Public(served.writer, served.stage.clock.now_us).app()
    with TestClient(app, base_url=HERE) as made:
        yield made


def sign_in(
    http: TestClient[Litestar], served: Served, headers: dict[str, str], query: str = "cookie=true"
) -> httpx.Response:
    """Sign in as the watch of a, asking for a cookie."""
    challenge = http.get("/v1/challenge").json()["challenge"]
    envelope = served.stage.envelope("a", SIGN_IN, OpenSession(challenge=challenge))
    return http.post(f"/v1/sessions?{query}", content=encode(envelope), headers=headers)


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    [made] = SimpleCookie(answer.headers["set-cookie"]).values()
    return made


def test_a_token_is_given_as_a_cookie_that_no_script_reads(
    http: TestClient[Litestar], served: Served
) -> None:
    answer = sign_in(http, served, OWN)

    made = cookie_of(answer)
    assert answer.status_code == 201
    assert (answer.json()["token"], answer.json()["party"]) == ("", "a")
    assert (made.key, made["path"], made["domain"], made["secure"]) == ("keepclear", "/", "", "")
    assert made["httponly"]
    assert made["samesite"].lower() == "strict"
    assert made["max-age"] == "43200"
    assert http.get("/v1/operations").json() == []  # the client sends it by itself
    assert http.get("/v1/operations", headers={"Authorization": "Bearer no"}).status_code == 401


@pytest.mark.parametrize("base", [HERE, HERE.replace("http:", "https:")])
def test_over_tls_it_is_secure_whether_tls_ends_here_or_at_a_proxy(
    served: Served, base: str
) -> None:
    app = Public(served.writer, served.stage.clock.now_us).app()
    with TestClient(app, base_url=base) as http:
        page = {"Sec-Fetch-Site": "same-origin", "Origin": HERE.replace("http:", "https:")}
        made = cookie_of(sign_in(http, served, page))

        assert (made.key, bool(made["secure"])) == ("__Host-keepclear", True)
        cookie = {"Cookie": f"{made.key}={made.value}"}
        assert http.get("/v1/conflicts", headers=cookie).status_code == 200


def test_nobody_gets_a_cookie_who_does_not_ask(http: TestClient[Litestar], served: Served) -> None:
    for query in ("", "cookie=false"):
        answer = sign_in(http, served, {}, query)
        assert answer.json()["token"]
        assert "set-cookie" not in answer.headers
    assert http.get("/v1/operations").status_code == 401


@pytest.mark.parametrize("headers", OTHERS)
def test_a_page_of_another_address_gets_no_cookie_and_changes_nothing_with_one(
    http: TestClient[Litestar], served: Served, headers: dict[str, str]
) -> None:
    refused = sign_in(http, served, headers)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    sign_in(http, served, OWN)
    act = encode(served.file())

    answer = http.post("/v1/acts", content=act, headers=headers)

    assert answer.status_code == 403
    assert f"is no page of {HERE[7:]}; open the desk at this address" in answer.json()["error"]
    assert http.get("/v1/operations").json() == []


@pytest.mark.parametrize("headers", [OWN, {"Sec-Fetch-Site": "same-origin"}, {"Origin": HERE}])
def test_a_page_of_this_address_acts_with_its_cookie(
    http: TestClient[Litestar], served: Served, headers: dict[str, str]
) -> None:
    assert sign_in(http, served, headers).status_code == 201

    assert http.post("/v1/acts", content=encode(served.file()), headers=headers).is_success

    assert len(http.get("/v1/operations").json()) == 1
