"""Pretended servers before the HTTP library that the installed SDK uses, and a list for a log."""

import importlib
import importlib.util
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from demurrage_recorder.backlog import Answer
from demurrage_recorder.sending import Sending
from demurrage_recorder.transports import kit_for
from demurrage_recorder.watch import Watch

LIBRARY = "httpx2" if importlib.util.find_spec("httpx2") else "httpx"
http: Any = importlib.import_module(LIBRARY)

URL = "https://api.openai.com/v1/responses"
CONTAINER = "cntr_" + "6ab" * 16
AUTO: Any = {"type": "code_interpreter", "container": {"type": "auto"}}


class Notes:
    """A writer that keeps what it is told in a list."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.dates: list[str | None] = []
        # No request here leaves by a connection.
        self.sending = Sending()

    def note(
        self, kind: str, target: str, data: dict[str, Any], *, at: float | None = None
    ) -> None:
        """Keep an event."""
        known = {name: value for name, value in data.items() if value is not None}
        self.told.append((kind, target, known))

    def start(self, target: str, call_id: str, before: str, after: str, pid: int) -> float:
        """Keep a start."""
        assert pid == os.getpid()
        told = json.loads(before + call_id + after)
        assert (told.pop("target"), told["call_id"]) == (target, call_id)
        self.told.append(("response.started", target, told))
        return time.time()

    def read_later(self, answer: Answer) -> None:
        """Read it, later than which is hard to tell from here."""
        answer.read()

    def flush(self) -> None:
        """Nothing ever waits."""

    def observe_date(self, date_header: str | None, at: float, unread: float) -> None:
        """Keep a date."""
        self.dates.append(date_header)

    knows_clock = True

    def tell_clock(self, date_header: str | None, at: float, unread: float) -> None:
        """The clock is known."""

    def kinds(self) -> list[str]:
        """Kinds, with the status of an end."""
        return [
            kind.removeprefix("response.") + (f" {data['status']}" if "finished" in kind else "")
            for kind, _, data in self.told
        ]

    def last(self) -> dict[str, Any]:
        """The data of the last event."""
        return self.told[-1][2]


class Pieces(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc] # found at run time
    """A body that comes in pieces, and counts how many were asked for.

    An exception among them is raised in its turn.
    """

    def __init__(self, pieces: Sequence[bytes | BaseException]) -> None:
        self.pieces = pieces
        self.asked = 0
        self.closed = False

    def _next(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.asked += 1
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        return self._next()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._next():
            yield piece

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class Server(http.BaseTransport, http.AsyncBaseTransport):  # type: ignore[misc] # likewise
    """Answers every request alike, or raises."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.requests: list[Any] = []

    def handle_request(self, request: Any) -> Any:
        """Answer."""
        self.requests.append(request)
        return self.answer()

    async def handle_async_request(self, request: Any) -> Any:
        """Answer."""
        return self.handle_request(request)


@pytest.fixture
def notes() -> Notes:
    """An empty log."""
    return Notes()


def watched(answer: Callable[[], Any], notes: Notes, *, direct: bool | None = None) -> Any:
    """A watched client of a server that answers so."""
    kit = kit_for(LIBRARY)
    transport = kit.blocking(Server(answer), kit, Watch(notes, "main"), direct=direct)
    return http.Client(transport=transport)


def watched_async(answer: Callable[[], Any], notes: Notes) -> Any:
    """The same, asynchronous."""
    kit = kit_for(LIBRARY)
    transport = kit.asynchronous(Server(answer), kit, Watch(notes, "main"), direct=None)
    return http.AsyncClient(transport=transport)


def sse(*events: dict[str, Any]) -> bytes:
    """Events as they travel."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def response(status: str = "completed", **fields: Any) -> dict[str, Any]:
    """A response as the API shows it."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_795_000_000.5,
        "status": status,
        "conversation": {"id": "conv_1"},
        "output": [],
        **fields,
    }


CALL_ITEM = {"type": "code_interpreter_call", "id": "ci_1", "container_id": CONTAINER}

STREAM = (
    {"type": "response.created", "response": response("in_progress")},
    {"type": "response.in_progress", "response": response("in_progress")},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL_ITEM},
    {"type": "response.output_text.delta", "output_index": 2, "delta": "the answer"},
    {"type": "response.completed", "response": response(output=[CALL_ITEM])},
)
