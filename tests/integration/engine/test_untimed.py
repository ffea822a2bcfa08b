"""An API whose answers tell no time: the daemon's own clock does not stand in for it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.integration.engine.conftest import Bench

from demurrage.engine.ports import ContainersApi, ProviderClock
from demurrage.model.condition import ConditionKind
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.resolution import Resolution


@dataclass
class LocalClock:
    """What a provider clock is before the first `Date` header; this machine's is an hour slow."""

    jumped: bool = False
    offset: float | None = None

    def now(self) -> float:
        """Local time."""
        return time.time() - 3600


@dataclass
class Untimed:
    """The API behind a proxy that takes `Date` out, for as long as `hidden`."""

    api: ContainersApi
    hidden: bool = True
    local: LocalClock = field(default_factory=LocalClock)

    @property
    def clock(self) -> ProviderClock:
        """The clock as it is known."""
        return self.local if self.hidden else self.api.clock

    async def read(self, regions: Sequence[Region]) -> Listing:
        """As it is."""
        return await self.api.read(regions)

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """As it is."""
        return await self.api.delete(container_id, hindrance)

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """As it is."""
        return await self.api.resolve(response_id, items=items)

    def affordable(self, seconds: float) -> int:
        """As it is."""
        return self.api.affordable(seconds)

    async def close(self) -> None:
        """As it is."""
        await self.api.close()


async def test_nothing_is_said_or_decided_until_the_providers_time_is_known(bench: Bench) -> None:
    """The word on coverage counts from its own moment, not from an hour before it."""
    proxies: list[Untimed] = []

    def hidden(api: ContainersApi) -> ContainersApi:
        proxies.append(Untimed(api))
        return proxies[-1]

    bench.api = hidden
    began = time.time()
    async with bench.engine() as running:
        outcome = await running.turn()
        assert not outcome.complete
        assert running.shown(ConditionKind.CLOCK_UNKNOWN)
        assert running.store.facts("default", began).coverage_since is None
        proxies[-1].hidden = False
        assert (await running.turn()).complete
        assert not running.shown(ConditionKind.CLOCK_UNKNOWN)
        since = running.store.facts("default", began).coverage_since
    assert since is not None
    assert since > began - 60
