"""A small writer of the event log, for workloads; applications use the recorder."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

from demurrage.simulator.delivery import CloudEvent, Send

_BATCH = 200
# The provider's `Date` is cut to whole seconds.
_DATE_STEP = 1.0


class Writer:
    """Numbers events without gaps, keeps them until they are taken, and tells that it lives.

    Args:
        send: takes a batch, or raises OSError for "not now"; then it is offered again.
        target: the target that the events are about.
        source: the CloudEvents source; one for each writer.
        heartbeat: real seconds between heartbeats.
        clock: the writer's clock in epoch seconds; an offset here is a wrong clock.
    """

    def __init__(
        self,
        send: Send,
        *,
        target: str = "default",
        source: str | None = None,
        heartbeat: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.source = source or f"workload/{uuid4()}"
        self.sent = 0
        self.refusals = 0
        self._send = send
        self._target = target
        self._heartbeat = heartbeat
        self._clock = clock
        self._sequence = 0
        self._unsent: deque[CloudEvent] = deque()
        self._in_flight: set[str] = set()
        self._ahead: tuple[float, float] | None = None
        self._wake = asyncio.Event()
        self._taking = asyncio.Lock()

    @property
    def clock_offset(self) -> float | None:
        """Seconds by which this clock is ahead of the provider's, None until a date was seen."""
        return None if self._ahead is None else sum(self._ahead) / 2

    @property
    def unsent(self) -> int:
        """How many events wait to be taken."""
        return len(self._unsent)

    def note(self, kind: str, **data: Any) -> None:
        """Write an event down and have it sent at once; never waits, never raises.

        Args:
            kind: the event's type without its `demurrage.` prefix.
            data: its data; None values are left out.
        """
        now = self._clock()
        self._sequence += 1
        if kind == "response.started":
            self._in_flight.add(data["call_id"])
        elif kind == "response.finished":
            self._in_flight.discard(data["call_id"])
        told = {name: value for name, value in data.items() if value is not None}
        self._unsent.append(
            {
                "specversion": "1.0",
                "id": f"{self.source}/{self._sequence}",
                "source": self.source,
                "type": f"demurrage.{kind}",
                "time": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
                "sequence": self._sequence,
                "datacontenttype": "application/json",
                "data": {"target": self._target, **told},
            }
        )
        self._wake.set()

    def observe_date(self, date: str | None) -> None:
        """Learn the clock offset from an answer's `Date` header.

        Each header bounds the offset to a second (and the answer's way); the bounds of several
        intersect, and a contradiction means that a clock was stepped: start anew.
        """
        if date is None:
            return
        highest = self._clock() - parsedate_to_datetime(date).timestamp()
        lowest = highest - _DATE_STEP
        if self._ahead is not None:
            low, high = max(lowest, self._ahead[0]), min(highest, self._ahead[1])
            if low <= high:
                lowest, highest = low, high
        self._ahead = (lowest, highest)

    def beat(self, *, final: bool = False) -> None:
        """Say how far the log of this source is complete."""
        self.note(
            "writer.heartbeat",
            complete_through=self._clock(),
            last_sequence=self._sequence,
            in_flight=sorted(self._in_flight),
            clock_offset=self.clock_offset,
            dropped=0,
            final=final,
        )

    async def flush(self) -> bool:
        """Offer what is unsent, in order; False as soon as a batch is not taken."""
        async with self._taking:
            while self._unsent:
                batch = [self._unsent[place] for place in range(min(_BATCH, len(self._unsent)))]
                try:
                    await self._send(batch)
                except OSError:
                    self.refusals += 1
                    return False
                for _ in batch:
                    self._unsent.popleft()
                self.sent += len(batch)
        return True

    async def run(self, stop: asyncio.Event) -> None:
        """Send and beat until `stop`; then say goodbye, if the daemon will hear it."""
        beaten = float("-inf")
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            self._wake.clear()
            if loop.time() - beaten >= self._heartbeat:
                self.beat()
                beaten = loop.time()
            taken = await self.flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat / 4):
                    await (self._wake.wait() if taken else stop.wait())
        self.beat(final=True)
        await self.flush()
