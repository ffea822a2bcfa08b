"""The store as a daemon reaches it: now and then locked by another, or on a full disk."""

from collections.abc import Callable
from typing import Any

from tests.simulation.faults import Dice

from demurrage.model.error import StoreFailedError

# What reads only: a full disk does not hinder it.
_READS = frozenset(
    {
        "sightings",
        "listed_whole",
        "newest_birth",
        "claims",
        "cursor",
        "current_verdicts",
        "unfinished",
        "deletions",
        "protected",
        "facts",
        "holds",
        "hold",
        "history",
    }
)
_NEVER_FAILS = frozenset({"restored_since", "held", "close", "place"})


class Keeper:
    """Passes every method on, unless a fault stands; `now` is loop time."""

    def __init__(self, store: Any, dice: Dice, now: Callable[[], float]) -> None:
        self._store = store
        self._dice = dice
        self._now = now
        self._until = {"store_locked": -1.0, "disk_full": -1.0}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if name in _NEVER_FAILS:
            return value

        def call(*args: Any, **named: Any) -> Any:
            self._fail(name)
            return value(*args, **named)

        call.__qualname__ = f"Store.{name}"
        setattr(self, name, call)
        return call

    def _fail(self, name: str) -> None:
        now = self._now()
        for fault, until in self._until.items():
            if self._dice.strikes(fault):
                self._until[fault] = now + self._dice.of("keeper").uniform(0, 30)
            if now < until and not (fault == "disk_full" and name in _READS):
                full = fault == "disk_full"
                said = "database or disk is full" if full else "database is locked"
                raise StoreFailedError(f"the store failed: {said}", disk_full=full)
