"""The demo's daemon: the real one, in a process of its own."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any

from demurrage.model.error import DemurrageError
from demurrage.simulator.demo_times import KEY_VARIABLE, TOKEN_VARIABLE, Place

DAEMON_KEY = "sk-demo-daemon"
# Seconds to wait for the first complete cycle of every target, and for the end of the drain.
_PATIENCE = 60.0
_DRAIN = 30.0
_POLL = 0.2
_READY = 200
# Of the log's end so much is read to show its last lines, in bytes.
_TAIL = 8192
# What would make the daemon another one than the settings file describes; proxies too, for the
# harbour is on this machine.
_FOREIGN = ("DEMURRAGE_", "OPENAI_", "SENTRY_")


class DaemonDiedError(DemurrageError):
    """The daemon's process ended although nobody told it to; `lines` are its last words."""

    def __init__(self, code: int | None, lines: tuple[str, ...]) -> None:
        super().__init__(f"the daemon ended by itself with exit code {code}")
        self.lines = lines


class DemoDaemon:
    """`demurrage run` on the demo's settings file; its log goes to a file beside it.

    It has a session of its own: a Ctrl-C reaches the demo alone, which ends the daemon in
    good order.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._log = place.folder / "daemon.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "demurrage", "run", "--config", str(self._place.config)],
                cwd=self._place.folder,
                env={**_environment(os.environ), TOKEN_VARIABLE: self._place.token},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def ready(self, stop: asyncio.Event) -> None:
        """Wait until every target has had a complete cycle, or until `stop`.

        Raises:
            DaemonDiedError: it ended instead, or did not come so far in time.
        """
        deadline = time.monotonic() + _PATIENCE
        while not (stop.is_set() or await asyncio.to_thread(self._answers)):
            if time.monotonic() > deadline:
                raise DaemonDiedError(None, self.last_lines(15))
            self.check()
            await asyncio.sleep(_POLL)

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            DaemonDiedError: it does not.
        """
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise DaemonDiedError(code, self.last_lines(15))

    def stop(self) -> None:
        """Tell it to drain and wait for it; kill it only if it does not end. Never raises."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_DRAIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def last_lines(self, count: int) -> tuple[str, ...]:
        """The end of its log."""
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL))
            return tuple(log.read().decode(errors="replace").splitlines()[-count:])
        return ()

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._place.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == _READY
        except OSError:
            return False
        finally:
            connection.close()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environ.items()
        if not (name.startswith(_FOREIGN) or name.lower().endswith("_proxy"))
    }
    return {**kept, KEY_VARIABLE: DAEMON_KEY}


def shorten(line: str) -> str:
    """A line of the daemon's log for people: its time, its event and what it is about."""
    try:
        entry: dict[str, Any] = json.loads(line)
        clock = str(entry.pop("timestamp", ""))[11:19]
        event = entry.pop("event", "")
        about = " ".join(
            f"{name}={_brief(value)}" for name, value in entry.items() if name not in _DULL
        )
    except (ValueError, AttributeError):
        return line
    return f"{clock} {event} {about}"


_DULL = ("level", "logger", "maker", "due_at", "detail", "exception")


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, str) and value.startswith("cntr_"):
        return f"…{value[-6:]}"
    return str(value)
