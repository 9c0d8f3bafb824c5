# SPDX-License-Identifier: Apache-2.0
"""Random STOPs and operations: whoever meets one is told, by the index as by looking at them all.

After each act what each operation is told to keep out of is compared with what the plain scan over
all STOPs finds, without an index, and with what an oracle of circles along a meridian says that
knows nothing of the exchange. A wrong "no keep out" is the worst fault there is.
"""

from random import Random
from typing import Any, Final

import msgspec
import pytest

from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import positions
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.exchange.keep_outs import areas_found, areas_met
from keepclear.exchange.objects import KeepOuts
from keepclear.exchange.world import World, undo
from keepclear.plans import acts
from keepclear.plans.filing import (
    FiledCircle,
    FiledCorridor,
    FiledPolygon,
    FiledVolume,
)
from keepclear.plans.stops import EndStop, RenewStop, SendStop, State
from keepclear.record.headers import Status
from keepclear.record.verification import verify
from keepclear.units import format_time
from tests.exchange_twins import Twins
from tests.incident_plays import filed, staged
from tests.record_plays import START_US
from tests.stop_plays import TEXT

MINUTE_US: Final = 60_000_000
PARTIES: Final = "abc"
Shape = FiledCircle | FiledCorridor | FiledPolygon
# Where boxes go wrong: at a pole, over the antimeridian, at the equator, and at home.
CENTRES: Final = ((35.0, 35.5), (89.95, 10.0), (-89.99, -170.0), (0.0, 179.98), (61.0, -179.99))
HEIGHTS: Final = (
    (None, None), ("FL240", "FL250"), ("FL100", None), (None, "FL050"), ("FL401", "FL402"),
    ("1000 ft AMSL", "5000 ft AMSL"), ("0 ft AGL", "400 ft AGL"), ("3000 m WGS84", None),
)  # fmt: skip
# From the edge at which a circle must keep out no more, in metres.
OFF_M: Final = (-5_000, -20, -0.5, -0.05, 0, 0.05, 0.5, 20, 5_000)
GROWN_M: Final = 5_000  # definitions.md, STOP


