"""Writing down what was seen and decided, once, before anything is done about it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from math import inf

from demurrage.decide.census import Census
from demurrage.decide.decision import Decision
from demurrage.decide.response import Claim
from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import Store
from demurrage.model.container import Sighting
from demurrage.model.record import BirthTally, Ruling
from demurrage.model.verdict import Verdict, VerdictKind


class Chronicle:
    """The recorded past of one target: sightings, verdict changes, tallies, predictions."""

    def __init__(self, target: str, store: Store, hooks: Hooks) -> None:
        self._target = target
        self._store = store
        self._hooks = hooks
        self._unsaved: dict[str, Sighting] = {}
        self._latest: dict[str, tuple[int, Verdict]] = {}
        # Living containers that the rails' past is known to account for.
        self._accounted: set[str] = set()

    async def load(self) -> None:
        """Take over the latest recorded verdicts."""
        self._latest = await asyncio.to_thread(self._store.current_verdicts, self._target)

    @property
    def proven(self) -> Mapping[str, float]:
        """Since when each standing orphan or release has been proven."""
        return {
            container_id: verdict.proven_at
            for container_id, (_, verdict) in self._latest.items()
            if verdict.proven_at is not None
        }

    @property
    def verdict_ids(self) -> Mapping[str, int]:
        """The id of each container's latest recorded verdict."""
        return {container_id: number for container_id, (number, _) in self._latest.items()}

    async def saw(self, census: Census) -> None:
        """Record what a listing changed; what could not be saved is saved with the next."""
        self._unsaved |= {sighting.id: sighting for sighting in census.changed}
        await asyncio.to_thread(
            self._store.save_sightings, self._target, list(self._unsaved.values())
        )
        self._unsaved.clear()
        if census.born:
            born = [census.sightings[each] for each in census.born]
            hours = Counter(each.container.created_at // 3600 for each in born)
            tallies = [BirthTally(hour, births=count) for hour, count in sorted(hours.items())]
            await asyncio.to_thread(self._store.tally, self._target, tallies)
            self._hooks.born(self._target, born)

    async def decided(
        self, decision: Decision, claim: Claim | None, sightings: Mapping[str, Sighting]
    ) -> None:
        """Record verdicts that changed, what follows from the change, and what all stands on."""
        # First of all: the log alone would not tell of these again after a crash.
        if decision.breaks:
            await asyncio.to_thread(self._store.add_breaks, decision.breaks)
        if decision.late:
            await asyncio.to_thread(self._store.note_late_births, self._target, decision.now)
        # What broke it is on record by now: a start that was read before is not judged again.
        if claim is not None and claim.starts_before > -inf:
            await asyncio.to_thread(self._store.save_claim, self._target, claim)
        before = {key: verdict for key, (_, verdict) in self._latest.items()}
        changed = {
            key: verdict
            for key, verdict in decision.verdicts.items()
            if _worth_recording(before.get(key), verdict)
        }
        rulings = [
            Ruling(sightings[key].container, verdict, decision.now)
            for key, verdict in changed.items()
        ]
        if rulings:
            numbers = await asyncio.to_thread(self._store.record_verdicts, self._target, rulings)
            self._latest |= {key: (numbers[key], changed[key]) for key in changed}
            self._hooks.ruled(self._target, rulings)
        self._latest = {
            key: latest for key, latest in self._latest.items() if key in decision.verdicts
        }
        await self._account(decision.verdicts)
        await self._predict(changed, before, decision.now)

    async def _account(self, verdicts: Mapping[str, Verdict]) -> None:
        """Tally births that a logged slot accounts for, once their first waiting is over.

        That proof may be put off and come back any number of times makes no more of them.
        """
        self._accounted &= verdicts.keys()
        new = {
            key
            for key, verdict in verdicts.items()
            if verdict.maker is not None
            and verdict.kind is not VerdictKind.PENDING
            and key not in self._accounted
        }
        if new:
            await asyncio.to_thread(self._store.tally_once, self._target, "logged", new)
            self._accounted |= new

    async def _predict(
        self, changed: Mapping[str, Verdict], before: Mapping[str, Verdict], now: float
    ) -> None:
        """Keep score of what complete coverage would have said."""
        shadows = {
            key: verdict.shadow
            for key, verdict in changed.items()
            if verdict.shadow is VerdictKind.ORPHAN
        }
        if shadows:
            await asyncio.to_thread(self._store.predict, self._target, shadows, now)
            # The rails' past must know how much would go, or the first hour of complete
            # coverage would look like a flood.
            await self.swept(shadows)
        wrong = [
            key
            for key, verdict in changed.items()
            if verdict.kind is VerdictKind.REFERENCED
            and key in before
            and before[key].shadow is VerdictKind.ORPHAN
        ]
        if wrong:
            await asyncio.to_thread(self._store.refute, self._target, wrong, now)

    async def swept(self, container_ids: Iterable[str]) -> None:
        """Tally containers that were deleted, or would have been under enforce or a full word."""
        gone = tuple(container_ids)
        if gone:
            await asyncio.to_thread(self._store.tally_once, self._target, "deleted", gone)


def _worth_recording(before: Verdict | None, now: Verdict) -> bool:
    """True when a person reading the log would want the line."""
    if before is None:
        return True
    if (before.kind, before.due_at, before.shadow, before.proven_at) != (
        now.kind,
        now.due_at,
        now.shadow,
        now.proven_at,
    ):
        return True
    return before.reasons is not now.reasons and before.codes != now.codes
