"""What a survey's rows come to: used or not, and the money."""

from collections.abc import Iterable
from dataclasses import dataclass

from demurrage.app.grouped import Grouped, grouped
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


Figures = Grouped[Count]


def figures_of(rows: Iterable[Container], rules: Rules) -> Figures:
    """Count the rows, in all, by tier and by day."""

    def count(some: Iterable[Container]) -> Count:
        found = Count()
        for row in some:
            found.add(row, rules)
        return found

    return grouped(rows, lambda row: row, count, rules.billing)
