"""All benchmarks, one after the other."""

import runpy
from pathlib import Path

HERE = Path(__file__).parent

if __name__ == "__main__":
    for script in ("calls.py", "decision.py", "recorder.py", "at_rest.py", "cost.py"):
        print(f"--- {script}")
        runpy.run_path(str(HERE / script), run_name="__main__")
