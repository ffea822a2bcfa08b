"""What a survey's rows come to: used or not, by tier and by day, and the money."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from demurrage.decide import billing
from demurrage.decide.coverage import last_use
from demurrage.model.container import Container, Life
from demurrage.model.rules import Rules


@dataclass(slots=True)
class Count:
    """Containers of one kind, one tier or one day.

    `unclear`: the listing shows no last activity. `live_unused` are those of the unused that may
    still come to be used. Money is estimated USD at list price: of `all` and of the `unused`
    left alone until they expire, and what a delete just before the paid minimum ends would
    have saved of the latter.
    """

    containers: int = 0
    used: int = 0
    unused: int = 0
    unclear: int = 0
    live_unused: int = 0
    all_usd: float = 0.0
    unused_usd: float = 0.0
    saved_usd: float = 0.0

    def add(self, container: Container, rules: Rules) -> None:
        """Count one row in."""
        cost = billing.cost_if_left(container, rules.billing)
        self.containers += 1
        self.all_usd += cost
        if container.last_active_at is None:
            self.unclear += 1
        elif last_use(container, rules.evidence) is not None:
            self.used += 1
        else:
            floor_ends = container.created_at + rules.billing.minimum
            self.unused += 1
            self.live_unused += container.life is not Life.GONE
            self.unused_usd += cost
            self.saved_usd += billing.saves(container, floor_ends, rules.billing)


@dataclass(slots=True)
class Figures:
    """All of a survey. Days are UTC, as bills have them; a tier without a price is "unknown"."""

    total: Count = field(default_factory=Count)
    by_tier: dict[str, Count] = field(default_factory=dict)
    by_day: dict[str, Count] = field(default_factory=dict)


def figures_of(rows: Iterable[Container], rules: Rules) -> Figures:
    """Count the rows, tiers and days in order."""
    found = Figures()
    for row in rows:
        day = datetime.fromtimestamp(row.created_at, UTC).date().isoformat()
        tier = billing.tier_name(row.tier, rules.billing)
        for count in (
            found.total,
            found.by_tier.setdefault(tier, Count()),
            found.by_day.setdefault(day, Count()),
        ):
            count.add(row, rules)
    prices = rules.billing.usd_per_minute
    found.by_tier = dict(
        sorted(found.by_tier.items(), key=lambda item: (prices.get(item[0], 0.0), item[0]))
    )
    found.by_day = dict(sorted(found.by_day.items()))
    return found
