"""The demo's workload leaks, and stops leaking, when a person wants it to."""

import asyncio
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demurrage.simulator.demo_stage import Stage

CALL = "import sys; from demurrage.simulator.demo import main; sys.exit(main(1000, speed=20))"
PATIENCE = 90.0


async def test_models_have_other_habits_from_then_on(tmp_path: Path) -> None:
    """In all workloads; turned twice, all is as it was."""
    stage = Stage(tmp_path, speed=20, seed=7, leak=False)
    stop = asyncio.Event()
    with stage:
        playing = asyncio.create_task(stage.play(stop))
        await asyncio.sleep(0)
        (usual,) = {each.habits for each in stage._workloads}
        stage.turn()
        assert stage.leaking
        (leaking,) = {each.habits for each in stage._workloads}
        stage.turn()
        stop.set()
        await playing
    assert leaking.tool_use_rate < usual.tool_use_rate / 5
    assert {each.habits for each in stage._workloads} == {usual}


@contextmanager
def demo_on_terminal(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A demo on a terminal of its own, and the other end of that."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x30\x00\x8c\x00\x00\x00\x00\x00")
    process = subprocess.Popen(
        [sys.executable, "-c", CALL],
        env={**os.environ, "TMPDIR": str(folder), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # The terminal that its process group is in the foreground of.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.send_signal(signal.SIGTERM)
        read_until(ours, b"", process)
        process.wait(60)
        os.close(ours)


def read_until(terminal: int, words: bytes, process: subprocess.Popen[bytes]) -> None:
    """Read what is shown until it has these words; without any, until the end."""
    shown = b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if words and words in shown:
                return
        elif process.poll() is not None:
            break
    assert not words, (words, shown[-2000:])


@pytest.mark.process
def test_enter_on_the_terminal_turns_it(tmp_path: Path) -> None:
    """The screen says what Enter does now."""
    with demo_on_terminal(tmp_path) as (process, terminal):
        read_until(terminal, b"Enter makes it leak", process)
        os.write(terminal, b"\n")
        read_until(terminal, b"Enter ends the leak", process)
        os.write(terminal, b"\n")
        read_until(terminal, b"Enter makes it leak", process)
    assert process.returncode == 0


@pytest.mark.process
def test_a_signal_turns_it_too(tmp_path: Path) -> None:
    """For those who run it without a terminal's keyboard."""
    with demo_on_terminal(tmp_path) as (process, terminal):
        read_until(terminal, b"Enter makes it leak", process)
        process.send_signal(signal.SIGUSR1)
        read_until(terminal, b"Enter ends the leak", process)
    assert process.returncode == 0
