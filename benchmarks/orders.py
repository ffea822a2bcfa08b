"""Orders under a tight budget: dollars saved, beside the best order of the same calls.

A quarter of an hour of virtual time of the real engine: 200 orphans a minute of mixed tiers, 100
calls a minute for all that it does. The best order knows everything: each delete that the daemon
sent is a place in time that could have been any orphan's that was due by then and had not been
taken, and the assignment of orphans to places that saves most is found exactly (scipy's solver).
The rivals are orders of the very same places: the oldest first, and the newest first.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.measured import Measured, Options, figure
from benchmarks.running import Running, running
from benchmarks.world import VirtualLoop, World

from demurrage.decide import billing
from demurrage.model.container import Container
from demurrage.model.rules import EvidenceRules, RailRules, Rules

CALLS_A_MINUTE = 100
BIRTHS_A_MINUTE = 200
GOAL = 0.97
# The hour's deletes would be held as a flood by the rails; what is measured is the order.
RULES = Rules(
    evidence=EvidenceRules(coverage="complete"),
    rails=RailRules(max_deletes_per_hour=10**9, max_deletes_per_cycle=10**9, max_deleted_share=1.0),
)
MIXES: Mapping[str, Mapping[str, float]] = {
    "mostly small": {"1g": 0.70, "4g": 0.20, "16g": 0.08, "64g": 0.02},
    "even": {"1g": 0.25, "4g": 0.25, "16g": 0.25, "64g": 0.25},
}


def measure(options: Options) -> Iterator[Measured]:
    """Both mixes; the full run takes twice the time."""
    for name, mix in MIXES.items():
        world = World(now=float(int(time.time())) - 7200)
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(world)) as runner:  # noqa: B023 - it is called before the loop goes on
            orphans = runner.run(_hour(world, mix, 30 if options.full else 15))
        yield _judged(name, world, orphans)


async def _hour(world: World, mix: Mapping[str, float], minutes: int) -> list[Container]:
    """Run; returns every orphan that there was."""
    orphans: list[Container] = []
    async with running({"default": world}, RULES, requests_per_minute=CALLS_A_MINUTE) as ours:
        await ours.tell()
        await ours.turn()
        end = world.now + 60 * minutes
        applications = asyncio.create_task(_births(world, ours, mix, orphans))
        while world.now < end:
            begun = world.now
            await ours.turn()
            await asyncio.sleep(max(0.0, begun + RULES.watch.interval - world.now))
        applications.cancel()
    return orphans


async def _births(
    world: World, ours: Running, mix: Mapping[str, float], orphans: list[Container]
) -> None:
    """Requests that make a container each, and leave it unused."""
    rng = random.Random(1)  # noqa: S311 - a workload, no secret
    tiers, weights = list(mix), list(mix.values())
    pause = 60 / BIRTHS_A_MINUTE
    while True:
        for _ in range(10):
            await asyncio.sleep(pause)
            number, (tier,) = len(orphans), rng.choices(tiers, weights)
            world.born(number, used=False, tier=tier)
            born = int(world.now)
            orphans.append(Container(f"cntr_{number:048x}", born, "running", born, tier))
        await ours.tell()


def _judged(name: str, world: World, orphans: Sequence[Container]) -> Measured:
    by_id = {each.id: each for each in orphans}
    slots = [at for at, _ in world.deletes]
    ours = sum(billing.saves(by_id[each], at, RULES.billing) for at, each in world.deletes)
    best = _best(slots, orphans)
    oldest = _greedy(slots, orphans, lambda each: each.created_at)
    newest = _greedy(slots, orphans, lambda each: -each.created_at)
    return Measured(
        f"dollars saved of the best order's, {CALLS_A_MINUTE} calls and {BIRTHS_A_MINUTE} orphans "
        f"a minute, {name} tiers",
        ours / best,
        "of the best",
        GOAL,
        at_least=True,
        rival=f"oldest first {figure(oldest / best)}, newest first {figure(newest / best)}",
        detail={
            "orphans": len(orphans),
            "deletes": len(slots),
            "lists": world.calls["GET"],
            "usd_saved": ours,
            "usd_best": best,
        },
    )


def _due(orphan: Container) -> float:
    """From when it could have been deleted: proof takes less than the free grace."""
    return billing.due_at(orphan.created_at, orphan, RULES)


def _best(slots: Sequence[float], orphans: Sequence[Container]) -> float:
    """The most that these deletes could have saved."""
    import numpy as np  # noqa: PLC0415 - in the dependency group `bench`
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - likewise

    saved = np.zeros((len(slots), len(orphans)), dtype=np.float32)
    for row, at in enumerate(slots):
        for column, orphan in enumerate(orphans):
            if _due(orphan) <= at:
                saved[row, column] = billing.saves(orphan, at, RULES.billing)
    rows, columns = linear_sum_assignment(saved, maximize=True)
    return float(saved[rows, columns].sum())


def _greedy(
    slots: Sequence[float], orphans: Sequence[Container], order: Callable[[Container], float]
) -> float:
    """What the same deletes save where each takes the first of those that are due and alive."""
    saved = 0.0
    left = list(orphans)
    for at in slots:
        fit = [each for each in left if _due(each) <= at < billing.expires_at(each, RULES.billing)]
        if fit:
            chosen = min(fit, key=order)
            left.remove(chosen)
            saved += billing.saves(chosen, at, RULES.billing)
    return saved
