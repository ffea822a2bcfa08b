"""An end with work under way: it is finished, and what hangs is cut off."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.integration.process.daemon import SCALE, Daemon
from tests.integration.process.gate import Gate
from tests.postgres import Server
from tests.proof.witness import Trap, Witness

from demurrage.simulator.delivery import over_http
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

_ROOT = Path(__file__).parents[3]
_TOKEN = "of-the-applications"


async def test_a_delete_under_way_is_finished_and_written_down(tmp_path: Path) -> None:
    """SIGTERM between a DELETE's effect and its answer: exit 0, and no intent is left open."""
    harbour = Harbour(HarbourSettings(scale=SCALE, idle_expiry=60 * SCALE), seed=4)
    server = HarbourServer(harbour)
    daemon = Daemon(tmp_path, server.base_url, token=_TOKEN)
    daemon.change(interval="2s", idle_expiry="60s", max_event_delay="4s")
    witness, sprung = Witness(harbour, daemon.database), threading.Event()

    def spring() -> None:
        assert daemon.process is not None
        daemon.process.terminate()
        sprung.set()

    with server:
        daemon.start()
        await asyncio.to_thread(daemon.wait_until_ready)
        writer = Writer(over_http(daemon.url, _TOKEN), source="app/1")
        workload = Workload(
            server.base_url,
            [Application("app", writer)],
            seed=4,
            requests_per_minute=200,
            scale=SCALE,
        )
        stop = asyncio.Event()
        working = asyncio.create_task(workload.run(stop))
        try:
            witness.set(Trap.CARRIED_OUT, spring)
            assert await asyncio.to_thread(sprung.wait, 90.0), daemon.said()
            assert daemon.process is not None
            assert await asyncio.to_thread(daemon.process.wait, 60.0) == 0, daemon.said()
            assert witness.open_intents() == []
            assert witness.unrecorded == []
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.kill()
            stop.set()
            await working
        assert server.admin.truth(containers=False)["totals"]["harm"] == 0


def test_a_database_that_has_gone_silent_does_not_keep_it_from_ending(
    tmp_path: Path, postgres: Server, database: str
) -> None:
    """Threads that wait for its answer for ever are left behind."""
    name = database.partition("?")[0].rpartition("/")[2]
    with (
        HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour,
        Gate(postgres.folder / ".s.PGSQL.5432") as server,
    ):
        daemon = Daemon(
            tmp_path,
            harbour.base_url,
            environ={"PYTHONPATH": str(_ROOT)},
            module="tests.integration.process.hasty",
        )
        daemon.change(database_url=f"postgresql+psycopg://tests@127.0.0.1:{server.port}/{name}")
        daemon.start()
        try:
            daemon.wait_until_ready()
            server.hold()
            assert server.holds_back.wait(60.0)
            assert daemon.stop(60.0) == 1
            assert "stop_cut_off" in daemon.said()
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.kill()
