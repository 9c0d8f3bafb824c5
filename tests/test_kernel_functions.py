# SPDX-License-Identifier: Apache-2.0
"""The table of the kernel's functions: what is called is listed, what is listed is there."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from types import FunctionType, ModuleType

import pytest

from keepclear.detect.compiled import MODULES, Functions, plain


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in MODULES.items() for name in names]
)
def test_a_function_of_the_table_is_the_one_of_its_module(module: str, name: str) -> None:
    assert getattr(plain(), name).__module__ == f"keepclear.detect.{module}"


def test_all_that_is_called_of_the_kernel_is_in_the_table(repository: Path) -> None:
    files = sorted((repository / "src").rglob("*.py"))
    called = {
        name
        for file in files
        for name in re.findall(r"functions\.(\w+)", file.read_text(encoding="utf-8"))
    }

    assert len(called) > 15
    assert called - {"threads", "is_compiled"} <= {
        name for names in MODULES.values() for name in names
    }


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_kernel_calls_only_those_before_it(module: str) -> None:
    # what stands outside of the table is not compiled, and does not name the cache of what is
    called = {
        value.__module__.removeprefix("keepclear.detect.")
        for value in vars(import_module(f"keepclear.detect.{module}")).values()
        if isinstance(value, FunctionType) and value.__module__.startswith("keepclear.")
    }

    assert called <= {*list(MODULES)[: list(MODULES).index(module)], module}


def test_a_function_that_is_not_in_the_table_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no function 'swep'"):
        _ = plain().swep


def test_two_threads_that_ask_first_do_not_load_at_once() -> None:
    both, met = Barrier(2), []

    def load(name: str) -> ModuleType:
        with suppress(BrokenBarrierError):
            both.wait(timeout=0.2)
            met.append(name)
        return import_module(f"keepclear.detect.{name}")

    functions = Functions(load, threads=2)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(lambda: functions.sweep) for _ in range(2)]

    assert {each.result() for each in asked} == {plain().sweep}
    assert met == []
