"""The metrics: names, series from the start, values."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.plan import Mode
from demurrage.model.resolution import ResolveOutcome
from demurrage.model.verdict import VerdictKind
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
    assert sample(metrics, "condition_open", target="default", kind="rate_limited") == 0


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


def test_condition_closes(metrics: Metrics) -> None:
    """A fault that is over reads zero again."""
    fault = Condition(ConditionKind.RATE_LIMITED, "default", "slow down")
    metrics.conditions("default", [fault])
    assert sample(metrics, "condition_open", target="default", kind="rate_limited") == 1
    metrics.conditions("default", [])
    assert sample(metrics, "condition_open", target="default", kind="rate_limited") == 0


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
                "target", "verdict", "reason", "outcome", "kind", "budget_group", "version", "le",
            }  # fmt: skip


def test_registries_are_private() -> None:
    """Two daemons in one process, as tests have them, do not collide."""
    Metrics("1", ["a"])
    Metrics("1", ["a"])
