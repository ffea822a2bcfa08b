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
        for deletion in (*left, *past):
            if deletion.outcome in (None, DeleteOutcome.UNCERTAIN):
                self._uncertain.setdefault(deletion.container_id, deletion)
        return {deletion.container_id for deletion in past}

    def note(self, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """Take in how deletes ended."""
        self._remember([deletion for deletion, _ in pairs])
        for deletion, conclusion in pairs:
            if conclusion.outcome is DeleteOutcome.UNCERTAIN:
                self._uncertain[deletion.container_id] = deletion
            else:
                self._uncertain.pop(deletion.container_id, None)

    def _remember(self, deletions: Sequence[Deletion]) -> None:
        self.released |= {
            each.container_id for each in deletions if each.verdict == VerdictKind.RELEASED
        }

    async def resolve(self, census: Census, now: float) -> None:
        """Containers that are gone after an uncertain delete were deleted by it."""
        gone = [each for each in census.gone if each in self._uncertain]
        if not gone:
            return
        rules = self._target.rules.billing
        conclusions = [
            Conclusion(
                self._uncertain[each].id,
                DeleteOutcome.DELETED,
                now,
                "a later listing no longer shows it",
                billing.saves(census.sightings[each].container, now, rules),
            )
            for each in gone
        ]
        await asyncio.to_thread(self._store.conclude, conclusions)
        for each in gone:
            del self._uncertain[each]
