"""`kill -9` at random moments: nothing lost, nothing counted twice, nothing unrecorded."""

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import SCALE, Daemon

from demurrage.eventlog.log import EventLog
from demurrage.simulator.delivery import over_http
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer
from demurrage.store import open_store

KILLS = 10
# Deletes that the figures are compared over, and how many seconds they may take to come.
ENOUGH, ENOUGH_WITHIN = 30, 60.0


async def _shoot(daemon: Daemon, harbour: HarbourServer, writers: list[Writer]) -> None:
    """Keep applications at work while the daemon is killed and restarted."""
    workload = Workload(
        harbour.base_url,
        [Application(f"app-{place}", writer) for place, writer in enumerate(writers)],
        seed=3,
        requests_per_minute=400,
        scale=SCALE,
    )
    stop = asyncio.Event()
    working = asyncio.create_task(workload.run(stop))
    rng = random.Random(5)
    for _ in range(KILLS):
        daemon.start()
        await asyncio.sleep(rng.uniform(1.5, 4.5))
        await asyncio.to_thread(daemon.kill)
    daemon.start()
    await asyncio.to_thread(daemon.wait_until_ready)
    # However slow the machine: until there is something to look at.
    end = time.monotonic() + ENOUGH_WITHIN
    while (  # noqa: ASYNC110 - the harbour is asked over HTTP, it has no event
        len(_deleted(harbour.admin.truth())) < ENOUGH and time.monotonic() < end
    ):
        await asyncio.sleep(1.0)
    stop.set()
    await working
    await asyncio.sleep(10.0)


@pytest.mark.process
@pytest.mark.timeout(300)
async def test_ten_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    """Events, deletes and totals agree with the harbour's truth after ten kills."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 10.0))
    with HarbourServer(Harbour(settings, seed=11)) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url, token="of-the-applications")
        writers = [Writer(over_http(daemon.url, daemon.token), source=f"app/{n}") for n in range(3)]
        try:
            await _shoot(daemon, harbour, writers)
        finally:
            code = daemon.stop()
        truth = harbour.admin.truth()
    assert code == 0, daemon.said()
    _no_event_lost(daemon, writers)
    _deletes_add_up(daemon, truth)


def _no_event_lost(daemon: Daemon, writers: list[Writer]) -> None:
    """Every event that a writer numbered is in the log once."""
    log = EventLog.open(daemon.database_url, clock=time.time)
    report = log.verify()
    log.close()
    assert report.sound
    held = {source.source: source for source in report.sources}
    for writer in writers:
        assert writer.unsent == 0
        assert held[writer.source].events == writer.sent


def _deleted(truth: dict[str, Any]) -> set[str]:
    """What the harbour was asked to delete, be it that it had expired the moment before."""
    return {each["id"] for each in truth["containers"] if each["deleted_at"] is not None}


def _deletes_add_up(daemon: Daemon, truth: dict[str, Any]) -> None:
    """Each delete that reached the API was written down, proven, and counted once."""
    assert truth["totals"]["harm"] == 0
    gone = _deleted(truth)
    assert len(gone) >= ENOUGH, "the load was too small to show anything"
    with open_store(daemon.database_url) as store:
        audit = store.deletions("default", limit=100_000)
        done = Counter(
            each.container_id for each in audit if each.outcome is not None and each.outcome.done
        )
        assert gone <= {each.container_id for each in audit}
        assert set(done) == gone
        assert store.totals("default", 6.0).all.swept == len(gone)
        for container_id in gone:
            case = store.case(container_id)
            assert case is not None
            recorded = {record.id: record for record in case.verdicts}
            for deletion in case.deletions:
                assert recorded[deletion.verdict_id].decided_at <= deletion.intended_at
