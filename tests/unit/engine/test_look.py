"""What is read and decided while a clock cannot be trusted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Container as SetContainer
from dataclasses import dataclass, field

import pytest

from demurrage.decide.census import Census
from demurrage.engine.evidence import Evidence, Reading
from demurrage.engine.inventory import InventoryWatch
from demurrage.engine.look import Look, Picture, Target
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.event import Batch
from demurrage.model.facts import TargetFacts
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.plan import Mode
from demurrage.model.resolution import Resolution
from demurrage.model.rules import Rules

T = 1_800_000_000.0


@dataclass
class Clock:
    """A provider clock that is set by hand."""

    time: float = T
    jumped: bool = False
    offset: float | None = 0.0

    def now(self) -> float:
        """Provider time."""
        return self.time


@dataclass
class Api:
    """An API of no containers."""

    clock: Clock = field(default_factory=Clock)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """Nothing is listed."""
        return Listing(self.clock.now(), (), 0)

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """Nothing is there."""
        return DeleteAnswer(container_id, DeleteOutcome.ALREADY_GONE)

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """Not asked for here."""
        raise NotImplementedError

    def affordable(self, seconds: float) -> int:
        """As if there was no limit."""
        return int(seconds) + 1

    async def close(self) -> None:
        """Nothing is open."""


class EmptyLog:
    """A log that nobody writes to."""

    def read(self, after: int, limit: int) -> Batch:
        """No records, however many are asked for."""
        return Batch("log", ()[:limit], after, T)

    def floors(self) -> Mapping[str, int]:
        """Nothing was pruned."""
        return {}

    def appended_before(self, moment: float) -> int:
        """Nothing was appended."""
        return int(moment * 0)

    def prune(self, *, before: float, through: int, keep: SetContainer[int]) -> int:
        """Nothing to prune."""
        return len(()) if before or through in keep else 0


@dataclass
class SlowLog(EmptyLog):
    """A log during whose reading the process is stopped for a while."""

    clock: Clock
    seconds: float = 0.0

    def read(self, after: int, limit: int) -> Batch:
        """The log as it was before."""
        batch = super().read(after, limit)
        self.clock.time += self.seconds
        return batch


@dataclass
class Scene:
    """A look at a target without containers, on a clock set by hand."""

    api: Api = field(default_factory=Api)

    def __post_init__(self) -> None:
        target = Target("default", self.api, Rules(), Mode.ENFORCE)
        watch = InventoryWatch("default", self.api, Rules())
        watch.remember({}, bootstrapped=True)
        self.log = SlowLog(self.api.clock)
        self.look = Look(target, watch, Evidence(self.log, None, 30.0))

    async def judged(self, after: float = 0.0) -> Picture:
        """Look, so many seconds later."""
        await asyncio.sleep(after)
        self.api.clock.time += after
        return await self.look.judge(Census(T, {}, tail_finished=True), TargetFacts())


@pytest.mark.looptime
async def test_nothing_is_decided_by_a_clock_that_made_a_step() -> None:
    """Nor would events be taken for late, or for coming from the future."""
    scene = Scene()
    assert (await scene.judged()).decision is not None
    scene.api.clock.jumped = True
    assert (await scene.judged(10)).decision is None
    scene.api.clock.jumped = False
    assert (await scene.judged(10)).decision is not None


@pytest.mark.looptime
async def test_nothing_is_decided_by_the_local_clock() -> None:
    """It may be an hour ahead, and every start that is still under way would seem overdue."""
    scene = Scene()
    scene.api.clock.offset = None
    assert (await scene.judged()).decision is None
    scene.api.clock.offset = -3600.0
    assert (await scene.judged(10)).decision is not None


@pytest.mark.looptime
async def test_a_step_of_the_clock_breaks_the_series_of_readings() -> None:
    """The machine may have slept: what could not be delivered meanwhile is waited for."""
    scene = Scene()
    await scene.judged()
    reading = (await scene.judged(10)).reading
    assert isinstance(reading, Reading)
    assert reading.since == T
    scene.api.clock.jumped = True
    await scene.judged(10)
    scene.api.clock.jumped = False
    reading = (await scene.judged(10)).reading
    assert isinstance(reading, Reading)
    assert reading.since == T + 20


@pytest.mark.looptime
async def test_a_decision_speaks_of_the_moment_at_which_the_log_was_asked() -> None:
    """What was appended while the process was stopped is not in it, and was not waited for."""
    scene = Scene()
    scene.log.seconds = 60.0
    picture = await scene.judged()
    assert isinstance(picture.reading, Reading)
    assert picture.decision is not None
    assert picture.reading.read_at == picture.decision.now == T
