"""Recorders in real processes before the daemon's own door."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.recorder.door import Door
from tests.unit.recorder.conftest import PATIENT, eventually, run

from demurrage.decide.ledger import Ledger
from demurrage.decide.watermark import watermark
from demurrage.eventlog.log import EventLog
from demurrage.model.event import Entry, Started
from demurrage.model.rules import EvidenceRules

WORKING = """
import sys, time
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1], token=sys.argv[2] or None, folder=sys.argv[3])
print("at work", flush=True)
for number in range(int(sys.argv[4])):
    call = f"{sys.argv[5]}/{number}"
    slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
    writer.note("response.started", "default", {"call_id": call, "slots": slots})
    writer.observe_date(time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))
    time.sleep(0.001)
    writer.note("response.finished", "default", {"call_id": call, "status": "completed"})
"""


def _process(door: Door, token: str, folder: Path, count: int, name: str) -> subprocess.Popen[str]:
    words = [
        sys.executable,
        "-c",
        PATIENT + WORKING,
        door.url,
        token,
        str(folder),
        str(count),
        name,
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def _ledger(log: EventLog) -> Ledger:
    ledger = Ledger()
    ledger.fold(kept.record for kept in log.recent(1_000_000))
    return ledger


def _calls(log: EventLog) -> set[str]:
    records = (kept.record for kept in log.recent(1_000_000))
    facts = (record.event.fact for record in records if isinstance(record, Entry))
    return {fact.call_id for fact in facts if isinstance(fact, Started)}


@pytest.mark.process
@pytest.mark.parametrize("way", ["port", "socket"])
def test_killed_processes_leave_a_whole_log(way: str, tmp_path: Path) -> None:
    """Of eight processes half are killed; at the end nothing is missing or waited for."""
    folder = tmp_path / "journal"
    folder.mkdir()
    rng = random.Random(7)
    path = tmp_path / "s" if way == "socket" else None
    with Door(tmp_path, path, token="secret") as door:
        for turn in range(4):
            whole = _process(door, "secret", folder, 50, f"whole {turn}")
            killed = _process(door, "secret", folder, 1_000_000, f"killed {turn}")
            time.sleep(rng.uniform(0.0, 0.5))  # only varies where the kill strikes
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            assert whole.wait(60) == 0
        last = run(
            "import sys; from demurrage_recorder.cli import main; sys.exit(main(sys.argv[1:]))",
            *("deliver", "--dir", folder, "--url", door.url),
            env={"DEMURRAGE_RECORDER_TOKEN": "secret"},
        )
        assert last.returncode == 0, last.stderr
        assert not list(folder.iterdir())
        assert door.log.verify().sound
        ledger = _ledger(door.log)
        assert len(ledger.sources) == 8
        assert all(source.said_goodbye for source in ledger.sources.values())
        assert not watermark(ledger, "default", {}, EvidenceRules(), time.time()).holders
        whole_calls = {f"whole {turn}/{number}" for turn in range(4) for number in range(50)}
        assert whole_calls <= _calls(door.log)


@pytest.mark.process
def test_a_daemon_that_comes_back_is_told_everything(tmp_path: Path) -> None:
    """It goes away in the middle, and comes back on the same log and socket."""
    path = tmp_path / "s"
    with Door(tmp_path, path) as door:
        process = _process(door, "", tmp_path, 400, "app")
        eventually(lambda: len(_calls(door.log)) > 10)
    path.unlink()
    with Door(tmp_path, path) as door:
        assert process.wait(100) == 0
        eventually(lambda: len(_calls(door.log)) == 400)
        eventually(lambda: all(s.said_goodbye for s in _ledger(door.log).sources.values()))
        assert door.log.verify().sound


@pytest.mark.process
def test_takers_that_come_together_take_each_journal_once(tmp_path: Path) -> None:
    """Of four at once each dead source is settled by one, and nobody contradicts another."""
    folder = tmp_path / "journal"
    folder.mkdir()
    script = """
import os, sys
from demurrage_recorder import writer_for
writer = writer_for("http://127.0.0.1:1", folder=sys.argv[1])
for number in range(700):
    writer.note("response.started", "default", {"call_id": f"{sys.argv[2]}/{number}"})
os._exit(0)
"""
    for name in range(6):
        assert run(script, folder, name).returncode == 0
    with Door(tmp_path) as door:
        words = [sys.executable, "-m", "demurrage_recorder", "deliver"]
        takers = [
            subprocess.Popen(
                [*words, "--dir", folder, "--url", door.url], stdout=subprocess.PIPE, text=True
            )
            for _ in range(4)
        ]
        told = [taker.communicate(timeout=100)[0] for taker in takers]
        assert [taker.returncode for taker in takers] == [0] * 4
        assert sum(int(words.split()[4]) for words in told) == 6
        assert not list(folder.iterdir())
        assert door.log.verify().sound
        assert len(_calls(door.log)) == 4200
        assert all(source.said_goodbye for source in _ledger(door.log).sources.values())


def test_a_mistyped_target_is_named(tmp_path: Path) -> None:
    """The warning says which targets there are; the right target's events all arrive."""
    with Door(tmp_path) as door:
        script = """
import sys
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1], folder=sys.argv[2])
writer.note("response.started", "default", {"call_id": "right"})
writer.note("response.started", "defualt", {"call_id": "wrong"})
writer.note("response.started", "second", {"call_id": "right too"})
"""
        words = [sys.executable, "-c", PATIENT + script, door.url, str(tmp_path)]
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=100)
        assert _calls(door.log) == {"right", "right too"}
        assert "default, second" in done.stderr
        # What is missing may have been about any target: the watermark stays where it is.
        mark = watermark(_ledger(door.log), "default", {}, EvidenceRules(), time.time())
        assert mark.holder is not None