class Calling:
    """Three parties that file, send STOPs, and let time pass, at random."""

    def __init__(self, by: Random) -> None:
        self.by, self.stage = by, staged(*PARTIES)
        self.centre, self.heights = by.choice(CENTRES), by.sample(HEIGHTS, 3)
        self.told = 0

    @property
    def world(self) -> World:
        return self.stage.exchange.world

    def do(self) -> None:
        """Let somebody do something, and look at what each operation was told."""
        by = self.by
        does = (
            self.file,
            self.file,
            self.file,
            self.send,
            self.send,
            self.end,
            self.move,
            self.wait,
        )
        by.choice(does)()
        self.check()

    def act(self, party: str, kind: str, payload: Any) -> None:  # noqa: ANN401 any act
        """Try an act; what is refused changes nothing."""
        try:
            self.stage.submit(party, kind, payload)
        except CallerError:
            return

    def volume(self) -> FiledVolume:
        """Return a volume of any shape, near one of a few places or at an edge of a STOP."""
        by = self.by
        lower, upper = by.choice(self.heights)
        now = (self.stage.clock.now_us() - START_US) // MINUTE_US
        start = now + by.choice((0, 0, 1, 30))
        times = [START_US + m * MINUTE_US for m in (start, start + by.choice((1, 90, 150)))]
        start_text, end_text = (f"{format_time(each)[:19]}Z" for each in times)
        return FiledVolume(
            shape=self.shape(), lower=lower, upper=upper, start=start_text, end=end_text
        )

    def shape(self) -> Shape:
        by = self.by
        latitude, longitude = self.centre
        radius_m = by.choice((50, 1_000, 9_000))
        standing = [each for each in self.world.stops.values() if each.is_protecting]
        if standing and by.random() < 0.5:
            circle: Any = by.choice(standing).volume.volume.shape
            if hasattr(circle, "radius_m"):
                away_m = circle.radius_m + GROWN_M + radius_m + by.choice(OFF_M)
                longitude, latitude, _ = geod().fwd(
                    circle.centre.longitude_deg, circle.centre.latitude_deg,
                    by.choice((0, 90, 180, 217)), away_m,
                )  # fmt: skip
                return FiledCircle(centre=(latitude, longitude), radius=f"{radius_m} m")
        off = by.choice((-0.2, -0.05, 0, 0.05, 0.2))
        latitude = max(-89.999, min(89.999, latitude + off))
        longitude = (longitude + by.choice((-0.2, 0, 0.2)) + 180) % 360 - 180
        match by.randrange(3):
            case 0:
                return FiledCircle(centre=(latitude, longitude), radius=f"{radius_m} m")
            case 1:
                north = min(89.9995, latitude + 0.1)
                east = (longitude + 0.1 + 180) % 360 - 180
                route = positions(((latitude, longitude), (north, east)))
                return FiledCorridor(route=route, width="2 km")
            case _:
                corners = [
                    geod().fwd(longitude, latitude, turn, radius_m) for turn in (0, 120, 240)
                ]
                return FiledPolygon(ring=positions([(lat, lon) for lon, lat, _ in corners]))

    def file(self) -> None:
        operation = filed(self.volume(), lateral=self.by.choice(("0 m", "0 m", "300 m")))
        self.act(
            self.by.choice(PARTIES), "operations.file/1", acts.FileOperation(operation=operation)
        )

    def move(self) -> None:
        """Change, activate, end or cancel an operation."""
        operations = list(self.world.operations.values())
        if not operations:
            return
        own = self.by.choice(operations)
        match self.by.randrange(4):
            case 0:
                made: Any = acts.UpdateOperation(
                    id=own.id, ovn=own.ovn, operation=filed(self.volume())
                )
                self.act(own.party, "operations.update/1", made)
            case 1:
                self.act(
                    own.party, "operations.activate/1", acts.ActivateOperation(id=own.id, key=())
                )
            case 2:
                self.act(own.party, "operations.end/1", acts.EndOperation(id=own.id))
            case _:
                self.act(own.party, "operations.cancel/1", acts.CancelOperation(id=own.id))

    def send(self) -> None:
        party = self.by.choice(PARTIES)
        to = tuple(each for each in PARTIES if each != party)[: self.by.choice((1, 2))]
        self.act(party, "line.stop/1", SendStop(
            to=to, datum="WGS84", text=TEXT, language="en", volume=self.volume()
        ))  # fmt: skip

    def end(self) -> None:
        stops = list(self.world.stops.values())
        if stops:
            own = self.by.choice(stops[-6:])
            if self.by.random() < 0.5:
                self.act(own.party, "line.stop-end/1", EndStop(id=own.id))
            else:
                self.act(own.party, "line.stop-renew/1", RenewStop(id=own.id))

    def wait(self) -> None:
        self.stage.clock.move_to(self.stage.clock.now_us() + self.by.choice((1, 7, 25)) * MINUTE_US)
        self.stage.exchange.pass_time()

    def check(self) -> None:
        """See that each operation was told what the plain scan finds, and the index finds it."""
        exchange = self.stage.exchange
        near, world = exchange._kept.near, exchange.world
        standing = {each.id for each in world.stops.values() if each.state is not State.ENDED}
        assert {*world.standing} == standing
        for each in world.operations.values():
            met = areas_met(plain(), near, world, each)
            assert areas_found(plain(), near, world, each) == met
            assert world.keep_outs.get(each.id, KeepOuts()).areas == met
            self.told += len(met)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *range(2, 12)])  # those that told anybody anything
