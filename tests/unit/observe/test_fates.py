"""What became of containers, as the counters tell it."""

from dataclasses import replace

import pytest

from demurrage.engine.hooks import CycleReport
from demurrage.model.container import Container, Sighting
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.rules import BillingRules
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind
from demurrage.observe.fates import Fates
from demurrage.observe.metrics import Metrics
from demurrage.observe.telling import Telling

ONE = Container("cntr_1", 1000, "running", last_active_at=1000, tier="1g")
PRICES = {"default": BillingRules(usd_per_minute={"1g": 1.0})}


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of one target."""
    return Metrics("0", ["default"])


@pytest.fixture
def fates(metrics: Metrics) -> Fates:
    """One target where a minute costs a dollar."""
    return Fates(metrics, PRICES)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One value of the target."""
    return metrics.registry.get_sample_value(f"demurrage_{name}", {"target": "default", **labels})


def born(container: Container = ONE) -> list[Sighting]:
    """A first sighting."""
    return [Sighting(container, 1010.0, 1010.0)]


def ruling(
    kind: VerdictKind, *codes: Code, shadow: VerdictKind | None = None, container: Container = ONE
) -> list[Ruling]:
    """A verdict on the container."""
    reasons = tuple(Reason(code, "") for code in codes)
    return [Ruling(container, Verdict(container.id, kind, reasons, shadow=shadow), 1100.0)]


ORPHAN = (VerdictKind.ORPHAN, Code.NO_REFERENCE, Code.CANDIDATES_DONE, Code.COUNT_FITS)


def test_a_container_settles_once(fates: Fates, metrics: Metrics) -> None:
    """Not while it is pending, and not again when its verdict changes later."""
    fates.born("default", born())
    fates.ruled("default", ruling(VerdictKind.PENDING, Code.RESPONSE_RUNNING))
    for kind in VerdictKind:
        assert not value(metrics, "containers_settled_total", verdict=kind.value)
    fates.ruled("default", ruling(*ORPHAN))
    fates.ruled("default", ruling(VerdictKind.PENDING, Code.LOG_NOT_COMPLETE))
    fates.ruled("default", ruling(*ORPHAN))
    assert value(metrics, "containers_settled_total", verdict="orphan") == 1
    assert value(metrics, "orphans_total", reason="candidates_done") == 1


def test_partial_coverage_counts_what_would_be_said(fates: Fates, metrics: Metrics) -> None:
    """The share of orphans is known before the word is given; the reason says what is missing."""
    fates.born("default", born())
    partial = (VerdictKind.UNPROVEN, Code.COVERAGE_PARTIAL)
    fates.ruled("default", ruling(*partial, shadow=VerdictKind.PENDING))
    assert value(metrics, "containers_settled_total", verdict="unproven") == 0
    fates.ruled("default", ruling(*partial, shadow=VerdictKind.ORPHAN))
    assert value(metrics, "containers_settled_total", verdict="orphan") == 1
    assert value(metrics, "orphans_total", reason="coverage_partial") == 1


def test_what_lived_before_the_start_is_not_counted_again(fates: Fates, metrics: Metrics) -> None:
    """A restart must not show as a wave of orphans, nor a first look at old rows."""
    fates.ruled("default", ruling(*ORPHAN))
    fates.born("default", [replace(each, gone_at=1010.0) for each in born()])
    fates.ruled("default", ruling(*ORPHAN))
    assert value(metrics, "orphans_total", reason="candidates_done") == 0


@pytest.mark.parametrize("known", [True, False], ids=["ruled here", "ruled before the start"])
def test_a_swept_orphan_has_cost_its_minimum(fates: Fates, metrics: Metrics, known: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What it was billed until its delete is the price of proof."""
    if known:
        fates.ruled("default", ruling(*ORPHAN))
    deletion = Deletion(1, "default", ONE.id, 1, 1270.0, 1270.0, 1000, "1g", "orphan")
    failed = Conclusion(1, DeleteOutcome.FAILED, 1275.0)
    fates.concluded("default", [(deletion, failed)])
    assert value(metrics, "wasted_estimated_usd_total") == 0
    fates.concluded("default", [(deletion, replace(failed, outcome=DeleteOutcome.DELETED))])
    assert value(metrics, "wasted_estimated_usd_total") == 5
    fates.passed("default", 99_999.0)
    assert value(metrics, "wasted_estimated_usd_total") == 5


def test_what_was_released_is_no_waste(fates: Fates, metrics: Metrics) -> None:
    """It was used."""
    deletion = Deletion(1, "default", ONE.id, 1, 1270.0, 1270.0, 1000, "1g", "released")
    fates.concluded("default", [(deletion, Conclusion(1, DeleteOutcome.DELETED, 1275.0))])
    assert value(metrics, "wasted_estimated_usd_total") == 0


def test_an_orphan_that_stays_costs_all_that_it_can(fates: Fates, metrics: Metrics) -> None:
    """In observe mode the money is gone when the provider ends the container, and not before."""
    fates.ruled("default", ruling(*ORPHAN))
    fates.passed("default", 2199.0)
    assert value(metrics, "wasted_estimated_usd_total") == 0
    fates.passed("default", 2259.0)
    fates.passed("default", 2320.0)
    assert value(metrics, "wasted_estimated_usd_total") == 20


def test_the_living_are_looked_through_once_a_tick(fates: Fates, metrics: Metrics) -> None:
    """A cycle must not pay for all that live, and a clock set back must not stop the counting."""
    fates.passed("default", 2199.0)
    fates.ruled("default", ruling(*ORPHAN))
    fates.passed("default", 2210.0)
    assert value(metrics, "wasted_estimated_usd_total") == 0
    fates.passed("default", 99_999.0)
    assert value(metrics, "wasted_estimated_usd_total") == 20
    fates.ruled("default", ruling(*ORPHAN, container=replace(ONE, id="cntr_2")))
    fates.passed("default", 2300.0)
    assert value(metrics, "wasted_estimated_usd_total") == 40


def test_one_that_proves_used_is_no_waste(fates: Fates, metrics: Metrics) -> None:
    """A shadow that was refuted takes its money with it."""
    partial = (VerdictKind.UNPROVEN, Code.COVERAGE_PARTIAL)
    fates.ruled("default", ruling(*partial, shadow=VerdictKind.ORPHAN))
    fates.ruled("default", ruling(VerdictKind.REFERENCED, Code.NAMED_BY_RESPONSE))
    fates.passed("default", 99_999.0)
    assert value(metrics, "wasted_estimated_usd_total") == 0


def test_nothing_is_followed_for_ever(fates: Fates) -> None:
    """What expires unjudged is let go, or a year of them would be a leak of our own."""
    fates.born("default", born())
    fates.ruled("default", ruling(*ORPHAN, container=replace(ONE, id="cntr_2")))
    fates.passed("default", 99_999.0)
    assert fates._unsettled == {"default": {}}
    assert fates._orphans == {"default": {}}


def test_only_new_drops_count(metrics: Metrics) -> None:
    """What was admitted before the start is in the log still, and no news."""
    telling = Telling(metrics, lambda _: ("default", 60.0, 0.0))
    report = CycleReport("default", 1.0, 0.1, complete=True, events=0, verdicts={}, watermark=1.0,
                         due=0)  # fmt: skip
    for admitted in (7, 7, 9, 0, 1):
        telling.cycled(replace(report, dropped=admitted))
    assert value(metrics, "recorder_events_dropped_total") == 3
