# SPDX-License-Identifier: Apache-2.0
"""Envelopes as somebody sends them who means harm: spoilt before they are signed, or after.

What is spoilt before is signed by keys that may sign, so it comes as far as the rules.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from keepclear.agreement.statements import Said
from keepclear.exchange.agreements import CarryAgreement
from keepclear.line.acts import AnswerMessage, MarkDisseminated, ReadBackMessage
from keepclear.line.messages import Word
from keepclear.plans import acts
from keepclear.plans import incidents as cases
from keepclear.plans.conflicts import Answer
from keepclear.plans.none_here import TEXT, StateNoneHere
from keepclear.plans.stops import RenewStop, SendStop
from keepclear.plays.stage import PEOPLE
from keepclear.record.encoding import Signed, encode
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.headers import ACT
from keepclear.record.key_documents import KEY_DOCUMENT
from keepclear.record.signing_in import SIGN_IN, SLIP, CarrySession, OpenSession
from keepclear.server.app import Public
from keepclear.server.clock import ExerciseClock
from keepclear.server.operator import operator_app
from tests.message_plays import sending, typed
from tests.mutations import Mutation, mutated, mutations
from tests.test_asking import signed_in
from tests.test_exchange_agreements import A_AND_B, staged, stated
from tests.test_re_checking import file
from tests.test_writer import Served
from tests.two_worlds import Plan, filed

EXPECTED: Final = {200, 201, 204, 400, 401, 403, 409, 413}
TOKEN: Final = "t" * 43
DROPPED: Final = "dropped"
ID: Final = "0" * 32
PLAN: Final = filed(Plan(place=200, level=22, start=60, lasts=30))
OTHERS: Final = st.one_of(
    st.just(DROPPED), st.none(), st.booleans(), st.text(max_size=8),
    st.sampled_from([0, -1, 10**18, 2**63, 10**400, -(10**400), 1e308, -0.0, 1e-320, "", "\x00",
                     "\ud7ff\u202e", "9" * 5_000, "1e999 NM", "-5 NM", "NaN", "FL99999999", [], {},
                     [[]], [{}] * 2_000, {"a": {"b": []}}, "2015-13-45T99:99:99Z",
                     "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]),
    st.integers(1, 300).map(lambda depth: json.loads("[" * depth + "]" * depth)),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
SPOILS: Final = st.lists(st.tuples(st.integers(0, 10_000), OTHERS), min_size=1, max_size=2)
PAYLOADS: Final[dict[str, Signed]] = {
    "operations.file/1": acts.FileOperation(operation=PLAN),
    "operations.update/1": acts.UpdateOperation(id=ID, ovn=ID, operation=PLAN),
    "operations.activate/1": acts.ActivateOperation(id=ID, key=(ID,)),
    "operations.airborne/1": acts.MarkAirborne(id=ID, at_us=1),
    "operations.contingent/1": acts.MakeContingent(id=ID, off_nominal=PLAN.volumes),
    "operations.cancel/1": acts.CancelOperation(id=ID, why="weather"),
    "conflicts.answer/1": acts.AnswerConflict(id=ID, answer=Answer.NOTED),
    "conflicts.propose/1": acts.ProposeChange(
        id=ID, operation=ID, later="1 h", aside="3 NM", towards="90"
    ),
    "incidents.open/1": cases.OpenIncident(about=ID, other="b", words="why?"),
    "line.send/1": sending(reply_to=ID, values=typed(position="33.50N 038.62E")),
    "line.read-back/1": ReadBackMessage(id=ID, values=typed(level="FL240")),
    "line.disseminated/1": MarkDisseminated(id=ID, units=("1st battery",)),
    "line.answer/1": AnswerMessage(id=ID, word=Word.STANDBY, until_us=1),
    "line.stop/1": SendStop(
        to=("b",), datum="WGS84", volume=PLAN.volumes[0], text="stop", language="en"
    ),
    "line.stop-renew/1": RenewStop(id=ID),
    "none-here.state/1": StateNoneHere(text=TEXT, datum="WGS84", volume=PLAN.volumes[0], to=("b",)),
    "agreement.carry/1": CarryAgreement(file=staged().signed(A_AND_B)),
    "suspension.state/1": stated(staged(), Said.SUSPEND),
    SIGN_IN: OpenSession(challenge=ID * 2),
    SLIP: CarrySession(after=1),
}
KINDS: Final = st.sampled_from(sorted(PAYLOADS))


class Door:
    """A node in this process, with a conflict in it, and those who send to it."""

    def __init__(
        self, parties: TestClient[Litestar], operator: TestClient[Litestar], served: Served,
        ids: tuple[str, str],
    ) -> None:  # fmt: skip
        self._stage, self._ids = served.stage, ids
        token = {"Authorization": f"Bearer {TOKEN}"}
        watch = signed_in(parties, served, "a")
        self._ways: tuple[tuple[TestClient[Litestar], str, dict[str, str]], ...] = (
            (parties, "/v1/acts", watch), (parties, "/v1/sessions", {}),
            (operator, "/parties", token),
        )  # fmt: skip

    def act(self, kind: str) -> bytes:
        """Return an act of a kind about what is there, as it is signed."""
        payload = json.loads(encode(PAYLOADS[kind]))
        own, conflict = self._ids
        for name in {"id", "about", "operation"} & set(payload):
            if isinstance(payload[name], str):
                is_own = kind.startswith("operations") or name == "operation"
                payload[name] = own if is_own else conflict
        act = json.loads(self._stage.envelope("a", kind, PAYLOADS[kind]).payload)
        return encode(act | {"payload": payload})

    def sealed(self, kind: str, payload: bytes) -> Envelope:
        """Return an envelope that those have signed who may."""
        names = {"agreement.carry/1": PEOPLE, "suspension.state/1": PEOPLE[:1]}.get(
            kind, ("watch",)
        )
        return seal(ACT, payload, *(self._stage.signer("a", each) for each in names))

    def document(self) -> bytes:
        """Return the key document of a party that is there."""
        return encode(self._stage.document("a"))

    def root(self, payload: bytes) -> Envelope:
        """Return an envelope that the root and the representatives have signed."""
        names = ("root", *PEOPLE)
        return seal(KEY_DOCUMENT, payload, *(self._stage.signer("a", each) for each in names))

    def send(self, body: bytes) -> list[int]:
        """Send bytes to all that take an envelope; each is taken, or refused in words."""
        found = []
        for http, path, headers in self._ways:
            answer = http.post(path, content=body, headers=headers)
            assert answer.status_code in EXPECTED, f"{path} {answer.text} {body[:2_000]!r}"
            assert "Traceback" not in answer.text
            if not answer.is_success:
                assert set(answer.json()) == {"error"}
            found.append(answer.status_code)
        return found


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    stage = staged()
    own = file(stage, "a", 0)
    file(stage, "b", 1)
    [conflict] = stage.exchange.world.conflicts
    served = Served(stage=stage)
    served.writer.start()
    public = Public(served.writer, stage.clock.now_us)
    for each in (public._acts, public._calls, public._tries):
        each._burst = 1e9
    operator = operator_app(served.writer, ExerciseClock(0, 1), TOKEN)
    with TestClient(public.app()) as parties, TestClient(operator) as other:
        yield Door(parties, other, served, (own, conflict))
    served.writer.stop()


def places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 any JSON
    """Yield every place of a JSON value as what holds it and under which key."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def spoilt(data: bytes, spoils: list[tuple[int, object]]) -> bytes:
    """Return JSON with fields dropped, or other values in their places."""
    made = json.loads(data)
    for number, other in spoils:
        if found := list(places(made)):
            holder, key = found[number % len(found)]
            if other == DROPPED:
                del holder[key]
            else:
                holder[key] = deepcopy(other)
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", sorted(PAYLOADS))
def test_what_is_not_spoilt_comes_as_far_as_its_rules(door: Door, kind: str) -> None:
    as_act, as_sign_in, as_document = door.send(encode(door.sealed(kind, door.act(kind))))

    assert as_act in {200, 409} or kind in {SIGN_IN, SLIP}
    assert as_sign_in == {SIGN_IN: 401, SLIP: 201}.get(kind, 403)  # the challenge is none
    assert as_document in {400, 403}


