"""What the watch over a target's orphans remembers, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from demurrage.model.condition import ConditionKind

# The scope of a target as a whole; any other is a label as `key=value`.
WHOLE = ""


@dataclass(frozen=True, slots=True)
class Traits:
    """Of whom a container most likely is: what to look for when many are orphans.

    `writer` is the source of the log, `model` and `labels` are as logged, `context` says how the
    request carried what went before it. Empty where that is not known.
    """

    writer: str = ""
    model: str = ""
    context: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """An auto container of which it is settled whether it was ever used.

    `born_at` is provider time in epoch seconds; `tier` is "unknown" where it has no price.
    """

    container_id: str
    born_at: int
    tier: str
    orphan: bool
    traits: Traits = Traits()


@dataclass(frozen=True, slots=True)
class Tally:
    """So many containers were settled, and so many of them are orphans, by tier."""

    settled: int = 0
    orphans: Mapping[str, int] = field(default_factory=dict)

    @property
    def orphaned(self) -> int:
        """The orphans of all tiers."""
        return sum(self.orphans.values())

    @property
    def share(self) -> float:
        """Orphans among the settled, 0 to 1; 0 of none."""
        return self.orphaned / self.settled if self.settled else 0.0

    def __add__(self, other: "Tally") -> "Tally":
        orphans = dict(self.orphans)
        for tier, count in other.orphans.items():
            orphans[tier] = orphans.get(tier, 0) + count
        return Tally(self.settled + other.settled, orphans)


@dataclass(frozen=True, slots=True)
class Rate:
    """Orphans of one tier an hour: what is usual, and how much more it varies than by chance."""

    per_hour: float
    dispersion: float = 1.0


@dataclass(frozen=True, slots=True)
class Usual:
    """What a scope's own past says of now.

    `share` is the highest share of orphans that the past makes plausible for this hour, and
    `dispersion` how much more shares vary from hour to hour than independent containers would
    (1: no more). `rates` is the same for orphans an hour, by tier. `past` is all that it stands
    on, of `hours` hours.
    """

    share: float
    dispersion: float
    rates: Mapping[str, Rate]
    past: Tally
    hours: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A test that has struck. `begun`: from when on the past may be other than usual."""

    begun: float
    opened_at: float
    calm_since: float | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """All that is remembered of a target, or of one label of it.

    Times are provider time in epoch seconds. Births before `until` are counted; what was before
    `since` is not to be learned from, nor what lies in `skips`. `grains` are the latest tallies
    in steps of `SpikeRules.grain`, `bins` the older ones in steps of `SpikeRules.bin`, by number;
    all grains below `binned` are in bins too. `fast`, `slow` and `rates` (by tier) are the
    evidence of the tests: 0 for none, and at `SpikeRules.false_alarm_every` they strike.
    `usual_at` is the number of the bin for which `usual` was worked out.
    """

    since: float
    until: float
    grains: Mapping[int, Tally] = field(default_factory=dict)
    bins: Mapping[int, Tally] = field(default_factory=dict)
    binned: int = 0
    skips: tuple[tuple[float, float], ...] = ()
    fast: float = 0.0
    slow: float = 0.0
    rates: Mapping[str, float] = field(default_factory=dict)
    alarms: Mapping[ConditionKind, Alarm] = field(default_factory=dict)
    usual: Usual | None = None
    usual_at: int = -1


@dataclass(frozen=True, slots=True)
class SpikeMemory:
    """What is kept of a target: its scopes, without their grains, and the births to fill them."""

    scopes: Mapping[str, Scope]
    births: tuple[Settlement, ...]


@dataclass(frozen=True, slots=True)
class SpikeNews:
    """What a look has changed of it.

    `births` are new; `scopes` are as they are now, and of their bins those in `bins` are new;
    `gone` are no more. Births before `births_after` and bins below `bins_from` may go.
    """

    births: tuple[Settlement, ...]
    scopes: Mapping[str, Scope]
    bins: Mapping[str, Mapping[int, Tally]]
    gone: frozenset[str]
    births_after: float
    bins_from: int
