# SPDX-License-Identifier: Apache-2.0
"""Short ways to let messages leave as documents of CAP, and to sign those."""

from typing import Any, Final

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.formats.cap_signing import sign
from keepclear.formats.cap_writing import Place, written
from keepclear.line.leaving import Leaving
from keepclear.line.templates import template_named
from keepclear.plays.stage import Stage
from keepclear.record.keys import P256_SEED_BYTES, DocumentSigner
from tests.message_plays import send, typed

EXCHANGE: Final = "keepclear.example/exercise"
PLACE: Final = Place(EXCHANGE, SAYS_NOTHING_ELSE)
NAMESPACE: Final = "{urn:oasis:names:tc:emergency:cap:1.2}"
ACCIDENT: Final = {
    "time": "2015-09-30T03:10:00Z", "place": "33.50N 038.62E", "intent": "not-deliberate",
}  # fmt: skip
ACTIVITY: Final = {
    "position": "33.50N 038.62E", "from": "2015-09-30T09:00:00Z", "until": "2015-09-30T11:00:00Z",
    "lower": "FL240", "upper": "FL260", "frequency": "121.5 MHz",
}  # fmt: skip
CLOSURE: Final = {
    "area": "area 7", "from": "2015-09-30T09:00:00Z", "until": "2015-09-30T11:00:00Z",
    "authority": "CAA",
}  # fmt: skip


def document_signer(number: int = 1) -> DocumentSigner:
    """Return a key that others with the same number have too."""
    return DocumentSigner(bytes([number]) * P256_SEED_BYTES)


def certificate(number: int = 1) -> bytes:
    """Return a certificate of such a key."""
    return document_signer(number).certified(EXCHANGE)


def tell(stage: Stage, name: str, party: str = "a", **more: Any) -> str:  # noqa: ANN401
    """Send a message of a template with its own precedence and no text; return its id."""
    template = template_named(name)
    values = {"accident-notice": ACCIDENT, "activity-notice": ACTIVITY, "closure": CLOSURE}
    known: dict[str, Any] = {
        "to": "b" if party == "a" else "a", "precedence": template.precedence, "text": "",
        "template": template.form, "values": typed(**values.get(name, {})),
    }  # fmt: skip
    return send(stage, party, **known | more)


def leaving(stage: Stage, message: str, party: str = "a") -> Leaving:
    """Return a message as a party may let it leave."""
    return stage.exchange.reads.leaving(party, message).value


def document(stage: Stage, message: str, party: str = "a") -> bytes:
    """Return a message as a document that is not signed."""
    return written(leaving(stage, message, party), PLACE)


def signed(content: bytes, number: int = 1) -> bytes:
    """Return a document that a key has signed."""
    return sign(content, document_signer(number).pem, certificate(number))


def words(stage: Stage, text: str = "Two aircraft cross the border at ten.", **more: Any) -> str:  # noqa: ANN401
    """Send free text, PRIORITY; return its id."""
    return send(stage, **{"precedence": Precedence.PRIORITY, "text": text, **more})
