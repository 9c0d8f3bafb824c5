# SPDX-License-Identifier: Apache-2.0
"""Signing in by cookie, and out: what a browser is given, and what it may do with it."""

import asyncio
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from keepclear.record.encoding import encode
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.server import forwarding
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


# --- signing out --------------------------------------------------------------------------------


def forgotten(answer: httpx.Response) -> list[Morsel[str]]:
    """Return the cookies that a browser is told to forget."""
    found = [
        each for said in answer.headers.get_list("set-cookie")
        for each in SimpleCookie(said).values()
    ]  # fmt: skip
    assert all((each.value, each["max-age"], each["path"]) == ("", "0", "/") for each in found)
    return found


def test_who_signs_out_has_a_token_that_works_nowhere_any_more(
    http: TestClient[Litestar], served: Served
) -> None:
    token = cookie_of(sign_in(http, served, OWN)).value

    answer = http.delete("/v1/sessions", headers=OWN)

    assert (answer.status_code, answer.content) == (204, b"")
    [made] = forgotten(answer)
    assert (made.key, made["secure"], made["samesite"].lower()) == ("keepclear", "", "strict")
    assert made["httponly"]
    assert "keepclear" not in http.cookies
    for own in ({"Cookie": f"keepclear={token}"}, {"Authorization": f"Bearer {token}"}):
        for path in ("/v1/operations", "/v1/conflicts", "/v1/record", "/v1/steps", "/v1/stream",
                     "/v1/answers-for"):  # fmt: skip
            assert http.get(path, headers=own).status_code == 401
        for path in ("/v1/acts", "/v1/check?status=Exercise"):
            act = encode(served.file())
            assert http.post(path, content=act, headers=own | OWN).status_code == 401


@pytest.mark.parametrize("headers", OTHERS)
def test_a_page_of_another_address_signs_nobody_out(
    http: TestClient[Litestar], served: Served, headers: dict[str, str]
) -> None:
    sign_in(http, served, OWN)

    answer = http.delete("/v1/sessions", headers=headers)

    assert (answer.status_code, forgotten(answer)) == (403, [])
    assert http.get("/v1/operations").status_code == 200


def test_who_shows_the_token_itself_signs_out_from_anywhere_and_others_stay(
    http: TestClient[Litestar], served: Served
) -> None:
    one, other = (sign_in(http, served, {}, "").json()["token"] for _ in range(2))
    own = {"Authorization": f"Bearer {one}"}

    assert http.delete("/v1/sessions", headers=own).status_code == 204

    assert http.delete("/v1/sessions", headers=own).status_code == 401
    rest = {"Authorization": f"Bearer {other}"}
    assert http.get("/v1/operations", headers=rest).status_code == 200


@pytest.mark.parametrize("name", ["keepclear", "__Host-keepclear"])
def test_a_cookie_whose_token_a_node_does_not_know_is_forgotten_all_the_same(
    http: TestClient[Litestar], name: str
) -> None:
    answer = http.delete("/v1/sessions", headers=OWN | {"Cookie": f"{name}=of-before"})

    [made] = forgotten(answer)
    assert (answer.status_code, made.key) == (204, name)
    assert bool(made["secure"]) is (name == "__Host-keepclear")


def test_a_node_that_stands_by_hands_on_each_cookie_that_is_to_be_forgotten() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401 as ASGI has it
        sent.append(message)

    async def hand_on() -> None:
        said = [("set-cookie", "keepclear=; Max-Age=0"), ("set-cookie", "__Host-keepclear=")]
        answered = httpx.MockTransport(lambda _: httpx.Response(204, headers=said))
        async with httpx.AsyncClient(transport=answered) as other:
            request = httpx.Request("DELETE", f"{HERE}/v1/sessions")
            await forwarding._Answer(send).give(other, request)

    asyncio.run(hand_on())

    assert sent[0]["headers"] == [
        (b"set-cookie", b"keepclear=; Max-Age=0"), (b"set-cookie", b"__Host-keepclear="),
    ]  # fmt: skip
