"""A start while the store is away is a start: it waits, says so, and goes on when it can."""

import ctypes
import os
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.integration.process.daemon import SCALE, Daemon, free_port
from tests.integration.process.gate import Gate
from tests.integration.process.manager import Manager
from tests.integration.process.probes import ask
from tests.postgres import Server

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.store.opening import open_store
from demurrage.store.schema import STEPS, known_revisions

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

# Bytes that a file may have: enough for a log, and not for the store's tables.
_LITTLE = 64 * 1024
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


def without_override() -> None:
    """Run in the child: where the tests are root's, modes of files bind it like anyone."""
    if os.geteuid() == 0:
        for each in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            assert ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, each) == 0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Who has started the daemon."""
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def daemon(tmp_path: Path, manager: Manager) -> Iterator[Daemon]:
    """A daemon that is not started yet; its API is there."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        made = Daemon(tmp_path, harbour.base_url, environ={"NOTIFY_SOCKET": str(manager.path)})
        yield made
        if made.process is not None and made.process.poll() is None:
            made.kill()


@pytest.fixture
def gate(postgres: Server) -> Iterator[Gate]:
    """A way to the server that is shut."""
    made = Gate(postgres.folder / ".s.PGSQL.5432")
    yield made
    made.shut()


def on_server(daemon: Daemon, gate: Gate, database: str, user: str = "tests:of-nobody") -> None:
    """Have the daemon keep its store on the server, by way of the gate."""
    name = database.partition("?")[0].rpartition("/")[2]
    daemon.change(database_url=f"postgresql+psycopg://{user}@127.0.0.1:{gate.port}/{name}")


def answers(daemon: Daemon, seconds: float = 30.0) -> None:
    """Wait until it answers at all."""
    end = time.monotonic() + seconds
    while ask(daemon.port, "/healthz")[0] == 0:
        assert time.monotonic() < end, daemon.said()
        assert daemon.process is not None
        assert daemon.process.poll() is None, daemon.said()
        time.sleep(0.1)


def wait_for_probe(daemon: Daemon, status: int, seconds: float = 60.0) -> None:
    """Wait until it is ready, or not."""
    end = time.monotonic() + seconds
    while ask(daemon.port, "/readyz")[0] != status:
        assert time.monotonic() < end, daemon.said()
        time.sleep(0.1)


def is_waiting(daemon: Daemon, manager: Manager) -> None:
    """It lives, it is not ready, and it has told everyone why."""
    answers(daemon)
    assert ask(daemon.port, "/healthz")[0] == 200
    ready, reasons = ask(daemon.port, "/readyz")
    assert ready == 503
    assert "the store is away" in reasons
    assert ask(daemon.port, "/v1/events")[0] == 503
    assert ask(daemon.port, "/metrics")[0] == 200
    manager.wait_for("STATUS=waits for its store")
    manager.wait_for("EXTEND_TIMEOUT_USEC=")
    assert "store_away" in daemon.said()
    assert not any(each.startswith("READY=1") for each in manager.told)


def test_a_server_that_comes_up_later_is_waited_for(
    daemon: Daemon, manager: Manager, gate: Gate, database: str
) -> None:
    """In one process, on one address; the password is in nothing that it says."""
    on_server(daemon, gate, database)
    daemon.start()
    is_waiting(daemon, manager)
    gate.open()
    daemon.wait_until_ready(60.0)
    manager.wait_for("READY=1")
    assert "of-nobody" not in daemon.said()
    assert daemon.stop() == 0


def test_a_server_that_never_comes_up_does_not_keep_it_from_ending(
    daemon: Daemon, manager: Manager, gate: Gate, database: str
) -> None:
    """SIGTERM ends the waiting, in good order."""
    on_server(daemon, gate, database)
    daemon.start()
    is_waiting(daemon, manager)
    assert daemon.stop() == 0


def test_changed_settings_are_taken_on_while_it_waits(
    daemon: Daemon, manager: Manager, gate: Gate, database: str
) -> None:
    """SIGHUP is heard; another address is served at once, and the waiting goes on there."""
    on_server(daemon, gate, database)
    daemon.start()
    is_waiting(daemon, manager)
    old = daemon.port
    daemon.port = free_port()
    text = daemon.settings.read_text()
    daemon.settings.write_text(text.replace(f":{old}", f":{daemon.port}"))
    assert daemon.process is not None
    os.kill(daemon.process.pid, signal.SIGHUP)
    manager.wait_for("RELOADING=1")
    answers(daemon)
    assert ask(daemon.port, "/readyz")[0] == 503
    assert ask(old, "/healthz")[0] == 0
    gate.open()
    daemon.wait_until_ready(60.0)
    assert daemon.stop() == 0


