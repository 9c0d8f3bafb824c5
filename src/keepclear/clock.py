# SPDX-License-Identifier: Apache-2.0
"""The one place that asks for the time, and for chance."""

import os
import time


def now_us() -> int:
    """Return the time in microseconds UTC."""
    return time.time_ns() // 1000


class RandomIds:
    """Ids and salts from the system's random source."""

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        return os.urandom(16).hex()

    def salt(self) -> bytes:
        """Return 32 bytes."""
        return os.urandom(32)
