"""Time to clear 10,000 due orphans at 20 ms latency, rails and budget out of the way.

Ours is whole cycles of the real engine: list, read the log, decide, judge, list what grew stale,
decide anew, write every delete down before its call, delete, and record how it ended. The rival is
the same SDK client over the same API with the same number of deletes under way: it lists all, by
the SDK's own paging, and deletes what it found, without any books. Beside it, the deletes alone
are held against the rival's deletes alone. The classic reaper lists everything, then deletes one
by one; it is given fewer containers, and its time is counted for each of them. Nobody logs.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measured import Measured, Options, figure
from benchmarks.running import CONNECTION, running
from benchmarks.world import Loop, World

from demurrage.engine.sweep import ABREAST
from demurrage.model.rules import EvidenceRules, PolicyRules, RailRules, Rules
from demurrage.provider.client import HTTP, build_client

DUE = 10_000
CLASSIC = 300
LATENCY_S = 0.02
LIMIT = 1.15
# They are born within this many seconds, and fall due this long after their birth.
BORN_WITHIN = 20
DUE_AFTER = 120
# Seconds that pass at once: so few that the daemon does not seem to have stood still.
STRIDE = 5
# Cycles in a row that may clear nothing, as where a busy machine has let the evidence grow old.
MOST_IDLE = 5
RULES = Rules(
    evidence=EvidenceRules(coverage="complete"),
    policy=PolicyRules(idle_after=60.0, sweep_lead=300.0 - DUE_AFTER),
    rails=RailRules(max_deletes_per_hour=10**9, max_deletes_per_cycle=10**9, max_deleted_share=1.0),
)


def measure(options: Options) -> Iterator[Measured]:
    """Take turns; the median of the ratios is what counts."""
    pairs = []
    for _ in range(5 if options.full else 1):
        before = _run(_plain)
        ours = _run(_ours)
        after = _run(_plain)
        pairs.append((*ours, *(statistics.mean(each) for each in zip(before, after, strict=True))))
    ours_all, ours_deletes, all_, deletes = map(statistics.median, zip(*pairs, strict=True))
    classic = _run(_classic) / CLASSIC
    yield Measured(
        f"clearing {DUE:,} due orphans, from listing to the last",
        statistics.median(each[0] / each[2] for each in pairs),
        "times the rival",
        LIMIT,
        rival=f"the same client without books: {figure(all_)} s, ours {figure(ours_all)} s",
        detail={"rounds": pairs},
    )
    yield Measured(
        "of that, from the first delete to the last",
        statistics.median(each[1] / each[3] for each in pairs),
        "times the rival",
        LIMIT,
        rival=f"the same client without books: {figure(deletes)} s, ours {figure(ours_deletes)} s",
    )
    yield Measured(
        "clearing an orphan",
        1000 * ours_all / DUE,
        "ms",
        rival=f"list all, then delete one by one, over {CLASSIC}: {figure(1000 * classic)} ms each",
    )


def _run(job: Any) -> Any:
    gc.collect()
    world = World(now=float(int(time.time())) - 3600)
    with asyncio.Runner(loop_factory=lambda: Loop(world)) as runner:
        return runner.run(job(world))


async def _ours(world: World) -> tuple[float, float]:
    """Seconds that the cycles took, and seconds from the first delete to the last."""
    async with running({"default": world}, RULES) as ours:
        await ours.tell()
        await ours.turn()
        begun = world.now + 10
        for number in range(DUE):
            world.born(number, used=False, at=begun + number * BORN_WITHIN / DUE)
        # The log is watched without a break, and every proof comes in.
        for moment in range(int(begun) + BORN_WITHIN, int(begun) + DUE_AFTER, 24):
            await _pass(world, moment)
            await ours.tell()
            await ours.turn()
        if world.deletes:
            raise RuntimeError("some fell due too early")
        await _pass(world, begun + BORN_WITHIN + DUE_AFTER + 2)
        await ours.tell()
        world.come_alive(LATENCY_S)
        started = time.perf_counter()
        idle = 0
        while world.rows:
            before = len(world.rows)
            await ours.tell()
            await ours.turn()
            idle = idle + 1 if len(world.rows) == before else 0
            if idle > MOST_IDLE:
                raise RuntimeError("the cycles clear nothing")
        took = time.perf_counter() - started
        return took, world.deletes[-1][0] - world.deletes[0][0]


async def _pass(world: World, until: float) -> None:
    """Let time go by, in which the daemon's loop beats."""
    while world.now < until:
        world.now = min(until, world.now + STRIDE)
        for _ in range(3):  # a timer that is over, the task that waited for it, and we again
            await asyncio.sleep(0)


async def _plain(world: World) -> tuple[float, float]:
    """Seconds that the client takes without books: for all, and for the deletes alone."""
    for number in range(DUE):
        world.container(number, int(world.now))
    world.come_alive(LATENCY_S)
    client = build_client(CONNECTION, HTTP.MockTransport(world.answer))
    started = time.perf_counter()
    ids = iter([each.id async for each in client.containers.list(limit=100)])

    async def work() -> None:
        for each in ids:
            await client.containers.delete(each)

    listed = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(ABREAST)))
    ended = time.perf_counter()
    await client.close()
    if world.rows:
        raise RuntimeError("the rival left some")
    return ended - started, ended - listed


async def _classic(world: World) -> float:
    """Seconds that the usual loop takes: list all, then delete what is idle, one by one."""
    for number in range(CLASSIC):
        world.container(number, int(world.now))
    world.come_alive(LATENCY_S)
    client = build_client(CONNECTION, HTTP.MockTransport(world.answer))
    started = time.perf_counter()
    idle = [each.id async for each in client.containers.list(limit=100) if each.status == "running"]
    for each in idle:
        await client.containers.delete(each)
    took = time.perf_counter() - started
    await client.close()
    return took
