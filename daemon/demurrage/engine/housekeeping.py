"""Letting go of what is old: folded evidence, the log, the store. Never what lives."""

import asyncio
from collections.abc import Collection, Mapping
from functools import partial
from math import inf

from demurrage.engine.evidence import Evidence
from demurrage.engine.inventory import InventoryWatch
from demurrage.engine.look import Target
from demurrage.engine.ports import Store
from demurrage.engine.retiring import all_over, has_left
from demurrage.model.rules import RetentionRules


class Housekeeping:
    """One round now and then, by clocks that are trusted and by what was seen to live.

    Args:
        targets: what is watched, by name.
        store: durable state.
        retention: how long what is kept.
    """

    def __init__(
        self, targets: Mapping[str, Target], store: Store, retention: RetentionRules
    ) -> None:
        self._targets = targets
        self._store = store
        self._retention = retention

    async def work(
        self, evidence: Evidence, watches: Mapping[str, InventoryWatch], ready: Collection[str]
    ) -> None:
        """Go round once; nothing is done while no clock can be trusted.

        Args:
            evidence: the folded log.
            watches: what is known of the containers of targets that have begun.
            ready: the targets whose cycles run.
        """
        clocks = [each.api.clock for each in self._targets.values()]
        told = [each.now() for each in clocks if each.trusted]
        if not told:
            return
        now = min(told)
        facts = await asyncio.to_thread(self._store.facts, next(iter(self._targets)), now)
        # Before who has left is forgotten, for that tells whose journal may go.
        over = all_over(evidence.ledger, facts.retired)
        listed = {
            name: as_of - self._targets[name].rules.watch.overlap
            for name in ready
            if (as_of := watches[name].whole_as_of) is not None
        }
        if listed:
            await self._forget(evidence, watches, listed, facts.retired, now)
        await asyncio.to_thread(self._store.prune, now, self._retention)
        await evidence.tidy(over.__contains__)

    async def _forget(
        self,
        evidence: Evidence,
        watches: Mapping[str, InventoryWatch],
        listed: Mapping[str, float],
        retired: Mapping[str, float],
        now: float,
    ) -> None:
        """Let go of evidence that bears on nothing alive, for targets that were listed whole.

        Only who was listed whole by this process is known to show all that lives, and only what
        had been born by then: what was said later may name what was never listed. A container may
        be named in the log of another target than the one that lists it. So while any was not
        listed whole, whatever names a container stays, and so does what may have any in its
        context.
        """
        everywhere = listed.keys() == self._targets.keys()
        living = frozenset().union(*(each.sightings for each in watches.values()))
        oldest = min(each.oldest for each in watches.values()) if everywhere else -inf
        olds = {
            # What is remembered of containers that are gone needs its makers, too.
            name: min(now - max(self._retention.events, watches[name].horizon), *listed.values())
            for name in listed
        }
        for name, old in olds.items():
            rules = self._targets[name].rules.evidence
            named = frozenset() if everywhere else evidence.ledger.book(name).named
            await evidence.forget(
                name, old, living | named, rules.max_event_delay, oldest=oldest - rules.clock_skew
            )
        all_rules = [target.rules.evidence for target in self._targets.values()]
        await evidence.forget_writers(
            partial(has_left, retired, all_rules),
            min(olds.values()),
            now - self._retention.events,
            max(each.max_event_delay for each in all_rules),
        )
        await evidence.prune(now - self._retention.events)
        spoken_of = await evidence.writers()
        if spoken_of is not None:
            await asyncio.to_thread(
                self._store.forget_retired, now - self._retention.events, spoken_of
            )
