"""Spikes of orphans on the real engine: found from verdicts, told with causes, over in time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from tests.integration.engine.application import Application
from tests.integration.engine.conftest import AT_ONCE, Bench, Running

from demurrage.model.condition import ConditionKind, Severity
from demurrage.model.incident import Incident
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import WHOLE, Scope, SpikeNews, Tally
from demurrage.simulator.logged import CallFailed

# Windows of seconds, on a past of minutes.
HASTY = SpikeRules(
    fast_window=10.0,
    fast_confirm=5.0,
    slow_window=60.0,
    slow_confirm=20.0,
    min_containers=5,
    false_alarm_every=1000.0,
    baseline=3600.0,
    baseline_lag=60.0,
    baseline_minimum=600.0,
    settle_within=20.0,
    quiet=1.0,
)
FAST = ConditionKind.ORPHAN_RATE_FAST


def _a_quiet_past(running: Running) -> None:
    """The daemon has watched for a quarter of an hour in which one in twenty was an orphan."""
    now = time.time()
    last = int(now // HASTY.bin)
    bins = {number: Tally(20, {"1g": 1}) for number in range(last - 15, last)}
    scope = Scope(now - 1000.0, now, bins=bins, binned=int(last * HASTY.bin / HASTY.grain))
    news = SpikeNews((), {WHOLE: scope}, {WHOLE: bins}, frozenset(), 0.0, 0)
    running.store.save_spikes("default", news, grain=HASTY.grain, width=HASTY.bin)


@contextlib.asynccontextmanager
async def _leaking(app: Application) -> AsyncIterator[None]:
    """Requests that need no container, without end."""

    async def leak() -> None:
        while True:
            await app.leak(4)

    task = asyncio.create_task(leak())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, CallFailed):
            await task


def _incident(running: Running) -> Incident:
    (found,) = (each for each in running.store.open_incidents() if each.condition.kind is FAST)
    return found


async def test_a_leak_is_found_told_and_over(bench: Bench) -> None:
    """It opens one incident with its causes, which a restart does not end, and its end does."""
    bench.rules, bench.spikes = AT_ONCE, HASTY
    async with bench.engine() as running, running.application(source="chat") as app:
        _a_quiet_past(running)
        await running.turn()
        await asyncio.gather(*(app.ask(use_tool=True) for _ in range(6)))
        await running.turn_for(2.0)
        assert FAST not in running.open_kinds()
        async with _leaking(app):
            await running.turn_until(lambda: FAST in running.kept_open(), 60.0)
        found = _incident(running)
    assert found.condition.severity is Severity.PAGE
    assert found.condition.usd_per_hour is not None
    assert found.condition.usd_per_hour > 0
    causes = {each.dimension: each for each in found.condition.causes}
    assert (causes["writer"].value, causes["writer"].share) == ("chat", 1.0)
    assert causes["model"].value == "gpt-5"
    assert causes["context"].value == "input alone"
    async with bench.engine() as running, running.application(source="chat again"):
        await running.turn()
        assert _incident(running).id == found.id
        await running.turn_until(lambda: FAST not in running.kept_open(), 60.0)
    assert bench.hooks.opened.count(FAST) == 1
