"""Letting go waits until it is known what lives."""

import time
from datetime import UTC, datetime
from typing import Any

from tests.integration.engine.conftest import Bench

from demurrage.model.rules import RetentionRules

HOURS_AGO = 2 * 3600.0


def told(sequence: int, kind: str, **data: Any) -> dict[str, Any]:
    """An event of a turn of two hours ago."""
    at = datetime.fromtimestamp(time.time() - HOURS_AGO + sequence, UTC)
    return {
        "specversion": "1.0",
        "id": str(sequence),
        "source": "app-1",
        "sequence": sequence,
        "type": f"demurrage.{kind}",
        "time": at.isoformat(),
        "data": {"target": "default", **data},
    }


async def test_evidence_is_kept_while_nobody_knows_what_lives(bench: Bench) -> None:
    """Before the first whole listing any container may be the living one that it names."""
    bench.retention = RetentionRules(events=1.0)
    turn = (
        told(1, "response.started", call_id="c1", slots=[]),
        told(2, "response.finished", call_id="c1", status="completed", containers=["cntr_1"]),
        told(3, "writer.heartbeat", complete_through=time.time(), last_sequence=2, clock_offset=0),
    )
    bench.admin.fault("html", "GET *")
    async with bench.engine() as running:
        running.log.append(turn, appended_at=time.time() - HOURS_AGO)
        await running.turn()
        await running.engine.housekeep()
        assert "cntr_1" in running.engine.evidence.ledger.book("default").mentions
        assert len(running.log.recent(10)) == len(turn)
        bench.admin.clear_faults()
        await running.turn_until(lambda: not running.shown("not_json"))
        await running.engine.housekeep()
        assert len(running.log.recent(10)) < len(turn)
