"""One daemon of a world: the real engine on the real store and log, which can end at any step."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.simulation.faults import Dice
from tests.simulation.keeper import Keeper
from tests.simulation.logbook import LogPort, Office
from tests.simulation.loop import WHOSE, KilledError, VirtualLoop
from tests.simulation.server import Server
from tests.simulation.shape import Shape
from tests.simulation.truth import EPOCH
from tests.simulation.watch import Watch
from tests.simulation.wires import ThinApi, over_sdk

from demurrage.app.service import FIRST_HOUSEKEEPING, HOUSEKEEPING
from demurrage.engine.engine import Engine
from demurrage.engine.look import Target
from demurrage.engine.ports import ContainersApi
from demurrage.eventlog.log import EventLog
from demurrage.model.error import AlreadyRunningError, DemurrageError
from demurrage.model.plan import Mode
from demurrage.model.rules import (
    EvidenceRules,
    PolicyRules,
    RailRules,
    RetentionRules,
    Rules,
    WatchRules,
)
from demurrage.provider.budget import CallBudget
from demurrage.provider.clock import HeaderClock
from demurrage.store import SqlStore, StoreLock, open_store

TIGHT = RailRules(max_deletes_per_hour=60, max_deletes_per_cycle=8)


def rules_of(shape: Shape) -> Rules:
    """The settings of a shape as the daemon takes them."""
    return Rules(
        evidence=EvidenceRules(coverage=shape.coverage, proof=shape.proof),  # type: ignore[arg-type]
        policy=PolicyRules(
            use_free_grace=shape.free_grace,
            idle_after=180.0 if shape.free_grace else 30.0,
            explicit="delete" if shape.ends > 0.5 else "keep",
        ),
        rails=replace(
            TIGHT if shape.tight_rails else RailRules(),
            max_deleted_share=shape.share_cap or None,
        ),
        watch=WatchRules(interval=shape.interval),
    )


def _retention(shape: Shape) -> RetentionRules:
    if not shape.retention:
        return RetentionRules()
    return RetentionRules(events=shape.retention, verdicts=shape.retention)


@lru_cache(maxsize=1)
def _template() -> Path:
    """A store and a log, made once a process: migrations take long."""
    folder = Path(tempfile.mkdtemp(prefix="demurrage-world-", dir=memory()))
    open_store(f"sqlite:///{folder / 'store.db'}", clock=lambda: EPOCH).close()
    EventLog.open(f"sqlite:///{folder / 'log.db'}", clock=lambda: EPOCH).close()
    return folder


def memory() -> str | None:
    """A folder whose commits cost no disk, where the machine has one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of one's own is made in it


