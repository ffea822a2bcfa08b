"""An API whose answers tell no time: the daemon's own clock does not stand in for it."""

import math
import time
from dataclasses import dataclass, field, replace

import pytest
from tests.integration.engine.conftest import Bench
from tests.integration.engine.passing import Passing
from tests.integration.engine.test_known import begin

from demurrage.engine.cycle import Cycle
from demurrage.engine.ports import ContainersApi, ProviderClock
from demurrage.model.condition import ConditionKind


@dataclass(eq=False)
class LocalClock:
    """What a provider clock is before the first `Date` header; this machine's is an hour slow."""

    jumped: bool = False
    trusted: bool = False
    offset: float | None = None
    steps: int = 0
    doubt: float = math.inf

    def now(self) -> float:
        """Local time."""
        return time.time() - 3600


@dataclass
class Untimed(Passing):
    """The API behind a proxy that takes `Date` out, for as long as `hidden`."""

    hidden: bool = True
    local: LocalClock = field(default_factory=LocalClock)

    @property
    def clock(self) -> ProviderClock:
        """The clock as it is known."""
        return self.local if self.hidden else self.api.clock


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


async def test_a_cycle_that_cannot_judge_reads_no_response_for_it(bench: Bench) -> None:
    """A cycle waits for what it reads, and without the time that serves no verdict."""
    bench.api = Untimed
    async with bench.engine() as running, running.application() as app:
        await begin(app)
        assert not (await running.turn()).complete
    assert not bench.hooks.lookups


@pytest.mark.parametrize("gone", [False, True], ids=["partial", "removed"])
async def test_a_word_that_nobody_gives_is_taken_back_whatever_the_time_is(
    bench: Bench,
    gone: bool,  # noqa: FBT001 - by name
) -> None:
    """While the time is unknown, too; given again, it counts from then.

    So it is for a target that the settings call partial, and for one that they do not have.
    """
    name, complete, apart = "elsewhere" if gone else "default", bench.rules, bench.rules.evidence
    async with bench.engine() as running:
        running.store.declare_coverage(name, at=time.time() - 3600)
        if not gone:
            bench.rules = replace(complete, evidence=replace(apart, coverage="partial"))
    bench.api = Untimed
    async with bench.engine() as running:
        assert not (await running.turn()).complete
        assert running.store.facts(name, 0.0).coverage_since is None
    bench.rules, bench.api, again = complete, lambda api: api, time.time()
    async with bench.engine() as running:
        assert (await running.turn()).complete
        since = running.store.facts("default", 0.0).coverage_since
    assert since is not None
    assert since > again - 1


async def test_nothing_is_decided_before_it_is_known_whether_the_store_went_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock may come to be trusted between the two."""

    async def later(_: Cycle) -> None:
        """Not yet."""

    async with bench.engine() as running:
        with monkeypatch.context() as patched:
            patched.setattr(Cycle, "_settle_in", later)
            assert not (await running.turn()).complete
        assert (await running.turn()).complete


@pytest.mark.parametrize(
    ("trusted", "doubt", "tells"),
    [(True, 1.2, True), (True, 1.3, False), (False, 0.5, False), (False, math.inf, False)],
)
async def test_writers_are_told_the_time_only_where_it_is_known_well(
    bench: Bench, doubt: float, *, trusted: bool, tells: bool
) -> None:
    """One that believes a wrong time dates what it tells of its requests wrongly."""
    clock = LocalClock(trusted=trusted, doubt=doubt, offset=0.0 if trusted else None)
    bench.api = lambda api: Untimed(api, local=clock)
    async with bench.engine() as running:
        told = running.engine.provider_time("default")
        assert (told is not None) is tells
        assert told is None or abs(told - clock.now()) < 60
        assert running.engine.provider_time("no such target") is None
