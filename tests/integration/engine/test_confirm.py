"""A person's `confirm`: what it settles stays settled, and what comes after it does not."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.integration.engine.conftest import Bench, Running

from demurrage.model.condition import ConditionKind
from demurrage.model.facts import BreakKind

DAY = 86_400.0


def said(sequence: int, kind: str, at: float, **data: Any) -> dict[str, Any]:
    """One event of a process whose clock tells the wrong day."""
    return {
        "specversion": "1.0",
        "id": f"wrong/{sequence}",
        "source": "wrong",
        "type": f"demurrage.{kind}",
        "time": datetime.fromtimestamp(at, UTC).isoformat(),
        "sequence": sequence,
        "data": {"target": "default", **data},
    }


def goodbye(sequence: int) -> dict[str, Any]:
    """It says that it goes, by a clock that was mended."""
    return said(
        sequence,
        "writer.heartbeat",
        time.time(),
        complete_through=time.time(),
        last_sequence=sequence,
        in_flight=[],
        clock_offset=0.0,
        final=True,
    )


async def test_a_confirm_settles_a_break_that_is_dated_after_it(bench: Bench) -> None:
    """In the cycles that come, after a restart too, until the same is heard of again."""
    tomorrow = time.time() + DAY
    async with bench.engine() as run, run.application():
        refused = said(
            2, "response.finished", tomorrow, call_id="b", status="refused", http_status=401
        )
        begun = said(1, "response.started", tomorrow, call_id="b", slots=[])
        assert await heard(run, [begun, refused, goodbye(3)]) == [BreakKind.UNKNOWN_CLOCK]
        assert run.shown(ConditionKind.COVERAGE_BROKEN)
        assert run.store.confirm_coverage("default", time.time(), "ann") == 1
        assert await heard(run, []) == []
        assert not run.shown(ConditionKind.COVERAGE_BROKEN)
    async with bench.engine() as run, run.application(source="next"):
        assert await heard(run, []) == []
        again = said(4, "response.started", time.time() + DAY / 2, call_id="c", slots=[])
        assert await heard(run, [again]) == [BreakKind.UNKNOWN_CLOCK]
        assert run.shown(ConditionKind.COVERAGE_BROKEN)


async def heard(run: Running, events: Sequence[dict[str, Any]]) -> list[BreakKind]:
    """What breaks coverage once a cycle has read the events."""
    run.log.append(events, appended_at=time.time())
    await run.turn()
    await run.turn()
    return [each.kind for each in run.store.facts("default", time.time()).breaks]
