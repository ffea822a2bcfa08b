"""A local server that takes what sinks post, and answers as a test likes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taker:
    """What has arrived, in order: path, headers, JSON body.

    While `gate` is closed nothing is answered. `status` and `answer` are what is.
    """

    taken: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"{}"
    gate: threading.Event = field(default_factory=threading.Event)
    root: str = ""

    @property
    def bodies(self) -> list[Any]:
        """The bodies alone."""
        return [body for _, _, body in self.taken]


@contextmanager
def taking() -> Iterator[Taker]:
    """A server on a port of its own."""
    taker = Taker()
    taker.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length) or b"null")
            taker.taken.append((self.path, dict(self.headers), body))
            taker.gate.wait(30)
            self.send_response(taker.status)
            self.send_header("Content-Length", str(len(taker.answer)))
            self.end_headers()
            self.wfile.write(taker.answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    taker.root = f"http://127.0.0.1:{server.server_port}"
    try:
        yield taker
    finally:
        taker.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
