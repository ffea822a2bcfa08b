"""Carrying out a saved plan: real cycles of the engine, narrowed to what a person was shown."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from demurrage.engine.cycle import Outcome
from demurrage.engine.engine import Engine
from demurrage.engine.ports import Store
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.error import DemurrageError
from demurrage.model.plan import Judgement, Plan
from demurrage.model.verdict import Code, VerdictKind

# Cycles without a delete, once the log was watched for long enough, before it is over.
_IDLE = 2


class Fate(StrEnum):
    """What became of one planned delete."""

    DELETED = "deleted"
    FAILED = "failed"
    KEPT = "kept"
    HELD = "held"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Result:
    """One container of the plan, what became of it, and why."""

    container_id: str
    fate: Fate
    detail: str = ""


class TurnFailedError(DemurrageError):
    """A cycle ended by an error of the daemon's own."""


async def carry_out(
    engine: Engine,
    store: Store,
    target: str,
    wanted: Mapping[str, VerdictKind],
    *,
    tell: Callable[[str], None] = lambda _: None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> tuple[Result, ...]:
    """Delete those of the wanted containers that are due as they were shown.

    Every cycle lists, reads the log, decides and asks the rails anew. Evidence counts once the
    log has been watched for `max_event_delay`, and a call budget may allow only some deletes a
    cycle, so there are several.

    Args:
        engine: an engine of this process, whose store's lock the caller holds.
        store: its store.
        target: the plan's target.
        wanted: the verdict that each container was shown with.
        tell: told what is being waited for.
        pause: waits so many seconds between two cycles.

    Raises:
        TurnFailedError: a cycle failed; what was deleted before is in the store's audit.
    """
    rules = engine.targets[target].rules
    delay = rules.evidence.max_event_delay
    tell(f"judging {target} anew: proof asks for {delay:.0f} s of its events")
    loop = asyncio.get_running_loop()
    before = await asyncio.to_thread(store.deletions, target, 1)
    last = before[0].id if before else 0
    watched_from: float | None = None
    idle = 0
    while True:
        outcome = await engine.turn(target, lambda plan: _narrowed(plan, wanted))
        if outcome is None:
            raise TurnFailedError(_why(engine, target))
        if watched_from is None:
            watched_from = loop.time()
        deletions = await asyncio.to_thread(_deletions, store, target, wanted, last)
        results = tuple(_result(each, wanted, outcome, deletions.get(each)) for each in wanted)
        if not any(_open(each, outcome, deletions) for each in results):
            return results
        proof_ready = loop.time() - watched_from >= delay
        idle = idle + 1 if proof_ready and not outcome.judgement.allowed else 0
        if idle == _IDLE:
            return results
        await pause(rules.watch.interval)


def _narrowed(plan: Plan, wanted: Mapping[str, VerdictKind]) -> Plan:
    kept = (each for each in plan.deletes if wanted.get(each.container_id) is each.verdict.kind)
    return replace(plan, deletes=tuple(kept))


def _deletions(
    store: Store, target: str, wanted: Mapping[str, VerdictKind], after: int
) -> dict[str, Deletion]:
    """The latest delete of each wanted container beyond an id of the audit."""
    found: dict[str, Deletion] = {}
    for each in store.deletions(target, 2 * len(wanted) + 100):
        if each.container_id in wanted and each.id > after:
            found.setdefault(each.container_id, each)
    return found


def _result(
    container_id: str,
    wanted: Mapping[str, VerdictKind],
    outcome: Outcome,
    deletion: Deletion | None,
) -> Result:
    if deletion is not None:
        done = deletion.outcome is not None and deletion.outcome.done
        named = deletion.outcome or DeleteOutcome.UNCERTAIN
        detail = f"{named.value} {deletion.detail}".strip()
        return Result(container_id, Fate.DELETED if done else Fate.FAILED, detail)
    decision = outcome.picture.decision
    if decision is None:
        return Result(container_id, Fate.KEPT, "listing or log could not be read to the end")
    verdict = decision.verdicts.get(container_id)
    if verdict is None:
        return Result(container_id, Fate.GONE, "it is not listed alive any more")
    if any(each.container_id == container_id for each in outcome.plan.deletes):
        return _not_begun(container_id, outcome.judgement)
    why = "; ".join(reason.text for reason in verdict.reasons)
    then, now = wanted[container_id], verdict.kind
    change = "it is not due now" if now is then else f"it was {then.value}, now {now.value}"
    return Result(container_id, Fate.KEPT, f"{change}: {why}")


def _not_begun(container_id: str, judgement: Judgement) -> Result:
    """Why a container that is due was not deleted."""
    if any(each.container_id == container_id for each in judgement.allowed):
        return Result(container_id, Fate.KEPT, "the call budget did not reach it")
    holding = [f"{rail.value}: {summary}" for rail, summary in judgement.tripped]
    holding += [each.summary for each in judgement.withheld]
    return Result(container_id, Fate.HELD, "; ".join(holding) or "an open hold keeps it back")


def _open(result: Result, outcome: Outcome, deletions: Mapping[str, Deletion]) -> bool:
    """True when another cycle may yet delete it."""
    if result.container_id in deletions or result.fate is Fate.GONE:
        return False
    decision = outcome.picture.decision
    verdict = None if decision is None else decision.verdicts.get(result.container_id)
    if verdict is None:
        return True
    waits = {Code.EVENTS_MAY_BE_LATE, Code.LOG_NOT_COMPLETE}
    return verdict.due_at is not None or not waits.isdisjoint(verdict.codes)


def _why(engine: Engine, target: str) -> str:
    conditions = engine.statuses.get(target, {}).get("conditions", [])
    return "; ".join(each["summary"] for each in conditions) or "the cycle failed"
