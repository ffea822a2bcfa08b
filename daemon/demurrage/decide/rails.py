"""The guards between a plan and its deletes: all of it, what a person resumed, or nothing.

First, three states of the world make the whole sweep wait, until they heal by themselves:
stale evidence, a stale inventory, a clock that jumped.

Then the open holds. Every container that a person's resume answers for, given for a wave hold
and still in force, may go past the wave rails, counts against no cap, and is no part of the
judged share. It may not go while an open wave hold names it too (two rails had tripped on it,
and a person has answered for one). All other planned deletes are *the rest*.

* An open hold of a rail that is no wave rail keeps everything back, resumed or not.
* An open wave hold keeps the whole rest back; what was resumed goes on, for otherwise the next
  wave would take back a person's yes to the one before.
* Without an open hold the rest is measured against every wave rail. Counts are inclusive and
  fire exclusively: exactly the allowance passes, one more trips. If any rail trips, the whole
  rest is held, never a part of it, and what was resumed goes on.

The rails that are not wave rails are never tripped here: whoever sees a referenced container
deleted, a second reaper, a restore or an observer effect opens their hold.
"""

from collections.abc import Mapping, Sequence

from demurrage.decide import binomial
from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.history import HourTally, RailHistory
from demurrage.model.plan import WAVE_RAILS, Hold, Judgement, Plan, PlannedDelete, Rail
from demurrage.model.rules import RailRules, Rules

HOUR = 3600.0
_WEEK_IN_HOURS = 168

# An "auto" allowance is this many times the births logged in the busiest hour.
_HEADROOM = 3

# The share test. A past of fewer births than this many minimum populations proves nothing.
_PAST_POPULATIONS = 5
# The past share is taken three standard errors up, so that a short past errs towards passing.
_PAST_Z = 3.0
# A rail is judged every cycle, so some 100,000 times a year on nearly independent hours: at one
# in a million a false hold is a matter of years, and a collapse of references is still seen.
_ALPHA = 1e-6
# However certain, a rise by less than this is drift and not a loss of references; it also keeps
# a target whose share has always been near one from ever tripping.
_MIN_RISE = 0.05


def judge(
    plan: Plan,
    history: RailHistory,
    holds: Sequence[Hold],
    *,
    evidence_read_at: float | None,
    inventory_as_of: float | None,
    clock_jumped: bool,
    rules: Rules,
    now: float,
) -> Judgement:
    """Let a plan pass, or hold it.

    Args:
        plan: What is due, made right before.
        history: The target's past week and last hour.
        holds: The target's holds; ended ones change nothing.
        evidence_read_at: When the event log was last read to its end, None if never.
        inventory_as_of: The moment that the complete inventory speaks of, None if there is none.
        clock_jumped: True while the provider's time is not trusted.
        rules: The target's settings.
        now: Provider time in epoch seconds, as all times here.

    Returns:
        What may be deleted, in the plan's order, and why the rest may not.
    """
    withheld = _withheld(
        plan.target,
        evidence_stale=_stale(evidence_read_at, rules, now),
        inventory_stale=_stale(inventory_as_of, rules, now),
        clock_jumped=clock_jumped,
    )
    if withheld:
        return Judgement(allowed=(), withheld=withheld)

    standing = [hold for hold in holds if not hold.ended and hold.resumed_at is None]
    yes = _answered_for(holds, standing, now)
    resumed = tuple(delete for delete in plan.deletes if delete.container_id in yes)
    rest = tuple(delete for delete in plan.deletes if delete.container_id not in yes)
    if any(hold.rail not in WAVE_RAILS for hold in standing):
        return Judgement(allowed=(), held=rest)

    resumed_by = {delete.container_id: yes[delete.container_id] for delete in resumed}
    if standing:
        return Judgement(allowed=resumed, held=rest, resumed_by=resumed_by)
    tripped = _tripped(rest, resumed, history, rules.rails, now)
    if tripped:
        return Judgement(allowed=resumed, held=rest, tripped=tripped, resumed_by=resumed_by)
    return Judgement(allowed=plan.deletes, resumed_by=resumed_by)


def hourly_allowance(history: RailHistory, rules: RailRules, now: float) -> float:
    """How many containers may go within one hour, those of this plan included.

    "auto": three times the busiest hour of logged births within the last week for each hour
    since the last sweep, but at least for one; never below `hourly_floor`, never above
    `hourly_ceiling`.
    """
    if rules.max_deletes_per_hour is not None:
        return rules.max_deletes_per_hour
    return _auto(history, rules, max(1.0, _hours_since_sweep(history, now)), now)


def cycle_allowance(history: RailHistory, rules: RailRules, now: float) -> float:
    """How many containers one sweep may take.

    "auto": as for the hour, but accruing from nothing since the last sweep; before the first
    sweep it is that of one hour.
    """
    if rules.max_deletes_per_cycle is not None:
        return rules.max_deletes_per_cycle
    return _auto(history, rules, _hours_since_sweep(history, now), now)


