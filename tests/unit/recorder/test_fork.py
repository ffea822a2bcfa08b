"""A fork is a new source, and its parent never notices."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.recorder.conftest import eventually, lines_in, run
from tests.unit.recorder.taker import Taker

from demurrage.eventlog.log import EventLog
from demurrage_recorder import process
from demurrage_recorder.locks import Lock

FORKING = """
import os, sys
from pathlib import Path
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1], folder=sys.argv[2])
writer.note("response.started", "default", {"call_id": "before"})
child = os.fork()
if child == 0:
    writer.note("response.started", "default", {"call_id": "child"})
    writer.close()
    os._exit(0)
os.waitpid(child, 0)
writer.note("response.finished", "default", {"call_id": "before", "status": "completed"})
"""


def _logged(database: str) -> list[dict[str, Any]]:
    log = EventLog.open(database, clock=time.time)
    events = [dict(kept.raw) for kept in log.recent(100) if kept.raw is not None]
    log.close()
    return events


@pytest.mark.parametrize("way", ["file", "http", "sqlite"])
def test_parent_and_child_are_two_whole_sources(
    way: str, folder: Path, taker: Taker, tmp_path: Path
) -> None:
    """Each has its own sequence from 1 and its own goodbye; the child inherits no call."""
    database = f"sqlite:///{tmp_path}/log.sqlite"
    url = {"file": f"file://{folder}", "http": taker.url, "sqlite": database}[way]
    done = run(FORKING, url, tmp_path)
    assert done.returncode == 0, done.stderr
    events = taker.taken or lines_in(folder) or _logged(database)
    assert len({event["source"] for event in events}) == 2
    for source in {event["source"] for event in events}:
        own = [event for event in events if event["source"] == source]
        assert [event["sequence"] for event in own] == list(range(1, len(own) + 1))
        assert own[-1]["data"]["final"]
        mine = own[0]["data"]["call_id"] == "child"
        assert own[-1]["data"]["in_flight"] == (["child"] if mine else [])


SILENT_CHILD = """
import os, signal, sys
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1])
writer.note("response.started", "default", {"call_id": "a"})
child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
print(child, flush=True)
signal.pause()
"""


def test_a_child_does_not_prolong_its_parents_life(folder: Path) -> None:
    """The parent's lock falls with the parent, though a child that it forked lives on."""
    words = [sys.executable, "-c", SILENT_CHILD, f"file://{folder}"]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        (path,) = folder.glob("*.lock")
        assert Lock.seize(path) is None
        parent.kill()
        parent.wait()
        lock = None

        def seized() -> bool:
            nonlocal lock
            lock = Lock.seize(path)
            return lock is not None

        eventually(seized)
        assert lock is not None
        lock.let_go()
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


WORKERS = """
import multiprocessing, sys
from demurrage_recorder import writer_for
def work(number):
    writer_for(sys.argv[1]).note("response.started", "default", {"call_id": str(number)})
    return number
if __name__ == "__main__":
    writer_for(sys.argv[1]).note("response.started", "default", {"call_id": "main"})
    processes = [
        multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


def test_workers_of_multiprocessing_say_goodbye(folder: Path) -> None:
    """They run no `atexit`, yet nobody has to find out that they have gone."""
    done = run(WORKERS, f"file://{folder}")
    assert done.returncode == 0, done.stderr
    events = lines_in(folder)
    assert len({event["source"] for event in events}) == 4
    assert sum(event["data"].get("final", False) for event in events) == 4


BUSY_FORKS = """
import os, sys, threading
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1])
done = threading.Event()
def work():
    number = 0
    while not done.is_set():
        writer.note("response.started", "default", {"call_id": str(number)})
        number += 1
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(20):
    child = os.fork()
    if child == 0:
        writer.note("response.started", "default", {"call_id": f"child {number}"})
        writer.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
done.set()
for thread in threads:
    thread.join()
"""


def test_forks_amid_busy_threads_leave_every_source_whole(folder: Path) -> None:
    """No lock is inherited taken, no line is written twice or into another's file."""
    done = run(BUSY_FORKS, f"file://{folder}")
    assert done.returncode == 0, done.stderr
    sources: dict[str, list[int]] = {}
    for path in sorted(folder.glob("*.jsonl"), key=lambda path: (len(path.name), path.name)):
        for line in path.read_bytes().splitlines():
            event = json.loads(line)
            assert event["source"].endswith("/" + path.name.split(".")[0])
            sources.setdefault(event["source"], []).append(event["sequence"])
    assert len(sources) == 21
    assert all(held == list(range(1, len(held) + 1)) for held in sources.values())


UNTOLD = """
import ctypes, os
from demurrage_recorder.process import own, own_id
before = own().before
child = ctypes.PyDLL(None).fork()
if child == 0:
    os._exit(0 if own_id() == os.getpid() == own_id() and own().before != before else 1)
assert os.waitpid(child, 0)[1] == 0
assert own_id() == os.getpid() and own().before == before
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems fork otherwise")
def test_a_fork_that_nobody_tells_the_interpreter_of_is_noticed() -> None:
    """As where a server written in C makes its workers, before there are threads."""
    done = run(UNTOLD)
    assert done.returncode == 0, done.stderr


HEEDLESS = """
import importlib, mmap, os
from demurrage_recorder import process
class Heedless(mmap.mmap):
    def madvise(self, *advice):
        return None
mmap.mmap = Heedless
importlib.reload(process)
before = process.own().before
child = os.fork()
if child == 0:
    anew = process.own_id() == os.getpid() and process.own().before != before
    os._exit(0 if anew else 1)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_fork_is_noticed_where_advice_is_taken_and_not_followed() -> None:
    """As under an emulator: parent and child must not name their calls alike."""
    done = run(HEEDLESS)
    assert done.returncode == 0, done.stderr


def test_without_a_page_that_a_fork_wipes_the_kernel_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other systems have none."""
    monkeypatch.setattr(process, "_mark", None)
    before = process.own()
    assert process.own() is before
    monkeypatch.setattr(before, "pid", -1)
    assert process.own_id() == os.getpid()
    assert process.own().before != before.before
