# SPDX-License-Identifier: Apache-2.0
"""A post at an exchange, for the desk in a terminal: it follows on one thread, and acts on another.

1. Each thread has a client of its own on the post's folder, as two commands that run side by side
   have: neither waits for the other, and no client is used by two threads.
2. An act is kept in the folder from before it is sent until it is answered, as by any command;
   where the desk is ended first, `keepclear send-again` sends it.
3. Where it could not be signed that a message was displayed, what was asked for after it about that
   message is not sent: it would be refused later, and for another reason.
4. Whatever is refused while it follows, it says since when and why, waits, each time longer, and
   goes on. It signs *delivered* for what comes to the post.
"""

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final

from keepclear.cli.desk import AtDesk, client_of, desk
from keepclear.cli.forces import party_of
from keepclear.cli.post_folder import FolderChanged, PostFolder
from keepclear.cli.terminal.station import Deed, Done, Held
from keepclear.client import Client, NewIncarnation, NotDone
from keepclear.clock import now_us
from keepclear.errors import KeepclearError
from keepclear.exchange.events import MessageChanged
from keepclear.exchange.picture import told_in
from keepclear.line.acts import MarkDisplayed
from keepclear.line.ladder import Step
from keepclear.record.encoding import Signed

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 15.0
OUR_FAULT: Final = "this is a fault in keepclear ({}); end the desk, and start it again"
Then = Callable[[Done], None]


class LiveStation:
    """A post, by its folder. now: the time of this machine."""

    def __init__(self, home: str, now: Callable[[], int] = now_us) -> None:
        said = PostFolder(home).desk()
        self.party, self.post, self.status, self.home = said.party, said.post, said.status, home
        self._now, self._ended = now, Event()
        self._asked: SimpleQueue[tuple[Deed, Then] | None] = SimpleQueue()
        self._tell: Callable[[Held], None] = lambda _: None
        # Written by the thread that follows.
        self._following: Client | None = None
        self._lost, self._lost_us, self._note = "", 0, ""
        self._held = Held("", {})
        # Written by the thread that acts: how many acts are on their way; by message, why it could
        # not be signed that it was displayed.
        self._sending = 0
        self._not_displayed: dict[str, str] = {}

    def begin(self, tell: Callable[[Held], None]) -> None:
        """Follow and act, each on a thread that ends with this process at the latest."""
        self._tell = tell
        for run, name in ((self._follow, "line-watch"), (self._act, "line-acts")):
            Thread(target=run, name=name, daemon=True).start()

    def do(self, deed: Deed, then: Then) -> None:
        """Sign an act and send it, after those before."""
        self._asked.put((deed, then))

    def end(self) -> None:
        """Follow no more, and do nothing more."""
        self._ended.set()
        self._asked.put(None)
        if self._following is not None:
            self._following.cut()

    # --- following ----------------------------------------------------------------------------

    def _follow(self) -> None:
        """Follow until it is ended; whatever goes wrong, it is told, and tried again."""
        wait_s = FIRST_WAIT_S
        while not self._ended.is_set():
            folder = PostFolder(self.home)
            try:
                with client_of(folder, Client) as client:
                    self._following = client
                    self._follow_with(AtDesk(client, folder))
            except (KeepclearError, OSError) as fault:  # the folder was changed, or cannot be read
                self._lose(str(fault))
            except Exception as fault:  # noqa: BLE001 else the desk would show what is old as new
                self._lose(OUR_FAULT.format(repr(fault)))
            self._ended.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _follow_with(self, at: AtDesk) -> None:
        """Follow until the record, or its folder, was begun anew."""
        client, wait_s = at.client, FIRST_WAIT_S
        client.told_to_wait = self._lose
        self._say(at)
        while not self._ended.is_set():
            try:
                for _ in client.follow():
                    at.folder.was_asked(client.caught_up_us)
                    self._lost, wait_s = "", FIRST_WAIT_S
                    self._deliver(at)
                    self._say(at)
            except NewIncarnation as fault:
                self._lose(at.how_to_accept(fault))
                self._ended.wait(LONGEST_WAIT_S)
                return
            except FolderChanged:
                raise
            except (KeepclearError, OSError) as fault:
                if not self._ended.is_set():
                    self._lose(str(fault))
                    self._say(at)  # of what has come before it, too
            self._ended.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _deliver(self, at: AtDesk) -> None:
        """Sign that what came is delivered; where that is refused, say why, and go on."""
        self._note = ""
        try:
            at.client.deliver()
        except NotDone as fault:
            self._note = f"NOT DELIVERED: {fault}"

    def _say(self, at: AtDesk) -> None:
        picture = at.client.picture
        self._held = Held(
            region=at.client.seen.region, messages=dict(picture.messages),
            conflicts=len(picture.unsettled()), as_of_us=at.folder.last_asked(),
            lost=self._lost, lost_us=self._lost_us,
            unanswered=max(len(at.folder.unanswered()) - self._sending, 0), note=self._note,
        )  # fmt: skip
        self._tell(self._held)

    def _lose(self, why: str) -> None:
        """Say why what is shown may be old; since when is that of the first reason."""
        self._lost_us = self._lost_us if self._lost else self._now()
        self._lost = why
        self._held = self._held._replace(lost=why, lost_us=self._lost_us)
        self._tell(self._held)

    # --- acting -------------------------------------------------------------------------------

    def _act(self) -> None:
        """Do what is asked, one after another, until it is ended."""
        while (asked := self._asked.get()) is not None:
            deed, then = asked
            try:
                done = self._done(deed)
            except (KeepclearError, OSError, ValueError) as fault:
                done = Done(None, str(fault))
            except Exception as fault:  # noqa: BLE001 else every later act would wait for ever
                done = Done(None, OUR_FAULT.format(repr(fault)))
            then(done._replace(unanswered=self._unanswered()))

    def _unanswered(self) -> int | None:
        """Return to how many acts there was no answer; None where that cannot be read."""
        try:
            return len(PostFolder(self.home).unanswered())
        except (KeepclearError, OSError):
            return None

    def _done(self, deed: Deed) -> Done:
        """Do as a command would that is typed: with a client of its own."""
        with desk(self.home) as at:
            at.client.told_to_wait = lambda _: None  # that it waits is shown
            kind, payload = deed(partial(party_of, at.client))
            if isinstance(payload, MarkDisplayed):
                return self._displayed(at, payload)
            if why := self._not_displayed.get(getattr(payload, "id", ""), ""):
                return Done(None, why)
            return self._sent(at, kind, payload)

    def _displayed(self, at: AtDesk, payload: MarkDisplayed) -> Done:
        """Sign that a message was displayed, but where another desk of the post was sooner."""
        self._not_displayed.pop(payload.id, None)
        try:
            at.client.catch_up()
            known = at.picture.messages.get(payload.id)
            if known is not None and known.first(Step.DISPLAYED, self.post) is not None:
                return Done(known)
            return self._sent(at, "line.displayed/1", payload)
        except (KeepclearError, OSError) as fault:
            self._not_displayed[payload.id] = str(fault)
            raise

    def _sent(self, at: AtDesk, kind: str, payload: Signed) -> Done:
        """Sign an act and send it; return how its message stands then."""
        envelope = at.client.signed(kind, payload)
        self._sending = 1
        try:
            told = [told_in(each) for each in at.send(envelope)]
        finally:
            self._sending = 0
        found = [each.message for each in told if isinstance(each, MessageChanged)]
        return Done(found[-1] if found else None)
