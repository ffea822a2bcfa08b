"""A copy that is made and put back as the page on production says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import SCALE, Daemon

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

PAGE = (Path(__file__).parents[3] / "docs/production.md").read_text()


def shell(daemon: Daemon, script: str) -> str:
    """Run lines of the page, with the daemon's own settings and another folder for backups."""
    ran = subprocess.run(
        ["/bin/sh", "-euc", script.replace("/var/backups", f"{daemon.folder}/backups")],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DEMURRAGE_CONFIG": str(daemon.settings),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def holds(daemon: Daemon) -> list[Any]:
    """What holds the target, by `demurrage status`."""
    (target,) = json.loads(shell(daemon, "demurrage status --json"))["targets"]
    found: list[Any] = target["holds"]
    return found


@contextmanager
def living(daemon: Daemon) -> Iterator[None]:
    """Have it run, from its first complete cycle on, and end it in good order."""
    daemon.start()
    try:
        daemon.wait_until_ready(90.0)
        yield
    finally:
        code = daemon.stop()
    assert code == 0, daemon.said()


@pytest.mark.process
@pytest.mark.timeout(300)
def test_a_store_that_is_put_back_observes_until_somebody_resumes(tmp_path: Path) -> None:
    """Backup under the running daemon, a life after it, the copy put back, one hold, resumed."""
    backup, restore, resume = re.findall(
        r"```sh\n(.*?)```", PAGE.partition("## Backup and restore")[2], re.DOTALL
    )
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=8)) as harbour:
        (tmp_path / "backups").mkdir()
        daemon = Daemon(tmp_path, harbour.base_url)
        with living(daemon):
            shell(daemon, backup)
            assert holds(daemon) == []
        with living(daemon):
            pass  # more life, of which the copy knows nothing
        shell(daemon, restore)
        with living(daemon):
            (hold,) = holds(daemon)
            assert hold["rail"] == "store_restored"
            shell(daemon, resume.replace("HOLD", hold["id"]))
