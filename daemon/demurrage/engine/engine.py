"""All targets of one daemon, on one log and one store."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, cast

from demurrage.engine.answers import changed_answers
from demurrage.engine.cycle import Cycle, Outcome
from demurrage.engine.evidence import Evidence, Reading
from demurrage.engine.hooks import CycleReport, Hooks
from demurrage.engine.housekeeping import Housekeeping
from demurrage.engine.log_ports import EventFeed, EventStream
from demurrage.engine.look import Target
from demurrage.engine.ports import Store
from demurrage.engine.pulse import longest_pause
from demurrage.engine.punctual import Punctual
from demurrage.engine.reaping import Reaping
from demurrage.engine.resolving import Resolving
from demurrage.engine.restores import Restores
from demurrage.engine.retiring import retire_dead
from demurrage.engine.spikes import Spikes
from demurrage.engine.standing import IN_CYCLE, OF_FAILURE, Sight, Standing
from demurrage.engine.status import conditions_shown, merge, snapshot
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.error import DemurrageError, LogUnreadableError, StoreFailedError
from demurrage.model.plan import Plan
from demurrage.model.rules import IncidentRules, RetentionRules, SpikeRules
from demurrage.model.verdict import VerdictKind

# Seconds by which the time that writers are told may be off; they allow for somewhat more.
_TELLING = 1.25


class Engine:
    """Runs one cycle of one target at a time when it is told to; it keeps no schedule.

    Args:
        targets: what to watch.
        log: the shared event log.
        store: durable state; its lock is held by the caller.
        hooks: who is told.
        retention: how long what is kept.
        feed: where events lie that are not in the log yet, if anywhere.
        incidents: when conditions become incidents, and when these are over.
        spikes: when orphans are more, or dearer, than usual.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        log: EventStream,
        store: Store,
        hooks: Hooks,
        retention: RetentionRules,
        *,
        feed: EventFeed | None = None,
        incidents: IncidentRules | None = None,
        spikes: SpikeRules | None = None,
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._longest = longest_pause(each.rules for each in targets)
        log = cast("EventStream", Punctual(log, self._longest, self.miss))
        store = cast("Store", Punctual(store, self._longest, self.miss))
        self._log = log
        self._feed = feed
        self._store = store
        self._hooks = hooks
        self._housekeeping = Housekeeping(self._targets, store, retention)
        self._vouched_for = [each.name for each in targets if each.vouched_for]
        self._restores = Restores(self._targets, self._vouched_for, store, hooks)
        self._standing = Standing(store, hooks, incidents or IncidentRules())
        self._evidence: Evidence | None = None
        self._opening = asyncio.Lock()
        self._stop = asyncio.Event()
        self._cycles: dict[str, Cycle] = {}
        self._ready: set[str] = set()
        self._turning: dict[str, asyncio.Lock] = {name: asyncio.Lock() for name in self._targets}
        self._reading: dict[str, asyncio.Lock] = {name: asyncio.Lock() for name in self._targets}
        self._resolving = {
            name: Resolving(target, log, hooks) for name, target in self._targets.items()
        }
        self._reaping = {name: Reaping(store) for name in self._targets}
        self._spikes = {name: Spikes(store, spikes or SpikeRules()) for name in self._targets}
        self.statuses: dict[str, dict[str, Any]] = {}
        self.turned_at: dict[str, float] = {}
        self.completed_at: dict[str, float] = {}

    @property
    def targets(self) -> Mapping[str, Target]:
        """What is watched, by name."""
        return self._targets

    async def turn(
        self, name: str, choose: Callable[[Plan], Plan] = lambda plan: plan
    ) -> Outcome | None:
        """Run one cycle of a target; None if it failed by an error that was told to the hooks.

        Two calls for one target wait for each other. `turned_at` moves on whatever happens, on
        the event loop's clock: the loop turns, even where its work fails.

        Args:
            name: the target's.
            choose: narrows the plan down; used where a person asked for certain deletes only.
        """
        async with self._turning[name]:
            try:
                return await self._turn(name, choose)
            except StoreFailedError as error:
                # Where the daemon cannot write, nobody else can append.
                self.miss()
                await self._failed(name, error)
            except DemurrageError as error:
                await self._failed(name, error)
            except Exception as error:  # noqa: BLE001 - no single fault may stop the daemon
                await self._failed(name, error)
            except asyncio.CancelledError:
                self._ready.discard(name)
                raise
            finally:
                self.turned_at[name] = asyncio.get_running_loop().time()
        return None

    def provider_time(self, target: str) -> float | None:
        """The time at a target's API, in epoch seconds; None while it is not known for certain.

        Slow answers tell it badly, and whoever is told it cannot know.
        """
        watched = self._targets.get(target)
        clock = None if watched is None else watched.api.clock
        certain = clock is not None and clock.trusted and clock.doubt <= _TELLING
        return clock.now() if clock is not None and certain else None

    def miss(self) -> None:
        """An event could not be taken in, or not in time: until it is nothing is proven."""
        if self._evidence is not None:
            self._evidence.pulse.miss()

    async def _turn(self, name: str, choose: Callable[[Plan], Plan]) -> Outcome:
        cycle = await self._cycle(name)
        outcome = await cycle.run(choose)
        await retire_dead(
            self.evidence.dead,
            self.evidence.ledger,
            outcome.facts.retired,
            self._targets.values(),
            self._store,
        )
        await self._publish(cycle, outcome)
        return outcome

    async def _cycle(self, name: str) -> Cycle:
        """The target's cycle, started; started anew after a failure."""
        async with self._opening:
            if self._evidence is None:
                # Before anything else, and whatever the time is: nobody vouches for what these
                # settings do not, and a word that is given later counts from then.
                await asyncio.to_thread(self._store.withdraw_coverage, self._vouched_for)
                remembered = await asyncio.to_thread(self._store.cursor)
                claims = await asyncio.to_thread(self._store.claims)
                self._evidence = Evidence(self._log, remembered, self._longest, self._feed, claims)
                self._evidence.pulse.begin()
        if name not in self._cycles:
            self._cycles[name] = Cycle(
                self._targets[name],
                self._evidence,
                self._store,
                self._hooks,
                self._stop,
                restores=self._restores,
                resolve=partial(self.resolve, name),
                elsewhere=partial(self._elsewhere, name),
            )
        # Asked each time: whoever writes first after the server was away finds the older copy.
        if await self._restores.of_store(self._targets[name].api.clock.now()):
            self._ready.clear()
        if name not in self._ready:
            await self._cycles[name].start()
            self._ready.add(name)
        return self._cycles[name]

    def _elsewhere(self, name: str) -> dict[str, str]:
        """The living containers of a target that live for another one as well, and for which."""
        living = {each: cycle.watch.living for each, cycle in self._cycles.items()}
        return {
            container_id: other
            for other in sorted(living.keys() - {name})
            for container_id in living[name] & living[other]
        }

    async def _publish(self, cycle: Cycle, outcome: Outcome) -> None:
        """Make the outcome visible: status, conditions, hooks, the log's cursor."""
        name = cycle.target.name
        now = outcome.ended_at
        resolving = self._resolving[name]
        book = self.evidence.ledger.book(name)
        changed = await asyncio.to_thread(self._store.changed_findings, name)
        conditions = merge(
            (
                *outcome.conditions,
                *resolving.conditions(),
                *changed_answers(name, changed),
                *await self._reaping[name].conditions(cycle, outcome),
                *await self._spikes[name].conditions(cycle, outcome, book),
            )
        )
        status = snapshot(
            cycle.target,
            outcome,
            book,
            cycle.holds.current,
            unretrievable=resolving.unretrievable,
        )
        ends = IN_CYCLE if outcome.complete else OF_FAILURE
        await self._standing.tell(name, Sight(conditions, IN_CYCLE, ends), now)
        self.statuses[name] = status = {**status, **self._shown(name)}
        await asyncio.to_thread(self._store.save_status, name, now, status)
        cursor = self.evidence.cursor
        # Until all targets are held for a log that went back in time, a crash must find the old
        # cursor, or nobody would notice again.
        if cursor is not None and self._restores.setbacks == self.evidence.setbacks:
            await asyncio.to_thread(self._store.save_cursor, cursor)
        if outcome.complete:
            self.completed_at[name] = asyncio.get_running_loop().time()
        self._hooks.cycled(_report(outcome, status, self.evidence.ledger.dropped(name)))

    @property
    def evidence(self) -> Evidence:
        """The folded log; there from the first cycle on."""
        if self._evidence is None:
            raise DemurrageError("no cycle has begun yet")
        return self._evidence

    async def _failed(self, name: str, error: Exception) -> None:
        """Say what failed; the next cycle starts from what the store holds."""
        self._ready.discard(name)
        self._hooks.failed(name, error)
        condition = _named(name, error)
        sight = Sight((condition,), {condition.kind}, frozenset())
        await self._standing.tell(name, sight, self._targets[name].api.clock.now(), whatever=True)
        status = self.statuses.get(name, {"target": name, "mode": self._targets[name].mode})
        self.statuses[name] = {
            **status,
            "cycle": {**status.get("cycle", {}), "complete": False},
            **self._shown(name),
        }

    def _shown(self, name: str) -> dict[str, Any]:
        return {"conditions": conditions_shown(self._standing.seen(name))}

    async def note(
        self, target: str, conditions: Sequence[Condition], kinds: AbstractSet[ConditionKind]
    ) -> None:
        """Take in what somebody beside the cycles sees, whether the store works or not.

        Args:
            target: whose; empty for what concerns the daemon and no target.
            conditions: all that there is of these kinds now.
            kinds: what is looked at; `OUTSIDE` or some of it.
        """
        sight = Sight(tuple(conditions), kinds, kinds)
        some = self._targets.get(target) or next(iter(self._targets.values()))
        now = some.api.clock.now()
        await self._standing.tell(target, sight, now, whatever=True)
        if target in self.statuses:
            self.statuses[target] = {**self.statuses[target], **self._shown(target)}

    async def resolve(self, name: str) -> bool:
        """Read the target's known responses that are due to be read; to be called now and then.

        It ends early when the daemon does. Nothing of it may stop a cycle, nor the daemon. Returns
        True when one could be read.
        """
        if self._stop.is_set() or self._evidence is None or name not in self._ready:
            return False
        async with self._reading[name]:
            work = asyncio.ensure_future(
                self._resolving[name].work(self._evidence, self._stop.is_set)
            )
            stopped = asyncio.ensure_future(self._stop.wait())
            try:
                await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            finally:
                work.cancel()
                stopped.cancel()
                (came_of_it, _) = await asyncio.gather(work, stopped, return_exceptions=True)
            # That the log cannot be used is said by the cycle.
            if isinstance(came_of_it, Exception) and not isinstance(came_of_it, LogUnreadableError):
                self._hooks.failed(name, came_of_it)
            return came_of_it is True

    async def housekeep(self) -> None:
        """Let go of what is old: folded evidence, the log, the store. Never what lives."""
        now = next(iter(self._targets.values())).api.clock.now()
        await self._standing.abandon(self._targets.keys(), now)
        if self._evidence is not None:
            watches = {name: cycle.watch for name, cycle in self._cycles.items()}
            await self._housekeeping.work(self._evidence, watches, tuple(self._ready))

    async def drain(self) -> None:
        """Begin no further delete or reading, and wait until those under way have ended."""
        self._stop.set()
        for lock in (*self._turning.values(), *self._reading.values()):
            async with lock:
                pass
        if self._evidence is not None:
            self._evidence.pulse.end()

    async def stop(self) -> None:
        """Drain, then let go of the targets' connections."""
        await self.drain()
        for target in self._targets.values():
            await target.api.close()


