# SPDX-License-Identifier: Apache-2.0
"""The desk in a terminal at a node: two posts, one at its desk, the other typing commands."""

import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Final

import pytest
from textual.pilot import Pilot

from keepclear.cli.terminal import live
from keepclear.cli.terminal.app import SETTLES_US, LineDesk
from keepclear.cli.terminal.live import LiveStation
from keepclear.cli.terminal.station import Done, Held, acknowledged, displayed
from keepclear.client import Client, NoAnswer, acting
from keepclear.clock import now_us
from keepclear.record.encoding import encode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import read_act
from tests.desk_plays import Desks, two_desks
from tests.terminal_plays import TYPED, awaited
from tests.test_post_folder import DESK

pytestmark = pytest.mark.slow
SAYS: Final = "Cease activity at 33.50N 038.62E, our people are there."
LONGEST_S: Final = 30
ID: Final = "0" * 32


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with two_desks(Path(tmp_path_factory.mktemp("desk"))) as made:
        yield made


class Watch:
    """Who is at the desk of south's watch, at a node."""

    def __init__(self, desk: LineDesk, pilot: Pilot[None]) -> None:
        self.desk, self.pilot = desk, pilot

    @property
    def text(self) -> str:
        """Return what stands on the screen."""
        return "\n".join(each.text for each in self.desk.screen._compositor.render_strips())

    async def until(self, *words: str) -> str:
        """Wait until words stand on the screen, and another message has stood there for long."""
        began_s = time.monotonic()
        while not all(each in self.text for each in words) or self._has_just_changed():
            assert time.monotonic() - began_s < LONGEST_S, self.text
            await self.pilot.pause(0.02)
        return self.text

    def _has_just_changed(self) -> bool:
        return now_us() - self.desk._changed_us < SETTLES_US

    async def press(self, *keys: str) -> None:
        """Press keys."""
        for each in keys:
            await self.pilot.press(TYPED.get(each, each))


@asynccontextmanager
async def at_south(desks: Desks) -> AsyncIterator[Watch]:
    """Give an officer at the desk of south's watch."""
    desk = LineDesk(LiveStation(str(desks.folder / "south")), now_us, person="shift-lead")
    async with desk.run_test(size=(80, 24)) as pilot:
        watch = Watch(desk, pilot)
        await watch.until("up to date, as of", "in exercise-east")
        yield watch


def sent(desks: Desks, *more: str) -> str:
    """Let north send a message, and return its short id."""
    found = re.search(r"message (\w{8}) from", desks.run("north", "line", "send", "south", *more))
    assert found is not None
    return found[1]


def steps(desks: Desks, message: str) -> list[str]:
    """Return the steps that north sees taken."""
    shown = desks.run("north", "line", "show", message)
    return re.findall(r"^  (\w+) +\d\d:\d\d:\d\dZ", shown, re.MULTILINE)


@awaited
async def play(desks: Desks) -> None:
    async with at_south(desks) as watch:
        message = sent(desks, SAYS, "--precedence", "urgent")
        await watch.until(f"URGENT (PAN PAN)  message {message}", SAYS)
        assert steps(desks, message) == ["sent", "delivered"]

        await watch.press("a", "w")
        await watch.until("south, watch says WILCO")
        await watch.press("d", *"1st battery,2nd battery", "enter")
        await watch.until("all is done")

    shown = desks.run("north", "line", "show", message)
    assert steps(desks, message) == [
        "sent", "delivered", "displayed", "acknowledged", "disseminated"
    ]  # fmt: skip
    assert len(re.findall(r" \+[\d.]+ ", shown)) == 4
    assert "south, watch (shift-lead): told 1st battery and 2nd battery" in shown
    assert "south, watch says WILCO" in shown


def test_what_one_post_sends_is_taken_at_the_desk_of_the_other_with_the_seconds_in_the_ladder(
    desks: Desks,
) -> None:
    play(desks)


@awaited
async def cut_off(desks: Desks) -> None:
    async with at_south(desks) as watch:
        message = sent(desks, SAYS, "--precedence", "urgent")
        await watch.until(f"URGENT (PAN PAN)  message {message}")
        desks.node.kill()
        await watch.until("NOT UP TO DATE since", "and tried again", SAYS)
        await watch.press("a")
        await watch.until("REFUSED: ", "it sent nothing that is")

        desks.node.start()
        await watch.until("up to date, as of")
        await watch.press("a")
        await watch.until("all acknowledged")
    assert "acknowledged" in steps(desks, message)


