"""A preview is told the time by the API, and watches events, as the cycle is that it foretells."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.integration.engine.conftest import AT_ONCE, DAEMON_KEY, Bench
from tests.integration.engine.passing import Passing

from demurrage.app.preview import preview
from demurrage.engine.look import Target
from demurrage.engine.ports import ProviderClock
from demurrage.model.listing import Listing, Region
from demurrage.model.plan import Mode
from demurrage.model.verdict import VerdictKind
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection


class HourAhead:
    """This machine's clock, on which the daemon has to rely until an answer tells the time."""

    jumped = False
    trusted = False
    offset = None
    steps = 0
    doubt = math.inf

    def now(self) -> float:
        """An hour too much."""
        return time.time() + 3600


@dataclass
class ToldByListing(Passing):
    """An API whose time is known once it has listed."""

    told: bool = False

    @property
    def clock(self) -> ProviderClock:
        """The clock as it is known."""
        return self.api.clock if self.told else HourAhead()

    async def read(self, regions: Sequence[Region]) -> Listing:
        """List, and learn the time by it."""
        listing = await self.api.read(regions)
        self.told = True
        return listing


async def test_a_protection_is_not_over_by_a_clock_that_is_ahead(bench: Bench) -> None:
    """One that lasts for ten minutes stands, though this machine's clock is past its end."""
    # Under partial coverage a preview waits for no events, so it looks once only.
    bench.rules = replace(AT_ONCE, evidence=replace(AT_ONCE.evidence, coverage="partial"))
    bench.admin.seed(live=1, live_age=[60.0, 70.0])
    (container,) = bench.cases()
    async with bench.engine() as running:
        running.store.protect("default", container, time.time() + 600, "ops")
        api = ToldByListing(bench.connect(CallBudget(1000)))
        target = Target("default", api, bench.rules, Mode.ENFORCE)
        try:
            shown = await preview(target, running.log, running.store)
        finally:
            await api.close()
        assert shown.verdicts[container].kind is VerdictKind.PROTECTED


async def test_events_are_watched_without_a_break_though_readings_lie_far_apart(
    bench: Bench,
) -> None:
    """Between two of them the process waits, and does not stand still."""
    bench.rules = replace(
        AT_ONCE,
        evidence=replace(AT_ONCE.evidence, max_event_delay=1.5),
        watch=replace(AT_ONCE.watch, interval=1.0),
    )
    async with bench.engine() as running, running.application() as app:
        await app.leak(1)
        await asyncio.sleep(bench.rules.evidence.max_event_delay)
        target = Target("default", bench.connect(CallBudget(1000)), bench.rules, Mode.ENFORCE)
        try:
            shown = await preview(target, running.log, running.store)
        finally:
            await target.api.close()
    assert [each.container_id for each in shown.plan.deletes] == list(bench.cases())


async def test_a_clock_that_is_off_takes_some_looks_more(bench: Bench) -> None:
    """One answer is not believed against it, but a person who asks is answered all the same."""
    bench.rules = replace(AT_ONCE, evidence=replace(AT_ONCE.evidence, coverage="partial"))
    bench.admin.seed(live=1, live_age=[60.0, 70.0])
    off = HeaderClock(lambda: time.time() - 40)
    api = OpenAIContainers(
        Connection("openai", bench.harbour.base_url, DAEMON_KEY), CallBudget(1000), clock=off
    )
    async with bench.engine() as running:
        target = Target("default", api, bench.rules, Mode.ENFORCE)
        try:
            shown = await preview(target, running.log, running.store)
        finally:
            await api.close()
    assert list(shown.verdicts) == list(bench.cases())
    assert abs(shown.at - time.time()) < 20
