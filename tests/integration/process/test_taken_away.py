"""API, database and log are taken away in turn under load: no crash, no harm, and it heals."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.integration.process.daemon import SCALE, Daemon
from tests.integration.process.gate import Gate
from tests.integration.process.probes import Prober
from tests.postgres import Server

from demurrage.simulator.delivery import over_http
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer

# Real seconds: of an outage, until it must show, and until all must be well again.
OUTAGE, NOTICED, HEALED = 4.0, 60.0, 60.0
# Applications cannot deliver while the database is away; containers outlive that.
EVENT_DELAY, LIFE = 15.0, 90.0
TOKEN = "of-the-applications"


@pytest.mark.process
@pytest.mark.timeout(400)
async def test_what_is_taken_away_stops_deletes_and_nothing_else(
    tmp_path: Path, postgres: Server
) -> None:
    """The probes tell it, the daemon lives, and each time it deletes again within a minute."""
    name = postgres.create()
    knobs = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 10.0), idle_expiry=LIFE * SCALE)
    with HarbourServer(Harbour(knobs, seed=3)) as harbour:
        parts = urlsplit(harbour.url)
        with (
            Gate((str(parts.hostname), int(str(parts.port)))) as api,
            Gate(postgres.folder / ".s.PGSQL.5432") as server,
        ):
            daemon = Daemon(tmp_path, f"http://127.0.0.1:{api.port}/v1", token=TOKEN)
            daemon.change(
                database_url=f"postgresql+psycopg://tests@127.0.0.1:{server.port}/{name}",
                max_event_delay=f"{EVENT_DELAY}s",
                idle_expiry=f"{LIFE}s",
                timeout="3s",
                # What was listed three intervals ago is too old to act on, and machines are busy.
                interval="2s",
            )
            daemon.start()
            try:
                await asyncio.to_thread(daemon.wait_until_ready, 60.0)
                await _take_away_in_turn(
                    daemon,
                    harbour,
                    (
                        ("unreachable", Outage(api.shut, api.open)),
                        ("store_failed", Outage(server.shut, server.open)),
                        ("store_failed", Outage(postgres.stop, postgres.start)),
                        ("log_unreadable", log_away(postgres, name)),
                    ),
                )
                assert daemon.process is not None
                assert daemon.process.poll() is None, daemon.said()
            finally:
                code = await asyncio.to_thread(daemon.stop, 40.0)
        assert code == 0, daemon.said()
        totals = harbour.admin.truth(containers=False)["totals"]
        assert totals["harm"] == 0
        assert totals["orphans_deleted"] > 0
    postgres.drop(name)


class Outage:
    """Something that can be taken away and given back."""

    def __init__(self, take: Callable[[], None], give: Callable[[], None]) -> None:
        self.take = take
        self.give = give


def log_away(postgres: Server, name: str) -> Outage:
    """The log alone, while the rest of the database is there."""

    def rename(one: str, other: str) -> None:
        with postgres.connect(name) as connection:
            connection.execute(f"ALTER TABLE {one} RENAME TO {other}")

    away = "event_log_away"
    return Outage(lambda: rename("event_log", away), lambda: rename(away, "event_log"))


async def _take_away_in_turn(
    daemon: Daemon, harbour: HarbourServer, outages: Sequence[tuple[str, Outage]]
) -> None:
    writers = [Writer(over_http(daemon.url, TOKEN), source=f"app/{each}") for each in range(2)]
    workload = Workload(
        harbour.base_url,
        [Application(f"app-{place}", writer) for place, writer in enumerate(writers)],
        seed=3,
        requests_per_minute=200,
        scale=SCALE,
    )
    stop = asyncio.Event()
    working = asyncio.create_task(workload.run(stop))
    with Prober(daemon.port) as prober:
        try:
            await asyncio.to_thread(_deletes_go_on, harbour, HEALED)
            for reasons, outage in outages:
                await asyncio.to_thread(_take_away, prober, harbour, reasons, outage)
        finally:
            stop.set()
            await working
    # Alive all the while, by its own word.
    assert {each.alive for each in prober.seen} == {200}


def _take_away(prober: Prober, harbour: HarbourServer, reason: str, outage: Outage) -> None:
    outage.take()
    try:
        told = prober.wait_for(503, NOTICED)
        assert reason in told.reasons
        before = _deleted(harbour)
        time.sleep(OUTAGE)
        # What was on its way when it was told may have arrived; no more than that.
        assert _deleted(harbour) - before <= 0, reason
    finally:
        outage.give()
    given = time.monotonic()
    prober.wait_for(200, HEALED)
    _deletes_go_on(harbour, HEALED - (time.monotonic() - given))


def _deletes_go_on(harbour: HarbourServer, seconds: float) -> None:
    before, end = _deleted(harbour), time.monotonic() + seconds
    while _deleted(harbour) == before:
        assert time.monotonic() < end, "nothing was deleted any more"
        time.sleep(0.2)


def _deleted(harbour: HarbourServer) -> int:
    count: int = harbour.admin.truth(containers=False)["totals"]["deleted"]
    return count
