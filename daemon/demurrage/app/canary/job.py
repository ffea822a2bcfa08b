"""The canary on a schedule: beside the cycles, within their call budget, never in their way."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import structlog

from demurrage.app.canary.catalogue import EXPERIMENTS
from demurrage.app.canary.run import Canary
from demurrage.app.schedule import Schedule
from demurrage.model.error import DemurrageError, StoreFailedError
from demurrage.model.finding import Finding, FindingRecord

# A daemon that has just started has something better to do.
_SETTLING = 300.0


class Keeper(Protocol):
    """Where findings are kept."""

    def record_finding(self, target: str, finding: Finding) -> FindingRecord:
        """Keep an answer; it says whether that has changed."""
        ...

    def findings(self, target: str) -> dict[str, FindingRecord]:
        """The latest answer to each question."""
        ...


class CanaryJobs:
    """One run after the other for each target that wants any.

    Args:
        intervals: seconds between two runs, by target; targets without any are left alone.
        store: where the answers go.
        make: the canary of a target; its API is closed after the run.
    """

    def __init__(
        self,
        intervals: Mapping[str, float],
        store: Keeper,
        make: Callable[[str], Canary],
    ) -> None:
        self._intervals = intervals
        self._store = store
        self._make = make
        self._under_way: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("demurrage")

    async def put_on(self, schedule: Schedule) -> None:
        """Ask for every target's next run when it is due since the last, whoever made that.

        Where the store does not say when that was, a whole interval passes first: runs cost money.
        """
        for name, seconds in self._intervals.items():
            try:
                before = await asyncio.to_thread(self._store.findings, name)
            except StoreFailedError:
                first_in = seconds
            else:
                last = max((each.finding.at for each in before.values()), default=0.0)
                first_in = max(_SETTLING, last + seconds - time.time())
            schedule.every(seconds, f":canary {name}", partial(self.run, name), first_in=first_in)

    async def run(self, name: str) -> None:
        """Make one run and keep its answers; whatever goes wrong is logged, and no more."""
        work = asyncio.create_task(self._run(name))
        self._under_way.add(work)
        try:
            await asyncio.wait((work,))
        finally:
            self._under_way.discard(work)

    async def stop(self) -> None:
        """Break off what is under way; it takes away what it made by name."""
        for work in tuple(self._under_way):
            work.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _run(self, name: str) -> None:
        try:
            canary = self._make(name)
            try:
                found = await canary.run(EXPERIMENTS, lambda _: None)
            finally:
                await canary.api.close()
            for each in found:
                record = await asyncio.to_thread(self._store.record_finding, name, each)
                self._log.info(
                    "canary",
                    target=name,
                    question=each.question,
                    answer=each.answer,
                    says=each.says,
                    changed_from=record.changed_from,
                )
        except DemurrageError as error:
            self._log.warning("canary_failed", target=name, reason=str(error))
        except Exception as error:  # noqa: BLE001 - an experiment must not harm the daemon
            self._log.warning("canary_failed", target=name, reason=type(error).__name__)
