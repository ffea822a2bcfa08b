"""How logs, metrics and alerts follow the engine: it calls out, and never waits for an answer.

A hook must not block and must not raise; it is called in the event loop, after what it tells of
has been stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from demurrage.model.condition import Condition
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.incident import IncidentChanges
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.resolution import Resolution
from demurrage.model.verdict import VerdictKind


@dataclass(frozen=True, slots=True)
class CycleReport:
    """One cycle of one target, as figures.

    `complete`: listing and log were read and every verdict given. Times are provider time;
    `watermark` is the cycle's own end where no writer is waited for, None where it is not known.
    `events` counts log records read in this cycle, `dropped` what the target's writers have
    admitted to have lost so far.
    """

    target: str
    ended_at: float
    seconds: float
    complete: bool
    events: int
    verdicts: Mapping[VerdictKind, int]
    watermark: float | None
    due: int
    dropped: int = 0


class Hooks(Protocol):
    """What the engine tells."""

    def born(self, target: str, sightings: Sequence[Sighting]) -> None:
        """Containers were listed for the first time."""
        ...

    def ruled(self, target: str, rulings: Sequence[Ruling]) -> None:
        """Verdicts changed."""
        ...

    def observed(self, target: str, planned: Sequence[PlannedDelete]) -> None:
        """Observe mode would have deleted these; each container is told once."""
        ...

    def concluded(self, target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """Deletes ended, one way or another."""
        ...

    def held(self, target: str, hold: Hold) -> None:
        """A hold was opened or ended."""
        ...

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: IncidentChanges
    ) -> None:
        """The conditions that are seen now, and what became of the incidents."""
        ...

    def looked_up(self, target: str, resolution: Resolution) -> None:
        """A known response was read, or could not be."""
        ...

    def unretrievable(self, target: str, count: int) -> None:
        """So many known responses cannot be read, as of now."""
        ...

    def cycled(self, report: CycleReport) -> None:
        """A cycle ended."""
        ...

    def failed(self, target: str, error: Exception) -> None:
        """A cycle ended by an error of the daemon's own."""
        ...
