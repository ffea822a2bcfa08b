"""What the engine tells, as log lines and metrics.

Changes are told at info, faults at warning or error, cycles at debug, and a summary of each
target every five minutes; one event name for each kind of line.
"""

import logging
from collections.abc import Callable, Sequence

import structlog

from demurrage.engine.hooks import CycleReport
from demurrage.model.condition import Condition, Severity
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.error import DemurrageError
from demurrage.model.incident import Incident, IncidentChanges
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.resolution import Resolution, ResolveOutcome
from demurrage.model.verdict import VerdictKind
from demurrage.observe.fates import SHIPPED, Fates, Prices
from demurrage.observe.metrics import Metrics

# Seconds between two summaries of a target.
SUMMARY = 300.0
_LEVELS = {
    Severity.NOTICE: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.PAGE: logging.ERROR,
}

Budget = Callable[[str], tuple[str, float, float]]


class Telling:
    """The engine's hooks: logs and metrics.

    Args:
        metrics: what is counted.
        budget: by target: its budget group, the group's limit now and its calls of the last
            minute.
        prices: by target, how it is billed; a target left out has the shipped rules.
    """

    def __init__(self, metrics: Metrics, budget: Budget, prices: Prices = SHIPPED) -> None:
        self._metrics = metrics
        self._fates = Fates(metrics, prices)
        self._dropped: dict[str, int] = {}
        self._budget = budget
        self._log = structlog.get_logger("demurrage")
        self._summed_up: dict[str, float] = {}
        self._seen: dict[str, list[str]] = {}

    def born(self, target: str, sightings: Sequence[Sighting]) -> None:
        """Containers were listed for the first time."""
        self._metrics.born(target, len(sightings))
        self._fates.born(target, sightings)
        for sighting in sightings:
            self._log.debug(
                "container_seen",
                target=target,
                container=sighting.id,
                tier=sighting.container.tier,
                created_at=sighting.container.created_at,
            )

    def ruled(self, target: str, rulings: Sequence[Ruling]) -> None:
        """Verdicts changed."""
        self._fates.ruled(target, rulings)
        for ruling in rulings:
            verdict = ruling.verdict
            self._log.info(
                "verdict_changed",
                target=target,
                container=verdict.container_id,
                verdict=verdict.kind,
                reasons=list(verdict.codes),
                due_at=verdict.due_at,
                maker=verdict.maker,
            )

    def observed(self, target: str, planned: Sequence[PlannedDelete]) -> None:
        """Observe mode would have deleted these."""
        for each in planned:
            self._metrics.would_delete(target, each.verdict.kind)
            self._log.info(
                "delete_observed",
                target=target,
                container=each.container_id,
                verdict=each.verdict.kind,
                due_at=each.due_at,
                saves_estimated_usd=round(each.saves_usd, 6),
            )

    def concluded(self, target: str, pairs: Sequence[tuple[Deletion, Conclusion]]) -> None:
        """Deletes ended, one way or another."""
        self._fates.concluded(target, pairs)
        for deletion, conclusion in pairs:
            lateness = conclusion.finished_at - deletion.due_at
            self._metrics.deleted(
                target, VerdictKind(deletion.verdict), conclusion.outcome, lateness
            )
            self._metrics.money(target, saved=conclusion.saved_usd)
            tell = self._log.info if conclusion.outcome.done else self._log.warning
            tell(
                "delete_done" if conclusion.outcome.done else "delete_failed",
                target=target,
                container=deletion.container_id,
                verdict=deletion.verdict,
                outcome=conclusion.outcome,
                detail=conclusion.detail,
                late_s=round(lateness, 3),
                saved_estimated_usd=round(conclusion.saved_usd, 6),
            )

    def held(self, target: str, hold: Hold) -> None:
        """A hold was opened or ended."""
        tell = self._log.info if hold.ended else self._log.error
        tell(
            "hold_ended" if hold.ended else "hold_opened",
            target=target,
            hold=hold.id,
            rail=hold.rail,
            containers=len(hold.containers),
            summary=hold.summary,
        )

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: IncidentChanges
    ) -> None:
        """The conditions that are seen now, and what became of the incidents."""
        # People are told of what lasts; what is seen just now stands in the summary.
        self._seen[target] = sorted({each.kind.value for each in standing})
        self._metrics.incidents(target, (each.condition for each in changes.standing))
        for each in changes.opened:
            self._incident("incident_opened", each)
        for each in changes.escalated:
            self._incident("incident_escalated", each)
        for each in changes.resolved:
            condition = each.condition
            self._log.info(
                "incident_resolved",
                target=condition.target,
                incident=each.id,
                kind=condition.kind,
                scope=condition.scope,
                seconds=round(each.changed_at - each.opened_at, 1),
            )

    def _incident(self, event: str, incident: Incident) -> None:
        condition = incident.condition
        cost = condition.usd_per_hour
        self._log.log(
            _LEVELS[condition.severity],
            event,
            target=condition.target,
            incident=incident.id,
            kind=condition.kind,
            scope=condition.scope,
            severity=condition.severity,
            summary=condition.summary,
            estimated_usd_per_hour=None if cost is None else round(cost, 4),
        )

    def looked_up(self, target: str, resolution: Resolution) -> None:
        """A known response was read, or could not be; that it cannot at all is a condition."""
        self._metrics.resolve(target, resolution.outcome)
        failure = resolution.failure
        tell = self._log.info if resolution.outcome is ResolveOutcome.ENDED else self._log.debug
        tell(
            "response_resolved",
            target=target,
            response=resolution.response_id,
            outcome=resolution.outcome,
            detail=failure.detail if failure is not None else "",
        )

    def unretrievable(self, target: str, count: int) -> None:
        """So many known responses cannot be read, as of now."""
        self._metrics.unretrievable(target, count)

    def cycled(self, report: CycleReport) -> None:
        """A cycle ended."""
        target = report.target
        complete_at = report.ended_at if report.complete else None
        self._metrics.cycle(target, report.seconds, complete_at)
        self._metrics.verdicts(target, report.verdicts)
        self._metrics.events_read(target, report.events)
        self._fates.passed(target, report.ended_at)
        self._count_drops(target, report.dropped)
        if report.watermark is not None:
            self._metrics.watermark(target, report.watermark)
        group, limit, used = self._budget(target)
        self._metrics.budget(group, limit=limit, used=used)
        line = {
            "target": target,
            "complete": report.complete,
            "seconds": round(report.seconds, 3),
            "events": report.events,
            "due": report.due,
            "verdicts": {str(kind): count for kind, count in report.verdicts.items() if count},
            "conditions": self._seen.get(target, []),
        }
        self._log.debug("cycle", **line)
        if report.ended_at - self._summed_up.get(target, 0.0) >= SUMMARY:
            self._summed_up[target] = report.ended_at
            self._log.info("summary", **line)

    def _count_drops(self, target: str, admitted: int) -> None:
        """Count what is new; what was admitted before the start was counted before it."""
        new = admitted - self._dropped.get(target, admitted)
        self._dropped[target] = admitted
        self._metrics.dropped(target, max(0, new))

    def failed(self, target: str, error: Exception) -> None:
        """A cycle ended by an error; one that nobody foresaw carries its trace."""
        self._metrics.failed(target)
        if isinstance(error, DemurrageError):
            self._log.error("cycle_failed", target=target, error=str(error))
        else:
            self._log.error("cycle_failed", target=target, exc_info=error)

    def set_aside(self, reasons: Sequence[str]) -> None:
        """Lines of event files were no events; each is named by file and line."""
        self._metrics.set_aside(len(reasons))
        for reason in reasons:
            self._log.warning("line_set_aside", reason=reason)

    def no_deaths(self, reason: str) -> None:
        """Locks in the folder of event files prove nothing."""
        self._log.warning("deaths_not_provable", reason=reason)
