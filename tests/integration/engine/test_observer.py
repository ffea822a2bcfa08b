"""A watcher must not raise the bill: when listing itself refreshes activity, it ends."""

import asyncio
import time
from dataclasses import replace

from tests.integration.engine.conftest import AT_ONCE, LISTED, Bench, Running
from tests.integration.engine.test_api_faults import named_everywhere
from tests.integration.engine.test_rails import held_by, say_yes

from demurrage.model.condition import ConditionKind
from demurrage.model.plan import Rail

RAIL, KIND = Rail.OBSERVER_EFFECT, ConditionKind.OBSERVER_EFFECT


async def listed_meanwhile(running: Running, seconds: float) -> int:
    """How many listings were asked for in so many seconds of cycles."""
    before = running.bench.called()[LISTED]
    await running.turn_for(seconds)
    return running.bench.called()[LISTED] - before


async def test_listing_that_refreshes_activity_is_noticed_and_stopped(bench: Bench) -> None:
    """No list until a person resumes, and none before what it kept alive has expired."""
    bench.rules = replace(
        AT_ONCE,
        # Unused and unlogged, they are to be kept; and listing is to be seldom enough.
        watch=replace(AT_ONCE.watch, interval=1.1, reconcile_interval=1.0),
        billing=replace(AT_ONCE.billing, idle_expiry=6.0),
    )
    bench.admin.settings(idle_expiry=600.0)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await asyncio.gather(*(app.ask(logged=False) for _ in range(12)))
        bench.admin.settings(list_refreshes_activity=True)
        await running.turn_until(lambda: named_everywhere(running, KIND), 25.0)
        noticed = time.monotonic()
        assert await listed_meanwhile(running, 2.0) == 0
    # A restart does not forget it.
    async with bench.engine() as running:
        assert await listed_meanwhile(running, 1.0) == 0
        assert running.shown(KIND)
        bench.admin.settings(list_refreshes_activity=False)
        say_yes(running, RAIL)
        assert await listed_meanwhile(running, 1.0) == 0
        await running.turn_until(lambda: held_by(running, RAIL) is None)
        listed = bench.called()[LISTED]
        await running.turn_until(lambda: bench.called()[LISTED] > listed, 10.0)
        assert time.monotonic() - noticed >= bench.rules.billing.idle_expiry - 0.5
        await running.turn()
        assert not running.open_kinds() & {KIND, ConditionKind.INVENTORY_PARTIAL}
        assert bench.totals()["live"] == 0  # nothing kept them alive
    assert bench.totals()["deleted"] == 0
