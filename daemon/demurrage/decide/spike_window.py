"""Sums over the latest past of a scope."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Scope, Tally

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Window:
    """What was born in the `hours` before the last birth that is counted."""

    tally: Tally
    hours: float

    def usd_per_hour(self, usd_each: dict[str, float]) -> float:
        """What its orphans cost an hour, given what one of a tier costs."""
        return cost(self.tally, usd_each) / self.hours if self.hours > 0 else 0.0


class Windows(NamedTuple):
    """A long window, that something is no fluke, and a short one, that it goes on."""

    long: Window
    short: Window


def window(scope: Scope, seconds: float, rules: SpikeRules) -> Window:
    """The last so many seconds, in whole grains and never more."""
    grain = rules.grain
    first = math.ceil((scope.until - seconds) / grain)
    last = math.floor(scope.until / grain)
    tally = sum(
        (scope.grains[each] for each in range(first, last + 1) if each in scope.grains), Tally()
    )
    return Window(tally, (scope.until - max(first * grain, scope.since)) / _HOUR)


def fast_windows(scope: Scope, rules: SpikeRules) -> Windows:
    """Minutes."""
    return Windows(
        window(scope, rules.fast_window, rules), window(scope, rules.fast_confirm, rules)
    )


def slow_windows(scope: Scope, rules: SpikeRules) -> Windows:
    """Hours."""
    return Windows(
        window(scope, rules.slow_window, rules), window(scope, rules.slow_confirm, rules)
    )


def cost(tally: Tally, usd_each: dict[str, float]) -> float:
    """Estimated USD of a tally's orphans; a tier without a price counts as nothing."""
    return sum(count * usd_each.get(tier, 0.0) for tier, count in tally.orphans.items())
