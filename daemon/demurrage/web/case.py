"""The whole case of one container, as plain data: the HTTP face and `explain` show the same."""

from dataclasses import dataclass
from typing import Any

from demurrage.decide import billing
from demurrage.decide.billing import Money
from demurrage.eventlog.attempts import attempts
from demurrage.eventlog.log import EventLog
from demurrage.eventlog.proxy_ids import unwrap
from demurrage.eventlog.reading import Kept
from demurrage.model.case import ContainerCase
from demurrage.model.error import LogUnreadableError
from demurrage.model.event import ContainerCreated, Entry, Event
from demurrage.model.plan import Hold
from demurrage.model.rules import BillingRules
from demurrage.model.verdict import Code, VerdictKind
from demurrage.store.sqlstore import SqlStore
from demurrage.web.plain import plain, plain_money, plain_sighting, plain_verdict

# A container in a long conversation is mentioned in every request; the first events and the
# last ones tell its story.
_SHOWN = 100
_USED_AS = frozenset({VerdictKind.REFERENCED, VerdictKind.RELEASED})


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What store and log hold on one container, before it is put into words.

    `events` mention the container; `maker` are those of the request that most likely made it.
    Both are None where the log cannot be read now.
    """

    case: ContainerCase
    events: tuple[Kept, ...] | None
    maker: tuple[Kept, ...] | None


def open_case(
    store: SqlStore, log: EventLog, container_id: str, target: str | None = None
) -> CaseFile | None:
    """Gather what is known of a container; None when neither store nor log knows it.

    A proxy's id stands for the provider's inside it, by which both know the container.

    Raises:
        StoreFailedError: the store cannot be read.
    """
    container_id = unwrap(container_id)
    case = store.case(container_id, target)
    owner = target if case is None else case.target
    try:
        events = _of_target(log.events_about([container_id]), owner)
        if case is None and events:
            case = ContainerCase(_event(events[0]).target, container_id)
            events = _of_target(events, case.target)
        if case is None:
            return None
        call = case.verdicts[-1].verdict.maker if case.verdicts else None
        maker = _of_target(log.events_about([call]), case.target) if call is not None else ()
    except LogUnreadableError:
        return None if case is None else CaseFile(case, None, None)
    return CaseFile(case, events, maker)


def case_of(file: CaseFile, rules: BillingRules, now: float) -> dict[str, Any]:
    """A case as plain JSON data; moments are epoch seconds, money is estimated USD.

    Args:
        file: what is known.
        rules: how the container's target is billed.
        now: until when a living container has cost something.
    """
    case = file.case
    verdicts = [plain_verdict(each) for each in case.verdicts]
    maker = attempts(file.maker or ())
    return {
        "id": case.container_id,
        "target": case.target,
        "container": plain_sighting(case.sighting) if case.sighting is not None else None,
        "verdict": verdicts[-1] if verdicts else None,
        "maker": plain(maker[0]) if maker else None,
        "created_by": _creation(file.events or ()),
        "verdicts": verdicts,
        "evidence": _evidence(file),
        "protection": plain(case.protection),
        "prediction": plain(case.prediction),
        "holds": [plain_hold(each) for each in case.holds],
        "deletions": [plain(each) for each in case.deletions],
        "would_have_deleted_at": case.observed_at,
        "money": _money(case, rules, now),
    }


def plain_hold(hold: Hold) -> dict[str, Any]:
    """A hold; how many containers it holds, not which."""
    return {**plain(hold), "containers": len(hold.containers)}


def _of_target(records: tuple[Kept, ...], target: str | None) -> tuple[Kept, ...]:
    """Events alone; a line that was set aside mentions nothing."""
    return tuple(
        kept
        for kept in records
        if isinstance(kept.record, Entry) and target in (None, kept.record.event.target)
    )


def _event(kept: Kept) -> Event:
    assert isinstance(kept.record, Entry)  # noqa: S101 - `_of_target` has seen to it
    return kept.record.event


def _creation(events: tuple[Kept, ...]) -> dict[str, Any] | None:
    """Which application created it by `POST /containers`, and when by its clock, if one did."""
    for kept in events:
        event = _event(kept)
        if isinstance(event.fact, ContainerCreated):
            return {"source": event.source, "time": event.time}
    return None


def _evidence(file: CaseFile) -> dict[str, Any]:
    events = file.events
    if events is None:
        return {"readable": False, "count": None, "events": []}
    half = _SHOWN // 2
    shown = events if len(events) <= _SHOWN else (*events[:half], *events[-half:])
    return {
        "readable": True,
        "count": len(events),
        "events": [_line(kept, file.case.container_id) for kept in shown],
    }


def _line(kept: Kept, container_id: str) -> dict[str, Any]:
    """One event: what it states, of its containers only how many besides this one."""
    event = _event(kept)
    stated: dict[str, Any] = plain(event.fact)
    if "containers" in stated:
        stated["other_containers"] = len(set(stated.pop("containers")) - {container_id})
    return {
        "position": kept.record.position,
        "appended_at": kept.appended_at,
        "time": event.time,
        "source": event.source,
        "type": str((kept.raw or {}).get("type", "")),
        **stated,
    }


def _money(case: ContainerCase, rules: BillingRules, now: float) -> dict[str, Any]:
    """What it cost, would cost, and did not cost; None where the row is not known any more."""
    used = _used(case)
    saved = sum(each.saved_usd for each in case.deletions if each.outcome and each.outcome.done)
    found: dict[str, Any] = {
        "currency": "USD",
        "estimated": True,
        "reconciled": False,
        "unused_containers_are": rules.unused,
        "used": used,
        "usd_per_minute": None,
        "cost": None,
        "cost_if_left": None,
        "saved": plain_money(_estimate(saved, rules, used=False)),
        "would_have_saved": plain_money(_estimate(case.observed_usd, rules, used=False)),
    }
    if case.sighting is None:
        return found
    container, sighting = case.sighting.container, case.sighting
    expires_at = billing.expires_at(container, rules)
    ended_at = sighting.deleted_at or min(sighting.gone_at or now, expires_at)
    cost = billing.billed_usd(container, ended_at, rules)
    left = billing.cost_if_left(container, rules)
    found["usd_per_minute"] = billing.price(container.tier, rules)
    found["cost"] = plain_money(_estimate(cost, rules, used=used))
    found["cost_if_left"] = plain_money(_estimate(left, rules, used=used))
    return found


def _estimate(usd: float, rules: BillingRules, *, used: bool) -> Money:
    return billing.money(usd, rules, used=used)


def _used(case: ContainerCase) -> bool:
    """True when anything ever said that it was used; what is not known to be used may be free."""
    return any(
        record.verdict.kind in _USED_AS or Code.ACTIVE_SINCE_BIRTH in record.verdict.codes
        for record in case.verdicts
    )
