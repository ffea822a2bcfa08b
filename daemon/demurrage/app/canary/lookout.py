"""Looking at the listing again and again, and when each container was first seen."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from demurrage.app.canary.pace import Pace
from demurrage.model.container import Container
from demurrage.model.error import DemurrageError
from demurrage.provider.experiments import Experimenter

_T = TypeVar("_T")

# Births lie within the second after `created_at`, and clocks that shift by one are no news.
SLACK = 1.0
# A container may be older, by the API's clock, than the request after which it is looked for.
_MARGIN = 10.0


class UnclearError(DemurrageError):
    """Nothing may be concluded; the message says why, in words that quote nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as last listed. Moments are provider time.

    `first_at` is when the listing that first showed it was asked for; `missed_at` the same of the
    last one before, which did not show it.
    """

    row: Container
    first_at: float
    missed_at: float


class Lookout:
    """Lists one target as far back as it must.

    Args:
        api: the target.
        pace: how often, and how far back.
    """

    def __init__(self, api: Experimenter, pace: Pace) -> None:
        self._api = api
        self._pace = pace
        self._back_to = api.clock.now() - pace.control
        self._last_at = self._back_to
        self.began_at = api.clock.now()
        self.seen: dict[str, Seen] = {}
        self.showing: frozenset[str] = frozenset()
        self.looks = 0

    def narrow(self) -> None:
        """From now on look only at what is born from now on: the rest costs a call a page."""
        self._back_to = self._api.clock.now() - _MARGIN

    async def look(self) -> float:
        """List once; returns the provider time at which the listing was asked for.

        Raises:
            UnclearError: the listing did not provably finish.
        """
        listing = await self._api.read(self._back_to)
        (stretch,) = listing.stretches
        if listing.failure is not None or not stretch.finished:
            why = "it broke off" if listing.failure is None else listing.failure.detail
            raise UnclearError(f"the listing failed: {why}")
        at = stretch.listed_at
        for row in stretch.rows:
            before = self.seen.get(row.id)
            first_at, missed_at = (
                (at, self._last_at) if before is None else (before.first_at, before.missed_at)
            )
            self.seen[row.id] = Seen(row, first_at, missed_at)
        self.showing = frozenset(row.id for row in stretch.rows)
        self._last_at = at
        self.looks += 1
        return at

    async def until(self, true: Callable[[], bool], patience: float) -> bool:
        """Look on until something has come true, False when it has not in so many seconds.

        The last look begins after they are over, so that a False is a word on all of them.

        Raises:
            UnclearError: the last look failed.
        """
        end = self._api.clock.ticks() + patience
        while True:
            last = self._api.clock.ticks() >= end
            try:
                await self.look()
            except UnclearError:
                if last:
                    raise
            if true():
                return True
            if last:
                return False
            await asyncio.sleep(min(self._pace.poll, max(end - self._api.clock.ticks(), 0.0)))

    async def beside(self, work: Awaitable[_T]) -> _T:
        """Look on while something is under way; what becomes of it becomes of this."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                with suppress(UnclearError):  # a later look will tell
                    await self.look()
                await asyncio.wait((task,), timeout=self._pace.poll)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
