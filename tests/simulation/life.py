"""What befalls the daemons of a world: death, standstill, clocks, restores, and a person's help."""

import asyncio
import shutil
import sqlite3
from collections.abc import Mapping
from functools import partial
from math import inf
from pathlib import Path

from tests.simulation.daemon import Daemon, Place
from tests.simulation.faults import Dice
from tests.simulation.logbook import Office
from tests.simulation.loop import VirtualLoop
from tests.simulation.outside import outside
from tests.simulation.server import Server
from tests.simulation.shape import Shape
from tests.simulation.truth import EPOCH, Story
from tests.simulation.watch import Watch

from demurrage.engine.resuming import resume
from demurrage.model.container import Sighting
from demurrage.model.error import DemurrageError
from demurrage.model.event import Record
from demurrage.model.floor import Floor
from demurrage.store import SqlStore

_BEAT = 10.0  # seconds between two throws of the dice
_ROUND = 120.0  # seconds between two looks of the person
_PATIENCE = 60.0  # seconds after which the person answers a hold
_COVERAGE_SINCE = -3600.0  # seconds before the world's beginning


class Life:
    """Keeps one daemon at work, and troubles it."""

    def __init__(
        self,
        shape: Shape,
        place: Place,
        *,
        story: Story,
        servers: Mapping[str, Server],
        office: Office,
        dice: Dice,
        loop: VirtualLoop,
        watch: Watch,
    ) -> None:
        self._shape = shape
        self._place = place
        self._story = story
        self._servers = servers
        self._office = office
        self._dice = dice
        self._loop = loop
        self._watch = watch
        self._began = loop.time()
        self._chance = dice.of("life")
        self._step = 0.0
        self._names = 0
        self._stopping: asyncio.Task[None] | None = None
        self._restart_at = inf
        self._until = inf
        self._copies: dict[str, Path] = {}
        self.daemon: Daemon | None = None

    @property
    def now(self) -> float:
        """Seconds since the world began."""
        return self._loop.time() - self._began

    def wall(self) -> float:
        """The daemon's own clock, which is ahead and can be set."""
        return EPOCH + self.now + 3.5 + self._step

    async def go_on(self, *, until: float) -> None:
        """Live until the end; from some moment on without new faults."""
        self._until = until
        self._start()
        agenda = self._loop.agenda
        agenda.at(agenda.now + _BEAT, self._beat)
        agenda.at(agenda.now + _ROUND, self._round)
        for hand in self._story.hands:
            if hand.retired < until:
                agenda.at(self._began + hand.retired, partial(self._retire, hand.name))
        await asyncio.sleep(until - self.now)

    def rows(self, target: str) -> dict[str, Sighting]:
        """A target's containers as the daemon knows them; a row that lied once stays so."""
        daemon = self.daemon
        if daemon is None or daemon.dead or daemon.store is None:
            return {}
        since = EPOCH + self.now - 5000
        return daemon.store.sightings(target, alive_or_born_after=since)

    def log_since(self, after: int) -> list[Record] | None:
        """All that the log holds past a position, None while no daemon runs.

        To be asked once nothing befalls the log any more: a restored one begins anew.
        """
        daemon = self.daemon
        if daemon is None or daemon.dead or daemon.log is None:
            return None
        records: list[Record] = []
        while (batch := daemon.log.read(after, 5000)).records:
            assert batch.cursor > after
            records += batch.records
            after = batch.cursor
        return records

    def floors(self) -> Mapping[str, Floor]:
        """How far the log that lies there has been forgotten, by source."""
        daemon = self.daemon
        return {} if daemon is None or daemon.log is None else daemon.log.floors()

    def close(self) -> None:
        """Let everything go at the end of the world."""
        self._until = -inf
        if self.daemon is not None:
            if self.daemon.fault is not None:
                self._watch.failures.append(self.daemon.fault)
            self.daemon.kill()

    def _start(self) -> None:
        """Start a daemon, if none runs."""
        self._restart_at = inf
        daemon = self._made()
        if not daemon.start():
            self._restart_at = self._loop.time() + 5
            return
        self.daemon = daemon
        if self._names == 1 and self._shape.coverage == "complete" and daemon.store is not None:
            for each in self._servers:
                daemon.store.declare_coverage(each, at=EPOCH + _COVERAGE_SINCE)

    def _made(self) -> Daemon:
        self._names += 1
        return Daemon(
            f"daemon-{self._names}",
            self._shape,
            self._place,
            servers=self._servers,
            office=self._office,
            dice=self._dice,
            loop=self._loop,
            watch=self._watch,
            wall=self.wall,
        )

    def _beat(self) -> None:
        """One throw of every die."""
        agenda = self._loop.agenda
        if self.now >= self._until:
            return
        agenda.at(agenda.now + _BEAT, self._beat)
        self._dice.calm = self.now >= self._dice.calm_from
        if self.daemon is None or self.daemon.dead:
            if self._restart_at == inf:
                waits = self._dice.on("second_daemon")
                self._restart_at = agenda.now + (0 if waits else self._chance.uniform(0, 60))
            if agenda.now >= self._restart_at:
                self._start()
            return
        if self._dice.strikes("second_daemon") and self._made().start():
            self._watch.breaks("one_acts", None, "a second daemon could start")
        self._trouble(self.daemon)

    def _trouble(self, daemon: Daemon) -> None:
        strikes, chance = self._dice.strikes, self._chance
        if strikes("crash_at_step"):
            daemon.fuse = chance.randint(0, 60)
        if strikes("freeze"):
            daemon.freeze = min(chance.uniform(5, 300), self._dice.calm_from - self.now)
            self._watch.note("freezes", detail=f"{daemon.freeze:.0f} s")
        if strikes("wall_step"):
            self._step += chance.choice([-1, 1]) * chance.choice([0.5, 5, 60, 7200])
            self._watch.note("wall clock set", detail=f"{self._step:.1f}")
        if strikes("crash_at_time"):
            self._watch.note("killed", detail=daemon.name)
            daemon.kill()
        elif strikes("stop") and self._stopping is None:
            self._watch.note("stopped", detail=daemon.name)
            self._stopping = self._loop.create_task(self._stop(daemon))
        elif "store" in self._copies and strikes("store_restored"):
            self._restore("store", self._place.store, daemon)
        elif "log" in self._copies and strikes("log_restored"):
            self._restore("log", self._place.log, daemon)
        for what, path in (("store", self._place.store), ("log", self._place.log)):
            if self._dice.on(f"{what}_restored") and chance.random() < 0.1:
                self._copy(what, path)

    async def _stop(self, daemon: Daemon) -> None:
        await daemon.stop()
        self._stopping = None

    def _copy(self, what: str, path: Path) -> None:
        """Put a copy by, as a backup does."""
        copy = path.with_suffix(".copy")
        copy.unlink(missing_ok=True)
        with sqlite3.connect(path) as source, sqlite3.connect(copy) as sink:
            source.backup(sink)
        source.close()
        sink.close()
        self._copies[what] = copy

    def _restore(self, what: str, path: Path, daemon: Daemon) -> None:
        """Put the older copy back, while no daemon runs."""
        copy = self._copies[what]
        daemon.kill()
        self._watch.note(f"{what} restored")
        self._watch.forget_books()
        self._watch.forget_done()
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(copy, path)
        if what == "log":
            self._office.lost_since_copy(path)
        else:
            # Of holds that the copy does not have nobody can be asked.
            self._watch.standing.clear()

    def _retire(self, name: str) -> None:
        store = self.daemon.store if self.daemon is not None and not self.daemon.dead else None
        if store is None:
            agenda = self._loop.agenda
            agenda.at(agenda.now + 30, partial(self._retire, name))
            return
        store.retire_writer(name, EPOCH + self.now, "ops")
        self._watch.note("retired", name)

    def _round(self) -> None:
        """The person looks, and answers what waits for an answer."""
        agenda = self._loop.agenda
        if self.now < self._until:
            agenda.at(agenda.now + _ROUND, self._round)
        if self.daemon is None or self.daemon.dead or self.daemon.store is None:
            return
        if outside(self._shape):  # the daemon alone is looked at
            return
        try:
            for target in self._servers:
                self._answer(self.daemon.store, target)
        except (DemurrageError, ValueError) as error:
            self._watch.note("person failed", detail=str(error))

    def _answer(self, store: SqlStore, target: str) -> None:
        now = EPOCH + self.now
        for hold in store.holds(target):
            if hold.resumed_at is None and hold.opened_at < now - _PATIENCE:
                resume(store, hold, now=now, until=now + 900, by="ops")
                self._watch.standing.pop(hold.id, None)
                self._watch.note("resumed", detail=f"{hold.rail} {hold.id}")
        if store.facts(target, now).breaks:
            store.confirm_coverage(target, now, "ops")
            self._watch.note("coverage confirmed", detail=target)
