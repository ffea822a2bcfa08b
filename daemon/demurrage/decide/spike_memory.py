"""Taking births into a scope's past, and letting go of what is too old."""

import math
from collections.abc import Iterable
from dataclasses import replace

from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Scope, Settlement, Tally


def remember(
    scope: Scope, settlements: Iterable[Settlement], until: float, rules: SpikeRules
) -> Scope:
    """The scope with all births before `until` counted; grains of whole bins go there, too."""
    grains = dict(scope.grains)
    add(grains, settlements, rules)
    scope = replace(scope, until=until, grains=grains)
    binned = math.ceil(math.floor(until / rules.bin) * rules.bin / rules.grain)
    return scope if binned <= scope.binned else _gathered(scope, binned, rules)


def _gathered(scope: Scope, binned: int, rules: SpikeRules) -> Scope:
    """The same with all grains below a number in their bins, and without what is too old."""
    grain, width = rules.grain, rules.bin
    oldest = (scope.until - rules.baseline) / width - 1
    bins = {number: each for number, each in scope.bins.items() if number >= oldest}
    for number, each in sorted(scope.grains.items()):
        if scope.binned <= number < binned:
            to = math.floor(number * grain / width)
            bins[to] = bins.get(to, Tally()) + each
    first = (scope.until - rules.keep) / grain - 1
    return replace(
        scope,
        grains={number: each for number, each in scope.grains.items() if number > first},
        bins=bins,
        binned=binned,
        skips=tuple(each for each in scope.skips if each[1] > scope.until - rules.baseline),
    )


def add(grains: dict[int, Tally], settlements: Iterable[Settlement], rules: SpikeRules) -> None:
    """Count births into their grains."""
    grain = rules.grain
    for each in settlements:
        number = math.floor(each.born_at / grain)
        tally = Tally(1, {each.tier: 1} if each.orphan else {})
        grains[number] = grains[number] + tally if number in grains else tally


def skip(scope: Scope, since: float, to: float) -> Scope:
    """Never learn from a stretch of time, nor count what was born in it."""
    return replace(scope, skips=(*scope.skips, (since, to)), until=max(scope.until, to))


def restart_at(scope: Scope, since: float) -> Scope:
    """Forget what was usual before a moment: from now on that is the past."""
    skips = tuple(each for each in scope.skips if each[1] > since)
    return replace(scope, since=since, skips=skips, usual=None, usual_at=-1)
