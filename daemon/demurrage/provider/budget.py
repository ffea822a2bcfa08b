"""The call budget that targets of one organisation share.

Requests are the scarce resource: an organisation has about a hundred a minute, for its
applications too. A budget grants calls at a pace, never more than its limit in any sixty
seconds, slows down when the API says so, and stays silent for as long as the API asks.
"""

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from demurrage.model.condition import ConditionKind
from demurrage.model.error import DemurrageError
from demurrage.model.listing import Failure
from demurrage.provider.headers import requests_limit, requests_remaining, requests_reset
from demurrage.provider.pace import WINDOW, Pace

# No backoff cures a spend limit; asking again this seldom costs nothing and heals by itself.
SPEND_LIMIT_PAUSE = 300.0
# Silences up to this are waited out inside a call; longer ones fail the call by name, so that
# a cycle ends, says why in `status`, and tries again at its next tick.
PATIENCE = 5.0
# Without a Retry-After: 1, 2, 4 … seconds, at most a minute.
_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0
# Three lists, then one delete, while both wait: evidence stays fresh, sweeping goes on.
_LISTS_PER_DELETE = 3
# Reading responses has a quarter of the calls at most, and even of those only what listing and
# deleting leave: what is unread waits, and what waits is kept.
_RESOLVE_SHARE = 4


class Priority(StrEnum):
    """What a call is for."""

    LIST = "list"
    DELETE = "delete"
    RESOLVE = "resolve"


class PausedError(DemurrageError):
    """The budget will grant nothing for longer than a call should wait."""

    def __init__(self, kind: ConditionKind, seconds: float) -> None:
        super().__init__(f"no calls for {seconds:.0f} s: {kind}")
        self.kind = kind
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class BudgetSnapshot:
    """A budget's figures now.

    `limit` is what the settings allow, requests per minute; `effective` what is used of it
    since the API last complained. `used_last_minute` never exceeds `limit`. `paused_for` is
    the silence still to keep, seconds, and `paused_by` its reason. `waiting` calls are queued.
    """

    limit: float
    effective: float
    used_last_minute: int
    waiting: int
    paused_for: float = 0.0
    paused_by: ConditionKind | None = None


