"""Incidents: conditions with a life, as people and sinks are told of them."""

from dataclasses import dataclass

from demurrage.model.condition import Condition, ConditionKind

# Seconds. Whoever wants to hear nothing for longer has stopped looking.
LONGEST_SILENCE = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Incident:
    """A condition from its opening to its end.

    `condition` is how it was last seen, with the highest severity that it has reached. `revision`
    counts the changes that people are told of, from 1: opened, a higher severity, resolved; a sink
    that has delivered revision n owes nothing until it is n + 1. At revision 0 it broods: it is
    seen, and not for long enough to tell anybody. `id` is 0 until the store has given it one.

    `opened_at` is since when the condition stands, `changed_at` when it last came to a new
    revision, `quiet_since` since when it has not been seen. While `silenced_until` lies ahead
    nothing is sent; an acknowledged incident is sent again only when it ends or escalates, and an
    escalation takes the acknowledgement back: it was given for less. Times are provider time,
    epoch seconds.
    """

    id: int
    condition: Condition
    opened_at: float
    changed_at: float
    last_seen_at: float
    quiet_since: float | None = None
    revision: int = 1
    resolved_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    silenced_until: float | None = None

    @property
    def open(self) -> bool:
        """True from its opening until it is resolved."""
        return self.revision > 0 and self.resolved_at is None

    @property
    def key(self) -> tuple[str, ConditionKind, str]:
        """What makes it the same incident as long as it is open."""
        return self.condition.target, self.condition.kind, self.condition.scope

    def silent(self, now: float) -> bool:
        """True while a person wants to hear nothing of it."""
        return self.silenced_until is not None and now < self.silenced_until


@dataclass(frozen=True, slots=True)
class IncidentChanges:
    """What became of a target's incidents; each change is told once.

    `standing` are all that are open now, those that have just opened or escalated among them.
    """

    standing: tuple[Incident, ...] = ()
    opened: tuple[Incident, ...] = ()
    escalated: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one sink was told of one incident.

    `revision` is the last that it was told, at `delivered_at`; 0 and None for none. `attempts`
    counts how often it could not be told since, the last time at `tried_at` for `last_error`.
    """

    sink: str
    revision: int
    delivered_at: float | None
    attempts: int
    tried_at: float | None
    last_error: str