def test_where_the_exchange_is_gone_it_says_so_and_goes_on_when_it_is_back(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "TRIES", 6)  # three seconds

    cut_off(desks)


@awaited
async def lose_a_reply(desks: Desks) -> None:
    async with at_south(desks) as watch:
        message = sent(desks, SAYS)
        await watch.until(f"ROUTINE  message {message}")
        await watch.press("a")
        await watch.until(
            "REFUSED: ", "may have been done", "1 act was not answered: keepclear send-again"
        )
        assert "was done" in desks.run("south", "send-again")
        await watch.until("all is done")


def test_an_act_whose_answer_is_lost_is_kept_to_be_sent_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Client.send

    def losing(client: Client, envelope: Envelope) -> tuple[Part, ...]:
        found = send(client, envelope)
        if read_act(envelope).kind == "line.acknowledge/1":
            raise NoAnswer("gave no answer")
        return found

    monkeypatch.setattr(Client, "send", losing)

    lose_a_reply(desks)


@awaited
async def force(desks: Desks) -> None:
    async with at_south(desks) as watch:
        await watch.press("n", *"west", "enter", "u", "enter", *"x", "enter")
        await watch.until("REFUSED: to 'west': is no party, and nobody answers for it")


def test_a_message_to_nobody_is_refused_with_those_that_there_are(desks: Desks) -> None:
    force(desks)


# --- faults of ours -----------------------------------------------------------------------------


@pytest.fixture
def station(tmp_path: Path) -> Iterator[LiveStation]:
    (tmp_path / "desk.json").write_bytes(encode(DESK))
    made = LiveStation(str(tmp_path))
    yield made
    made.end()


def told(begin: Callable[[Callable[[Held], None]], None]) -> Held:
    """Return what a station tells first."""
    found, come = list[Held](), threading.Event()

    def tell(held: Held) -> None:
        found.append(held)
        come.set()

    begin(tell)
    assert come.wait(LONGEST_S)
    return found[0]


def test_a_fault_of_ours_is_told_as_what_is_not_up_to_date(
    station: LiveStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(live, "client_of", broken)

    held = told(station.begin)

    assert held.lost.startswith("this is a fault in keepclear (RuntimeError('broken'))")


def test_a_fault_of_ours_in_one_act_holds_up_no_other(
    station: LiveStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(live, "desk", broken)
    found, come = list[Done](), threading.Semaphore(0)

    def then(done: Done) -> None:
        found.append(done)
        come.release()

    station.begin(lambda _: None)
    for _ in range(2):
        station.do(acknowledged(ID, None), then)
        assert come.acquire(timeout=LONGEST_S)

    assert all("this is a fault in keepclear" in each.refused for each in found)


def test_a_folder_that_is_none_is_refused_before_anything_is_shown(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="is no folder of a post"):
        LiveStation(str(tmp_path))


class Refusing:
    """A desk that cannot ask while it is cut off. sent: the kinds of acts."""

    def __init__(self) -> None:
        self.picture, self.sent, self.is_cut = SimpleNamespace(messages={}), list[str](), True
        self.client = SimpleNamespace(
            catch_up=self.catch_up, signed=lambda kind, _: kind, told_to_wait=None
        )

    def catch_up(self) -> None:
        if self.is_cut:
            raise NoAnswer("gives no answer")

    def send(self, kind: str) -> tuple[Part, ...]:
        self.sent.append(kind)
        return ()


def test_what_was_not_displayed_is_not_acknowledged_behind_it_and_is_once_it_was(
    station: LiveStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Refusing()
    monkeypatch.setattr(live, "desk", lambda _: nullcontext(at))
    come = SimpleQueue[Done]()
    deeds = (displayed(ID, None), acknowledged(ID, None))
    station.begin(lambda _: None)

    for each in deeds:
        station.do(each, come.put)
    assert {come.get(timeout=LONGEST_S).refused for _ in deeds} == {"gives no answer"}
    assert at.sent == []

    at.is_cut = False
    for each in deeds:
        station.do(each, come.put)
    assert {come.get(timeout=LONGEST_S).refused for _ in deeds} == {""}
    assert at.sent == ["line.displayed/1", "line.acknowledge/1"]