def _withheld(
    target: str, *, evidence_stale: bool, inventory_stale: bool, clock_jumped: bool
) -> tuple[Condition, ...]:
    reasons = {
        ConditionKind.EVIDENCE_STALE: (
            evidence_stale,
            "the event log was not read to its end lately; nothing is deleted until it is",
        ),
        ConditionKind.INVENTORY_STALE: (
            inventory_stale,
            "the last complete listing is too old; nothing is deleted until there is a new one",
        ),
        ConditionKind.CLOCK_JUMP: (
            clock_jumped,
            "a clock jumped; nothing is deleted until the provider's time is measured anew",
        ),
    }
    return tuple(
        Condition(kind, target, summary) for kind, (holds, summary) in reasons.items() if holds
    )


def _stale(read_at: float | None, rules: Rules, now: float) -> bool:
    # A reading from well ahead of `now` dates from before a clock stepped back.
    return read_at is None or abs(now - read_at) > rules.watch.freshness


def _answered_for(holds: Sequence[Hold], standing: Sequence[Hold], now: float) -> dict[str, str]:
    """Containers that a person's yes in force covers, with the id of the (oldest) hold."""
    still_held = {
        container_id
        for hold in standing
        if hold.rail in WAVE_RAILS
        for container_id in hold.containers
    }
    yes: dict[str, str] = {}
    for hold in sorted(holds, key=lambda hold: (hold.opened_at, hold.id)):
        in_force = hold.resumed_until is not None and now < hold.resumed_until
        if hold.ended or hold.rail not in WAVE_RAILS or not in_force:
            continue
        for container_id in hold.containers - still_held:
            yes.setdefault(container_id, hold.id)
    return yes


def _tripped(
    rest: Sequence[PlannedDelete],
    resumed: Sequence[PlannedDelete],
    history: RailHistory,
    rules: RailRules,
    now: float,
) -> tuple[tuple[Rail, str], ...]:
    if not rest:
        return ()
    found = []
    allowance = hourly_allowance(history, rules, now)
    in_hour = history.deletes_last_hour + len(rest)
    if in_hour > allowance:
        summary = f"{in_hour:,} deletes within an hour; the allowance is {int(allowance):,}"
        found.append((Rail.DELETES_PER_HOUR, summary))
    allowance = cycle_allowance(history, rules, now)
    if len(rest) > allowance:
        summary = f"{len(rest):,} deletes in one sweep; the allowance is {int(allowance):,}"
        found.append((Rail.DELETES_PER_CYCLE, summary))

    deleted = history.deleted_of_those + _born_last_hour(rest, now)
    # Guarded, because the figures and the plan come from two readings.
    born = max(history.born_last_hour - _born_last_hour(resumed, now), deleted)
    if born >= rules.min_population and born > 0:
        plausible = _plausible_share(deleted, born, history, rules, now)
        if deleted / born > plausible:
            summary = (
                f"{deleted:,} of the {born:,} containers born within the last hour would be "
                f"deleted; up to {plausible:.0%} is plausible; references may be missing"
            )
            found.append((Rail.DELETED_SHARE, summary))
    return tuple(found)


def _plausible_share(
    deleted: int, born: int, history: RailHistory, rules: RailRules, now: float
) -> float:
    """The highest share that may pass: the setting, or "auto" what the past makes plausible.

    The auto test is one-sided and binomial, against the hours of the past week that lie wholly
    before the last 3,600 s. Returns 1.0 where it does not object. Counts are first divided by
    the past's overdispersion: containers of one conversation share their fate, so they are
    worth fewer independent cases than they number.
    """
    if rules.max_deleted_share is not None:
        return rules.max_deleted_share
    last_hour_starts = int((now - HOUR) // HOUR)
    past = [
        (min(tally.deleted, tally.births), tally.births)
        for tally in _hours(history, last_hour_starts - _WEEK_IN_HOURS, last_hour_starts)
    ]
    past_births = sum(births for _, births in past)
    if past_births < _PAST_POPULATIONS * rules.min_population:
        return 1.0
    clumping = binomial.overdispersion(past)
    plausible = binomial.upper_bound(
        sum(gone for gone, _ in past) / clumping, past_births / clumping, _PAST_Z
    )
    if deleted / born < plausible + _MIN_RISE:
        return 1.0
    cases = max(1, round(born / clumping))
    chance = binomial.upper_tail(min(cases, int(deleted / clumping)), cases, plausible)
    return plausible if chance < _ALPHA else 1.0


def _auto(history: RailHistory, rules: RailRules, hours: float, now: float) -> float:
    this_hour = int(now // HOUR)
    busiest = max(
        (tally.logged for tally in _hours(history, this_hour - _WEEK_IN_HOURS, this_hour + 1)),
        default=0,
    )
    return min(max(_HEADROOM * busiest * hours, rules.hourly_floor), rules.hourly_ceiling)


def _hours(history: RailHistory, first: int, end: int) -> list[HourTally]:
    hours: Mapping[int, HourTally] = history.hours
    return [tally for hour, tally in hours.items() if first <= hour < end]


def _hours_since_sweep(history: RailHistory, now: float) -> float:
    if history.last_sweep_at is None:
        return 1.0
    return max(0.0, now - history.last_sweep_at) / HOUR


def _born_last_hour(deletes: Sequence[PlannedDelete], now: float) -> int:
    return sum(delete.created_at > now - HOUR for delete in deletes)
