# SPDX-License-Identifier: Apache-2.0
"""The desk in a terminal, at a stage in memory: keys are pressed, and what stands there is read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec

from textual.pilot import Pilot

from keepclear.cli.terminal.app import LineDesk
from keepclear.cli.terminal.station import Deed, Done, Held
from keepclear.errors import KeepclearError
from keepclear.exchange.events import MessageChanged
from keepclear.exchange.picture import Picture, told_in
from keepclear.line.acts import MarkDelivered
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.entries import Part
from keepclear.record.headers import Status
from tests.message_plays import SECOND_US
from tests.record_plays import START_US
from tests.restored_stages import parts_of

P = ParamSpec("P")


class StageStation:
    """The watch of b on a stage: what it holds is what the record shows to b."""

    def __init__(self, stage: Stage, status: Status = Status.EXERCISE) -> None:
        self.party, self.post, self.status, self.home = "b", "watch", status, "south"
        self.stage, self.refuses, self.did = stage, "", list[str]()
        self.lost, self.lost_us, self.unanswered, self.conflicts = "", 0, 0, 0
        self.as_of_us = 0
        self.is_ended = False

    def begin(self, tell: Callable[[Held], None]) -> None:
        """Tell how all stands."""
        self._tell = tell
        self.tell()

    def tell(self) -> None:
        """Sign that what came is delivered, where it is not lost, and tell how all stands."""
        if not self.lost:
            for each in self._picture().undone().values():
                is_new = each.receiver == "b" and each.first(Step.DELIVERED, "watch") is None
                if is_new and each.is_with("watch"):
                    self.stage.submit("b", "line.delivered/1", MarkDelivered(id=each.id))
            self.as_of_us = self.stage.clock.now_us()
        self._tell(Held(
            region="exercise-east", messages=self._picture().messages, as_of_us=self.as_of_us,
            lost=self.lost, lost_us=self.lost_us, unanswered=self.unanswered,
            conflicts=self.conflicts,
        ))  # fmt: skip

    def do(self, deed: Deed, then: Callable[[Done], None]) -> None:
        """Let the exchange in memory take an act, or refuse it. refuses: why it takes none."""
        try:
            kind, payload = deed(lambda force: force)
            self.did.append(kind)
            found = [told_in(each) for each in self._taken(kind, payload)]
        except (KeepclearError, ValueError) as fault:
            then(Done(None, str(fault)))
            return
        messages = [each.message for each in found if isinstance(each, MessageChanged)]
        then(Done(messages[-1]))
        self.tell()

    def _taken(self, kind: str, payload: Signed) -> list[Part]:
        """Return what came of an act, as b sees it."""
        if self.refuses:
            raise ValueError(self.refuses)
        before = len(parts_of(self.stage.lines, "b"))
        self.stage.submit("b", kind, payload)
        return parts_of(self.stage.lines, "b")[before:]

    def end(self) -> None:
        """Follow no more."""
        self.is_ended = True

    def _picture(self) -> Picture:
        made = Picture("b", {}, {})
        for part in parts_of(self.stage.lines, "b"):
            made.take(told_in(part))
        return made


class Officer:
    """Who is at the desk: presses keys, lets time pass, and reads. rings: how often it rang."""

    def __init__(self, stage: Stage, station: StageStation, **more: Any) -> None:  # noqa: ANN401 as of the desk
        self.stage, self.station, self.rings = stage, station, 0
        self.desk = LineDesk(station, stage.clock.now_us, ring=self._ring, **more)
        self.pilot: Pilot[None]

    def _ring(self) -> None:
        self.rings += 1

    async def press(self, *keys: str) -> str:
        """Press keys, and return what stands there then."""
        for each in keys:
            await self.pilot.press(each)
            await self.pilot.pause()
        return self.text

    async def types(self, text: str) -> str:
        """Type text into a line, and Enter."""
        return await self.press(*(TYPED.get(each, each) for each in text), "enter")

    async def at(self, after_s: float) -> str:
        """Let it be so long after the start, and return what stands there then."""
        self.stage.clock.move_to(START_US + round(after_s * SECOND_US))
        self.stage.exchange.pass_time()
        return await self.told()

    async def told(self) -> str:
        """Let the station tell how all stands, and return what stands there then."""
        self.station.tell()
        await self.pilot.pause()
        self.desk.tick()
        await self.pilot.pause()
        return self.text

    @property
    def text(self) -> str:
        """Return what stands on the screen, without what is empty at the ends of lines."""
        strips = self.desk.screen._compositor.render_strips()
        return "\n".join(each.text.rstrip() for each in strips)

    def message(self, message: str) -> Message:
        """Return how a message stands at the exchange."""
        return self.stage.exchange.world.messages[message]

    def steps(self, message: str) -> list[Step]:
        """Return the steps of a message that were taken."""
        return [each.step for each in self.message(message).steps]


TYPED = {" ": "space", ",": "comma", ".": "full_stop", "?": "question_mark"}


@asynccontextmanager
async def at_desk(
    stage: Stage, size: tuple[int, int] = (80, 24), station: StageStation | None = None, **more: Any  # noqa: ANN401 as of the desk
) -> AsyncIterator[Officer]:  # fmt: skip
    """Give an officer at the desk of b's watch."""
    officer = Officer(stage, StageStation(stage) if station is None else station, **more)
    async with officer.desk.run_test(size=size) as pilot:
        officer.pilot = pilot
        await officer.told()
        yield officer


def awaited(play: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Run a test that awaits."""

    @wraps(play)
    def run(*given: P.args, **named: P.kwargs) -> None:
        async def whole() -> None:
            await play(*given, **named)

        asyncio.run(whole())

    return run
