"""The tables that decisions depend on; each turns into its plain twin in `model.rules`.

A target may override any key of these in a table of its own (`[targets.NAME.policy]`), for
each project has its own makers, prices and risks.
"""

from typing import Annotated, Literal

from pydantic import Field

from demurrage.app.settings_types import (
    Allowance,
    Duration,
    Names,
    PositiveDuration,
    Price,
    Section,
    Share,
    Tier,
)
from demurrage.model.rules import (
    BillingRules,
    EvidenceRules,
    PolicyRules,
    RailRules,
    WatchRules,
)

Count = Annotated[int, Field(ge=1)]


class WatchSettings(Section):
    """How often a target is listed."""

    interval: PositiveDuration = 10.0
    """Ten seconds: an orphan is noticed well inside the five minutes that are paid anyway, and
    six calls a minute leave the organisation's hundred to the applications."""
    overlap: PositiveDuration = 120.0
    """Two minutes: a container can become visible half a minute late, so each look goes back
    four times that far behind the newest known row."""
    reconcile_interval: PositiveDuration = 120.0
    """Two minutes: often enough to see use and expiry of the living before their next bill."""

    def rules(self) -> WatchRules:
        """The plain values."""
        return WatchRules(**self.model_dump())


class EvidenceSettings(Section):
    """What counts as proof."""

    coverage: Literal["partial", "complete"] = "partial"
    """Partial: only the operator can know that every maker logs, and a wrong guess deletes
    containers in use."""
    proof: Literal["strict", "deduced"] = "strict"
    """Strict: the simpler proof is already at the limit for chat loads, and leans on less: of
    the window of a response that has ended, and of what else was born, nothing depends."""
    max_birth_delay: Duration = 60.0
    """A minute: births were observed 1 to 7 seconds after the response's `created_at`, so this
    leaves eight times the worst case. What is born later can be deleted while its response runs;
    a shorter one waits for fewer responses that block."""
    max_event_delay: Duration = 30.0
    """Half a minute: a start reaches the log in milliseconds unless something is broken, and
    the wait costs nothing inside the paid minimum."""
    clock_skew: Duration = 5.0
    """Five seconds: synchronised clocks differ by far less; it widens windows, never narrows."""
    writer_timeout: PositiveDuration = 60.0
    """A minute without a heartbeat: several are lost before a writer counts as silent."""
    activity_tolerance: Duration = 2.0
    """Two seconds: birth and first activity are whole seconds stamped by different machines."""

    def rules(self) -> EvidenceRules:
        """The plain values."""
        return EvidenceRules(**self.model_dump())


class PolicySettings(Section):
    """What is done with what is proven."""

    idle_after: Duration = 180.0
    """Three minutes: a quiet spell that costs nothing inside the five that are paid anyway."""
    sweep_lead: Duration = 30.0
    """Half a minute before the paid minimum ends: three cycles to delete in, the rest is spent
    on evidence."""
    use_free_grace: bool = True
    """True: the minimum is charged whether used or not, so its minutes are free evidence."""
    explicit: Literal["keep", "delete"] = "keep"
    """Keep: what an application made on purpose is its own to delete."""
    released: Literal["keep", "delete"] = "delete"
    """Delete: its applications have said, each on record, that they are done with it."""
    unproven: Literal["keep", "delete"] = "keep"
    """Keep: deleting without proof is how conversations break."""
    unproven_after: PositiveDuration = 900.0
    """A quarter of an hour: most pauses between turns are shorter, and the container's own
    expiry follows five minutes later."""
    auto_name: str = ""
    """Empty: the names of auto containers are not documented, so no pattern is assumed."""
    protect_names: Names = ()
    """Empty: which names matter only the operator knows."""

    def rules(self) -> PolicyRules:
        """The plain values."""
        return PolicyRules(**self.model_dump())


class RailSettings(Section):
    """The guards that can hold a sweep."""

    max_deletes_per_hour: Allowance = None
    """Auto: an allowance that follows the births logged, so that normal work passes and a flood
    does not; a fixed number suits one load only."""
    max_deletes_per_cycle: Allowance = None
    """Auto: as for the hour; it accrues with the time since the last sweep, so that catching up
    after an outage passes."""
    hourly_floor: Count = 1000
    """A thousand: below it the first busy hour of a quiet project would need a person."""
    hourly_ceiling: Count = 20000
    """Twenty thousand: about three times what the API's published call limit allows."""
    max_deleted_share: Share = None
    """Auto: tested against the target's own past, for models that hardly use the tool leave a
    share near one that is no fault."""
    min_population: Count = 20
    """Twenty: a share of fewer says nothing."""

    def rules(self) -> RailRules:
        """The plain values."""
        return RailRules(**self.model_dump())


class BillingSettings(Section):
    """How the provider bills containers; from its price list of June 2026."""

    minimum: PositiveDuration = 300.0
    """Five minutes: what each container costs at least since 2026-06-02."""
    tick: PositiveDuration = 60.0
    """A minute: what is billed at a time beyond the minimum."""
    idle_expiry: PositiveDuration = 1200.0
    """Twenty minutes: when the provider expires a container by itself."""
    unused: Literal["unknown", "charged", "free"] = "unknown"
    """Unknown: a reply by the provider's staff says that unused containers are no longer
    charged, and no document confirms it."""
    usd_per_minute: dict[Tier, Price] = Field(default_factory=lambda: dict(DEFAULT_PRICES))
    """The price list; tiers that are not named keep their default."""

    def rules(self) -> BillingRules:
        """The plain values; the built-in prices fill in for tiers that are not named."""
        values = self.model_dump()
        return BillingRules(**values | {"usd_per_minute": DEFAULT_PRICES | self.usd_per_minute})


DEFAULT_PRICES: dict[str, float] = dict(BillingRules().usd_per_minute)
