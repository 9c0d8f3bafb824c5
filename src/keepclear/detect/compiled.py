# SPDX-License-Identifier: Apache-2.0
"""The door of the compiled path: the same kernel source, run through numba.

The scalar code of the kernel is written once. `plain()` gives the modules as they stand, which
start at once and suit small inputs; `compiled()` gives copies of them whose functions numba has
compiled (without fastmath), which give the same bits, a thousand times faster.

1. numba is imported by the first call of `compiled()`, never by importing keepclear.
2. A module of the kernel is loaded, plain or compiled, when one of its functions is first asked
   for: most checks use a few of them.
3. The cache of compiled code lies in a folder named after a digest of the kernel's whole source
   and numba's version: numba itself would not see that a called function has changed.
4. Where no folder can be written or numba is missing, `compiled()` raises `NotCompiled`, and
   the caller goes on with `plain()` and says so.
"""

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, Final

from keepclear.errors import OperatorError

# The kernel's modules, each after those it calls, with those of its functions that are called
# from outside of it.
MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "vertical": ("compare_heights_at",),
    "lateral": ("guard_m",),
    "chords": ("cut_legs",),
    "encounter": (),
    "sweep": ("sweep",),
    "patch": (),
    "shifted": (),
    "shifted_sweep": ("sweep_shifted",),
    "pairs": ("sweep_pairs",),
    "shifted_pairs": ("sweep_pairs_shifted",),
    "entries": ("fill_entries", "fill_plan"),
    "slabs": ("fill_cells", "join", "order_by_slab", "probe"),
    "ways": ("fill_middles", "fill_ways"),
    "track_pairs": ("join_tracks",),
    "well_clear_sweep": ("sweep_well_clear_pairs",),
    "windows": (),
    "inside": (),
    "motions": (),
    "spans": (),
    "bands": (),
    "closest": (),
    "entering": (),
    "overlaps": (),
    "box_tree": ("join_tree", "match_tree", "probe_all"),
    "appending": ("append_volumes",),
    "breadth": ("fits_surely",),
    "shaping": ("shape_short", "shape_volumes"),
    "volume_pairs": (
        "keep_unseparated",
        "mark_inside",
        "near_few",
        "near_volumes",
        "overlap_pairs",
        "sweep_volume_pairs",
    ),
}
# Rejecting what is surely apart may be reordered, because it errs to one side; nothing else may.
LOOSELY: Final[Mapping[str, Any]] = {"fastmath": True, "error_model": "numpy"}
# INLINED of a module: functions so short that handing them their arrays costs more than they do.
# A function that makes no array need not count who holds those it is given. Counting costs more
# than most of these functions do, and two threads that count wait for each other. numba refuses
# to compile a function that would have to count all the same (its option is `_nrt`).
COUNTING: Final = frozenset({"empty", "zeros", "sort"})


class NotCompiled(OperatorError):
    """The compiled kernel cannot be used on this machine; the plain one can."""


class Functions(SimpleNamespace):
    """The kernel's functions by name, each module loaded when the first of its own is used.

    threads: how many of them can run side by side. Any thread may be the first to ask.
    """

    def __init__(
        self, load: Callable[[str], ModuleType], *, threads: int, is_compiled: bool = False
    ) -> None:
        self.threads, self.is_compiled = threads, is_compiled
        self._load = load
        self._lock = Lock()  # around loading, which writes to what it loads for

    def __getattr__(self, name: str) -> Any:
        for module, functions in MODULES.items():
            if name in functions:
                with self._lock:
                    function = getattr(self._load(module), name)
                setattr(self, name, function)  # so that it is not asked for again
                return function
        raise AttributeError(f"the kernel has no function {name!r}; see MODULES")


@cache
def plain() -> Functions:
    """Return the kernel's functions as they stand."""
    return Functions(lambda name: importlib.import_module(_full(name)), threads=1)


@cache
def compiled() -> Functions:
    """Return the kernel's functions compiled; on a machine's first check that takes a minute."""
    folder = _cache_folder()
    try:
        numba = importlib.import_module("numba")
    except ImportError as fault:
        raise NotCompiled(f"numba cannot be imported ({fault}); pip install numba") from None
    copies = _Copies(numba, folder)
    return Functions(copies.load, threads=_processors(), is_compiled=True)


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


class _Copies:
    """Copies of the kernel's modules in which every function is a compiled one."""

    def __init__(self, numba: Any, folder: Path) -> None:
        self._numba, self._folder = numba, folder
        self._made: dict[str, ModuleType] = {}

    def load(self, name: str) -> ModuleType:
        """Return the copy of a module; made, with those it calls, when it is first asked for."""
        if name not in self._made:
            before = self._numba.config.CACHE_DIR
            self._numba.config.CACHE_DIR = str(self._folder)
            try:
                self._made[name] = self._compile(name)
            finally:
                self._numba.config.CACHE_DIR = before
        return self._made[name]

    def _compile(self, name: str) -> ModuleType:
        copy = _copy(name)
        for known_as, value in list(vars(copy).items()):
            if not isinstance(value, FunctionType):
                continue
            home = value.__module__.rpartition(".")[2]
            if value.__module__ == copy.__name__:
                options = _options(copy, value)
                setattr(copy, known_as, self._numba.njit(cache=True, nogil=True, **options)(value))
            elif value.__module__ == _full(home) and home in MODULES:
                setattr(copy, known_as, getattr(self.load(home), value.__name__))
        return copy


def _copy(name: str) -> ModuleType:
    """Return a module of the kernel once more, under a name of its own."""
    alias = f"{_full(name)}_compiled"
    spec = importlib.util.spec_from_file_location(alias, _source(name))
    if spec is None or spec.loader is None:
        raise NotCompiled(f"the source of {_full(name)} is not there; reinstall keepclear")
    copy = importlib.util.module_from_spec(spec)
    sys.modules[alias] = copy  # numba looks the module of cached code up by its name
    spec.loader.exec_module(copy)
    return copy


def _options(copy: ModuleType, function: FunctionType) -> dict[str, Any]:
    """Return how numba shall compile a function of a module."""
    options = dict(LOOSELY) if function.__name__ in getattr(copy, "LOOSE", ()) else {}
    options["_nrt"] = bool(COUNTING.intersection(function.__code__.co_names))
    if function.__name__ in getattr(copy, "INLINED", ()):
        options["inline"] = "always"
    return options


def _full(name: str) -> str:
    return f"keepclear.detect.{name}"


def _source(name: str) -> Path:
    """Return the file of a module, which is not loaded for it."""
    spec = importlib.util.find_spec(_full(name))
    if spec is None or spec.origin is None:
        raise NotCompiled(f"the source of {_full(name)} is not there; reinstall keepclear")
    return Path(spec.origin)


@cache
def _cache_folder() -> Path:
    """Return a folder that can be written, named after the kernel's source."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        numba_version = version("numba")
    except PackageNotFoundError:
        raise NotCompiled("numba is not installed; pip install numba") from None
    digest = hashlib.sha256(numba_version.encode())
    for name in MODULES:
        digest.update(_source(name).read_bytes())
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
