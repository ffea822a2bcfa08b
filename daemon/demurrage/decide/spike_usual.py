"""What is usual for a scope, learned from its own past.

The past ends `baseline_lag` ago, so that a leak is found before it is learned; what an alarm
covers, and what nobody watched, is left out. Hours of the week get their own figures once there
are two weeks of them, as far as they differ by more than chance: each is drawn towards the whole
by as much as their differences are no larger than chance makes them (empirical Bayes). Shares and
rates are then taken at the upper end of what the past makes plausible, for the past is short.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from demurrage.decide.binomial import upper_bound
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Rate, Scope, Tally, Usual

_HOUR = 3600.0
_WEEK = 168
# Each hour of the week must have been seen twice before one can tell it from chance.
_HOUR_AWARE = 14 * 86_400.0
# One standard error: more would make the tests slow to protect from what lasts days only.
_CAUTION = 1.0
# Two standard errors of a chi-square: differences below that may well be chance.
_EVIDENT = 2.0
# Nobody minds less, and a share of zero cannot be tested against.
_LEAST_SHARE = 0.01


# The hour of the week, a value, and the exposure that it came of.
_Sample = tuple[int, float, float]


@dataclass(frozen=True, slots=True)
class _Estimate:
    """A mean per exposure, the exposure that it is worth, and the dispersion around it."""

    mean: float
    exposure: float
    dispersion: float


def usual_at(scope: Scope, now: float, rules: SpikeRules) -> Usual | None:
    """What the past says of the hour around `now`; None while it is too short to say anything."""
    bins, width = dict(_clean(scope, now, rules)), rules.bin
    past = _sum(bins.values())
    seconds = len(bins) * width
    if seconds < rules.baseline_minimum or past.settled < rules.baseline_containers:
        return None
    slot = _slot(now)
    aware = seconds >= _HOUR_AWARE
    slots = {number: _slot(number * width) for number in bins}
    shares = [
        (slots[number], float(each.orphaned), float(each.settled))
        for number, each in bins.items()
        if each.settled
    ]
    share = _estimate(shares, slot, lambda mean: mean * (1.0 - mean), hour_aware=aware)
    worth = share.exposure / share.dispersion
    rates = {}
    for tier in past.orphans:
        counts = [
            (slots[number], float(each.orphans.get(tier, 0)), width / _HOUR)
            for number, each in bins.items()
        ]
        rate = _estimate(counts, slot, lambda mean: mean, hour_aware=aware)
        spread = math.sqrt(max(rate.mean, 1.0 / rate.exposure) * rate.dispersion / rate.exposure)
        rates[tier] = Rate(rate.mean + _CAUTION * spread, rate.dispersion)
    return Usual(
        max(_LEAST_SHARE, upper_bound(share.mean * worth, worth, _CAUTION)),
        share.dispersion,
        rates,
        past,
        seconds / _HOUR,
    )


def _clean(scope: Scope, now: float, rules: SpikeRules) -> Iterator[tuple[int, Tally]]:
    """The whole bins to learn from, those in which nothing was born among them."""
    first = math.ceil(max(scope.since, now - rules.baseline) / rules.bin)
    last = min(math.floor((now - rules.baseline_lag) / rules.bin), _binned(scope, rules))
    standing = (
        (each.begun, math.inf)
        for kind, each in scope.alarms.items()
        if kind is not ConditionKind.STANDING_LEAK
    )
    skips = (*scope.skips, *standing)
    width = rules.bin
    for number in range(first, last):
        begins, ends = number * width, (number + 1) * width
        if not any(begins < to and since < ends for since, to in skips):
            yield number, scope.bins.get(number, Tally())


def _binned(scope: Scope, rules: SpikeRules) -> int:
    return math.floor(scope.binned * rules.grain / rules.bin)


def _sum(tallies: Iterable[Tally]) -> Tally:
    orphans: dict[str, int] = {}
    settled = 0
    for each in tallies:
        settled += each.settled
        for tier, count in each.orphans.items():
            orphans[tier] = orphans.get(tier, 0) + count
    return Tally(settled, orphans)


def _slot(at: float) -> int:
    """The hour of the week."""
    return int(at // _HOUR) % _WEEK


def _estimate(
    samples: Sequence[_Sample],
    slot: int,
    variance: Callable[[float], float],
    *,
    hour_aware: bool,
) -> _Estimate:
    """The mean in one slot. `variance` is that of one unit of exposure, by the mean."""
    cells: dict[int, tuple[float, float]] = {}
    for of, value, exposure in samples:
        before = cells.get(of, (0.0, 0.0))
        cells[of] = before[0] + value, before[1] + exposure
    seen = sum(exposure for _, exposure in cells.values())
    mean = sum(value for value, _ in cells.values()) / seen
    pull = math.inf
    if hour_aware:
        spread = _chi(((*cell, mean) for cell in cells.values()), variance)
        if _evident(spread, len(cells)):
            pull = seen / len(cells) / (spread - 1.0)
    drawn = dict.fromkeys((*cells, slot), mean)
    if pull < math.inf:
        for of in drawn:
            value, exposure = cells.get(of, (0.0, 0.0))
            drawn[of] = (value + pull * mean) / (exposure + pull)
        seen = cells.get(slot, (0.0, 0.0))[1] + pull
    around = _chi(((value, exposure, drawn[of]) for of, value, exposure in samples), variance)
    return _Estimate(drawn[slot], seen, around if _evident(around, len(samples)) else 1.0)


def _chi(cells: Iterable[tuple[float, float, float]], variance: Callable[[float], float]) -> float:
    """Pearson's statistic of (value, exposure, mean) cells per degree of freedom."""
    total, count = 0.0, 0
    for value, exposure, mean in cells:
        expected = exposure * variance(mean)
        if expected > 0.0:
            off = value - exposure * mean
            total += off * off / expected
        count += 1
    return total / max(1, count - 1)


def _evident(spread: float, count: int) -> bool:
    """True when so much more than chance is no chance itself."""
    return count > 1 and spread > 1.0 + _EVIDENT * math.sqrt(2.0 / (count - 1))
