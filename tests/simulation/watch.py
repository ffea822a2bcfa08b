"""The invariants, by name, checked at every delete and at everything the daemon tells.

What the daemon may do is judged when a delete leaves it, by what it could know then; what it did,
when the delete arrives, which may be much later. Each name stands for one of the promises of
docs/architecture.md; `INVARIANTS` says which.
"""

import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from tests.simulation.faults import FAULTS
from tests.simulation.hooks import Listener
from tests.simulation.logbook import Office
from tests.simulation.loop import Agenda
from tests.simulation.shape import Shape
from tests.simulation.truth import Made, Story

from demurrage.engine.ports import ContainersApi
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.event import Batch
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.rules import RailRules
from demurrage.model.verdict import VerdictKind

INVARIANTS = {
    "no_harm": "no container is deleted that a response in flight, or a later one, uses",
    "reference_kept": "no container with a live reference is deleted",
    "maker_done": "no orphan is deleted before the log tells that its maker is done",
    "watermark_passed": "no delete before the log is complete past the container's birth",
    "whole_inventory": "no delete after a listing that fell short",
    "verdict_allows": "no delete without a verdict that allows it",
    "caps_hold": "no more deletes than the rails allow, and none while one is tripped",
    "written_first": "no delete without an intent and a verdict in the store",
    "once_only": "no delete of what a delete is known to have ended",
    "refused_told": "deleted: false is told as such",
    "live": "what is provable goes, once services are healthy",
    "observe_silent": "observing deletes nothing",
    "worse_log_keeps": "what a worse log lets go, the full one does too",
    "nothing_skipped": "the reader folds every record of the log",
    "one_acts": "one daemon acts on a store at a time",
    "never_retrieved": "no container is retrieved",
}
_ALLOWING = (VerdictKind.ORPHAN, VerdictKind.RELEASED)
# Of the hour in which the rails count intents; a delete waits up to a minute before it leaves.
_MOST_OF_AN_HOUR = 3540.0
_TRACE = 60_000


