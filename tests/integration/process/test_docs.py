"""What the documents show is run as it is written there."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.integration.process.daemon import KEY, SCALE, Daemon

from demurrage.decide.ledger import Ledger
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.eventlog.parse import Line, parse_batch
from demurrage.model.event import Finished, Heartbeat, Started
from demurrage.simulator.faults import FaultKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.store import open_store

ROOT = Path(__file__).parents[3]
EVENTS = (ROOT / "docs/events.md").read_text()
TOKEN = "events-token-0123456789"


@pytest.mark.process
def test_the_example_is_taken(tmp_path: Path) -> None:
    """The Python example runs, and what it says is taken."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=2)) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url)
        daemon.start()
        try:
            daemon.wait_until_ready()
            example = _example(harbour.base_url, daemon.url)
            assert example.returncode == 0, example.stderr
            assert example.stdout.startswith("resp_")
        finally:
            daemon.stop()
    with open_store(daemon.database_url) as store:
        assert store.totals("default", 6.0).all.created == 1


@pytest.mark.process
def test_the_example_asks_for_nothing_without_a_daemon() -> None:
    """A start that lies on no disk must not be followed by its request."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=2)) as harbour:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        example = _example(harbour.base_url, nobody)
        assert not harbour.admin.calls()["counts"]
    assert (example.returncode, example.stdout) == (1, "")


@pytest.mark.process
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (None, "completed"),
        (FaultKind.RATE_LIMITED, "refused"),
        (FaultKind.SERVER_ERROR, "lost"),
        (FaultKind.HTML, "lost"),
    ],
)
def test_the_example_logs_every_end_and_says_goodbye(fault: FaultKind | None, status: str) -> None:
    """An error of the API leaves no hole in the log, and the token is presented."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=2)) as harbour, _ear() as ear:
        if fault is not None:
            harbour.admin.fault(fault, "POST /v1/responses")
        url = f"http://127.0.0.1:{ear.server_address[1]}"
        example = _example(harbour.base_url, url, DEMURRAGE_RECORDER_TOKEN=TOKEN)
    assert example.returncode == (0 if fault is None else 1), example.stderr
    started, finished, beat = (line.event for line in ear.heard)
    assert isinstance(started.fact, Started)
    assert isinstance(finished.fact, Finished)
    assert (finished.fact.call_id, finished.fact.status) == (started.fact.call_id, status)
    assert isinstance(beat.fact, Heartbeat)
    assert (beat.fact.final, beat.fact.last_sequence, beat.sequence) == (True, 2, 3)
    assert beat.fact.clock_offset is not None
    assert set(ear.tokens) == {f"Bearer {TOKEN}"}


class _Ear(HTTPServer):
    """Takes events as the daemon does, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.heard: list[Line] = []
        self.tokens: list[str | None] = []


class _Listening(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, _Ear)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard += parse_batch(body)
        self.server.tokens.append(self.headers["Authorization"])
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _ear() -> Iterator[_Ear]:
    with _Ear() as ear:
        thread = threading.Thread(target=ear.serve_forever)
        thread.start()
        try:
            yield ear
        finally:
            ear.shutdown()
            thread.join()


def _example(api: str, daemon: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "docs/examples/log_a_response.py")],
        env={
            **os.environ,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": api,
            "DEMURRAGE_RECORDER_URL": daemon,
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_shell_script_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Its one echo is one whole writer, who is not waited for."""
    (script,) = re.findall(r"^```sh\n(#!/bin/sh\n.*?)```$", EVENTS, re.MULTILINE | re.DOTALL)
    subprocess.run(
        ["/bin/sh", "-euc", script.replace("/var/lib/demurrage/events", str(tmp_path))], check=True
    )
    log = EventLog.open("sqlite://", clock=time.time)
    feed = FolderFeed(tmp_path, log, targets=("default",), clock=time.time)
    assert feed.gather().whole
    ledger = Ledger()
    ledger.fold(log.read(0, 10).records)
    (source,) = ledger.sources.values()
    assert source.said_goodbye
    assert not source.unsequenced
    assert set(ledger.book("default").pins) == {"cntr_68f0a1b2c3d4"}
    assert log.verify().sound
    log.close()
