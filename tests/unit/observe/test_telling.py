"""What of the engine's life reaches logs and metrics."""

import structlog

from demurrage.observe.metrics import Metrics
from demurrage.observe.telling import Telling


def test_lines_set_aside_are_counted_and_named() -> None:
    """Each by its file and line."""
    metrics = Metrics("0", ["default"])
    telling = Telling(metrics, lambda _: ("default", 60.0, 0.0))
    with structlog.testing.capture_logs() as lines:
        telling.set_aside(["a.jsonl, line 1: torn", "a.jsonl, line 2: torn"])
        telling.no_deaths("no locks here")
    assert metrics.registry.get_sample_value("demurrage_events_set_aside_total") == 2
    assert [each.get("reason") for each in lines] == [
        "a.jsonl, line 1: torn",
        "a.jsonl, line 2: torn",
        "no locks here",
    ]
