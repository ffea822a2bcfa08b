"""One scope (a target, or a label of it): its births counted, its tests, and their alarms.

An alarm begins when its sequential test has struck and both windows agree. It ends once the long
window has come back, two thirds of the way at least, for `quiet` without a break. While it stands
nothing is learned; if it stands for so long that what it covers is a past of its own, it is the
new usual.
"""

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from demurrage.decide.binomial import lower_bound, rate_lower_bound
from demurrage.decide.spike_memory import remember, restart_at
from demurrage.decide.spike_test import rate_level, share_level
from demurrage.decide.spike_usual import usual_at
from demurrage.decide.spike_window import Windows, fast_windows, slow_windows
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Alarm, Rate, Scope, Settlement, Usual

FAST = ConditionKind.ORPHAN_RATE_FAST
SLOW = ConditionKind.ORPHAN_RATE_SLOW
COST = ConditionKind.ORPHAN_COST
STANDING = ConditionKind.STANDING_LEAK

# Of the way from the usual to the rise that matters. An alarm that stands ends below the first,
# and none begins unless the short window is beyond the second.
_BACK = 1 / 3
_HALF = 1 / 2
# The fast test looks for what lies so far from the least rise that matters towards certainty.
_TOWARDS_ALL = 1 / 4
# A standing leak is one no more when it is well below the line, lest it come and go.
_STANDING_BACK = 0.8


def advance(
    scope: Scope,
    settlements: Sequence[Settlement],
    until: float,
    rules: SpikeRules,
    *,
    usd_each: dict[str, float],
    muted: AbstractSet[ConditionKind] = frozenset(),
) -> Scope:
    """Count the births between `scope.until` and `until`, and look what they say.

    Args:
        scope: what is remembered.
        settlements: those births, in their order.
        until: provider time, epoch seconds; not before `scope.until`.
        rules: settings as values.
        usd_each: what one orphan costs, by tier.
        muted: kinds of which no alarm is to begin, for a wider one tells already.
    """
    hours = (until - scope.until) / 3600.0
    scope = remember(scope, settlements, until, rules)
    number = math.floor(until / rules.bin)
    if number != scope.usual_at:
        # What an alarm covers may leave too little to learn from; what was usual still is.
        usual = usual_at(scope, until, rules) or scope.usual
        scope = replace(scope, usual=usual, usual_at=number)
    usual = scope.usual
    if usual is None:
        return scope
    muted = muted | _implied(scope)
    scope = _tested(scope, usual, settlements, hours, rules, muted=muted)
    scope = _begun(scope, usual, rules, usd_each, muted)
    scope = _ended(scope, usual, rules, usd_each)
    return _adopted(scope, rules)


def least_rise(usual: Usual, kind: ConditionKind, rules: SpikeRules) -> float:
    """How much more than usual is a change that counts, as a share."""
    rise = rules.fast_rise if kind is FAST else rules.slow_rise
    return max(rise, (rules.rise_factor - 1.0) * usual.share)


def sought(usual: Usual, kind: ConditionKind, rules: SpikeRules) -> float:
    """The share that the test of a kind tells from the usual one; 1 and more where none is."""
    least = usual.share + least_rise(usual, kind, rules)
    return least + _TOWARDS_ALL * max(0.0, 1.0 - least) if kind is FAST else least


def usual_usd_per_hour(usual: Usual, usd_each: dict[str, float]) -> float:
    """What orphans usually cost an hour, at the upper end of what the past makes plausible."""
    return sum(rate.per_hour * usd_each.get(tier, 0.0) for tier, rate in usual.rates.items())


def _implied(scope: Scope) -> AbstractSet[ConditionKind]:
    """What an alarm that stands tells beside its own."""
    return frozenset({SLOW, COST}) if FAST in scope.alarms else frozenset()


def _tested(
    scope: Scope,
    usual: Usual,
    settlements: Sequence[Settlement],
    hours: float,
    rules: SpikeRules,
    *,
    muted: AbstractSet[ConditionKind],
) -> Scope:
    def share(kind: ConditionKind, level: float) -> float:
        changed = sought(usual, kind, rules)
        if kind in muted or kind in scope.alarms or changed >= 1.0:
            return 0.0
        return share_level(
            level,
            (each.orphan for each in settlements),
            usual.share,
            changed,
            dispersion=usual.dispersion,
            ceiling=rules.false_alarm_every,
        )

    counts: dict[str, int] = {}
    for each in settlements:
        if each.orphan:
            counts[each.tier] = counts.get(each.tier, 0) + 1
    rates: dict[str, float] = {}
    if COST not in muted and COST not in scope.alarms:
        for tier in {*usual.rates, *counts, *scope.rates}:
            rate = _rate(usual, tier)
            rates[tier] = rate_level(
                scope.rates.get(tier, 0.0),
                counts.get(tier, 0),
                rate.per_hour * hours,
                rules.cost_factor,
                dispersion=rate.dispersion,
                ceiling=rules.false_alarm_every,
            )
    return replace(
        scope,
        fast=share(FAST, scope.fast),
        slow=share(SLOW, scope.slow),
        rates=rates,
    )


