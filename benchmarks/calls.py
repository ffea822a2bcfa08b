"""API calls besides deletes, per hour, against listing everything each cycle.

One virtual hour of the real engine, pager and SDK client over an API in memory: 60 births a
minute, 10,000 rows that expired earlier and stay listed, one request in five uses its tool.
The rival lists the whole list, a hundred rows a page, in every cycle; its pages are counted on
the same list at the same moments.
"""

import asyncio
import json
import random
import tempfile
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from demurrage.engine.engine import Engine
from demurrage.engine.look import Target
from demurrage.eventlog.log import EventLog
from demurrage.model.plan import Mode
from demurrage.model.rules import EvidenceRules, RetentionRules, Rules
from demurrage.observe.logs import set_up_logs
from demurrage.observe.metrics import Metrics
from demurrage.observe.telling import Telling
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.client import HTTP
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.store import open_store

BIRTHS_A_MINUTE = 60
LISTED = 10_000
TOOL_USE = 0.2
HOUR = 3600
PAGE = 100
GOAL = 0.1


@dataclass
class World:
    """The API's containers and the applications' log, on one virtual clock."""

    now: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: {"GET": 0, "DELETE": 0})
    events: list[dict[str, Any]] = field(default_factory=list)
    sequence: int = 0

    def born(self, number: int, *, used: bool) -> None:
        """One request begins, makes a container, and ends."""
        born = int(self.now)
        container = f"cntr_{number:048x}"
        self.rows.append(
            {
                "id": container,
                "object": "container",
                "name": "auto",
                "created_at": born,
                "status": "running",
                "last_active_at": born + (30 if used else 0),
                "memory_limit": "1g",
                "expires_after": {"anchor": "last_active_at", "minutes": 20},
            }
        )
        call = f"call-{number}"
        slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
        self.note("response.started", self.now - 3, call_id=call, slots=slots)
        self.note(
            "response.finished",
            self.now,
            call_id=call,
            response_id=f"resp_{number}",
            status="completed",
            created_at=self.now - 3,
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
        self.note(
            "writer.heartbeat",
            self.now,
            complete_through=self.now,
            last_sequence=self.sequence,
            in_flight=[],
            clock_offset=0.0,
            dropped=0,
        )

    def answer(self, request: Any) -> Any:
        """What the API answers."""
        self.calls[request.method] += 1
        if request.method == "DELETE":
            target = request.url.path.rsplit("/", 1)[-1]
            self.rows = [each for each in self.rows if each["id"] != target]
            return self._json({"id": target, "object": "container.deleted", "deleted": True})
        after = request.url.params.get("after")
        listed = self.rows[::-1]
        start = 0
        if after is not None:
            start = next(place for place, row in enumerate(listed) if row["id"] == after) + 1
        page = [self._aged(row) for row in listed[start : start + PAGE]]
        return self._json(
            {
                "object": "list",
                "data": page,
                "first_id": None,
                "last_id": None,
                "has_more": start + PAGE < len(listed),
            }
        )

    def _aged(self, row: dict[str, Any]) -> dict[str, Any]:
        expired = row["last_active_at"] + 1200 < self.now
        return {**row, "status": "expired" if expired else "running"}

    def _json(self, body: Any) -> Any:
        headers = {"content-type": "application/json", "date": formatdate(self.now, usegmt=True)}
        return HTTP.Response(200, content=json.dumps(body).encode(), headers=headers)


class Loop(asyncio.SelectorEventLoop):
    """An event loop on the world's clock."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def time(self) -> float:
        """The virtual moment."""
        return self._world.now


async def measure(world: World) -> None:
    """Run the hour and print the ratio."""
    for number in range(LISTED):
        world.now += 1
        world.rows.append(
            {
                "id": f"cntr_{number:048x}",
                "object": "container",
                "name": "auto",
                "created_at": int(world.now) - 7200,
                "status": "expired",
                "last_active_at": int(world.now) - 7200,
                "memory_limit": "1g",
                "expires_after": {"anchor": "last_active_at", "minutes": 20},
            }
        )
    rules = Rules(evidence=EvidenceRules(coverage="complete"))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        store = open_store(url)
        log = EventLog.open(url, clock=lambda: world.now)
        clock = HeaderClock(wall=lambda: world.now, monotonic=lambda: world.now)
        api = OpenAIContainers(
            Connection("openai", "http://bench.invalid/v1", "bench"),
            CallBudget(1_000_000),
            clock=clock,
            transport=HTTP.MockTransport(world.answer),
        )
        hooks = Telling(Metrics("bench", ["default"]), lambda _: ("default", 0.0, 0.0))
        target = Target("default", api, rules, Mode.ENFORCE)
        engine = Engine([target], log, store, hooks, RetentionRules())
        await engine.turn("default")
        bootstrap, world.calls["GET"] = world.calls["GET"], 0
        rival = await hour(world, engine, log, rules.watch.interval)
        await engine.stop()
        log.close()
        store.close()
    ours = world.calls["GET"]
    print(f"calls besides deletes in the hour: {ours}; listing everything each cycle: {rival}")
    print(f"  ratio {ours / rival:.4f}, goal <= {GOAL}; per cycle {ours / 360:.1f}")
    print(f"  deletes {world.calls['DELETE']}; the first full listing took {bootstrap} calls")


async def hour(world: World, engine: Engine, log: EventLog, interval: float) -> int:
    """One virtual hour; returns the pages that the rival would have read."""
    rng = random.Random(1)  # noqa: S311 - a workload, no secret
    rival = 0
    number = LISTED
    for _ in range(int(HOUR / interval)):
        for _ in range(int(BIRTHS_A_MINUTE * interval / 60)):
            world.now += 60 / BIRTHS_A_MINUTE
            number += 1
            world.born(number, used=rng.random() < TOOL_USE)
        world.beat()
        await asyncio.to_thread(log.append, world.events, appended_at=world.now)
        world.events = []
        if await engine.turn("default") is None:
            raise SystemExit("a cycle failed")
        rival += -(-len(world.rows) // PAGE)
    return rival


if __name__ == "__main__":
    set_up_logs("error")
    beginning = World(now=float(int(time.time())) - LISTED - HOUR)
    with asyncio.Runner(loop_factory=lambda: Loop(beginning)) as runner:
        runner.run(measure(beginning))
