"""Runs many worlds of seeds, or by --shape one again that has failed."""

import argparse
import json
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TextIO

from tests.simulation.shape import command, draw, lasting, parse, seeds_of
from tests.simulation.shrink import shrink, story_of
from tests.simulation.summary import Summary
from tests.simulation.world import Result, run


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and say by the exit code whether every invariant held."""
    options = _options().parse_args(arguments)
    if options.shape is not None:
        result = run(parse(options.shape))
        return _explain(result, shrinking=options.shrink)
    shapes = [
        lasting(each) if options.lasting else draw(each, options.containers)
        for each in options.seeds
    ]
    began = time.perf_counter()
    summary = Summary(len(shapes))
    failed: list[Result] = []
    # A process for each world: what one leaves in memory does not slow the next, and what is
    # alike in all is prepared before they split off.
    processes = get_context("forkserver")
    processes.set_forkserver_preload(["tests.simulation.warm"])
    with processes.Pool(options.workers, maxtasksperchild=1) as pool:
        for result in pool.imap(run, shapes):
            summary.add(result)
            if result.failed:
                failed.append(result)
                _tell("\n" + command(result.shape) + "\n", sys.stderr)
            if sys.stderr.isatty():
                _tell(summary.progress(time.perf_counter() - began), sys.stderr)
    figures = summary.figures(time.perf_counter() - began, options.workers)
    if options.out:
        Path(options.out).write_text(json.dumps(figures, indent=1) + "\n")
    _tell((json.dumps(figures, indent=1) if options.json else summary.table(figures)) + "\n")
    for result in failed[:1]:
        _explain(result, shrinking=options.shrink)
    return 1 if failed else 0


def _explain(result: Result, *, shrinking: bool) -> int:
    """Print what became of one world; of a failing one the smallest like it."""
    if result.failed and shrinking:
        result = shrink(result)
    for line in story_of(result):
        _tell(line + "\n")
    if result.failed:
        _tell("repeat: " + command(result.shape) + "\n")
    else:
        _tell(Summary.of(result) + "\n")
    return 1 if result.failed else 0


def _tell(text: str, to: TextIO = sys.stdout) -> None:
    to.write(text)
    to.flush()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument(
        "--seeds", type=seeds_of, default="1..10", help="one seed, or a range such as 1..100"
    )
    parser.add_argument("--containers", type=int, default=1000, help="born in each world, about")
    parser.add_argument(
        "--lasting",
        action="store_true",
        help="hours in which conversations outlive what is kept of them, and are taken over",
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--shape", help="one world by its parameters, as a failure prints them")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--json", action="store_true", help="figures for programs")
    parser.add_argument("--out", help="write the figures to this file, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
