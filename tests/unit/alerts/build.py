"""Incidents for the sinks' tests."""

from dataclasses import replace

from demurrage.alerts.notice import Notice, Scribe
from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.incident import Incident
from demurrage.observe.redact import Redactor

NOW = 1_800_000_000.0
GAP = Condition(ConditionKind.SEQUENCE_GAP, "t", "A gap at 7.")
COST = Condition(
    ConditionKind.ORPHAN_COST,
    "t",
    "Orphans cost five times as much.",
    Severity.PAGE,
    scope="team=search",
    causes=(Cause("writer", "web-1", 9, 0.75), Cause("label", "team=search", 3, 0.25)),
    usd_per_hour=12.5,
)
SCRIBE = Scribe(Redactor())


def begun(condition: Condition = GAP, *, id_: int = 0) -> Incident:
    """One that opens now."""
    return Incident(id_, condition, NOW, NOW, NOW)


def ended(incident: Incident, at: float = NOW + 60) -> Incident:
    """The same when it is over."""
    return replace(incident, revision=incident.revision + 1, changed_at=at, resolved_at=at)


def notice(condition: Condition = COST) -> Notice:
    """What a sink is told of one that has an id."""
    return SCRIBE.notice(begun(condition, id_=7))
