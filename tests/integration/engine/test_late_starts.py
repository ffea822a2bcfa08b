"""A start that decisions had not counted on is noticed, whatever befalls the daemon in between."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from tests.integration.engine.conftest import AT_ONCE, Bench, Running

from demurrage.model.facts import BreakKind
from demurrage.store.sqlstore import SqlStore

_LONG = 1.4  # seconds, where `max_event_delay` is 0.6


def _turn(source: str, began: float, ended: float) -> list[dict[str, Any]]:
    """All that a process says which makes one call, and no container, and leaves."""
    call: dict[str, Any] = {"call_id": source}
    last = {"complete_through": ended, "last_sequence": 3, "clock_offset": 0, "final": True}
    told = (
        ("response.started", began, call | {"slots": []}),
        ("response.finished", ended, call | {"status": "completed"}),
        ("writer.heartbeat", ended, last),
    )
    return [
        {
            "specversion": "1.0",
            "id": str(number),
            "source": source,
            "sequence": number,
            "type": f"demurrage.{kind}",
            "time": datetime.fromtimestamp(at, UTC).isoformat(),
            "data": {"target": "default", **data},
        }
        for number, (kind, at, data) in enumerate(told, start=1)
    ]


async def _decide_for_a_while(running: Running) -> None:
    began = time.time()
    await asyncio.to_thread(running.store.declare_coverage, "default", at=began - 3600)
    running.log.append(_turn("early", began, began), appended_at=began)
    await running.turn_until(lambda: time.time() - began > 2 * _LONG)
    assert not running.store.facts("default", time.time()).breaks


def _come_late(running: Running) -> None:
    now = time.time()
    running.log.append(_turn("late", now - _LONG, now), appended_at=now)


def _broken(running: Running) -> bool:
    return [each.kind for each in running.store.facts("default", time.time()).breaks] == [
        BreakKind.LATE_START
    ]


@pytest.mark.parametrize("read", ["in a look that decides nothing", "after the restart"])
async def test_a_late_start_is_noticed_after_a_restart(bench: Bench, read: str) -> None:
    """What was decided before stood on there being none."""
    bench.rules = AT_ONCE
    async with bench.engine() as running:
        await _decide_for_a_while(running)
        if read != "after the restart":
            bench.admin.fault("html", "GET *")
            _come_late(running)
            await running.engine.turn("default")
    bench.admin.clear_faults()
    async with bench.engine() as running:
        if read == "after the restart":
            _come_late(running)
        await running.turn_until(lambda: _broken(running))


async def test_a_crash_after_deletes_forgets_nothing_that_they_stood_on(bench: Bench) -> None:
    """It is kept before they are made."""
    bench.rules = AT_ONCE
    async with bench.engine() as running:
        await _decide_for_a_while(running)
        with patch.object(SqlStore, "save_cursor"):
            await asyncio.sleep(_LONG)
            await running.engine.turn("default")
    async with bench.engine() as running:
        _come_late(running)
        await running.turn_until(lambda: _broken(running))
