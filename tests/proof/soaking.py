"""A daemon at work for long, at speed, and what it takes of the machine all the while."""

import asyncio
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from random import Random

from tests.integration.process.daemon import SCALE, Daemon
from tests.proof.flat import Sample
from tests.proof.shooting import Courier

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer
from demurrage.store.opening import open_store

_APPLICATIONS = 3
# Seconds after which new processes take the applications' place, as deployments do.
_GENERATION = 45.0
# In the mean.
_REQUESTS_A_TALK = 2.2
_READY = 120.0
# What a scraper, a probe and a dashboard ask. Whether it is ready says how busy the machine is.
_ASKED = ("/healthz", "/metrics", "/v1/status")
_MORE = """
[rails]
hourly_floor = 100000
hourly_ceiling = 100000
max_deleted_share = 1.0
[retention]
verdicts = "1m"
events = "1m"
deletions = "1m"
[alerts]
fast_window = "30s"
fast_confirm = "10s"
slow_window = "1m"
slow_confirm = "20s"
baseline = "5m"
baseline_lag = "1m"
baseline_minimum = "2m"
settle_within = "30s"
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What the applications together do."""

    requests_per_minute: float
    seed: int


@dataclass(slots=True)
class Soak:
    """What was found.

    `refused` counts answers of the daemon that were no 200, `confirmed` how often coverage had to
    be confirmed, which starts that come late on a busy machine break.
    """

    samples: list[Sample] = field(default_factory=list)
    refused: int = 0
    confirmed: int = 0
    requests: int = 0
    deleted: int = 0
    harm: int = 0


async def soak(folder: Path, load: Load, *, seconds: float, pace: float, root: Path) -> Soak:
    """Have a daemon work for so long.

    Args:
        folder: where its store is to be.
        load: what the applications do.
        seconds: how long.
        pace: seconds between two samples.
        root: the folder that holds `tests`.

    Raises:
        AssertionError: the daemon did not start, or did not end well.
    """
    knobs = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 10.0))
    with HarbourServer(Harbour(knobs, seed=load.seed)) as harbour:
        daemon = Daemon(
            folder,
            harbour.base_url,
            token="of-the-applications",
            environ={"PYTHONPATH": str(root)},
            module="tests.proof.hurried",
        )
        # On a busy machine a start is late now and then, which breaks coverage.
        daemon.change(interval="1s", max_event_delay="6s")
        daemon.settings.write_text(daemon.settings.read_text() + _MORE)
        daemon.start()
        found = Soak()
        try:
            await asyncio.to_thread(daemon.wait_until_ready, _READY)
            stop = asyncio.Event()
            working = asyncio.create_task(_work(daemon, harbour.base_url, load, stop, found))
            end = time.monotonic() + seconds
            while time.monotonic() < end and not working.done():
                await asyncio.sleep(pace)
                found.samples.append(await asyncio.to_thread(_sample, daemon))
                found.refused += await asyncio.to_thread(_ask, daemon)
                found.confirmed += await asyncio.to_thread(_confirm, daemon)
            stop.set()
            await working
        finally:
            code = await asyncio.to_thread(daemon.stop, 60.0)
        totals = harbour.admin.truth(containers=False)["totals"]
    assert code == 0, daemon.said()
    found.deleted, found.harm = totals["deleted"], totals["harm"]
    return found


async def _work(
    daemon: Daemon, base_url: str, load: Load, stop: asyncio.Event, found: Soak
) -> None:
    """Applications whose processes are replaced now and then; the old ones end their talks.

    What they broke off would stay in the evidence until a person settles it, by design.
    """
    courier, rng = Courier(daemon), Random(load.seed)
    talks = int(load.requests_per_minute / _REQUESTS_A_TALK * _GENERATION / 60)
    async with asyncio.TaskGroup() as group:
        for generation in count():
            writers = [
                Writer(courier.send, source=f"app/{generation}/{number}")
                for number in range(_APPLICATIONS)
            ]
            workload = Workload(
                base_url,
                [Application(f"app-{place}", writer) for place, writer in enumerate(writers)],
                seed=rng.getrandbits(32),
                requests_per_minute=load.requests_per_minute,
                scale=SCALE,
            )
            group.create_task(_hold(workload, talks, stop, found))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _GENERATION)
            if stop.is_set():
                return


async def _hold(workload: Workload, talks: int, stop: asyncio.Event, found: Soak) -> None:
    await workload.run(stop, talks)
    found.requests += workload.counters["requests"]


def _sample(daemon: Daemon) -> Sample:
    assert daemon.process is not None
    proc = Path(f"/proc/{daemon.process.pid}")
    status = dict(
        line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
    )
    files = [daemon.database.with_name(daemon.database.name + each) for each in ("", "-wal")]
    return Sample(
        at=time.monotonic(),
        resident=int(status["VmRSS"].split()[0]) * 1024,
        descriptors=len(list((proc / "fd").iterdir())),
        threads=int(status["Threads"]),
        database=sum(each.stat().st_size for each in files),
    )


def _ask(daemon: Daemon) -> int:
    """Ask all that is asked of a daemon; returns how many answers were no 200."""
    refused = 0
    for path in _ASKED:
        connection = HTTPConnection("127.0.0.1", daemon.port, timeout=20)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            refused += answer.status != 200
    return refused


def _confirm(daemon: Daemon) -> bool:
    """Give the word on coverage again where it was broken, as a person would."""
    with open_store(daemon.database_url) as store:
        now = time.time()
        if not store.facts("default", now).breaks:
            return False
        store.confirm_coverage("default", now, "a person who looks on")
        return True
