# SPDX-License-Identifier: Apache-2.0
"""What parties reach over HTTP as OpenAPI 3.1, complete enough to make a client of.

The types are those that are decoded and encoded (`msgspec.json.schema_components`). What msgspec
cannot know stands here: which payload belongs to which kind of act, and which data to which kind of
part of the record. `tests/test_schema.py` holds both, and the addresses, against the application.
"""

from collections.abc import Iterable, Mapping
from inspect import cleandoc
from typing import Any, Final, NamedTuple

import msgspec

from keepclear import __version__
from keepclear.exchange.checking import Checked
from keepclear.exchange.coverage import AnswersFor
from keepclear.exchange.decide import ACTS
from keepclear.exchange.events import KINDS
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.line.stops import KeepOut
from keepclear.plans.acts import FileOperation
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import Act, Status
from keepclear.record.key_documents import KeyDocument
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND
from keepclear.record.receipts import Receipt
from keepclear.record.signing_in import SIGN_IN, SLIP, CarrySession, OpenSession
from keepclear.server.answers import JSON, Answered, Challenge, Fault, RegionSaid, StepsSaid, Token
from keepclear.server.cap import MEDIA
from keepclear.server.cookies import NAME, OVER_TLS

LINES: Final = "application/jsonl"
EVENTS: Final = "text/event-stream"
REFERENCE: Final = "#/components/schemas/{name}"
PAYLOADS: Final[Mapping[str, Any]] = {
    **ACTS.kinds, SIGN_IN: OpenSession, SLIP: CarrySession,
}  # fmt: skip
DATA: Final[Mapping[str, Any]] = {
    **KINDS, NOTICE_KIND: Notice, ACT_KIND: Envelope, DOCUMENT_KIND: Envelope,
}  # fmt: skip
TYPES: Final = (
    Act, Answered, AnswersFor, Challenge, Checked, Envelope, Fault, FileOperation, KeyDocument,
    Part, Receipt, RegionSaid, StepsSaid, Token, list[bytes], list[Call], list[Check],
    list[CheckedLine], list[Message], list[Notice], list[Operation], list[Shift],
    list[Stop], list[KeepOut],
    *PAYLOADS.values(), *DATA.values(),
)  # fmt: skip
FAULTS: Final = {
    400: "It cannot be read: which value, the limit, the way out.",
    401: "There is no token that holds: sign in.",
    403: "A signature, a key or a mandate does not prove what it should.",
    409: "It is refused as things stand: why, and the way out.",
    413: "The body is too large.",
    429: "It is asked too often, or too many ask: come again later.",
    500: "A fault of ours. The same bytes can be sent again: they do nothing twice.",
    503: "Nothing is decided now. The same bytes can be sent again: they do nothing twice.",
}
NO_CONTENT: Final = 204
ALWAYS: Final = (400, 429, 500, 503)
WITH_BODY: Final = (403, 409, 413)
STEP: Final = {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**62}


class Asked(NamedTuple):
    """What can be asked at an address. body: what it is, in words; takes: its type."""

    what: str
    method: str
    path: str
    answer: Any
    body: str = ""
    takes: Any = Envelope
    parameters: tuple[Mapping[str, Any], ...] = ()
    media: str = JSON
    status: int = 200
    needs_token: bool = True


