"""Puts a harbour on the network: in a thread for tests, or as a process of its own.

`python -m demurrage.simulator.serve --port 9480 --scale 60`
"""

import argparse
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import uvicorn

from demurrage.simulator.admin import HarbourAdmin
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.http import application
from demurrage.simulator.settings import HarbourSettings

_BACKLOG = 2048


class HarbourServer:
    """A harbour behind a real socket, in a thread of this process.

    Use it as a context manager. State belongs to the server's thread: ask `admin`, or touch
    `harbour` only before the start.

    Args:
        harbour: the harbour, or None for a fresh one with default settings.
        host: the address to bind.
        port: the port to bind, 0 for any free one.
    """

    def __init__(
        self, harbour: Harbour | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.harbour = harbour or Harbour()
        self._socket = socket.create_server((host, port), backlog=_BACKLOG)
        bound = self._socket.getsockname()
        self.url = f"http://{bound[0]}:{bound[1]}"
        self.base_url = f"{self.url}/v1"
        self.azure_base_url = f"{self.url}/openai/v1/"
        self.admin = HarbourAdmin(self.url)
        self._server = uvicorn.Server(_config(self.harbour))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="harbour", daemon=True
        )

    def __enter__(self) -> Self:
        """Serve; connections wait in the socket's backlog until the loop turns."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and wait for the thread."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve one harbour until a signal comes."""
    parser = argparse.ArgumentParser(prog="demurrage.simulator.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9480)
    parser.add_argument("--scale", type=float, default=1.0, help="nominal seconds in a real one")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    harbour = Harbour(HarbourSettings(scale=chosen.scale), seed=chosen.seed)
    config = _config(harbour)
    config.host, config.port = chosen.host, chosen.port
    uvicorn.Server(config).run()


def _config(harbour: Harbour) -> uvicorn.Config:
    return uvicorn.Config(
        application(harbour),
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
        ws="auto",  # speaks WebSocket where `websockets` is installed
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
