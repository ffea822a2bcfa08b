"""Reading the event log to its end, and noticing when it went back in time.

One ledger serves all targets. It is read after the inventory, so that references are the
fresher of the two. Starting anew, it is folded from the first event that retention has left.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Claim
from demurrage.decide.source import Source
from demurrage.engine.log_ports import EventFeed, EventReader
from demurrage.engine.ports import ProviderClock
from demurrage.engine.pulse import Pulse
from demurrage.model.error import LogUnreadableError
from demurrage.model.event import Batch
from demurrage.model.gathering import Gathered
from demurrage.model.record import Cursor

# Records folded before the event loop gets its turn.
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """The log was read to its end as of `read_at`, without a break since `since`.

    Both are when the last of it was asked for: the process may have been stopped before it went
    on with the answer, and what was appended meanwhile is not in it.
    """

    read_at: float
    since: float
    records: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The log could not be read to its end; nothing may be decided.

    `behind`: nothing is wrong, but what waits to be read takes longer than one look.
    """

    detail: str
    behind: bool = False


class Evidence:
    """The folded log, and how fresh it is.

    Args:
        reader: the log.
        remembered: how far the store says that the log was read before.
        patience: seconds for which the process may stand still within a series of readings.
        claims: by target, what was decided before the process began, as far as that was recorded.
        feed: where events lie that are not in the log yet, if anywhere. It is emptied into
            the log before each reading, or the log would not be read to its end.

    `dead` holds the sources whose processes the feed last proved dead. `setbacks` counts how
    often the log turned out to have gone back in time or been replaced. `pulse` is for the owner
    to begin and to end: without it only readings tell that the process did not stand still.
    """

    def __init__(
        self,
        reader: EventReader,
        remembered: Cursor | None,
        patience: float,
        feed: EventFeed | None = None,
        claims: Mapping[str, Claim] | None = None,
    ) -> None:
        self._reader = reader
        self._feed = feed
        self._remembered = remembered
        self._position = 0
        self._generation: str | None = None
        # On the event loop's clock, which no step of a wall clock moves.
        self._since: float | None = None
        self._begun = False
        self._read_to: Cursor | None = None
        # What had been counted when the log was last read, of steps by each target's clock.
        self._pauses = 0
        self._steps: dict[ProviderClock, int] = {}
        self._claims = dict(claims or {})
        self.ledger = Ledger()
        self.lock = asyncio.Lock()
        self.pulse = Pulse(patience)
        self.setbacks = 0
        self.dead: frozenset[str] = frozenset()

    async def read(self, clock: ProviderClock) -> Reading | Unreadable:
        """Read to the end. Call with the lock held.

        A standstill of the process breaks the series of readings, and so does a step of the
        clock, also one that was settled since, for this machine may have slept: what writers
        could not deliver meanwhile is still to come.
        """
        self.dead = frozenset()
        try:
            began = self._asked(clock)
            gathered = await self._gather()
            if not gathered.whole:
                self._since = None
                return Unreadable(_behind(gathered.left), behind=True)
            records, asked = await self._to_the_end(clock)
            if self._feed is not None:
                # What was put into a file since then is not in it.
                asked = began
        except LogUnreadableError as error:
            self._since = None
            return Unreadable(str(error))
        if asked.pauses != self._pauses or asked.steps != self._steps.get(clock, 0):
            self._since = None
        self._pauses, self._steps[clock] = asked.pauses, asked.steps
        self.dead = gathered.dead
        self._since = asked.ticks if self._since is None else self._since
        if self._generation is not None:
            self._read_to = Cursor(self._generation, self._position, asked.now)
        return Reading(asked.now, asked.now - (asked.ticks - self._since), records)

    @property
    def cursor(self) -> Cursor | None:
        """How far the log was last read to its end, None before the first time."""
        return self._read_to

    def claim(self, target: str, claim: Claim) -> None:
        """Remember what a decision took for true, to judge by it the starts that are read later."""
        at = claim._replace(position=self._position)
        self._claims[target] = at.following(self._claims.get(target))

    def claimed(self, target: str) -> Claim | None:
        """What decisions have taken for true; to be kept once the last of them is recorded."""
        return self._claims.get(target)

    async def _gather(self) -> Gathered:
        if self._feed is None:
            return Gathered(whole=True)
        return await asyncio.to_thread(self._feed.gather)

    def _asked(self, clock: ProviderClock) -> "_Asked":
        """Now."""
        ticks = self.pulse.feel()
        return _Asked(ticks, clock.now(), self.pulse.pauses, clock.steps)

    async def _to_the_end(self, clock: ProviderClock) -> tuple[int, "_Asked"]:
        """How many records came, and when the last were asked for."""
        if not self._begun:
            await self._begin()
            self._begun = True
        records = 0
        while True:
            asked = self._asked(clock)
            batch = await asyncio.to_thread(self._reader.read, self._position, BATCH)
            if await self._replaced(batch):
                continue
            self._generation = batch.generation
            with self._unbroken():
                self.ledger.fold(batch.records, self._claims_at(asked.now))
            self._position = batch.cursor
            records += len(batch.records)
            if len(batch.records) < BATCH:
                return records, asked

    async def _begin(self) -> None:
        """Compare the log with what the store remembers of it, and take over its floors.

        A log that was set back may have grown past the remembered position since, so the
        record at that very position is asked for.
        """
        self.ledger.start_from(await asyncio.to_thread(self._reader.floors))
        cursor = self._remembered
        if cursor is None:
            return
        batch = await asyncio.to_thread(self._reader.read, cursor.position, 1)
        if batch.generation != cursor.generation or batch.cursor < cursor.position:
            self.setbacks += 1
            self._claims.clear()
        self._remembered = None

    def _claims_at(self, read_at: float) -> dict[str, Claim]:
        """What was decided, for what is read at a moment."""
        return {target: claim._replace(read_at=read_at) for target, claim in self._claims.items()}

    async def _replaced(self, batch: Batch) -> bool:
        """True when the log is another one, or shorter, than it was: fold it from the start."""
        same = self._generation is None or batch.generation == self._generation
        if same and batch.cursor >= self._position:
            return False
        floors = await asyncio.to_thread(self._reader.floors)
        self.setbacks += 1
        self._drop()
        # What was decided was decided on another log.
        self._claims.clear()
        self.ledger.start_from(floors)
        return True

    def _drop(self) -> None:
        """Let go of all that was folded, to fold it from the start."""
        self.ledger = Ledger()
        self._position = 0
        self._generation = None
        self._since = None

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        """Work on the ledger, and drop it if that breaks off.

        An event of which half is in passes for held, and its other half would never come.
        """
        try:
            yield
        except BaseException:
            self._drop()
            self._begun = False
            raise

    async def forget(
        self,
        target: str,
        before: float,
        needed: frozenset[str],
        unknown: float,
        *,
        oldest: float,
    ) -> None:
        """Let go of a target's evidence that can bear on nothing alive; see `Book.forget`."""
        async with self.lock:
            with self._unbroken():
                self.ledger.forget(target, before, needed, unknown, oldest=oldest)

    async def forget_writers(
        self, left: Callable[[Source], bool], before: float, retention: float, unknown: float
    ) -> None:
        """Let go of writers that have left; what they said may go from the log, too.

        Args:
            left: tells whom nobody waits for any more.
            before: who spoke later stays, in provider time.
            retention: what was appended later than this moment stays in the log.
            unknown: bound in seconds on the offset of a clock that has not been reported.
        """
        async with self.lock:
            through = await asyncio.to_thread(self._reader.appended_before, retention)
            with self._unbroken():
                self.ledger.forget_writers(left, before, min(through, self._position), unknown)

    async def writers(self) -> frozenset[str] | None:
        """All that the log speaks of; None while it is not read to its end."""
        async with self.lock:
            return None if self._since is None else frozenset(self.ledger.sources)

    async def prune(self, before: float) -> int:
        """Apply retention to the log; what the ledger still holds stays."""
        async with self.lock:
            keep = self.ledger.held_positions()
            through = self._position
        return await asyncio.to_thread(
            partial(self._reader.prune, before=before, through=through, keep=keep)
        )

    async def tidy(self, over: Callable[[str], bool]) -> None:
        """Let the feed remove what is done with; never while it is being read."""
        if self._feed is None:
            return
        async with self.lock:
            await asyncio.to_thread(self._feed.tidy, over)


@dataclass(frozen=True, slots=True)
class _Asked:
    """When something was asked for: by the loop, by a clock, and after how many breaks.

    One that comes while the answer is awaited is found to be new by the next reading.
    """

    ticks: float
    now: float
    pauses: int
    steps: int


def _behind(left: int) -> str:
    return f"event files are still being read, about {left} bytes are left; this takes some cycles"
