"""The real engine over a world in memory: store and log on SQLite, pager, budget and SDK client."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.world import World

from demurrage.engine.cycle import Outcome
from demurrage.engine.engine import Engine
from demurrage.engine.look import Target
from demurrage.eventlog.log import EventLog
from demurrage.model.plan import Mode
from demurrage.model.rules import RetentionRules, Rules
from demurrage.observe.metrics import Metrics
from demurrage.observe.telling import Telling
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.client import HTTP
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.store import open_store
from demurrage.store.sqlstore import SqlStore

CONNECTION = Connection("openai", "http://bench.invalid/v1", "bench")


@dataclass(frozen=True, slots=True)
class Running:
    """An engine at work. `worlds` are its targets' APIs, by name."""

    worlds: dict[str, World]
    engine: Engine
    log: EventLog
    store: SqlStore

    async def tell(self, name: str = "default") -> None:
        """The writer of a target sends what it has, and says that this is all."""
        world = self.worlds[name]
        world.beat()
        for batch in world.told():
            await asyncio.to_thread(self.log.append, batch, appended_at=world.moment())

    async def turn(self, name: str = "default") -> Outcome:
        """One cycle.

        Raises:
            RuntimeError: it failed, and the figures would be worth nothing.
        """
        outcome = await self.engine.turn(name)
        if outcome is None or not outcome.complete:
            said = None if outcome is None else outcome.conditions
            raise RuntimeError(f"a cycle failed: {self.engine.statuses.get(name)} {said}")
        return outcome


@asynccontextmanager
async def running(
    worlds: dict[str, World], rules: Rules, *, requests_per_minute: float = 1_000_000
) -> AsyncIterator[Running]:
    """Run an engine over these worlds, one target each, on the clock of the first."""
    clock = next(iter(worlds.values())).moment
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        store = open_store(url)
        log = EventLog.open(url, clock=clock)
        budget = CallBudget(requests_per_minute)
        targets = [
            Target(
                name,
                OpenAIContainers(
                    CONNECTION,
                    budget,
                    clock=HeaderClock(wall=clock, monotonic=clock),
                    transport=HTTP.MockTransport(world.answer),
                ),
                rules,
                Mode.ENFORCE,
            )
            for name, world in worlds.items()
        ]
        hooks = Telling(Metrics("bench", list(worlds)), lambda _: ("default", 0.0, 0.0))
        engine = Engine(targets, log, store, hooks, RetentionRules())
        try:
            yield Running(worlds, engine, log, store)
        finally:
            await engine.stop()
            log.close()
            store.close()
