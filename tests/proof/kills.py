"""A harbour, applications and a daemon that is killed while they work; then an audit."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.integration.process.daemon import SCALE, Daemon
from tests.proof.audit import Audit, audit, deleted, settled
from tests.proof.shooting import Courier, Marksman
from tests.proof.witness import Witness

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer

_APPLICATIONS = 3
_REQUESTS_PER_MINUTE = 400
# Real seconds. Containers outlive a few kills in a row, and what applications could not deliver
# meanwhile comes in time.
_LIFE, _EVENT_DELAY = 60.0, 4.0
# What was listed three intervals ago is too old to act on; on a busy machine a cycle takes long.
_INTERVAL = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it; `kills` by what they met."""

    audit: Audit
    kills: Mapping[str, int]
    open_unsent: int
    open_sent: int
    confirmed: int


async def kill_and_look(
    folder: Path, *, kills: int, seed: int, enough: int, patience: float = 60.0
) -> Outcome:
    """Kill a daemon so many times under load, let it end well, and audit what it wrote.

    Args:
        folder: where its store is to be.
        kills: how many.
        seed: of the moments of the kills, and of the load.
        enough: deletes that the audit is to look at, at least.
        patience: real seconds that it may take after the last kill until so many have come,
            and again until the outcome of each is known.

    Raises:
        AssertionError: the daemon did not come up again or did not end well.
    """
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 10.0), idle_expiry=_LIFE * SCALE)
    harbour = Harbour(settings, seed=seed)
    server = HarbourServer(harbour)
    daemon = Daemon(folder, server.base_url, token="of-the-applications")
    daemon.change(
        idle_expiry=f"{_LIFE}s", max_event_delay=f"{_EVENT_DELAY}s", interval=f"{_INTERVAL}s"
    )
    witness = Witness(harbour, daemon.database)
    courier = Courier(daemon)
    writers = [Writer(courier.send, source=f"app/{number}") for number in range(_APPLICATIONS)]
    marksman = Marksman(daemon, witness, courier, Random(seed))
    with server:
        try:
            await _work(
                server,
                marksman,
                writers=writers,
                kills=kills,
                seed=seed,
                enough=enough,
                patience=patience,
            )
        finally:
            code = daemon.stop()
        truth = server.admin.truth()
    assert code == 0, daemon.said()
    found = audit(daemon, truth, witness, writers, courier.acknowledged)
    return Outcome(
        found,
        dict(marksman.kills),
        marksman.open_unsent,
        marksman.open_sent,
        marksman.confirmed,
    )


async def _work(
    server: HarbourServer,
    marksman: Marksman,
    *,
    writers: list[Writer],
    kills: int,
    seed: int,
    enough: int,
    patience: float,
) -> None:
    workload = Workload(
        server.base_url,
        [Application(f"app-{place}", writer) for place, writer in enumerate(writers)],
        seed=seed,
        requests_per_minute=_REQUESTS_PER_MINUTE,
        scale=SCALE,
    )
    daemon, stop = marksman.daemon, asyncio.Event()
    working = asyncio.create_task(workload.run(stop))
    await marksman.shoot(kills)
    daemon.start()
    await asyncio.to_thread(daemon.wait_until_ready, 2 * patience)
    end = time.monotonic() + patience
    while (  # noqa: ASYNC110 - the harbour is asked over HTTP, it has no event
        len(deleted(server.admin.truth())) < enough and time.monotonic() < end
    ):
        await asyncio.sleep(1.0)
    stop.set()
    await working
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if await asyncio.to_thread(settled, daemon, server.admin.truth()):
            break
        await asyncio.sleep(0.5)
