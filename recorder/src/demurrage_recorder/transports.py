"""Between an HTTP client and its transports, for whichever library the application uses.

The recorder imports neither: it takes the library that the client at hand comes from.
"""

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from demurrage_recorder.bodies import Decode
from demurrage_recorder.exchange import Head
from demurrage_recorder.late import Followed
from demurrage_recorder.streams import AsynchronousStream, BlockingStream
from demurrage_recorder.turns import Unread
from demurrage_recorder.watch import Watch

LIBRARIES = ("httpx", "httpx2")

_RESPONSES = b"/responses"
_DIRECT_HOSTS = (b"api.openai.com",)
_DIRECT_DOMAINS = (b".api.openai.com", b".openai.azure.com")


class Kit(NamedTuple):
    """The watching transports and streams of one library."""

    library: Any
    blocking: type[Any]
    asynchronous: type[Any]
    blocking_stream: type[Any]
    asynchronous_stream: type[Any]


def library_of(client: Any) -> tuple[str, bool] | None:
    """The library that a client's class comes from, and whether the client is asynchronous."""
    for each in type(client).__mro__:
        root = each.__module__.partition(".")[0]
        if root in LIBRARIES and each.__name__ in {"Client", "AsyncClient"}:
            return root, each.__name__ == "AsyncClient"
    return None


@cache
def kit_for(name: str) -> Kit:
    """The watching transports for a library that the application has imported."""
    library: Any = import_module(name)
    return Kit(
        library,
        type("WatchedTransport", (_Blocking, library.BaseTransport), {}),
        type("AsyncWatchedTransport", (_Asynchronous, library.AsyncBaseTransport), {}),
        type("WatchedStream", (BlockingStream, library.SyncByteStream), {}),
        type("AsyncWatchedStream", (AsynchronousStream, library.AsyncByteStream), {}),
    )


class _Transport:
    """Watches requests and hands them on.

    Args:
        inner: the transport of the client's own.
        kit: the library's.
        watch: what logs the requests.
        direct: the application's word on whether anything lies between; None finds out.
    """

    def __init__(self, inner: Any, kit: Kit, watch: Watch, *, direct: bool | None) -> None:
        self.inner = inner
        self.watch = watch
        self.direct = direct
        self._kit = kit
        # A proxy's pool is of a class of its own, and so is a transport that may queue.
        self._pool = pool = getattr(inner, "_pool", None)
        self._plain = (
            type(inner).__name__ in {"HTTPTransport", "AsyncHTTPTransport"}
            and type(inner).__module__.partition(".")[0] in LIBRARIES
            and type(pool).__name__ in {"ConnectionPool", "AsyncConnectionPool"}
            and getattr(pool, "_uds", None) is None
        )

    def _begin(self, request: Any) -> Followed | None:
        url, direct = request.url, self.direct
        vouched = direct is not None
        if direct is None:
            direct = self._goes_straight(url)
        raw = url.raw_path
        # What is asked for most, and waits meanwhile.
        if raw.endswith(_RESPONSES) and request.method == "POST":
            return self.watch.making(request, self._pool, direct=direct, vouched=vouched)
        path = url.path if b"%" in raw or b"?" in raw else raw.decode("ascii")
        return self.watch.begin(request, path, self._pool, direct=direct, vouched=vouched)

    def _goes_straight(self, url: Any) -> bool:
        """True where nothing can hold a request back and pass it on later."""
        if not self._plain:
            return False
        host = url.raw_host
        return host in _DIRECT_HOSTS or host.endswith(_DIRECT_DOMAINS)

    def _followed(
        self, exchange: Followed, response: Any, stream: type[Any], unread: float = 0.0
    ) -> Any:
        """The response, with its body followed as far as it is of interest.

        Its head has waited for `unread` seconds at most.
        """
        try:
            status, headers = response.status_code, response.headers.raw
            if response.is_stream_consumed:
                # Read already, as from a cache or a pretended server: decoded, never read again.
                followed = exchange.answered(status, headers, lambda _: _as_it_is, unread=unread)
                followed.feed(response.content)
                followed.end()
            else:
                followed = exchange.answered(status, headers, self._decoder, unread=unread)
                if followed.reads_on:
                    response.stream = stream(response.stream, followed)
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            exchange.give_up(error)
        return response

    def _decoder(self, head: Head) -> Decode:
        """What the library itself would decode the body with, apart from the application's own."""
        encoding = head.text(b"content-encoding")
        if encoding is None:
            return _as_it_is
        twin = self._kit.library.Response(200, headers={"content-encoding": encoding})
        decode = twin._get_content_decoder().decode  # noqa: SLF001 - there is no public one

        def decoded(chunk: bytes) -> bytes:
            text = decode(chunk)
            # One library returns bytes, the other yields them.
            return text if isinstance(text, bytes) else b"".join(text)

        return decoded

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # not set yet, as in a copy being made
            raise AttributeError(name)
        return getattr(self.inner, name)


class _Blocking(_Transport):
    def handle_request(self, request: Any) -> Any:
        exchange = self._begin(request)
        if exchange is None:
            return self.inner.handle_request(request)
        try:
            response = self.inner.handle_request(request)
        except BaseException as error:
            exchange.failed(error)
            raise
        return self._followed(exchange, response, self._kit.blocking_stream)

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Any:
        self.inner.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.inner.__exit__(*error)


class _Asynchronous(_Transport):
    async def handle_async_request(self, request: Any) -> Any:
        exchange = self._begin(request)
        if exchange is None:
            return await self.inner.handle_async_request(request)
        head = Unread()
        try:
            response = await self.inner.handle_async_request(request)
        except BaseException as error:
            exchange.failed(error)
            raise
        finally:
            unread = head.end()
        return self._followed(exchange, response, self._kit.asynchronous_stream, unread)

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def __aenter__(self) -> Any:
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.inner.__aexit__(*error)


def _as_it_is(chunk: bytes) -> bytes:
    return chunk
