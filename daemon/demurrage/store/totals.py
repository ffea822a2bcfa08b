"""Running totals, kept up in the transactions that cause them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, func, select

from demurrage.model.totals import Tally, Totals
from demurrage.store.database import Repository
from demurrage.store.dialect import upsert
from demurrage.store.tables import sweep_ages, totals

# The finest age that is told apart, in seconds, and the oldest.
_AGE_STEP = 0.1
_OLDEST = 36_000

_FIGURES = tuple(each.name for each in fields(Tally) if each.name in totals.c)


def _zeros() -> defaultdict[str, float]:
    return defaultdict(int)


class Ledger:
    """Changes of the totals of one target, gathered and then written at once."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._changes: defaultdict[str, defaultdict[str, float]] = defaultdict(_zeros)
        self._ages: Counter[tuple[str, int]] = Counter()

    def add(self, tier: str | None, figure: str, amount: float = 1) -> None:
        """Add to one figure of a tier; the figures are the fields of Tally."""
        self._changes[tier or ""][figure] += amount

    def swept(self, tier: str | None, age: float) -> None:
        """Count a done delete of a container that was `age` seconds old."""
        self.add(tier, "swept")
        self._ages[tier or "", min(max(int(age / _AGE_STEP), 0), _OLDEST)] += 1

    def write(self, connection: Connection) -> None:
        """Add the changes to the stored totals."""
        rows = [
            {"target": self._target, "tier": tier} | {name: change[name] for name in _FIGURES}
            for tier, change in self._changes.items()
        ]
        upsert(connection, totals, rows, add=_FIGURES)
        ages = [
            {"target": self._target, "tier": tier, "age": age, "swept": count}
            for (tier, age), count in self._ages.items()
        ]
        upsert(connection, sweep_ages, ages, add=("swept",))


class RunningTotals(Repository):
    """What has come of it all so far."""

    def totals(self, target: str, minimum: float) -> Totals:
        """A target's totals since the store began; a handful of rows, cheap to ask for.

        Args:
            target: whose.
            minimum: the billing minimum in seconds, below which a sweep was before the floor.
        """
        figures = select(totals).where(totals.c.target == target)
        early = (
            select(sweep_ages.c.tier, func.sum(sweep_ages.c.swept))
            .where(sweep_ages.c.target == target, sweep_ages.c.age < minimum / _AGE_STEP)
            .group_by(sweep_ages.c.tier)
        )
        with self._database.read() as connection:
            rows = connection.execute(figures).mappings().all()
            before = {tier: int(count) for tier, count in connection.execute(early)}
        return Totals(
            {
                row["tier"] or "unknown": _tally(dict(row), before.get(row["tier"], 0))
                for row in rows
            }
        )


def _tally(row: Mapping[str, Any], before_floor: int) -> Tally:
    return Tally(**{name: row[name] for name in _FIGURES}, swept_before_floor=before_floor)
