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
from demurrage.model.floor import Floor
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.plan import Mode
from demurrage.model.resolution import Resolution
from demurrage.model.rules import Rules

T = 1_800_000_000.0


@dataclass(eq=False)
class Clock:
    """A provider clock that is set by hand."""

    time: float = T
    jumped: bool = False
    offset: float | None = 0.0
    steps: int = 0
    doubt: float = 0.5

    @property
    def trusted(self) -> bool:
        """Measured, and in no doubt."""
        return self.offset is not None and not self.jumped

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

    def floors(self) -> Mapping[str, Floor]:
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
    steps: int = 0

    def read(self, after: int, limit: int) -> Batch:
        """The log as it was before."""
        batch = super().read(after, limit)
        self.clock.time += self.seconds
        self.clock.steps += self.steps
        return batch


@dataclass
class Scene:
    """A look at a target without containers, on a clock set by hand."""

    api: Api = field(default_factory=Api)

    def __post_init__(self) -> None:
        target = Target("default", self.api, Rules(), Mode.ENFORCE)
        watch = InventoryWatch("default", self.api, Rules())
        watch.remember({}, bootstrapped=True, foot=None)
        self.log = SlowLog(self.api.clock)
        self.evidence = Evidence(self.log, None, 30.0)
        self.look = Look(target, watch, self.evidence)

    async def judged(self, after: float = 0.0) -> Picture:
        """Look, so many seconds later."""
        await asyncio.sleep(after)
        self.api.clock.time += after
        return await self.look.judge(Census(T, {}, tail_finished=True), TargetFacts())

    async def read(self, after: float = 0.0) -> Reading:
        """Look, so many seconds later, and tell how the log was read."""
        reading = (await self.judged(after)).reading
        assert isinstance(reading, Reading)
        return reading


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
@pytest.mark.parametrize("settled", [True, False])
async def test_a_step_of_the_clock_breaks_the_series_of_readings(*, settled: bool) -> None:
    """The machine may have slept: what could not be delivered meanwhile is waited for.

    Also where the answers of one look have settled it before the log was read.
    """
    scene = Scene()
    assert [(await scene.read(after)).since for after in (0, 10)] == [T, T]
    scene.api.clock.jumped, scene.api.clock.steps = not settled, 1
    assert (await scene.read(10)).since == T + 20
    scene.api.clock.jumped = False
    assert (await scene.read(10)).since == T + 20


@pytest.mark.looptime
async def test_a_step_while_the_log_is_read_breaks_the_series_after_that_reading() -> None:
    """The machine may have slept when the log had been asked, and had not answered yet."""
    scene = Scene()
    assert (await scene.read()).since == T
    scene.log.steps = 1
    assert (await scene.read(10)).since == T
    scene.log.steps = 0
    assert [(await scene.read(10)).since for _ in range(2)] == [T + 20, T + 20]


@pytest.mark.looptime
async def test_a_step_is_noticed_by_each_clock_on_its_own() -> None:
    """Two targets share the log; what one's answers have not told yet, the other's may."""
    scene, other = Scene(), Clock()
    evidence = scene.evidence
    await scene.read()
    await evidence.read(other)
    scene.api.clock.steps = 1
    assert (await scene.read(10)).since == T + 10
    other.time, other.steps = T + 20, 1
    await asyncio.sleep(10)
    reading = await evidence.read(other)
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
