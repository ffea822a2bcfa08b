"""The daemon's HTTP listeners, inside its own event loop."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from demurrage.app.settings_types import Address
from demurrage.model.error import SettingsError

# Seconds that open requests get to finish at the end.
_GRACE = 5


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the service stops it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield


def bind(address: Address, setting: str) -> socket.socket:
    """Take a TCP address.

    Raises:
        SettingsError: it cannot be had; the message names the setting.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=2048)
    except OSError as error:
        # Python adds the address to the system's words; a failed look-up has words of its own.
        number = error.errno or 0
        reason = (os.strerror(number) if number > 0 else error.strerror or "unusable").lower()
        raise SettingsError(
            f"{setting}: {address.host}:{address.port} cannot be bound ({reason}); "
            "is another daemon there already?"
        ) from error


def bind_unix(path: Path, setting: str) -> socket.socket:
    """Take a unix socket, for its owner and group only, replacing one that a crash left.

    Raises:
        SettingsError: it cannot be had; the message names the setting.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        listener.bind(str(path))
        path.chmod(0o660)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = (error.strerror or "unusable").lower()
        raise SettingsError(f"{setting}: {path} cannot be bound ({reason})") from error
    return listener


class Listener:
    """One socket that serves one application."""

    def __init__(self, application: Any, listener: socket.socket) -> None:
        self._socket = listener
        self._server = _Server(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve from now on."""
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        # uvicorn has no event for this.
        while not self._server.started and not self._task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Finish open requests and close."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        if self._socket.family == socket.AF_UNIX:
            with contextlib.suppress(OSError):
                os.unlink(self._socket.getsockname())  # noqa: PTH108 - the name is the kernel's
        self._socket.close()
