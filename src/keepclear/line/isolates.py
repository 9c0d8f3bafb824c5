# SPDX-License-Identifier: Apache-2.0
"""Isolates, which keep a value from being turned round by the script around it.

Unicode Standard Annex 9, 2.4: U+2068 before a value and U+2069 behind it; a line that runs from
right to left stands between U+2067 and U+2069.
"""

from typing import Final

RIGHT_TO_LEFT: Final = "\u2067"
FIRST_STRONG: Final = "\u2068"
END: Final = "\u2069"


def isolated(value: str) -> str:
    """Return a value that nothing around it turns."""
    return f"{FIRST_STRONG}{value}{END}"
