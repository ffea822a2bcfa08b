"""Hooks that remember what they were told, and pass it on to logs and metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from demurrage.engine.hooks import CycleReport
from demurrage.model.condition import Condition
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.incident import IncidentChanges
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.resolution import Resolution
from demurrage.observe.metrics import Metrics
from demurrage.observe.telling import Telling

TARGETS = ("default", "other")


@dataclass
class Recorded:
    """What the engine told, in order."""

    births: list[Sighting] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    would: list[PlannedDelete] = field(default_factory=list)
    deletes: list[tuple[Deletion, Conclusion]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    seen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    reports: list[CycleReport] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    lookups: list[Resolution] = field(default_factory=list)
    metrics: Metrics = field(default_factory=lambda: Metrics("test", TARGETS))
    telling: Telling = field(init=False)

    def __post_init__(self) -> None:
        """Wire logs and metrics as the daemon does."""
        self.telling = Telling(self.metrics, lambda _: ("group", 60.0, 0.0))

    def stands(self, kind: str, target: str = "default") -> bool:
        """True when the condition was seen by the target's last look."""
        return kind in self.seen.get(target, ())

    def born(self, target: str, sightings: Sequence[Sighting]) -> None:
        """See Hooks."""
        self.telling.born(target, sightings)
        self.births += sightings

    def ruled(self, target: str, rulings: Sequence[Ruling]) -> None:
        """See Hooks."""
        self.telling.ruled(target, rulings)
        self.rulings += rulings

    def observed(self, target: str, planned: Sequence[PlannedDelete]) -> None:
        """See Hooks."""
        self.telling.observed(target, planned)
        self.would += planned

    def concluded(self, target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """See Hooks."""
        self.telling.concluded(target, pairs)
        self.deletes += pairs

    def held(self, target: str, hold: Hold) -> None:
        """See Hooks."""
        self.telling.held(target, hold)
        self.holds.append(hold)

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: IncidentChanges
    ) -> None:
        """See Hooks."""
        self.telling.conditions(target, standing, changes)
        self.seen[target] = tuple(each.kind for each in standing)
        self.opened += [each.condition.kind for each in changes.opened]
        self.resolved += [each.condition.kind for each in changes.resolved]

    def looked_up(self, target: str, resolution: Resolution) -> None:
        """See Hooks."""
        self.telling.looked_up(target, resolution)
        self.lookups.append(resolution)

    def unretrievable(self, target: str, count: int) -> None:
        """See Hooks."""
        self.telling.unretrievable(target, count)

    def cycled(self, report: CycleReport) -> None:
        """See Hooks."""
        self.telling.cycled(report)
        self.reports.append(report)

    def failed(self, target: str, error: Exception) -> None:
        """See Hooks."""
        self.telling.failed(target, error)
        self.failures.append(error)
