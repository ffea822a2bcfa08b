"""The daemon at rest, beside its limits: resident memory, share of a core, calls a cycle.

A real daemon with the shipped settings watches a harbour with two hundred living containers
for two minutes. Memory is the resident set at the end; the core's share is CPU time over the
last minute.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer

MEMORY_LIMIT_MB = 120
CORE_LIMIT = 0.01
SETTLE_S = 60
WATCH_S = 60
_KEY = "sk-bench"


def resident_mb(pid: int) -> float:
    """The resident set of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start, wait, measure, stop."""
    with HarbourServer(Harbour()) as harbour, tempfile.TemporaryDirectory() as folder:
        harbour.admin.seed(expired=1000, live=200, used_share=0.5)
        settings = Path(folder) / "demurrage.toml"
        settings.write_text(
            f'database_url = "sqlite:///{folder}/bench.db"\n'
            f'[targets.default]\nbase_url = "{harbour.base_url}"\n'
            '[http]\nbind = "127.0.0.1:0"\n'
        )
        daemon = subprocess.Popen(
            [sys.executable, "-m", "demurrage", "run", "--config", str(settings)],
            env={**os.environ, "OPENAI_API_KEY": _KEY},
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(SETTLE_S)
            harbour.admin.forget_calls()
            before = cpu_seconds(daemon.pid)
            time.sleep(WATCH_S)
            core = (cpu_seconds(daemon.pid) - before) / WATCH_S
            memory = resident_mb(daemon.pid)
            calls = sum(harbour.admin.truth(containers=False)["counts"].values())
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
    ratio = memory / MEMORY_LIMIT_MB
    print(f"memory at rest: {memory:.0f} MB of {MEMORY_LIMIT_MB} MB: ratio {ratio:.2f}")
    print(f"core at rest: {core:.4f} of {CORE_LIMIT}: ratio {core / CORE_LIMIT:.2f}")
    print(f"calls: {calls} in {WATCH_S} s, {calls / (WATCH_S / 10):.1f} a cycle")


if __name__ == "__main__":
    main()
