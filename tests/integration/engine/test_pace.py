"""Cycles that take longer than evidence may be old: nothing goes, and the daemon says why."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench
from tests.integration.engine.passing import Passing

from demurrage.engine.ports import ContainersApi
from demurrage.model.condition import ConditionKind
from demurrage.model.listing import Listing, Region
from demurrage.model.rules import WatchRules


@dataclass
class Slow(Passing):
    """The API with something slow behind it: what it lists is `delay` seconds old when it comes."""

    delay: float = 0.0

    async def read(self, regions: Sequence[Region]) -> Listing:
        """As it was a while ago."""
        listing = await super().read(regions)
        await asyncio.sleep(self.delay)
        return listing


async def test_cycles_too_slow_for_their_interval_keep_everything_and_say_so(bench: Bench) -> None:
    """Once listing is quick again, it goes."""
    slow: list[Slow] = []

    def slowed(api: ContainersApi) -> ContainersApi:
        slow.append(Slow(api))
        return slow[-1]

    bench.api = slowed
    bench.rules = replace(
        AT_ONCE, watch=WatchRules(interval=0.1, overlap=3.0, reconcile_interval=1.2)
    )
    async with bench.engine() as running:
        slow[-1].delay = 2 * bench.rules.watch.freshness
        async with running.application() as application:
            await application.leak(3)
            await running.turn_until(lambda: running.shown(ConditionKind.EVIDENCE_STALE))
            assert bench.totals()["deleted"] == 0
            assert DELETED not in bench.called()
            slow[-1].delay = 0.0
            await running.turn_until(lambda: bench.totals()["deleted"] == 3)
            await running.turn()
            assert not running.shown(ConditionKind.EVIDENCE_STALE)
