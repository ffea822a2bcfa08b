"""Hooks that remember what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from demurrage.engine.hooks import CycleReport
from demurrage.model.condition import Condition
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import Conclusion, ConditionChanges, Ruling


@dataclass
class Recorded:
    """What the engine told, in order."""

    births: list[Sighting] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    would: list[PlannedDelete] = field(default_factory=list)
    deletes: list[tuple[Deletion, Conclusion]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    reports: list[CycleReport] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def born(self, target: str, sightings: Sequence[Sighting]) -> None:
        """See Hooks."""
        self.births += sightings

    def ruled(self, target: str, rulings: Sequence[Ruling]) -> None:
        """See Hooks."""
        self.rulings += rulings

    def observed(self, target: str, planned: Sequence[PlannedDelete]) -> None:
        """See Hooks."""
        self.would += planned

    def concluded(self, target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """See Hooks."""
        self.deletes += pairs

    def held(self, target: str, hold: Hold) -> None:
        """See Hooks."""
        self.holds.append(hold)

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: ConditionChanges
    ) -> None:
        """See Hooks."""
        self.opened += [each.kind for each in changes.opened]

    def cycled(self, report: CycleReport) -> None:
        """See Hooks."""
        self.reports.append(report)

    def failed(self, target: str, error: Exception) -> None:
        """See Hooks."""
        self.failures.append(error)
