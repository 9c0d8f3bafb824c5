# SPDX-License-Identifier: Apache-2.0
"""A node as its parties meet it: over HTTP, in a process of its own."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from keepclear.client import Client, ClockOff, NotDone
from keepclear.clock import now_us
from keepclear.plans import acts
from keepclear.record.encoding import encode
from keepclear.record.exchange_keys import KeyChain
from keepclear.record.faults import BrokenProof, NotProven
from keepclear.record.keys import Signer
from keepclear.record.notes import Checkpoint, NoteKey, read_checkpoint, sign_note, split_note
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.record.verification import verify
from tests.server_plays import Node, circle, keys_of, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


def test_two_parties_file_what_crosses_and_both_see_the_conflict(node: Node) -> None:
    with node.join("north") as north, node.join("south") as south:
        filed = north.act("operations.file/1", acts.FileOperation(operation=circle(0)))
        assert [each.kind for each in filed] == ["operation-filed/1", "operation-moved/1"]

        told = south.act("operations.file/1", acts.FileOperation(operation=circle(1)))

        assert "notice/1" in [each.kind for each in told]
        [ours], [theirs] = north.conflicts(), south.conflicts()
        assert ours.conflict == theirs.conflict
        assert (ours.must_act, theirs.must_act) == (("south",), ("south",))
        [own] = north.operations()
        assert (ours.own, theirs.other.id) == (own.id, own.id)
        seen = acts.AcknowledgeConflict(id=ours.conflict, ovn=ours.other.ovn or "")
        north.act("conflicts.acknowledge/1", seen)
        assert south.conflicts()[0].acknowledged == ("north",)


# --- what nobody should send ------------------------------------------------------------------


def posted(client: Client, body: bytes, path: str = "/v1/acts") -> httpx.Response:
    """Post bytes with the token of a party."""
    headers = {"Authorization": f"Bearer {client._token}"}
    return client._http.post(path, content=body, headers=headers)


def test_without_a_token_that_holds_nothing_is_shown_or_done(node: Node) -> None:
    paths = ("/v1/record", "/v1/steps", "/v1/operations", "/v1/conflicts", "/v1/messages",
             "/v1/lines", "/v1/line-checks", "/v1/stops", "/v1/keep-outs", "/v1/shifts",
             "/v1/calls",
             "/v1/answers-for", "/v1/proofs?audience=a&from=1&to=2")  # fmt: skip
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic eDp5"}):
        for path in paths:
            assert httpx.get(node.parties + path, headers=headers).status_code == 401
        for path in ("/v1/acts", "/v1/check?status=Exercise"):
            answer = httpx.post(node.parties + path, content=b"{}", headers=headers)
            assert answer.status_code == 401
            assert "sign in" in answer.json()["error"]


def test_a_party_sends_its_own_acts_alone_and_reads_its_own_file(node: Node) -> None:
    with node.join("alpha") as alpha, node.join("bravo") as bravo:
        envelope = alpha.signed("operations.file/1", acts.FileOperation(operation=circle(900)))
        bravo.operations()  # signs in

        answer = posted(bravo, encode(envelope))

        assert answer.status_code == 409
        assert "is of alpha, and was sent by bravo" in answer.json()["error"]
        assert (alpha.operations(), bravo.operations()) == ([], [])
        alpha.send(envelope)
        [own] = alpha.operations()
        assert own.id.encode() not in bravo.record(0)[0]
        with pytest.raises(NotDone, match="is no operation of bravo"):
            bravo.act("operations.end/1", acts.EndOperation(id=own.id))
        with pytest.raises(NotDone, match="is no operation of bravo"):
            bravo.act("operations.end/1", acts.EndOperation(id="0" * 32))


def test_the_same_bytes_get_the_same_answer_and_do_nothing_twice(node: Node) -> None:
    with node.join("charlie") as charlie:
        envelope = charlie.signed("operations.file/1", acts.FileOperation(operation=circle(950)))

        assert charlie.send(envelope) == charlie.send(envelope)
        assert len(charlie.operations()) == 1


def test_a_challenge_is_good_once_and_for_the_post_that_signs_it(node: Node) -> None:
    document, _ = keys_of("delta")
    with node.client("delta", Signer(bytes(range(32)))) as stranger:
        with pytest.raises(NotDone, match="delta"):
            stranger.operations()
        node.admit(document)
        with pytest.raises(NotDone, match="delta"):
            stranger.operations()
    with node.join("echo") as echo:
        echo.operations()
        challenge = httpx.get(f"{node.parties}/v1/challenge").json()["challenge"]
        signed = encode(echo.signed(SIGN_IN, OpenSession(challenge=challenge)))
        assert posted(echo, signed, "/v1/sessions").status_code == 201
        assert posted(echo, signed, "/v1/sessions").status_code == 401


@pytest.mark.parametrize("body", [
    b"", b"{", b"[" * 100_000, b"null", b"\xff\xfe", b'{"payload":"","payloadType":"x"}',
    b'{"payload":"AA==","payloadType":"application/vnd.keepclear.act+json","signatures":[]}',
    b" " * 1_048_500, b"0" * 2_000_000,
])  # fmt: skip
def test_what_is_no_envelope_is_refused_in_words(node: Node, body: bytes) -> None:
    with node.join(f"foxtrot-{abs(hash(body))}") as client:
        client.operations()
        for path in ("/v1/acts", "/v1/sessions"):
            answer = posted(client, body, path)
            assert answer.status_code in {400, 413}
            assert set(answer.json()) == {"error"}
            assert "Traceback" not in answer.text


def test_acts_are_posted_and_nothing_else(node: Node) -> None:
    with node.join("foxtrot") as client:
        client.operations()
        for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
            answer = client._http.request(method, "/v1/acts")
            assert answer.status_code == 405, method
            if method != "HEAD":
                assert answer.json() == {"error": "Method Not Allowed"}
        assert client._http.request("POST", "/v1/acts/more", content=b"{}").status_code == 404
        for size, status in ((1_048_576, 400), (1_048_577, 413)):
            assert posted(client, b" " * size).status_code == status


def test_what_may_be_sent_to_acts_is_said(node: Node) -> None:
    answer = httpx.request("OPTIONS", f"{node.parties}/v1/acts")
    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")


@pytest.mark.parametrize("what", ["cut off", "cut off in chunks", "too large, as announced"])
def test_an_act_is_done_once_all_of_it_has_come(node: Node, what: str) -> None:
    name = f"november-{len(what)}"
    with node.join(name) as client:
        assert client.operations() == []
        body = encode(client.signed("operations.file/1", acts.FileOperation(operation=circle(0))))
        size = {"cut off": len(body) + 10}.get(what, 2_000_000)
        head = f"POST /v1/acts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client._token}\r\n"
        if what == "cut off in chunks":
            head += "Transfer-Encoding: chunked\r\n\r\n"
            sent = b"%x\r\n%b\r\n" % (len(body), body)
        else:
            head += f"Content-Length: {size}\r\n\r\n"
            sent = b"" if "announced" in what else body
        host, _, port = node.parties.partition("://")[2].partition(":")
        with socket.create_connection((host, int(port)), 10) as line:
            line.sendall(head.encode() + sent)
            if "announced" in what:
                assert line.recv(12) == b"HTTP/1.1 413"  # nobody need send it first
        client.act("operations.file/1", acts.FileOperation(operation=circle(1)))  # after it
        assert len(client.operations()) == 1


def test_changed_envelopes_are_refused_and_never_a_fault_of_ours(node: Node) -> None:
    with node.join("golf") as golf:
        golf.operations()
        by = Random(3)
        for number in range(300):
            payload = acts.FileOperation(operation=circle(1_000 + number))
            whole = encode(golf.signed("operations.file/1", payload))
            data = bytearray(whole)
            for _ in range(by.choice((1, 1, 2, 8))):
                data[by.randrange(len(data))] = by.choice((*b'{}[]":,0aZ=', by.randrange(256)))
            if data == whole:
                continue
            answer = posted(golf, bytes(data))
            assert answer.status_code in {400, 403, 409}, answer.text
            assert "Traceback" not in answer.text
        assert golf.operations() == []


def test_the_operators_address_alone_has_health_and_admits_with_its_token(node: Node) -> None:
    assert httpx.get(f"{node.operator}/health").json()["state"] == "writing"
    assert httpx.get(f"{node.operator}/ready").status_code == 204
    counted = httpx.get(f"{node.operator}/metrics").text
    assert re.search(r'keepclear_acts_total\{outcome="taken"\} [1-9]', counted)
    assert "keepclear_is_writing 1.0" in counted
    assert "north" not in counted
    for path in ("/health", "/ready", "/parties", "/metrics"):
        assert httpx.get(node.parties + path).status_code in {404, 405}
    document, _ = keys_of("hotel")
    for headers in ({}, {"Authorization": "Bearer no"}):
        answer = httpx.post(f"{node.operator}/parties", content=encode(document), headers=headers)
        assert answer.status_code == 401
    assert node.admit(document).status_code == 204
    other, _ = keys_of("hotel")
    answer = node.admit(other)
    assert answer.status_code in {400, 403, 409}
    assert "does not follow version 1" in answer.json()["error"]


def test_what_is_said_of_the_addresses_names_no_other_host(node: Node) -> None:
    said = httpx.get(f"{node.parties}/schema/openapi.json")

    assert set(said.json()["paths"]) == {
        "/v1/region", "/v1/challenge", "/v1/sessions", "/v1/acts", "/v1/late-acts", "/v1/record",
        "/v1/operations", "/v1/conflicts", "/v1/messages", "/v1/proofs", "/v1/steps", "/v1/stream",
        "/v1/answers-for", "/v1/check", "/v1/lines", "/v1/line-checks", "/v1/cap", "/v1/stops",
        "/v1/keep-outs", "/v1/shifts", "/v1/calls",
    }  # fmt: skip
    for path in ("/schema", "/schema/swagger", "/schema/redoc", "/schema/elements", "/"):
        page = httpx.get(node.parties + path)
        assert "://" not in page.text.replace("https://spec.openapis.org", "")


def test_who_signs_in_too_often_from_one_address_is_told_to_wait(tmp_path: Path) -> None:
    with serving(tmp_path / "east") as other, httpx.Client(base_url=other.parties) as http:
        codes = [http.get("/v1/challenge").status_code for _ in range(200)]
        answers = (http.get("/v1/challenge") for _ in range(2_000))  # a slow machine takes more
        late = next(each for each in answers if each.status_code != 200)

        assert codes == [200] * 200
        assert late.status_code == 429
        assert "calls to sign in than are taken; nothing was done" in late.json()["error"]
        with other.join("north") as north:  # which waits, and comes again
            assert north.operations() == []


# --- what a client does not believe -----------------------------------------------------------


def test_a_client_believes_no_exchange_but_its_own(node: Node) -> None:
    with node.join("india") as india:
        [own] = india._copy._keys
        india._copy._keys = [NoteKey(own.name, Signer(bytes(32)).public)]

        with pytest.raises(NotProven):
            india.act("operations.file/1", acts.FileOperation(operation=circle(1_500)))


def test_a_client_with_a_clock_that_is_off_signs_nothing(node: Node) -> None:
    with node.join("juliett") as juliett:
        juliett._now = lambda: now_us() + 31_000_000

        with pytest.raises(ClockOff, match=r"differs from the exchange's by 3[01]\.\d s"):
            juliett.act("operations.file/1", acts.FileOperation(operation=circle(1_600)))


def test_a_client_sees_that_a_tree_does_not_go_on_from_what_it_was(node: Node) -> None:
    with node.join("kilo") as kilo:
        kilo.act("operations.file/1", acts.FileOperation(operation=circle(1_700)))
        last = read_checkpoint(split_note(kilo.seen.notes["kilo"])[0])
        signer = Signer(bytes(32))
        [own] = kilo._copy.keys
        assert kilo._copy._held is not None
        kilo._copy._held.chain = KeyChain("exercise-east", [NoteKey(own.name, signer.public), own])
        other = Checkpoint(last.origin, last.size, bytes(32))
        kilo.seen.notes["kilo"] = sign_note(other.text, own.name, signer)

        with pytest.raises(BrokenProof):
            kilo.act("operations.file/1", acts.FileOperation(operation=circle(1_800)))


def test_what_a_party_has_of_the_record_is_proven_without_the_operator(node: Node) -> None:
    with node.join("lima") as lima:
        lima.act("operations.file/1", acts.FileOperation(operation=circle(2_000)))
        lines, step = lima.record(0)

        proven = verify(lines.splitlines(), None)
        assert proven.leaves > 3
        more, last = lima.record(step)
        assert last >= step
        assert not more or more.startswith(b'{"line":"')
