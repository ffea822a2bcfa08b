"""The demo as a person starts it: the real daemon in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

# Whole seconds allow no more; the paid minimum then takes fifteen.
SPEED = 20
PATIENCE = 60.0
# What the environment of whoever tries the demo may hold; none of it is the demo's business.
STRANGE = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "DEMURRAGE_MODE": "observe",
    "DEMURRAGE_CONFIG": "/nowhere/demurrage.toml",
}


@contextmanager
def _demo(folder: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A demo whose temporary files go into `folder`, ended at the latest with the test."""
    call = f"sys.exit(main({seconds}, plain=True, speed={SPEED}))"
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; from demurrage.simulator.demo import main; {call}"],
        env={**os.environ, **STRANGE, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        for each in _daemons(folder):
            os.kill(each, signal.SIGKILL)


def _daemons(folder: Path) -> list[int]:
    """The daemons that run on settings in the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"run" in words and any(word.startswith(bytes(folder)) for word in words):
            found.append(int(entry.parent.name))
    return found


def test_orphans_are_swept_and_no_delete_does_harm(tmp_path: Path) -> None:
    """Left alone for half a minute it sweeps, harms nobody, says so, and leaves nothing behind."""
    with _demo(tmp_path, 28) as process:
        written, errors = process.communicate(timeout=100)
        assert process.returncode == 0, (written, errors)
    assert errors == ""
    swept = re.search(
        r"^default: .* (\d+) swept \((\d+) before the floor\)$", written, re.MULTILINE
    )
    assert swept is not None
    assert int(swept[1]) > 0
    assert re.search(r"^legacy: .* 0 swept \(0 before the floor\)$", written, re.MULTILINE)
    assert re.search(r"harm.*: 0$", written, re.MULTILINE)
    assert re.search(r"retrieved.*: 0$", written, re.MULTILINE)
    assert "\x1b" not in written
    assert not any(tmp_path.iterdir())
    assert not _daemons(tmp_path)


def test_a_demo_too_short_for_an_orphan_says_so(tmp_path: Path) -> None:
    """Exit 1 has a reason."""
    with _demo(tmp_path, 1) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors.startswith("demurrage: no orphan was swept")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM or a closed terminal ends the daemon too and removes what was made."""
    with _demo(tmp_path, 1000) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    assert not any(tmp_path.iterdir())
    assert not _daemons(tmp_path)


def test_a_daemon_that_dies_is_told_of(tmp_path: Path) -> None:
    """The demo ends with exit 1, shows the daemon's last words, and cleans up."""
    with _demo(tmp_path, 1000) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (daemon,) = _daemons(tmp_path)
        os.kill(daemon, signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
    assert '"event"' in errors
    assert not any(tmp_path.iterdir())
