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
    """What has arrived, in order: path, headers (in small letters), body (JSON where it is).

    While `gate` is closed nothing is answered. `status` and `answer` are what is, but for what
    `replies` has for a method and the beginning of a path.
    """

    taken: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"{}"
    replies: dict[str, bytes] = field(default_factory=dict)
    gate: threading.Event = field(default_factory=threading.Event)
    root: str = ""

    @property
    def bodies(self) -> list[Any]:
        """The bodies alone."""
        return [body for _, _, body in self.taken]

    def reply(self, asked: str) -> bytes:
        """What is answered to a method and path."""
        return next(
            (each for known, each in self.replies.items() if asked.startswith(known)), self.answer
        )


def read(body: bytes) -> Any:
    """JSON where it is, else the bytes."""
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body


@contextmanager
def taking() -> Iterator[Taker]:
    """A server on a port of its own."""
    taker = Taker()
    taker.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = read(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = f"{self.command} {self.path}"
            taker.taken.append((self.path, headers, body))
            taker.asked.append(asked)
            taker.gate.wait(30)
            answer = taker.reply(asked)
            self.send_response(taker.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = _take  # noqa: N815 - the library looks for these

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
