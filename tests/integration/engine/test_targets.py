"""Two targets on one engine, one log and one store do not disturb each other."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.integration.engine.application import Application
from tests.integration.engine.conftest import (
    APP_KEY,
    AT_ONCE,
    DELETED,
    Bench,
)

from demurrage.engine.engine import Engine
from demurrage.engine.look import Target
from demurrage.eventlog.log import EventLog
from demurrage.model.condition import ConditionKind
from demurrage.model.plan import Mode
from demurrage.model.rules import RetentionRules
from demurrage.provider.budget import CallBudget
from demurrage.simulator.serve import HarbourServer
from demurrage.store import open_store

LEAKED = 4


async def test_a_faulty_target_keeps_no_other_from_being_swept(
    bench: Bench, harbours: Callable[[], HarbourServer]
) -> None:
    """One target's API is down and its writer has a gap; the other's orphans go all the same."""
    other = harbours()
    elsewhere = Bench(other, other.admin, bench.folder, AT_ONCE, hooks=bench.hooks)
    store = open_store(f"sqlite:///{bench.store_file}")
    log = EventLog.open(f"sqlite:///{bench.log_file}", clock=time.time)
    targets = [
        Target("default", bench.connect(CallBudget(10_000)), AT_ONCE, Mode.ENFORCE),
        Target("other", elsewhere.connect(CallBudget(10_000)), AT_ONCE, Mode.ENFORCE),
    ]
    engine = Engine(targets, log, store, bench.hooks, RetentionRules())

    async def send(batch: Any) -> None:
        await asyncio.to_thread(log.append, batch, appended_at=time.time())

    for target in targets:
        store.declare_coverage(target.name, at=time.time() - 3600)
    apps = [
        Application(bench.harbour.base_url, APP_KEY, send, target="default", source="app-1"),
        Application(other.base_url, APP_KEY, send, target="other", source="app-2"),
    ]
    try:
        async with apps[0].at_work(), apps[1].at_work():
            await asyncio.gather(*(engine.turn(target.name) for target in targets))
            kept = await apps[0].converse()
            await asyncio.gather(*(app.leak(LEAKED) for app in apps))
            elsewhere.admin.fault("html", "GET *")
            await until(engine, lambda: bench.totals()["deleted"] == LEAKED)
            assert DELETED not in elsewhere.called()
            kinds = {each["kind"] for each in engine.statuses["default"]["conditions"]}
            assert kinds == set()
            assert bench.hooks.stands(ConditionKind.NOT_JSON, "other")
            assert not bench.hooks.stands(ConditionKind.NOT_JSON, "default")
            elsewhere.admin.clear_faults()
            await until(engine, lambda: elsewhere.totals()["deleted"] == LEAKED)
            await apps[0].ask(use_tool=True, conversation=kept)
    finally:
        await engine.stop()
        log.close()
        store.close()
    for each in (bench, elsewhere):
        totals = each.totals()
        assert (totals["harm"], totals["orphans_deleted"]) == (0, LEAKED)


async def until(engine: Engine, true: Callable[[], bool]) -> None:
    """Turn all targets at once until something has come true."""
    end = time.monotonic() + 8.0
    while not true():
        assert time.monotonic() < end, engine.statuses
        await asyncio.gather(*(engine.turn(name) for name in engine.targets))
        await asyncio.sleep(0.15)
