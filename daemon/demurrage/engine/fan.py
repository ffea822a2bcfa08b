"""Several hooks in the place of one."""

from collections.abc import Sequence

from demurrage.engine.hooks import CycleReport, Hooks
from demurrage.model.condition import Condition
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.incident import IncidentChanges
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.resolution import Resolution


class Fan(Hooks):
    """Tells each of its hooks, in their order; without any, nobody."""

    def __init__(self, *hooks: Hooks) -> None:
        self._hooks = hooks

    def born(self, target: str, sightings: Sequence[Sighting]) -> None:
        """Containers were listed for the first time."""
        for each in self._hooks:
            each.born(target, sightings)

    def ruled(self, target: str, rulings: Sequence[Ruling]) -> None:
        """Verdicts changed."""
        for each in self._hooks:
            each.ruled(target, rulings)

    def observed(self, target: str, planned: Sequence[PlannedDelete]) -> None:
        """Observe mode would have deleted these."""
        for each in self._hooks:
            each.observed(target, planned)

    def concluded(self, target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """Deletes ended."""
        for each in self._hooks:
            each.concluded(target, pairs)

    def held(self, target: str, hold: Hold) -> None:
        """A hold was opened or ended."""
        for each in self._hooks:
            each.held(target, hold)

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: IncidentChanges
    ) -> None:
        """What is seen now, and what became of the incidents."""
        for each in self._hooks:
            each.conditions(target, standing, changes)

    def looked_up(self, target: str, resolution: Resolution) -> None:
        """A known response was read, or could not be."""
        for each in self._hooks:
            each.looked_up(target, resolution)

    def unretrievable(self, target: str, count: int) -> None:
        """So many known responses cannot be read."""
        for each in self._hooks:
            each.unretrievable(target, count)

    def cycled(self, report: CycleReport) -> None:
        """A cycle ended."""
        for each in self._hooks:
            each.cycled(report)

    def failed(self, target: str, error: Exception) -> None:
        """A cycle ended by an error."""
        for each in self._hooks:
            each.failed(target, error)
