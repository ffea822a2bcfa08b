"""Follows the bytes of an answer beside the application, which gets every one as it came."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from demurrage_recorder.ids import container_ids, may_name, scanned_ids
from demurrage_recorder.sse import EventSplitter, Told
from demurrage_recorder.texts import parsed

Decode = Callable[[bytes], bytes]

# The application holds the same bytes; beyond this only their ids are of interest.
LONGEST_BODY = 64 * 1024 * 1024


class Listener(Protocol):
    """Takes in what a body says."""

    @property
    def sated(self) -> bool:
        """True when events without ids or a whole response have nothing more to tell."""

    def value(self, value: Any, ids: Collection[str]) -> None:
        """The body was this JSON, which names these containers."""

    def event(self, event: dict[str, Any], ids: Collection[str]) -> None:
        """The stream brought this event, which names these containers."""

    def ids(self, ids: Collection[str], event: str = "") -> None:
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
        if self._size <= LONGEST_BODY:
            self._chunks.append(chunk)

    def end(self) -> None:
        """Read the whole."""
        text = self._decode(b"".join(self._chunks))
        try:
            value = parsed(text)
        except (ValueError, RecursionError):
            self._listener.ids(scanned_ids(text))
        else:
            self._listener.value(value, _named(value, text))

    def cut(self) -> None:
        """It broke off: keep the ids of what came."""
        self._listener.ids(scanned_ids(self._decode(b"".join(self._chunks))))


class EventBody:
    """A body that is a stream of server-sent events."""

    def __init__(self, listener: Listener, decode: Decode) -> None:
        self._listener = listener
        self._decode = decode
        self._splitter = EventSplitter()
        self._between = True

    def feed(self, chunk: bytes) -> None:
        """Read the events that the chunk completes."""
        text = self._decode(chunk)
        if self._between and text.endswith(b"\n\n") and self._is_idle_talk(text):
            return
        for told in self._splitter.feed(text):
            self._hear(told)
        self._between = self._splitter.idle

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
        if self._is_idle_talk(told.data):
            return
        try:
            event = parsed(told.data)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            self._listener.event(event, _named(event, told.data))
        else:
            self._listener.ids(scanned_ids(told.data))

    def _is_idle_talk(self, text: bytes) -> bool:
        """True for whole events with nothing to tell: most of a stream, so it must be quick."""
        return self._listener.sated and not may_name(text) and text.find(b'"response"') < 0


def _named(value: Any, text: bytes) -> Collection[str]:
    return container_ids(value) if may_name(text) else ()
