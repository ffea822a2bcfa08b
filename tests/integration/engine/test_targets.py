"""Two targets on one engine, one log and one store do not disturb each other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.integration.engine.application import Application
from tests.integration.engine.conftest import (
    APP_KEY,
    AT_ONCE,
    DELETED,
    Bench,
)
from tests.integration.engine.test_store_faults import Returning, forget_the_present

from demurrage.engine.engine import Engine
from demurrage.engine.look import Target
from demurrage.eventlog.log import EventLog
from demurrage.model.condition import ConditionKind
from demurrage.model.error import StoreFailedError
from demurrage.model.facts import BreakKind
from demurrage.model.plan import Mode, Rail
from demurrage.model.rules import RetentionRules
from demurrage.provider.budget import CallBudget
from demurrage.simulator.serve import HarbourServer
from demurrage.store import SqlStore, StoreLock, open_store

LEAKED = 4


async def test_a_faulty_target_keeps_no_other_from_being_swept(
    bench: Bench, harbours: Callable[[], HarbourServer]
) -> None:
    """One target's API is down and its writer has a gap; the other's orphans go all the same."""
    elsewhere = other_bench(bench, harbours())
    async with both(bench, elsewhere) as (engine, store, log):

        async def send(batch: Any) -> None:
            await asyncio.to_thread(log.append, batch, appended_at=time.time())

        apps = [
            Application(each.harbour.base_url, APP_KEY, send, target=name, source=f"{name}-1")
            for name, each in (("default", bench), ("other", elsewhere))
        ]
        for name in engine.targets:
            store.declare_coverage(name, at=time.time() - 3600)
        async with apps[0].at_work(), apps[1].at_work():
            await asyncio.gather(*(engine.turn(name) for name in engine.targets))
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
    for each in (bench, elsewhere):
        totals = each.totals()
        assert (totals["harm"], totals["orphans_deleted"]) == (0, LEAKED)


async def test_a_restore_that_one_comes_upon_has_all_begin_anew(
    bench: Bench, harbours: Callable[[], HarbourServer]
) -> None:
    """The older copy lacks what the cycles of the others have written since, the word included."""
    lock = Returning(bench.store_url)
    async with both(bench, other_bench(bench, harbours()), lock) as (engine, store, _):
        for name in engine.targets:
            await engine.turn(name)
            assert store.facts(name, 0.0).coverage_since is not None
        store.withdraw_coverage(())
        store.declare_coverage("elsewhere", at=1.0)
        forget_the_present(store)
        lock.lost = True
        with pytest.raises(StoreFailedError):
            store.keep()
        for name in engine.targets:
            await engine.turn(name)
            assert [each.rail for each in store.holds(name)] == [Rail.STORE_RESTORED]
            assert store.facts(name, 0.0).coverage_since is not None
        # What the copy remembers of a word that these settings do not give.
        assert store.facts("elsewhere", 0.0).coverage_since is None


async def test_a_project_that_is_two_targets_is_noticed(bench: Bench) -> None:
    """Two keys of one project: what one target's applications make has no maker in the other.

    What lives no more is no sign of it, or it would outlast its cure.
    """
    bench.admin.settings(delete_lag=[0.0, 0.0])
    async with both(bench, bench) as (engine, store, _):
        own = bench.client.containers.create(name="own")
        for name in (*engine.targets, *engine.targets):
            await engine.turn(name)
        for name in engine.targets:
            (found,) = store.facts(name, 0.0).breaks
            assert found.kind is BreakKind.SHARED_PROJECT
        bench.client.containers.delete(own.id)
        for name in (*engine.targets, *engine.targets):
            await engine.turn(name)
            store.confirm_coverage(name, time.time(), "ann")
        for name in engine.targets:
            await engine.turn(name)
            assert store.facts(name, 0.0).breaks == ()


def other_bench(bench: Bench, harbour: HarbourServer) -> Bench:
    """A second target's harbour, beside the first's store, log and hooks."""
    return Bench(harbour, harbour.admin, bench.folder, AT_ONCE, hooks=bench.hooks)


@asynccontextmanager
async def both(
    bench: Bench, elsewhere: Bench, lock: StoreLock | None = None
) -> AsyncIterator[tuple[Engine, SqlStore, EventLog]]:
    """An engine of two targets, with its store and its log."""
    store = open_store(bench.store_url, lock=lock)
    log = EventLog.open(bench.log_url, clock=time.time)
    targets = [
        Target(name, each.connect(CallBudget(10_000)), AT_ONCE, Mode.ENFORCE)
        for name, each in (("default", bench), ("other", elsewhere))
    ]
    engine = Engine(targets, log, store, bench.hooks, RetentionRules())
    try:
        yield engine, store, log
    finally:
        await engine.stop()
        log.close()
        store.close()


async def until(engine: Engine, true: Callable[[], bool]) -> None:
    """Turn all targets at once until something has come true."""
    end = time.monotonic() + 8.0
    while not true():
        assert time.monotonic() < end, engine.statuses
        await asyncio.gather(*(engine.turn(name) for name in engine.targets))
        await asyncio.sleep(0.15)
