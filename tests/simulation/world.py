"""One world from its beginning to its end."""

import asyncio
import gc
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.archive import Archive
from tests.simulation.daemon import Place, memory
from tests.simulation.faults import Dice
from tests.simulation.fulllog import FullLog
from tests.simulation.harbour import Harbour
from tests.simulation.life import Life
from tests.simulation.logbook import Office
from tests.simulation.loop import VirtualLoop
from tests.simulation.outside import befall, reap
from tests.simulation.retelling import told_of
from tests.simulation.server import Server
from tests.simulation.shape import Shape
from tests.simulation.story import tell
from tests.simulation.telling import write
from tests.simulation.truth import TARGETS
from tests.simulation.twin import Twin
from tests.simulation.watch import Broken, Noted, Watch

from demurrage.model.error import DemurrageError

# Seconds after the last fault until everything must be well again.
_HEALING = 90.0
_LOOKS = 3
_BETWEEN_LOOKS = 75.0


@dataclass(slots=True)
class Result:
    """What became of one world; `breach`: when the assumptions were first broken, if they were."""

    shape: Shape
    containers: int
    orphans: int
    counts: Counter[str]
    struck: Counter[str]
    broken: list[Broken]
    harmed: int
    seconds: float
    virtual: float
    trace: list[Noted] = field(default_factory=list)
    error: str = ""
    breach: float | None = None

    @property
    def failed(self) -> bool:
        """True when an invariant was broken, or the daemon fell over by a fault of its own."""
        return bool(self.broken or self.error)


def run(shape: Shape, *, telling: bool = False) -> Result:
    """Live through the world of a shape; with `telling` its trace is kept though all is well."""
    began = time.process_time()
    folder = Path(tempfile.mkdtemp(prefix="demurrage-world-", dir=memory()))
    loop = VirtualLoop()
    # Nearly all that a world makes it keeps to its end: looking for garbage finds none.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _live(shape, folder, loop, began, telling=telling)
    finally:
        loop.close()
        if collecting:
            gc.enable()
        shutil.rmtree(folder, ignore_errors=True)


def _live(shape: Shape, folder: Path, loop: VirtualLoop, began: float, *, telling: bool) -> Result:
    dice = Dice(shape.seed, shape.faults, shape.fury)
    story = tell(shape, dice)
    breach = befall(story, dice)
    births_end = max(made.born for made in story.made.values())
    dice.calm_from = births_end if shape.early_calm else story.over
    end = story.over + shape.calm
    post = write(story, dice, end)
    start = loop.time()
    place = Place(folder)
    targets = TARGETS[: shape.targets]
    harbours = {each: Harbour(story, each, dice, loop.agenda, start) for each in targets}
    archives = {each: Archive(story, each) for each in targets}
    reaped = reap(harbours, story, dice, loop.agenda, start)
    office = Office(post, dice, loop.agenda, start)
    watch = Watch(shape, story, office, loop.agenda, place.store)
    watch.alive = lambda each: any(
        harbour.alive(harbour.berths[each])
        for harbour in harbours.values()
        if each in harbour.berths
    )
    servers = {
        each: Server(harbours[each], archives[each], dice, loop.agenda, shape.page)
        for each in targets
    }
    dice.on_strike = watch.struck
    life = Life(
        shape,
        place,
        story=story,
        servers=servers,
        office=office,
        dice=dice,
        loop=loop,
        watch=watch,
    )
    for server in servers.values():
        server.refused = watch.refused
        server.on_send = watch.sending
        server.on_delete = watch.deleting
        server.local_clock = life.wall
    twins = {
        each: Twin(
            shape,
            each,
            harbour,
            watch,
            life=life,
            log=FullLog(story, post, archives),
            agenda=loop.agenda,
        )
        for each, harbour in harbours.items()
    }
    watch.at_delete = lambda made: twins[made.target].compare(made)
    # Where nothing goes wrong, it has to be well all the time.
    healthy = dice.calm_from + _HEALING if shape.faults else dice.calm_from / 3
    for look in range(_LOOKS):
        for twin in twins.values():
            loop.agenda.at(start + healthy + look * _BETWEEN_LOOKS, twin.foresee)
    try:
        loop.run_until_complete(life.go_on(until=end))
        watch.skipped(place.log)
        life.close()
        if ending := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(ending, timeout=60))
        error = "; ".join(
            f"{type(each).__name__}: {each}"
            for each in watch.failures
            if not isinstance(each, DemurrageError)
        )
    finally:
        watch.forget_books()
    return Result(
        shape,
        len(story.made),
        sum(1 for made in story.made.values() if not made.named and made.maker is not None),
        watch.counts,
        dice.struck,
        watch.broken,
        len(watch.harmed),
        time.process_time() - began,
        end,
        [*told_of(watch.broken, story, post), *watch.trace]
        if watch.broken or error or telling
        else [],
        error,
        min((each for each in (breach, reaped) if each is not None), default=None),
    )
