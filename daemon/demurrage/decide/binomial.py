"""The statistics of one rail: is a share higher than the past makes plausible?

Containers do not share their fates independently: one conversation without the tool leaves a
run of orphans, and nights differ from days. `overdispersion` measures on the past how much more
hourly shares vary than independent ones would; dividing counts by it gives the number of
independent cases that they are worth (a quasi-binomial model).
"""

import math
from collections.abc import Iterable

# The weight and the value of the guess that stands in while the past is short.
_PRIOR_HOURS = 5
_PRIOR_DISPERSION = 3.0


def upper_tail(successes: int, trials: int, share: float) -> float:
    """P(X >= successes) for X ~ Binomial(trials, share), exact up to rounding.

    Raises:
        ValueError: `successes` or `share` out of range.
    """
    if not 0 <= successes <= trials or not 0.0 <= share <= 1.0:
        raise ValueError(f"no binomial case: {successes} of {trials} at {share}")
    if successes == 0 or share == 1.0:
        return 1.0
    if share == 0.0:
        return 0.0
    log_pmf = (
        math.lgamma(trials + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(trials - successes + 1)
        + successes * math.log(share)
        + (trials - successes) * math.log1p(-share)
    )
    odds = share / (1.0 - share)
    # Summed relative to the first term, so that a tail far below the smallest float ends as 0.
    total = term = 1.0
    for k in range(successes, trials):
        term *= (trials - k) / (k + 1) * odds
        total += term
        if term < total * 1e-17 and k + 1 > trials * share:
            break
    return min(1.0, math.exp(min(0.0, log_pmf + math.log(total))))


def upper_bound(successes: float, trials: float, z: float) -> float:
    """Wilson's upper confidence bound of a share, `z` standard errors up. 1.0 of no trials."""
    if trials <= 0:
        return 1.0
    share = successes / trials
    spread = z * math.sqrt(share * (1.0 - share) / trials + z * z / (4 * trials * trials))
    return min(1.0, (share + z * z / (2 * trials) + spread) / (1.0 + z * z / trials))


def lower_bound(successes: float, trials: float, z: float) -> float:
    """Wilson's lower confidence bound of a share, `z` standard errors down. 0.0 of no trials."""
    return 1.0 - upper_bound(trials - successes, trials, z)


def rate_lower_bound(count: float, exposure: float, z: float) -> float:
    """The lower score bound of a rate, `z` standard errors down. 0.0 of no exposure.

    The least rate under which so many in so much exposure lie no more than `z` off.
    """
    if exposure <= 0.0:
        return 0.0
    spread = z * math.sqrt(count + z * z / 4)
    return max(0.0, count + z * z / 2 - spread) / exposure


def overdispersion(groups: Iterable[tuple[int, int]]) -> float:
    """How much more the shares of (successes, trials) groups vary than independent cases would.

    Pearson's statistic per degree of freedom, drawn towards a cautious guess while groups are
    few, never below 1.
    """
    filled = [(successes, trials) for successes, trials in groups if trials > 0]
    trials = sum(group[1] for group in filled)
    share = sum(group[0] for group in filled) / trials if trials else 0.0
    variance = share * (1.0 - share)
    pearson = 0.0
    freedom = 0
    if variance > 0.0:
        pearson = sum((s - n * share) ** 2 / (n * variance) for s, n in filled)
        freedom = len(filled) - 1
    estimate = (pearson + _PRIOR_HOURS * _PRIOR_DISPERSION) / (freedom + _PRIOR_HOURS)
    return max(1.0, estimate)
