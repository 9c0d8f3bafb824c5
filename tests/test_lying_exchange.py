# SPDX-License-Identifier: Apache-2.0
"""An exchange that leaves something out: of an answer, of a list, of the stream; it is found out.

The node is honest; what it answers is changed on its way, as its operator could.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from keepclear.client import Client, NewIncarnation, NoAnswer, NotDone, Seen, SetBack, acting
from keepclear.plans import acts
from keepclear.record.faults import BrokenProof, NotProven
from keepclear.record.keys import Signer
from tests.server_plays import Node, circle, serving

pytestmark = pytest.mark.slow
Meddle = Callable[[Any], Any]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


class Changing(httpx.HTTPTransport):
    """Brings answers as they are, but for what is changed of them by their paths."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[str, Meddle] = {}
        self.refused: dict[str, int] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path in self.refused:
            said = b'{"error":"not now"}'
            return httpx.Response(self.refused[request.url.path], content=said, request=request)
        answer = super().handle_request(request)
        meddle = self.changes.get(request.url.path)
        if meddle is None or not answer.is_success:
            return answer
        changed = msgspec.json.encode(meddle(msgspec.json.decode(answer.read())))
        return httpx.Response(answer.status_code, content=changed, request=request)


class Party:
    """A party whose answers are changed on their way, and the one it is in conflict with."""

    def __init__(self, node: Node, name: str, place: int) -> None:
        self.node, self.name, self.place = node, name, place
        own, self.other = node.join(name), node.join(f"{name}-other")
        self.signer: Signer = own._signer
        self.way = Changing()
        self.client = self.begin()

    def begin(self, seen: Seen | None = None) -> Client:
        """Return a client, which goes on from what was shown before."""
        made = self.node.client(self.name, self.signer, seen)
        made._http = httpx.Client(base_url=self.node.parties, transport=self.way)
        return made

    def file(self) -> None:
        """File an operation."""
        plan = acts.FileOperation(operation=circle(self.place))
        self.client.act("operations.file/1", plan)

    def cross(self) -> None:
        """Let the other one file what crosses it."""
        plan = acts.FileOperation(operation=circle(self.place + 1))
        self.other.act("operations.file/1", plan)


def without_notices(said: Any) -> Any:  # noqa: ANN401 JSON
    """Leave out of steps what tells of a conflict."""
    said["lines"] = [
        [each for each in step if each.get("leaf", {}).get("part", {}).get("kind") != "notice/1"]
        for step in said["lines"]
    ]
    return said


def without_last_step(said: Any) -> Any:  # noqa: ANN401 JSON
    """Leave out the last step, with what proves that it is there."""
    if said["lines"]:
        said["lines"].pop()
        said["last"] -= 1
    return said


def without_proof(said: Any) -> Any:  # noqa: ANN401 JSON
    """Leave out what proves steps."""
    return {**said, "notes": []}


@pytest.mark.parametrize(
    ("meddle", "place", "why"),
    [
        (without_notices, 100, "were given: something is held back; keep what you hold, and ask"),
        (without_last_step, 140, "were given: something is held back; keep what you hold"),
        (without_proof, 180, "no checkpoints prove them; keep what you hold, and ask"),
    ],
)
def test_a_notice_that_is_left_out_of_the_steps_is_found_out(
    node: Node, meddle: Meddle, place: int, why: str
) -> None:
    party = Party(node, f"steps-{place}", place)
    party.file()
    party.cross()
    party.way.changes["/v1/steps"] = meddle

    with pytest.raises((BrokenProof, NotProven), match=why):
        party.client.conflicts()

    held_back = meddle is not without_proof
    assert len(party.client.seen.contrary) == held_back  # what was signed, as evidence
    party.way.changes.clear()
    assert len(party.client.conflicts()) == 1


@pytest.mark.parametrize(("name", "value"), [("party", "other"), ("incarnation", 2)])
def test_a_file_that_begins_with_another_header_is_refused(
    node: Node, name: str, value: object
) -> None:
    party = Party(node, f"header-{name}", 220)

    def other(said: Any) -> Any:  # noqa: ANN401 JSON
        said["header"][0][name] = value
        return said

    party.way.changes["/v1/steps"] = other
    with pytest.raises(NotProven, match="is of another file"):
        party.client.conflicts()


def test_an_older_state_is_found_out_by_who_was_shown_a_receipt_of_a_newer_one(node: Node) -> None:
    party = Party(node, "older", 300)
    party.file()
    before: list[Any] = []

    def noted(said: Any) -> Any:  # noqa: ANN401 JSON
        before.append(said)
        return said

    party.way.changes["/v1/steps"] = noted
    party.client.catch_up()
    party.cross()
    older = {**before[0], "lines": [], "last": party.client.seen.step}
    party.way.changes["/v1/steps"] = lambda _: older

    assert party.client.conflicts() == []  # nothing shows yet that there is more
    [own] = party.client.operations()
    kind = "operations.airborne/1"
    with pytest.raises(BrokenProof, match="the exchange has taken it, and the proof is missing"):
        party.client.act(kind, acts.MarkAirborne(id=own.id, at_us=own.filed_us))
    again = party.begin(party.client.seen)
    with pytest.raises(BrokenProof, match="something is held back"):
        again.conflicts()

    party.way.changes.clear()
    [told] = again.conflicts()
    assert told.own == own.id


def test_a_notice_that_is_left_out_of_the_answer_to_an_act_is_found_out(node: Node) -> None:
    party = Party(node, "answer", 340)
    party.cross()

    def shortened(said: Any) -> Any:  # noqa: ANN401 JSON
        kept = [each for each in said["receipts"] if each["part"]["kind"] != "notice/1"]
        assert len(kept) < len(said["receipts"])
        return {"receipts": kept}

    party.way.changes["/v1/acts"] = shortened
    with pytest.raises(BrokenProof, match="in the answer: some were left out"):
        party.file()

    assert len(party.client.conflicts()) == 1


