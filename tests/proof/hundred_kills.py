"""A hundred `kill -9` in one run: nothing lost, nothing counted twice, nothing unrecorded.

`python -m tests.proof.hundred_kills --kills 100 --seed 1`: the real daemon against a simulated
harbour over HTTP, with applications at work all the while. Exits with 1 if anything is wrong.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.kills import Outcome, kill_and_look


def main() -> int:
    """Run it and print what was found; returns the exit code."""
    parser = argparse.ArgumentParser(prog="hundred_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    chosen = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        outcome = asyncio.run(
            kill_and_look(
                Path(folder), kills=chosen.kills, seed=chosen.seed, enough=3 * chosen.kills
            )
        )
    seconds = time.monotonic() - began
    enough = outcome.audit.figures["containers deleted"] >= chosen.kills
    _print(outcome, seconds, enough=enough)
    if chosen.json:
        chosen.json.write_text(json.dumps(_figures(outcome, seconds), indent=1) + "\n")
    return 0 if enough and not outcome.audit.faults else 1


def _figures(outcome: Outcome, seconds: float) -> dict[str, object]:
    return {
        "seconds": round(seconds, 1),
        "kills": dict(outcome.kills),
        "open intents left, never sent": outcome.open_unsent,
        "open intents left, sent": outcome.open_sent,
        "coverage confirmed": outcome.confirmed,
        **outcome.audit.figures,
        "faults": list(outcome.audit.faults),
    }


def _print(outcome: Outcome, seconds: float, *, enough: bool) -> None:
    print(f"{sum(outcome.kills.values())} kills in {seconds:.0f} s")
    for aim, count in sorted(outcome.kills.items()):
        print(f"  {count:4}  {aim}")
    print(f"  {outcome.open_unsent:4}  intents left open, whose DELETE had not been sent")
    print(f"  {outcome.open_sent:4}  intents left open, whose DELETE had been sent")
    print(f"  {outcome.confirmed:4}  times coverage was confirmed after starts that came late")
    for name, figure in outcome.audit.figures.items():
        print(f"{figure:6}  {name}")
    for fault in outcome.audit.faults:
        print(f"WRONG: {fault}")
    if not enough:
        print("WRONG: too few deletes to show anything")
    if enough and not outcome.audit.faults:
        print("No event lost, nothing counted twice, every delete written down before, no harm.")


if __name__ == "__main__":
    sys.exit(main())
