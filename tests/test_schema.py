# SPDX-License-Identifier: Apache-2.0
"""What is said of the addresses, held against what they do."""

from collections.abc import Iterator
from typing import Any, Final, cast

import httpx
import jsonschema_rs
import msgspec
import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from keepclear.plans import acts
from keepclear.record.encoding import encode
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.server.app import Public
from keepclear.server.schema import ASKED, DATA, PAYLOADS, Asked, document
from tests.server_plays import Node, circle, serving

SAID: Final = msgspec.json.decode(msgspec.json.encode(document()))
# What our acts are by their schema alone is not what is taken: they are signed, and follow rules.
# A stream never ends, so it has tests of its own.
LEFT_OUT: Final = {"positive_data_acceptance"}
ASKED_AT: Final = [
    pytest.param(each, mode, id=f"{each.path}-{mode.value}")
    for each in ASKED if each.path != "/v1/stream"
    for mode in GenerationMode
    if each.body or each.parameters or mode is GenerationMode.POSITIVE  # else nothing can be wrong
]  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


def checked(name: str, value: object) -> None:
    """Refuse a value that is not as a type of the document says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": SAID["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(value)


def references(value: Any) -> Iterator[str]:  # noqa: ANN401 any JSON
    """Yield all that is referred to."""
    if isinstance(value, dict):
        yield from [each for name, each in value.items() if name == "$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_all_that_is_referred_to_is_there_and_is_a_schema() -> None:
    names = {each.rpartition("/")[2] for each in references(SAID)}

    assert names <= set(SAID["components"]["schemas"])
    for each in SAID["components"]["schemas"].values():
        jsonschema_rs.meta.validate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **each}
        )
    assert r"\Z" not in msgspec.json.encode(SAID).decode()


def test_every_address_is_said_and_no_other() -> None:
    routes = {each.path for each in Public(cast("Any", None), lambda: 0).app().routes}

    assert routes == {*SAID["paths"], "/schema/openapi.json"}


def test_each_kind_of_act_and_of_part_has_its_own_type() -> None:
    schemas = SAID["components"]["schemas"]

    assert set(schemas["AnyAct"]["discriminator"]["mapping"]) == set(PAYLOADS)
    assert set(schemas["AnyPart"]["discriminator"]["mapping"]) == set(DATA)
    assert {"operations.file/1", "agreement.carry/1", SIGN_IN} <= set(PAYLOADS)
    ids = [each["operationId"] for path in SAID["paths"].values() for each in path.values()]
    assert len(set(ids)) == len(ids) == len(ASKED)


@pytest.mark.slow
def test_what_a_node_answers_and_takes_is_as_it_is_said(node: Node) -> None:
    with node.join("north") as north, node.join("south") as south:
        north.act("operations.file/1", acts.FileOperation(operation=circle(0)))
        envelope = south.signed("operations.file/1", acts.FileOperation(operation=circle(1)))
        south.operations()
        headers = {"Authorization": f"Bearer {south._token}"}
        ask = httpx.Client(base_url=node.parties, headers=headers)
        with ask:
            answered = ask.post("/v1/acts", content=encode(envelope)).json()
            said, challenge = ask.get("/v1/region").json(), ask.get("/v1/challenge").json()
            operations = ask.get("/v1/operations").json()
            conflicts = ask.get("/v1/conflicts").json()
            fault = ask.get("/v1/proofs").json()
            plan = encode(acts.FileOperation(operation=circle(1)))
            met = ask.post("/v1/check?status=Exercise", content=plan).json()
            covered = ask.get("/v1/answers-for?force=Auxiliaries").json()
            shown = ask.get("/schema/openapi.json")
        signing = south.signed(SIGN_IN, OpenSession(challenge="0" * 64))

    assert shown.json() == SAID
    checked("Envelope", msgspec.json.decode(encode(envelope)))
    for each in (envelope, signing):
        checked("AnyAct", msgspec.json.decode(each.payload))
    checked("Answered", answered)
    assert {"act/1", "operation-filed/1", "notice/1"} <= {
        each["part"]["kind"] for each in answered["receipts"]
    }
    checked("RegionSaid", said)
    checked("Challenge", challenge)
    checked("Fault", fault)
    assert {each["compared"] for each in met["found"]} == {"own", "not at all"}
    checked("Checked", met)
    checked("FileOperation", msgspec.json.decode(plan))
    assert [each["force"] for each in covered["forces"]] == ["Auxiliaries"]
    checked("AnswersFor", covered)
    assert len(operations) == len(conflicts) == 1
    checked("Operation", operations[0])
    checked("Notice", conflicts[0])
    with pytest.raises(jsonschema_rs.ValidationError):
        checked("AnyAct", msgspec.json.decode(envelope.payload) | {"kind": "operations.end/1"})


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "mode"), ASKED_AT)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_whatever_is_asked_is_answered_as_it_is_said(
    node: Node,
    asked: Asked,
    mode: GenerationMode,
    is_signed_in: bool,  # noqa: FBT001 as parametrized
) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_dict(SAID)
    operation = schema[asked.path][asked.method.upper()]
    checks: Any = CHECKS.get_by_names(
        [each for each in CHECKS.get_all_names() if each not in LEFT_OUT]
    )
    headers = {}
    if is_signed_in:
        with node.join(f"asks-{len(node.documents)}") as client:
            client.operations()
            headers = {"Authorization": f"Bearer {client._token}"}

    @settings(max_examples=15)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=node.parties, headers=headers)
        case.validate_response(answer, checks=checks)
        assert b"Traceback" not in answer.content

    ask()
