"""A daemon's face with a real store and a real log behind it, and an engine that only pretends."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from tests.unit.eventlog.conftest import make

from demurrage.eventlog.log import EventLog
from demurrage.model.plan import Mode
from demurrage.model.rules import Rules
from demurrage.model.webhook import WebhookOutcome
from demurrage.provider.budget import BudgetSnapshot
from demurrage.store import SqlStore, open_store
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service

NOW = 1_800_000_000.0
WEBHOOK_SECRET = "whsec_" + b64encode(b"a secret of the provider's").decode()
JSON = {"Content-Type": "application/json"}
ONE = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


@dataclass
class FakeEngine:
    """What the face sees of an engine."""

    statuses: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    turned_at: dict[str, float] = field(default_factory=dict)
    missed: int = 0
    times: dict[str, float] = field(default_factory=dict)

    def provider_time(self, target: str) -> float | None:
        """See Wheel."""
        return self.times.get(target)

    def miss(self) -> None:
        """An event could not be taken in."""
        self.missed += 1

    def turn(self, target: str = "default", *, ago: float = 0.0, **changes: Any) -> None:
        """A cycle of the target has ended so many seconds ago."""
        self.turned_at[target] = asyncio.get_running_loop().time() - ago
        self.statuses[target] = {
            "target": target,
            "mode": Mode.OBSERVE,
            "cycle": {"complete": True, "began_at": NOW - 1, "ended_at": NOW, "seconds": 1.0},
            "conditions": [],
            **changes,
        }


@pytest.fixture
def engine() -> FakeEngine:
    """An engine that has not turned yet."""
    return FakeEngine()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """An empty store whose own clock stands at NOW."""
    with open_store(f"sqlite:///{tmp_path}/store.sqlite", clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    """An empty log."""
    opened = EventLog.open(f"sqlite:///{tmp_path}/log.sqlite", clock=lambda: NOW, busy_timeout=0.05)
    yield opened
    opened.close()


@pytest.fixture
def webhooks() -> list[tuple[str, WebhookOutcome]]:
    """What became of the webhooks that came."""
    return []


@pytest.fixture
async def service(
    engine: FakeEngine, store: SqlStore, log: EventLog, webhooks: list[tuple[str, WebhookOutcome]]
) -> Service:
    """A daemon that has just started, with two targets."""
    return Service(
        engine=engine,
        store=store,
        log=log,
        rules={"default": Rules(), "second": Rules()},
        mode=Mode.OBSERVE,
        version="1.2.3",
        started_at=asyncio.get_running_loop().time(),
        clock=lambda: NOW,
        budget=lambda _target: BudgetSnapshot(60, 60, 7, 0),
        exposition=lambda: b"demurrage_up 1\n",
        on_webhook=lambda target, outcome: webhooks.append((target, outcome)),
        webhook_secrets={"default": SecretStr(WEBHOOK_SECRET)},
    )


def client_of(app: FastAPI, **options: Any) -> httpx2.AsyncClient:
    """A client that speaks to the application as one on this machine would."""
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:9470", **options)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a daemon on loopback without tokens."""
    async with client_of(create_app(service, Doors())) as opened:
        yield opened


Events = Callable[[int], list[dict[str, Any]]]


@pytest.fixture
def events() -> Events:
    """The maker of so many events of one writer."""
    return lambda count: [make(id=f"event-{n}", sequence=n) for n in range(1, count + 1)]
