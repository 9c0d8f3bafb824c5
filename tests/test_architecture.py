# SPDX-License-Identifier: Apache-2.0
"""Who may import whom, and what a module may look like.

`MAY_IMPORT` is the table of docs/architecture.md. Each rule is a function from modules to the
lines that break it; the end of this file feeds every rule something broken and sees it caught.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final, TypeAlias

import pytest

REPOSITORY: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = REPOSITORY / "src"

# --- the tables -----------------------------------------------------------------------------

DOOR: Final = "__init__"  # the part that keepclear/__init__.py is
GROUND: Final = frozenset({"errors", "units"})
VALUES: Final = GROUND | {"airspace"}
ARRAYS: Final = VALUES | {"detect"}
RULES: Final = ARRAYS | {"agreement"}
PARTS: Final = RULES | {"record", "line", "plans"}
MAY_IMPORT: Final[Mapping[str, frozenset[str]]] = {
    "errors": frozenset(),
    "units": frozenset({"errors"}),
    "record": frozenset({"errors"}),
    "airspace": GROUND,
    "detect": VALUES,
    "agreement": ARRAYS | {"record"},
    "line": RULES | {"record"},
    "plans": RULES | {"record"},
    "exchange": PARTS,
    "clock": frozenset({"errors"}),
    "store": frozenset({"errors", "record", "exchange"}),
    "formats": PARTS,
    "checks": RULES | {"record", "formats"},
    "plays": PARTS | {"exchange", "formats", "store"},
    "reports": PARTS | {"exchange", "formats", "checks", "plays"},
    "client": PARTS | {"exchange", "clock"},
    "server": PARTS | {"exchange", "formats", "store", "clock", DOOR},
    "cli": PARTS
    | {
        "exchange",
        "formats",
        "checks",
        "plays",
        "reports",
        "store",
        "clock",
        "client",
        "server",
        DOOR,
    },
    DOOR: RULES | {"record", "formats", "checks", "reports", "client", "cli"},
}

PURE_PARTS: Final = PARTS | {"exchange"}
IMPURE_MODULES: Final = frozenset({
    "asyncio", "fileinput", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess",
    "tempfile", "threading", "time", "urllib", "uuid",
})  # fmt: skip
IMPURE_NAMES: Final = frozenset({"open", "input", "print", "exec", "eval"})
IMPURE_ATTRIBUTES: Final = frozenset({
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "np.random", "numpy.random", "np.load", "np.save", "np.fromfile", "np.memmap",
})  # fmt: skip
# The compiled path keeps its cache in a folder, and loads for one thread at a time; warming it
# says what it did.
MAY_USE: Final[Mapping[str, frozenset[str]]] = {
    "keepclear/detect/compiled.py": frozenset({"os", "pathlib", "threading"}),
    "keepclear/detect/warm.py": frozenset({"print"}),
}

# Late imports, as patterns: which files, and what they may import so. Beside the command and the
# doors of packages there are four: the compiled path; PROJ, whose package takes longer to load
# than a small check takes, and of which most checks need nothing; PostgreSQL, whose driver is not
# there where records are kept in SQLite; and signatures of XML, which not every node makes.
MAY_IMPORT_LATE: Final[Mapping[str, str]] = {
    r"keepclear/cli/.+\.py": r".+",
    r"keepclear/(.+/)?__init__\.py": r".+",
    r"keepclear/detect/compiled\.py": r"importlib.*|numba",
    r"keepclear/airspace/geodesics\.py": r"pyproj",
    r"keepclear/server/stores\.py": r"keepclear\.store\.postgresql",
    r"keepclear/server/cap\.py": r"keepclear\.formats\.cap_signing",
}
# The second reads the steps of a database's layout, which are applied where they are read; the
# third the program itself, to tell it from every other.
READ_PACKAGED: Final = (
    "keepclear/formats/packaged.py", "keepclear/store/migrations/__init__.py",
    "keepclear/store/snapshots.py",
)  # fmt: skip
# Each stands behind one module, so that it can be replaced there.
BEHIND_ONE_MODULE: Final = frozenset({
    "cryptography", "filelock", "geographiclib", "lxml", "prometheus_client",
    "psycopg", "pyproj", "shapely", "signxml", "uvicorn",
})  # fmt: skip
# What uvicorn takes where it is there, and nothing of ours imports.
RUNS_UNDER: Final = frozenset({"httptools", "uvloop"})
# Which modules need what an extra brings.
EXTRAS: Final[Mapping[str, str]] = {
    "cap": r"keepclear/formats/cap_signing\.py",
    "desk": r"keepclear/cli/terminal/.+\.py",
    "postgres": r"keepclear/store/database\.py",
    "server": r"keepclear/server/.+\.py",
}
NOT_NAMES: Final = frozenset({
    "util", "utils", "helper", "helpers", "common", "manager", "managers", "data", "info", "misc",
})  # fmt: skip
LINES_AT_MOST: Final = 600
SPDX: Final = "# SPDX-License-Identifier: Apache-2.0"


# --- modules --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Module:
    """One source file: its path below src, and its text."""

    path: str
    text: str

    @cached_property
    def name(self) -> str:
        """The dotted name it is imported by."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of its syntax tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.path)


