# SPDX-License-Identifier: Apache-2.0
"""What is typed at the desk in a terminal, the deed that each is, and what its help says.

A deed is made of the lines as they stand; `ValueError` says in words what cannot be made of them.
"""

from collections.abc import Callable
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.cli.line_values import typed_values
from keepclear.cli.terminal import station as deeds
from keepclear.cli.terminal.forms import Field
from keepclear.cli.terminal.station import Deed
from keepclear.line.messages import NEEDS, Message, Word
from keepclear.line.read_back import read_back_fields
from keepclear.line.values import Kind
from keepclear.reports.message_text import last_read_back
from keepclear.units import US_PER_S

MINUTE_US: Final = 60 * US_PER_S
LONGEST_MIN: Final = 1_440
LONGEST: Final = 2_000  # characters of a text (`line.messages.Text`)
LETTERS: Final = {
    "d": Precedence.DISTRESS, "u": Precedence.URGENT, "p": Precedence.PRIORITY,
    "r": Precedence.ROUTINE, "c": Precedence.CHECK,
}  # fmt: skip
SEND: Final = (
    Field("To", "a party, or a force that one answers for"),
    Field("Precedence", "d DISTRESS, u URGENT, p PRIORITY, r ROUTINE, c CHECK"),
    Field("Text", "what it says, up to 2,000 characters"),
)
MISMATCH: Final = "MISMATCH"
NAMES: Final = {"why": "reason", "until_us": "time", "clause": "clause"}
WHY: Final = (Field("Why", "the reason, as the other side reads it"),)
ANSWER: Final = (
    Field(
        "Answer", "WILCO, AFFIRM, NEGATIVE, ROGER or NOTED; UNABLE or CONCERNED and why; STANDBY "
        "and minutes; OBJECTS and the clause",
    ),
)  # fmt: skip
HINTS: Final = {
    Kind.POSITION: "as 33-30.0N 038-37.2E, or in any form that you wrote it down",
    Kind.LEVEL: "as FL240, or 1200 ft AGL", Kind.TIME: "as 0310Z, or 2026-11-28T03:10:00Z",
    Kind.FREQUENCY: "as 121.5 MHz, or CH 132.005",
}  # fmt: skip
MINUTES: Final = (Field("Minutes", "for how many minutes, from now"),)
UNITS: Final = (Field("Units", "which were told, with commas between them"),)
HELP: Final = (
    "HELP: the desk of a post",
    "",
    "  up, down    select a message: it stands in full below the lists",
    "  PgUp, PgDn  move its text, where it has more than fits",
    "  a           acknowledge: a person at this post has taken it",
    "  w, r        answer WILCO, ROGER",
    "  u           answer UNABLE; asks why",
    "  s           answer STANDBY; asks for how many minutes",
    "  e           answer with any word: AFFIRM, NEGATIVE, NOTED, CONCERNED, OBJECTS and the rest",
    "  b           read back: type what you have understood; it is compared with what was sent",
    "  d           disseminated: say which units were told, with commas between them",
    "  n           send a message",
    "  l           the ladder of the message, with the seconds between its steps",
    "  m           mute the bell for a minute",
    "  Esc         leave an alarm for the lists; the bell goes on",
    "  q           quit",
    "",
    "A message is signed as delivered when it comes to this post. It is signed as displayed",
    "once its text stood here to its end and somebody has pressed a key: whatever key it is,",
    "it says that somebody was there to read it.",
    "An alarm, as DISTRESS is, takes the whole screen until somebody acknowledges it.",
    "The bell rings for PRIORITY and above, and for what is OVERDUE; again and again while",
    "what is URGENT or above is not acknowledged.",
    "Absence of notification implies nothing and changes no legal protection.",
)


def unable(typed: tuple[str, ...], message: str, person: str | None) -> Deed:
    """Return the deed that answers UNABLE. typed: why."""
    if not typed[0].strip():
        raise ValueError("no reason is typed, and UNABLE needs one; type why")
    return deeds.answered(message, Word.UNABLE, person, why=typed[0].strip())


