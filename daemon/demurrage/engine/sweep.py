"""Deleting what was allowed: written down before each call, completed after it.

Deletes are begun as the call budget grants them, for one interval, and only while the evidence
for them is fresh, the clock that tells is trusted and the store is this process's own, each asked
right before its call: the process may have been stopped, or the machine asleep, at any point.
The rest is planned anew in the next cycle. A stop lets the deletes under way end.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from demurrage.decide import billing
from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import ContainersApi, Store
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.container import Sighting
from demurrage.model.counted import counted
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.listing import DeleteAnswer, Failure
from demurrage.model.plan import Judgement
from demurrage.model.record import Conclusion, Intent
from demurrage.model.rules import Rules

# Deletes between two commits of the audit.
CHUNK = 125
# Chunks begun and not ended: while the last deletes of one are under way, and its end is written
# down, those after it, written down before, keep the connections busy. With two of them some
# connections stood idle between chunks.
OPEN = 3
# Deletes under way at a time; beyond this the API's latency no longer hides behind others.
ABREAST = 32
# A delete is begun if the budget grants it within this share of an interval, so that it does
# not grow old in the queue.
_BREATH = 0.1


class Sweep:
    """The deletes of one target."""

    def __init__(
        self, target: str, api: ContainersApi, store: Store, hooks: Hooks, rules: Rules
    ) -> None:
        self._target = target
        self._api = api
        self._store = store
        self._hooks = hooks
        self._rules = rules

    async def execute(
        self,
        judgement: Judgement,
        verdict_ids: Mapping[str, int],
        sightings: Mapping[str, Sighting],
        read_at: float,
        stop: asyncio.Event,
    ) -> list[tuple[Deletion, Conclusion]]:
        """Delete what the rails let through; returns how each delete that was begun ended.

        Args:
            judgement: the rails' word on the plan.
            verdict_ids: the recorded verdict of every container in it.
            sightings: the rows that it was made on.
            read_at: when the log that it was made on was read.
            stop: once set, no further delete is begun.
        """
        until = self._api.clock.now() + self._rules.watch.interval
        breath = self._rules.watch.interval * _BREATH
        waiting = judgement.allowed
        flight = _Flight()
        try:
            while waiting and not stop.is_set():
                # Before anything is looked at: what is seen now must not grow old in a queue.
                if not flight.has_room:
                    await flight.one_ended()
                    continue
                late = self._api.clock.now() >= until
                size = min(CHUNK, self._api.affordable(breath) - flight.at_the_gate)
                if late and flight.begun:
                    break
                if size < 1 and not late:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), breath)
                    continue
                # At least one goes each cycle, or listing would eat a tight budget up.
                portion, waiting = waiting[: max(1, size)], waiting[max(1, size) :]
                # A person may have protected one since the plan was made, and been told so.
                protected = await asyncio.to_thread(
                    self._store.protected, self._target, self._api.clock.now()
                )
                wanted = [each for each in portion if each.container_id not in protected]
                if not wanted:
                    continue
                intents = [
                    Intent(
                        planned,
                        verdict_ids[planned.container_id],
                        judgement.resumed_by.get(planned.container_id),
                    )
                    for planned in wanted
                    if self._fresh(sightings[planned.container_id], read_at)
                ]
                if not intents:
                    break
                await flight.begin(partial(self._chunk, intents, sightings, read_at, flight))
        finally:
            # Deletes that are under way are completed, even where the cycle is cancelled.
            await flight.landed()
        return flight.done

    def _fresh(self, sighting: Sighting, read_at: float) -> bool:
        """True while row and log are no older than evidence may be, by a clock to be trusted."""
        oldest = self._api.clock.now() - self._rules.watch.freshness
        return self._api.clock.trusted and min(read_at, sighting.listed_at) >= oldest

    def _hindrance(self, sighting: Sighting, read_at: float) -> Failure | None:
        """What keeps a delete that was granted from leaving now."""
        if not self._store.held:
            return Failure(ConditionKind.STORE_FAILED, "not sent: the store's lock may be lost")
        if not self._fresh(sighting, read_at):
            return Failure(
                ConditionKind.EVIDENCE_STALE, "not sent: its evidence grew old meanwhile"
            )
        return None

    async def _chunk(
        self,
        intents: Sequence[Intent],
        sightings: Mapping[str, Sighting],
        read_at: float,
        flight: "_Flight",
        written: asyncio.Event,
    ) -> list[tuple[Deletion, Conclusion]]:
        now = self._api.clock.now()
        deletions = await asyncio.to_thread(self._store.intend, self._target, intents, now)
        flight.at_the_gate += len(deletions)
        written.set()

        async def delete(deletion: Deletion) -> tuple[Deletion, Conclusion]:
            sighting = sightings[deletion.container_id]
            async with flight.gate:
                flight.at_the_gate -= 1
                answer = await self._api.delete(
                    deletion.container_id, partial(self._hindrance, sighting, read_at)
                )
            return deletion, self._conclude(deletion, answer, sighting)

        # One that fails by a fault of ours must not leave the answers of the others unwritten.
        ended = await asyncio.gather(
            *(delete(deletion) for deletion in deletions), return_exceptions=True
        )
        pairs = [each for each in ended if not isinstance(each, BaseException)]
        await asyncio.to_thread(self._store.conclude, [conclusion for _, conclusion in pairs])
        self._hooks.concluded(self._target, pairs)
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        return pairs

    def _conclude(self, deletion: Deletion, answer: DeleteAnswer, sighting: Sighting) -> Conclusion:
        now = self._api.clock.now()
        saved = billing.saves(sighting.container, now, self._rules.billing)
        failure = answer.failure
        return Conclusion(
            deletion.id,
            answer.outcome,
            now,
            detail="" if failure is None else f"{failure.kind}: {failure.detail}",
            saved_usd=saved if answer.outcome is DeleteOutcome.DELETED else 0.0,
        )


_Pairs = list[tuple[Deletion, Conclusion]]


class _Flight:
    """The chunks of one sweep that are under way.

    `gate` lets so many deletes go at a time; `at_the_gate` are those that wait for it, written
    down, and not yet asking the budget. `begun` tells that there was any.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Semaphore(ABREAST)
        self.at_the_gate = 0
        self.done: _Pairs = []
        self.begun = False
        self._open: set[asyncio.Task[_Pairs]] = set()

    @property
    def has_room(self) -> bool:
        """True when another chunk may be begun; one that failed is to be heard of first."""
        return len(self._open) < OPEN and not any(each.done() for each in self._open)

    async def begin(self, chunk: Callable[[asyncio.Event], Coroutine[Any, Any, _Pairs]]) -> None:
        """Begin a chunk, for which there is room; returns when it is written down, or has ended.

        So the chunks are written, and go, in their order.

        Args:
            chunk: does the work, and sets the event that it is given when it is written down.
        """
        self.begun = True
        event = asyncio.Event()
        task = asyncio.create_task(chunk(event))
        self._open.add(task)
        written = asyncio.create_task(event.wait())
        try:
            await asyncio.wait((written, task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            written.cancel()

    async def landed(self) -> None:
        """Wait until all are completed; raises what one of them failed with."""
        if self._open:
            await asyncio.wait(self._open)
        while self._open:
            await self.one_ended()

    async def one_ended(self) -> None:
        """Wait until one is completed; raises what it failed with."""
        ended, self._open = await asyncio.wait(self._open, return_when=asyncio.FIRST_COMPLETED)
        failed = [error for each in ended if (error := each.exception()) is not None]
        self.done += [pair for each in ended if each.exception() is None for pair in each.result()]
        if failed:
            raise failed[0]


def troubles(target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> tuple[Condition, ...]:
    """What a person should know of deletes that did not end well."""
    refused = [pair for pair in pairs if pair[1].outcome is DeleteOutcome.REFUSED]
    failed = [
        pair for pair in pairs if pair[1].outcome in (DeleteOutcome.FAILED, DeleteOutcome.UNCERTAIN)
    ]
    found = []
    if refused:
        text = (
            f"the API answered {counted(len(refused), 'delete')} with deleted: false; what is due "
            "is tried again"
        )
        found.append(Condition(ConditionKind.DELETE_REFUSED, target, text, Severity.WARNING))
    if failed:
        text = (
            f"{counted(len(failed), 'delete')} failed ({failed[0][1].detail}); what is due is "
            "tried again"
        )
        found.append(Condition(ConditionKind.DELETE_FAILED, target, text, Severity.WARNING))
    return tuple(found)
