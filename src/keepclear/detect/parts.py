# SPDX-License-Identifier: Apache-2.0
"""Long work in parts, side by side where the functions are compiled.

Compiled functions let other threads run; plain ones would only take turns, so they take the
parts one after another. Results come back in the order of the parts, so nothing depends on how
many threads there are.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

Part = TypeVar("Part")
Progress = Callable[[float], None]

PARTS: Final = 64
FEWEST: Final = 64


def in_parts(
    functions: Any, total: int, work: Callable[[int, int], Part], progress: Progress | None = None
) -> list[Part]:
    """Return what `work(first, last)` returns for each part of 0..total, in order."""
    step = max(-(-total // PARTS), FEWEST)
    bounds = [(first, min(first + step, total)) for first in range(0, total, step)]
    done: list[Part] = []

    def tell(part: Part) -> None:
        done.append(part)
        if progress is not None:
            progress(len(done) / len(bounds))

    if functions.threads == 1 or len(bounds) == 1:
        for first, last in bounds:
            tell(work(first, last))
        return done
    with ThreadPoolExecutor(functions.threads) as pool:
        for part in pool.map(lambda bound: work(*bound), bounds):
            tell(part)
    return done