@dataclass(frozen=True, slots=True)
class Broken:
    """One breach of an invariant."""

    name: str
    at: float
    container: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of a trace."""

    at: float
    what: str
    about: str | None
    detail: str


class Watch:
    """Sees everything, and knows the truth."""

    def __init__(
        self, shape: Shape, story: Story, office: Office, agenda: Agenda, store: Path
    ) -> None:
        self.shape = shape
        self.story = story
        self.broken: list[Broken] = []
        self.trace: deque[Noted] = deque(maxlen=_TRACE)
        self.counts: Counter[str] = Counter()
        self.listed: Counter[str] = Counter()
        self.began: dict[str, float] = {}
        self.standing: dict[str, str] = {}
        self.verdicts: dict[str, VerdictKind] = {}
        self.harmed: set[str] = set()
        self.refused: set[str] = set()
        self.failures: list[BaseException] = []
        self.alive: Callable[[str], bool] = lambda _container: True
        self.at_delete: Callable[[Made], None] = lambda _made: None
        self._office = office
        self._agenda = agenda
        self._began = agenda.now
        self._store = store
        self._books: sqlite3.Connection | None = None
        self._done: set[str] = set()
        self._looked_at: dict[str, float] = {}
        self._whole: set[tuple[str, str]] = set()
        self._positions: dict[str, set[int]] = {}
        self._read_to = 0
        self._recent: dict[str, deque[tuple[float, str]]] = defaultdict(deque)
        self._in_cycle: dict[str, set[str]] = defaultdict(set)
        self._of_newborn: dict[str, set[str]] = defaultdict(set)
        self._acting = ""

    @property
    def now(self) -> float:
        """Seconds since the world began."""
        return self._agenda.now - self._began

    def held(self, target: str) -> bool:
        """True while a hold of a target waits for a person."""
        return target in self.standing.values()

    @property
    def swept(self) -> int:
        """How many deletes have met a container that was alive."""
        return self.counts["deletes"] - self.counts["deletes of the gone"]

    def note(self, what: str, about: str | None = None, detail: str = "") -> None:
        """Add a line to the trace."""
        self.trace.append(Noted(self.now, what, about, detail))

    def struck(self, fault: str) -> None:
        """A fault strikes; what befalls single rows and lines would be too much to tell."""
        if FAULTS[fault].where in ("weather", "life", "store", "call"):
            self.note("fault", detail=fault)

    def breaks(self, name: str, container: str | None, detail: str) -> None:
        """Record a breach."""
        assert name in INVARIANTS
        self.note(f"BROKEN {name}", container, detail)
        self.broken.append(Broken(name, self.now, container, detail))

    # what happens to the daemon

    def started(self, name: str) -> None:
        """A daemon has taken the store over."""
        self.note("started", detail=name)
        self._acting = name
        self._positions[name] = set()
        self.forget_books()

    def forget_books(self) -> None:
        """The store's file is another now."""
        if self._books is not None:
            self._books.close()
        self._books = None

    def turning(self, name: str, target: str) -> None:
        """A cycle begins."""
        self.counts["cycles"] += 1
        self.began[target] = self.now
        self._in_cycle[target].clear()
        self._acting = name

    def retrieved(self, what: str) -> None:
        """The daemon sent what it must never send."""
        self.breaks("never_retrieved", None, what)

    def read(self, name: str) -> Callable[[int, Batch], None]:
        """Where a daemon's readings of the log are told."""

        def told(after: int, batch: Batch) -> None:
            if batch.cursor < after:
                self._positions[name] = set()
                self._read_to = 0
                return
            self._positions[name].update(each.position for each in batch.records)
            self._read_to = batch.cursor

        return told

    def skipped(self, log: Path) -> None:
        """Compare what the last daemon has read with what the log holds, up to where it read."""
        with sqlite3.connect(log) as books:
            held = {row[0] for row in books.execute("SELECT position FROM event_log")}
        books.close()
        read = self._positions.get(self._acting, set())
        missing = {each for each in held - read if each <= self._read_to}
        if missing:
            self.breaks("nothing_skipped", None, f"{len(missing)} records were never read")

    def listening(self, name: str, target: str, api: ContainersApi) -> ContainersApi:
        """A target's API, with what its listings came to and which deletes leave noted."""
        watch, here = self, (name, target)

        class Heard:
            def __getattr__(self, what: str) -> Any:
                return getattr(api, what)

            async def read(self, regions: Sequence[Region]) -> Listing:
                watch._whole.discard(here)
                if "observer_effect" in watch.shape.faults:
                    watch.note("listed")
                listing = await api.read(regions)
                if listing.failure is None:
                    watch._whole.add(here)
                else:
                    watch.counts["failed listings"] += 1
                    watch.note("listing failed", detail=str(listing.failure.kind))
                return listing

            async def delete(
                self, container_id: str, hindrance: Callable[[], Failure | None]
            ) -> DeleteAnswer:
                # What an earlier delete was answered is nothing that this one has to tell.
                watch.refused.discard(container_id)

                def asked() -> Failure | None:
                    hindered = hindrance()
                    if hindered is None:
                        watch.leaving(name, container_id)
                    return hindered

                return await api.delete(container_id, asked)

        heard: Any = Heard()
        return heard  # type: ignore[no-any-return]  # a proxy is all that it proxies

    def hooks(self, name: str) -> Listener:
        """What one daemon tells of itself."""
        return Listener(name, self)

    def concluded(self, container: str, outcome: DeleteOutcome) -> None:
        """The daemon takes a delete for ended."""
        self.note("concluded", container, outcome)
        self.counts[f"deletes {outcome.value}"] += 1
        # The answer may have been lost on its way.
        told = outcome in (DeleteOutcome.REFUSED, DeleteOutcome.UNCERTAIN)
        if container in self.refused and not told:
            self.breaks("refused_told", container, f"told as {outcome}")
        if outcome.done:
            self._done.add(container)

    def forget_done(self) -> None:
        """The store is older than what was deleted."""
        self._done.clear()

    # deletes on their way

    def leaving(self, name: str, container: str) -> None:
        """A daemon has asked for the last time whether a delete may go: it does."""
        made, kind = self.story.made[container], self.verdicts.get(container)
        self.note("sent", container, f"verdict {kind}")
        self._looked_at[container] = self.now
        self._by_rule(name, made, kind)
        if self.alive(container):
            self._by_log(made, kind)
        self._capped(made, self._written(container))
        self.at_delete(made)

    def sending(self, container: str) -> None:
        """A delete leaves: right after a last look, which serves for no other."""
        if self._looked_at.pop(container, -inf) != self.now:
            self.breaks("written_first", container, "it left without a last look")

    def deleting(self, container: str) -> None:
        """A delete has arrived."""
        self.counts["deletes"] += 1
        self.note("DELETE", container)
        self._by_truth(self.story.made[container])

    def _by_rule(self, name: str, made: Made, kind: VerdictKind | None) -> None:
        if self.shape.mode == "observe":
            self.breaks("observe_silent", made.id, "a delete was sent")
        if self.shape.coverage == "partial":
            self.breaks("verdict_allows", made.id, "coverage is partial")
        if kind not in _ALLOWING:
            self.breaks("verdict_allows", made.id, f"its verdict is {kind}")
        if (name, made.target) not in self._whole:
            self.breaks("whole_inventory", made.id, "the last listing fell short")
        if made.id in self._done:
            self.breaks("once_only", made.id, "a delete of it was answered before")

    def _by_log(self, made: Made, kind: VerdictKind | None) -> None:
        maker = made.maker
        if kind is VerdictKind.ORPHAN and maker is not None and maker.id not in self._office.ended:
            self.breaks("maker_done", made.id, f"{maker.id} made it, and its end is not logged")
        complete = self._office.complete_until()
        if complete <= made.born:
            self.breaks(
                "watermark_passed", made.id, f"born {made.born:.1f}, complete to {complete:.1f}"
            )

    def _by_truth(self, made: Made) -> None:
        if not self.alive(made.id):
            self.counts["deletes of the gone"] += 1
        elif self.now < made.until:
            self.harmed.add(made.id)
            later = inf if made.until == inf else made.until - self.now
            name = "reference_kept" if made.until == inf else "no_harm"
            self.breaks(name, made.id, f"it is needed for {later:.1f} s more")
        elif made.until == -inf:
            self.counts["orphans deleted"] += 1

    def _written(self, container: str) -> str | None:
        """Look the intent up, and say by whose hold it goes."""
        if self._books is None:
            self._books = sqlite3.connect(self._store, isolation_level=None)
        row = self._books.execute(
            "SELECT d.outcome, d.hold_id, v.kind FROM deletions d"
            " JOIN verdicts v ON v.id = d.verdict_id"
            " WHERE d.container_id = ? ORDER BY d.id DESC LIMIT 1",
            (container,),
        ).fetchone()
        if row is None:
            self.breaks("written_first", container, "no intent is in the store")
            return None
        outcome, hold, kind = row
        if outcome is not None:
            self.breaks("written_first", container, f"its intent ended before, as {outcome}")
        if kind not in ("orphan", "released"):
            self.breaks("verdict_allows", container, f"the recorded verdict is {kind}")
        return None if hold is None else str(hold)

    def _capped(self, made: Made, hold: str | None) -> None:
        if hold is not None:
            return
        if self.held(made.target):
            self.breaks("caps_hold", made.id, "its target is held")
        if self.shape.share_cap:
            self._shared(made)
        if not self.shape.tight_rails:
            return
        now, in_cycle, recent = self.now, self._in_cycle[made.target], self._recent[made.target]
        in_cycle.add(made.id)
        while recent and recent[0][0] <= now - _MOST_OF_AN_HOUR:
            recent.popleft()
        recent.append((now, made.id))
        if len(in_cycle) > 8:
            self.breaks("caps_hold", made.id, f"{len(in_cycle)} in one cycle")
        hour = len({each for _, each in recent})
        if hour > 60:
            self.breaks("caps_hold", made.id, f"{hour} within an hour")

    def _shared(self, made: Made) -> None:
        """All of a small world is born within an hour."""
        newborn = self._of_newborn[made.target]
        newborn.add(made.id)
        listed, gone = self.listed[made.target], len(newborn)
        if listed >= RailRules().min_population and gone > self.shape.share_cap * listed:
            self.breaks("caps_hold", made.id, f"{gone} of {listed} newborn")
