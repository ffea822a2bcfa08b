"""Cycles that take longer than evidence may be old, and a process that stands still."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench
from tests.integration.engine.passing import Passing

from demurrage.engine.cycle import Outcome
from demurrage.engine.evidence import Reading
from demurrage.engine.ports import ContainersApi
from demurrage.engine.pulse import longest_pause
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


def series_of(outcome: Outcome) -> float:
    """Since when the log has been read without a break."""
    assert isinstance(outcome.picture.reading, Reading)
    return outcome.picture.reading.since


async def test_what_a_process_that_stood_still_took_no_part_in_is_waited_for(bench: Bench) -> None:
    """Its door was closed meanwhile, however long its interval; waiting for an answer is no such.

    When it ends, nothing beats any more.
    """
    bench.rules = replace(
        AT_ONCE,
        evidence=replace(AT_ONCE.evidence, max_event_delay=6.0),
        watch=WatchRules(interval=60.0, overlap=60.0),
    )
    bench.pause = longest_pause
    too_long = 1.3 * longest_pause([bench.rules])
    async with bench.engine() as running:
        first = series_of(await running.turn())
        await asyncio.sleep(too_long)
        assert abs(series_of(await running.turn()) - first) < too_long / 2
        time.sleep(too_long)  # noqa: ASYNC251 - that the loop stands still is the point
        assert series_of(await running.turn()) > first + 2 * too_long
    await asyncio.sleep(0)
    beating = [each for each in asyncio.all_tasks() if "_beat" in repr(each)]
    assert not beating