def _query(name: str, what: str, schema: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": what, "required": needed, "schema": schema}


ASKED: Final = (
    Asked("Say which region this is, and the exchange's time.", "get", "/v1/region", RegionSaid,
           needs_token=False),
    Asked("Give what to sign in with.", "get", "/v1/challenge", Challenge, needs_token=False),
    Asked(f"Sign in: an act of kind {SIGN_IN} with the challenge, or of kind {SLIP}, "
           "signed by a post.", "post",
           "/v1/sessions", Token, "An envelope.", status=201, needs_token=False, parameters=(
               _query("cookie", "Give the token as a cookie, to a page of this address alone.",
                      {"type": "boolean", "default": False}, needed=False),)),
    Asked("End the session: its token holds no more, and its streams end.", "delete",
           "/v1/sessions", None, status=204),
    Asked("Decide an act. The same bytes get the same answer and do nothing twice.", "post",
           "/v1/acts", Answered, "An envelope with an act of the party."),
    Asked("Enter a late act. Handed in again it gets the same answer and does nothing twice.",
           "post", "/v1/late-acts", Answered, "What was answered to it before the backup."),
    Asked("Give the party's file from a step on, as JSON Lines; with 0 its header stands first.",
           "get", "/v1/record", None, media=LINES, parameters=(
               _query("after", "The last step that is known.", STEP, needed=False),)),
    Asked("Give the party's steps from one on, and at their end what proves all of them.", "get",
           "/v1/steps", StepsSaid, parameters=(
               _query("after", "The last step that is known.", STEP, needed=False),)),
    Asked("Give the party's own operations.", "get", "/v1/operations", list[Operation]),
    Asked("Give the latest notice of each of the party's conflicts.", "get", "/v1/conflicts",
           list[Notice]),
    Asked("Give the messages that the party has sent or received, as they stand.", "get",
           "/v1/messages", list[Message]),
    Asked("Give a message of the party as a signed document of CAP 1.2, where it may leave.",
           "get", "/v1/cap", None, media=MEDIA, parameters=(
               _query("message", "Its id.", {"type": "string", "maxLength": 32}, needed=True),)),
    Asked("Give how the party's lines stand that are checked, each in its direction.", "get",
           "/v1/lines", list[CheckedLine]),
    Asked("Give the checks of the party's lines, as they stand.", "get", "/v1/line-checks",
           list[Check]),
    Asked("Give the shifts of the party's own posts.", "get", "/v1/shifts", list[Shift]),
    Asked("Give the voice calls that the party has had with others, as they stand.", "get",
           "/v1/calls", list[Call]),
    Asked("Give the STOPs and SAR cases that the party has sent, as they stand.", "get",
           "/v1/stops", list[Stop]),
    Asked("Give where the party's operations must keep out for STOPs and SAR cases of others.",
           "get", "/v1/keep-outs", list[KeepOut]),
    Asked("Prove that the first leaves of a tree are those of it when it was smaller.", "get",
           "/v1/proofs", list[bytes], parameters=(
               _query("audience", "Whose tree.", {"type": "string", "maxLength": 1_000},
                      needed=True),
               _query("from", "The smaller size.", STEP, needed=True),
               _query("to", "The larger size.", STEP, needed=True))),
    Asked("Say what answers cover now, and who answers for a force.", "get", "/v1/answers-for",
           AnswersFor, parameters=(
               _query("force", "A force to be told of, as agreements name it.",
                      {"type": "string", "maxLength": 200}, needed=False),)),
    Asked("Compare a plan with what its party knows. Nothing is entered, and nobody is told.",
           "post", "/v1/check", Checked, "What would be filed.", FileOperation, parameters=(
               _query("status", "Of what it would be.",
                      {"enum": [each.value for each in Status]}, needed=True),
               _query("instead_of", "The own operation that it would replace.",
                      {"type": "string", "maxLength": 32}, needed=False))),
    Asked("Send what is new as it happens: event snapshot, then an event step for each step.",
           "get", "/v1/stream", None, media=EVENTS, parameters=(
               {"name": "Last-Event-ID", "in": "header", "required": False, "schema": STEP,
                "description": "The last step that is known."},)),
)  # fmt: skip


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    references, components = msgspec.json.schema_components(TYPES, ref_template=REFERENCE)
    of = dict(zip(map(str, TYPES), references, strict=True))
    _tell_payloads(components, of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "keepclear", "version": __version__},
        "security": [{"token": []}, {"cookie": []}, {"cookie-over-tls": []}],
        "paths": _paths(of),
        "components": {
            "schemas": {name: _cleaned(each) for name, each in components.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": NAME},
                "cookie-over-tls": {"type": "apiKey", "in": "cookie", "name": OVER_TLS},
            },
        },
    }


