"""What the documents show is run as it is written there."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.process.daemon import KEY, SCALE, Daemon

from demurrage.decide.ledger import Ledger
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.store import open_store

ROOT = Path(__file__).parents[3]
EVENTS = (ROOT / "docs/events.md").read_text()


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
def test_the_example_goes_on_without_a_daemon() -> None:
    """What cannot be logged stops no application."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=2)) as harbour:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        example = _example(harbour.base_url, nobody)
    assert example.returncode == 0, example.stderr
    assert example.stdout.startswith("resp_")


def _example(api: str, daemon: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "docs/examples/log_a_response.py")],
        env={
            **os.environ,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": api,
            "DEMURRAGE_RECORDER_URL": daemon,
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
