# SPDX-License-Identifier: Apache-2.0
"""Short ways to open and close shifts and to log calls on a stage, with a second key of a post."""

from typing import Any, Final

from msgspec.structs import replace

from keepclear.line.calls import AnnotateCall, Call, LogCall, SignCall
from keepclear.line.shifts import CloseShift, OpenShift, Shift, TakeOver
from keepclear.plays.stage import PEOPLE, Stage
from keepclear.record.encoding import digest
from keepclear.record.key_documents import Device, KeyDocument, Representative, seal_document
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
    old = latest(stage, party)
    signer = stage._signers[party, name] = Signer(stage._ids.salt())
    mandates = old.devices[0].mandates
    further = Device(post=post, key=signer.public.data, mandates=mandates)
    appoint(stage, party, (*old.devices, further))


def without(stage: Stage, party: str, name: str) -> None:
    """Appoint a key of a party no more."""
    key = stage._signers[party, name].public.data
    appoint(stage, party, tuple(e for e in latest(stage, party).devices if e.key != key))


def latest(stage: Stage, party: str) -> KeyDocument:
    """Return the key document of a party as it stands."""
    return stage.exchange.keys.latest(party)


def appoint(
    stage: Stage, party: str, devices: tuple[Device, ...],
    people: tuple[Representative, ...] | None = None,
) -> None:  # fmt: skip
    """Let these be the keys of the posts of a party, and of its representatives, if given."""
    old, before = latest(stage, party), stage.exchange.keys.documents(party)[-1]
    made = replace(
        old, version=old.version + 1, previous=digest(before.payload).hex(),
        created_us=stage.clock.now_us(), devices=devices,
        representatives=old.representatives if people is None else people,
    )  # fmt: skip
    document = seal_document(made, *(stage._signers[party, each] for each in ("root", *PEOPLE)))
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
