"""The files of a source: gapless, bounded, and honest about what they do not hold."""

import fcntl
import json
import os
import shutil
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.recorder.conftest import Open, eventually, lines_in, run

from demurrage_recorder import writer_for
from demurrage_recorder.journal import FILE_BYTES
from demurrage_recorder.locks import Lock
from demurrage_recorder.writer import Writer


def _start(writer: Writer, call_id: str) -> None:
    writer.note("response.started", "default", {"call_id": call_id})


def _start_many(writer: Writer, count: int, prefix: str = "") -> None:
    for number in range(count):
        _start(writer, f"{prefix}{number}")


def test_threads_share_one_gapless_sequence(writer: Open, folder: Path) -> None:
    """Eight threads, one order: no number is missing and none is used twice."""
    opened = writer(heartbeat=0.01)
    threads = [
        threading.Thread(target=lambda n=n: _start_many(opened, 500, f"{n}/")) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened.close()
    events = lines_in(folder)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    calls = {event["data"].get("call_id") for event in events} - {None}
    assert len(calls) == 4000
    assert events[-1]["data"]["final"]


def test_a_promise_counts_only_what_came_before_it(writer: Open, folder: Path) -> None:
    """No event before a heartbeat's moment stands behind it, whatever the threads do."""
    opened = writer(heartbeat=0.005)
    threads = [threading.Thread(target=lambda: _start_many(opened, 1000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened.close()
    promised = 0.0
    for event in lines_in(folder):
        if event["type"] == "demurrage.writer.heartbeat":
            promised = event["data"]["complete_through"]
            assert event["data"]["last_sequence"] == event["sequence"] - 1
        else:
            assert promised <= _moment(event["time"]) + 1e-6


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_files_follow_each_other(writer: Open, folder: Path) -> None:
    """A file that has grown past its bound is followed by the next, and no line is cut."""
    opened = writer()
    for number in range(3):
        for part in range(11):
            opened.note("response.started", "default", {"call_id": f"{number}{part}" * 50_000})
    sizes = {path.name.split(".")[1]: path.stat().st_size for path in folder.glob("*.jsonl")}
    assert len(sizes) >= 3
    assert all(FILE_BYTES < size < 2 * FILE_BYTES for n, size in sizes.items() if n != max(sizes))
    assert [event["sequence"] for event in lines_in(folder)] == list(range(1, 34))


def test_an_event_after_the_goodbye_begins_a_new_source(writer: Open, folder: Path) -> None:
    """The goodbye stays the last line of its source."""
    opened = writer()
    _start(opened, "a")
    opened.close()
    _start(opened, "b")
    opened.close()
    by_source: dict[str, list[bool]] = {}
    for event in lines_in(folder):
        by_source.setdefault(event["source"], []).append(event["data"].get("final", False))
    assert list(by_source.values()) == [[False, True], [False, True]]


def test_who_noted_nothing_is_no_source(writer: Open, folder: Path) -> None:
    """Nothing is written, and nobody waits for a goodbye."""
    writer(heartbeat=0.01).close()
    assert not list(folder.iterdir())


def test_a_full_spool_drops_and_admits_it_for_good(
    writer: Open, folder: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Past the bound events are dropped; heartbeats still fit, and say how many."""
    opened = writer(spool=20_000)
    _start_many(opened, 200, "x" * 60)
    assert "spool" in str(recwarn.pop(RuntimeWarning).message)
    opened.close()
    events = lines_in(folder)
    starts = [event for event in events if "call_id" in event["data"]]
    beats = [event["data"] for event in events if "dropped" in event["data"]]
    assert 0 < len(starts) < 200
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    # The first is admitted at once: a killed process could not do so later.
    assert beats[0]["dropped"] == 1
    assert beats[-1]["dropped"] == 200 - len(starts)
    assert len(beats[-1]["in_flight"]) == len(starts)


def test_room_that_the_reader_makes_is_used(
    writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that whoever reads the folder has removed no longer count."""
    monkeypatch.setattr("demurrage_recorder.journal.FILE_BYTES", 1000)
    opened = writer(spool=20_000)
    for number in range(300):
        _start(opened, str(number))
        for path in folder.glob("*.jsonl"):
            if path.stat().st_size > 1000:
                path.unlink()
    opened.close()
    assert lines_in(folder)[-1]["data"]["dropped"] == 0


def test_a_folder_that_takes_nothing_costs_a_warning(
    writer: Open, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """The application goes on; the events wait in memory, and are written once they can be."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    opened = writer(folder=nowhere, heartbeat=0.05)
    _start_many(opened, 10)
    assert "takes no events" in str(recwarn.pop(RuntimeWarning).message)
    nowhere.unlink()
    nowhere.mkdir()
    eventually(lambda: len(lines_in(nowhere)) >= 10)
    opened.close()
    events = lines_in(nowhere)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert list(nowhere.glob("*.lock"))


LAST_WORD = """
import sys
from pathlib import Path
from demurrage_recorder.writer import Writer
class Last:
    def __del__(self, writer=Writer(Path(sys.argv[1]), None, label="file:")):
        writer.note("response.finished", "default", {"call_id": "a", "status": "lost"})
last = Last()
"""


def test_a_word_at_the_very_end_does_not_hold_the_application(folder: Path) -> None:
    """As that of a stream which nobody has closed, when the interpreter clears its modules."""
    assert run(LAST_WORD, folder).returncode == 0


class BrokenOffError(BaseException):
    """What a signal's handler raises into whatever is going on."""


@pytest.mark.parametrize("step", ["os.open", "fcntl.flock"])
def test_a_file_whose_opening_is_broken_off_is_not_in_the_way(
    step: str,
    writer: Open,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    """An application that lives on, as after a time limit, is logged on as well."""
    opened = writer(heartbeat=0.05)
    real = os.open if step == "os.open" else fcntl.flock
    wanted = threading.get_ident()

    def once(what: Any, *about: int) -> int | None:
        done = real(what, *about)
        if threading.get_ident() == wanted and (step != "os.open" or str(what).endswith(".jsonl")):
            monkeypatch.setattr(step, real)
            raise BrokenOffError
        return done

    monkeypatch.setattr(step, once)
    with pytest.raises(BrokenOffError):
        _start(opened, "broken off")
    _start_many(opened, 3)
    eventually(lambda: len(lines_in(folder)) >= 3)
    opened.close()
    events = lines_in(folder)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["data"]["final"]
    assert list(folder.glob("*.lock"))
    assert len(recwarn) == (step == "os.open"), "it waited in memory for a moment"


def test_a_journal_that_was_swept_away_is_begun_again(writer: Open, folder: Path) -> None:
    """What comes after it is written where a reader finds it; the gap tells of the rest."""
    opened = writer(heartbeat=0.02)
    _start(opened, "lost")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    eventually(lambda: lines_in(folder))
    _start(opened, "found")
    opened.close()
    events = lines_in(folder)
    assert events[0]["sequence"] > 1
    assert "found" in {event["data"].get("call_id") for event in events}
    assert list(folder.glob("*.lock"))


FULL_DISK = """
import resource, sys, time
from pathlib import Path
from demurrage_recorder.writer import Writer
folder = Path(sys.argv[1])
writer = Writer(folder, None, label="file:", heartbeat=0.05)
writer.note("response.started", "default", {"call_id": "first"})
locked = bool(list(folder.glob("*.lock")))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
for number in range(500):
    writer.note("response.started", "default", {"call_id": str(number)})
print(locked, bool(list(folder.glob("*.lock"))), flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
until = time.monotonic() + 60
while not list(folder.glob("*.lock")) and time.monotonic() < until:
    time.sleep(0.01)
writer.close()
"""


def test_a_full_disk_loses_no_line_and_proves_no_death(folder: Path) -> None:
    """While lines wait in memory there is no lock; once all are written it is there again."""
    done = run(FULL_DISK, folder)
    assert done.stdout.split() == ["True", "False"], done.stderr
    events = []
    for path in sorted(folder.glob("*.jsonl"), key=lambda path: (len(path.name), path.name)):
        whole, _, torn = path.read_bytes().rpartition(b"\n")
        assert not torn
        events += [json.loads(line) for line in whole.splitlines()]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert len(events) > 501
    assert events[-1]["data"]["final"]
    assert list(folder.glob("*.lock"))


def test_a_living_source_cannot_be_taken_for_dead(writer: Open, folder: Path) -> None:
    """Its lock is held as long as it lives, and free once it has gone."""
    opened = writer()
    _start(opened, "a")
    (path,) = folder.glob("*.lock")
    assert Lock.seize(path) is None
    opened.close()
    lock = Lock.seize(path)
    assert lock is not None
    lock.let_go()


def test_one_writer_for_one_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same is handed out whenever the same is asked for, by name or by the environment."""
    url = f"file://{tmp_path}/shared"
    monkeypatch.setenv("DEMURRAGE_RECORDER_URL", url)
    assert writer_for() is writer_for(url)
    assert writer_for() is not writer_for(f"{url}/other")


@pytest.mark.parametrize(
    "url", ["", "ftp://host", "http://", "http+unix://host/x", "file://host/x", "host:9470"]
)
def test_a_url_that_leads_nowhere_is_an_error(url: str, tmp_path: Path) -> None:
    """It says what to write instead."""
    with pytest.raises(ValueError, match="write"):
        writer_for(url or "nothing", folder=str(tmp_path))