def test_lists_that_are_not_proven_are_not_asked_for(node: Node) -> None:
    party = Party(node, "lists", 380)
    party.file()
    party.cross()
    party.way.refused = {"/v1/conflicts": 500, "/v1/operations": 500, "/v1/record": 500}

    assert len(party.client.conflicts()) == len(party.client.operations()) == 1


def test_what_the_stream_leaves_out_is_told_all_the_same(node: Node) -> None:
    party = Party(node, "stream", 420)
    party.file()

    def streamed(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/stream":  # alive, and nothing that happens
            return httpx.Response(200, content=b": alive\n\n" * 2, request=request)
        return super(Changing, party.way).handle_request(request)

    party.way.handle_request = streamed  # type: ignore[method-assign]
    following = party.client.follow()
    next(following)
    party.cross()

    [told] = [part for step in next(following) for part in step if part.kind == "notice/1"]

    assert b'"state":"raised"' in bytes(told.data)
    with pytest.raises(NoAnswer):
        list(following)


@pytest.mark.parametrize("sent", [b"id: x\ndata: []\n\n", b"event: step\nid: 9999\ndata: []\n\n"])
def test_a_stream_of_steps_that_are_none_is_refused(node: Node, sent: bytes) -> None:
    party = Party(node, f"none-{len(sent)}", 440)

    def streamed(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/stream":
            return httpx.Response(200, content=sent, request=request)
        return super(Changing, party.way).handle_request(request)

    party.way.handle_request = streamed  # type: ignore[method-assign]
    with pytest.raises(NotProven):
        list(party.client.follow())


def test_an_answer_that_cannot_be_unpacked_is_no_answer(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = Party(node, "packed", 700)
    monkeypatch.setattr(acting, "FIRST_WAIT_S", 0.0)

    def broken(request: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": "gzip"}
        return httpx.Response(200, headers=headers, content=b"no", request=request)

    party.way.handle_request = broken  # type: ignore[method-assign]
    with pytest.raises(NoAnswer):
        party.client.conflicts()


def test_what_is_not_proven_in_a_stream_is_told_once_it_is(node: Node) -> None:
    party = Party(node, "later", 460)
    party.file()
    following = party.client.follow()
    next(following)
    party.way.changes["/v1/steps"] = without_proof
    party.cross()

    with pytest.raises(NotProven):
        next(following)
    assert party.client.untold() == []
    party.way.changes.clear()
    found = next(party.client.follow())

    assert "notice/1" in [part.kind for step in found for part in step]


@pytest.mark.parametrize(("status", "place"), [(403, 500), (500, 540)])
def test_an_act_whose_proof_is_refused_counts_as_taken(node: Node, status: int, place: int) -> None:
    party = Party(node, f"proof-{status}", place)
    plan = acts.FileOperation(operation=circle(place))
    envelope = party.client.signed("operations.file/1", plan)
    party.client.operations()
    party.way.refused["/v1/steps"] = status

    with pytest.raises(BrokenProof, match="has taken it, and the proof is missing") as missing:
        party.client.send(envelope)

    assert "not now" in str(missing.value)
    assert "sent again, the same bytes do nothing twice" in str(missing.value)
    party.way.refused.clear()
    assert party.client.send(envelope)[0].kind == "operation-filed/1"
    assert len(party.client.operations()) == 1


def test_an_act_that_is_refused_was_not_done(node: Node) -> None:
    party = Party(node, "refused", 580)

    with pytest.raises(NotDone):
        party.client.act("operations.end/1", acts.EndOperation(id="0" * 32))


def test_a_copy_goes_on_from_one_run_to_the_next(node: Node) -> None:
    party = Party(node, "runs", 620)
    party.file()
    party.cross()
    step = party.client.seen.step
    kept = msgspec.json.decode(msgspec.json.encode(party.client.seen), type=Seen)
    fetched: list[int] = []

    def counted(said: Any) -> Any:  # noqa: ANN401 JSON
        fetched.append(len(said["lines"]))
        return said

    party.way.changes["/v1/steps"] = counted
    again = party.begin(kept)
    [told] = again.conflicts()
    [own] = again.operations()

    assert told.own == own.id
    assert again.seen.step >= step
    assert fetched[0] < step  # and not all of it once more


def test_an_exchange_that_has_less_than_is_held_goes_on_from_an_older_copy(node: Node) -> None:
    party = Party(node, "set-back", 740)
    party.file()
    seen = party.client.seen
    seen.step += 1_000

    with pytest.raises(SetBack, match="goes on from an older copy of its record"):
        party.begin(seen).conflicts()


def test_an_exchange_that_has_less_than_is_held_is_sent_no_act(node: Node) -> None:
    party = Party(node, "sends-none", 780)
    party.file()
    seen = party.client.seen
    before = len(party.client.operations())
    kept = msgspec.json.decode(msgspec.json.encode(seen), type=Seen)
    seen.step += 1_000

    party.client = party.begin(seen)
    with pytest.raises(SetBack, match="goes on from an older copy of its record"):
        party.file()

    assert len(party.begin(kept).operations()) == before


def test_another_incarnation_is_accepted_with_a_new_seen_and_in_no_other_way(node: Node) -> None:
    party = Party(node, "restored", 660)
    party.file()
    seen = party.client.seen
    seen.incarnation = 7

    with pytest.raises(NewIncarnation, match="keep what you hold, and go on from nothing"):
        party.begin(seen).conflicts()

    assert len(party.begin(Seen()).operations()) == 1
