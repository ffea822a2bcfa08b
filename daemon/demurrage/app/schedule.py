"""The ticker: APScheduler says when, the engine knows what.

A tick that comes late still runs, and ticks that pile up run once: a cycle judges the world as
it is, so there is nothing to catch up with.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

# Seconds between two looks at the wall clock, and what counts as a step of it.
_PACE = 5.0
_STEP = 1.0

Work = Callable[[], Awaitable[object]]


class Schedule:
    """Named pieces of work, each again and again, never two of one name at a time.

    Args:
        on_missed: told the name of work whose tick came too late to run.
        on_skipped: told the name of work that was still under way at its next tick.
    """

    def __init__(self, on_missed: Callable[[str], None], on_skipped: Callable[[str], None]) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

        def tell(event: JobExecutionEvent) -> None:
            told = on_missed if event.code == EVENT_JOB_MISSED else on_skipped
            told(event.job_id)

        self._pacer: asyncio.Task[None] | None = None
        self._scheduler.add_listener(tell, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def every(self, seconds: float, name: str, work: Work, *, first_in: float = 0.0) -> None:
        """Do work every so many seconds, the first time after `first_in`."""
        now = datetime.now(UTC).timestamp()
        self._scheduler.add_job(
            work,
            IntervalTrigger(seconds=seconds, timezone=UTC),
            id=name,
            next_run_time=datetime.fromtimestamp(now + first_in, UTC),
        )

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()
        self._pacer = asyncio.create_task(self._follow_the_wall_clock())

    async def _follow_the_wall_clock(self) -> None:
        """After a step of the wall clock, tick at once.

        APScheduler waits for a time of day: set back by an hour, it would rest for an hour.
        """
        loop = asyncio.get_running_loop()
        ahead = time.time() - loop.time()
        while True:
            await asyncio.sleep(_PACE)
            stepped = abs(time.time() - loop.time() - ahead) > _STEP
            ahead = time.time() - loop.time()
            if stepped:
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))

    async def stop(self) -> None:
        """Tick no more; work under way goes on, and is its owner's to wait for."""
        self._scheduler.remove_all_jobs()
        self._scheduler.pause()
        if self._pacer is not None:
            self._pacer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pacer

    def close(self) -> None:
        """Let go of the scheduler, once nothing of it runs any more."""
        self._scheduler.shutdown(wait=False)
