# SPDX-License-Identifier: Apache-2.0
"""The command as a process of its own: `keepclear`, and `python -m keepclear.cli`.

Sets what only the owner of a process may set, so that a small check answers sooner; a program
that calls `keepclear.cli.main` or the library keeps its own settings.
"""

import gc
import os
from typing import Final, NoReturn

from keepclear.cli import main

# Nearly all that a check makes stays until its end, and hardly anything refers to itself: looking
# for garbage every 700 objects, as Python does, takes a fifth of the time and finds none.
MADE_BETWEEN_COLLECTIONS: Final = 1_000_000


def run() -> NoReturn:
    """Run the command with the arguments of the process, and exit."""
    # numpy starts a thread on each core for products of matrices, of which there are none here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(MADE_BETWEEN_COLLECTIONS)
    try:
        main()
    finally:
        gc.freeze()  # all memory goes back with the process: nobody need sort it first


if __name__ == "__main__":
    run()
