from dataclasses import replace

import httpx2
from tests.unit.web.conftest import FakeEngine, client_of

from demurrage.model.rules import Rules, WatchRules
from demurrage.observe.metrics import CONTENT_TYPE
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service


async def test_just_started(client: httpx2.AsyncClient) -> None:
    """Before the first cycle the daemon is alive, but not ready."""
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert len(ready.json()["reasons"]) == 2


async def test_never_turned(service: Service) -> None:
    """A loop that never began to turn is not alive for long."""
    late = replace(service, started_at=service.started_at - 61)
    async with client_of(create_app(late, Doors())) as client:
        answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


async def test_turning(client: httpx2.AsyncClient, engine: FakeEngine) -> None:
    """While all targets turn completely, both probes say so."""
    engine.turn("default", ago=59)
    engine.turn("second")
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200


async def test_one_stands_still(client: httpx2.AsyncClient, engine: FakeEngine) -> None:
    """One target that stands still is enough for both to fail, and is named."""
    engine.turn("default")
    engine.turn("second", ago=61)
    for path in ("/healthz", "/readyz"):
        answer = await client.get(path)
        assert answer.status_code == 503
        assert [each.partition(":")[0] for each in answer.json()["reasons"]] == ["second"]


async def test_patience_follows_interval(service: Service, engine: FakeEngine) -> None:
    """A target that is looked at seldom gets six of its intervals."""
    slow = Rules(watch=WatchRules(interval=100))
    async with client_of(create_app(replace(service, rules={"default": slow}), Doors())) as client:
        engine.turn(ago=599)
        assert (await client.get("/healthz")).status_code == 200
        engine.turn(ago=601)
        assert (await client.get("/healthz")).status_code == 503


async def test_incomplete(client: httpx2.AsyncClient, engine: FakeEngine) -> None:
    """A cycle that did not see everything turns, but is not ready, and says why by name."""
    engine.turn("default")
    engine.turn("second", cycle={"complete": False}, conditions=[{"kind": "log_unreadable"}])
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "log_unreadable" in answer.json()["reasons"][0]


async def test_metrics(client: httpx2.AsyncClient) -> None:
    """Metrics come in the form that Prometheus reads."""
    answer = await client.get("/metrics")
    assert answer.text == "demurrage_up 1\n"
    assert answer.headers["content-type"] == CONTENT_TYPE
