"""What is told of a request that has reached the API, over real connections."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI
from tests.integration.recorder.watch.conftest import AUTO, KEY, Log
from tests.tls import certificate

import demurrage_recorder as recorder
from demurrage_recorder import sending

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux tells")

DEADLINE = 60.0
# More than the server's kernel takes unread, and less than this one's holds for it.
LONG = "x" * 150_000
BODY = (
    b'{"id": "resp_1", "object": "response", "created_at": 1795000000, "status": "completed", '
    b'"model": "m", "output": [], "tools": [], "parallel_tool_calls": false, "tool_choice": "auto"}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


class Slow:
    """A server that reads and answers when it is told to, one connection after the other."""

    def __init__(self, folder: Path | None = None) -> None:
        self.reads, self.answers = threading.Event(), threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.context: ssl.SSLContext | None = None
        self.trusted = ssl.create_default_context()
        if folder is not None:
            proof = certificate(folder)
            self.trusted.load_verify_locations(proof)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(proof)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        """Where the client finds it."""
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://localhost:{self.listener.getsockname()[1]}/v1"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with suppress(OSError), peer if self.context is None else self._tls(peer) as talking:
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self._read(talking)
                head, _, body = head.partition(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                left = size - len(body)
                while left > 0:
                    left -= len(self._read(talking))
                self.answers.wait(DEADLINE)
                talking.sendall(ANSWER)

    def _tls(self, peer: socket.socket) -> socket.socket:
        assert self.context is not None
        return self.context.wrap_socket(peer, server_side=True)

    def _read(self, peer: socket.socket) -> bytes:
        self.reads.wait(DEADLINE)
        piece = peer.recv(4096)
        if not piece:
            raise ConnectionError
        return piece


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits a second for the first look."""
    monkeypatch.setattr(sending, "_LOOK_AFTER", 0.1)


@contextmanager
def slow(folder: Path | None = None) -> Iterator[Slow]:
    """A server, by TLS where a folder for its certificate is given."""
    server = Slow(folder)
    try:
        yield server
    finally:
        server.reads.set()
        server.answers.set()
        server.listener.shutdown(socket.SHUT_RDWR)
        server.thread.join(DEADLINE)
        server.listener.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait for something to hold."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(client: OpenAI, text: str = "hello") -> None:
    """One blocking request that can make a container."""
    client.responses.create(model="m", input=text, tools=[AUTO])


def sync_client(server: Slow, log: Log, *, direct: bool = True) -> OpenAI:
    """A watched client."""
    http = DefaultHttpxClient(verify=server.trusted)
    client = OpenAI(
        base_url=server.url, api_key=KEY, max_retries=0, timeout=DEADLINE, http_client=http
    )
    return recorder.instrument(client, url=log.url, direct=direct)


def _ask_plainly(server: Slow, log: Log, text: str) -> None:
    with sync_client(server, log) as client:
        ask(client, text)


def _ask_asynchronously(server: Slow, log: Log, text: str) -> None:
    async def run() -> None:
        http = DefaultAsyncHttpxClient(verify=server.trusted)
        client = AsyncOpenAI(
            base_url=server.url, api_key=KEY, max_retries=0, timeout=DEADLINE, http_client=http
        )
        async with recorder.instrument(client, url=log.url, direct=True) as watched:
            await watched.responses.create(model="m", input=text, tools=[AUTO])

    asyncio.run(run())


ASKING = [_ask_plainly, _ask_asynchronously]
Asking = Callable[[Slow, Log, str], None]


@contextmanager
def at_once(run: Callable[..., None], *given: Any) -> Iterator[None]:
    """Run something beside the test, to its end."""
    thread = threading.Thread(target=run, args=given)
    thread.start()
    try:
        yield
    finally:
        thread.join(DEADLINE)
        assert not thread.is_alive()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("asking", ASKING)
def test_a_request_that_waits_for_its_answer_has_arrived(
    log: Log, tmp_path: Path, asking: Asking, *, tls: bool
) -> None:
    """It is told while the call runs, and its end tells the same moment."""
    with slow(tmp_path if tls else None) as server:
        server.reads.set()
        with at_once(asking, server, log, LONG):
            until(lambda: "sent" in log.kinds())
            assert log.kinds() == ["started", "sent"]
            server.answers.set()
    assert log.kinds() == ["started", "sent", "finished completed"]
    (_, started), (_, sent), (_, finished) = log.events()
    assert sent == {
        "target": "default",
        "call_id": started["call_id"],
        "sent_at": finished["sent_at"],
    }


@pytest.mark.parametrize("asking", ASKING)
def test_what_the_kernel_still_holds_has_not_arrived(log: Log, asking: Asking) -> None:
    """All is written, but the other end takes it late: only then it is told, and not as before."""
    with slow() as server, at_once(asking, server, log, LONG):
        until(lambda: "started" in log.kinds())
        time.sleep(0.6)  # several looks
        assert log.kinds() == ["started"]
        released = time.time()
        server.reads.set()
        until(lambda: "sent" in log.kinds())
        assert log.events()[1][1]["sent_at"] >= released
        server.answers.set()


def test_nothing_is_told_where_a_proxy_lies_between(log: Log) -> None:
    """What has reached it may reach the API at any time."""
    with slow() as server:
        server.reads.set()
        with sync_client(server, log, direct=False) as client, at_once(ask, client):
            until(lambda: "started" in log.kinds())
            time.sleep(0.6)
            server.answers.set()
    assert log.kinds() == ["started", "finished completed"]


def test_each_attempt_on_one_connection_is_told_for_itself(log: Log) -> None:
    """The one before it says nothing about the next."""
    with slow() as server, sync_client(server, log) as client:
        server.reads.set()
        server.answers.set()
        ask(client)
        server.answers.clear()
        server.reads.clear()
        with at_once(ask, client, LONG):
            until(lambda: log.kinds().count("started") == 2)
            time.sleep(0.6)
            assert "sent" not in log.kinds()
            server.reads.set()
            until(lambda: "sent" in log.kinds())
            server.answers.set()
    calls = [data["call_id"] for kind, data in log.events() if kind == "response.started"]
    assert [d["call_id"] for kind, d in log.events() if kind == "response.sent"] == calls[1:]
