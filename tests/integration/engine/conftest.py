"""The engine on the real SDK, the harbour over HTTP, and a real database."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from openai import OpenAI
from tests.integration.engine.hooks import Recorded

from demurrage.engine.cycle import Outcome
from demurrage.engine.engine import Engine
from demurrage.engine.look import Target
from demurrage.eventlog.log import EventLog
from demurrage.model.plan import Mode
from demurrage.model.rules import (
    BillingRules,
    EvidenceRules,
    PolicyRules,
    RailRules,
    RetentionRules,
    Rules,
    WatchRules,
)
from demurrage.model.verdict import VerdictKind
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.connection import Connection
from demurrage.simulator.admin import HarbourAdmin
from demurrage.simulator.delivery import CloudEvent
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.writer import Writer
from demurrage.store import SqlStore, open_store

DAEMON_KEY = "sk-daemon"
APP_KEY = "sk-application"
SCALE = 100.0

# The shipped times, a hundred times faster, but for those that whole seconds bound.
RULES = Rules(
    evidence=EvidenceRules(
        coverage="complete",
        max_birth_delay=0.6,
        max_event_delay=0.3,
        clock_skew=0.2,
        writer_timeout=5.0,
        activity_tolerance=0.0,
    ),
    policy=PolicyRules(idle_after=0.5, sweep_lead=0.5),
    billing=BillingRules(minimum=3.0, tick=0.6, idle_expiry=12.0),
    watch=WatchRules(interval=0.3, overlap=3.0, reconcile_interval=1.2),
)


@dataclass
class Bench:
    """A harbour, a log, a store, and an engine that is turned by hand."""

    harbour: HarbourServer
    admin: HarbourAdmin
    folder: Path
    rules: Rules = RULES
    mode: Mode = Mode.ENFORCE
    hooks: Recorded = field(default_factory=Recorded)

    @property
    def url(self) -> str:
        """The database of store and log."""
        return f"sqlite:///{self.folder / 'demurrage.db'}"

    @property
    def client(self) -> OpenAI:
        """An application's client."""
        return OpenAI(base_url=self.harbour.base_url, api_key=APP_KEY, max_retries=0)

    @asynccontextmanager
    async def engine(self, *, calls_per_minute: int = 100_000) -> AsyncIterator["Running"]:
        """A started engine on this bench's state; several in turn are restarts."""
        store = open_store(self.url)
        log = EventLog.open(self.url, clock=time.time)
        api = OpenAIContainers(
            Connection("openai", self.harbour.base_url, DAEMON_KEY, timeout=2.0),
            CallBudget(calls_per_minute),
        )
        target = Target("default", api, self.rules, self.mode)
        engine = Engine([target], log, store, self.hooks, RetentionRules())
        try:
            yield Running(self, engine, store, log)
        finally:
            await engine.stop()
            log.close()
            store.close()

    def writer(self, log: EventLog) -> Writer:
        """A writer that appends straight to the log."""

        async def send(batch: Sequence[CloudEvent]) -> None:
            await asyncio.to_thread(log.append, batch, appended_at=time.time())

        return Writer(send, heartbeat=0.2)


@dataclass
class Running:
    """An engine under way."""

    bench: Bench
    engine: Engine
    store: SqlStore
    log: EventLog

    async def turn(self) -> Outcome:
        """One cycle that must not fail."""
        outcome = await self.engine.turn("default")
        assert outcome is not None, self.bench.hooks.failures
        return outcome

    async def turn_for(self, seconds: float) -> Outcome:
        """Cycles, one each interval, for so long."""
        end = time.monotonic() + seconds
        while True:
            outcome = await self.turn()
            if time.monotonic() >= end:
                return outcome
            await asyncio.sleep(self.bench.rules.watch.interval)

    def kinds(self, outcome: Outcome) -> dict[VerdictKind, int]:
        """Live containers by verdict."""
        assert outcome.picture.decision is not None, outcome.conditions
        kinds: dict[VerdictKind, int] = {}
        for verdict in outcome.picture.decision.verdicts.values():
            kinds[verdict.kind] = kinds.get(verdict.kind, 0) + 1
        return kinds

    def open_kinds(self) -> set[str]:
        """The conditions that `status` shows by name."""
        return {each["kind"] for each in self.engine.statuses["default"]["conditions"]}


@pytest.fixture
def harbour() -> Iterator[HarbourServer]:
    """A harbour a hundred times faster than life, that shows new containers at once."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=7)) as server:
        yield server


@pytest.fixture
def bench(harbour: HarbourServer, tmp_path: Path) -> Bench:
    """A bench with complete coverage in enforce mode."""
    return Bench(harbour, harbour.admin, tmp_path)


def with_rails(rules: Rules, **changes: object) -> Rules:
    """The same rules with other rails."""
    return replace(rules, rails=RailRules(**changes))  # type: ignore[arg-type]