def test_whatever_meets_a_stop_that_stands_is_told_by_the_index_as_by_looking_at_all(
    seed: int,
) -> None:
    calling = Calling(Random(seed))
    for _ in range(40):
        calling.do()
    calling.stage.exchange.beat()

    assert calling.told > 0
    assert verify(calling.stage.lines, calling.stage.keys).is_proven
    assert fold(calling.stage.lines).hash == calling.world.hash
    assert fold(calling.stage.lines).standing == calling.world.standing
    assert audit(calling.stage.lines, plain()).differences == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_it_is_so_wherever_the_exchange_stops_and_whatever_its_store_does(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.plays.stage.Exchange", Twins)
    monkeypatch.setattr(Twins, "by", Random(seed))
    monkeypatch.setattr(Twins, "often", 0.5)
    calling = Calling(Random(seed))
    for _ in range(30):
        calling.do()


@pytest.mark.long
def test_nor_is_one_missed_in_a_hundred_times_as_many() -> None:
    for seed in range(1_000, 1_400):
        calling = Calling(Random(seed))
        for _ in range(60):
            calling.do()


# --- the oracle -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_circles_along_a_meridian_keep_out_where_a_ruler_says_so(seed: int) -> None:
    by, calling = Random(seed), Calling(Random(seed))
    placed: list[tuple[str, float, float]] = []  # STOPs of a: id, metres north, radius
    for _ in range(25):
        north_m, radius_m = by.randrange(-90_000, 90_000), by.choice((500, 3_000))
        longitude, latitude, _ = geod().fwd(35.5, 35.0, 0, north_m)
        volume = FiledVolume(
            shape=FiledCircle(centre=(latitude, longitude), radius=f"{radius_m} m"), lower="FL240",
            upper="FL250", start=format_time(START_US), end=format_time(START_US + 60 * MINUTE_US),
        )  # fmt: skip
        if by.random() < 0.3:
            known = set(calling.world.stops)
            calling.act("a", "line.stop/1", SendStop(
                to=("b",), datum="WGS84", text=TEXT, language="en", volume=volume
            ))  # fmt: skip
            placed += [(each, north_m, radius_m) for each in {*calling.world.stops} - known]
            continue
        if placed and by.random() < 0.2:
            own, _, _ = placed.pop(by.randrange(len(placed)))
            calling.act("a", "line.stop-end/1", EndStop(id=own))
        known = set(calling.world.operations)
        calling.act("c", "operations.file/1", acts.FileOperation(operation=filed(volume)))
        [new] = {*calling.world.operations} - known
        apart_m = [abs(north_m - each) - radius_m - one - GROWN_M for _, each, one in placed]
        if all(abs(each) > 0.5 for each in apart_m):  # half a metre: what rounding may do
            assert (new in calling.world.keep_outs) == any(each < 0 for each in apart_m)
        calling.check()


# --- what could go wrong with an index ----------------------------------------------------------


def test_a_stop_that_is_taken_back_is_not_found_and_one_whose_end_is_taken_back_is() -> None:
    calling = Calling(Random(1))
    volume = FiledVolume(
        shape=FiledCircle(centre=(35.0, 35.5), radius="1 km"), lower=None, upper=None,
        start=format_time(START_US), end=format_time(START_US + 60 * MINUTE_US),
    )  # fmt: skip
    made = SendStop(to=("b",), datum="WGS84", text=TEXT, language="en", volume=volume)
    calling.act("c", "operations.file/1", acts.FileOperation(operation=filed(volume)))
    calling.act("a", "line.stop/1", made)
    calling.check()
    exchange = calling.stage.exchange
    near, world = exchange._kept.near, exchange.world
    [operation], [stop] = world.operations.values(), world.stops.values()
    found = areas_found(plain(), near, world, operation)
    assert found

    mark = len(world.undo_log)
    ended = msgspec.structs.replace(stop, state=State.ENDED)
    world.stops[stop.id] = ended
    world.standing.pop(stop.id)
    assert areas_found(plain(), near, world, operation) == ()
    world.stops[stop.id], world.standing[stop.id] = stop, stop.party
    assert areas_found(plain(), near, world, operation) == found

    moved = msgspec.structs.replace(stop, status=Status.TEST)
    world.stops[stop.id] = moved
    assert areas_found(plain(), near, world, operation) == ()
    world.stops[stop.id] = stop
    undo(world, mark)
    calling.check()