def test_wrong_credentials_are_no_matter_of_waiting(
    daemon: Daemon, gate: Gate, database: str
) -> None:
    """The server knows no such user: exit 2, as for any wrong setting."""
    gate.open()
    on_server(daemon, gate, database, user="stranger:of-nobody")
    daemon.start()
    assert daemon.process is not None
    assert daemon.process.wait(60.0) == 2
    assert "database_url" in daemon.said()
    assert "of-nobody" not in daemon.said()


def test_a_store_of_a_newer_version_is_no_matter_of_waiting(daemon: Daemon) -> None:
    """Exit 2, and the store is as it was; the version that wrote it goes on with it."""
    steps = daemon.folder / "steps"
    shutil.copytree(STEPS, steps, ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "versions" / "v9999_later.py").write_text(
        f'revision = "9999"\ndown_revision = "{known_revisions()[-1]}"\n\n\n'
        "def upgrade():\n    pass\n"
    )
    open_store(daemon.database_url, steps=steps).close()
    before = daemon.database.read_bytes()
    daemon.start()
    assert daemon.process is not None
    assert daemon.process.wait(60.0) == 2
    assert "newer version" in daemon.said()
    assert daemon.database.read_bytes() == before


def test_a_store_of_an_older_version_is_brought_up_to_date(daemon: Daemon) -> None:
    """By the start itself."""
    steps = daemon.folder / "steps"
    shutil.copytree(STEPS, steps, ignore=shutil.ignore_patterns("__pycache__"))
    max((steps / "versions").glob("v*.py")).unlink()
    open_store(daemon.database_url, steps=steps).close()
    daemon.start()
    daemon.wait_until_ready()
    assert daemon.stop() == 0
    open_store(daemon.database_url, read_only=True).close()


def test_a_mount_that_is_missing_is_waited_for(daemon: Daemon, manager: Manager) -> None:
    """An empty mount point takes nothing; with the mount in its place the daemon goes on."""
    place = daemon.folder / "mount"
    place.mkdir(mode=0o500)
    daemon.change(database_url=f"sqlite:///{place}/demurrage.db")
    daemon.before = without_override
    daemon.start()
    is_waiting(daemon, manager)
    place.chmod(0o700)
    daemon.wait_until_ready(60.0)
    manager.wait_for("READY=1")
    assert (place / "demurrage.db").exists()
    assert daemon.stop() == 0


def test_a_disk_that_is_full_at_the_start_is_waited_for(daemon: Daemon, manager: Manager) -> None:
    """Too little room for the store's tables; given room, it makes them and goes on."""
    daemon.before = lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (_LITTLE, resource.RLIM_INFINITY)
    )
    daemon.start()
    is_waiting(daemon, manager)
    assert daemon.process is not None
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, unlimited)
    daemon.wait_until_ready(60.0)
    assert daemon.stop() == 0


def test_an_api_that_is_away_is_said_and_no_reason_not_to_start(
    daemon: Daemon, manager: Manager
) -> None:
    """The start is done when the first cycle was tried; the probes tell alive from ready."""
    parts = urlsplit(daemon.base_url)
    with Gate((str(parts.hostname), int(str(parts.port)))) as api:
        api.shut()
        text = daemon.settings.read_text()
        daemon.settings.write_text(text.replace(daemon.base_url, f"http://127.0.0.1:{api.port}/v1"))
        daemon.start()
        answers(daemon)
        manager.wait_for("READY=1")
        assert ask(daemon.port, "/healthz")[0] == 200
        ready, reasons = ask(daemon.port, "/readyz")
        assert (ready, "unreachable" in reasons) == (503, True), reasons
        api.open()
        daemon.wait_until_ready(60.0)
    assert daemon.stop() == 0


def test_a_disk_that_fills_up_is_survived(daemon: Daemon) -> None:
    """Nothing can be written: alive, not ready, nothing deleted; with room it heals."""
    daemon.start()
    daemon.wait_until_ready()
    assert daemon.process is not None
    pid = daemon.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    wait_for_probe(daemon, 503)
    assert ask(daemon.port, "/healthz")[0] == 200
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for_probe(daemon, 200)
    assert daemon.stop() == 0
