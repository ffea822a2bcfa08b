"""What is summed up of containers, in all, by tier and by day."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from demurrage.decide import billing
from demurrage.model.container import Container
from demurrage.model.rules import BillingRules

Item = TypeVar("Item")
Sum = TypeVar("Sum")


@dataclass(frozen=True, slots=True)
class Grouped(Generic[Sum]):
    """The sums of all, of each tier, the cheapest first, and of each day.

    Days are UTC, as bills have them; a tier without a price is "unknown".
    """

    total: Sum
    by_tier: dict[str, Sum]
    by_day: dict[str, Sum]


def grouped(
    items: Iterable[Item],
    row_of: Callable[[Item], Container],
    sum_of: Callable[[Iterable[Item]], Sum],
    rates: BillingRules,
) -> Grouped[Sum]:
    """Sum up what is known of some containers.

    Args:
        items: what is known of each.
        row_of: its row.
        sum_of: sums up those of one group.
        rates: how they are billed.
    """
    every: list[Item] = []
    tiers: defaultdict[str, list[Item]] = defaultdict(list)
    days: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        row = row_of(item)
        every.append(item)
        tiers[billing.tier_name(row.tier, rates)].append(item)
        days[datetime.fromtimestamp(row.created_at, UTC).date().isoformat()].append(item)
    prices = rates.usd_per_minute
    cheapest_first = sorted(tiers, key=lambda tier: (prices.get(tier, 0.0), tier))
    return Grouped(
        total=sum_of(every),
        by_tier={tier: sum_of(tiers[tier]) for tier in cheapest_first},
        by_day={day: sum_of(days[day]) for day in sorted(days)},
    )
