"""Real processes append while files rotate and their reader is killed again and again."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.model.event import Entry, SetAside

HERE = Path(__file__).parent
COUNT = 1200
KILLS = 6
TORN = 6
WRITERS = {
    "one": ("held.jsonl", "hold"),
    "two": ("held.jsonl", "hold"),
    "three": ("cut.jsonl", "guard"),
    "four": ("cut.jsonl", "guard"),
}


def spawn(script: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """A process of this Python."""
    return subprocess.Popen([sys.executable, str(HERE / script), *arguments])


def until(true: Callable[[], bool], seconds: float = 60.0, *, every: float = 0.01) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(every)


def shift(path: Path) -> Path:
    """Where a file rotates to, once those before it have moved on."""
    rotated = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: -int(each.suffix[1:]))
    for each in rotated:
        each.rename(path.with_name(f"{path.name}.{int(each.suffix[1:]) + 1}"))
    return path.with_name(f"{path.name}.1")


def rotate(folder: Path) -> None:
    """Rename the one file, copy and cut off the other."""
    held, cut = folder / "held.jsonl", folder / "cut.jsonl"
    held.rename(shift(held))
    with (folder / "guard").open("rb+") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        shutil.copy2(cut, shift(cut))
        os.truncate(cut, 0)


@pytest.mark.process
def test_every_line_of_four_processes_comes_once(tmp_path: Path) -> None:
    """Whatever rotates, and however often the reader is killed; no line that is bad is lost."""
    folder, url = tmp_path / "shared", f"sqlite:///{tmp_path}/log.db"
    folder.mkdir()
    log = EventLog.open(url, clock=time.time)
    writers = [
        spawn("appender.py", str(folder), name, file, str(COUNT), how)
        for name, (file, how) in WRITERS.items()
    ]
    reader = spawn("follower.py", str(folder), url)
    try:
        for _ in range(KILLS):
            before = log.head().position
            until(lambda before=before: log.head().position > before or over(writers))  # type: ignore[misc]
            if all((folder / each).exists() for each in ("held.jsonl", "cut.jsonl", "guard")):
                rotate(folder)
            reader.kill()
            reader.wait()
            reader = spawn("follower.py", str(folder), url)
        until(lambda: over(writers))
        # Before the files with bad lines are renamed, they were read under their first name.
        until(lambda: len(log.verify().set_aside) >= 4 * len(WRITERS), every=0.3)
    finally:
        reader.kill()
        reader.wait()
        for each in writers:
            each.kill()
            each.wait()
    assert all(each.returncode == 0 for each in writers)
    leave_torn_lines(folder)
    feed = FolderFeed(folder, log, targets=("default",), clock=time.time)
    until(lambda: feed.gather().whole)
    verify(log)
    log.close()


def over(processes: "list[subprocess.Popen[bytes]]") -> bool:
    """True once all have ended."""
    return all(each.poll() is not None for each in processes)


def leave_torn_lines(folder: Path) -> None:
    """Rotate the files with bad lines away, as of a while ago."""
    for name in WRITERS:
        old = (folder / f"bad-{name}.jsonl").rename(folder / f"bad-{name}.jsonl.1")
        os.utime(old, (time.time() - 120, time.time() - 120))


def verify(log: EventLog) -> None:
    """Every event once, sequences without a gap, every bad line by file and number."""
    records = log.read(0, 1_000_000).records
    ids = [each.event.id for each in records if isinstance(each, Entry)]
    assert Counter(ids) == Counter(
        f"{name}-{sequence}" for name in WRITERS for sequence in range(1, COUNT + 1)
    )
    report = log.verify()
    assert [(each.source, each.first, each.last, each.gaps) for each in report.sources] == [
        (name, 1, COUNT, []) for name in sorted(WRITERS)
    ]
    noted = {each.reason.partition(":")[0] for each in records if isinstance(each, SetAside)}
    assert noted == {
        f"bad-{name}.jsonl{'.1' * (number == TORN)}, line {number}"
        for name in WRITERS
        for number in (1, 2, 4, 5, TORN)
    }
    assert report.nameless == len(report.set_aside) == len(noted)
