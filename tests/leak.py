"""The demo's workload before a daemon with sinks; a test turns the leak on and off."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

from demurrage.model.spike import WHOLE
from demurrage.simulator.demo_daemon import DAEMON_KEY
from demurrage.simulator.demo_stage import Stage
from demurrage.simulator.demo_times import (
    COMPLETE,
    KEY_VARIABLE,
    TOKEN_VARIABLE,
    settings_text,
    spikes,
)
from demurrage.store import open_store

# As fast as whole seconds allow.
SPEED = 20.0
# What tells of a leak that has begun.
SPIKES = ("orphan_rate_fast", "orphan_rate_slow", "orphan_cost")
# Shorter windows than the demo's own, on a shorter past: for tests that wait for them.
_RULES = replace(
    spikes(SPEED),
    fast_window=20.0,
    fast_confirm=10.0,
    baseline_lag=45.0,
    baseline_minimum=20.0,
    quiet=3.0,
)
HASTY = {
    f"DEMURRAGE_ALERTS__{name.upper()}": f"{getattr(_RULES, name):g}"
    for name in ("fast_window", "fast_confirm", "baseline_lag", "baseline_minimum", "quiet")
}


def usual_known(stage: Stage) -> bool:
    """True once the daemon knows what is usual for the target whose makers all log."""
    with open_store(stage.place.database_url, read_only=True) as store:
        memory = store.spike_memory(COMPLETE, born_after=0.0, grain=_RULES.grain, width=_RULES.bin)
    return WHOLE in memory.scopes and memory.scopes[WHOLE].usual is not None


def wait_until(what: str, condition: Callable[[], object], seconds: float) -> None:
    """Wait for other processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@contextmanager
def staged(folder: Path, sinks: str, environ: Mapping[str, str]) -> Iterator[Stage]:
    """Conversations under way, before a daemon whose settings have these tables besides."""
    stage = Stage(folder, speed=SPEED, seed=7, leak=False)
    stage.place.config.write_text(settings_text(stage.place, SPEED) + sinks)
    with stage, (folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "demurrage", "run", "--config", str(stage.place.config)],
            env={
                **os.environ,
                KEY_VARIABLE: DAEMON_KEY,
                TOKEN_VARIABLE: stage.place.token,
                **environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until("the daemon", lambda: _ready(stage.place.port), 60)
            with _playing(stage):
                yield stage
        finally:
            daemon.terminate()
            daemon.wait(60)


@contextmanager
def _playing(stage: Stage) -> Iterator[None]:
    """The conversations, in a loop of their own."""
    loop = asyncio.new_event_loop()
    curtain = asyncio.Event()

    def play() -> None:
        loop.run_until_complete(stage.play(curtain))

    thread = threading.Thread(target=play, name="stage")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(curtain.set)
        thread.join(60)
        loop.close()


def _ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
