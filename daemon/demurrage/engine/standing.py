"""The incidents of each target, gone on with after each look, kept, and told to the hooks."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from demurrage.decide.incidents import Advance, advance
from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import Store
from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.error import StoreFailedError
from demurrage.model.incident import Incident, IncidentChanges
from demurrage.model.rules import IncidentRules

# What no cycle can see; whoever does tells by itself.
OUTSIDE = frozenset({ConditionKind.CYCLE_STALE, ConditionKind.SINK_FAILED})
IN_CYCLE = frozenset(ConditionKind) - OUTSIDE
# A cycle that came to its end, complete or not, has shown that these are over.
OF_FAILURE = frozenset(
    {ConditionKind.STORE_FAILED, ConditionKind.DISK_FULL, ConditionKind.CYCLE_FAILED}
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look came to.

    `conditions` are what it saw; of the kinds that it is `about` nothing else is shown any more.
    `ends` are those among them of which it would have seen whatever there is.
    """

    conditions: tuple[Condition, ...]
    about: AbstractSet[ConditionKind]
    ends: AbstractSet[ConditionKind]


class Standing:
    """What each target's conditions are now, and which incidents they make.

    The store holds the incidents, through restarts too; where it fails, and that is a condition
    itself, memory stands in for it.
    """

    def __init__(self, store: Store, hooks: Hooks, rules: IncidentRules) -> None:
        self._store = store
        self._hooks = hooks
        self._rules = rules
        self._seen: dict[str, tuple[Condition, ...]] = {}
        self._incidents: dict[str, tuple[Incident, ...]] = {}
        # How they went on while the store could not keep them.
        self._unkept: dict[str, tuple[Incident, ...]] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def seen(self, target: str) -> tuple[Condition, ...]:
        """The conditions as last seen, by whomever."""
        return self._seen.get(target, ())

    async def tell(self, target: str, sight: Sight, at: float, *, whatever: bool = False) -> None:
        """Go on with the target's incidents.

        Args:
            target: whose.
            sight: what was seen.
            at: when, provider time.
            whatever: tell it whether the store works or not.

        Raises:
            StoreFailedError: the store could not keep it, and nothing was told; not if `whatever`.
        """
        async with self._turns[target]:
            try:
                kept = await asyncio.to_thread(self._store.standing_incidents, target)
                made = self._advance(_with(kept, self._unkept.get(target, ())), sight, at)
                incidents = await asyncio.to_thread(self._keep, kept, made.incidents)
                self._unkept.pop(target, None)
            except StoreFailedError:
                if not whatever:
                    raise
                made = self._advance(self._incidents.get(target, ()), sight, at)
                incidents = made.incidents
                self._unkept[target] = _standing(incidents)
            self._incidents[target] = _standing(incidents)
            rest = (each for each in self.seen(target) if each.kind not in sight.about)
            self._seen[target] = (*rest, *sight.conditions)
            changes = _as_kept(made.changes, incidents)
            self._hooks.conditions(target, self._seen[target], changes)

    async def abandon(self, targets: AbstractSet[str], at: float) -> None:
        """End what is open of targets that are watched no more; nobody else would.

        Raises:
            StoreFailedError: the store could not be read or written.
        """
        left = [
            replace(each, revision=each.revision + 1, changed_at=at, resolved_at=at)
            for each in await asyncio.to_thread(self._store.open_incidents)
            if each.condition.target and each.condition.target not in targets
        ]
        if left:
            await asyncio.to_thread(self._store.save_incidents, left)

    def _advance(self, standing: Sequence[Incident], sight: Sight, at: float) -> Advance:
        return advance(standing, sight.conditions, looked_at=sight.ends, rules=self._rules, now=at)

    def _keep(
        self, kept: Iterable[Incident], incidents: Iterable[Incident]
    ) -> tuple[Incident, ...]:
        """Write down what is new; returns all, with their ids."""
        unchanged = set(kept)
        new = [each for each in incidents if each not in unchanged]
        saved = {each.key: each for each in self._store.save_incidents(new)} if new else {}
        return tuple(saved.get(each.key, each) for each in incidents)


def _standing(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(each for each in incidents if each.resolved_at is None)


def _with(kept: Iterable[Incident], unkept: Iterable[Incident]) -> tuple[Incident, ...]:
    """What the store holds, and over it what it could not be told; people's words are its own."""
    newer = {each.key: each for each in unkept}
    found = []
    for each in kept:
        ours = newer.pop(each.key, each)
        if ours.id != each.id:
            ours = each
        elif ours.revision > each.revision:
            ours = replace(ours, silenced_until=each.silenced_until)
        else:
            ours = replace(
                ours,
                acknowledged_at=each.acknowledged_at,
                acknowledged_by=each.acknowledged_by,
                silenced_until=each.silenced_until,
            )
        found.append(ours)
    return (*found, *(each for each in newer.values() if not each.id))


def _as_kept(changes: IncidentChanges, incidents: Iterable[Incident]) -> IncidentChanges:
    """The same changes, with the ids that the store has given."""
    kept = {each.key: each for each in incidents}

    def same(some: Iterable[Incident]) -> tuple[Incident, ...]:
        return tuple(kept[each.key] for each in some)

    return IncidentChanges(
        same(changes.standing),
        same(changes.opened),
        same(changes.escalated),
        same(changes.resolved),
    )
