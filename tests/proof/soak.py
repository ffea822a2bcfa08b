"""A soak at speed: what the daemon takes of the machine stays what it was.

`python -m tests.proof.soak --minutes 30`: the real daemon against a simulated harbour over HTTP,
with applications at work that are replaced now and then, as deployments do. Half an hour is a
day of the shipped times. Exits with 1 if anything grows, or if anything is wrong.
"""

import argparse
import asyncio
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.flat import Sample, Trend, trends
from tests.proof.soaking import Load, Soak, soak

_ROOT = Path(__file__).parents[2]
_MIB = 2**20


def main() -> int:
    """Run it and print what was found; returns the exit code."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="in less than about 20 it is still filling up"
    )
    parser.add_argument("--pace", type=float, default=10.0, help="seconds between two samples")
    parser.add_argument("--rate", type=float, default=400.0, help="requests a minute")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write every sample to this file, too")
    chosen = parser.parse_args()
    # Applications that are replaced hang up in the midst of their calls.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        found = asyncio.run(
            soak(
                Path(folder),
                Load(chosen.rate, chosen.seed),
                seconds=60.0 * chosen.minutes,
                pace=chosen.pace,
                root=_ROOT,
            )
        )
    figures = trends(found.samples)
    if chosen.json:
        told = {**asdict(found), "trends": [asdict(each) for each in figures]}
        chosen.json.write_text(json.dumps(told, indent=1) + "\n")
    return _tell(found, figures)


def _tell(found: Soak, figures: tuple[Trend, ...]) -> int:
    print("minute  resident MiB  descriptors  threads  database MiB")
    start = found.samples[0].at
    for sample in found.samples[:: max(1, len(found.samples) // 30)]:
        print(_row(sample, start))
    print("\nafter the first quarter      1st half  2nd half    growth   allowed")
    for trend in figures:
        unit = _MIB if trend.name in ("resident", "database") else 1
        numbers = (trend.first, trend.second, trend.growth, trend.allowed)
        said = "flat" if trend.flat else "GROWS"
        print(f"{trend.name:25}", *(f"{each / unit:9.1f}" for each in numbers), f"  {said}")
    print(f"\n{found.requests} requests, {found.deleted} deletes, {found.harm} harmed")
    print(f"coverage was confirmed {found.confirmed} times after starts that came late")
    wrong = [f"{each.name} grows" for each in figures if not each.flat]
    if found.harm:
        wrong.append("somebody missed a container")
    if found.refused:
        wrong.append(f"{found.refused} answers of the daemon were no 200")
    if not found.deleted:
        wrong.append("nothing was deleted, so nothing was shown")
    for text in wrong:
        print(f"WRONG: {text}")
    return 1 if wrong else 0


def _row(each: Sample, start: float) -> str:
    return (
        f"{(each.at - start) / 60:6.1f}  {each.resident / _MIB:12.1f}  {each.descriptors:11}"
        f"  {each.threads:7}  {each.database / _MIB:12.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
