"""Watching whether a target in enforce mode is ever swept."""

import asyncio
from math import inf

from demurrage.decide import reaping
from demurrage.engine.cycle import Cycle, Outcome
from demurrage.engine.ports import Store
from demurrage.model.condition import Condition
from demurrage.model.plan import Mode

_HOUR = 3600
# Seconds between two looks at the totals; days decide about them.
_PACE = 3600.0
# The latest deletes that are looked at for one that succeeded.
_LATEST = 100


class Reaping:
    """Asks of one target, cycle by cycle, whether what may be deleted ever is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked_at = -inf
        self._idle: Condition | None = None

    async def conditions(self, cycle: Cycle, outcome: Outcome) -> tuple[Condition, ...]:
        """What there is to say after a cycle.

        Nothing in observe mode, where nothing shall go, and while a hold waits for an answer,
        which says so itself.
        """
        if cycle.target.mode is Mode.OBSERVE or cycle.holds.waiting or not outcome.complete:
            return ()
        name, now = cycle.target.name, outcome.ended_at
        found = (await self._stuck(name, outcome, now), await self._ever(cycle, now))
        return tuple(each for each in found if each is not None)

    async def _stuck(self, name: str, outcome: Outcome, now: float) -> Condition | None:
        due = [each for each in outcome.plan.deletes if now - each.due_at >= reaping.OVERDUE]
        if not due:
            return None
        latest = await asyncio.to_thread(self._store.deletions, name, _LATEST)
        done = (
            each.finished_at
            for each in latest
            if each.outcome is not None and each.outcome.done and each.finished_at is not None
        )
        return reaping.stuck(name, due, max(done, default=None), now)

    async def _ever(self, cycle: Cycle, now: float) -> Condition | None:
        if abs(now - self._looked_at) < _PACE:
            return self._idle
        name, rules = cycle.target.name, cycle.target.rules
        history = await asyncio.to_thread(self._store.history, name, now)
        totals = await asyncio.to_thread(self._store.totals, name, rules.billing.minimum)
        since = await asyncio.to_thread(self._store.watched_since, name) or now
        births = sum(each.births for hour, each in history.hours.items() if hour * _HOUR >= since)
        self._idle = reaping.idle(name, totals.all, births, watched_for=now - since)
        self._looked_at = now
        return self._idle
