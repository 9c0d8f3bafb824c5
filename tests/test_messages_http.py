# SPDX-License-Identifier: Apache-2.0
"""Messages over HTTP: what a party reads, what its client signs by itself, what distress passes."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.client import AsyncClient, Client, ClockOff, NotDone
from keepclear.exchange.events import MessageChanged, StopChanged
from keepclear.exchange.picture import told_in
from keepclear.line.acts import AcknowledgeMessage, MarkDelivered, MarkDisplayed, SendDistress
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.plans.sar import CloseSar
from keepclear.plays.stage import YEAR_US
from keepclear.record.encoding import encode
from keepclear.record.faults import BrokenProof
from keepclear.record.headers import Status
from keepclear.record.keys import Signer
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.server import app
from tests.message_plays import sending
from tests.sar_plays import opening
from tests.server_plays import Node, keys_of, serving
from tests.test_asking import reached, served, signed_in  # noqa: F401 a fixture
from tests.test_writer import Served

pytestmark = pytest.mark.slow
DISTRESS = SendDistress(to="b", text="MAYDAY", language="en")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


def sent(by: Client, to: str) -> Message:
    """Let a client send a message."""
    [part] = by.act("line.send/1", sending(to=to))
    told = told_in(part)
    assert isinstance(told, MessageChanged)
    return told.message


def test_both_sides_see_how_a_message_stands_from_their_own_copies_as_the_exchange_says(
    node: Node,
) -> None:
    with node.join("alfa") as one, node.join("bravo") as two, node.join("charlie") as third:
        message = sent(one, "bravo")
        [delivered] = two.deliver()
        two.act("line.displayed/1", MarkDisplayed(id=message.id))
        two.act("line.acknowledge/1", AcknowledgeMessage(id=message.id))

        assert [each.step for each in delivered.steps] == [Step.SENT, Step.DELIVERED]
        assert one.messages() == two.messages()
        for each in (one, two):
            said = msgspec.json.decode(each._ask("GET", "/v1/messages"), type=list[Message])
            assert said == each.messages()
        assert [each.step for each in one.messages()[0].steps][-1] is Step.ACKNOWLEDGED
        assert third.messages() == []
        assert third._ask("GET", "/v1/messages") == b"[]"


def test_who_only_reads_and_follows_claims_nothing(node: Node) -> None:
    with node.join("delta") as one, node.join("echo") as two:
        message = sent(one, "echo")

        steps = next(iter(two.follow()))

        assert any(part.kind == "message-changed/1" for step in steps for part in step)
        assert [each.step for each in two.messages()[0].steps] == [Step.SENT]
        assert two.deliver()[0].id == message.id
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(two, "act", lambda *_: pytest.fail("is signed again"))
            assert two.deliver() == []


def test_two_desks_of_one_post_sign_delivered_once(node: Node) -> None:
    with node.join("foxtrot") as one:
        document, watch = keys_of("golf")
        assert node.admit(document).status_code == 204
        desks = [node.client("golf", watch) for _ in range(2)]
        messages = [sent(one, "golf") for _ in range(5)]

        with ThreadPoolExecutor(2) as threads:
            signed = list(threads.map(Client.deliver, desks))

        by_both = [each.id for some in signed for each in some]
        assert sorted(by_both) == sorted(each.id for each in messages)
        for each in one.messages():
            assert [taken.step for taken in each.steps] == [Step.SENT, Step.DELIVERED]


def test_the_async_client_delivers_and_shows_messages_too(node: Node) -> None:
    document, watch = keys_of("hotel")
    assert node.admit(document).status_code == 204

    async def play() -> None:
        async with AsyncClient(
            node.parties, "hotel", "watch", watch, node.believed, status=Status.EXERCISE
        ) as made:
            assert [each.id for each in await made.deliver()] == [message.id]
            [own] = await made.messages()
            assert own.first(Step.DELIVERED) is not None
            other = sent(one, "hotel")
            steps = await anext(aiter(made.follow(delivers=True)))
            kinds = [part.kind for step in steps for part in step]
            assert kinds.count("message-changed/1") >= 2
            assert made.picture.messages[other.id].first(Step.DELIVERED) is not None

    with node.join("india") as one:
        message = sent(one, "hotel")
        asyncio.run(play())


def test_who_follows_and_is_asked_to_delivers_what_comes_before_it_is_yielded(node: Node) -> None:
    with node.join("papa") as one, node.join("quebec") as two:
        following = two.follow(delivers=True)
        next(following)
        message = sent(one, "quebec")
        while message.id not in two.picture.messages:
            next(following)

        assert two.picture.messages[message.id].first(Step.DELIVERED, "watch") is not None


def test_a_sender_takes_no_step_of_its_own_message(node: Node) -> None:
    with node.join("juliett") as one, node.join("kilo") as two:
        message = sent(one, "kilo")

        assert two.picture.messages == {}
        with pytest.raises(NotDone, match="kilo takes its steps"):
            one.act("line.delivered/1", MarkDelivered(id=message.id))


def off_by(client: Client, seconds: int) -> None:
    """Let a client's clock be off, and let it ask for the exchange's time again."""
    client._now = lambda: time.time_ns() // 1000 + seconds * 1_000_000
    client._known_until = 0.0


def test_a_client_whose_clock_is_off_by_a_minute_signs_distress_and_nothing_else(
    node: Node,
) -> None:
    with node.join("lima") as one, node.join("mike") as two:
        for seconds in (60, -60, 7_200):
            one.catch_up()
            off_by(one, seconds)
            with pytest.raises(ClockOff):
                sent(one, "mike")

            one.act("distress/1", msgspec.structs.replace(DISTRESS, to="mike"))

            with pytest.raises(ClockOff):
                sent(one, "mike")
            off_by(one, 0)
        assert [each.precedence for each in two.messages()] == [Precedence.DISTRESS] * 3


def test_a_client_whose_clock_is_off_opens_and_closes_a_sar_case(node: Node) -> None:
    with node.join("romeo") as one, node.join("sierra") as two:
        for seconds in (60, -7_200):
            one.catch_up()
            off_by(one, seconds)
            with pytest.raises(ClockOff):
                sent(one, "sierra")

            parts = one.act("sar.open/1", opening("sierra"))
            [made] = [
                msgspec.json.decode(each.data, type=StopChanged).stop
                for each in parts if each.kind == "stop-changed/1"
            ]  # fmt: skip
            one.act("sar.close/1", CloseSar(id=made.id))

            off_by(one, 0)
        assert [each.precedence for each in two.messages()] == [Precedence.DISTRESS] * 2
        assert all(each.stop is not None and not each.has_stop for each in two.messages())


def test_a_client_that_cannot_sign_in_has_its_distress_taken_and_is_told_that_proof_is_missing(
    node: Node,
) -> None:
    with node.join("november") as one, node.join("oscar") as two:
        one._known()
        off_by(one, 60)

        with pytest.raises(BrokenProof, match="has taken it, and the proof is missing"):
            one.act("distress/1", msgspec.structs.replace(DISTRESS, to="oscar"))

        assert [each.precedence for each in two.messages()] == [Precedence.DISTRESS]


# --- the server, at hand ------------------------------------------------------------------------


def test_distress_passes_the_rate_of_its_party_and_nothing_else_does(
    served: Served,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "ACTS_AT_ONCE", 1.0)
    monkeypatch.setattr(app, "ACTS_A_SECOND", 0.001)
    with reached(served) as http:
        ours = signed_in(http, served, "a")

        def code(kind: str) -> int:
            made = DISTRESS if kind == "distress/1" else sending()
            envelope = served.stage.envelope("a", kind, made)
            return http.post("/v1/acts", content=encode(envelope), headers=ours).status_code

        assert [code("line.send/1"), code("line.send/1"), code("line.send/1")] == [200, 429, 429]
        assert [code("distress/1") for _ in range(5)] == [200] * 5
        assert len(http.get("/v1/messages", headers=ours).json()) == 6


def test_distress_needs_no_token_and_everything_else_does(served: Served) -> None:  # noqa: F811
    with reached(served) as http:
        acts = {
            kind: encode(served.stage.envelope("a", kind, made))
            for kind, made in (("distress/1", DISTRESS), ("line.send/1", sending()))
        }
        for headers in ({}, {"Authorization": "Bearer unknown"}):
            assert http.post(
                "/v1/acts", content=acts["distress/1"], headers=headers
            ).status_code == 200  # fmt: skip
            assert http.post(
                "/v1/acts", content=acts["line.send/1"], headers=headers
            ).status_code == 401  # fmt: skip
            assert http.post("/v1/acts", content=b"{", headers=headers).status_code == 401


def test_distress_of_a_post_whose_mandates_have_expired_is_taken_and_it_cannot_sign_in(
    served: Served,  # noqa: F811
) -> None:
    stage = served.stage
    stage.clock.move_to(stage.clock.now_us() + 2 * YEAR_US)
    with reached(served) as http:
        challenge = http.get("/v1/challenge").json()["challenge"]
        signing_in = stage.envelope("a", SIGN_IN, OpenSession(challenge=challenge))
        cry = stage.envelope("a", "distress/1", DISTRESS)

        assert http.post("/v1/sessions", content=encode(signing_in)).status_code == 403
        assert http.post("/v1/acts", content=encode(cry)).status_code == 200


def test_distress_of_a_key_that_is_not_known_is_refused_and_so_is_too_much_of_it(
    served: Served,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "CALLS_AT_ONCE", 3.0)
    monkeypatch.setattr(app, "CALLS_A_SECOND", 0.001)
    served.stage._signers["a", "watch"] = Signer(bytes(32))
    with reached(served) as http:
        codes = [
            http.post("/v1/acts", content=encode(
                served.stage.envelope("a", "distress/1", DISTRESS)
            )).status_code
            for _ in range(5)
        ]  # fmt: skip

    assert codes == [403, 403, 403, 429, 429]
