"""A turn through an asynchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demurrage_recorder.gate.sieve import Sieve
from demurrage_recorder.gate.turn import NEWEST, REFUSED, Turn
from demurrage_recorder.gate.values import part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from typing_extensions import Self

    from demurrage_recorder.gate.known import Known


async def answered(client: Any, turn: Turn, known: Known) -> Any:
    """The response to a turn."""
    response = await _first(client, turn)
    if turn.wants_code(response):
        response = await client.responses.create(**turn.repeat(response))
    known.note(turn, response)
    return response


async def streamed(client: Any, turn: Turn, known: Known) -> AsyncGateStream:
    """The events of a turn; the first request is sent at once."""
    return AsyncGateStream(client, turn, known, await _first(client, turn))


class AsyncGateStream:
    """The SDK's events of a turn; iterate it, and close it or use it in `async with`."""

    def __init__(self, client: Any, turn: Turn, known: Known, stream: Any) -> None:
        self._client = client
        self._turn = turn
        self._known = known
        self._stream = stream
        self._events = self._passed()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._events

    async def __anext__(self) -> Any:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop reading and release the connection."""
        await self._stream.close()

    async def _passed(self) -> AsyncIterator[Any]:
        turn = self._turn
        if turn.probe is not None:
            sieve = Sieve(turn)
            try:
                async for event in self._stream:
                    for ready in sieve.passed(event):
                        yield ready
            except Exception:
                for ready in sieve.rest():
                    yield ready
                raise
            for ready in sieve.rest():
                yield ready
            if not sieve.asked:
                return
            self._stream = await self._client.responses.create(**turn.repeat(sieve.response))
        async for event in self._stream:
            self._known.note(turn, part(event, "response"))
            yield event


async def _first(client: Any, turn: Turn) -> Any:
    try:
        return await client.responses.create(**turn.first)
    except Exception as error:
        if turn.conversation is None or part(error, "status_code") != REFUSED:
            raise
        items = client.conversations.items
        newest = await items.list(turn.conversation, order="desc", limit=NEWEST)
        owed = turn.owed(newest.data)
        if not owed:
            raise
        await items.create(turn.conversation, items=owed)
    return await client.responses.create(**turn.first)
