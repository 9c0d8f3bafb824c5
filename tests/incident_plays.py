# SPDX-License-Identifier: Apache-2.0
"""Short ways to open cases and state none-here on a stage, and what each party sees of it."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.events import KINDS
from keepclear.plans import acts
from keepclear.plans.filing import Domain, FiledCircle, FiledOperation, FiledVolume
from keepclear.plans.incidents import OpenIncident
from keepclear.plans.none_here import TEXT, NoneHere, StateNoneHere
from keepclear.plans.operations import Operation
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Leaf, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import LONGEST_LINE, AnyLine, LeafLine
from keepclear.record.headers import Status
from keepclear.record.parts import ACT_KIND
from keepclear.record.views import view_of
from keepclear.units import format_time
from tests.exchange_plays import CountedIds
from tests.record_plays import START_US

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
HOUSE: Final = parse_short("5 NM / 1000 ft")


def staged(*parties: str) -> Stage:
    """Return an exchange with some parties and no agreement."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in parties or ("a", "b", "c"):
        stage.join(party)
    return stage


def volume(
    start: float = 60, minutes: float = 60, latitude: float = 35.0, radius: str = "4 NM",
    lower: str | None = "FL240", upper: str | None = "FL250",
) -> FiledVolume:  # fmt: skip
    """Return a circle, from so many minutes after the start on."""
    times = [START_US + round(each * MINUTE_US) for each in (start, start + minutes)]
    return FiledVolume(
        shape=FiledCircle(centre=(latitude, 35.5), radius=radius), lower=lower, upper=upper,
        start=format_time(times[0]), end=format_time(times[1]),
    )  # fmt: skip


def filed(where: FiledVolume, **more: object) -> FiledOperation:
    """Return an operation in one volume."""
    made = FiledOperation(
        datum="WGS84", domain=Domain.AIR, craft_class="any", volumes=(where,)
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def file(stage: Stage, party: str, where: FiledVolume, **more: object) -> Operation:
    """File an operation and return it."""
    known = set(stage.exchange.world.operations)
    stage.submit(party, "operations.file/1", acts.FileOperation(operation=filed(where, **more)))
    [new] = set(stage.exchange.world.operations) - known
    return stage.exchange.world.operations[new]


def say_none_here(stage: Stage, party: str, where: FiledVolume, *to: str) -> NoneHere:
    """State none-here and return the statement."""
    made = StateNoneHere(text=TEXT, datum="WGS84", volume=where, to=to or ("b",))
    stage.submit(party, "none-here.state/1", made)
    return list(stage.exchange.world.none_here.values())[-1]


def contradicted(stage: Stage, statement: str) -> list[tuple[str, int]]:
    """Return the operations and versions that contradict a statement, as found."""
    kept = stage.exchange.world.contradictions.get(statement)
    return [] if kept is None else [(each.operation, each.version) for each in kept.found]


def open_case(stage: Stage, party: str, other: str, about: str, *, is_urgent: bool = False) -> str:
    """Open a case and return its id."""
    made = OpenIncident(about=about, other=other, words="What was that?", is_urgent=is_urgent)
    stage.submit(party, "incidents.open/1", made)
    return list(stage.exchange.world.incidents)[-1]


def refusal(stage: Stage, party: str, kind: str, payload: Signed) -> str:
    """Return why an act is refused; nothing has changed by it."""
    world = stage.exchange.world
    before = (world.hash, len(stage.lines), dict(world.stated))
    try:
        stage.submit(party, kind, payload)
    except CallerError as fault:
        assert (world.hash, len(stage.lines), dict(world.stated)) == before
        return str(fault)
    raise AssertionError("was not refused")


def leaves_seen(stage: Stage, party: str) -> list[Leaf]:
    """Return the leaves that a party sees."""
    lines: list[AnyLine] = [
        decode(each, AnyLine, "line", LONGEST_LINE)  # type: ignore[arg-type]
        for each in view_of(stage.lines, party)
    ]
    return [each.leaf for each in lines if isinstance(each, LeafLine)]


def seen(stage: Stage, party: str) -> list[tuple[str, Signed | Part]]:
    """Return what a party sees: of each part its kind and, where it is one, its event."""
    return list(_read(leaves_seen(stage, party)))


def _read(leaves: Iterable[Leaf]) -> Iterable[tuple[str, Signed | Part]]:
    for leaf in leaves:
        part = msgspec.json.decode(leaf.part, type=Part)
        kind = KINDS.get(part.kind)
        yield part.kind, part if kind is None else msgspec.json.decode(part.data, type=kind)


def events_seen(stage: Stage, party: str, kind: type[Signed]) -> list[Any]:
    """Return the events of one kind that a party sees."""
    return [each for _, each in seen(stage, party) if isinstance(each, kind)]


def acts_seen(stage: Stage, party: str) -> list[Envelope]:
    """Return the acts that a party sees, its own among them."""
    parts = [msgspec.json.decode(each.part, type=Part) for each in leaves_seen(stage, party)]
    return [msgspec.json.decode(p.data, type=Envelope) for p in parts if p.kind == ACT_KIND]
