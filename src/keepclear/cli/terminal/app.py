# SPDX-License-Identifier: Apache-2.0
"""`keepclear line watch`: the keys of the desk in a terminal, and what each does.

1. A message is *displayed* once its text stood here in full, to its end, and a key was pressed
   then: that a person was there is what it says. What came up by itself proves nobody.
2. A key that comes within a second after another message came up by itself does nothing: it was
   meant for what stood there before.
3. One deed after another; what is refused is shown whole, and nothing that was typed is lost.
4. A question is asked where a slip cannot be taken back: before DISTRESS is sent, and before the
   desk is left while something urgent waits. For an acknowledgement none is.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message as Told
from textual.screen import Screen

from keepclear.agreement.clauses import Precedence
from keepclear.cli.terminal import station as deeds
from keepclear.cli.terminal.bell import Bell, is_at_least
from keepclear.cli.terminal.forms import Field, Form, Page
from keepclear.cli.terminal.screen import DeskScreen, Drawn, why_stale
from keepclear.cli.terminal.station import Deed, Done, Held, Station
from keepclear.cli.terminal.style import CSS
from keepclear.cli.terminal.typed import (
    ANSWER,
    HELP,
    MINUTES,
    SEND,
    UNITS,
    WHY,
    answer,
    fields_of,
    mismatch,
    new,
    precedence_of,
    read_back,
    standby,
    told,
    unable,
)
from keepclear.line.ladder import Step
from keepclear.line.messages import Message, Word
from keepclear.record.headers import Status
from keepclear.reports.line_desk_text import (
    ALARMS,
    came_here,
    is_here,
    is_taken,
    sent_by,
)
from keepclear.reports.message_text import SHORT, ladder_text, message_rows
from keepclear.reports.printable import printable
from keepclear.units import US_PER_S

TICK_S: Final = 0.5
SETTLES_US: Final = US_PER_S
READ_BACK: Final = "Type what you have understood"


class LineDesk(App[None]):
    """The desk of one post. now: the time; person: who is on watch, as a role; ring: the bell.

    language: in which templates are read.
    """

    CSS = CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "leave", show=False, priority=True)
    ]

    class Came(Told):
        """The station has told how all stands."""

        def __init__(self, held: Held) -> None:
            super().__init__()
            self.held = held

    class Answered(Told):
        """A deed was done, or refused."""

        def __init__(self, name: str, done: Done, then: "Callable[[Done], None]") -> None:
            super().__init__()
            self.name, self.done, self.then = name, done, then

    def __init__(
        self, station: Station, now: Callable[[], int], *, person: str | None = None,
        is_quiet: bool = False, language: str = "en", ring: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._language = language
        self._station, self._now, self._person, self._is_quiet = station, now, person, is_quiet
        self._ring = self.bell if ring is None else ring
        self._bell = Bell(station.party, station.post)
        self._held = Held("", {})
        self._desk = DeskScreen(self._pressed)
        self._shown = ""  # id of the message that stands in full
        self._changed_us = 0  # when another one came up by itself
        self._is_chosen = False  # by a person, or read by one
        self._aside: set[str] = set()  # alarms that were left for the lists
        self._claimed: set[str] = set()  # of which *displayed* is on its way, or was signed
        self._said, self._is_refused = "", False
        self._question: tuple[str, Callable[[], None]] | None = None
        self._drafts: dict[str, tuple[str, ...]] = {}
        self._on_its_way: set[str] = set()  # names of deeds that are not answered yet
        self._leaves = False  # once they are

    def get_default_screen(self) -> Screen[None]:
        """Return the screen of the desk."""
        return self._desk

    def on_ready(self) -> None:
        """Follow, and look at the clock twice a second."""
        self.set_interval(TICK_S, self.tick)
        self._station.begin(self._told)

    def on_unmount(self) -> None:
        """Follow no more."""
        self._station.end()

    def _told(self, held: Held) -> None:
        self.post_message(self.Came(held))

    def on_line_desk_came(self, came: Came) -> None:
        """Show how all stands now."""
        self._held = came.held
        self.tick()

    def on_line_desk_answered(self, answered: Answered) -> None:
        """Show what came of a deed."""
        self._on_its_way.discard(answered.name)
        if (message := answered.done.message) is not None:
            self._held = self._held._replace(messages={**self._held.messages, message.id: message})
        if answered.done.unanswered is not None:
            self._held = self._held._replace(unanswered=answered.done.unanswered)
        answered.then(answered.done)
        self._leaves = self._leaves and not answered.done.refused
        if self._leaves and not self._on_its_way:
            self.exit()
        self.tick()

    # --- what is shown ------------------------------------------------------------------------

    def tick(self) -> None:
        """Draw how all stands now, and ring if it is time."""
        now_us = self._now()
        self._select_by_itself(now_us)
        came, sent = self._lists(now_us)
        shown = self._held.messages.get(self._shown)
        is_alarm = shown is not None and shown in self._alarms(now_us)
        drawn = Drawn(
            held=self._held, own=f"{self._station.party}, {self._station.post}",
            status=self._station.status, home=self._station.home, came=came, sent=sent,
            shown=shown, is_alarm=is_alarm, alarms=len(self._alarms(now_us)), said=self._said,
            is_refused=self._is_refused, muted_us=self._bell.muted_us, is_quiet=self._is_quiet,
            language=self._language, now_us=now_us,
        )  # fmt: skip
        is_stale = bool(why_stale(drawn))
        heard = [each for each in self._held.messages.values() if self._is_heard(each)]
        rings = self._bell.rings(heard, now_us, is_stale=is_stale)
        if rings and not self._is_quiet:
            self._ring()
        self._desk.draw(drawn)

    def _lists(self, now_us: int) -> tuple[list[Message], list[Message]]:
        known, own = self._held.messages.values(), self._station
        came = came_here(known, own.party, own.post, now_us)
        return (
            sorted(came, key=lambda each: not self._is_heard(each)),
            sent_by(known, own.party, now_us),
        )

    def _is_heard(self, message: Message) -> bool:
        """Tell whether a message rings here, and fills the screen where it is an alarm.

        An exercise hides nothing that is Actual; what is Actual is heard at every desk, also where
        nobody can act on it: somebody there can go to where it can be done.
        """
        return message.status in {self._station.status, Status.ACTUAL}

    def _alarms(self, now_us: int) -> list[Message]:
        """Return the messages that take the whole screen."""
        return [
            each for each in self._lists(now_us)[0]
            if each.precedence in ALARMS and not is_taken(each) and each.id not in self._aside
            and self._is_heard(each)
        ]  # fmt: skip

    def _select_by_itself(self, now_us: int) -> None:
        """Select an alarm that nobody has acknowledged, or the first where nobody has chosen."""
        known = self._selectable(now_us)
        first = known[0] if known else ""
        is_kept = self._is_chosen and self._shown in known
        if not is_kept and self._shown != first:
            self._shown, self._changed_us, self._is_chosen = first, now_us, False
            if self._alarms(now_us) and isinstance(self.screen, Page):
                self.screen.dismiss()  # an alarm is seen whatever is read

    def _selectable(self, now_us: int) -> list[str]:
        """Return the ids of the messages that can be selected: alarms alone, where there are."""
        came, sent = self._lists(now_us)
        return [each.id for each in (self._alarms(now_us) or [*came, *sent])]

    # --- keys ---------------------------------------------------------------------------------

    def _pressed(self, event: Key) -> None:
        """Do what a key says; one that says nothing does nothing."""
        key = event.character.lower() if event.is_printable and event.character else event.key
        if self._question is not None:
            (yes, then), self._question, self._leaves = self._question, None, False
            self._say("" if key == yes else "not done")
            if key == yes:
                then()
            return
        if key in ABOUT_ONE and self._now() - self._changed_us < SETTLES_US:
            self._say("another message has just come up: read it, and press the key again")
            return
        self._claim()
        does = KEYS.get(key)
        if does is not None:
            self._say("")
            does(self)
            self.call_after_refresh(self._claim)

    def _ask(self, said: str, key: str, then: Callable[[], None]) -> None:
        self._say(said)
        self._question = key, then

    def _say(self, said: str, *, is_refused: bool = False) -> None:
        self._said, self._is_refused = said, is_refused
        self.tick()

    def _do(self, deed: Deed, name: str, then: Callable[[Done], None]) -> None:
        """Sign an act and send it, but where the same is on its way already, by its name."""
        if name in self._on_its_way:
            return

        def answered(done: Done) -> None:
            self.post_message(self.Answered(name, done, then))

        self._on_its_way.add(name)
        self._station.do(deed, answered)

    def _sign(self, deed: Deed, name: str) -> None:
        """Sign an act about the message that is selected, and say that it is on its way."""
        self._say("on its way")
        self._do(deed, f"{name} {self._shown}", self._done)

    def _done(self, done: Done, *, is_back: bool = False) -> None:
        """Say what came of a deed. is_back: of one that read a message back."""
        if done.refused:
            self._say(f"REFUSED: {_whole(done.refused)}", is_refused=True)
        elif done.message is not None and is_back and (why := mismatch(done.message)):
            self._say(f"NOT AS IT WAS SENT: {why}. Press b to read it back again", is_refused=True)
        elif done.message is not None:
            self._say(next(message_rows(done.message, self._now())))

    # --- displayed ----------------------------------------------------------------------------

    def _claim(self) -> None:
        """Sign that the message that stands in full was displayed, if it stood there to its end."""
        message = self._held.messages.get(self._shown)
        is_settled = self._now() - self._changed_us >= SETTLES_US
        if message is None or message.id in self._claimed or not is_settled:
            return
        if not self._desk.is_whole():
            return
        self._is_chosen = True
        own = self._station
        is_ours = is_here(message, own.party, own.post) and message.status is own.status
        is_held = message.first(Step.DELIVERED, own.post) is not None
        if not is_ours or not is_held or message.first(Step.DISPLAYED, own.post) is not None:
            return
        self._claimed.add(message.id)

        def then(done: Done) -> None:
            if done.refused:
                self._claimed.discard(message.id)
                self._done(done)

        self._do(deeds.displayed(message.id, self._person), f"displayed {message.id}", then)

    # --- what keys do -------------------------------------------------------------------------

    def move(self, by: int) -> None:
        """Select the next message, or the one before."""
        known = self._selectable(self._now())
        if self._shown in known:
            place = known.index(self._shown) + by
            self._shown, self._changed_us = known[min(max(place, 0), len(known) - 1)], 0
            self._is_chosen = True
            self.tick()

    def move_text(self, pages: int) -> None:
        """Move the text of the message that is selected."""
        self._desk.move_text(pages)

    def _came(self) -> Message | None:
        """Return the message that is selected, where it came to this post; say why not else."""
        message = self._held.messages.get(self._shown)
        if message is None:
            return None
        if not is_here(message, self._station.party, self._station.post):
            self._say(f"message {message.id[:SHORT]} was sent from here: the other side does that")
            return None
        if message.status is not self._station.status:
            self._say(f"message {message.id[:SHORT]} is {message.status}, and this desk is "
                      f"{self._station.status}: act on it at a desk that is {message.status}"
                      )  # fmt: skip
            return None
        if not self._desk.is_whole():
            self._say("read it to its end first: PgDn")
            return None
        return message

    def acknowledge(self) -> None:
        """Acknowledge the message that is selected."""
        message = self._came()
        if message is None:
            return
        if is_taken(message):
            self._say(f"message {message.id[:SHORT]} is acknowledged already")
        else:
            self._sign(deeds.acknowledged(message.id, self._person), "acknowledged")

    def answer(self, word: Word) -> None:
        """Answer the message that is selected with a word that stands alone."""
        if (message := self._came()) is not None:
            self._sign(deeds.answered(message.id, word, self._person), word)

    def unable(self) -> None:
        """Answer UNABLE, once it is typed why."""
        self._open_about("UNABLE to", WHY, unable)

    def standby(self) -> None:
        """Answer STANDBY, once it is typed for how long."""
        self._open_about("STANDBY to", MINUTES, partial(standby, now=self._now))

    def answer_any(self) -> None:
        """Answer with any word, once it is typed with what it needs."""
        self._open_about("Answer to", ANSWER, partial(answer, now=self._now))

    def read_back(self) -> None:
        """Read the message that is selected back, once each value is typed as it was understood."""
        if (message := self._came()) is None:
            return
        if not (fields := fields_of(message)):
            self._say(f"message {message.id[:SHORT]} has no value that is read back")
            return
        self._open(
            f"{READ_BACK} of message {message.id[:SHORT]}", fields, message.id,
            lambda typed: read_back(typed, message, self._person),
        )  # fmt: skip

    def tell_units(self) -> None:
        """Say which units were told, once they are typed."""
        self._open_about("Told of", UNITS, told)

    def new_message(self) -> None:
        """Send a message, once it is typed."""
        self._open("New message, over flight-safety", SEND, "", new)

    def _open_about(
        self, title: str, fields: tuple[Field, ...],
        deed: Callable[[tuple[str, ...], str, str | None], Deed],
    ) -> None:  # fmt: skip
        """Open a form about the message that is selected."""
        if (message := self._came()) is not None:
            self._open(
                f"{title} message {message.id[:SHORT]}", fields, message.id,
                lambda typed: deed(typed, message.id, self._person),
            )  # fmt: skip

    def _open(
        self, title: str, fields: tuple[Field, ...], about: str,
        deed: Callable[[tuple[str, ...]], Deed],
    ) -> None:  # fmt: skip
        """Open a form; what was typed in it before stands there still."""
        name = f"{title} {about}"

        def keep(typed: tuple[str, ...]) -> None:
            self._drafts[name] = typed

        def send(typed: tuple[str, ...]) -> None:
            try:
                made = deed(typed)
            except ValueError as fault:
                form.say(f"REFUSED: {fault}")
                return

            def sign() -> None:
                self._do(made, f"{name} {typed}", done)

            if fields is SEND and precedence_of(typed[1]) is Precedence.DISTRESS:
                form.dismiss()
                self._ask(f"Send DISTRESS (MAYDAY) to {typed[0].strip()}? y sends; any other key "
                          "does not, and what you typed stays", "y",
                          sign)  # fmt: skip
                return
            sign()
            form.say("on its way")

        def done(what: Done) -> None:
            if what.refused:
                if self.screen is form:
                    form.say(f"REFUSED: {_whole(what.refused)}")
                else:
                    self._done(Done(None, f"{what.refused}\nWhat you typed is kept: open it again"))
                return
            self._drafts.pop(name, None)
            if self.screen is form:
                form.dismiss()
            self._done(what, is_back=title.startswith(READ_BACK))

        values = self._drafts.get(name, ("",) * len(fields))
        form = Form(title, fields, values, send, keep)
        self.push_screen(form)

    def show_ladder(self) -> None:
        """Show the ladder of the message that is selected, on the whole screen."""
        if (message := self._held.messages.get(self._shown)) is not None:
            self.push_screen(Page(ladder_text(message, self._now()).split("\n")))

    def show_help(self) -> None:
        """Show what each key does, on the whole screen."""
        self.push_screen(Page(HELP))

    def mute_bell(self) -> None:
        """Ring for nothing for a minute."""
        self._bell.mute(self._now())
        self.tick()

    def leave_alarm(self) -> None:
        """Leave an alarm for the lists."""
        self._aside.add(self._shown)
        self.tick()

    def action_leave(self) -> None:
        """Quit; ask first where something urgent is not acknowledged, or an act is on its way."""
        if isinstance(self.screen, Form | Page):
            self.screen.dismiss()
            return
        waits = [
            each for each in self._lists(self._now())[0]
            if not is_taken(each) and is_at_least(each, Precedence.URGENT)
            and self._is_heard(each)
        ]  # fmt: skip
        if waits:
            self._ask(f"{len(waits)} URGENT or higher not acknowledged. q leaves all the same; any "
                      "other key stays", "q", self.exit)  # fmt: skip
        elif self._on_its_way:
            self._leaves = True
            self._ask("leaving once what was signed is answered. q leaves it to keepclear "
                      "send-again; any other key stays", "q", self.exit)  # fmt: skip
        else:
            self.exit()


def _whole(why: str) -> str:
    """Return why something was refused, each line of it as it may stand on a terminal."""
    return "\n".join(printable(line) for line in why.split("\n"))


KEYS: Final[Mapping[str, Callable[[LineDesk], None]]] = {
    "up": lambda desk: desk.move(-1),
    "down": lambda desk: desk.move(1),
    "pageup": lambda desk: desk.move_text(-1),
    "pagedown": lambda desk: desk.move_text(1),
    "a": LineDesk.acknowledge,
    "w": lambda desk: desk.answer(Word.WILCO),
    "r": lambda desk: desk.answer(Word.ROGER),
    "u": LineDesk.unable,
    "s": LineDesk.standby,
    "e": LineDesk.answer_any,
    "b": LineDesk.read_back,
    "d": LineDesk.tell_units,
    "n": LineDesk.new_message,
    "l": LineDesk.show_ladder,
    "m": LineDesk.mute_bell,
    "escape": LineDesk.leave_alarm,
    "?": LineDesk.show_help,
    "q": LineDesk.action_leave,
}
ABOUT_ONE: Final = frozenset({"a", "w", "r", "u", "s", "e", "b", "d"})
"""Keys that are about the message that is selected."""