def _named(name: str, error: Exception) -> Condition:
    """A failure of the daemon's own, by its name."""
    if isinstance(error, StoreFailedError):
        if error.disk_full:
            text = "the disk of the store is full; nothing is deleted until there is room"
            return Condition(ConditionKind.DISK_FULL, name, text, Severity.PAGE)
        text = f"the store failed; nothing is deleted until it works: {error}"
        return Condition(ConditionKind.STORE_FAILED, name, text, Severity.PAGE)
    text = f"the cycle failed with {type(error).__name__}; it is tried again"
    return Condition(ConditionKind.CYCLE_FAILED, name, text, Severity.PAGE)


def _report(outcome: Outcome, status: Mapping[str, Any], dropped: int) -> CycleReport:
    decision, reading = outcome.picture.decision, outcome.picture.reading
    through = None if decision is None else decision.watermark.through
    return CycleReport(
        target=status["target"],
        ended_at=outcome.ended_at,
        seconds=outcome.seconds,
        complete=outcome.complete,
        events=reading.records if isinstance(reading, Reading) else 0,
        verdicts={kind: status["verdicts"][kind] for kind in VerdictKind},
        watermark=None if through in (None, -math.inf) else min(through, outcome.ended_at),
        due=len(outcome.plan.deletes),
        dropped=dropped,
    )
