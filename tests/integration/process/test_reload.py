"""A real daemon that is told to read its settings again, and what it tells its manager."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import SCALE, Daemon, free_port
from tests.integration.process.manager import Manager

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

pytestmark = pytest.mark.process


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Who has started the daemon."""
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def daemon(tmp_path: Path, manager: Manager) -> Iterator[Daemon]:
    """A daemon that is ready."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        made = Daemon(
            tmp_path, harbour.base_url, environ={"NOTIFY_SOCKET": str(tmp_path / "notify")}
        )
        made.start()
        try:
            made.wait_until_ready()
            manager.wait_for("READY=1")
            yield made
        finally:
            made.kill()


def status(daemon: Daemon) -> dict[str, Any]:
    """What the daemon says of itself; empty while nobody answers."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=2)
    try:
        connection.request("GET", "/v1/status")
        told: dict[str, Any] = json.load(connection.getresponse())
    except OSError:
        return {}
    finally:
        connection.close()
    return told


def wait_until(condition: Callable[[], bool], daemon: Daemon, seconds: float = 60.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(daemon.said())


def again(daemon: Daemon) -> None:
    """Ask the daemon to read its settings again."""
    assert daemon.process is not None
    os.kill(daemon.process.pid, signal.SIGHUP)


def refusals(daemon: Daemon) -> int:
    """How often changed settings were refused."""
    return (daemon.folder / "daemon.log").read_text().count('"reload_refused"')


def mode(daemon: Daemon) -> str | None:
    """The mode that holds."""
    return status(daemon).get("mode")


def test_changed_settings_take_effect_and_wrong_ones_do_not(
    daemon: Daemon, manager: Manager
) -> None:
    """Good ones are taken on in the same process; bad ones are refused and the old ones stay."""
    assert mode(daemon) == "enforce"
    good = daemon.settings.read_text()

    daemon.settings.write_text(good.replace('mode = "enforce"', 'mode = "observe"'))
    again(daemon)
    manager.wait_for("RELOADING=1\nMONOTONIC_USEC=")
    manager.wait_for("READY=1")
    wait_until(lambda: mode(daemon) == "observe", daemon)

    taken = socket.create_server(("127.0.0.1", free_port()))
    cases = (
        good.replace('mode = "enforce"', 'mode = "delete everything"'),
        good.replace("[targets.default]", "[targets.default"),
        good.replace("demurrage.db", "another.db"),
        good.replace(f":{daemon.port}", f":{taken.getsockname()[1]}"),
    )
    for number, text in enumerate(cases, 1):
        daemon.settings.write_text(text)
        again(daemon)
        wait_until(lambda number=number: refusals(daemon) == number, daemon)  # type: ignore[misc]
        manager.wait_for("READY=1")
        wait_until(lambda: mode(daemon) == "observe", daemon)
    taken.close()

    assert daemon.process is not None
    assert daemon.process.poll() is None
    assert daemon.stop() == 0
    manager.wait_for("STOPPING=1")
