"""The daemon at rest, beside its limits: resident memory, share of a core, calls a cycle.

A real daemon with the shipped settings watches a harbour with two hundred living containers
for two minutes. Memory is the resident set at the end; the core's share is CPU time over the
last minute. The rival is what the daemon stands on: an interpreter that has imported the same
libraries and does nothing.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measured import Measured, Options

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer

MEMORY_LIMIT_MB = 120
CORE_LIMIT = 0.01
SETTLE_S = 60
WATCH_S = 60
_KEY = "sk-bench"
_LIBRARIES = (
    "import alembic, apscheduler, fastapi, openai, prometheus_client, pydantic_settings, rich, "
    "sqlalchemy.dialects.sqlite, structlog, typer, uvicorn\n"
    "print(open('/proc/self/status').read(), flush=True)"
)


def resident_mb(status: str) -> float:
    """The resident set in MB, from what the kernel says of a process."""
    line = next(each for each in status.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(_: Options) -> Iterator[Measured]:
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
            memory = resident_mb(Path(f"/proc/{daemon.pid}/status").read_text())
            calls = sum(harbour.admin.truth(containers=False)["counts"].values())
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
    command = [sys.executable, "-c", _LIBRARIES]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    rival = f"its libraries alone, idle: {resident_mb(said):.0f} MB"
    yield Measured("resident memory at rest", memory, "MB", MEMORY_LIMIT_MB, rival=rival)
    yield Measured("share of a core at rest", 100 * core, "%", 100 * CORE_LIMIT)
    yield Measured("calls a cycle at rest", calls / (WATCH_S / 10), "calls")
