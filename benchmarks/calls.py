"""API calls besides deletes, per hour, against listing everything each cycle.

One virtual hour of the real engine, pager and SDK client over an API in memory: 60 births a
minute, 10,000 rows that expired earlier and stay listed, one request in five uses its tool.
The rival lists the whole list, a hundred rows a page, in every cycle; its pages are counted on
the same list at the same moments.
"""

import asyncio
import random
import time
from collections.abc import Iterator

from benchmarks.measured import Measured, Options
from benchmarks.running import Running, running
from benchmarks.world import PAGE, Loop, World

from demurrage.model.rules import EvidenceRules, Rules

BIRTHS_A_MINUTE = 60
LISTED = 10_000
TOOL_USE = 0.2
HOUR = 3600
GOAL = 0.1
RULES = Rules(evidence=EvidenceRules(coverage="complete"))


def measure(_: Options) -> Iterator[Measured]:
    """Run the hour."""
    world = World(now=float(int(time.time())) - HOUR)
    with asyncio.Runner(loop_factory=lambda: Loop(world)) as runner:
        rival = runner.run(_watched(world))
    ours = world.calls["GET"]
    yield Measured(
        f"calls besides deletes in an hour, {BIRTHS_A_MINUTE} births a minute, "
        f"{LISTED:,} rows, against listing all",
        ours / rival,
        "of the rival",
        GOAL,
        rival=f"listing everything each cycle: {rival:,} calls, ours {ours:,}",
        detail={"calls": ours, "rival": rival, "deletes": world.calls["DELETE"]},
    )


async def _watched(world: World) -> int:
    for number in range(LISTED):
        world.container(number, int(world.now) - 7200 - LISTED + number, expired=True)
    async with running({"default": world}, RULES) as ours:
        await ours.turn()
        world.calls["GET"] = 0  # the first listing goes to the list's end, once in a store's life
        return await _hour(world, ours)


async def _hour(world: World, ours: Running) -> int:
    """One virtual hour; returns the pages that the rival would have read."""
    rng = random.Random(1)  # noqa: S311 - a workload, no secret
    rival = 0
    number = LISTED
    interval = RULES.watch.interval
    for _ in range(int(HOUR / interval)):
        for _ in range(int(BIRTHS_A_MINUTE * interval / 60)):
            world.now += 60 / BIRTHS_A_MINUTE
            number += 1
            world.born(number, used=rng.random() < TOOL_USE)
        await ours.tell()
        await ours.turn()
        rival += -(-len(world.rows) // PAGE)
    return rival
