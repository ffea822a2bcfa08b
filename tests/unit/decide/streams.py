"""Streams of settled births, and a scope that lives through them."""

import random
from collections.abc import Callable, Iterator, Sequence

from demurrage.decide.spike_scope import advance
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Scope, Settlement, Tally, Traits

DAY = 86_400.0
HOUR = 3600.0
RULES = SpikeRules()
USD = {"1g": 0.03, "64g": 1.92}
WARM_DAYS = 16


def births(
    rng: random.Random,
    share: float,
    start: float,
    end: float,
    *,
    per_hour: float = 100.0,
    tier: str = "1g",
    traits: Traits | None = None,
) -> list[Settlement]:
    """Containers that come by chance, so many an hour, of which a share are orphans."""
    found = []
    at = start + rng.expovariate(per_hour / HOUR)
    while at < end:
        name = f"cntr_{tier}_{at:.3f}"
        orphan = rng.random() < share
        found.append(Settlement(name, int(at), tier, orphan, traits or Traits()))
        at += rng.expovariate(per_hour / HOUR)
    return found


def warm(share: float, *, per_hour: int = 100, days: int = WARM_DAYS, tier: str = "1g") -> Scope:
    """A scope with so many days of a steady past; it ends now, at `days` days."""
    rng = random.Random(f"{share} {per_hour}")
    bins = {
        number: Tally(per_hour, {tier: sum(rng.random() < share for _ in range(per_hour))})
        for number in range(days * 24)
    }
    return Scope(0.0, days * DAY, bins=bins, binned=days * 1440)


def looks(
    scope: Scope,
    stream: Sequence[Settlement],
    end: float,
    *,
    step: float = 60.0,
    rules: SpikeRules = RULES,
    look: Callable[..., Scope] = advance,
) -> Iterator[Scope]:
    """The scope after each look at the stream, until its end."""
    place = 0
    while scope.until < end:
        until = min(scope.until + step, end)
        upto = place
        while upto < len(stream) and stream[upto].born_at < until:
            upto += 1
        scope = look(scope, stream[place:upto], until, rules, usd_each=USD)
        place = upto
        yield scope


def delay(
    scope: Scope,
    stream: Sequence[Settlement],
    kind: ConditionKind,
    *,
    within: float,
    step: float = 20.0,
) -> float | None:
    """Seconds until an alarm of a kind begins, None if none does within so many."""
    start = scope.until
    for each in looks(scope, stream, start + within, step=step):
        if kind in each.alarms:
            return each.until - start
    return None
