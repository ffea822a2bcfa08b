"""Which containers are due, and in which order they go.

A plan is recomputed right before it is executed. It trusts nothing but fresh rows: a container
is in it only if its verdict says that it is due, its row is live, and a listing showed that row
within the last three intervals.
"""

from collections.abc import Iterator, Mapping

from demurrage.decide import billing
from demurrage.model.container import Life, Sighting
from demurrage.model.error import DemurrageError
from demurrage.model.plan import Plan, PlannedDelete
from demurrage.model.rules import PolicyRules, Rules
from demurrage.model.verdict import Verdict, VerdictKind


class ForbiddenDeleteError(DemurrageError):
    """A verdict that must never lead to a delete carries a due time: a fault in the core."""


def make_plan(
    target: str,
    verdicts: Mapping[str, Verdict],
    sightings: Mapping[str, Sighting],
    rules: Rules,
    now: float,
) -> Plan:
    """The deletes that are due now, the dearest waste first.

    Args:
        target: The target that all of it belongs to.
        verdicts: Every live container's verdict, by container id.
        sightings: The inventory, by container id.
        rules: The target's settings.
        now: Provider time in epoch seconds.

    Returns:
        The plan, ordered by the estimated USD that a delete still saves: every delete is one
        call, and under a tight budget those that no call is left for save nothing. 64g comes
        before 1g, and within a tier the one with most of its life on the bill ahead; of those
        that save the same, the next tick comes before the one after. A container that expires
        before another tick is billed saves nothing any more and comes last, as does one of
        unknown tier.

    Raises:
        ForbiddenDeleteError: a due time on a verdict that must not carry one. Nothing may be
            deleted then, so there is no plan at all.
    """
    planned = [
        _planned(verdict, sighting, rules, now)
        for verdict, sighting in _due(verdicts, sightings, rules, by=now)
        if is_fresh(sighting, rules, now)
    ]
    planned.sort(key=_order)
    return Plan(target=target, made_at=now, deletes=tuple(planned))


def any_due(
    verdicts: Mapping[str, Verdict],
    sightings: Mapping[str, Sighting],
    rules: Rules,
    now: float,
) -> bool:
    """True where a plan that is made now holds a delete.

    Raises:
        ForbiddenDeleteError: as in `make_plan`, which alone looks at every verdict.
    """
    due = _due(verdicts, sightings, rules, by=now)
    return any(is_fresh(sighting, rules, now) for _, sighting in due)


def stale_due(
    verdicts: Mapping[str, Verdict],
    sightings: Mapping[str, Sighting],
    rules: Rules,
    now: float,
) -> tuple[str, ...]:
    """Containers that a fresh listing must show before they can go, the dearest waste first.

    Those that are due now or within one interval, and whose row was not listed lately. List
    them, decide and plan again.

    Raises:
        ForbiddenDeleteError: as in `make_plan`.
    """
    stale = [
        _planned(verdict, sighting, rules, now)
        for verdict, sighting in _due(verdicts, sightings, rules, by=now + rules.watch.interval)
        if not is_fresh(sighting, rules, now)
    ]
    stale.sort(key=_order)
    return tuple(delete.container_id for delete in stale)


def is_fresh(sighting: Sighting, rules: Rules, now: float) -> bool:
    """True if the row was listed within the last three intervals.

    A row that claims to have been listed well ahead of `now` dates from before a clock
    stepped back, and its age is unknown.
    """
    return abs(now - sighting.listed_at) <= rules.watch.freshness


def _due(
    verdicts: Mapping[str, Verdict],
    sightings: Mapping[str, Sighting],
    rules: Rules,
    *,
    by: float,
) -> Iterator[tuple[Verdict, Sighting]]:
    """Live containers whose verdict is due by the given moment, every due time checked."""
    for container_id, verdict in verdicts.items():
        if verdict.due_at is None:
            continue
        _check(container_id, verdict, rules.policy)
        sighting = sightings.get(container_id)
        if sighting is None or not sighting.alive or sighting.container.life is not Life.LIVE:
            continue
        if verdict.due_at <= by:
            yield verdict, sighting


def _check(container_id: str, verdict: Verdict, policy: PolicyRules) -> None:
    """Refuse a due time that the policy gives no leave for: a defence in depth."""
    if verdict.container_id != container_id:
        raise ForbiddenDeleteError(
            f"the verdict filed under {container_id} is about {verdict.container_id}"
        )
    allowed = {
        VerdictKind.ORPHAN: True,
        VerdictKind.RELEASED: "delete" in (policy.released, policy.explicit),
        VerdictKind.UNPROVEN: policy.unproven == "delete",
    }
    if not allowed.get(verdict.kind, False):
        raise ForbiddenDeleteError(
            f"{container_id} is {verdict.kind} and must be kept, yet its verdict is due"
        )


def _planned(verdict: Verdict, sighting: Sighting, rules: Rules, now: float) -> PlannedDelete:
    container = sighting.container
    return PlannedDelete(
        container_id=container.id,
        verdict=verdict,
        created_at=container.created_at,
        tier=container.tier,
        saves_usd=billing.saves(container, now, rules.billing),
        next_tick_at=billing.next_tick_at(container, now, rules.billing),
    )


def _order(delete: PlannedDelete) -> tuple[float, float, float, str]:
    # Not by the cost of the next tick alone: where calls are short for long, that spends them on
    # the oldest, which have the least left to save, and lets the others grow old meanwhile. Where
    # they are short for a burst only, this misses a tick here and there.
    return (-delete.saves_usd, delete.next_tick_at, delete.due_at, delete.container_id)
