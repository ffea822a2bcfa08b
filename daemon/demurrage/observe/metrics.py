"""Prometheus metrics in a registry of their own.

Names have base units and say what they count; moments are timestamps, never ages; no id is a
label. The engine knows nothing of this: what happened is told to it in model values.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.plan import Mode
from demurrage.model.resolution import ResolveOutcome
from demurrage.model.verdict import VerdictKind
from demurrage.model.webhook import WebhookOutcome

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

# What a container can be deleted for; so that each series exists, at zero, from the start.
_DELETED_AS = (VerdictKind.ORPHAN, VerdictKind.RELEASED, VerdictKind.UNPROVEN)
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
    """

    def __init__(self, version: str, targets: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        self._targets = tuple(targets)
        self._define(self.registry)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("demurrage_build", "What runs.", registry=self.registry).info({"version": version})
        for target in self._targets:
            self._start_at_zero(target)

    def _define(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"demurrage_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"demurrage_{name}", text, labels, registry=registry)

        self._born = counter("containers_born", "Containers first seen.", "target")
        self._containers = gauge(
            "containers", "Live containers by what the daemon thinks of them.", "target", "verdict"
        )
        self._deletes = counter(
            "deletes", "Deletes made, by verdict and outcome.", "target", "reason", "outcome"
        )
        self._would_delete = counter(
            "would_delete", "Deletes that observe mode left unmade.", "target", "reason"
        )
        self._enforcing = gauge("enforcing", "1 in enforce mode, 0 in observe.", "target")
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
        self._missed = counter("cycles_missed", "Cycles that started too late.", "target")
        self._skipped = counter(
            "cycles_skipped", "Cycles left out because the one before still ran.", "target"
        )
        self._condition = gauge(
            "condition_open", "1 while a fault stands, by name.", "target", "kind"
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
        self._resolves = counter(
            "resolves", "Responses known by their id that were read.", "target", "outcome"
        )
        self._unretrievable = gauge(
            "unretrievable_responses", "Known responses that cannot be read.", "target"
        )
        self._webhooks = counter("webhooks", "Webhooks received.", "target", "outcome")
        self._saved = counter(
            "saved_estimated_usd", "Estimated dollars that deletes saved.", "target"
        )
        self._wasted = counter(
            "wasted_estimated_usd", "Estimated dollars that orphans cost all the same.", "target"
        )

    def _start_at_zero(self, target: str) -> None:
        for plain in (
            self._born,
            self._lateness,
            self._cycle,
            self._missed,
            self._skipped,
            self._events,
            self._saved,
            self._wasted,
        ):
            plain.labels(target)
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
        self.conditions(target, ())

    # containers

    def born(self, target: str, count: int) -> None:
        """Containers were seen for the first time."""
        self._born.labels(target).inc(count)

    def verdicts(self, target: str, counts: Mapping[VerdictKind, int]) -> None:
        """How many live containers have each verdict now; kinds left out have none."""
        for kind in VerdictKind:
            self._containers.labels(target, kind).set(counts.get(kind, 0))

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

    def money(self, target: str, *, saved: float = 0.0, wasted: float = 0.0) -> None:
        """Estimated USD that became certain since the last call; neither is ever negative."""
        self._saved.labels(target).inc(saved)
        self._wasted.labels(target).inc(wasted)

    # cycles

    def cycle(self, target: str, seconds: float, complete_at: float | None) -> None:
        """A cycle ended; `complete_at` (epoch seconds) if it had all that it needs."""
        self._cycle.labels(target).observe(seconds)
        if complete_at is not None:
            self._complete.labels(target).set(complete_at)

    def missed(self, target: str) -> None:
        """The scheduler was too late for a cycle."""
        self._missed.labels(target).inc()

    def skipped(self, target: str) -> None:
        """A cycle was due while the one before still ran."""
        self._skipped.labels(target).inc()

    def conditions(self, target: str, standing: Iterable[Condition]) -> None:
        """The faults that stand now; all others are over."""
        kinds = {condition.kind for condition in standing}
        for kind in ConditionKind:
            self._condition.labels(target, kind).set(kind in kinds)

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
