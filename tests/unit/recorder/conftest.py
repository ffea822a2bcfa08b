"""Writers that are closed after the test, and what lies in their folders."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.unit.recorder.taker import Taker

from demurrage_recorder import Writer, warn
from demurrage_recorder.carrier import carrier_for, label_of

DEADLINE = 60.0

Open = Callable[..., Writer]


@pytest.fixture(autouse=True)
def _tell_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test hears of a trouble for the first time."""
    monkeypatch.setattr(warn, "_told", set())
    for name in ("URL", "TOKEN", "DIR", "TARGET"):
        monkeypatch.delenv(f"DEMURRAGE_RECORDER_{name}", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for journals."""
    made = tmp_path / "journal"
    made.mkdir()
    return made


@pytest.fixture
def writer(folder: Path) -> Iterator[Open]:
    """The maker of writers: into the folder, or to a URL; options go to `Writer`."""
    opened: list[Writer] = []

    def make(url: str | None = None, *, token: str | None = None, **options: Any) -> Writer:
        connect = None if url is None else partial(carrier_for, url, token)
        label = label_of(url or "file:///")
        place = options.pop("folder", folder)
        opened.append(Writer(place, connect, label=label, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def taker() -> Iterator[Taker]:
    """A daemon's door that takes everything until told otherwise."""
    with Taker() as serving:
        yield serving


def eventually(holds: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it did not within the deadline.
    """
    until = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.01)


def lines_in(folder: Path) -> list[dict[str, Any]]:
    """Every event in the files of a folder, by source and file."""
    files = sorted(folder.glob("*.jsonl"), key=lambda path: (len(path.name), path.name))
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def run(script: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    words = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    return subprocess.run(
        words, check=False, capture_output=True, text=True, timeout=100, **options
    )
