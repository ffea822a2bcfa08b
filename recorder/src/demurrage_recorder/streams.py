"""Streams that hand each chunk on as it comes, once the recorder has had a look at it."""

from collections.abc import Iterator
from typing import Any

from demurrage_recorder.late import Followed


class _Stream:
    """Stands before a response's own stream.

    Args:
        inner: the stream that the transport gave.
        exchange: what looks at the bytes.
    """

    def __init__(self, inner: Any, exchange: Followed) -> None:
        self._inner = inner
        self._over = False
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        if name == "_inner":  # not set yet, as in a copy being made
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            self._exchange.cut()


class BlockingStream(_Stream):
    """To be mixed with a library's own `SyncByteStream`."""

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._exchange
        feed = exchange.feed
        try:
            for chunk in self._inner:
                feed(chunk)
                yield chunk
        except BaseException:  # an application that turns away is one, too
            exchange.cut()
            raise
        self._over = True
        exchange.end()

    def close(self) -> None:
        """Close the stream; what has not come by now never will."""
        if not self._over:
            self._exchange.cut()
        self._inner.close()


class AsynchronousStream(_Stream):
    """To be mixed with a library's own `AsyncByteStream`."""

    _source: Any = None

    def __aiter__(self) -> "AsynchronousStream":
        self._source = self._inner.__aiter__()
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await self._source.__anext__()
        except StopAsyncIteration:
            self._over = True
            self._exchange.end()
            raise
        except BaseException:
            self._exchange.cut()
            raise
        self._exchange.feed(chunk)
        return chunk

    async def aclose(self) -> None:
        """Close the stream; what has not come by now never will."""
        if not self._over:
            self._exchange.cut()
        await self._inner.aclose()
