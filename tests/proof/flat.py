"""Whether figures that were taken again and again stay where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

# What the start fills (caches, pools, the first day's rows) is no leak. A share of all samples.
_WARM_UP = 0.25


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process: bytes, and counts."""

    at: float
    resident: int
    descriptors: int
    threads: int
    database: int


@dataclass(frozen=True, slots=True)
class Trend:
    """What became of one figure after the warm-up.

    `first` and `second` are the medians of the two halves. `growth` is the slope by which the
    median pair of samples differs (Theil and Sen's: a few outliers do not bend it), over the
    whole time. `allowed` is how much of it still counts as flat.
    """

    name: str
    first: float
    second: float
    growth: float
    allowed: float

    @property
    def flat(self) -> bool:
        """True while the growth is within what is allowed."""
        return self.growth <= self.allowed


def trend(
    name: str, times: Sequence[float], values: Sequence[float], share: float, least: float
) -> Trend:
    """Look for a trend.

    Args:
        name: of the figure.
        times: when, in seconds, in order.
        values: what was found then.
        share: growth that counts as flat, as a share of the first half's median.
        least: growth that counts as flat anyway.
    """
    start = int(len(times) * _WARM_UP)
    times, values = times[start:], values[start:]
    middle = len(times) // 2
    pairs = combinations(zip(times, values, strict=True), 2)
    slope = median((later - earlier) / (to - since) for (since, earlier), (to, later) in pairs)
    first = median(values[:middle])
    growth = slope * (times[-1] - times[0])
    return Trend(name, first, median(values[middle:]), growth, max(share * first, least))


def trends(samples: Sequence[Sample]) -> tuple[Trend, ...]:
    """The trends of all figures."""
    times = [each.at for each in samples]

    def of(name: str, share: float, least: float) -> Trend:
        return trend(name, times, [getattr(each, name) for each in samples], share, least)

    mib = 2.0**20
    return (
        of("resident", 0.05, 4 * mib),
        of("descriptors", 0.0, 5),
        of("threads", 0.0, 1),
        of("database", 0.05, 1 * mib),
    )
