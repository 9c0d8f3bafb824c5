# SPDX-License-Identifier: Apache-2.0
"""The one place that asks for the time, and for chance."""

import os
import time
from typing import Final

AT_ONCE: Final = 4_096  # bytes


def now_us() -> int:
    """Return the time in microseconds UTC."""
    return time.time_ns() // 1000


class RandomIds:
    """Ids and salts from the system's random source, which is asked for many bytes at once."""

    def __init__(self) -> None:
        self._bytes, self._used = b"", AT_ONCE

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        return self._next(16).hex()

    def salt(self) -> bytes:
        """Return 32 bytes."""
        return self._next(32)

    def _next(self, count: int) -> bytes:
        """Return bytes that were given to nobody before."""
        first = self._used
        if first + count > AT_ONCE:
            self._bytes, first = os.urandom(AT_ONCE), 0
        self._used = first + count
        return self._bytes[first : first + count]
