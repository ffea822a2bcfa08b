"""The settings that decisions depend on, as plain values with the shipped defaults.

`config/demurrage.toml` explains each default. Durations are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """What counts as proof."""

    coverage: Literal["partial", "complete"] = "partial"
    proof: Literal["strict", "deduced"] = "strict"
    max_birth_delay: float = 60.0
    max_event_delay: float = 30.0
    clock_skew: float = 5.0
    writer_timeout: float = 60.0
    activity_tolerance: float = 2.0


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """What is done with what is proven."""

    idle_after: float = 180.0
    sweep_lead: float = 30.0
    use_free_grace: bool = True
    explicit: Literal["keep", "delete"] = "keep"
    released: Literal["keep", "delete"] = "delete"
    unproven: Literal["keep", "delete"] = "keep"
    unproven_after: float = 900.0
    auto_name: str = ""
    protect_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RailRules:
    """The guards. None stands for "auto"."""

    max_deletes_per_hour: int | None = None
    max_deletes_per_cycle: int | None = None
    hourly_floor: int = 1000
    hourly_ceiling: int = 20000
    max_deleted_share: float | None = None
    min_population: int = 20


@dataclass(frozen=True, slots=True)
class BillingRules:
    """How containers are billed, by tier and minute."""

    minimum: float = 300.0
    tick: float = 60.0
    idle_expiry: float = 1200.0
    unused: Literal["unknown", "charged", "free"] = "unknown"
    usd_per_minute: Mapping[str, float] = field(
        default_factory=lambda: {"1g": 0.0015, "4g": 0.006, "16g": 0.024, "64g": 0.096}
    )


@dataclass(frozen=True, slots=True)
class WatchRules:
    """How often a target is listed."""

    interval: float = 10.0
    overlap: float = 120.0
    reconcile_interval: float = 120.0

    @property
    def freshness(self) -> float:
        """Nothing is deleted whose row was last listed longer ago than this."""
        return 3 * self.interval


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long what is over is kept; what concerns a living container is kept regardless.

    `verdicts`: verdict history, incidents and containers that are gone. `events`: the event log,
    and with it what is held in memory. `deletions`: the audit of deletes with the verdicts they
    rest on, and people's acts.
    """

    verdicts: float = 14 * 86_400.0
    events: float = 7 * 86_400.0
    deletions: float = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class IncidentRules:
    """When a condition becomes an incident, and when that is over.

    `patience`: faults that come and go by themselves open an incident only once they have lasted
    for so long. `quiet`: an incident ends once its condition has not been seen for so long.
    """

    patience: float = 180.0
    quiet: float = 300.0


@dataclass(frozen=True, slots=True)
class SpikeRules:
    """When the orphans of a target are more, or dearer, than usual.

    A rise counts in full from `rise` and from `rise_factor` times the usual on, whichever is
    more. Of two windows both must agree: the long one that it is no fluke, the short one
    (`confirm`) that it goes on. `confidence` is in standard errors.
    """

    fast_window: float = 900.0
    fast_confirm: float = 300.0
    fast_rise: float = 0.2
    slow_window: float = 21_600.0
    slow_confirm: float = 3600.0
    slow_rise: float = 0.05
    rise_factor: float = 1.5
    min_containers: int = 10
    false_alarm_every: float = 10_000_000.0
    confidence: float = 3.0
    baseline: float = 28 * 86_400.0
    baseline_lag: float = 21_600.0
    baseline_minimum: float = 86_400.0
    baseline_containers: int = 200
    standing_share: float = 0.15
    cost_factor: float = 3.0
    cost_warning_usd_per_hour: float = 1.0
    cost_page_usd_per_hour: float = 5.0
    settle_within: float = 600.0
    max_labels: int = 50
    quiet: float = 300.0

    @property
    def grain(self) -> float:
        """Seconds: how finely the latest past is kept; a fifth of the shortest window."""
        return min(60.0, self.fast_confirm / 5)

    @property
    def bin(self) -> float:
        """Seconds: how finely the older past is kept. Hours, for hours of the week differ."""
        return min(3600.0, self.baseline_lag)

    @property
    def keep(self) -> float:
        """Seconds for which grains are kept."""
        return max(self.slow_window, self.baseline_lag + self.bin) + self.bin


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it."""

    evidence: EvidenceRules = field(default_factory=EvidenceRules)
    policy: PolicyRules = field(default_factory=PolicyRules)
    rails: RailRules = field(default_factory=RailRules)
    billing: BillingRules = field(default_factory=BillingRules)
    watch: WatchRules = field(default_factory=WatchRules)
