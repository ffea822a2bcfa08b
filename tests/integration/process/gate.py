"""A way through to a server that a test can shut, and open again, in the middle of everything."""

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK = 65536


class Gate:
    """Forwards connections on a port of its own, while it is open.

    Shut, it refuses new connections and has reset the old ones, as a server that is gone does.

    Args:
        to: host and port, or the path of a Unix socket.
    """

    def __init__(self, to: tuple[str, int] | Path) -> None:
        self._to = to
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self.holds_back = threading.Event()
        """Set once something has come that is not let pass."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        """Open it."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shut it for good."""
        self.shut()

    def open(self) -> None:
        """Let through what comes."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._admit, args=(self._listener,), daemon=True).start()

    def hold(self) -> None:
        """Let connections stand, and nothing pass: a server that is there and answers nothing."""
        self._flowing.clear()

    def shut(self) -> None:
        """Let nothing through any more, and break what is under way."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in accept() is woken by this, and by nothing less.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._flowing.set()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _admit(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = self._connect()
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            ways = [
                threading.Thread(target=self._carry, args=way, daemon=True)
                for way in ((near, far), (far, near))
            ]
            for way in ways:
                way.start()
            threading.Thread(target=self._see_out, args=(near, far, ways), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._to, Path):
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self._to))
            except OSError:
                far.close()
                raise
            return far
        return socket.create_connection(self._to)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                if not self._flowing.is_set():
                    self.holds_back.set()
                self._flowing.wait()
                sink.sendall(chunk)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _see_out(
        self, near: socket.socket, far: socket.socket, ways: list[threading.Thread]
    ) -> None:
        for way in ways:
            way.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()
