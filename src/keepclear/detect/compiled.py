# SPDX-License-Identifier: Apache-2.0
"""The door of the compiled path: the same kernel source, run through numba.

The scalar code of the kernel is written once. `plain()` gives the modules as they stand, which
start at once and suit small inputs; `compiled()` gives copies of them whose functions numba has
compiled (without fastmath), which give the same bits, a thousand times faster.

1. numba is imported by the first call of `compiled()`, never by importing keepclear.
2. The cache of compiled code lies in a folder named after a digest of the kernel's whole source
   and numba's version: numba itself would not see that a called function has changed.
3. Where no folder can be written or numba is missing, `compiled()` raises `NotCompiled`, and
   the caller goes on with `plain()` and says so.
"""

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, Final

from keepclear.detect import (
    bands,
    box_tree,
    chords,
    closest,
    encounter,
    entering,
    entries,
    inside,
    lateral,
    motions,
    overlaps,
    pairs,
    patch,
    shifted,
    shifted_sweep,
    slabs,
    spans,
    sweep,
    track_pairs,
    vertical,
    volume_pairs,
    ways,
    well_clear_sweep,
    windows,
)
from keepclear.errors import OperatorError

# Each after those it calls.
MODULES: Final = (
    vertical, lateral, chords, encounter, sweep, patch, shifted, shifted_sweep, pairs, entries,
    slabs, ways, track_pairs, well_clear_sweep, windows, inside, motions, spans, bands, closest,
    entering, overlaps, box_tree, volume_pairs,
)  # fmt: skip
# Rejecting what is surely apart may be reordered, because it errs to one side; nothing else may.
LOOSELY: Final[Mapping[str, Any]] = {"fastmath": True, "error_model": "numpy"}
# INLINED of a module: functions so short that handing them their arrays costs more than they do.
# A function that makes no array need not count who holds those it is given. Counting costs more
# than most of these functions do, and two threads that count wait for each other. numba refuses
# to compile a function that would have to count all the same (its option is `_nrt`).
COUNTING: Final = frozenset({"empty", "zeros", "sort"})


class NotCompiled(OperatorError):
    """The compiled kernel cannot be used on this machine; the plain one can."""


@cache
def plain() -> SimpleNamespace:
    """Return the kernel's functions as they stand; `threads`: how many can run side by side."""
    return _functions(MODULES, threads=1)


@cache
def compiled() -> SimpleNamespace:
    """Return the kernel's functions compiled; the first call on a machine takes half a minute."""
    folder = _cache_folder()
    try:
        numba = importlib.import_module("numba")
    except ImportError as fault:
        raise NotCompiled(f"numba cannot be imported ({fault}); pip install numba") from None
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        return _functions(_compile(numba), threads=_processors())
    finally:
        numba.config.CACHE_DIR = before


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_warm() -> bool:
    """Tell whether compiled code of this very kernel lies in the cache."""
    try:
        return any(_cache_folder().rglob("*.nbc"))
    except NotCompiled:
        return False


def _compile(numba: Any) -> tuple[ModuleType, ...]:
    """Return copies of the modules in which every function is a compiled one."""
    done: dict[tuple[str, str], Any] = {}
    options: Mapping[str, Any]
    copies = []
    for module in MODULES:
        alias = f"{module.__name__}_compiled"
        spec = importlib.util.spec_from_file_location(alias, module.__file__)
        if spec is None or spec.loader is None:
            raise NotCompiled(f"the source of {module.__name__} is not there; reinstall keepclear")
        copy = importlib.util.module_from_spec(spec)
        sys.modules[alias] = copy  # numba looks the module of cached code up by its name
        spec.loader.exec_module(copy)
        for name, value in list(vars(copy).items()):
            if not isinstance(value, FunctionType):
                continue
            if value.__module__ == alias:
                options = LOOSELY if name in getattr(module, "LOOSE", ()) else {}
                counts = bool(COUNTING.intersection(value.__code__.co_names))
                options = {**options, "_nrt": counts}
                if name in getattr(module, "INLINED", ()):
                    options = {**options, "inline": "always"}
                done[module.__name__, name] = numba.njit(cache=True, nogil=True, **options)(value)
            if (found := done.get((value.__module__.removesuffix("_compiled"), name))) is not None:
                setattr(copy, name, found)
        copies.append(copy)
    return tuple(copies)


def _functions(modules: tuple[ModuleType, ...], *, threads: int) -> SimpleNamespace:
    names: dict[str, Any] = {}
    for module in modules:
        names |= {name: value for name, value in vars(module).items() if callable(value)}
    return SimpleNamespace(**names, threads=threads)


@cache
def _cache_folder() -> Path:
    """Return a folder that can be written, named after the kernel's source."""
    try:
        numba_version = version("numba")
    except PackageNotFoundError:
        raise NotCompiled("numba is not installed; pip install numba") from None
    digest = hashlib.sha256(numba_version.encode())
    for module in MODULES:
        digest.update(Path(str(module.__file__)).read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "keepclear" / f"kernel-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        raise NotCompiled(
            f"no cache folder can be written ({fault}); set XDG_CACHE_HOME to one that can"
        ) from None
    return folder
