"""Has something changed? The sequential tests of a share and of a rate (Shiryaev and Roberts).

The level adds up, over every moment at which a change can have begun, how much likelier all since
then is under the change than under what is usual. As long as nothing has changed its expected
growth is one for each container (for a rate: for each orphan that is expected), so a test that
strikes at level A has on average at least A of them between two false alarms, whatever the share
is; and among tests that keep that quiet none finds a lasting change much sooner. Where the past
varies more than independent containers would, by a dispersion d, each counts for 1/d.
"""

import math
from collections.abc import Iterable


def share_level(
    level: float,
    orphans: Iterable[bool],
    usual: float,
    changed: float,
    *,
    dispersion: float,
    ceiling: float,
) -> float:
    """The level after further containers.

    Args:
        level: before them.
        orphans: of each, in the order of birth, whether it is an orphan.
        usual: the usual share of orphans, above 0.
        changed: the share to be told from it, above `usual` and below 1.
        dispersion: at least 1.
        ceiling: it rises no further; it has struck there.
    """
    up = (changed / usual) ** (1.0 / dispersion)
    down = ((1.0 - changed) / (1.0 - usual)) ** (1.0 / dispersion)
    for orphan in orphans:
        level = min((1.0 + level) * (up if orphan else down), ceiling)
    return level


def rate_level(
    level: float,
    count: int,
    expected: float,
    factor: float,
    *,
    dispersion: float,
    ceiling: float,
) -> float:
    """The level after a stretch of time.

    Args:
        level: before it.
        count: the orphans in it.
        expected: how many are usual in so long a time.
        factor: the multiple of the usual to be told from it, above 1.
        dispersion: at least 1.
        ceiling: it rises no further; it has struck there.
    """
    start = level + expected
    if start <= 0.0:
        return 0.0
    evidence = (count * math.log(factor) - expected * (factor - 1.0)) / dispersion
    # Cut before the power is taken, for a flood would be more than a float can hold.
    evidence += math.log(start)
    return ceiling if evidence >= math.log(ceiling) else math.exp(evidence)
