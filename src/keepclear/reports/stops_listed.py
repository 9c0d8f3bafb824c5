# SPDX-License-Identifier: Apache-2.0
"""The STOPs that a party has to do with, as a post lists them: sent by it, sent to it, keep outs.

Of a STOP of somebody else's no more is known here than the area that is told of it.
"""

from collections.abc import Iterable, Iterator

from keepclear.exchange.picture import Picture
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.line.stops import Called
from keepclear.reports.play_values import listed
from keepclear.reports.printable import printable
from keepclear.reports.stop_text import SHORT, called_text, keep_outs_text, stop_changed_text


def stops_text(picture: Picture, party: str, now_us: int, *, is_all: bool = False) -> list[str]:
    """Return the list, verdict first. is_all: those that have ended, too."""
    own = [each for each in picture.stops.values() if is_all or each.is_protecting]
    told = [
        (each, each.stop) for each in picture.messages.values()
        if each.receiver == party and each.stop is not None and (is_all or each.has_stop)
    ]  # fmt: skip
    said = keep_outs_text(picture.keep_outs, now_us, picture.protecting())
    outs = [each.removeprefix("KEEP OUT: ") for each in said if each]
    standing = sum(each.is_protecting for each in own)
    told_standing = sum(each.has_stop for each, _ in told)
    verdict = (
        f"STOPs that stand: {standing} of {party}, {told_standing} sent to it; areas that its "
        f"operations must keep out of: {len(outs)}"
    )
    return [
        verdict,
        *_section(f"SENT BY {party}", map(stop_changed_text, own)),
        *_section(f"SENT TO {party}", (_told(*each, now_us) for each in told)),
        *_section("KEEP OUT", outs),
        "", SAYS_NOTHING_ELSE,
    ]  # fmt: skip


def _section(title: str, said: Iterable[str]) -> Iterator[str]:
    yield from ("", title)
    lines = [f"  {each}" for each in said]
    yield from lines or ["  none"]


def _told(message: Message, called: Called, now_us: int) -> str:
    """Return a STOP that was sent to the party, and what was done with it so far."""
    taken = message.first(Step.ACKNOWLEDGED)
    done = "NOT ACKNOWLEDGED" if taken is None else f"acknowledged at {taken.post}"
    words = [each.word.value for each in message.answers[-1:]]
    answered = f", answered {listed(words)}" if words else ""
    return (
        f"message {message.id[:SHORT]} from {message.sender}: {called_text(called, now_us)}; "
        f'"{printable(message.text)}"; {done}{answered}'
    )
