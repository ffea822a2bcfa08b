"""The API's true state: which containers there are, what it lists, and what a delete does."""

from bisect import bisect_right, insort
from dataclasses import dataclass
from functools import partial
from math import floor, inf
from typing import Any

from tests.simulation.faults import Dice
from tests.simulation.loop import Agenda
from tests.simulation.story import EXPIRY
from tests.simulation.truth import EPOCH, Made, Story

_TOMB = 240.0  # seconds that a deleted container may stay listed


@dataclass(slots=True, eq=False)
class Berth:
    """One container as the server has it."""

    made: Made
    created_at: int
    deleted: float = inf
    vanishes: float = inf
    tombstone: str = "running"

    def expired(self, now: float) -> float | None:
        """When it expired, None while it lives."""
        at = self.made.born
        if now < at + EXPIRY:  # no use can have made that sooner
            return None
        for active in sorted(self.made.activity):
            if active > min(now, at + EXPIRY):
                break
            at = max(at, active)
        return at + EXPIRY if at + EXPIRY <= now else None


class Harbour:
    """The containers of one target. Time is the agenda's, less `began`."""

    def __init__(self, story: Story, target: str, dice: Dice, agenda: Agenda, began: float) -> None:
        self._dice = dice
        self._agenda = agenda
        self._began = began
        self.berths = {
            made.id: Berth(made, floor(EPOCH + made.born))
            for made in story.made.values()
            if made.target == target
        }
        self._order: list[tuple[int, str]] = []
        for berth in self.berths.values():
            shows = began + berth.made.born + berth.made.lag
            agenda.at(shows, partial(self._show, berth))

    @property
    def now(self) -> float:
        """Seconds since the world began."""
        return self._agenda.now - self._began

    def _show(self, berth: Berth) -> None:
        insort(self._order, (-berth.created_at, berth.made.id))

    def page(self, after: str | None, limit: int) -> tuple[list[dict[str, Any]], bool] | None:
        """Rows newest first after a cursor, and whether more follow; None: unknown cursor."""
        start = 0
        if after is not None:
            berth = self.berths.get(after)
            if berth is None or berth.vanishes <= self.now:
                return None
            key = (-berth.created_at, after)
            start = bisect_right(self._order, key)
        rows: list[dict[str, Any]] = []
        now, refreshing = self.now, self._dice.on("observer_effect")
        place = start
        while place < len(self._order) and len(rows) < limit:
            berth = self.berths[self._order[place][1]]
            place += 1
            if berth.vanishes > now:
                if refreshing and self.alive(berth) and self._dice.strikes("observer_effect"):
                    berth.made.activity.append(now)
                rows.append(self._row(berth, now))
        more = any(self.berths[each].vanishes > now for _, each in self._order[place : place + 500])
        return rows, more

    def _row(self, berth: Berth, now: float) -> dict[str, Any]:
        made = berth.made
        status = "running"
        until = min(now, berth.deleted)
        if berth.deleted <= now:
            status = berth.tombstone
        elif (gone := berth.expired(now)) is not None:
            status, until = "expired", gone
        return {
            "id": made.id,
            "object": "container",
            "name": made.name,
            "created_at": berth.created_at,
            "status": status,
            "last_active_at": floor(EPOCH + made.last_active(until)),
            "expires_after": {"anchor": "last_active_at", "minutes": 20},
            "memory_limit": made.tier,
        }

    def alive(self, berth: Berth) -> bool:
        """True while it costs money."""
        now = self.now
        return berth.made.born <= now < berth.deleted and berth.expired(now) is None

    def delete(self, container_id: str) -> bool:
        """Delete now; False where there is nothing to delete any more."""
        berth = self.berths[container_id]
        now = self.now
        if not self.alive(berth):
            return False
        berth.deleted = berth.vanishes = now
        if self._dice.strikes("tombstones"):
            dice = self._dice.of("tombs")
            berth.vanishes = now + dice.uniform(5, _TOMB)
            berth.tombstone = dice.choice(["running", "deleted"])
        return True
