"""The host's clock is set while the daemon works: it is noticed, and work goes on."""

import json
import os
import signal
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.integration.process.daemon import SCALE, Daemon
from tests.integration.process.probes import ask

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

_ROOT = Path(__file__).parents[3]
HOUR = 3600.0


@pytest.mark.process
@pytest.mark.timeout(240)
def test_a_clock_that_is_set_is_noticed_and_stops_no_cycle(tmp_path: Path) -> None:
    """An hour on, then two hours back; cycles neither pile up nor wait for the old time."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        daemon = Daemon(
            tmp_path,
            harbour.base_url,
            environ={"PYTHONPATH": str(_ROOT)},
            module="tests.integration.process.stepped",
        )
        daemon.start()
        try:
            daemon.wait_until_ready(60.0)
            assert daemon.process is not None
            for number, offset in ((signal.SIGUSR1, -HOUR), (signal.SIGUSR2, HOUR)):
                os.kill(daemon.process.pid, number)
                end = time.monotonic() + 60.0
                # It answers while it turns; a cycle that ended a moment ago knows the new clock.
                while not knows(daemon, offset):
                    assert time.monotonic() < end, daemon.said()
                    time.sleep(0.2)
            daemon.wait_until_ready(60.0)
            assert ask(daemon.port, "/healthz")[0] == 200
            assert daemon.stop() == 0
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.kill()


def knows(daemon: Daemon, offset: float) -> bool:
    """True when a cycle has ended a moment ago that measured the provider's clock against ours."""
    with urlopen(f"{daemon.url}/v1/status", timeout=10) as answer:  # noqa: S310 - our own daemon
        (target,) = json.load(answer)["targets"]
    measured, turned_ago = target["clock"]["offset"], target["turned_ago"]
    # The first cycle is complete a moment before it has ended.
    if measured is None or turned_ago is None:
        return False
    return bool(turned_ago < 5.0 and abs(measured - offset) < 5.0)
