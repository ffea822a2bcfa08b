"""The canary's own entries in the event log: it is an application that logs, like any other.

So the daemon knows what the experiments may have made, and sweeps it on proof, as it does for
everyone.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

from demurrage.model.error import LogUnreadableError
from demurrage.provider.clock import HeaderClock


class Appender(Protocol):
    """The event log."""

    def append(self, raws: Sequence[Mapping[str, Any]], *, appended_at: float) -> object:
        """Append events, all or none; on return they are durable."""
        ...


class Diary:
    """Numbers the canary's events, beats while it is open, and says goodbye at the end.

    Use it as an asynchronous context manager, once the provider's time is known. A process that
    is killed in between leaves a silent writer, which holds everything back until a person
    retires it, as with any application.

    Args:
        log: the event log.
        target: whom the events are about.
        clock: the provider's, whose offset heartbeats tell.
        beat: seconds between two heartbeats.
    """

    def __init__(self, log: Appender, target: str, clock: HeaderClock, beat: float) -> None:
        self.source = f"canary/{uuid4()}"
        self._log = log
        self._target = target
        self._clock = clock
        self._beat = beat
        self._sequence = 0
        self._in_flight: set[str] = set()
        self._turn = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None

    async def note(self, kind: str, **data: Any) -> None:
        """Write an event down; on return it is durable.

        Args:
            kind: the event's type without its `demurrage.` prefix.
            data: its data; None values are left out.

        Raises:
            LogUnreadableError: the log cannot take it now.
        """
        noting = asyncio.ensure_future(self._note(kind, data))
        try:
            await asyncio.shield(noting)
        except asyncio.CancelledError:
            # What is given up half-way would leave a hole in the sequence.
            await asyncio.wait((noting,))
            raise

    async def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        async with self._turn:
            now = time.time()
            if kind == "writer.heartbeat":
                data = {**data, **self._standing(now)}
            event = {
                "specversion": "1.0",
                "id": str(uuid4()),
                "source": self.source,
                "type": f"demurrage.{kind}",
                "time": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
                "sequence": self._sequence + 1,
                "datacontenttype": "application/json",
                "data": {
                    "target": self._target,
                    **{name: value for name, value in data.items() if value is not None},
                },
            }
            await asyncio.to_thread(self._log.append, [event], appended_at=now)
            self._sequence += 1
            if kind == "response.started":
                self._in_flight.add(data["call_id"])
            elif kind == "response.finished":
                self._in_flight.discard(data["call_id"])

    def _standing(self, now: float) -> dict[str, Any]:
        offset = self._clock.offset
        return {
            "complete_through": now,
            "last_sequence": self._sequence,
            "in_flight": sorted(self._in_flight),
            "clock_offset": None if offset is None else -offset,
            "dropped": 0,
        }

    async def __aenter__(self) -> Self:
        """Make oneself known, and go on beating."""
        await self.note("writer.heartbeat", final=False)
        self._beating = asyncio.create_task(self._beat_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say goodbye; of what is in flight by then nobody will know how it ended."""
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        for call_id in sorted(self._in_flight):
            await self.note("response.finished", call_id=call_id, status="lost")
        await self.note("writer.heartbeat", final=True)

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._beat)
            # What the log cannot take now is said by the next event that has to be taken.
            with suppress(LogUnreadableError):
                await self.note("writer.heartbeat", final=False)