def _tell_payloads(components: dict[str, Any], of: Mapping[str, Any]) -> None:
    """Say which payload an act has by its kind, and which data a part of the record."""
    acts = _by_kind(components, "Act", "payload", PAYLOADS, of)
    components["Envelope"]["properties"]["payload"] |= {
        "contentMediaType": JSON, "contentSchema": {"anyOf": [acts, of[str(KeyDocument)]]},
    }  # fmt: skip
    components["Receipt"]["properties"]["part"] = _by_kind(components, "Part", "data", DATA, of)


def _by_kind(
    components: dict[str, Any], name: str, field: str, types: Mapping[str, Any],
    of: Mapping[str, Any],
) -> dict[str, str]:  # fmt: skip
    """Add a type for each kind, and one that is any of them; return where that stands."""
    places = {}
    for kind, each in types.items():
        own = f"{name}-{kind.replace('/', '-')}"
        places[kind] = REFERENCE.format(name=own)
        components[own] = {
            "allOf": [
                {"$ref": REFERENCE.format(name=name)},
                {"type": "object", "properties": {"kind": {"const": kind}, field: of[str(each)]}},
            ]
        }
    components[f"Any{name}"] = {
        "oneOf": [{"$ref": each} for each in places.values()],
        "discriminator": {"propertyName": "kind", "mapping": places},
    }
    return {"$ref": REFERENCE.format(name=f"Any{name}")}


def _paths(of: Mapping[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for each in ASKED:
        answer = {"type": "string"} if each.answer is None else of[str(each.answer)]
        said: dict[str, Any] = {
            "operationId": f"{each.method}_{each.path.rpartition('/')[2]}",
            "summary": each.what,
            "responses": {
                str(each.status): {
                    "description": "As asked.",
                    **({} if each.status == NO_CONTENT
                       else {"content": {each.media: {"schema": answer}}}),
                },
                **_faults(each, of),
            },
        }  # fmt: skip
        if each.parameters:
            said["parameters"] = list(each.parameters)
        if each.body:
            said["requestBody"] = {
                "description": each.body, "required": True,
                "content": {JSON: {"schema": of[str(each.takes)]}},
            }  # fmt: skip
        if not each.needs_token:
            said["security"] = []
        if each.media == LINES:
            said["responses"]["200"]["headers"] = {"Keepclear-Step": {
                "description": "The last step that is given.", "schema": STEP,
            }}  # fmt: skip
        paths.setdefault(each.path, {})[each.method] = said
    return paths


def _faults(asked: Asked, of: Mapping[str, Any]) -> dict[str, Any]:
    """Return why something is not done, by the status that says so."""
    numbers: Iterable[int] = ALWAYS
    if asked.body:
        numbers = (*numbers, 401, *WITH_BODY)
    elif asked.status == NO_CONTENT:
        numbers = (*numbers, 401, 403)
    elif asked.needs_token:
        numbers = (*numbers, 401, 409)
    return {
        str(number): {
            "description": FAULTS[number],
            "content": {JSON: {"schema": of[str(Fault)]}},
        }
        for number in sorted(numbers)
    }


def _cleaned(value: Any) -> Any:  # noqa: ANN401 any JSON
    """Return a schema as others read it: with patterns of ECMA-262, and text in one line."""
    if isinstance(value, dict):
        return {name: _field(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return value


def _field(name: str, value: Any) -> Any:  # noqa: ANN401 any JSON
    if name == "pattern" and isinstance(value, str):
        return value.replace(r"\Z", "$")
    if name == "description" and isinstance(value, str):
        return cleandoc(value).partition("\n")[0]
    return _cleaned(value)