def _rate(usual: Usual, tier: str) -> Rate:
    """A tier that was never seen may come once in all the time that it was not."""
    return usual.rates.get(tier) or Rate(1.0 / usual.hours)


def _begun(
    scope: Scope,
    usual: Usual,
    rules: SpikeRules,
    usd_each: dict[str, float],
    muted: AbstractSet[ConditionKind],
) -> Scope:
    begun: dict[ConditionKind, Alarm] = {}
    top = rules.false_alarm_every
    if scope.fast >= top and _agree(fast_windows(scope, rules), usual, FAST, rules):
        begun[FAST] = Alarm(scope.until - rules.fast_window, scope.until)
    elif scope.slow >= top and _agree(slow_windows(scope, rules), usual, SLOW, rules):
        begun[SLOW] = Alarm(scope.until - rules.slow_window, scope.until)
    struck = {tier for tier, level in scope.rates.items() if level >= top}
    if FAST not in begun and _dear(scope, usual, struck, rules, usd_each):
        begun[COST] = Alarm(scope.until - rules.fast_window, scope.until)
    if STANDING not in muted and STANDING not in scope.alarms:
        past = usual.past
        least = lower_bound(past.orphaned, past.settled, rules.confidence)
        if least >= rules.standing_share:
            begun[STANDING] = Alarm(scope.until, scope.until)
    return replace(scope, alarms={**scope.alarms, **begun}) if begun else scope


def _agree(windows: Windows, usual: Usual, kind: ConditionKind, rules: SpikeRules) -> bool:
    """True when both windows say what the test says, and there is enough in them."""
    long, short = windows.long.tally, windows.short.tally
    return (
        long.settled >= rules.min_containers
        and lower_bound(long.orphaned, long.settled, rules.confidence) > usual.share
        and short.share >= usual.share + _HALF * least_rise(usual, kind, rules)
    )


def _dear(
    scope: Scope,
    usual: Usual,
    struck: AbstractSet[str],
    rules: SpikeRules,
    usd_each: dict[str, float],
) -> bool:
    """True when what has become more frequent makes the whole several times as dear."""
    if not struck:
        return False
    long, short = fast_windows(scope, rules)
    orphans = long.tally.orphans
    no_fluke = any(
        rate_lower_bound(orphans.get(tier, 0), long.hours, rules.confidence)
        > _rate(usual, tier).per_hour
        for tier in struck
    )
    several = rules.cost_factor * usual_usd_per_hour(usual, usd_each)
    return (
        no_fluke
        and long.usd_per_hour(usd_each) >= rules.cost_warning_usd_per_hour
        and short.usd_per_hour(usd_each) >= several
    )


def _ended(scope: Scope, usual: Usual, rules: SpikeRules, usd_each: dict[str, float]) -> Scope:
    alarms = dict(scope.alarms)
    skips = scope.skips
    for kind, alarm in scope.alarms.items():
        if not _calm(scope, kind, usual, rules, usd_each):
            alarms[kind] = replace(alarm, calm_since=None)
            continue
        since = scope.until if alarm.calm_since is None else alarm.calm_since
        alarms[kind] = replace(alarm, calm_since=since)
        if kind is STANDING:
            del alarms[kind]
        elif scope.until - since >= rules.quiet:
            del alarms[kind]
            skips = (*skips, (alarm.begun, scope.until))
    return replace(scope, alarms=alarms, skips=skips)


def _calm(
    scope: Scope,
    kind: ConditionKind,
    usual: Usual,
    rules: SpikeRules,
    usd_each: dict[str, float],
) -> bool:
    """True when a look says that an alarm is over."""
    if kind is STANDING:
        return usual.past.share < _STANDING_BACK * rules.standing_share
    if kind is COST:
        usd = fast_windows(scope, rules).long.usd_per_hour(usd_each)
        usually = usual_usd_per_hour(usual, usd_each)
        back = usually * (1.0 + _BACK * (rules.cost_factor - 1.0))
        return usd < max(back, _BACK * rules.cost_warning_usd_per_hour)
    windows = fast_windows(scope, rules) if kind is FAST else slow_windows(scope, rules)
    return windows.long.tally.share < usual.share + _BACK * least_rise(usual, kind, rules)


def _adopted(scope: Scope, rules: SpikeRules) -> Scope:
    """What has lasted for as long as a past must be, is usual."""
    enough = rules.baseline_minimum + rules.baseline_lag + 2 * rules.bin
    begun = [each.begun for kind, each in scope.alarms.items() if kind is not STANDING]
    if not begun or scope.until - min(begun) < enough:
        return scope
    standing = {kind: each for kind, each in scope.alarms.items() if kind is STANDING}
    fresh = restart_at(scope, min(begun))
    return replace(fresh, alarms=standing, fast=0.0, slow=0.0, rates={})
