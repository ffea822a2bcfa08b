"""How many small faults in the core would the tests of the core notice?

Every mutant is one small change of `demurrage.decide`; the tests that reach it are run against
it, and one of them should fail. This says how many did, and shows each mutant that survived.

    python -m tests.mutation [--workers N] FOLDER [MODULE ...]

FOLDER is a scratch folder: sources, mutants and results lie there, and the work tree is left as
it is. With modules (`verdict`, `window`), only their mutants are tried again, and the rest of
the results stands. Exits with 1 when the score is below the goal or an argument is out of date.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.mutation.results import Outcome, argued, outcomes, report
from tests.mutation.scratch import prepare

ROOT = Path(__file__).parents[2]
ARGUED = Path(__file__).with_name("argued.toml")
GOAL = 0.95


def main() -> int:
    """Prepare, run, report; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--workers", type=int, default=2, help="mutants tried at a time")
    parser.add_argument("folder", type=Path)
    parser.add_argument("modules", nargs="*")
    asked = parser.parse_args()
    prepare(ROOT, asked.folder)
    patterns = [f"demurrage.decide.{module}.*" for module in asked.modules]
    mutmut = Path(sys.executable).with_name("mutmut")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [mutmut, "run", "--max-children", str(asked.workers), *patterns],
        cwd=asked.folder,
        env={**environment, "PYTEST_TIMEOUT": "0"},  # processor time is what is bounded
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ran.returncode:
        print(ran.stdout[-5000:], file=sys.stderr)
        return 2
    results = outcomes(asked.folder, mutmut, argued(ARGUED), asked.modules)
    return _judge(results, whole=not asked.modules)


def _judge(results: list[Outcome], *, whole: bool) -> int:
    score, stale = report(results, argued(ARGUED), whole=whole)
    if stale or score < GOAL:
        print(f"The goal is {GOAL:.0%} of all mutants, and no argument without its mutant.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
