"""A daemon that is down, slow, full or failing changes nothing for whoever calls the API."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.integration.process.daemon import free_port
from tests.integration.recorder.deliver import deliver
from tests.unit.recorder.taker import ACCEPTED, Answer, Taker

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

PROGRAM = Path(__file__).parent / "programs" / "caller.py"
WATCHED = ("-m", "demurrage_recorder", "run", "--", sys.executable)
# Five requests for responses, two of which are refused.
STARTS = 5
BUSY = 100.0


def call(folder: Path, *words: str, url: str = "", last: str = "") -> str:
    """What the program prints before a fresh harbour."""
    settings = HarbourSettings(scale=300, visibility_lag=(0, 0), delete_lag=(0, 0))
    with HarbourServer(Harbour(settings, seed=9)) as harbour:
        done = subprocess.run(
            [sys.executable, *words, str(PROGRAM), last],
            env={
                **os.environ,
                "OPENAI_API_KEY": "sk-application",
                "OPENAI_BASE_URL": harbour.base_url,
                "DEMURRAGE_RECORDER_URL": url,
                "DEMURRAGE_RECORDER_DIR": str(folder),
            },
            capture_output=True,
            check=False,
            text=True,
            timeout=BUSY,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the program prints when nobody watches it."""
    folder = tmp_path_factory.mktemp("nobody")
    printed = call(folder)
    assert not list(folder.iterdir())
    return printed


def delivered(folder: Path) -> int:
    """How many calls a daemon that is well is told of by whoever comes next."""
    with Taker() as taker:
        deliver(taker.url, folder)
        return len(taker.calls())


@pytest.mark.process
@pytest.mark.parametrize("status", [500, 503, 507])
def test_a_daemon_that_fails_or_is_full(tmp_path: Path, plain: str, status: int) -> None:
    """The program prints the very same, and nothing is lost."""
    with Taker() as taker:
        taker.answer = lambda _batch: (status, {"detail": "no room"})
        printed = call(tmp_path, *WATCHED, url=taker.url)
        assert taker.asked
        assert not taker.taken
    assert printed == plain
    assert delivered(tmp_path) == STARTS


@pytest.mark.process
def test_a_daemon_that_is_down(tmp_path: Path, plain: str) -> None:
    """The program prints the very same, and nothing is lost."""
    printed = call(tmp_path, *WATCHED, url=f"http://127.0.0.1:{free_port()}")
    assert printed == plain
    assert delivered(tmp_path) == STARTS


@pytest.mark.process
def test_a_daemon_that_is_slow(tmp_path: Path, plain: str) -> None:
    """The program has called, printed and ended before the daemon's first answer."""
    go_on = threading.Event()

    def answer(_batch: object) -> Answer:
        go_on.wait(BUSY)
        return ACCEPTED

    with Taker() as taker:
        taker.answer = answer
        try:
            printed = call(tmp_path, *WATCHED, url=taker.url)
            assert taker.asked
            assert not taker.taken
        finally:
            go_on.set()
    assert printed == plain
    assert delivered(tmp_path) == STARTS


@pytest.mark.process
def test_a_full_disk(tmp_path: Path, plain: str) -> None:
    """The program prints the very same, and its events go from memory."""
    with Taker() as taker:
        printed = call(tmp_path, *WATCHED, url=taker.url, last="full")
    assert printed == plain
    assert sum(each.stat().st_size for each in tmp_path.glob("*.jsonl")) == 0
    assert taker.calls()
