"""A real daemon reads a shared folder: what is appended, what is torn, and who is dead."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.integration.process.daemon import SCALE, Daemon
from tests.unit.eventlog.conftest import make
from tests.unit.eventlog.files.conftest import append

from demurrage.eventlog.files.folder import opened
from demurrage.eventlog.files.locks import lock_fault
from demurrage.eventlog.log import EventLog
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.store import open_store

# Holds a lock as recorders do, says that it does, and waits for its end.
HOLDER = """
import fcntl, os, sys, time
file = os.open(sys.argv[1] + ".new", os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
os.rename(sys.argv[1] + ".new", sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose settings name a shared folder, and that takes silence for death soon."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=4)) as harbour:
        made = Daemon(tmp_path, harbour.base_url)
        text = made.settings.read_text().replace('"30s"', '"2s"')
        shared = tmp_path / "shared"
        shared.mkdir()
        made.settings.write_text(f'{text}[events]\nfolder = "{shared}"\n')
        made.start()
        try:
            made.wait_until_ready()
            yield made
        finally:
            made.stop()


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def held(daemon: Daemon) -> int:
    """How many events the daemon's log holds."""
    log = EventLog.open(daemon.database_url, clock=time.time)
    try:
        return log.verify().events
    finally:
        log.close()


def metrics(daemon: Daemon) -> str:
    """What the daemon counts."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.mark.process
def test_lines_reach_the_log_across_a_kill(daemon: Daemon) -> None:
    """Those before it, those while nobody reads, and those after; bad ones are counted."""
    path = daemon.folder / "shared" / "app.jsonl"
    append(path, make(id="1"))
    until(lambda: held(daemon) == 1)
    daemon.kill()
    append(path, make(id="2", sequence=2))
    daemon.start()
    until(lambda: held(daemon) == 2)
    with path.open("ab") as file:
        file.write(b"no event\n")
    append(path, make(id="3", sequence=3))
    until(lambda: held(daemon) == 3)
    until(lambda: "demurrage_events_set_aside_total 1.0" in metrics(daemon))
    assert "app.jsonl, line 3" in daemon.said()
    assert "no event" not in daemon.said()


@pytest.mark.process
def test_a_killed_process_is_retired_by_its_lock(daemon: Daemon) -> None:
    """Once its silence is long enough; where this disk's locks prove nothing, never."""
    folder, name = daemon.folder / "shared", str(uuid.uuid4())
    with opened(folder) as descriptor:
        provable = lock_fault(descriptor) is None
    lock = folder / f"{name}.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        now = time.time()
        source = f"recorder/host/{process.pid}/{name}"
        started = make(
            id="1", source=source, time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        )
        append(folder / f"{name}.1.jsonl", started)
        until(lambda: held(daemon) == 1)
        until(lambda: seen_held(daemon, name) or not provable)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if provable:
        until(lambda: retired(daemon) == [source])
    else:
        until(lambda: "deaths_not_provable" in daemon.said())
        assert retired(daemon) == []
    assert lock.exists()
    assert json.loads((folder / f"{name}.1.jsonl").read_text())["source"] == source


def seen_held(daemon: Daemon, name: str) -> bool:
    """True once the daemon has noticed that the lock is held."""
    log = EventLog.open(daemon.database_url, clock=time.time)
    try:
        with log.transaction() as connection:
            query = "SELECT count(*) FROM event_log_lock WHERE uuid = ?"
            return bool(connection.exec_driver_sql(query, (name,)).scalar_one())
    finally:
        log.close()


def retired(daemon: Daemon) -> list[str | None]:
    """Who was retired, by proof."""
    with open_store(daemon.database_url, read_only=True) as store:
        return [each.about for each in store.acts() if each.by == "its lock is gone"]
