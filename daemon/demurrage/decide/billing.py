"""When an orphan is due, and what containers cost.

Every figure is *estimated*: the Containers API shows no bill, and how part minutes round, or
whether idle minutes count, is not documented. The rules (prices, floor, tick, idle expiry) are
settings; the provider's usage endpoint is the judge.

Container times are whole seconds: a birth lies in `[created_at, created_at + 1)`, activity
likewise. Where that second matters, money takes its start (the bill may run already, so the
floor is never missed) and safety takes its end (the activity may have been that late).
"""

import math
from dataclasses import dataclass

from demurrage.model.container import Container
from demurrage.model.rules import BillingRules, Rules

# The resolution of `created_at` and `last_active_at`.
WHOLE_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Money:
    """An estimated amount in USD that lies between `low` and `high`."""

    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Money") -> "Money":
        return Money(self.low + other.low, self.high + other.high)

    def __str__(self) -> str:
        if math.isclose(self.low, self.high, abs_tol=1e-9):
            return _dollars(self.high)
        return f"{_dollars(self.low)} to {_dollars(self.high)}"


def _dollars(usd: float) -> str:
    """An amount in words: cents from a dollar on, and what is less to a hundredth of a cent."""
    text = f"{usd:,.2f}" if abs(usd) >= 1 else f"{usd:.4f}".rstrip("0").rstrip(".")
    return "$" + text.removesuffix(".00")


def money(usd: float, billing: BillingRules, *, used: bool) -> Money:
    """What an amount at list price comes to, given what is known of unused containers.

    A used container is charged. An unused one is charged, free, or, while nobody confirms
    either, anything from nothing to the list price.
    """
    if used or billing.unused == "charged":
        return Money(usd, usd)
    if billing.unused == "free":
        return Money()
    return Money(0.0, usd)


def due_at(proven_at: float, container: Container, rules: Rules) -> float:
    """From when a provable orphan is to be deleted, in epoch seconds.

    The latest of: the moment of proof; `policy.idle_after` past the end of the second of the
    last activity (the birth counts as activity, also where the row shows none); and, with
    `policy.use_free_grace`, `policy.sweep_lead` before the billing floor ends, because until
    then waiting costs nothing and brings evidence.
    """
    due = max(proven_at, _last_active(container) + WHOLE_SECOND + rules.policy.idle_after)
    if rules.policy.use_free_grace:
        grace_ends = container.created_at + rules.billing.minimum - rules.policy.sweep_lead
        due = max(due, grace_ends)
    return due


def expires_at(container: Container, billing: BillingRules) -> float:
    """The earliest moment at which the provider ends the container, left alone from now on.

    The row's own `idle_expiry` counts where it shows one, else the setting.
    """
    idle_expiry = container.idle_expiry
    if idle_expiry is None:
        idle_expiry = billing.idle_expiry
    return _last_active(container) + idle_expiry


def price(tier: str | None, billing: BillingRules) -> float | None:
    """USD a minute of a tier, None for a tier without a price or a row that shows no tier."""
    return None if tier is None else billing.usd_per_minute.get(tier)


def tier_name(tier: str | None, billing: BillingRules) -> str:
    """The tier as reports group by it: "unknown" where no price is known.

    Such containers count as $0.00, so that sums never hold invented money; grouping them under
    this name shows that the sum leaves something out.
    """
    return tier if tier is not None and price(tier, billing) is not None else "unknown"


def billed_minutes(container: Container, ended_at: float, billing: BillingRules) -> float:
    """Minutes on the bill for a life from birth to `ended_at`: the floor, then whole ticks."""
    beyond_floor = max(0.0, ended_at - container.created_at - billing.minimum)
    return (billing.minimum + math.ceil(beyond_floor / billing.tick) * billing.tick) / 60


def billed_usd(container: Container, ended_at: float, billing: BillingRules) -> float:
    """Estimated list price in USD of a life from birth to `ended_at`; 0 for an unknown tier."""
    return billed_minutes(container, ended_at, billing) * (price(container.tier, billing) or 0.0)


def cost_if_left(container: Container, billing: BillingRules) -> float:
    """Estimated list price in USD if nobody touches the container until it expires."""
    return billed_usd(container, expires_at(container, billing), billing)


def saves(container: Container, deleted_at: float, billing: BillingRules) -> float:
    """Estimated list price in USD that a delete at `deleted_at` saves; never below zero."""
    left = billed_minutes(container, expires_at(container, billing), billing)
    minutes = left - billed_minutes(container, deleted_at, billing)
    return max(0.0, minutes) * (price(container.tier, billing) or 0.0)


def next_tick_at(container: Container, now: float, billing: BillingRules) -> float:
    """The last moment, not before `now`, by which a delete costs no more than one right now."""
    beyond_floor = max(0.0, now - container.created_at - billing.minimum)
    ticks = math.ceil(beyond_floor / billing.tick)
    return container.created_at + billing.minimum + ticks * billing.tick


def _last_active(container: Container) -> float:
    """The last activity as shown; a birth is activity, whatever the row says."""
    return float(max(container.created_at, container.last_active_at or 0))
