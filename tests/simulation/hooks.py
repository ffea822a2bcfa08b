"""What a daemon of a world tells of itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from demurrage.engine.hooks import CycleReport
from demurrage.model.condition import Condition
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.incident import IncidentChanges
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.resolution import Resolution

if TYPE_CHECKING:
    from tests.simulation.watch import Watch


class Listener:
    """The engine's hooks, for the watch."""

    def __init__(self, name: str, watch: "Watch") -> None:
        self._name = name
        self._watch = watch

    def born(self, target: str, sightings: Sequence[Sighting]) -> None:
        """See Hooks."""
        self._watch.counts["listed"] += len(sightings)
        self._watch.listed[target] += len(sightings)

    def ruled(self, target: str, rulings: Sequence[Ruling]) -> None:
        """See Hooks."""
        for each in rulings:
            self._watch.verdicts[each.verdict.container_id] = each.verdict.kind
            codes = " ".join(each.verdict.codes)
            self._watch.note(f"ruled {each.verdict.kind}", each.verdict.container_id, codes)

    def observed(self, target: str, planned: Sequence[PlannedDelete]) -> None:
        """See Hooks."""
        self._watch.counts["observed"] += len(planned)

    def concluded(self, target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """See Hooks."""
        for deletion, conclusion in pairs:
            self._watch.concluded(deletion.container_id, conclusion.outcome)

    def held(self, target: str, hold: Hold) -> None:
        """See Hooks."""
        what = "lapsed" if hold.ended else "held"
        self._watch.note(what, detail=f"{hold.rail} {hold.id} of {target}")
        if hold.ended:
            self._watch.standing.pop(hold.id, None)
        elif hold.resumed_at is None and hold.id not in self._watch.standing:
            self._watch.standing[hold.id] = target
            self._watch.counts[f"held {hold.rail}"] += 1

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: IncidentChanges
    ) -> None:
        """See Hooks."""
        for each in (incident.condition for incident in changes.opened):
            self._watch.counts[f"condition {each.kind}"] += 1
            self._watch.note("condition", detail=f"{each.kind}: {each.summary}")

    def looked_up(self, target: str, resolution: Resolution) -> None:
        """See Hooks."""
        self._watch.counts[f"responses read: {resolution.outcome}"] += 1

    def unretrievable(self, target: str, count: int) -> None:
        """See Hooks."""

    def cycled(self, report: CycleReport) -> None:
        """See Hooks."""
        self._watch.counts["whole cycles"] += report.complete

    def failed(self, target: str, error: Exception) -> None:
        """See Hooks."""
        self._watch.counts[f"failed {type(error).__name__}"] += 1
        self._watch.note("cycle failed", detail=f"{type(error).__name__}: {error}")
        self._watch.failures.append(error)
