# SPDX-License-Identifier: Apache-2.0
"""Locks between processes: a file that the operating system holds for as long as one lives."""

from pathlib import Path

from filelock import FileLock, Timeout

from keepclear.errors import OperatorError

Lock = FileLock


def locked(path: Path, wait_s: float = 0.0) -> Lock:
    """Return the lock of a file, `NAME.lock` beside it, held.

    wait_s: for how long another process may hold it still; `OperatorError` where it holds it on.
    """
    if not path.parent.is_dir():
        raise OperatorError(f"{path}: its folder is not there; make it, or give another")
    lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise OperatorError(
            f"{path}: is in use by another process, and only one may write; end that first"
        ) from None
    except OSError as fault:
        raise OperatorError(f"{path}: its folder cannot be written ({fault})") from None
    return lock