class CallBudget:
    """Grants calls to all targets of one budget group, in one event loop.

    Calls of one priority are granted in the order they came, so targets take turns. While
    lists and deletes wait, every fourth grant is a delete and the others are lists. Responses
    are read only while neither waits, and by a quarter of the calls at most. Time is the event
    loop's, so virtual time works.

    Args:
        requests_per_minute: the most that any sixty seconds may hold.
    """

    def __init__(self, requests_per_minute: float) -> None:
        self._pace = Pace(requests_per_minute)
        self._resolve_pace = Pace(max(1.0, requests_per_minute / _RESOLVE_SHARE))
        self._queues: Mapping[Priority, deque[asyncio.Future[float]]] = {
            priority: deque() for priority in Priority
        }
        self._resolving = asyncio.Lock()
        self._lists_in_a_row = 0
        self._paused_until = -math.inf
        self._paused_by: ConditionKind | None = None
        self._backoff = _FIRST_BACKOFF
        self._slowed_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def acquire(self, priority: Priority) -> float:
        """Wait for leave to send one call; returns the loop time of the grant.

        Raises:
            PausedError: the API asked for a silence longer than `PATIENCE`.
        """
        self._loop = asyncio.get_running_loop()
        if priority is Priority.RESOLVE:
            await self._resolve_turn(self._loop)
        waiter: asyncio.Future[float] = self._loop.create_future()
        self._queues[priority].append(waiter)
        self._pump()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pace.give_back(waiter.result())
            self._pump()
            raise

    async def _resolve_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the share of reading responses allows another call."""
        async with self._resolving:
            delay = self._resolve_pace.delay(loop.time())
            # A hair late, for rounding.
            await asyncio.sleep(delay + 1e-6 if delay > 0 else 0)
            self._resolve_pace.spend(loop.time())

    def give_back(self, granted_at: float) -> None:
        """A call that was granted is not sent after all."""
        self._pace.give_back(granted_at)
        self._pump()

    def note(self, granted_at: float, failure: Failure | None, headers: Mapping[str, str]) -> None:
        """Learn from the answer to a call.

        Args:
            granted_at: what `acquire` returned for the call.
            failure: what the answer amounts to, None when it was good.
            headers: the answer's headers, lower-case; empty when none came.
        """
        now = asyncio.get_running_loop().time()
        if (limit := requests_limit(headers)) is not None:
            self._pace.cap(limit)
            self._resolve_pace.cap(limit // _RESOLVE_SHARE)
        kind = failure.kind if failure is not None else None
        if kind == ConditionKind.SPEND_LIMIT:
            self._pause(now + SPEND_LIMIT_PAUSE, kind)
        elif failure is not None and kind in (ConditionKind.RATE_LIMITED, ConditionKind.OVERLOADED):
            self._slow_down(now, granted_at, failure)
        elif failure is None:
            self._backoff = _FIRST_BACKOFF
            self._mind_remaining(now, headers)
        self._pump()

    def affordable(self, seconds: float) -> int:
        """How many more calls would be granted within so many seconds from now.

        Calls that already wait come first, but for those that read responses, and silence that
        the API asked for counts.
        """
        now = asyncio.get_running_loop().time()
        silence = max(0.0, self._paused_until - now)
        waiting = sum(
            len(queue)
            for priority, queue in self._queues.items()
            if priority is not Priority.RESOLVE
        )
        return max(0, self._pace.within(now + silence, seconds - silence) - waiting)

    def snapshot(self) -> BudgetSnapshot:
        """The figures now; safe to call from any thread."""
        now = self._loop.time() if self._loop is not None else 0.0
        paused_for = max(0.0, self._paused_until - now)
        return BudgetSnapshot(
            limit=self._pace.limit,
            effective=self._pace.rate(now),
            used_last_minute=self._pace.used(now),
            waiting=sum(len(queue) for queue in self._queues.values()),
            paused_for=paused_for,
            paused_by=self._paused_by if paused_for > 0 else None,
        )

    def _slow_down(self, now: float, granted_at: float, failure: Failure) -> None:
        # Calls that were already under way when the pace was cut say nothing new.
        if granted_at > self._slowed_at:
            self._slowed_at = now
            self._pace.halve(now)
            self._resolve_pace.halve(now)
            backoff = self._backoff
            self._backoff = min(self._backoff * 2, _LONGEST_BACKOFF)
        else:
            backoff = 0.0
        silence = failure.retry_after if failure.retry_after is not None else backoff
        self._pause(now + silence, failure.kind)

    def _mind_remaining(self, now: float, headers: Mapping[str, str]) -> None:
        remaining = requests_remaining(headers)
        if remaining is None:
            return
        self._pace.keep_at_most(now, remaining)
        if remaining == 0 and (reset := requests_reset(headers)) is not None:
            self._pause(now + min(reset, WINDOW), ConditionKind.RATE_LIMITED)

    def _pause(self, until: float, kind: ConditionKind) -> None:
        if until > self._paused_until:
            self._paused_until, self._paused_by = until, kind

    def _pump(self) -> None:
        """Grant what may be granted now, refuse what would wait too long, wake up for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loop is None:
            return
        now = self._loop.time()
        paused_for = self._paused_until - now
        if paused_for > PATIENCE and self._paused_by is not None:
            while (waiter := self._next()) is not None:
                waiter.set_exception(PausedError(self._paused_by, paused_for))
            return
        delay = max(paused_for, self._pace.delay(now))
        while delay <= 0 and (waiter := self._next()) is not None:
            self._pace.spend(now)
            waiter.set_result(now)
            delay = self._pace.delay(now)
        if self._drop_cancelled():
            # A hair late, so that rounding never wakes us a hair early, again and again.
            self._timer = self._loop.call_later(max(delay, 0.0) + 1e-6, self._pump)

    def _drop_cancelled(self) -> bool:
        for queue in self._queues.values():
            while queue and queue[0].done():
                queue.popleft()
        return any(self._queues.values())

    def _next(self) -> asyncio.Future[float] | None:
        self._drop_cancelled()
        lists, deletes = self._queues[Priority.LIST], self._queues[Priority.DELETE]
        if not deletes:
            self._lists_in_a_row = 0
            queue = lists or self._queues[Priority.RESOLVE]
            return queue.popleft() if queue else None
        if lists and self._lists_in_a_row < _LISTS_PER_DELETE:
            self._lists_in_a_row += 1
            return lists.popleft()
        self._lists_in_a_row = 0
        return deletes.popleft()
