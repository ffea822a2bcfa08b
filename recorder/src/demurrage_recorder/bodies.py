"""Follows the bytes of an answer beside the application, which gets every one as it came."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from demurrage_recorder.ids import may_name, scanned_ids
from demurrage_recorder.sse import EventSplitter, Told

Decode = Callable[[bytes], bytes]

# The application holds the same bytes; beyond this only their ids are of interest.
_LONGEST_BODY = 64 * 1024 * 1024


class Listener(Protocol):
    """Takes in what a body says."""

    @property
    def sated(self) -> bool:
        """True when events without ids or a whole response have nothing more to tell."""

    def value(self, value: Any) -> None:
        """The body was this JSON."""

    def event(self, event: dict[str, Any]) -> None:
        """The stream brought this event."""

    def ids(self, ids: Iterable[str], event: str = "") -> None:
        """Container ids stand in a part that could not be read; `event`: its name, if any."""

    def over(self) -> None:
        """Nothing more will come, whole or not."""


class JsonBody:
    """A body that is one JSON text."""

    def __init__(self, listener: Listener, decode: Decode) -> None:
        self._listener = listener
        self._decode = decode
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Keep a chunk, as long as the whole can still be read."""
        self._size += len(chunk)
        if self._size <= _LONGEST_BODY:
            self._chunks.append(chunk)

    def end(self) -> None:
        """Read the whole."""
        text = self._decode(b"".join(self._chunks))
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            self._listener.ids(scanned_ids(text))
        else:
            self._listener.value(value)

    def cut(self) -> None:
        """It broke off: keep the ids of what came."""
        self._listener.ids(scanned_ids(self._decode(b"".join(self._chunks))))


class EventBody:
    """A body that is a stream of server-sent events."""

    def __init__(self, listener: Listener, decode: Decode) -> None:
        self._listener = listener
        self._decode = decode
        self._splitter = EventSplitter()

    def feed(self, chunk: bytes) -> None:
        """Read the events that the chunk completes."""
        for told in self._splitter.feed(self._decode(chunk)):
            self._hear(told)

    def end(self) -> None:
        """Read what has no blank line after it."""
        for told in self._splitter.end():
            self._hear(told)

    def cut(self) -> None:
        """It broke off: an event that is not whole tells nothing but ids."""
        for told in self._splitter.end():
            self._listener.ids(told.scanned or scanned_ids(told.data or b""))

    def _hear(self, told: Told) -> None:
        name = told.name.decode("ascii", "replace")
        if told.data is None:
            self._listener.ids(told.scanned, name)
            return
        if self._listener.sated and not may_name(told.data) and b'"response"' not in told.data:
            return
        try:
            event = json.loads(told.data)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            self._listener.event(event)
        else:
            self._listener.ids(scanned_ids(told.data))
