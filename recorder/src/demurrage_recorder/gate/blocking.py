"""A turn through a synchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demurrage_recorder.gate.sieve import Sieve
from demurrage_recorder.gate.turn import NEWEST, REFUSED, Turn
from demurrage_recorder.gate.values import part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

    from demurrage_recorder.gate.known import Known


def answered(client: Any, turn: Turn, known: Known) -> Any:
    """The response to a turn."""
    response = _first(client, turn)
    if turn.wants_code(response):
        response = client.responses.create(**turn.repeat(response))
    known.note(turn, response)
    return response


def streamed(client: Any, turn: Turn, known: Known) -> GateStream:
    """The events of a turn; the first request is sent at once."""
    return GateStream(client, turn, known, _first(client, turn))


class GateStream:
    """The SDK's events of a turn; iterate it, and close it or use it in `with`."""

    def __init__(self, client: Any, turn: Turn, known: Known, stream: Any) -> None:
        self._client = client
        self._turn = turn
        self._known = known
        self._stream = stream
        self._events = self._passed()

    def __iter__(self) -> Iterator[Any]:
        return self._events

    def __next__(self) -> Any:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and release the connection."""
        self._stream.close()

    def _passed(self) -> Iterator[Any]:
        turn = self._turn
        if turn.probe is not None:
            sieve = Sieve(turn)
            try:
                for event in self._stream:
                    yield from sieve.passed(event)
            except Exception:
                yield from sieve.rest()
                raise
            yield from sieve.rest()
            if not sieve.asked:
                return
            self._stream = self._client.responses.create(**turn.repeat(sieve.response))
        for event in self._stream:
            self._known.note(turn, part(event, "response"))
            yield event


def _first(client: Any, turn: Turn) -> Any:
    try:
        return client.responses.create(**turn.first)
    except Exception as error:
        if turn.conversation is None or part(error, "status_code") != REFUSED:
            raise
        items = client.conversations.items
        newest = items.list(turn.conversation, order="desc", limit=NEWEST)
        owed = turn.owed(newest.data)
        if not owed:
            raise
        items.create(turn.conversation, items=owed)
    return client.responses.create(**turn.first)