def standby(
    typed: tuple[str, ...], message: str, person: str | None, now: Callable[[], int]
) -> Deed:  # fmt: skip
    """Return the deed that answers STANDBY. typed: for how many minutes."""
    text = typed[0].strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LONGEST_MIN))
    if not is_number or not 1 <= int(text) <= LONGEST_MIN:
        raise ValueError(f"minutes {text!r}: is no whole number from 1 to {LONGEST_MIN:,}; type 10")
    until_us = now() + int(text) * MINUTE_US
    return deeds.answered(message, Word.STANDBY, person, until_us=until_us)


def word_of(typed: str) -> Word:
    """Return the word that a text is, or begins as no other does; `ValueError` where it is none."""
    found = [each for each in Word if typed and each.startswith(typed.upper())]
    if not found:
        raise ValueError(f"answer {typed!r}: is none; type one of {', '.join(Word)}")
    if len(found) > 1:
        raise ValueError(f"answer {typed!r}: may be {' or '.join(found)}; type more of it")
    return found[0]


def answer(
    typed: tuple[str, ...], message: str, person: str | None, now: Callable[[], int]
) -> Deed:  # fmt: skip
    """Return the deed that answers with any word. typed: the word, and what it needs."""
    first, _, rest = typed[0].strip().partition(" ")
    word, rest = word_of(first), rest.strip()
    needs = NEEDS.get(word, "")
    if word is Word.UNABLE:
        return unable((rest,), message, person)
    if word is Word.STANDBY:
        return standby((rest,), message, person, now)
    if needs and not rest:
        raise ValueError(f"{word} needs a {NAMES[needs]}; type it behind the word")
    if needs == "clause":
        clause, _, why = rest.partition(" ")
        return deeds.answered(message, word, person, clause=clause, why=why.strip())
    return deeds.answered(message, word, person, why=rest)


def fields_of(message: Message) -> tuple[Field, ...]:
    """Return a line for each value that is read back of a message; none where nothing is."""
    fields = read_back_fields(message.values)
    return tuple(Field(name, HINTS[each.kind]) for name, each in fields.items())


def read_back(typed: tuple[str, ...], message: Message, person: str | None) -> Deed:
    """Return the deed that reads a message back. typed: each value, in the order of its lines."""
    fields = read_back_fields(message.values)
    given = dict(zip(fields, (each.strip() for each in typed), strict=True))
    if missing := [name for name, each in given.items() if not each]:
        raise ValueError(f"{missing[0]} is not typed; a message is read back whole")
    return deeds.read_back(message.id, typed_values(given, fields), person)


def mismatch(message: Message) -> str:
    """Return what of the last read-back of a message is not as it was sent, empty where all is."""
    return next((said for label, said in last_read_back(message) if label == MISMATCH), "")


def told(typed: tuple[str, ...], message: str, person: str | None) -> Deed:
    """Return the deed that says which units were told. typed: them, with commas between."""
    units = tuple(each.strip() for each in typed[0].split(",") if each.strip())
    if not units:
        raise ValueError("no unit is named; type them as: 1st battery, 2nd battery")
    return deeds.disseminated(message, units, person)


def precedence_of(typed: str) -> Precedence | None:
    """Return the precedence of a letter, or of a word that begins with it; None for none."""
    word = typed.strip().lower()
    found = LETTERS.get(word[:1])
    return found if found is not None and found.lower().startswith(word) else None


def new(typed: tuple[str, ...]) -> Deed:
    """Return the deed that sends a message. typed: to whom, its precedence, its text."""
    to, letter, text = (each.strip() for each in typed)
    precedence = precedence_of(letter)
    if not to:
        raise ValueError("to whom is not typed; type a party, or a force")
    if precedence is None:
        raise ValueError(f"precedence {letter!r}: is none; type d, u, p, r or c")
    if not 0 < len(text) <= LONGEST:
        raise ValueError(f"text: has {len(text):,} characters, not 1 to {LONGEST:,}")
    return deeds.sent(to, precedence, text)
