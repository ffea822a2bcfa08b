"""Deleting what was allowed: written down before each call, completed after it.

Only as many deletes are begun as the call budget grants within one interval; the rest is
planned anew in the next cycle, on fresh evidence. A stop lets the deletes under way end.
"""

import asyncio
from collections.abc import Mapping, Sequence

from demurrage.decide import billing
from demurrage.engine.hooks import Hooks
from demurrage.engine.ports import ContainersApi, Store
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.container import Container
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.listing import DeleteAnswer
from demurrage.model.plan import Judgement
from demurrage.model.record import Conclusion, Intent
from demurrage.model.rules import Rules

# Deletes between two commits of the audit.
CHUNK = 250
# Deletes under way at a time; beyond this the API's latency no longer hides behind others.
ABREAST = 32


class Sweep:
    """The deletes of one target."""

    def __init__(
        self, target: str, api: ContainersApi, store: Store, hooks: Hooks, rules: Rules
    ) -> None:
        self._target = target
        self._api = api
        self._store = store
        self._hooks = hooks
        self._rules = rules

    async def execute(
        self,
        judgement: Judgement,
        verdict_ids: Mapping[str, int],
        containers: Mapping[str, Container],
        stop: asyncio.Event,
    ) -> list[tuple[Deletion, Conclusion]]:
        """Delete what the rails let through; returns how each delete that was begun ended.

        Args:
            judgement: the rails' word on the plan.
            verdict_ids: the recorded verdict of every container in it.
            containers: the rows that it was made on.
            stop: once set, no further delete is begun.
        """
        affordable = max(1, self._api.affordable(self._rules.watch.interval))
        allowed = judgement.allowed[:affordable]
        done: list[tuple[Deletion, Conclusion]] = []
        for start in range(0, len(allowed), CHUNK):
            if stop.is_set():
                break
            intents = [
                Intent(
                    planned,
                    verdict_ids[planned.container_id],
                    judgement.resumed_by.get(planned.container_id),
                )
                for planned in allowed[start : start + CHUNK]
            ]
            done += await asyncio.shield(self._chunk(intents, containers))
        return done

    async def _chunk(
        self, intents: Sequence[Intent], containers: Mapping[str, Container]
    ) -> list[tuple[Deletion, Conclusion]]:
        now = self._api.clock.now()
        deletions = await asyncio.to_thread(self._store.intend, self._target, intents, now)
        gate = asyncio.Semaphore(ABREAST)

        async def delete(deletion: Deletion) -> tuple[Deletion, Conclusion]:
            async with gate:
                answer = await self._api.delete(deletion.container_id)
            return deletion, self._conclude(deletion, answer, containers[deletion.container_id])

        pairs = await asyncio.gather(*(delete(deletion) for deletion in deletions))
        await asyncio.to_thread(self._store.conclude, [conclusion for _, conclusion in pairs])
        self._hooks.concluded(self._target, pairs)
        return list(pairs)

    def _conclude(
        self, deletion: Deletion, answer: DeleteAnswer, container: Container
    ) -> Conclusion:
        now = self._api.clock.now()
        saved = billing.saves(container, now, self._rules.billing)
        failure = answer.failure
        return Conclusion(
            deletion.id,
            answer.outcome,
            now,
            detail="" if failure is None else f"{failure.kind}: {failure.detail}",
            saved_usd=saved if answer.outcome is DeleteOutcome.DELETED else 0.0,
        )


def troubles(target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> tuple[Condition, ...]:
    """What a person should know of deletes that did not end well."""
    refused = [pair for pair in pairs if pair[1].outcome is DeleteOutcome.REFUSED]
    failed = [
        pair for pair in pairs if pair[1].outcome in (DeleteOutcome.FAILED, DeleteOutcome.UNCERTAIN)
    ]
    found = []
    if refused:
        text = f"the API answered {len(refused)} deletes with deleted: false; they are tried again"
        found.append(Condition(ConditionKind.DELETE_REFUSED, target, text, Severity.WARNING))
    if failed:
        text = f"{len(failed)} deletes failed ({failed[0][1].detail}); they are tried again"
        found.append(Condition(ConditionKind.DELETE_FAILED, target, text, Severity.WARNING))
    return tuple(found)