@dataclass(frozen=True, kw_only=True)
class Import:
    """One name that a module imports; a name of ours is resolved to the file it stands for."""

    by: Module
    target: str
    line: int
    relative: bool
    late: bool

    @property
    def root(self) -> str:
        """The first name: the package it comes from."""
        return self.target.split(".")[0]

    @property
    def place(self) -> str:
        """File and line, as an editor wants them."""
        return f"{self.by.path}:{self.line}"


def part_of(name: str) -> str:
    """Return the part a dotted name of ours belongs to."""
    return [*name.split("."), DOOR][1]


def read_modules() -> list[Module]:
    return [
        Module(path=file.relative_to(SOURCE).as_posix(), text=file.read_text(encoding="utf-8"))
        for file in sorted(SOURCE.rglob("*.py"))
    ]


def imported_names(node: ast.AST, ours: frozenset[str]) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=base, names=names):
            full = [f"{base}.{alias.name}" for alias in names]
            return [name if name in ours else base or "" for name in full]
        case _:
            return []


def imports_of(modules: Sequence[Module]) -> Iterator[Import]:
    """Yield every import, those in functions and those for the type checker too."""
    ours = frozenset(module.name for module in modules)
    for module in modules:
        late = {
            inner
            for outer in module.nodes
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(outer)
        }
        for node in module.nodes:
            for target in imported_names(node, ours):
                yield Import(
                    by=module,
                    target=target,
                    line=getattr(node, "lineno", 0),
                    relative=getattr(node, "level", 0) > 0,
                    late=node in late,
                )


def dotted(node: ast.AST) -> str:
    """Return the last two names of an attribute: "datetime.now"."""
    match node:
        case ast.Attribute(value=ast.Name(id=left), attr=right):
            return f"{left}.{right}"
        case ast.Attribute(value=ast.Attribute(attr=left), attr=right):
            return f"{left}.{right}"
        case _:
            return ""


# --- the rules ------------------------------------------------------------------------------

Rule: TypeAlias = Callable[[Sequence[Module]], list[str]]


def imports_up(modules: Sequence[Module]) -> list[str]:
    broken = [
        f"{module.path}: {part_of(module.name)!r} has no row in MAY_IMPORT"
        for module in modules
        if part_of(module.name) not in MAY_IMPORT
    ]
    for one in imports_of(modules):
        here, there = part_of(one.by.name), part_of(one.target)
        if one.root == "keepclear" and here != there and there not in MAY_IMPORT.get(here, ()):
            broken.append(f"{one.place}: {here} may not import {there}")
    return broken


def relative_imports(modules: Sequence[Module]) -> list[str]:
    return [f"{one.place}: relative import" for one in imports_of(modules) if one.relative]


def late_imports(modules: Sequence[Module]) -> list[str]:
    return [
        f"{one.place}: {one.target} is imported late"
        for one in imports_of(modules)
        if (one.late or (one.root == "importlib" and one.target != "importlib.resources"))
        and not any(
            re.fullmatch(path, one.by.path) and re.fullmatch(target, one.target)
            for path, target in MAY_IMPORT_LATE.items()
        )
    ]


