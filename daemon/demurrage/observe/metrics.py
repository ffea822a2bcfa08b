"""Prometheus metrics in a registry of their own.

Names have base units and say what they count; moments are timestamps, never ages; no id is a
label. The engine knows nothing of this: what happened is told to it in model values.
"""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.plan import Mode
from demurrage.model.resolution import ResolveOutcome
from demurrage.model.verdict import Code, VerdictKind
from demurrage.model.webhook import WebhookOutcome

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

# What a container can be deleted for; so that each series exists, at zero, from the start.
_DELETED_AS = (VerdictKind.ORPHAN, VerdictKind.RELEASED, VerdictKind.UNPROVEN)
# How an orphan can be known to be one, or what keeps it from being proven.
_ORPHAN_BY = (
    Code.CANDIDATES_DONE,
    Code.MAKERS_DEDUCED,
    Code.COVERAGE_PARTIAL,
    Code.COVERAGE_BROKEN,
    Code.BORN_BEFORE_COVERAGE,
)
# How the sending of an incident to a sink can end.
_SENT = ("delivered", "failed")
# Whatever events name beyond the targets of the settings; a writer must not make new series.
OTHER = "other"
# A cycle to the idle expiry and beyond, closest around the half minute of the default lead.
_LATENESS = (1, 2.5, 5, 10, 20, 30, 45, 60, 120, 300, 600, 1200, 3600)
_CYCLE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)


