"""Where nothing is known of a request that may have arrived, whatever the pool looks like."""

import importlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest
from tests.unit.recorder.watch.conftest import LIBRARY

from demurrage_recorder import sending
from demurrage_recorder.arrival import _is_public, has_arrived
from demurrage_recorder.calls import Call, Directory
from demurrage_recorder.sending import Sending

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux tells")

CORE = LIBRARY.replace("httpx", "httpcore")
core: Any = importlib.import_module(CORE)
http11: Any = importlib.import_module(f"{CORE}._sync.http11")
backend: Any = importlib.import_module(f"{CORE}._backends.sync")


class Sea:
    """A request on a real connection of the library's, handed over and acknowledged."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.near = socket.create_connection(listener.getsockname())
        self.far, _ = listener.accept()
        listener.close()
        self.origin = core.Origin(b"https", b"api.openai.com", 443)
        self.pool = SimpleNamespace(_requests=[])
        self.stream = object()
        self.inner = http11.HTTP11Connection(self.origin, backend.SyncStream(self.near))
        self.inner._state = http11.HTTPConnectionState.ACTIVE
        self.inner._h11_state = SimpleNamespace(our_state="DONE")
        self.connection = core.HTTPConnection(self.origin)
        self.connection._connection = self.inner
        self.mine = self.put(self.stream, self.connection)

    def put(self, stream: object, connection: Any) -> Any:
        """Another request of the pool."""
        headers = [(b"Content-Length", b"2")]
        request = SimpleNamespace(stream=stream, headers=headers)
        self.pool._requests.append(SimpleNamespace(request=request, connection=connection))
        return self.pool._requests[-1]

    def known(self) -> bool:
        """True where it is known that the request has arrived."""
        try:
            return has_arrived(self.stream, self.pool, anywhere=True)
        except Exception:  # noqa: BLE001 - as the keeper has it
            return False


@pytest.fixture
def sea() -> Iterator[Sea]:
    """A request that has arrived."""
    made = Sea()
    yield made
    made.near.close()
    made.far.close()


def _proxied(sea: Sea) -> None:
    forward = importlib.import_module(f"{CORE}._sync.http_proxy").ForwardHTTPConnection
    sea.mine.connection = forward(proxy_origin=sea.origin, remote_origin=sea.origin)
    sea.mine.connection._connection = sea.inner


def _begins_another(sea: Sea) -> None:
    class Stream(backend.SyncStream):  # type: ignore[misc] # found at run time
        def get_extra_info(self, info: str) -> Any:
            sea.inner._request_count += 1
            return super().get_extra_info(info)

    Stream.__name__ = "SyncStream"
    Stream.__module__ = backend.SyncStream.__module__
    sea.inner._network_stream = Stream(sea.near)


def _unread(sea: Sea) -> None:
    sea.near.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            sea.near.send(bytes(65536))


def _reset(sea: Sea) -> None:
    sea.far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sea.far.close()
    with pytest.raises(ConnectionResetError):
        sea.near.recv(1)


CHANGES: dict[str, Callable[[Sea], object]] = {
    "it is answered": lambda sea: sea.pool._requests.clear(),
    "the same is sent twice at once": lambda sea: sea.put(sea.stream, None),
    "another is at the connection": lambda sea: sea.put(object(), sea.connection),
    "it waits for its turn": lambda sea: setattr(sea.mine, "connection", None),
    "its connection is being opened": lambda sea: setattr(sea.connection, "_connection", None),
    "a proxy's connection": _proxied,
    "several at once": lambda sea: setattr(sea.connection, "_connection", SimpleNamespace()),
    "in chunks": lambda sea: sea.mine.request.headers.append((b"transfer-encoding", b"chunked")),
    "of no known length": lambda sea: sea.mine.request.headers.clear(),
    "not written yet": lambda sea: setattr(sea.inner._h11_state, "our_state", "SEND_BODY"),
    "idle": lambda sea: setattr(sea.inner, "_state", http11.HTTPConnectionState.IDLE),
    "begins another meanwhile": _begins_another,
    "a stream of the application's": lambda sea: setattr(
        sea.inner, "_network_stream", SimpleNamespace(get_extra_info=lambda _: sea.near)
    ),
    "unread by the other end": _unread,
    "closed": lambda sea: sea.near.close(),
    "reset": _reset,
    "half closed by us": lambda sea: sea.near.shutdown(socket.SHUT_WR),
}


def test_all_is_well(sea: Sea) -> None:
    """The request that the others are variations of has arrived."""
    assert sea.known()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_where_nothing_is_known(sea: Sea, change: Callable[[Sea], object]) -> None:
    """One thing is otherwise, and it is not said to have arrived."""
    change(sea)
    assert not sea.known()


def test_a_socket_of_this_machine_proves_nothing(sea: Sea) -> None:
    """Who takes it may pass it on later."""
    near, far = socket.socketpair()
    with near, far:
        sea.inner._network_stream = backend.SyncStream(near)
        assert not sea.known()


def test_an_address_of_this_site_proves_nothing(sea: Sea) -> None:
    """Something there may have taken the request for the API; only the application can know."""
    with pytest.raises(LookupError):
        has_arrived(sea.stream, sea.pool, anywhere=False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("162.159.140.245", True),
        ("2606:4700:7::a29f:8cf5", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("198.18.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:162.159.140.245", True),
    ],
)
def test_which_addresses_many_share(address: str, *, public: bool) -> None:
    """Not those that a site, a machine or a tunnel gives out itself."""
    assert _is_public(address) is public


@pytest.mark.parametrize("lost", [False, True])
def test_an_attempt_that_is_over_is_not_told_of(
    sea: Sea, monkeypatch: pytest.MonkeyPatch, *, lost: bool
) -> None:
    """The same request may be under way once more, on behalf of the next attempt."""
    monkeypatch.setattr(sending, "_LOOK_AFTER", 0.0)
    told: list[str] = []
    call = Call(lambda kind, *_: told.append(kind), Directory(), background=False)
    looks = Sending()

    class Request:
        stream = sea.stream

    request = Request()
    looks.fresh.append((call, ref(request), sea.pool, True))
    if lost:
        call.lost()
    looks.look()
    assert told == (["response.finished"] if lost else ["response.sent"])


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_nothing_is_told_on_a_clock_that_was_set_since_the_start(
    sea: Sea, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """The start and the moment of arrival would be told on two clocks."""
    monkeypatch.setattr(sending, "_LOOK_AFTER", 0.0)
    told: list[str] = []
    call = Call(lambda kind, *_: told.append(kind), Directory(), background=False)
    looks = Sending()

    class Request:
        stream = sea.stream

    request = Request()
    looks.fresh.append((call, ref(request), sea.pool, True))
    real = time.time
    monkeypatch.setattr("demurrage_recorder.sending.time.time", lambda: real() + step)
    looks.look()
    assert not told
    assert looks.due_at == float("inf")


def test_a_clock_that_was_set_long_before_the_start_is_no_matter(
    sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two looks later it is the clock that all is told on."""
    monkeypatch.setattr(sending, "_LOOK_AFTER", 0.0)
    told: list[str] = []
    call = Call(lambda kind, *_: told.append(kind), Directory(), background=False)
    looks = Sending()
    real = time.time
    monkeypatch.setattr("demurrage_recorder.sending.time.time", lambda: real() + 3600.0)
    looks.look()
    looks.look()

    class Request:
        stream = sea.stream

    request = Request()
    looks.fresh.append((call, ref(request), sea.pool, True))
    looks.look()
    assert told == ["response.sent"]
