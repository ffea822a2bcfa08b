"""One cycle's plan for one target, without touching anything: it lists, reads and decides.

Neither store nor log nor API is written to. Where there is no store yet, nothing is known of
the target's past: coverage counts from now, so nothing can be proven, and that is the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from demurrage.decide import rails
from demurrage.decide.census import Census
from demurrage.engine.evidence import Evidence, Reading, Unreadable
from demurrage.engine.inventory import InventoryWatch, remembered
from demurrage.engine.log_ports import EventReader
from demurrage.engine.look import Look, Picture, Target
from demurrage.engine.ports import Store
from demurrage.engine.pulse import longest_pause
from demurrage.model.container import Sighting
from demurrage.model.error import DemurrageError
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import PartialInventory
from demurrage.model.plan import Hold, Judgement, Plan, Rail
from demurrage.model.rules import Rules
from demurrage.model.verdict import Code, Verdict

# One answer's time is not believed where this machine's clock contradicts it; three are.
_MORE_LOOKS = 2


class NotLookedError(DemurrageError):
    """The target cannot be looked at now; the message says why."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What one cycle would do. `judgement` is the rails' word on the plan, in enforce mode."""

    target: str
    at: float
    plan: Plan
    verdicts: Mapping[str, Verdict]
    sightings: Mapping[str, Sighting]
    judgement: Judgement
    holds: tuple[Hold, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Past:
    """What a store knows of a target's containers; without one, nothing."""

    holds: tuple[Hold, ...] = ()
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    whole: bool = False
    foot: int | None = None


async def preview(
    target: Target,
    reader: EventReader,
    store: Store | None,
    *,
    tell: Callable[[str], None] = lambda _: None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Preview:
    """Look at a target as its next cycle would.

    Evidence counts once the log has been watched without a break for `max_event_delay`. Where
    that alone keeps something from being due, it is watched for so long.

    Args:
        target: the target, with its client.
        reader: the event log.
        store: the store, None if there is none yet.
        tell: told what is being waited for.
        pause: waits so many seconds.

    Raises:
        NotLookedError: listing is on hold, the listing is partial, or the log is unreadable.
        StoreFailedError: the store cannot be read.
    """
    rules, clock = target.rules, target.api.clock
    past = await asyncio.to_thread(_past, target, store)
    for hold in past.holds:
        if hold.rail is Rail.OBSERVER_EFFECT:
            raise NotLookedError(f"{target.name} is not listed: {hold.summary} (hold {hold.id})")
    watch = InventoryWatch(target.name, target.api, rules)
    watch.remember(past.sightings, bootstrapped=past.whole, foot=past.foot)
    cursor = await asyncio.to_thread(store.cursor) if store is not None else None
    claims = await asyncio.to_thread(store.claims) if store is not None else None
    evidence = Evidence(reader, cursor, longest_pause([rules]), claims=claims)
    look = Look(target, watch, evidence)

    async def picture_now() -> tuple[Picture, TargetFacts]:
        census = await watch.look()
        for _ in range(_MORE_LOOKS):
            if not clock.jumped:
                break
            census = await watch.look()
        # Only now has an answer told the time, by which protections end and coverage counts.
        facts = await asyncio.to_thread(_facts, target, store)
        return await _judged(look, watch, census, facts), facts

    evidence.pulse.begin()
    whole = "" if past.whole else " to its end, with a call for each hundred rows"
    tell(f"listing {target.name}{whole}")
    try:
        picture, facts = await picture_now()
        if _waits_for_events(picture, facts, rules):
            delay = rules.evidence.max_event_delay
            tell(f"watching {target.name}'s events for {delay:.0f} s, as proof asks")
            await _watch_events(evidence, target, pause)
            picture, _ = await picture_now()
    finally:
        evidence.pulse.end()
    decision = picture.decision
    if decision is None:
        raise NotLookedError(_shortfall(target.name, picture))
    plan = look.plan(picture)
    return Preview(
        target.name,
        clock.now(),
        plan,
        decision.verdicts,
        watch.sightings,
        await asyncio.to_thread(_judge, target, store, past, plan, picture),
        past.holds,
        _notes(target, store, evidence),
    )


def _facts(target: Target, store: Store | None) -> TargetFacts:
    now = target.api.clock.now()
    facts = TargetFacts() if store is None else store.facts(target.name, now)
    # As the daemon does at its start: the word counts from when it is first given.
    since = facts.coverage_since if facts.coverage_since is not None else now
    return replace(facts, coverage_since=since if target.vouched_for else None)


def _past(target: Target, store: Store | None) -> _Past:
    if store is None:
        return _Past()
    horizon = InventoryWatch(target.name, target.api, target.rules).horizon
    return _Past(
        store.holds(target.name),
        remembered(store, target.name, horizon, target.api.clock.now()),
        store.listed_whole(target.name),
        store.newest_birth(target.name, target.rules.watch.freshness),
    )


async def _judged(look: Look, watch: InventoryWatch, census: Census, facts: TargetFacts) -> Picture:
    """Read the log, decide; once more on fresh rows where something is due."""
    picture = await look.judge(census, facts)
    stale = look.stale(picture)
    if stale:
        census = await watch.refresh(stale, census)
        picture = await look.judge(census, facts)
    return picture


def _waits_for_events(picture: Picture, facts: TargetFacts, rules: Rules) -> bool:
    """True where watching the log for longer could make something due."""
    hopeless = facts.coverage_since is None and rules.policy.unproven == "keep"
    if picture.decision is None or hopeless:
        return False
    return any(Code.EVENTS_MAY_BE_LATE in each.codes for each in picture.decision.verdicts.values())


async def _watch_events(
    evidence: Evidence, target: Target, pause: Callable[[float], Awaitable[None]]
) -> None:
    left = target.rules.evidence.max_event_delay
    while left > 0:
        step = min(left, target.rules.watch.interval)
        await pause(step)
        left -= step
        async with evidence.lock:
            await evidence.read(target.api.clock)


def _shortfall(name: str, picture: Picture) -> str:
    if isinstance(picture.inventory, PartialInventory):
        return (
            f"{name} was not listed completely: {picture.inventory.detail}; `demurrage check` says "
            "at which address it was asked, and what to mend"
        )
    if isinstance(picture.reading, Unreadable):
        return f"the event log cannot be read: {picture.reading.detail}"
    return f"{name} cannot be judged: its answers do not agree on the time; try again"


def _judge(
    target: Target, store: Store | None, past: _Past, plan: Plan, picture: Picture
) -> Judgement:
    if store is None or not plan.deletes:
        return Judgement(plan.deletes)
    now, reading = target.api.clock.now(), picture.reading
    return rails.judge(
        plan,
        store.history(target.name, now),
        past.holds,
        evidence_read_at=reading.read_at if isinstance(reading, Reading) else None,
        inventory_as_of=picture.inventory.as_of,
        clock_jumped=target.api.clock.jumped,
        rules=target.rules,
        now=now,
    )


def _notes(target: Target, store: Store | None, evidence: Evidence) -> tuple[str, ...]:
    notes = []
    if store is None:
        notes.append(
            "there is no store yet, so nothing is known from before; coverage would count from now"
        )
    elif store.restored_since is not None:
        notes.append("the store was restored from an older copy: the daemon would only observe")
    if evidence.setbacks:
        notes.append("the event log went back in time: the daemon would only observe")
    if target.rules.evidence.coverage == "partial" and target.rules.policy.unproven == "keep":
        notes.append("coverage is partial, so nothing can be proven and nothing is due")
    return tuple(notes)
