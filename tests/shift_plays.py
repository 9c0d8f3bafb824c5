# SPDX-License-Identifier: Apache-2.0
"""Short ways to open and close shifts and to log calls on a stage, with a second key of a post."""

from typing import Any, Final

from msgspec.structs import replace

from keepclear.line.calls import AnnotateCall, Call, LogCall, SignCall
from keepclear.line.shifts import CloseShift, OpenShift, Shift, TakeOver
from keepclear.plays.stage import PEOPLE, Stage
from keepclear.record.encoding import decode, digest
from keepclear.record.key_documents import Device, KeyDocument, seal_document
from keepclear.record.keys import Signer
from tests.message_plays import at_line
from tests.record_plays import START_US

NIGHT: Final = "night"  # the second key of the watch
SECOND_US: Final = 1_000_000
FREQUENCY: Final = "243.0 MHz"


def at_watch(*parties: str) -> Stage:
    """Return a stage on which a and b have deadlines, and the watches of some a second key."""
    stage = at_line()
    for party in parties or ("a", "b"):
        second_key(stage, party)
    return stage


def second_key(stage: Stage, party: str, name: str = NIGHT, post: str = "watch") -> None:
    """Appoint another key for a post of a party."""
    before = stage.exchange.keys.documents(party)[-1]
    old = decode(before.payload, KeyDocument, "key document")
    signer = Signer(stage._ids.salt())
    stage._signers[party, name] = signer
    mandates = old.devices[0].mandates
    made = replace(
        old, version=old.version + 1, previous=digest(before.payload).hex(),
        created_us=stage.clock.now_us(),
        devices=(*old.devices, Device(post=post, key=signer.public.data, mandates=mandates)),
    )  # fmt: skip
    signers = [stage._signers[party, each] for each in ("root", *PEOPLE)]
    document = seal_document(made, *signers)
    stage._documents.append(document)
    stage.exchange.admit(document)


def opened(
    stage: Stage, person: str = "day", key: str = "watch", *, party: str = "b",
    post: str = "watch", takes: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """Open a shift with a key, and return its id."""
    made = OpenShift(person=person, takes=takes)
    stage.submit(party, "line.shift-open/1", made, (key,), post=post)
    return list(stage.exchange.world.shifts)[-1]


def taken_over(stage: Stage, *takes: str, key: str = NIGHT, party: str = "b") -> None:
    """Let the shift of a key take over what remains."""
    stage.submit(party, "line.shift-take/1", TakeOver(takes=takes), (key,))


def closed(
    stage: Stage, own: str, key: str = "watch", to: str | None = None, *, party: str = "b",
    post: str = "watch",
) -> Shift:  # fmt: skip
    """Close a shift with a key, and return it."""
    made = CloseShift(id=own, to=to)
    stage.submit(party, "line.shift-close/1", made, (key,), post=post)
    return stage.exchange.world.shifts[own]


def log(stage: Stage, party: str = "a", **more: Any) -> str:  # noqa: ANN401 fields of the act
    """Log a call of a with b a minute after the start, and return its id."""
    known: dict[str, Any] = {
        "to": "b", "at_us": START_US - 60 * SECOND_US, "lasts_us": 50 * SECOND_US,
        "on": FREQUENCY, "summary": "asked to cease at 33.50N 038.62E", "language": "en",
    }  # fmt: skip
    stage.submit(party, "line.call/1", LogCall(**known | more))
    return list(stage.exchange.world.calls)[-1]


def signed(stage: Stage, own: str, party: str = "b") -> Call:
    """Let a party sign a call, and return it."""
    stage.submit(party, "line.call-sign/1", SignCall(id=own))
    return stage.exchange.world.calls[own]


def annotated(
    stage: Stage, own: str, party: str = "b", text: str = "no position was given"
) -> Call:
    """Let a party annotate a call, and return it."""
    made = AnnotateCall(id=own, text=text, language="en")
    stage.submit(party, "line.call-annotate/1", made)
    return stage.exchange.world.calls[own]
