"""Measures the harm of faults that the daemon's proof does not allow for.

`python -m tests.simulation.beyond --seeds 1..10`: each fault of the kind in worlds of its own, with
nobody there to answer. Says how often harm was done, when the daemon first told of anything, and
when it withdrew: coverage taken for broken, windows widened, or a rail tripped.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.simulation.faults import FAULTS
from tests.simulation.shape import Shape, seeds_of
from tests.simulation.world import Result, run

_HARM = ("no_harm", "reference_kept")
_TELLS = ("coverage_broken", "late_births", "foreign_containers", "unlogged_makers")
_WITHDRAWS = ("coverage_broken", "late_births")


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one world came to. Moments are seconds after the first breach, None for never."""

    containers: int
    deletes: int
    harmed: int
    after: int
    noticed: float | None
    withdrew: float | None


def reaction(result: Result) -> Reaction | None:
    """What the daemon made of a breach; None where there was none."""
    if result.breach is None:
        return None
    told = [
        (each.at, each.detail.partition(":")[0])
        for each in result.trace
        if each.what == "condition" and each.at >= result.breach
    ]
    held = [each.at for each in result.trace if each.what == "held" and each.at >= result.breach]
    noticed = min([*held, *(at for at, kind in told if kind in _TELLS)], default=None)
    withdrew = min([*held, *(at for at, kind in told if kind in _WITHDRAWS)], default=None)
    # A cycle's deletes go out before what it noticed is told.
    grace = 2 * result.shape.interval
    harmed = {each.container: each.at for each in result.broken if each.name in _HARM}
    return Reaction(
        containers=result.containers,
        deletes=result.counts["deletes"],
        harmed=len(harmed),
        after=sum(withdrew is not None and at > withdrew + grace for at in harmed.values()),
        noticed=None if noticed is None else noticed - result.breach,
        withdrew=None if withdrew is None else withdrew - result.breach,
    )


def measure(fault: str, seeds: Iterable[int], containers: int) -> dict[str, object]:
    """The figures of one fault over some worlds."""
    found = []
    for seed in seeds:
        shape = Shape(
            seed=seed,
            containers=containers,
            long_share=0.3,
            faults=frozenset({fault}),
            proof="deduced" if seed % 2 else "strict",
        )
        each = reaction(run(shape, telling=True))
        if each is not None:
            found.append(each)
    noticed = [each.noticed for each in found if each.noticed is not None]
    withdrew = [each.withdrew for each in found if each.withdrew is not None]
    return {
        "fault": fault,
        "what": FAULTS[fault].what,
        "worlds": len(found),
        "containers": sum(each.containers for each in found),
        "deletes": sum(each.deletes for each in found),
        "harmful deletes": sum(each.harmed for each in found),
        "harmful deletes after it withdrew": sum(each.after for each in found),
        "worlds in which it noticed": len(noticed),
        "seconds until it noticed, median": _middle(noticed),
        "worlds in which it withdrew": len(withdrew),
        "seconds until it withdrew, median": _middle(withdrew),
        "seconds until it withdrew, longest": round(max(withdrew), 1) if withdrew else None,
    }


def _middle(values: list[float]) -> float | None:
    return round(median(values), 1) if values else None


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; there is no wrong result."""
    parser = argparse.ArgumentParser(prog="beyond", description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default="1..10", help="a range such as 1..100")
    parser.add_argument("--containers", type=int, default=150)
    parser.add_argument("--out", type=Path, help="write the figures to this file, too")
    chosen = parser.parse_args(arguments)
    figures = []
    for name, fault in FAULTS.items():
        if fault.inside:
            continue
        measured = measure(name, chosen.seeds, chosen.containers)
        figures.append(measured)
        sys.stdout.write(f"{name}: {fault.what}\n")
        for key, value in list(measured.items())[2:]:
            sys.stdout.write(f"  {'never' if value is None else value!s:>8}  {key}\n")
        sys.stdout.flush()
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