class Place:
    """Where a world's store and log are; both are files, in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store.db"
        self.log = folder / "log.db"
        for name in ("store.db", "log.db", "store.db.stamp"):
            if (_template() / name).exists():
                shutil.copy(_template() / name, folder / name)


class Daemon:
    """A process: started, killed, stopped, or standing still. Mortal, as the loop sees it.

    `fuse` counts the calls to the outside that are left to it; `freeze` the seconds for which it
    will stand still at its next.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        place: Place,
        *,
        servers: Mapping[str, Server],
        office: Office,
        dice: Dice,
        loop: VirtualLoop,
        watch: Watch,
        wall: Callable[[], float],
    ) -> None:
        self.name = name
        self.tasks: list[asyncio.Task[Any]] = []
        self.fuse: int | None = None
        self.freeze = 0.0
        self.dead = False
        self.engine: Engine | None = None
        self.store: SqlStore | None = None
        self._shape = shape
        self._place = place
        self._servers = servers
        self._office = office
        self._dice = dice
        self._loop = loop
        self._watch = watch
        self._wall = wall
        self._lock: StoreLock | None = None
        self.log: EventLog | None = None
        self._work: list[asyncio.Task[None]] = []

    def reach(self, name: str) -> None:
        """A call to the outside begins: the process may end before it."""
        self._step(name)

    def leave(self, name: str) -> None:
        """A call to the outside is over: the process may end before it hears of it."""
        self._step(name)

    def _step(self, name: str) -> None:
        if self.freeze > 0 and not self.dead:
            seconds, self.freeze = self.freeze, 0.0
            self._loop.agenda.advance(self._loop.agenda.now + seconds)
        if self.dead:
            raise KilledError
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self._watch.note("killed", detail=f"{self.name} at {name}")
                self.kill()
                raise KilledError

    def start(self) -> bool:
        """Take the store over and begin to turn; False where another daemon has it."""
        lock = StoreLock(f"sqlite:///{self._place.store}")
        try:
            lock.acquire()
        except AlreadyRunningError:
            return False
        self._lock = lock
        self.store = open_store(f"sqlite:///{self._place.store}", lock=lock, clock=self._wall)
        self.log = EventLog.open(f"sqlite:///{self._place.log}", clock=self._wall)
        self.engine = Engine(
            self._targets(),
            LogPort(self.log, self._office, self._dice, self._wall, self._watch.read(self.name)),
            Keeper(self.store, self._dice, self._loop.time),
            self._watch.hooks(self.name),
            _retention(self._shape),
        )
        self._watch.started(self.name)
        token = WHOSE.set(self)
        try:
            jobs = (*map(self._turn, self._servers), *map(self._read, self._servers))
            self._work = [self._loop.create_task(each) for each in (*jobs, self._keep_house())]
        finally:
            WHOSE.reset(token)
        return True

    @property
    def fault(self) -> BaseException | None:
        """What ended it without being asked to, if anything did."""
        if self.dead:
            return None
        over = (each for each in self._work if each.done() and not each.cancelled())
        return next((error for each in over if (error := each.exception()) is not None), None)

    def affordable(self, target: str, seconds: float) -> int:
        """How many calls its budget would grant a target within so many seconds."""
        if self.engine is None:
            return 0
        return self.engine.targets[target].api.affordable(seconds)

    def _targets(self) -> list[Target]:
        """They are of one organisation, and share its calls."""
        budget = CallBudget(self._shape.requests_per_minute)
        rules, mode = rules_of(self._shape), Mode(self._shape.mode)
        return [Target(each, self._api(each, budget), rules, mode) for each in self._servers]

    def _api(self, target: str, budget: CallBudget) -> ContainersApi:
        clock, server = HeaderClock(self._wall, self._loop.time), self._servers[target]
        api: ContainersApi = (
            over_sdk(server, budget, clock, self._watch.retrieved)
            if self._shape.wire == "sdk"
            else ThinApi(server, budget, clock)
        )
        return self._watch.listening(self.name, target, api)

    async def _turn(self, target: str) -> None:
        """What the schedule does for a target: a cycle each interval."""
        assert self.engine is not None
        while True:
            began = self._loop.time()
            self._watch.turning(self.name, target)
            await self.engine.turn(target)
            elapsed = self._loop.time() - began
            await asyncio.sleep(max(0.01, self._shape.interval - elapsed))

    async def _keep_house(self) -> None:
        """What the schedule does for all of them, while they turn."""
        assert self.engine is not None
        await asyncio.sleep(FIRST_HOUSEKEEPING)
        while True:
            # The schedule says what failed, and tries again.
            with contextlib.suppress(DemurrageError):
                await self.engine.housekeep()
            await asyncio.sleep(HOUSEKEEPING)

    async def _read(self, target: str) -> None:
        """What the schedule does besides: known responses are read each interval."""
        assert self.engine is not None
        while True:
            await asyncio.sleep(self._shape.interval)
            await self.engine.resolve(target)

    def kill(self) -> None:
        """End at once, as by `kill -9`: nothing it does from here on reaches the outside."""
        if self.dead:
            return
        self.dead = True
        for task in self.tasks:
            if not task.done() and task is not _current(self._loop):
                task.cancel()
        self._let_go()

    async def stop(self) -> None:
        """End in order."""
        assert self.engine is not None
        await self.engine.drain()
        self.dead = True
        for each in self._work:
            each.cancel()
        self._let_go()

    def _let_go(self) -> None:
        """What the kernel does for a process that is gone."""
        for part in (self.log, self.store):
            if part is not None:
                part.close()
        if self._lock is not None:
            self._lock.release()


def _current(loop: asyncio.AbstractEventLoop) -> "asyncio.Task[Any] | None":
    return asyncio.current_task(loop) if asyncio._get_running_loop() is not None else None
