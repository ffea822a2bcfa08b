"""What is still known of the events of a writer that retention has dropped."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Floor:
    """What the log notes of one source, once some of its events were dropped.

    All its sequences up to `sequence` stood in the log, each once and in positions up to
    `position`. `targets` are those that the dropped events spoke of.
    """

    sequence: int
    position: int
    targets: frozenset[str] = frozenset()

    def met_again(self, sequence: int, position: int) -> bool:
        """True for a second event of a place that the floor tells of."""
        return sequence <= self.sequence and position > self.position
