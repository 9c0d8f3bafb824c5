# SPDX-License-Identifier: Apache-2.0
"""A bar on stderr while work is long: on a terminal only, and after the first second."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

QUIET_S: Final = 1.0
WIDTH: Final = 30
AGAIN_S: Final = 0.1
ERASE_LINE: Final = "\r\x1b[K"


@contextmanager
def progress_bar() -> Iterator[Callable[[float, str], None] | None]:
    """Give a function that is told the share done (0 to 1) and what goes on; None for no bar."""
    if not sys.stderr.isatty():
        yield None
        return
    started_s = time.monotonic()
    last_s = started_s

    def show(share: float, doing: str) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - started_s < QUIET_S or now_s - last_s < AGAIN_S:
            return
        last_s = now_s
        done = round(min(max(share, 0.0), 1.0) * WIDTH)
        bar = "#" * done + "." * (WIDTH - done)
        sys.stderr.write(f"{ERASE_LINE}[{bar}] {share:4.0%} {doing[:40]}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if last_s > started_s:
            sys.stderr.write(ERASE_LINE)
            sys.stderr.flush()
