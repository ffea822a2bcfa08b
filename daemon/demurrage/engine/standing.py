"""The conditions that stand, told to the store and to the hooks."""

import asyncio
from collections.abc import Iterable

from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import Store
from demurrage.model.condition import Condition
from demurrage.model.error import StoreFailedError
from demurrage.model.record import ConditionChanges


class Standing:
    """What each target's conditions are now, and were when they were last told.

    The store knows which have just been opened, through restarts too; where it fails, and that
    is a condition itself, memory stands in for it.
    """

    def __init__(self, store: Store, hooks: Hooks) -> None:
        self._store = store
        self._hooks = hooks
        self._told: dict[str, tuple[Condition, ...]] = {}

    def beside(self, target: str, condition: Condition) -> tuple[Condition, ...]:
        """What stood before, and the one given: a failed cycle has seen nothing of the rest."""
        before = self._told.get(target, ())
        return (*(each for each in before if each.kind != condition.kind), condition)

    async def tell(self, target: str, conditions: tuple[Condition, ...], at: float) -> None:
        """Replace what stands, at most one condition of each kind.

        Raises:
            StoreFailedError: the store could not keep it; nothing was told yet.
        """
        changes = await asyncio.to_thread(self._store.sync_conditions, target, conditions, at)
        self._pass_on(target, conditions, changes)

    async def tell_failure(self, target: str, conditions: tuple[Condition, ...], at: float) -> None:
        """The same for a cycle that failed, told whether the store works or not."""
        try:
            await self.tell(target, conditions, at)
        except StoreFailedError:
            self._pass_on(target, conditions, ConditionChanges(conditions, ()))

    def _pass_on(
        self, target: str, conditions: tuple[Condition, ...], changes: ConditionChanges
    ) -> None:
        before = self._told.get(target, ())
        opened = _without(changes.opened, before)
        over = _without(before, (*conditions, *changes.resolved))
        self._told[target] = conditions
        self._hooks.conditions(
            target, conditions, ConditionChanges(opened, (*changes.resolved, *over))
        )


def _without(some: Iterable[Condition], others: Iterable[Condition]) -> tuple[Condition, ...]:
    """Those whose kind is not among the others'."""
    kinds = {each.kind for each in others}
    return tuple(each for each in some if each.kind not in kinds)
