"""The metrics: names, series from the start, values."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.plan import Mode
from demurrage.model.resolution import ResolveOutcome
from demurrage.model.verdict import Code, VerdictKind
from demurrage.model.webhook import WebhookOutcome
from demurrage.observe.metrics import OTHER, Metrics


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of one target."""
    return Metrics("1.2.3", ["default"])


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One value, None when the series does not exist."""
    return metrics.registry.get_sample_value(f"demurrage_{name}", labels)


def test_every_delete_series_exists_from_the_start(metrics: Metrics) -> None:
    """A rate over a counter that was never incremented reads zero, not nothing."""
    for outcome in DeleteOutcome:
        labels = {"target": "default", "reason": "orphan", "outcome": outcome.value}
        assert sample(metrics, "deletes_total", **labels) == 0
    assert sample(metrics, "containers_born_total", target="default") == 0
    for kind in ConditionKind:
        for severity in Severity:
            labels = {"target": "default", "kind": kind.value, "severity": severity.value}
            assert sample(metrics, "incidents_open", **labels) == 0


def test_verdicts_left_out_fall_to_zero(metrics: Metrics) -> None:
    """The gauge tells of now alone."""
    metrics.verdicts("default", {VerdictKind.ORPHAN: 2})
    metrics.verdicts("default", {VerdictKind.PENDING: 1})
    assert sample(metrics, "containers", target="default", verdict="orphan") == 0
    assert sample(metrics, "containers", target="default", verdict="pending") == 1


def test_only_done_deletes_have_lateness(metrics: Metrics) -> None:
    """A failed delete counts as such and says nothing of lateness."""
    metrics.deleted("default", VerdictKind.ORPHAN, DeleteOutcome.FAILED, 5)
    metrics.deleted("default", VerdictKind.ORPHAN, DeleteOutcome.ALREADY_GONE, 5)
    labels = {"target": "default", "reason": "orphan"}
    assert sample(metrics, "deletes_total", **labels, outcome="failed") == 1
    assert sample(metrics, "deletes_total", **labels, outcome="already_gone") == 1
    assert sample(metrics, "delete_lateness_seconds_count", target="default") == 1
    assert sample(metrics, "delete_lateness_seconds_sum", target="default") == 5


def test_observe_has_a_counter_of_its_own(metrics: Metrics) -> None:
    """What would have been deleted is never counted among the deletes."""
    metrics.mode("default", Mode.OBSERVE)
    metrics.would_delete("default", VerdictKind.ORPHAN, 3)
    assert sample(metrics, "would_delete_total", target="default", reason="orphan") == 3
    assert sample(metrics, "enforcing", target="default") == 0
    labels = {"target": "default", "reason": "orphan", "outcome": "deleted"}
    assert sample(metrics, "deletes_total", **labels) == 0


def test_an_incident_closes(metrics: Metrics) -> None:
    """One that is over reads zero again, and so does a severity that it has grown out of."""
    labels = {"target": "default", "kind": "rate_limited"}
    for severity in (Severity.WARNING, Severity.PAGE):
        fault = Condition(ConditionKind.RATE_LIMITED, "default", "slow down", severity)
        metrics.incidents("default", [fault])
        for each in Severity:
            value = sample(metrics, "incidents_open", **labels, severity=each.value)
            assert value == (each is severity)
    metrics.incidents("default", [])
    assert sample(metrics, "incidents_open", **labels, severity="page") == 0


def test_incidents_of_one_kind_are_counted(metrics: Metrics) -> None:
    """Two scopes of one kind are two incidents."""
    faults = [
        Condition(ConditionKind.ORPHAN_RATE_FAST, "default", "", Severity.PAGE, scope=scope)
        for scope in ("team=a", "team=b")
    ]
    metrics.incidents("default", faults)
    labels = {"target": "default", "kind": "orphan_rate_fast", "severity": "page"}
    assert sample(metrics, "incidents_open", **labels) == 2


def test_sinks_are_counted_by_outcome() -> None:
    """From zero; what the settings do not name makes no series of its own."""
    metrics = Metrics("1", ["default"], ["slack"])
    assert sample(metrics, "sink_notifications_total", sink="slack", outcome="failed") == 0
    metrics.notified("slack", "delivered")
    metrics.notified("a stranger", "delivered")
    metrics.notified("slack", "a mood")
    total = "sink_notifications_total"
    assert sample(metrics, total, sink="slack", outcome="delivered") == 1
    assert sample(metrics, total, sink=OTHER, outcome="delivered") == 1
    assert sample(metrics, total, sink="slack", outcome=OTHER) == 1


def test_orphans_have_bounded_reasons(metrics: Metrics) -> None:
    """Each way of knowing has its series from the start; a new one is told as other."""
    on = {"target": "default"}
    assert sample(metrics, "orphans_total", **on, reason="makers_deduced") == 0
    metrics.orphan("default", Code.CANDIDATES_DONE)
    metrics.orphan("default", Code.PINNED)
    assert sample(metrics, "orphans_total", **on, reason="candidates_done") == 1
    assert sample(metrics, "orphans_total", **on, reason=OTHER) == 1
    assert sample(metrics, "containers_settled_total", **on, verdict="pending") is None


def test_partial_cycle_leaves_the_timestamp(metrics: Metrics) -> None:
    """Only a complete cycle moves the moment of the last complete one."""
    metrics.cycle("default", 0.2, 1000.0)
    metrics.cycle("default", 0.3, None)
    name = "last_complete_cycle_timestamp_seconds"
    assert sample(metrics, name, target="default") == 1000
    assert sample(metrics, "cycle_duration_seconds_count", target="default") == 2


def test_writers_cannot_make_series(metrics: Metrics) -> None:
    """Events that name other targets are counted under one label."""
    metrics.events_read("default", 1)
    metrics.events_read("x" * 50, 2)
    metrics.events_read("y", 3)
    assert sample(metrics, "events_read_total", target="default") == 1
    assert sample(metrics, "events_read_total", target=OTHER) == 5


def test_the_rest_is_counted(metrics: Metrics) -> None:
    """Births, calls, budgets, watermark, money, misses and set-aside lines have their series."""
    metrics.born("default", 4)
    metrics.api_call("default", "list", "ok")
    metrics.budget("org", limit=60, used=12)
    metrics.watermark("default", 7)
    metrics.money("default", saved=1.5, wasted=0.5)
    metrics.interval("default", 10)
    metrics.failed("default")
    metrics.dropped("default", 3)
    metrics.settled("default", VerdictKind.EXPLICIT)
    metrics.missed("default")
    metrics.skipped("default")
    metrics.set_aside(2)
    on = {"target": "default"}
    assert sample(metrics, "containers_born_total", **on) == 4
    assert sample(metrics, "api_calls_total", **on, kind="list", outcome="ok") == 1
    assert sample(metrics, "api_budget_limit_calls", budget_group="org") == 60
    assert sample(metrics, "api_budget_used_calls", budget_group="org") == 12
    assert sample(metrics, "watermark_timestamp_seconds", **on) == 7
    assert sample(metrics, "saved_estimated_usd_total", **on) == 1.5
    assert sample(metrics, "wasted_estimated_usd_total", **on) == 0.5
    assert sample(metrics, "watch_interval_seconds", **on) == 10
    assert sample(metrics, "cycle_failures_total", **on) == 1
    assert sample(metrics, "recorder_events_dropped_total", **on) == 3
    assert sample(metrics, "containers_settled_total", **on, verdict="explicit") == 1
    assert sample(metrics, "cycles_missed_total", **on) == 1
    assert sample(metrics, "cycles_skipped_total", **on) == 1
    assert sample(metrics, "events_set_aside_total") == 2
    assert sample(metrics, "build_info", version="1.2.3") == 1


def test_known_responses_and_webhooks_are_counted(metrics: Metrics) -> None:
    """By outcome, each from zero; how many cannot be read is told as it stands."""
    on = {"target": "default"}
    for name, outcomes in (("resolves", ResolveOutcome), ("webhooks", WebhookOutcome)):
        for outcome in outcomes:
            assert sample(metrics, f"{name}_total", **on, outcome=outcome) == 0
    metrics.resolve("default", ResolveOutcome.GONE)
    metrics.webhook("default", WebhookOutcome.REFUSED)
    metrics.unretrievable("default", 3)
    assert sample(metrics, "resolves_total", **on, outcome="gone") == 1
    assert sample(metrics, "webhooks_total", **on, outcome="refused") == 1
    assert sample(metrics, "unretrievable_responses", **on) == 3


def test_exposition_parses_and_keeps_the_rules(metrics: Metrics) -> None:
    """Prometheus reads it; every series of ours says what it is and no label is an id."""
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    ours = [family for family in families if family.name.startswith("demurrage_")]
    assert ours
    for family in ours:
        assert family.documentation
        assert not re.search(r"_(ms|minutes|hours|age)$", family.name)
        for one in family.samples:
            assert set(one.labels) <= {
                "target", "verdict", "reason", "outcome", "kind", "severity",
                "budget_group", "sink", "version", "le",
            }  # fmt: skip


def test_registries_are_private() -> None:
    """Two daemons in one process, as tests have them, do not collide."""
    Metrics("1", ["a"])
    Metrics("1", ["a"])