class Metrics:
    """What the daemon counts.

    Args:
        version: the daemon's own.
        targets: the names in the settings; the only ones that ever become labels.
        sinks: the names of the settings' sinks; likewise.
    """

    def __init__(self, version: str, targets: Iterable[str], sinks: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._targets = tuple(targets)
        self._sinks = tuple(sinks)
        self._define(self.registry)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("demurrage_build", "What runs.", registry=self.registry).info({"version": version})
        for target in self._targets:
            self._start_at_zero(target)
        for sink in self._sinks:
            for outcome in _SENT:
                self._notifications.labels(sink, outcome)

    def _define(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"demurrage_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"demurrage_{name}", text, labels, registry=registry)

        self._born = counter("containers_born", "Containers first seen.", "target")
        self._containers = gauge(
            "containers", "Live containers by what the daemon thinks of them.", "target", "verdict"
        )
        self._settled = counter(
            "containers_settled",
            "Containers by their first verdict past pending, as under complete coverage.",
            "target",
            "verdict",
        )
        self._orphans = counter(
            "orphans",
            "Containers found to be orphans, by how that is known or what keeps it from proof.",
            "target",
            "reason",
        )
        self._deletes = counter(
            "deletes", "Deletes made, by verdict and outcome.", "target", "reason", "outcome"
        )
        self._would_delete = counter(
            "would_delete", "Deletes that observe mode left unmade.", "target", "reason"
        )
        self._enforcing = gauge("enforcing", "1 in enforce mode, 0 in observe.", "target")
        self._interval = gauge("watch_interval_seconds", "Time between two cycles.", "target")
        self._lateness = Histogram(
            "demurrage_delete_lateness_seconds",
            "From when a container was due until it was gone.",
            ("target",),
            registry=registry,
            buckets=_LATENESS,
        )
        self._cycle = Histogram(
            "demurrage_cycle_duration_seconds",
            "How long cycles take.",
            ("target",),
            registry=registry,
            buckets=_CYCLE,
        )
        self._complete = gauge(
            "last_complete_cycle_timestamp_seconds",
            "When a cycle last had a complete inventory and a readable log.",
            "target",
        )
        self._watermark = gauge(
            "watermark_timestamp_seconds",
            "Up to when the event log is known to be complete.",
            "target",
        )
        self._failures = counter("cycle_failures", "Cycles ended by an error.", "target")
        self._missed = counter("cycles_missed", "Cycles that started too late.", "target")
        self._skipped = counter(
            "cycles_skipped", "Cycles left out because the one before still ran.", "target"
        )
        self._incidents = gauge(
            "incidents_open", "Incidents that are open.", "target", "kind", "severity"
        )
        self._notifications = counter(
            "sink_notifications", "Incidents sent to sinks, by outcome.", "sink", "outcome"
        )
        self._calls = counter("api_calls", "Calls of the API.", "target", "kind", "outcome")
        self._budget_limit = gauge(
            "api_budget_limit_calls", "Calls a minute that a budget allows now.", "budget_group"
        )
        self._budget_used = gauge(
            "api_budget_used_calls", "Calls of the last minute.", "budget_group"
        )
        self._events = counter("events_read", "Events read from the log.", "target")
        self._set_aside = counter("events_set_aside", "Lines of the log that are no event.")
        self._dropped = counter(
            "recorder_events_dropped", "Events that recorders admit to have lost.", "target"
        )
        self._resolves = counter(
            "resolves", "Responses known by their id that were read.", "target", "outcome"
        )
        self._unretrievable = gauge(
            "unretrievable_responses", "Known responses that cannot be read.", "target"
        )
        self._webhooks = counter("webhooks", "Webhooks received.", "target", "outcome")
        self._saved = counter(
            "saved_estimated_usd", "Dollars at list price that deletes saved.", "target"
        )
        self._wasted = counter(
            "wasted_estimated_usd", "Dollars at list price that orphans cost.", "target"
        )

    def _start_at_zero(self, target: str) -> None:
        for plain in (
            self._born,
            self._lateness,
            self._cycle,
            self._failures,
            self._missed,
            self._skipped,
            self._events,
            self._dropped,
            self._saved,
            self._wasted,
        ):
            plain.labels(target)
        for kind in VerdictKind:
            if kind is not VerdictKind.PENDING:
                self._settled.labels(target, kind)
        for known_by in _ORPHAN_BY:
            self._orphans.labels(target, known_by)
        for reason in _DELETED_AS:
            self._would_delete.labels(target, reason)
            for outcome in DeleteOutcome:
                self._deletes.labels(target, reason, outcome)
        for resolved in ResolveOutcome:
            self._resolves.labels(target, resolved)
        for received in WebhookOutcome:
            self._webhooks.labels(target, received)
        self.unretrievable(target, 0)
        self.verdicts(target, {})
        self.incidents(target, ())

    # containers

    def born(self, target: str, count: int) -> None:
        """Containers were seen for the first time."""
        self._born.labels(target).inc(count)

    def verdicts(self, target: str, counts: Mapping[VerdictKind, int]) -> None:
        """How many live containers have each verdict now; kinds left out have none."""
        for kind in VerdictKind:
            self._containers.labels(target, kind).set(counts.get(kind, 0))

    def settled(self, target: str, verdict: VerdictKind) -> None:
        """A container got its first verdict past pending, as it is or would be when covered."""
        self._settled.labels(target, verdict).inc()

    def orphan(self, target: str, reason: Code) -> None:
        """A container was found to be an orphan; each counts once."""
        self._orphans.labels(target, reason if reason in _ORPHAN_BY else OTHER).inc()

    def deleted(
        self, target: str, reason: VerdictKind, outcome: DeleteOutcome, lateness: float
    ) -> None:
        """A delete ended; `lateness` is the seconds since it was due, counted if it is done."""
        self._deletes.labels(target, reason, outcome).inc()
        if outcome.done:
            self._lateness.labels(target).observe(max(0.0, lateness))

    def would_delete(self, target: str, reason: VerdictKind, count: int = 1) -> None:
        """Observe mode left deletes unmade; each container counts once."""
        self._would_delete.labels(target, reason).inc(count)

    def mode(self, target: str, mode: Mode) -> None:
        """The mode that holds for a target now."""
        self._enforcing.labels(target).set(mode is Mode.ENFORCE)

    def interval(self, target: str, seconds: float) -> None:
        """How often a target's cycle turns."""
        self._interval.labels(target).set(seconds)

    def money(self, target: str, *, saved: float = 0.0, wasted: float = 0.0) -> None:
        """Estimated USD, at list price, that became certain since the last call; never negative."""
        self._saved.labels(target).inc(saved)
        self._wasted.labels(target).inc(wasted)

    # cycles

    def cycle(self, target: str, seconds: float, complete_at: float | None) -> None:
        """A cycle ended; `complete_at` (epoch seconds) if it had all that it needs."""
        self._cycle.labels(target).observe(seconds)
        if complete_at is not None:
            self._complete.labels(target).set(complete_at)

    def failed(self, target: str) -> None:
        """A cycle ended by an error of the daemon's own."""
        self._failures.labels(target).inc()

    def missed(self, target: str) -> None:
        """The scheduler was too late for a cycle."""
        self._missed.labels(target).inc()

    def skipped(self, target: str) -> None:
        """A cycle was due while the one before still ran."""
        self._skipped.labels(target).inc()

    # incidents

    def incidents(self, target: str, standing: Iterable[Condition]) -> None:
        """What stands now, one of each incident that is open; all others are over."""
        counts = Counts((each.kind, each.severity) for each in standing)
        for kind in ConditionKind:
            for severity in Severity:
                self._incidents.labels(target, kind, severity).set(counts[kind, severity])

    def notified(self, sink: str, outcome: str) -> None:
        """An incident was sent to a sink: `outcome` is delivered or failed."""
        known = outcome if outcome in _SENT else OTHER
        self._notifications.labels(sink if sink in self._sinks else OTHER, known).inc()

    # the API

    def api_call(self, target: str, kind: str, outcome: str) -> None:
        """One call: `kind` is list, delete or resolve; `outcome` is ok or a condition's kind."""
        self._calls.labels(target, kind, outcome).inc()

    def budget(self, group: str, *, limit: float, used: float) -> None:
        """A call budget now, in calls a minute and calls of the last minute."""
        self._budget_limit.labels(group).set(limit)
        self._budget_used.labels(group).set(used)

    # the log

    def watermark(self, target: str, moment: float) -> None:
        """Up to when the log is complete, in epoch seconds."""
        self._watermark.labels(target).set(moment)

    def events_read(self, target: str, count: int) -> None:
        """Events came in; those for targets that are not ours are counted together."""
        self._events.labels(target if target in self._targets else OTHER).inc(count)

    def dropped(self, target: str, count: int) -> None:
        """Recorders admitted that so many more events are lost."""
        self._dropped.labels(target).inc(count)

    def set_aside(self, count: int) -> None:
        """Lines were set aside."""
        self._set_aside.inc(count)

    def resolve(self, target: str, outcome: ResolveOutcome) -> None:
        """A known response was tried to be read."""
        self._resolves.labels(target, outcome).inc()

    def unretrievable(self, target: str, count: int) -> None:
        """So many known responses cannot be read now."""
        self._unretrievable.labels(target).set(count)

    def webhook(self, target: str, outcome: WebhookOutcome) -> None:
        """A webhook came."""
        self._webhooks.labels(target, outcome).inc()

    def exposition(self) -> bytes:
        """All of it as Prometheus reads it; its content type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)
