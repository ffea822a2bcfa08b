"""One added line, and a daemon as a person runs it finds, proves and deletes the orphans."""

import time
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from tests.integration.process.daemon import SCALE, Daemon

import demurrage_recorder as recorder
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.reproduction import reproduce
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

# Containers that nobody deletes expire after 24 seconds here.
DEADLINE = 60.0
# A busy machine delivers a start late, and that would take coverage back.
PATIENCE = ('max_event_delay = "1s"', 'max_event_delay = "5s"')


def orphans_gone(harbour: HarbourServer) -> dict[str, Any]:
    """The truth, once every orphan is gone; the last known truth at the deadline."""
    begun = time.monotonic()
    while True:
        truth = harbour.admin.truth()
        left = [each for each in truth["containers"] if each["orphan"] and not each["gone_by"]]
        if not left or time.monotonic() - begun > DEADLINE:
            return truth
        time.sleep(0.2)


@pytest.mark.process
def test_the_reproduction_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The six leaked containers are deleted; the three that are used are not."""
    monkeypatch.setenv("DEMURRAGE_RECORDER_DIR", str(tmp_path / "events"))
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 10.0))
    with HarbourServer(Harbour(settings, seed=2)) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url)
        patient = daemon.settings.read_text().replace(*PATIENCE)
        daemon.settings.write_text(patient)
        daemon.start()
        try:
            daemon.wait_until_ready()
            time.sleep(1.0)  # births are whole seconds; coverage counts from the start
            with OpenAI(base_url=harbour.base_url, api_key="sk-application") as client:
                recorder.instrument(client, url=daemon.url)
                reproduce(client, third_turn=True)
                truth = orphans_gone(harbour)
            recorder.writer_for(daemon.url).close()
        finally:
            code = daemon.stop()
    assert code == 0, daemon.said()
    totals = truth["totals"]
    assert (totals["orphans"], totals["deleted"]) == (6, 6), daemon.said()
    assert totals["harm"] == totals["named_deleted"] == 0
    assert {each["gone_by"] for each in truth["containers"] if each["orphan"]} == {"delete"}
