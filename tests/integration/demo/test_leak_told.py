"""The demo begins to leak: Sentry is told of it with its causes, and of its end."""

from pathlib import Path
from typing import Any

import pytest
from tests.leak import HASTY, SPIKES, staged, usual_known, wait_until
from tests.unit.alerts.kent import events, running_kent

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

_PATIENCE = 400.0


def told(kent: str, state: str, *kinds: str) -> list[dict[str, Any]]:
    """What has been told of some kinds, as they were in a state."""
    found = [each for each in events(kent) if each.get("tags", {}).get("kind") in kinds]
    return [each for each in found if each["tags"]["state"] == state]


def test_a_leak_is_told_with_its_causes_and_so_is_its_end(tmp_path: Path) -> None:
    """One issue; what it costs and whose it is stand in it."""
    with (
        running_kent() as kent,
        staged(tmp_path, "", {"SENTRY_DSN": f"http://public@{kent}/1", **HASTY}) as stage,
    ):
        wait_until("what is usual", lambda: usual_known(stage), _PATIENCE)
        assert not told(kent, "open", *SPIKES)
        stage.turn()
        wait_until("the leak", lambda: told(kent, "open", *SPIKES), _PATIENCE)
        (start, *_) = told(kent, "open", *SPIKES)
        stage.turn()
        wait_until("its end", lambda: told(kent, "over", start["tags"]["kind"]), _PATIENCE)
        ends = told(kent, "over", start["tags"]["kind"])
    assert start["level"] == "error"
    assert start["tags"]["target"] == "default"
    assert start["contexts"]["incident"]["estimated_usd_per_hour"] > 0
    causes = start["contexts"]["causes"]
    assert {name.partition(". ")[2] for name in causes} >= {"writer", "label", "model"}
    assert start["fingerprint"] in [each["fingerprint"] for each in ends]
