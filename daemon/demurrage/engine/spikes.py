"""The watch over one target's orphans, fed by each decision and kept through restarts."""

import asyncio
from dataclasses import replace

from demurrage.decide import billing
from demurrage.decide.book import Book
from demurrage.decide.decision import Decision
from demurrage.decide.grounds import explicit_ids
from demurrage.decide.settling import Queue, Settled, settle
from demurrage.decide.spike import SpikeWatch, Watched, begin, labels_of, watch
from demurrage.decide.spike_memory import add
from demurrage.decide.spike_traits import traits_of
from demurrage.decide.spike_words import conditions
from demurrage.engine.cycle import Cycle, Outcome
from demurrage.engine.look import Target
from demurrage.engine.ports import Store
from demurrage.model.condition import Condition
from demurrage.model.container import Container
from demurrage.model.plan import Mode
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import WHOLE, Settlement, SpikeMemory, SpikeNews, Tally, Traits
from demurrage.model.verdict import Verdict

# Seconds after which it is written down how far the watch has come, though nothing was born.
_AT_LEAST = 60.0


class Spikes:
    """Counts the births of one target as they settle, and tells what their orphans come to."""

    def __init__(self, store: Store, rules: SpikeRules) -> None:
        self._store = store
        self._rules = rules
        self._watch: SpikeWatch | None = None
        self._queue = Queue(0.0, 0.0)
        self._saved_until = 0.0

    async def conditions(self, cycle: Cycle, outcome: Outcome, book: Book) -> tuple[Condition, ...]:
        """What stands after a cycle; after one that decided nothing, what stood before.

        Raises:
            StoreFailedError: what was counted could not be kept; the next cycle counts it again.
        """
        target, decision = cycle.target, outcome.picture.decision
        usd_each = orphan_usd(target)
        if decision is not None:
            before = await self._known(target.name, decision.now)
            settled = self._settled(cycle, decision, book)
            seen = watch(
                before,
                settled.births,
                settled.queue.until,
                self._rules,
                usd_each=usd_each,
                unwatched=settled.unwatched,
            )
            await self._keep(target.name, before, seen, settled.births)
            self._watch, self._queue = seen.watch, settled.queue
        if self._watch is None:
            return ()
        return conditions(target.name, self._watch, self._rules, usd_each)

    async def _known(self, target: str, now: float) -> SpikeWatch:
        if self._watch is None:
            rules = self._rules
            memory = await asyncio.to_thread(
                lambda: self._store.spike_memory(
                    target, born_after=now - rules.keep, grain=rules.grain, width=rules.bin
                )
            )
            self._watch = _recalled(memory, rules) if WHOLE in memory.scopes else begin(now)
            until = self._watch.until
            self._queue = Queue(until, until)
        return self._watch

    def _settled(self, cycle: Cycle, decision: Decision, book: Book) -> Settled:
        target, sightings = cycle.target, cycle.watch.sightings

        def told(verdict: Verdict) -> tuple[str, Traits]:
            container = sightings[verdict.container_id].container
            tier = billing.tier_name(container.tier, target.rules.billing)
            maker = None if verdict.maker is None else book.responses.get(verdict.maker)
            return tier, traits_of(maker)

        return settle(
            self._queue,
            decision.verdicts,
            sightings,
            explicit_ids(book, sightings.values(), target.rules.policy),
            told,
            within=self._rules.settle_within,
            delay=target.rules.evidence.max_event_delay,
            now=decision.now,
        )

    async def _keep(
        self, target: str, before: SpikeWatch, seen: Watched, births: tuple[Settlement, ...]
    ) -> None:
        after, rules = seen.watch, self._rules
        alarms = {name: scope.alarms for name, scope in before.scopes.items()}
        struck = any(after.scopes[name].alarms != alarms.get(name) for name in seen.changed)
        if not (births or struck or after.until - self._saved_until >= _AT_LEAST):
            return
        scopes = {name: after.scopes[name] for name in seen.changed}
        news = SpikeNews(
            births,
            scopes,
            {name: _new_bins(before, after, name) for name in scopes},
            seen.gone,
            births_after=after.until - rules.keep,
            bins_from=int((after.until - rules.baseline) / rules.bin) - 1,
        )
        await asyncio.to_thread(
            lambda: self._store.save_spikes(target, news, grain=rules.grain, width=rules.bin)
        )
        self._saved_until = after.until


def orphan_usd(target: Target) -> dict[str, float]:
    """What one orphan costs at list price, by tier: swept at the floor, or left to expire."""
    rules = target.rules.billing
    if rules.unused == "free":
        return {}
    found = {}
    for tier in rules.usd_per_minute:
        some = Container("", 0, "running", tier=tier)
        swept = billing.billed_usd(some, rules.minimum, rules)
        found[tier] = swept if target.mode is Mode.ENFORCE else billing.cost_if_left(some, rules)
    return found


def _recalled(memory: SpikeMemory, rules: SpikeRules) -> SpikeWatch:
    """The watch as it was: its grains are counted again from the births that are kept."""
    grains: dict[str, dict[int, Tally]] = {name: {} for name in memory.scopes}
    for each in memory.births:
        for name in (WHOLE, *labels_of(each)):
            if name in grains:
                add(grains[name], (each,), rules)
    scopes = {name: replace(scope, grains=grains[name]) for name, scope in memory.scopes.items()}
    since = scopes[WHOLE].until - rules.slow_window
    orphans = tuple(each for each in memory.births if each.orphan and each.born_at >= since)
    return SpikeWatch(scopes, orphans)


def _new_bins(before: SpikeWatch, after: SpikeWatch, name: str) -> dict[int, Tally]:
    known = before.scopes[name].bins if name in before.scopes else {}
    return {
        number: tally
        for number, tally in after.scopes[name].bins.items()
        if known.get(number) != tally
    }
