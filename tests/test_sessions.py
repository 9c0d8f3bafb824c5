# SPDX-License-Identifier: Apache-2.0
"""How long whoever has signed in is known: challenges, tokens, and keys that are revoked."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from keepclear.cli.private_keys import read_private
from keepclear.client import NoAnswer
from keepclear.plans import acts
from keepclear.record.encoding import encode
from keepclear.record.key_documents import Keyring
from keepclear.server import sessions
from keepclear.server.sessions import NotSignedIn, Sessions
from tests.server_plays import Node, circle, keys_of, serving
from tests.test_cli_record import run

HOUR_US = 3_600_000_000
PATHS = ("/v1/operations", "/v1/conflicts", "/v1/messages", "/v1/record", "/v1/stream",
         "/v1/proofs?audience=north&from=1&to=1")  # fmt: skip


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with serving(tmp_path / "east") as made:
        yield made


# --- what is kept -------------------------------------------------------------------------------


def test_a_challenge_is_open_once_and_for_a_minute_and_the_oldest_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MOST", 3)
    made = Sessions()
    late, used, *_ = [made.challenge(0), made.challenge(1), made.challenge(2)]

    made.use(used, 1)
    with pytest.raises(NotSignedIn, match="is not open"):
        made.use(used, 1)
    with pytest.raises(NotSignedIn, match="is not open"):
        made.use(late, 60_000_000)
    first = made.challenge(3)
    for _ in range(3):
        made.challenge(4)
    with pytest.raises(NotSignedIn, match="is not open"):
        made.use(first, 5)
    assert len(made._challenges) == 3


def test_a_party_has_so_many_tokens_and_its_oldest_goes_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MOST_OF_PARTY", 2)
    made = Sessions()
    other = made.open("south", "watch", (), 0).token
    tokens = [made.open("north", "watch", (), 0).token for _ in range(3)]

    with pytest.raises(NotSignedIn, match="is not known"):
        made.find(tokens[0])
    assert [made.find(each).party for each in (*tokens[1:], other)] == ["north", "north", "south"]
    assert len(made._tokens) == 3


def test_a_token_ends_after_twelve_hours() -> None:
    made = Sessions()
    token = made.open("north", "watch", (), 0).token

    made.find(token).check(Keyring(), 12 * HOUR_US - 1)
    with pytest.raises(NotSignedIn, match="has ended; sign in again"):
        made.find(token).check(Keyring(), 12 * HOUR_US)


def test_a_token_ends_with_the_slip_that_it_was_given_for() -> None:
    made = Sessions().open("a", "watch", (), 0, HOUR_US)

    made.check(Keyring(), HOUR_US - 1)
    with pytest.raises(NotSignedIn, match="has ended"):
        made.check(Keyring(), HOUR_US)


def test_a_token_holds_for_keys_that_are_appointed_as_they_were() -> None:
    ring = Keyring()
    ring.add(keys_of("north")[0], 0)
    [watch] = [ring.appointed("north", each) for each in ring.key_ids("north")
               if ring.appointed("north", each).role == "device"]  # fmt: skip
    session = Sessions().open("north", "watch", (watch,), 0)
    session.check(ring, 1)

    for other in (watch._replace(mandates=()), watch._replace(name="duty-officer")):
        with pytest.raises(NotSignedIn, match=r"post .* of north with a key that is appointed no"):
            session._replace(signers=(other,)).check(ring, 1)
    with pytest.raises(NotSignedIn, match="appointed no more"):
        session.check(Keyring(), 1)


# --- over HTTP ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_revoked_post_is_shown_nothing_more_and_its_stream_ends(
    node: Node, tmp_path: Path
) -> None:
    home, operator = tmp_path / "north", node.operator.removeprefix("http://")
    public = home / "north.keys.json"
    assert run("key", "new", "north", "--folder", home)[0] == 0
    admit = ("party", "admit", public, "--folder", node.folder, "--operator", operator)
    assert run(*admit)[0] == 0
    watch = node.client("north", read_private(f"{home}/north.watch.private.json", "north"))
    duty = node.client("north", read_private(f"{home}/north.duty-officer.private.json", "north"))
    duty._post = "duty-officer"
    viewed, goes_on = watch.stream(), duty.stream()
    assert [next(each).kind for each in (viewed, goes_on)] == ["open", "open"]
    assert [next(each).kind for each in (viewed, goes_on)] == ["snapshot", "snapshot"]
    envelope = watch.signed("operations.file/1", acts.FileOperation(operation=circle(0)))
    headers = {"Authorization": f"Bearer {watch._token}"}

    withs = [word for each in ("next-root", "rep-1", "rep-2")
             for word in ("--with", home / f"north.{each}.private.json")]  # fmt: skip
    assert run("key", "rotate", public, "--revoke", "watch", *withs)[0] == 0
    assert run(*admit)[0] == 0

    with pytest.raises(NoAnswer, match="was ended by the exchange"):
        list(viewed)
    for path in PATHS:
        answer = httpx.get(node.parties + path, headers=headers)
        assert (answer.status_code, "sign in again" in answer.json()["error"]) == (401, True)
    answer = httpx.post(f"{node.parties}/v1/acts", content=encode(envelope), headers=headers)
    assert answer.status_code == 401
    assert next(goes_on).kind == "step"
    assert duty.operations() == []
