"""An API in memory and the applications that log to it, on a clock that can be moved on."""

import asyncio
import json
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from demurrage.provider.client import HTTP

PAGE = 100


@dataclass
class World:
    """The API's containers and the applications' log.

    `latency` is how long an answer takes, in seconds. `deletes` is what was deleted
    when.
    """

    now: float
    latency: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: {"GET": 0, "DELETE": 0})
    events: list[dict[str, Any]] = field(default_factory=list)
    sequence: int = 0
    deletes: list[tuple[float, str]] = field(default_factory=list)
    _real_since: float | None = None

    def moment(self) -> float:
        """The moment it is: virtual, or real time on from where the world was moved to."""
        if self._real_since is None:
            return self.now
        return self.now + time.monotonic() - self._real_since

    def come_alive(self, latency: float) -> None:
        """From here on real time runs, and every answer takes some of it, in seconds."""
        self._real_since, self.latency = time.monotonic(), latency

    def container(
        self, number: int, born: int, *, tier: str = "1g", used: bool = False, expired: bool = False
    ) -> str:
        """A container that the API lists."""
        container = f"cntr_{number:048x}"
        self.rows.append(
            {
                "id": container,
                "object": "container",
                "name": "auto",
                "created_at": born,
                "status": "expired" if expired else "running",
                "last_active_at": born + (30 if used else 0),
                "memory_limit": tier,
                "expires_after": {"anchor": "last_active_at", "minutes": 20},
            }
        )
        return container

    def born(self, number: int, *, used: bool, tier: str = "1g", at: float | None = None) -> None:
        """One request begins, makes a container, and ends."""
        born = self.moment() if at is None else at
        container = self.container(number, int(born), tier=tier, used=used)
        call = f"call-{number}"
        slots = [{"tool": "code_interpreter", "tier": tier, "container": "auto"}]
        self.note("response.started", born - 3, call_id=call, slots=slots)
        self.note(
            "response.finished",
            born,
            call_id=call,
            response_id=f"resp_{number}",
            status="completed",
            created_at=born - 3,
            containers=[container] if used else [],
        )

    def note(self, kind: str, at: float, **data: Any) -> None:
        """One event of the only writer."""
        self.sequence += 1
        self.events.append(
            {
                "specversion": "1.0",
                "id": str(self.sequence),
                "source": "bench/1",
                "sequence": self.sequence,
                "type": f"demurrage.{kind}",
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
                "data": {"target": "default", **data},
            }
        )

    def beat(self) -> None:
        """All so far is sent."""
        now = self.moment()
        self.note(
            "writer.heartbeat",
            now,
            complete_through=now,
            last_sequence=self.sequence,
            in_flight=[],
            clock_offset=0.0,
            dropped=0,
        )

    def told(self) -> list[list[dict[str, Any]]]:
        """What is to be sent, in batches; it counts as sent."""
        events, self.events = self.events, []
        return [events[start : start + 500] for start in range(0, len(events), 500)]

    async def answer(self, request: Any) -> Any:
        """What the API answers, after its latency."""
        if self.latency:
            await asyncio.sleep(self.latency)
        self.calls[request.method] += 1
        if request.method == "DELETE":
            return self._delete(request.url.path.rsplit("/", 1)[-1])
        return self._page(request.url.params.get("after"))

    def _delete(self, container: str) -> Any:
        self.deletes.append((self.moment(), container))
        number = int(container.removeprefix("cntr_"), 16)
        place = self._place(number)
        if place is None:
            message = f"Container with id '{container}' not found."
            return self._json({"error": {"message": message, "code": None}}, status=404)
        del self.rows[place]
        return self._json({"id": container, "object": "container.deleted", "deleted": True})

    def _place(self, number: int) -> int | None:
        """Where a container stands: ids rise with the list."""
        low, high = 0, len(self.rows)
        wanted = f"cntr_{number:048x}"
        while low < high:
            middle = (low + high) // 2
            if self.rows[middle]["id"] < wanted:
                low = middle + 1
            else:
                high = middle
        found = low < len(self.rows) and self.rows[low]["id"] == wanted
        return low if found else None

    def _page(self, after: str | None) -> Any:
        end = len(self.rows)
        if after is not None:
            end = self._place(int(after.removeprefix("cntr_"), 16)) or 0
        start = max(0, end - PAGE)
        page = [self._aged(row) for row in reversed(self.rows[start:end])]
        return self._json(
            {
                "object": "list",
                "data": page,
                "first_id": None,
                "last_id": None,
                "has_more": start > 0,
            }
        )

    def _aged(self, row: dict[str, Any]) -> dict[str, Any]:
        expired = row["status"] == "expired" or row["last_active_at"] + 1200 < self.moment()
        return {**row, "status": "expired" if expired else "running"}

    def _json(self, body: Any, status: int = 200) -> Any:
        headers = {
            "content-type": "application/json",
            "date": formatdate(self.moment(), usegmt=True),
        }
        return HTTP.Response(status, content=json.dumps(body).encode(), headers=headers)


class Loop(asyncio.SelectorEventLoop):
    """An event loop on the world's clock."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def time(self) -> float:
        """The world's moment."""
        return self._world.moment()


class _Leaping(selectors.SelectSelector):
    """Waits for nobody: where nothing is ready, the world's time leaps to the next timer."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing will ever happen")
            # Never less than epoch seconds can tell apart.
            self._world.now += max(timeout, 1e-6)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only where everybody waits; threads are done at once."""

    def __init__(self, world: World) -> None:
        super().__init__(_Leaping(world))
        self._world = world

    def time(self) -> float:
        """The world's moment."""
        return self._world.now

    def run_in_executor(  # type: ignore[override] # a future like any other to whoever awaits it
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do it now: no thread takes time here."""
        del executor
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the future hands it to whoever awaits it
            done.set_exception(error)
        return done
