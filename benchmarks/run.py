"""All benchmarks, one after the other, and a table of what they measured.

`run.py [NAME ...] [--full] [--json FILE] [--plots FOLDER]`; a name is that of a module here with
a `measure`. Exit code 1 if one of them broke; a limit that is missed says so in the table and is
no error, for a busy machine can miss it too.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # safe-path mode leaves it out

from benchmarks.measured import Measured, Options  # noqa: E402 - found by the line above

from demurrage.observe.logs import set_up_logs  # noqa: E402 - likewise

Benchmark = Callable[[Options], Iterable[Measured]]


def benchmarks(names: Sequence[str]) -> dict[str, Benchmark]:
    """The benchmarks of these names, all of the folder without any.

    Raises:
        SystemExit: there is none of a name; says which there are.
    """
    modules = sorted(path.stem for path in HERE.glob("*.py") if path.stem != "run")
    found = {
        name: module.measure
        for name in modules
        if hasattr(module := importlib.import_module(f"benchmarks.{name}"), "measure")
    }
    if unknown := [name for name in names if name not in found]:
        raise SystemExit(f"no benchmark is named {unknown[0]}; there are: {', '.join(found)}")
    return {name: found[name] for name in names} if names else found


def run(chosen: dict[str, Benchmark], options: Options) -> tuple[list[Measured], list[str]]:
    """Run them; returns what they measured, and the names of those that broke."""
    rows: list[Measured] = []
    broken = []
    for name, benchmark in chosen.items():
        print(f"--- {name}", flush=True)
        begun = time.monotonic()
        try:
            for row in benchmark(options):
                rows.append(row)
                print(told(row), flush=True)
        except Exception:  # noqa: BLE001 - the others are still worth running
            traceback.print_exc()
            broken.append(name)
        print(f"    ({time.monotonic() - begun:.0f} s)", flush=True)
    return rows, broken


def told(row: Measured) -> str:
    """One row in one line."""
    limit = f", limit {row.bound}" if row.bound else ""
    verdict = {True: ", met", False: ", MISSED", None: ""}[row.met]
    rival = f"; {row.rival}" if row.rival else ""
    return f"{row.what}: {row.told}{limit}{verdict}{rival}"


def show(rows: Sequence[Measured]) -> None:
    """Print the table of all that has a limit or a rival."""
    table = Table("what", "measured", "limit", "rival", "met")
    for row in rows:
        met = {True: "yes", False: "NO", None: ""}[row.met]
        table.add_row(row.what, row.told, row.bound, row.rival, met)
    console = Console()
    console.width = max(console.width, 160)
    console.print(table)


def machine() -> dict[str, object]:
    """What the figures depend on besides the code."""
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
    }


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--full", action="store_true", help="deeper, and slower")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the curves there")
    asked = parser.parse_args()
    set_up_logs("error")
    before = machine()
    rows, broken = run(benchmarks(asked.names), Options(asked.full, asked.plots))
    show(rows)
    after = machine()
    print(f"Python {before['python']}, {before['cores']} cores, load {before['load']} before and "
          f"{after['load']} after (1, 5, 15 minutes)")  # fmt: skip
    if asked.json is not None:
        figures = [{**asdict(row), "met": row.met} for row in rows]
        told_of = {"before": before, "after": after, "broken": broken, "measured": figures}
        asked.json.write_text(json.dumps(told_of, indent=1) + "\n", encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
