"""What a store or a log that went back in time asks of a person, about every target there is."""

import asyncio
from collections.abc import Collection

from demurrage.engine.holds import Holds
from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import Store
from demurrage.model.plan import Rail

# What a restore asks: the log does not tell any more what was begun.
_UNTIL_OVER = (
    "the target only observes; resume it only when no response that was begun before the restore "
    "still runs"
)
# And of the store, which had noted it.
_AND_SOUND = "and what has broken coverage since that copy was made is mended"


class Restores:
    """Holds every target once for each restore.

    Those that only the store knows, since the settings have them no more, are held with the
    others: what was lost may be theirs, too, and nothing would tell when they come back.

    Args:
        names: the targets of the settings.
        vouched_for: those of them whose makers all log, by the settings' word.
        store: where the holds are.
        hooks: who is told.
    """

    def __init__(
        self, names: Collection[str], vouched_for: Collection[str], store: Store, hooks: Hooks
    ) -> None:
        self._names = names
        self._vouched_for = vouched_for
        self._store = store
        self._hooks = hooks
        self._turn = asyncio.Lock()
        # How often the log had gone back in time when all were last held for that.
        self.setbacks = 0

    async def of_store(self, now: float) -> bool:
        """Hold for a store that is an older copy; False if it is none.

        A crash in between asks again.
        """
        async with self._turn:
            if await asyncio.to_thread(lambda: self._store.restored_since) is None:
                return False
            what = "the store was restored from an older copy"
            await self._hold(Rail.STORE_RESTORED, f"{what}; {_UNTIL_OVER}, {_AND_SOUND}", now)
            # The copy may remember a word that is not given any more.
            await asyncio.to_thread(self._store.withdraw_coverage, self._vouched_for)
            await asyncio.to_thread(self._store.acknowledge_restore, now, "daemon")
            return True

    async def of_log(self, setbacks: int, now: float) -> None:
        """Hold for a log that went back in time, unless that is done.

        Args:
            setbacks: how often it has by now.
            now: when that was noticed, by whatever clock there is.
        """
        async with self._turn:
            if setbacks > self.setbacks:
                await asyncio.to_thread(self._store.forget_places)
                what = "the event log went back in time or was replaced"
                await self._hold(Rail.LOG_RESTORED, f"{what}; {_UNTIL_OVER}", now)
                self.setbacks = setbacks

    async def _hold(self, rail: Rail, summary: str, now: float) -> None:
        # What a person answers has to rest on a look that came after.
        await asyncio.to_thread(self._store.forget_looks)
        known = await asyncio.to_thread(self._store.targets)
        for name in sorted({*self._names, *known}):
            holds = Holds(name, self._store, self._hooks)
            await holds.load()
            await holds.trip_unless_held(rail, summary, (f"{now:.3f}",), now)
