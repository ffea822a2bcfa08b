"""Batches over HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from demurrage.simulator.delivery import NotDelivered, over_http


class Daemon(HTTPServer):
    """Answers every POST with `status` and keeps what it was sent."""

    status = 202
    path = ""
    media_type: str | None = None
    authorization: str | None = None
    events: Any = None


class _Handler(BaseHTTPRequestHandler):
    server: Daemon

    def do_POST(self) -> None:
        """Keep and answer."""
        self.server.path = self.path
        self.server.media_type = self.headers["Content-Type"]
        self.server.authorization = self.headers["Authorization"]
        self.server.events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """Something that takes events."""
    with Daemon(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_a_batch_is_posted_as_cloud_events(daemon: Daemon) -> None:
    """Path, media type, token and body are what the daemon asks for."""
    await over_http(f"http://127.0.0.1:{daemon.server_port}", "token")([{"id": "a"}])
    assert daemon.path == "/v1/events"
    assert daemon.media_type == "application/cloudevents-batch+json"
    assert daemon.authorization == "Bearer token"
    assert daemon.events == [{"id": "a"}]


async def test_anything_but_stored_is_not_delivered(daemon: Daemon) -> None:
    """A refusal and a closed door both mean: offer it again."""
    daemon.status = 503
    with pytest.raises(NotDelivered):
        await over_http(f"http://127.0.0.1:{daemon.server_port}")([{"id": "a"}])
    with pytest.raises(OSError, match="refused"):
        await over_http("http://127.0.0.1:1")([{"id": "a"}])
