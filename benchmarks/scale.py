"""How the daemon's cost grows: by listed rows, by living containers, by events, by targets.

Cycles of the real engine over an API in memory at growing sizes: calls a cycle, seconds a cycle,
and the process's memory. Listing everything in each cycle stands beside it in calls. Everything
is within one process, so its memory only ever grows, and holds the API's own rows as well.
"""

import asyncio
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured import Measured, Options, figure
from benchmarks.running import Running, running
from benchmarks.world import PAGE, VirtualLoop, World

from demurrage.model.rules import EvidenceRules, Rules

RULES = Rules(evidence=EvidenceRules(coverage="complete"))
# Of these cycles one in twelve reads the living anew.
CYCLES = 24
QUICK = {
    "listed rows": (1_000, 10_000),
    "living containers": (200, 2_000),
    "events": (2_000, 20_000),
    "targets": (1, 8),
}
FULL = {
    "listed rows": (1_000, 3_000, 10_000, 30_000, 100_000),
    "living containers": (100, 300, 1_000, 3_000, 10_000),
    "events": (1_000, 3_000, 10_000, 30_000, 100_000),
    "targets": (1, 2, 4, 8, 16),
}


@dataclass(frozen=True, slots=True)
class Point:
    """What one size came to, a cycle of one target on the average."""

    size: int
    calls: float
    rival: float
    seconds: float
    megabytes: float


def measure(options: Options) -> Iterator[Measured]:
    """Each curve, its ends as figures and all of it in the JSON."""
    for name, sizes in (FULL if options.full else QUICK).items():
        points = [_point(name, size) for size in sizes]
        if options.plots is not None:
            _plot(options.plots, name, points)
        first, last = points[0], points[-1]
        detail = {
            "size": [each.size for each in points],
            "calls": [each.calls for each in points],
            "rival": [each.rival for each in points],
            "seconds": [each.seconds for each in points],
            "megabytes": [each.megabytes for each in points],
        }
        yield Measured(
            f"calls a cycle, {figure(first.size)} to {figure(last.size)} {name}: at the most",
            last.calls,
            f"calls, from {figure(first.calls)}",
            rival=f"listing everything: {figure(last.rival)}, from {figure(first.rival)}",
            detail=detail,
        )
        yield Measured(
            f"seconds a cycle, {figure(first.size)} to {figure(last.size)} {name}: at the most",
            last.seconds,
            f"s, from {figure(first.seconds)}",
            rival=f"the process held {figure(last.megabytes)} MB by then",
        )


def _point(name: str, size: int) -> Point:
    world = World(now=float(int(time.time())) - 7200)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(world)) as runner:
        return runner.run(_cycles(name, size, world))


async def _cycles(name: str, size: int, world: World) -> Point:
    worlds = {"default": world}
    if name == "targets":
        worlds |= {f"target-{number}": World(now=world.now) for number in range(1, size)}
    for each in worlds.values():
        _fill(each, name, size)
    async with running(worlds, RULES) as ours:
        await _turn_all(ours)
        for each in worlds.values():
            each.calls["GET"] = 0
        seconds, rival = [], 0
        for _ in range(CYCLES):
            world.now += RULES.watch.interval
            for each in worlds.values():
                each.now = world.now
                rival += -(-len(each.rows) // PAGE)
            seconds.append(await _turn_all(ours))
    calls = sum(each.calls["GET"] for each in worlds.values())
    share = CYCLES * len(worlds)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Point(
        size, calls / share, rival / share, statistics.median(seconds) / len(worlds), megabytes
    )


def _fill(world: World, name: str, size: int) -> None:
    """What the API lists before the first cycle, and what was logged of it."""
    listed = size if name == "listed rows" else 1_000
    living = size if name == "living containers" else 100
    for number in range(listed):
        world.container(number, int(world.now) - 7200 - listed + number, expired=True)
    # In use, so that they live through all the cycles.
    for number in range(living):
        world.container(listed + number, int(world.now) - 600 + 600 * number // living, used=True)
    if name == "events":
        for number in range(size // 2):
            at = world.now - 3000 + 2000 * number / size
            slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
            call = f"call-{number}"
            world.note("response.started", at, call_id=call, slots=slots)
            world.note("response.finished", at + 9, call_id=call, status="completed", containers=[])


async def _turn_all(ours: Running) -> float:
    for name in ours.worlds:
        if name == "default":
            await ours.tell(name)
    begun = time.perf_counter()
    for name in ours.worlds:
        await ours.turn(name)
    return time.perf_counter() - begun


def _plot(folder: Path, name: str, points: list[Point]) -> None:
    """One SVG for a curve: calls beside the rival's, and seconds."""
    import matplotlib as mpl  # noqa: PLC0415 - in the dependency group `bench`

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - likewise

    folder.mkdir(parents=True, exist_ok=True)
    figure_, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    sizes = [each.size for each in points]
    curves: list[tuple[str, Callable[[Point], float]]] = [
        ("demurrage", lambda each: each.calls),
        ("listing everything", lambda each: each.rival),
    ]
    for label, value in curves:
        left.plot(sizes, [value(each) for each in points], marker="o", label=label)
    right.plot(sizes, [each.seconds for each in points], marker="o", label="demurrage")
    for axes, what in ((left, "calls a cycle"), (right, "seconds a cycle")):
        axes.set(xlabel=name, ylabel=what, xscale="log", yscale="log")
        axes.legend()
    figure_.tight_layout()
    figure_.savefig(folder / f"scale-{name.replace(' ', '-')}.svg")
    plt.close(figure_)
