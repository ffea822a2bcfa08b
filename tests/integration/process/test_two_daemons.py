"""Two real daemons on one database of a server."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.integration.process.daemon import SCALE, Daemon
from tests.postgres import Server

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

RUNNING = 4


def on_server(folder: Path, base_url: str, url: str) -> Daemon:
    """A daemon with its own settings, on a shared database."""
    folder.mkdir()
    daemon = Daemon(folder, base_url)
    text = daemon.settings.read_text().replace(f"{daemon.database_url}", url)
    daemon.settings.write_text(text)
    return daemon


def code_of(daemon: Daemon, seconds: float = 60.0) -> int:
    """The code with which it ends by itself."""
    assert daemon.process is not None
    return daemon.process.wait(seconds)


@pytest.mark.process
def test_a_stopped_daemon_that_was_replaced_ends_when_it_wakes(
    tmp_path: Path, postgres: Server, database: str
) -> None:
    """The second is refused while the first lives, takes over when it is gone, and stays alone."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        first = on_server(tmp_path / "one", harbour.base_url, database)
        second = on_server(tmp_path / "two", harbour.base_url, database)
        first.start()
        try:
            first.wait_until_ready()
            second.start()
            assert code_of(second) == RUNNING
            assert "another daemon runs on this store" in second.said()
            assert first.process is not None
            first.process.send_signal(signal.SIGSTOP)
            with postgres.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
                    " WHERE datname = %s",
                    (make_url(database).database,),
                )
            second.start()
            second.wait_until_ready()
            first.process.send_signal(signal.SIGCONT)
            assert code_of(first) == RUNNING
            assert second.process is not None
            assert second.process.poll() is None
        finally:
            for daemon in (first, second):
                if daemon.process is not None and daemon.process.poll() is None:
                    daemon.process.send_signal(signal.SIGCONT)
                    daemon.stop()


@pytest.mark.process
def test_a_password_is_shown_nowhere(tmp_path: Path, postgres: Server, database: str) -> None:
    """Neither in logs nor in any command's answer, for people or for programs."""
    secret = "tell-nobody-4711"  # the tests' server asks for none, and takes any
    url = database.replace("tests@", f"tests:{secret}@")
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        daemon = on_server(tmp_path / "one", harbour.base_url, url)
        daemon.start()
        try:
            daemon.wait_until_ready()
            said = [_say(daemon, *words) for words in _COMMANDS]
            postgres.stop()
            try:
                deadline = time.monotonic() + 30.0
                while "store_failed" not in daemon.said():
                    assert time.monotonic() < deadline, daemon.said()
                    time.sleep(0.1)
                said += [_say(daemon, *words) for words in _COMMANDS[-3:]]
            finally:
                postgres.start()
        finally:
            assert daemon.stop() == 0
        assert secret in daemon.settings.read_text()
        told = (tmp_path / "one" / "daemon.log").read_text()
    for text in (*said, told):
        assert text
        assert secret not in text


_COMMANDS = (
    ("status",),
    ("status", "--json"),
    ("check",),
    ("check", "--json"),
    ("db", "path"),
    ("db", "migrate"),
)


def _say(daemon: Daemon, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "demurrage", "--config", str(daemon.settings), *words],
        env={"OPENAI_API_KEY": "sk-daemon-under-test", "HOME": str(daemon.folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "--json" in words and done.returncode == 0:
        json.loads(done.stdout)
    return done.stdout + done.stderr
