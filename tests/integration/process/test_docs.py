"""What the documents show is run as it is written there."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.process.daemon import KEY, SCALE, Daemon

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.store import open_store

ROOT = Path(__file__).parents[3]


@pytest.mark.process
def test_the_example_and_the_curl_line_are_taken(tmp_path: Path) -> None:
    """The Python example runs, and the event of the README is accepted."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=2)) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url)
        daemon.start()
        try:
            daemon.wait_until_ready()
            example = _example(harbour.base_url, daemon.url)
            assert example.returncode == 0, example.stderr
            assert example.stdout.startswith("resp_")
            readme = (ROOT / "README.md").read_text()
            (command,) = re.findall(r"^curl .*?\}\}'$", readme, re.MULTILINE | re.DOTALL)
            shown = subprocess.run(
                ["/bin/sh", "-c", command.replace("http://127.0.0.1:9470", daemon.url)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert '"accepted":1' in shown.stdout.replace(" ", ""), shown
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
