# SPDX-License-Identifier: Apache-2.0
r"""Which characters words that are signed may have.

What is signed is printed, compared by eye and spoken, so every character of it is seen: a name
with a line break could add a line to a sheet that nobody wrote, a direction mark turns a number
round.

1. `Words` have no control characters, no direction marks and no line breaks.
2. `Lines`, the text of a clause, may have line breaks beside.
3. The joiners that Persian and Hindi are written with pass both.

    >>> has_hidden("Party\nNorth"), has_hidden("Party North")
    (True, False)
"""

import re
from typing import Annotated, Final

import msgspec

# Controls but the line break, soft hyphen, direction marks, separators, what has no width; tags.
_UNSEEN: Final = (
    r"\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
WORDS: Final = rf"^[^\n{_UNSEEN}]*\Z"
LINES: Final = rf"^[^{_UNSEEN}]*\Z"
_WORDS: Final = re.compile(WORDS)
Words = Annotated[str, msgspec.Meta(pattern=WORDS)]
Lines = Annotated[str, msgspec.Meta(pattern=LINES)]


def has_hidden(text: str) -> bool:
    """Tell whether a text has a character that is not seen, or a line break."""
    return _WORDS.match(text) is None
