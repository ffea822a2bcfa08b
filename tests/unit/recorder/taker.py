"""A stand-in for the daemon's door: takes batches over a real socket, or does what a test says."""

import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

Event = dict[str, Any]
Answer = tuple[int, Event]
Answering = Callable[[list[Event]], Answer]
ACCEPTED: Answer = (202, {})


class Taker:
    """Serves `POST /v1/events` in threads; use it as a context manager.

    Attributes:
        taken: the events of the batches that were answered with 202, duplicates included.
        asked: how many requests came.
        tokens: the Authorization header of each.
        answer: what to say to a batch.
        time: what to say of the time at the API, if anything.
    """

    def __init__(self, path: Path | None = None, port: int = 0) -> None:
        self.taken: list[Event] = []
        self.asked = 0
        self.tokens: list[str | None] = []
        self.answer: Answering = _accept
        self.time: Callable[[], str | None] = lambda: None
        self._server = _on_socket(path, self) if path else _on_port(port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        port = 0 if path else self._server.server_address[1]
        self.port = int(port)
        self.url = f"http+unix://{path}" if path else f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and free the address."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def of(self, source: str) -> list[Event]:
        """What was taken of one source, by sequence, each once."""
        own = {event["sequence"]: event for event in self.taken if event["source"] == source}
        return [own[sequence] for sequence in sorted(own)]

    @property
    def sources(self) -> list[str]:
        """Whose events were taken, in the order of their first ones."""
        return list(dict.fromkeys(event["source"] for event in self.taken))

    def calls(self) -> list[str]:
        """The call ids of the starts that were taken, each once."""
        starts = (e for e in self.taken if e["type"] == "demurrage.response.started")
        return list(dict.fromkeys(event["data"]["call_id"] for event in starts))

    def goodbyes(self) -> list[Event]:
        """The data of the final heartbeats that were taken, each once."""
        final = {event["source"]: event["data"] for event in self.taken if _final(event)}
        return list(final.values())


def _accept(_batch: list[Event]) -> Answer:
    return ACCEPTED


def _final(event: Event) -> bool:
    return bool(event["data"].get("final"))


def _handler(taker: Taker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taker.asked += 1
            taker.tokens.append(self.headers["Authorization"])
            batch: list[Event] = []
            try:
                batch = json.loads(body)
                status, problem = taker.answer(batch) if self.path == "/v1/events" else (404, {})
            except ValueError:
                status, problem = 400, {"detail": "the body: is not JSON"}
            if status == ACCEPTED[0]:
                taker.taken += batch
            told = json.dumps(problem).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(told)))
            if (moment := taker.time()) is not None:
                self.send_header("Demurrage-Time", moment)
            self.end_headers()
            self.wfile.write(told)

        def address_string(self) -> str:
            return "a recorder"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A recorder that hangs up is no matter."""


def _on_port(port: int, taker: Taker) -> ThreadingHTTPServer:
    return _Server(("127.0.0.1", port), _handler(taker))


def _on_socket(path: Path, taker: Taker) -> ThreadingHTTPServer:
    class OnSocket(_Server):
        address_family = socket.AF_UNIX

        def server_bind(self) -> None:
            self.socket.bind(str(path))

    return OnSocket(("", 0), _handler(taker))
