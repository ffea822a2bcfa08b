"""Who starts a daemon, and what it tells him."""

import socket
import time
from pathlib import Path


class Manager:
    """systemd's end of the notification socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0.2)
        self.told: list[str] = []

    def wait_for(self, word: str, seconds: float = 60.0) -> None:
        """Read until something new that begins so has been told."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.told.append(self._socket.recv(4096).decode())
            except TimeoutError:
                continue
            if self.told[-1].startswith(word):
                return
        raise AssertionError(f"{word} was never told: {self.told}")

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
