"""The holds of one target, kept in the store through all changes."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence

from demurrage.decide import holds as rules_of_holds
from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import Store
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.inventory import Inventory, PartialInventory
from demurrage.model.plan import WAVE_RAILS, Hold, Judgement, PlannedDelete, Rail

_KINDS = {
    Rail.REFERENCED_DELETED: ConditionKind.REFERENCED_DELETED,
    Rail.SECOND_REAPER: ConditionKind.SECOND_REAPER,
    Rail.STORE_RESTORED: ConditionKind.STORE_RESTORED,
    Rail.LOG_RESTORED: ConditionKind.LOG_RESTORED,
    Rail.OBSERVER_EFFECT: ConditionKind.OBSERVER_EFFECT,
}


def hold_of(target: str, rail: Rail, subjects: Iterable[str]) -> str:
    """The id of the hold that a cause opens; the same cause always has the same."""
    cause = ":".join((target, rail, *sorted(subjects)))
    return f"{rail.replace('_', '-')}-{hashlib.sha256(cause.encode()).hexdigest()[:8]}"


class Holds:
    """Opens, joins and settles holds; a person's resume arrives through the store."""

    def __init__(self, target: str, store: Store, hooks: Hooks) -> None:
        self._target = target
        self._store = store
        self._hooks = hooks
        self.current: tuple[Hold, ...] = ()

    async def load(self) -> None:
        """Take over what the store holds, a person's resumes among it."""
        self.current = await asyncio.to_thread(self._store.holds, self._target)

    async def asked(self, rail: Rail, subjects: Iterable[str]) -> bool:
        """True when the target was held for the cause before, answered by now or not."""
        hold_id = hold_of(self._target, rail, subjects)
        return await asyncio.to_thread(self._store.hold, hold_id) is not None

    async def trip(self, rail: Rail, summary: str, subjects: Iterable[str], now: float) -> None:
        """Hold the whole target for a cause.

        The id follows from the cause, so that what a person has answered is not asked again.
        """
        subjects = tuple(subjects)
        if await self.asked(rail, subjects):
            return
        hold_id = hold_of(self._target, rail, subjects)
        await self._save(
            rules_of_holds.open_hold(hold_id, self._target, rail, (), now=now, summary=summary)
        )

    async def trip_unless_held(
        self, rail: Rail, summary: str, subjects: Iterable[str], now: float
    ) -> None:
        """Hold the whole target for a cause, unless it is held for one of its kind already.

        What goes on happening while nobody answers is one question, not one every minute.
        """
        if self.standing(rail) is None:
            await self.trip(rail, summary, subjects, now)

    async def apply(self, judgement: Judgement, now: float) -> None:
        """Open holds for rails that tripped; what is kept back joins the open ones."""
        for rail, summary in judgement.tripped:
            hold_id = hold_of(self._target, rail, (str(now),))
            await self._save(
                rules_of_holds.open_hold(
                    hold_id, self._target, rail, judgement.held, now=now, summary=summary
                )
            )
        if judgement.held and not judgement.tripped:
            await self._join(judgement.held)

    async def _join(self, held: Sequence[PlannedDelete]) -> None:
        for hold in self.current:
            await self._amend(hold, lambda hold: rules_of_holds.join(hold, held))

    async def settle(self, inventory: Inventory, now: float) -> None:
        """Let holds lapse whose containers are gone; a partial inventory settles nothing."""
        if isinstance(inventory, PartialInventory) or not self.current:
            return
        alive = {each.id for each in inventory.sightings.values() if each.alive}
        for hold in self.current:
            await self._amend(hold, lambda hold: rules_of_holds.settle(hold, alive, now))

    async def _amend(self, hold: Hold, change: Callable[[Hold], Hold]) -> None:
        """Change a hold as the store has it then: a person may answer at any moment."""
        changed = await asyncio.to_thread(self._store.amend_hold, hold.id, change)
        if changed is not None:
            self._note(changed)

    async def _save(self, hold: Hold) -> None:
        await asyncio.to_thread(self._store.save_hold, hold)
        self._note(hold)

    def _note(self, hold: Hold) -> None:
        known = {each.id: each for each in self.current}
        before = known.get(hold.id)
        if before is None or before.ended != hold.ended:
            self._hooks.held(self._target, hold)
        known[hold.id] = hold
        self.current = tuple(each for each in known.values() if not each.ended)

    def standing(self, rail: Rail) -> Hold | None:
        """The open hold of a rail, None if nobody has to answer for it."""
        for hold in self.current:
            if hold.rail is rail and hold.resumed_at is None:
                return hold
        return None

    def conditions(self) -> tuple[Condition, ...]:
        """What a person should know: one line for each hold that waits for an answer."""
        return tuple(
            Condition(
                _KINDS.get(hold.rail, ConditionKind.RAIL_HELD),
                self._target,
                f"{hold.summary}; `demurrage resume {hold.id}` lets it go on",
                Severity.PAGE,
            )
            for hold in self.current
            if hold.resumed_at is None
        )

    @property
    def waiting(self) -> tuple[Hold, ...]:
        """Holds that wait for a person, wave holds last."""
        return tuple(
            sorted(
                (hold for hold in self.current if hold.resumed_at is None),
                key=lambda hold: hold.rail in WAVE_RAILS,
            )
        )
