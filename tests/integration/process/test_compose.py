"""What compose starts, started without it: the daemon and the example application on one folder."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import KEY, SCALE, free_port
from tests.unit.config.manifests import given, services
from tests.unit.config.prometheus import CONFIG

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings


@dataclass
class Composed:
    """Both processes, with the variables that compose gives them, on this machine's own places."""

    folder: Path
    base_url: str

    def __post_init__(self) -> None:
        """Make what would be volumes, and choose what would be ports."""
        self.events = self.folder / "events"
        self.events.mkdir()
        self.ops_port, self.port = free_port(), free_port()

    def _environ(self, service: str) -> dict[str, str]:
        here = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": self.base_url}
        said = given(services()[service]["environment"], **here)
        mapped = services()[service]["volumes"]
        (inside,) = (each.partition(":")[2] for each in mapped if each.startswith("events:"))
        (port,) = (each.rpartition(":")[2] for each in services()["demurrage"]["ports"])
        moved = {
            name: value.replace(inside, str(self.events)).replace(
                f"0.0.0.0:{port}", f"127.0.0.1:{self.ops_port}"
            )
            for name, value in said.items()
        }
        return {**os.environ, **moved, **self._of_the_machine()}

    def _of_the_machine(self) -> Mapping[str, str]:
        """What a container has to itself, and cycles that a test can wait for."""
        return {
            "STATE_DIRECTORY": str(self.folder),
            "DEMURRAGE_HTTP__BIND": f"127.0.0.1:{self.port}",
            "DEMURRAGE_WATCH__INTERVAL": "1s",
            "PAUSE_SECONDS": "0.5",
        }

    def start(self, service: str, *words: str) -> subprocess.Popen[str]:
        """Start one of the two."""
        with (self.folder / f"{service}.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env=self._environ(service),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def waited_for(self) -> list[Any]:
        """The writers that have not said goodbye, asked for in the daemon's container."""
        ran = subprocess.run(
            [sys.executable, "-m", "demurrage", "writers", "--json"],
            cwd=self.folder,
            env=self._environ("demurrage"),
            capture_output=True,
            check=True,
            text=True,
        )
        found: list[Any] = json.loads(ran.stdout)["writers"]
        return found

    def said(self, service: str) -> str:
        """What one of the two has said on standard error."""
        return (self.folder / f"{service}.log").read_text()

    def probe(self, path: str) -> int:
        """The status that a probe gets; 0 where nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.ops_port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


@pytest.fixture
def composed(tmp_path: Path) -> Iterator[Composed]:
    """Where both would run, against a simulated harbour."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=6)) as harbour:
        yield Composed(tmp_path, harbour.base_url)


def until(true: Callable[[], bool], seconds: float = 100.0) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.process
@pytest.mark.timeout(300)
def test_the_daemon_hears_the_application_and_its_goodbye(composed: Composed) -> None:
    """Through files alone: its turns are logged, and once it is stopped nobody waits for it."""
    daemon = composed.start("demurrage", "-m", "demurrage", "run")
    app = composed.start("app", str(CONFIG / "compose/app.py"))
    try:
        assert app.stdout is not None
        responses = [app.stdout.readline().strip() for _ in range(2)]
        assert all(each.startswith("resp_") for each in responses), composed.said("app")
        until(lambda: composed.probe("/readyz") == 200)
        assert composed.probe("/v1/status") == 404  # what is published tells of nobody's data
        until(lambda: len(composed.waited_for()) == 1)
        app.send_signal(signal.SIGTERM)
        assert app.wait(30) == 0
        until(lambda: composed.waited_for() == [])
    finally:
        for process in (app, daemon):
            process.terminate()
            process.communicate(timeout=60)
    assert daemon.returncode == 0, composed.said("demurrage")
