"""What stands of a target's orphans, in words, with its causes and its money."""

import math
from collections.abc import Iterator, Mapping

from demurrage.decide.spike import SpikeWatch, labels_of
from demurrage.decide.spike_scope import COST, FAST, SLOW, STANDING, usual_usd_per_hour
from demurrage.decide.spike_window import cost, fast_windows, slow_windows
from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import WHOLE, Scope, Settlement, Tally

# What a person can take in at a glance; and less than a twentieth is no cause.
_CAUSES_EACH = 3
_LEAST_CAUSE = 0.05
# Seconds from which a span is told in hours.
_MANY_MINUTES = 7200.0


def conditions(
    target: str, watch: SpikeWatch, rules: SpikeRules, usd_each: dict[str, float]
) -> tuple[Condition, ...]:
    """One for each alarm that stands."""
    return tuple(
        _condition(target, name, kind, watch, rules=rules, usd_each=usd_each)
        for name, scope in watch.scopes.items()
        if scope.usual is not None
        for kind in scope.alarms
    )


def _condition(
    target: str,
    name: str,
    kind: ConditionKind,
    watch: SpikeWatch,
    *,
    rules: SpikeRules,
    usd_each: dict[str, float],
) -> Condition:
    scope = watch.scopes[name]
    whose = f"the containers of {name}" if name != WHOLE else "the containers made"
    say = {STANDING: _standing, COST: _cost, FAST: _rate, SLOW: _rate}[kind]
    text, usd, severity = say(scope, whose, kind, rules, usd_each=usd_each)
    since = scope.until - (rules.fast_window if kind in {FAST, COST} else rules.slow_window)
    some = [
        each
        for each in watch.orphans
        if each.born_at >= since and (name == WHOLE or name in labels_of(each))
    ]
    return Condition(kind, target, text, severity, name, tuple(_causes(some, usd_each)), usd)


_Said = tuple[str, float, Severity]


def _standing(
    scope: Scope, whose: str, _: ConditionKind, __: SpikeRules, *, usd_each: dict[str, float]
) -> _Said:
    past, hours = (scope.usual.past, scope.usual.hours) if scope.usual else (Tally(), math.inf)
    usd = cost(past, usd_each) / hours
    text = (
        f"{past.share:.0%} of {whose} are orphans, as always; they cost {_usd(usd)} an hour "
        "(estimated)"
    )
    return text, usd, Severity.NOTICE


def _cost(
    scope: Scope, whose: str, _: ConditionKind, rules: SpikeRules, *, usd_each: dict[str, float]
) -> _Said:
    long = fast_windows(scope, rules).long
    usd = long.usd_per_hour(usd_each)
    usually = usual_usd_per_hour(scope.usual, usd_each) if scope.usual else 0.0
    tiers = sorted(long.tally.orphans.items(), key=lambda each: -each[1])
    mix = ", ".join(f"{count} of {tier}" for tier, count in tiers) or "none"
    text = (
        f"orphans among {whose} cost {_usd(usd)} an hour (estimated), where {_usd(usually)} are "
        f"usual; {mix} in the last {_span(rules.fast_window)}"
    )
    return text, usd, _by_money(usd, rules)


def _rate(
    scope: Scope, whose: str, kind: ConditionKind, rules: SpikeRules, *, usd_each: dict[str, float]
) -> _Said:
    fast = kind is FAST
    long = (fast_windows(scope, rules) if fast else slow_windows(scope, rules)).long
    usd = long.usd_per_hour(usd_each)
    usually = scope.usual.share if scope.usual else 0.0
    text = (
        f"{long.tally.share:.0%} of {whose} in the last "
        f"{_span(rules.fast_window if fast else rules.slow_window)} are orphans "
        f"({long.tally.orphaned} of {long.tally.settled}), where {usually:.0%} are usual; they "
        f"cost {_usd(usd)} an hour (estimated)"
    )
    return text, usd, Severity.PAGE if fast else _by_money(usd, rules)


def _by_money(usd: float, rules: SpikeRules) -> Severity:
    return Severity.PAGE if usd >= rules.cost_page_usd_per_hour else Severity.WARNING


def _causes(orphans: list[Settlement], usd_each: Mapping[str, float]) -> Iterator[Cause]:
    """What the orphans have in common, the dearest of each dimension first."""
    found: dict[tuple[str, str], list[Settlement]] = {}
    for each in orphans:
        for dimension, value in _traits(each):
            found.setdefault((dimension, value), []).append(each)

    def dearness(some: list[Settlement]) -> tuple[float, int]:
        return sum(usd_each.get(each.tier, 0.0) for each in some), len(some)

    dearest = sorted(found, key=lambda key: (dearness(found[key]), key), reverse=True)
    shown: dict[str, int] = {}
    for dimension, value in dearest:
        count = len(found[dimension, value])
        shown[dimension] = shown.get(dimension, 0) + 1
        if shown[dimension] <= _CAUSES_EACH and count >= _LEAST_CAUSE * len(orphans):
            yield Cause(dimension, value, count, count / len(orphans))


def _traits(settlement: Settlement) -> Iterator[tuple[str, str]]:
    traits = settlement.traits
    yield "writer", traits.writer or "unknown"
    yield "model", traits.model or "unknown"
    yield "context", traits.context or "unknown"
    for name in labels_of(settlement):
        yield "label", name


def _usd(amount: float) -> str:
    return f"${amount:,.2f}"


def _span(seconds: float) -> str:
    if seconds < _MANY_MINUTES:
        return f"{seconds / 60:.3g} minutes"
    return f"{seconds / 3600:.3g} hours"