@pytest.mark.parametrize("kind", ["agreement.carry/1", SIGN_IN])
def test_what_is_no_text_in_what_is_read_later_is_refused_in_words(door: Door, kind: str) -> None:
    words = b"EXERCISE memo" if kind == "agreement.carry/1" else b'"challenge":"00'
    payload = door.act(kind)
    assert words in payload

    found = door.send(
        encode(door.sealed(kind, payload.replace(words, words[:-2] + b"\xff\xfe", 1)))
    )

    assert found[:2] == [400, 400]


@given(KINDS, SPOILS)
def test_acts_with_other_values_are_taken_or_refused_in_words(
    door: Door, kind: str, spoils: list[tuple[int, object]]
) -> None:
    door.send(encode(door.sealed(kind, spoilt(door.act(kind), spoils))))


@given(KINDS, SPOILS)
def test_payloads_with_other_values_are_taken_or_refused_in_words(
    door: Door, kind: str, spoils: list[tuple[int, object]]
) -> None:
    act = json.loads(door.act(kind))
    payload = json.loads(spoilt(encode(act["payload"]), spoils))
    made = json.dumps(act | {"payload": payload}, separators=(",", ":"), ensure_ascii=False)
    door.send(encode(door.sealed(kind, made.encode())))


@given(KINDS, KINDS, mutations)
def test_acts_with_other_bytes_are_taken_or_refused_in_words(
    door: Door, kind: str, other: str, ways: list[Mutation]
) -> None:
    door.send(encode(door.sealed(kind, mutated(door.act(kind), door.act(other), ways))))


@given(KINDS, SPOILS, st.booleans())
def test_envelopes_with_other_values_are_taken_or_refused_in_words(
    door: Door,
    kind: str,
    spoils: list[tuple[int, object]],
    is_document: bool,  # noqa: FBT001
) -> None:
    made = door.root(door.document()) if is_document else door.sealed(kind, door.act(kind))
    door.send(spoilt(encode(made), spoils))


@given(KINDS, KINDS, mutations)
def test_envelopes_with_other_bytes_are_taken_or_refused_in_words(
    door: Door, kind: str, other: str, ways: list[Mutation]
) -> None:
    whole = [encode(door.sealed(each, door.act(each))) for each in (kind, other)]
    door.send(mutated(whole[0], whole[1], ways))


@given(SPOILS)
def test_key_documents_with_other_values_are_taken_or_refused_in_words(
    door: Door, spoils: list[tuple[int, object]]
) -> None:
    door.send(encode(door.root(spoilt(door.document(), spoils))))
