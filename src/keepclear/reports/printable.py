# SPDX-License-Identifier: Apache-2.0
r"""Text from a file as it may stand on a terminal: it cannot move the cursor or fake a line.

An escape sequence in a name could clear the screen and write PROVEN on it; a direction mark
turns 10:14Z round; a newline begins a line that the program never said. Such characters are
shown as what they are, so that who reads sees that somebody put them there.

    >>> print(printable("south\x1b[2J\nPROVEN"))
    south\x1b[2J\x0aPROVEN
    >>> print(printable("10:14\u202eZ"))
    10:14\u202eZ

One value at a time: a text that has lines of its own goes through line by line.
"""

import unicodedata
from typing import Final

# Control, format and private characters, halves of pairs, and what ends a line.
HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# They join or part letters, as Persian and Hindi are written, and do nothing to what is around.
JOINERS: Final = frozenset("\u200c\u200d")


def printable(text: str) -> str:
    r"""Return text with every character that is not seen written out: \x1b, \u202e."""
    if text.isprintable():
        return text
    return "".join(_written_out(c) if _is_hidden(c) else c for c in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN and character not in JOINERS


def _written_out(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
