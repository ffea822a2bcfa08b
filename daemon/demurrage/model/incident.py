"""Incidents: conditions with a life, as people and sinks are told of them."""

from dataclasses import dataclass

from demurrage.model.condition import Condition, ConditionKind


@dataclass(frozen=True, slots=True)
class Incident:
    """A condition from its opening to its end.

    `condition` is how it was last seen. `revision` counts the changes that people are told of,
    from 1: opened, a higher severity, resolved; a sink that has delivered revision n owes nothing
    until it is n + 1. While `silenced_until` lies ahead nothing is sent; an acknowledged incident
    is sent again only when it escalates or ends. Times are provider time, epoch seconds.
    """

    id: int
    condition: Condition
    opened_at: float
    changed_at: float
    last_seen_at: float
    revision: int = 1
    resolved_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    silenced_until: float | None = None

    @property
    def open(self) -> bool:
        """True until it is resolved."""
        return self.resolved_at is None

    @property
    def key(self) -> tuple[str, ConditionKind, str]:
        """What makes it the same incident as long as it is open."""
        return self.condition.target, self.condition.kind, self.condition.scope

    def silent(self, now: float) -> bool:
        """True while a person wants to hear nothing of it."""
        return self.silenced_until is not None and now < self.silenced_until
