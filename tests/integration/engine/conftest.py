"""The engine on the real SDK, the harbour over HTTP, and a real database."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import structlog
from openai import OpenAI
from structlog.typing import EventDict
from tests.integration.engine.application import Application, ExactWriter
from tests.integration.engine.hooks import Recorded

from demurrage.engine import engine as engines
from demurrage.engine.cycle import Outcome
from demurrage.engine.engine import Engine
from demurrage.engine.log_ports import EventFeed
from demurrage.engine.look import Target
from demurrage.engine.ports import ContainersApi, Store
from demurrage.eventlog.log import EventLog
from demurrage.model.error import LogUnreadableError
from demurrage.model.plan import Mode
from demurrage.model.rules import (
    BillingRules,
    EvidenceRules,
    IncidentRules,
    PolicyRules,
    RailRules,
    RetentionRules,
    Rules,
    SpikeRules,
    WatchRules,
)
from demurrage.model.verdict import VerdictKind
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.provider.offset import OffsetBounds
from demurrage.simulator.admin import HarbourAdmin
from demurrage.simulator.calls import caller_of
from demurrage.simulator.delivery import CloudEvent
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.writer import Writer
from demurrage.store import SqlStore, StoreLock, open_store

DAEMON_KEY = "sk-daemon"
APP_KEY = "sk-application"
SCALE = 100.0

# The shipped times, a hundred times faster, but for those that whole seconds bound.
RULES = Rules(
    evidence=EvidenceRules(
        coverage="complete",
        max_birth_delay=0.6,
        max_event_delay=0.6,
        clock_skew=0.2,
        writer_timeout=5.0,
        activity_tolerance=0.0,
    ),
    policy=PolicyRules(idle_after=0.5, sweep_lead=1.2),
    billing=BillingRules(minimum=3.0, tick=0.6, idle_expiry=12.0),
    watch=WatchRules(interval=0.3, overlap=3.0, reconcile_interval=1.2),
)
# Time runs a hundred times faster here, but the machine's disk and processor do not: in seconds,
# for how long they may keep the engine waiting before that passes for a standstill.
PAUSE = 10.0
# The same without waiting for the floor: an orphan goes as soon as it is proven.
AT_ONCE = replace(RULES, policy=PolicyRules(idle_after=0.0, use_free_grace=False))
# Incidents that open at sight and end with the first look that does not see their condition.
AT_SIGHT = IncidentRules(patience=0.0, quiet=0.0)
LISTED, DELETED = "GET /v1/containers", "DELETE /v1/containers/{id}"
READ = frozenset({"GET /v1/responses/{id}", "GET /v1/responses/{id}/input_items"})


@dataclass
class Bench:
    """A harbour, a log, a store, and an engine that is turned by hand."""

    harbour: HarbourServer
    admin: HarbourAdmin
    folder: Path
    rules: Rules = RULES
    mode: Mode = Mode.ENFORCE
    hooks: Recorded = field(default_factory=Recorded)
    timeout: float = 2.0
    retention: RetentionRules = field(default_factory=RetentionRules)
    spikes: SpikeRules = field(default_factory=SpikeRules)
    api: Callable[[ContainersApi], ContainersApi] = lambda api: api
    keeper: Callable[[Store], Store] = lambda store: store
    feed: Callable[[EventLog], EventFeed | None] = lambda _: None
    server: str = ""
    pause: Callable[[Iterable[Rules]], float] = lambda _: PAUSE

    @property
    def store_url(self) -> str:
        """Where the store is: in its file, unless a database on a server is named."""
        return self.server or f"sqlite:///{self.store_file}"

    @property
    def log_url(self) -> str:
        """Where the event log is."""
        return self.server or f"sqlite:///{self.log_file}"

    @property
    def store_file(self) -> Path:
        """The database of the store."""
        return self.folder / "demurrage.db"

    @property
    def log_file(self) -> Path:
        """The database of the event log."""
        return self.folder / "events.db"

    @property
    def client(self) -> OpenAI:
        """An application's client."""
        return OpenAI(base_url=self.harbour.base_url, api_key=APP_KEY, max_retries=0)

    @asynccontextmanager
    async def engine(
        self, *, calls_per_minute: int = 100_000, lock: StoreLock | None = None
    ) -> AsyncIterator["Running"]:
        """A started engine on this bench's state; several in turn are restarts."""
        store = open_store(self.store_url, lock=lock)
        log = EventLog.open(self.log_url, clock=time.time)
        api = self.connect(CallBudget(calls_per_minute))
        target = Target("default", api, self.rules, self.mode)
        with patch.object(engines, "longest_pause", self.pause):
            engine = Engine(
                [target],
                log,
                self.keeper(store),
                self.hooks,
                self.retention,
                feed=self.feed(log),
                incidents=AT_SIGHT,
                spikes=self.spikes,
            )
        try:
            yield Running(self, engine, store, log)
        finally:
            await engine.stop()
            log.close()
            store.close()

    def connect(self, budget: CallBudget) -> ContainersApi:
        """A client of the harbour with the daemon's key."""
        return self.api(
            OpenAIContainers(
                Connection("openai", self.harbour.base_url, DAEMON_KEY, timeout=self.timeout),
                budget,
                clock=exact_clock(),
            )
        )

    def called(self) -> dict[str, int]:
        """The daemon's own calls so far, by method and path."""
        counts: dict[str, int] = self.admin.calls(0)["by_caller"].get(caller_of(DAEMON_KEY), {})
        return counts

    def cases(self) -> dict[str, dict[str, Any]]:
        """The truth of every container."""
        return {each["id"]: each for each in self.admin.truth()["containers"]}

    def totals(self) -> dict[str, Any]:
        """The truth in figures."""
        totals: dict[str, Any] = self.admin.truth(containers=False)["totals"]
        return totals

    def writer(self, log: EventLog) -> Writer:
        """A writer that appends straight to the log."""

        async def send(batch: Sequence[CloudEvent]) -> None:
            await asyncio.to_thread(log.append, batch, appended_at=time.time())

        return ExactWriter(send, heartbeat=0.2)


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

    async def read_until(self, true: Callable[[], bool], seconds: float = 50.0) -> None:
        """Cycles and rounds of reading responses, until something has come true."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, json.dumps(self.engine.statuses, indent=1)
            await self.turn()
            await self.engine.resolve("default")
            await asyncio.sleep(self.bench.rules.watch.interval / 2)

    async def turn_for_failing(self, seconds: float) -> None:
        """Cycles for so long, whether they fail or not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.engine.turn("default")
            await asyncio.sleep(self.bench.rules.watch.interval)

    async def turn_until(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        """Cycles, failed ones too, until something has come true."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, json.dumps(
                [
                    self.engine.statuses,
                    [repr(each) for each in self.bench.hooks.failures],
                    self.bench.totals(),
                ],
                indent=1,
            )
            await self.engine.turn("default")
            await asyncio.sleep(self.bench.rules.watch.interval / 2)

    @asynccontextmanager
    async def application(self, **options: Any) -> AsyncIterator[Application]:
        """A logging application; the operator gave the word on coverage long ago."""
        await asyncio.to_thread(self.store.declare_coverage, "default", at=time.time() - 3600)

        async def send(batch: Sequence[CloudEvent]) -> None:
            # What the log cannot take now is offered again.
            try:
                await asyncio.to_thread(self.log.append, batch, appended_at=time.time())
            except LogUnreadableError as error:
                raise OSError from error

        application = Application(self.bench.harbour.base_url, APP_KEY, send, **options)
        async with application.at_work():
            yield application

    def shown(self, kind: str) -> bool:
        """True when a condition stands in status, hooks and metrics alike."""
        return kind in self.open_kinds() and self.bench.hooks.stands(kind)

    def kept_open(self) -> set[str]:
        """The kinds of the incidents that the store holds open."""
        return {each.condition.kind for each in self.store.open_incidents("default")}

    def kinds(self, outcome: Outcome) -> dict[VerdictKind, int]:
        """Live containers by verdict."""
        assert outcome.picture.decision is not None, outcome.conditions
        kinds: dict[VerdictKind, int] = {}
        for verdict in outcome.picture.decision.verdicts.values():
            kinds[verdict.kind] = kinds.get(verdict.kind, 0) + 1
        return kinds

    def open_kinds(self) -> set[str]:
        """The conditions that `status` shows by name."""
        status = self.engine.statuses.get("default", {"conditions": []})
        return {each["kind"] for each in status["conditions"]}


def exact_clock() -> HeaderClock:
    """A provider clock that knows what it would learn from many answers.

    A `Date` is whole seconds, which are a long time where time runs a hundred times faster.
    """
    clock = HeaderClock()
    ahead = time.time() - time.monotonic()
    known = OffsetBounds(ahead - 0.01, ahead + 0.01, time.monotonic())
    clock._known = known
    return clock


@pytest.fixture
def harbours() -> Iterator[Callable[[], HarbourServer]]:
    """Opens harbours a hundred times faster than life, that show new containers at once."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    servers: list[HarbourServer] = []
    with ExitStack() as stack:

        def opened() -> HarbourServer:
            servers.append(
                stack.enter_context(HarbourServer(Harbour(settings, seed=7 + len(servers))))
            )
            return servers[-1]

        yield opened
        for server in servers:
            counts = server.admin.calls(0)["by_caller"].get(caller_of(DAEMON_KEY), {})
            allowed = {LISTED, DELETED, *READ}
            assert set(counts) <= allowed, "of containers the daemon may list and delete, no more"


@pytest.fixture
def harbour(harbours: Callable[[], HarbourServer]) -> HarbourServer:
    """One of them."""
    return harbours()


@pytest.fixture
def bench(harbour: HarbourServer, tmp_path: Path) -> Bench:
    """A bench with complete coverage in enforce mode."""
    return Bench(harbour, harbour.admin, tmp_path)


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[EventDict]]:
    """The log lines of the test."""
    with structlog.testing.capture_logs() as captured:
        yield captured


def with_rails(rules: Rules, **changes: object) -> Rules:
    """The same rules with other rails."""
    return replace(rules, rails=RailRules(**changes))  # type: ignore[arg-type]
