"""Applications that are killed at any moment, and others that return to what they were at."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import SCALE, Daemon
from tests.integration.recorder.deliver import deliver

from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Response
from demurrage.eventlog.files.folder import opened
from demurrage.eventlog.files.locks import lock_fault
from demurrage.eventlog.log import EventLog
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

PROGRAM = Path(__file__).parent / "programs" / "mortal.py"
KILLS = 10
THREADS = 3
DEADLINE = 180.0

# What a process left in its journal arrives when its successor is up, which a busy machine delays;
# a start that is later than this would take coverage back. Containers live long enough for that.
EVENT_DELAY = 30.0
BIRTH_DELAY = 2.0
SKEW = 0.5
LIFE = 200.0
RULES = {
    "max_event_delay": f"{EVENT_DELAY}s",
    "max_birth_delay": f"{BIRTH_DELAY}s",
    "clock_skew": f"{SKEW}s",
    "writer_timeout": "10s",
    "idle_expiry": f"{LIFE}s",
}

Truth = dict[str, Any]


@dataclass
class Stage:
    """A harbour, a daemon, and the lives of an application between them."""

    harbour: HarbourServer
    daemon: Daemon
    url: str
    diary: Path

    def live(self, name: str, will: str) -> "subprocess.Popen[str]":
        """Start the application; returns once it is at work."""
        words = [self.url, str(self.diary), name, "7", will]
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *words],
            env={
                **os.environ,
                "OPENAI_API_KEY": "sk-application",
                "OPENAI_BASE_URL": self.harbour.base_url,
                "DEMURRAGE_RECORDER_DIR": str(self.diary.parent / "events"),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.stdout.close()
        return process

    def return_once(self, name: str) -> None:
        """Have an application return to every talk, use its container, and end well."""
        assert self.live(name, "return").wait(DEADLINE) == 0

    def ledger(self) -> Ledger:
        """The daemon's log, folded."""
        log = EventLog.open(self.daemon.database_url, clock=time.time)
        ledger = Ledger()
        ledger.fold(kept.record for kept in log.recent(1_000_000))
        log.close()
        return ledger

    def provable(self, truth: Truth) -> set[str]:
        """Orphans of which the log leaves no doubt, by a simpler reading than the daemon's."""
        ledger = self.ledger()
        responses = ledger.book("default").responses.values()
        slots = [each for each in responses if each.auto_slots]
        return {
            each["id"]
            for each in truth["containers"]
            if each["orphan"] and not any(_may_make(response, each) for response in slots)
        }


def _may_make(response: Response, container: dict[str, Any]) -> bool:
    """True unless the call ended, began after the birth, or died well before it."""
    if response.ended:
        return False
    started = response.started
    if started is None:
        return True
    if started.time - 2 * SKEW > container["created_at"] + 2:
        return False
    died = started.source.departed_by(EVENT_DELAY)
    return response.background or died + BIRTH_DELAY + 4 * SKEW > container["created_at"]


def until(true: Callable[[], bool], daemon: Daemon) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, daemon.said()
        time.sleep(0.2)


def _killed_and_returned_to(stage: Stage) -> None:
    """Kill the application ten times, each time another takes over; then return in peace.

    What a killed call may have made is blocked for long beside these short lives, so that little
    but what the first and longest of them leaves is provable.
    """
    rng = random.Random(4)
    for kill in range(KILLS):
        process = stage.live(f"life {kill}", "live")
        time.sleep(rng.uniform(0.0, 2.5) if kill else 8.0)
        process.kill()
        process.wait()
    stage.return_once("return 1")


def _swept(stage: Stage) -> bool:
    """True when all that is provable is gone."""
    truth = stage.harbour.admin.truth()
    gone = {each["id"] for each in truth["containers"] if each["gone_by"]}
    return stage.provable(truth) <= gone


@pytest.mark.process
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", ["http", "file"])
def test_ten_kills_harm_nobody(tmp_path: Path, way: str) -> None:
    """What was begun is known, what did not end blocks, what is provable goes, and no more."""
    shared = tmp_path / "shared"
    shared.mkdir()
    with opened(shared) as descriptor:
        if way == "file" and lock_fault(descriptor) is not None:
            pytest.skip("locks on this disk prove no death")
    settings = HarbourSettings(scale=SCALE, idle_expiry=LIFE * SCALE)
    with HarbourServer(Harbour(settings, seed=6)) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url)
        daemon.change(**RULES)
        url = daemon.url
        if way == "file":
            url = f"file://{shared}"
            with daemon.settings.open("a") as file:
                file.write(f'[events]\nfolder = "{shared}"\n')
        (tmp_path / "diary.jsonl").touch()
        stage = Stage(harbour, daemon, url, tmp_path / "diary.jsonl")
        daemon.start()
        try:
            daemon.wait_until_ready(DEADLINE)
            time.sleep(1.0)  # births are whole seconds; coverage counts from the start
            _killed_and_returned_to(stage)
            until(lambda: _swept(stage), daemon)
            stage.return_once("return 2")
            if way == "http":
                deliver(stage.url, stage.diary.parent / "events")
            until(lambda: _all_told(stage, "return 2"), daemon)
        finally:
            code = daemon.stop()
        truth = harbour.admin.truth()
    assert code == 0, daemon.said()
    _no_harm(stage, truth)
    _known(stage, truth)
    assert stage.provable(truth), "nothing was there to sweep"


def _all_told(stage: Stage, life: str) -> bool:
    """True when every call of a life that ended well has its end in the log."""
    responses = stage.ledger().book("default").responses.values()
    return all(each.ended for each in responses if ("life", life) in each.labels)


def _no_harm(stage: Stage, truth: Truth) -> None:
    """Nobody missed a container, and each that was deleted was of a maker known to be done."""
    lines = [json.loads(line) for line in stage.diary.read_text().splitlines()]
    assert [line for line in lines if "refused" in line] == []
    totals = truth["totals"]
    assert totals["harm"] == totals["named_deleted"] == 0
    deleted = [each for each in truth["containers"] if each["gone_by"] == "delete"]
    assert deleted, stage.daemon.said()
    ended = _ids(each for each in stage.ledger().book("default").responses.values() if each.ended)
    assert {each["made_by"] for each in deleted} <= ended


def _known(stage: Stage, truth: Truth) -> None:
    """The log knows of every request that left, of each life, and of few that did not."""
    responses = [each for each in stage.ledger().book("default").responses.values() if each.labels]
    posts = truth["counts"]["POST /v1/responses"]
    assert posts <= len(responses) <= posts + KILLS * THREADS
    starts = Counter(dict(each.labels)["life"] for each in responses)
    makers = {each["made_by"]: each["metadata"]["life"] for each in truth["containers"]}
    assert Counter(makers.values()) <= starts
    calls = {each for response in responses for each in response.response_ids}
    lost = [each for each in responses if not each.response_ids and not each.ended]
    assert len(makers.keys() - calls) <= len(lost)


def _ids(responses: Iterable[Response]) -> set[str]:
    return {each for response in responses for each in response.response_ids}