def cycles(modules: Sequence[Module]) -> list[str]:
    graph: dict[str, set[str]] = {module.name: set() for module in modules}
    for one in imports_of(modules):
        if one.target in graph and not one.late:
            graph[one.by.name].add(one.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def effects_in_pure_parts(modules: Sequence[Module]) -> list[str]:
    pure = [module for module in modules if part_of(module.name) in PURE_PARTS]
    found = [(one.by, one.line, one.root) for one in imports_of(pure) if one.root in IMPURE_MODULES]
    for module in pure:
        for node in module.nodes:
            if isinstance(node, ast.Name) and node.id in IMPURE_NAMES:
                found.append((module, node.lineno, node.id))
            if isinstance(node, ast.Attribute) and dotted(node) in IMPURE_ATTRIBUTES:
                found.append((module, node.lineno, dotted(node)))
    return [
        f"{module.path}:{line}: {part_of(module.name)} is pure and may not use {name}"
        for module, line, name in found
        if name not in MAY_USE.get(module.path, ())
    ]


def readers_of_packaged_files(modules: Sequence[Module]) -> list[str]:
    readers = {
        one.place for one in imports_of(modules) if one.target.startswith("importlib.resources")
    } | {
        f"{module.path}:{node.lineno}"
        for module in modules
        for node in module.nodes
        if isinstance(node, ast.Name) and node.id == "__file__"
    }
    return sorted(place for place in readers if not place.startswith(READ_PACKAGED))


def libraries_in_two_modules(modules: Sequence[Module]) -> list[str]:
    users: dict[str, set[str]] = {library: set() for library in BEHIND_ONE_MODULE}
    for one in imports_of(modules):
        if one.root in users:
            users[one.root].add(one.by.path)
    return [
        f"{library} is used by {', '.join(sorted(paths))}"
        for library, paths in sorted(users.items())
        if len(paths) > 1
    ]


def bad_names(modules: Sequence[Module]) -> list[str]:
    return [
        f"{module.path}: {word!r} says nothing"
        for module in modules
        for word in module.name.split(".")
        if word in NOT_NAMES
    ]


def bad_shape(modules: Sequence[Module]) -> list[str]:
    broken = []
    for module in modules:
        lines = module.text.splitlines()
        if len(lines) > LINES_AT_MOST:
            broken.append(f"{module.path}: {len(lines)} lines, at most {LINES_AT_MOST}; split it")
        if lines[:1] != [SPDX]:
            broken.append(f"{module.path}:1: the first line is not {SPDX!r}")
        if not ast.get_docstring(module.tree):
            broken.append(f"{module.path}: no docstring")
    return broken


def imported_by_name(modules: Sequence[Module]) -> set[str]:
    """The packages that a call of `importlib.import_module` names outright."""
    return {
        call.args[0].value.split(".")[0]
        for module in modules
        for call in module.nodes
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"import_module", "importlib.import_module"}
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def third_parties(modules: Sequence[Module]) -> set[str]:
    named = {one.root for one in imports_of(modules)} | imported_by_name(modules)
    return {
        name
        for name in named
        if name not in sys.stdlib_module_names and name not in {"keepclear", ""}
    }


def named(requirements: Sequence[str]) -> set[str]:
    """The names of the packages in lines of requirements."""
    return {re.split(r"[<>=~!;\[ ]", line)[0] for line in requirements}


# --- the project keeps them -----------------------------------------------------------------

MODULES: Final = read_modules()


def test_imports_go_down_only() -> None:
    assert imports_up(MODULES) == []


def test_imports_are_absolute() -> None:
    assert relative_imports(MODULES) == []


def test_imports_stand_at_the_top() -> None:
    assert late_imports(MODULES) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert cycles(MODULES) == []


def test_pure_parts_touch_no_file_clock_socket_or_chance() -> None:
    assert effects_in_pure_parts(MODULES) == []


def test_one_module_reads_what_is_packaged() -> None:
    assert readers_of_packaged_files(MODULES) == []


def test_each_geometry_library_stands_behind_one_module() -> None:
    assert libraries_in_two_modules(MODULES) == []


def test_names_of_modules_say_something() -> None:
    assert bad_names(MODULES) == []


def test_modules_are_short_licensed_and_described() -> None:
    assert bad_shape(MODULES) == []


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    extras = project["optional-dependencies"]
    assert extras.keys() == EXTRAS.keys()
    declared = named(project["dependencies"])
    needing = {
        extra: [each for each in MODULES if re.fullmatch(path, each.path)]
        for extra, path in EXTRAS.items()
    }
    others = [each for each in MODULES if not any(each in some for some in needing.values())]

    assert third_parties(others) == declared
    for extra, modules in needing.items():
        imported = {each.replace("_", "-") for each in third_parties(modules) - declared}
        assert imported == named(extras[extra]) - RUNS_UNDER


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_pinned_requirements_of_an_extra_are_those_declared(extra: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (REPOSITORY / "requirements" / f"{extra}.in").read_text(encoding="utf-8").splitlines()

    listed = [line for line in lines if line and line[0] not in "#-"]

    assert named(listed) == named(project["optional-dependencies"][extra])


def test_the_pinned_requirements_are_those_declared() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (REPOSITORY / "requirements" / "base.in").read_text(encoding="utf-8").splitlines()

    listed = {re.split(r"[<>=~! ]", line)[0] for line in lines if line and line[0] != "#"}

    assert listed == {re.split(r"[<>=~! ]", line)[0] for line in project["dependencies"]}


# --- and a broken one is caught -------------------------------------------------------------

HEAD: Final = f'{SPDX}\n"""A module."""\n'


def module(path: str, body: str = "", head: str = HEAD) -> Module:
    return Module(path=f"keepclear/{path}", text=head + body)


SOUND: Final = (
    module("__init__.py", "def __getattr__(name):\n    import keepclear.checks\n"),
    module("errors.py"),
    module("units.py", "from keepclear.errors import InputError\n"),
    module("detect/compiled.py", "import os\ndef load():\n    import numba\n"),
    module("airspace/geodesics.py", "def geod():\n    from pyproj import Geod\n"),
    module("formats/packaged.py", "from importlib.resources import files\n"),
    module("checks.py", "from keepclear.formats import packaged\n"),
    module("cli/__init__.py", "def main():\n    from keepclear import check\n"),
)

BROKEN: Final[tuple[tuple[Rule, Module], ...]] = (
    (imports_up, module("detect/index.py", "from keepclear.agreement import rules\n")),
    (imports_up, module("detect/index.py", "import keepclear.formats.csv\n")),
    (imports_up, module("airspace/volumes.py", "from keepclear import check\n")),
    (imports_up, module("units.py", "def f():\n    from keepclear import airspace\n")),
    (imports_up, module("surprise.py")),
    (relative_imports, module("units.py", "from .errors import InputError\n")),
    (relative_imports, module("units.py", "from . import errors\n")),
    (late_imports, module("units.py", "def f():\n    import numpy\n")),
    (late_imports, module("detect/kernel.py", "async def f():\n    import numba\n")),
    (late_imports, module("checks.py", "from importlib import import_module\n")),
    (late_imports, module("airspace/geodesics.py", "def f():\n    import numpy\n")),
    (late_imports, module("detect/arcs.py", "def f():\n    from pyproj import Geod\n")),
    (effects_in_pure_parts, module("detect/kernel.py", "import os\n")),
    (effects_in_pure_parts, module("detect/compiled.py", "import time\n")),
    (effects_in_pure_parts, module("airspace/borders.py", "from pathlib import Path\n")),
    (effects_in_pure_parts, module("airspace/borders.py", "text = open('x').read()\n")),
    (effects_in_pure_parts, module("agreement/rules.py", "now = datetime.now(UTC)\n")),
    (effects_in_pure_parts, module("agreement/rules.py", "now = datetime.datetime.now()\n")),
    (effects_in_pure_parts, module("detect/kernel.py", "x = np.random.default_rng()\n")),
    (readers_of_packaged_files, module("airspace/borders.py", "import importlib.resources\n")),
    (readers_of_packaged_files, module("reports/html.py", "here = __file__\n")),
    (bad_names, module("detect/utils.py")),
    (bad_names, module("common/index.py")),
    (bad_shape, module("units.py", "\n" * LINES_AT_MOST)),
    (bad_shape, module("units.py", head='"""No licence."""\n')),
    (bad_shape, module("units.py", head=f"{SPDX}\nx = 1\n")),
)

RULE_FUNCTIONS: Final[tuple[Rule, ...]] = (
    imports_up,
    relative_imports,
    late_imports,
    cycles,
    effects_in_pure_parts,
    readers_of_packaged_files,
    libraries_in_two_modules,
    bad_names,
    bad_shape,
)


@pytest.mark.parametrize("rule", RULE_FUNCTIONS)
def test_a_sound_source_breaks_no_rule(rule: Rule) -> None:
    assert rule(SOUND) == []


@pytest.mark.parametrize(("rule", "broken"), BROKEN)
def test_a_broken_module_is_caught(rule: Rule, broken: Module) -> None:
    others = [one for one in SOUND if one.path != broken.path]

    assert any(line.startswith(broken.path) for line in rule([*others, broken]))


def test_a_cycle_inside_a_part_is_caught() -> None:
    ring = (
        module("detect/a.py", "from keepclear.detect import b\n"),
        module("detect/b.py", "from keepclear.detect.c import thing\n"),
        module("detect/c.py", "import keepclear.detect.a\n"),
    )

    assert len(cycles(ring)) == 1
    assert "keepclear.detect.b" in cycles(ring)[0]


def test_a_library_behind_two_modules_is_caught() -> None:
    both = (module("detect/a.py", "import shapely\n"), module("detect/b.py", "import shapely\n"))

    assert libraries_in_two_modules(both) == [
        "shapely is used by keepclear/detect/a.py, keepclear/detect/b.py"
    ]


def test_the_table_itself_has_no_cycle_below_the_door() -> None:
    graph = {part: may - {DOOR} for part, may in MAY_IMPORT.items() if part != DOOR}

    assert next(iter(TopologicalSorter(graph).static_order())) == "errors"
