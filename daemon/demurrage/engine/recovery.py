"""Deletes whose outcome is not known: what a crash left behind, what never got an answer.

Such a delete may have happened. Until a listing tells, its container's going is taken for our
own doing; if it is still there, it is judged and planned like any other.
"""

import asyncio
from collections.abc import Sequence

from demurrage.decide import billing
from demurrage.decide.census import Census
from demurrage.engine.look import Target
from demurrage.engine.ports import Store
from demurrage.model.container import Sighting
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.record import Conclusion
from demurrage.model.verdict import VerdictKind

# Deletes looked through at the start: more than any hour's ceiling.
_REMEMBERED = 20_000


class Recovery:
    """The open questions of one target's deletes."""

    def __init__(self, target: Target, store: Store) -> None:
        self._target = target
        self._store = store
        self._uncertain: dict[str, Deletion] = {}
        self.released: set[str] = set()

    async def recover(self, now: float) -> set[str]:
        """Close what a crash left open as uncertain; returns what this daemon may have deleted."""
        name = self._target.name
        left = await asyncio.to_thread(self._store.unfinished, name)
        await asyncio.to_thread(
            self._store.conclude,
            [
                Conclusion(each.id, DeleteOutcome.UNCERTAIN, now, "the daemon stopped meanwhile")
                for each in left
            ],
        )
        past = await asyncio.to_thread(self._store.deletions, name, _REMEMBERED)
        self._remember(past)
        done = {each.container_id for each in past if each.outcome and each.outcome.done}
        for deletion in (*left, *past):
            open_ = deletion.outcome in (None, DeleteOutcome.UNCERTAIN)
            if open_ and deletion.container_id not in done:
                self._uncertain.setdefault(deletion.container_id, deletion)
        return {deletion.container_id for deletion in past}

    def note(self, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """Take in how deletes ended.

        Only one that is done answers for an earlier one: a later delete that failed, or was
        refused or never sent, does not tell whether the earlier one came through.
        """
        self._remember([deletion for deletion, _ in pairs])
        for deletion, conclusion in pairs:
            if conclusion.outcome is DeleteOutcome.UNCERTAIN:
                self._uncertain[deletion.container_id] = deletion
            elif conclusion.outcome.done:
                self._uncertain.pop(deletion.container_id, None)

    def _remember(self, deletions: Sequence[Deletion]) -> None:
        self.released |= {
            each.container_id for each in deletions if each.verdict == VerdictKind.RELEASED
        }

    async def resolve(self, census: Census, now: float) -> tuple[str, ...]:
        """Settle uncertain deletes whose containers are gone; returns those that they deleted.

        What is gone was deleted by it, unless the listing says that it expired.
        """
        self.released.intersection_update(census.sightings)
        gone = [
            sighting
            for each in self._uncertain
            if (sighting := census.sightings.get(each)) is not None and not sighting.alive
        ]
        if not gone:
            return ()
        conclusions = {each.id: self._conclusion(each, now) for each in gone}
        await asyncio.to_thread(self._store.conclude, list(conclusions.values()))
        for each in gone:
            del self._uncertain[each.id]
        return tuple(key for key, conclusion in conclusions.items() if conclusion.outcome.done)

    def _conclusion(self, sighting: Sighting, now: float) -> Conclusion:
        deletion = self._uncertain[sighting.id]
        if sighting.container.status == "expired":
            return Conclusion(deletion.id, DeleteOutcome.FAILED, now, "it expired instead")
        saved = billing.saves(sighting.container, now, self._target.rules.billing)
        detail = "a later listing no longer shows it"
        return Conclusion(deletion.id, DeleteOutcome.DELETED, now, detail, saved)
