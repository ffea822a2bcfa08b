"""From the journal to the daemon: at once, in order, and whatever the daemon does."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.unit.recorder.conftest import Open, eventually, lines_in
from tests.unit.recorder.taker import ACCEPTED, Answer, Answering, Taker

from demurrage.eventlog.log import EventLog
from demurrage_recorder.carrier import RefusedError, carrier_for
from demurrage_recorder.over_http import OverHttp
from demurrage_recorder.source import render
from demurrage_recorder.writer import _PATIENCE, Writer

# Far above what a note costs, far below what any answer of these takers takes.
_PROMPT = 5.0


def _start(writer: Writer, call_id: str, target: str = "default") -> None:
    writer.note("response.started", target, {"call_id": call_id})


def _arrived(taker: Taker, number: int) -> bool:
    return taker.calls() == [str(each) for each in range(number + 1)]


def test_a_start_arrives_at_once(writer: Open, taker: Taker) -> None:
    """It does not wait for the next heartbeat."""
    opened = writer(taker.url, heartbeat=3600.0)
    for number in range(3):
        _start(opened, str(number))
        eventually(partial(_arrived, taker, number))


def test_where_no_thread_can_be_started_the_next_event_tries_again(
    writer: Open,
    taker: Taker,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    """A process at its limit has other threads that end; until then a person is told."""
    failed: set[threading.Thread] = set()
    true = threading.Thread.start

    def none(thread: threading.Thread) -> None:
        failed.add(thread)
        raise RuntimeError("can't start new thread")

    def once(thread: threading.Thread) -> None:
        # As from Python 3.13 on.
        if thread in failed:
            raise RuntimeError("thread already started")
        true(thread)

    monkeypatch.setattr(threading.Thread, "start", once)
    monkeypatch.setattr("demurrage_recorder.keeper._TRY_EVERY", 0.0)
    opened = writer(taker.url)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        for number in range(3):
            _start(opened, str(number))
    assert "no thread" in str(recwarn.pop(RuntimeWarning).message)
    _start(opened, "3")
    eventually(partial(_arrived, taker, 3))


def test_threads_that_find_none_running_start_one(
    writer: Open, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at once, when the process is no more at its limit; and the end waits for it."""
    true, asked = threading.Thread.start, 0

    def limited(thread: threading.Thread) -> None:
        nonlocal asked
        if thread.name != "demurrage-recorder":
            true(thread)
            return
        asked += 1
        if asked == 1:
            raise RuntimeError("can't start new thread")
        time.sleep(0.05)  # whoever comes meanwhile finds it not started yet
        true(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    monkeypatch.setattr("demurrage_recorder.keeper._TRY_EVERY", 0.0)
    opened = writer(taker.url)
    with pytest.warns(RuntimeWarning, match="no thread"):
        _start(opened, "0")
    barrier = threading.Barrier(8)

    def begin(number: int) -> None:
        barrier.wait()
        _start(opened, str(number))

    threads = [threading.Thread(target=begin, args=(each,)) for each in range(1, 9)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    opened.close()
    assert asked == 2
    assert sorted(taker.calls()) == [str(each) for each in range(9)]


def test_what_is_delivered_whole_is_removed(writer: Open, taker: Taker, folder: Path) -> None:
    """After the goodbye neither journal nor lock is left."""
    opened = writer(taker.url)
    for number in range(1200):
        _start(opened, str(number))
    opened.close()
    assert not list(folder.iterdir())
    (source,) = taker.sources
    events = taker.of(source)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert len(taker.calls()) == 1200
    assert events[-1]["data"]["final"]


def test_files_that_a_heartbeat_stands_for_go_while_the_process_lives(
    writer: Open, taker: Taker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal of a long life stays small, and keeps what a goodbye needs to say."""
    monkeypatch.setattr("demurrage_recorder.journal.FILE_BYTES", 2000)
    opened = writer(taker.url, heartbeat=0.05)
    for number in range(100):
        _start(opened, str(number))
    eventually(lambda: len(taker.calls()) == 100)
    eventually(lambda: len(list(folder.glob("*.jsonl"))) <= 2)
    kept = lines_in(folder)
    assert any(event["data"].get("in_flight") for event in kept)
    assert len(kept) < 100


def test_over_a_unix_socket_with_a_token(writer: Open, tmp_path: Path) -> None:
    """The same events, the same path, and the token in its header."""
    with Taker(tmp_path / "s") as taker:
        opened = writer(taker.url, token="secret")
        _start(opened, "a")
        opened.close()
        assert taker.calls() == ["a"]
        assert set(taker.tokens) == {"Bearer secret"}


def test_no_token_lies_in_the_folder(writer: Open, taker: Taker, folder: Path) -> None:
    """Neither in the journal nor in the lock's text."""
    taker.answer = lambda _batch: (500, {})
    opened = writer(taker.url.replace("//", "//me:pass@"), token="secret")
    _start(opened, "a")
    opened.close()
    text = b"".join(path.read_bytes() for path in folder.iterdir())
    assert taker.url.encode() in text
    assert b"secret" not in text
    assert b"pass" not in text


def test_a_daemon_that_comes_up_late_hears_all(writer: Open, folder: Path) -> None:
    """Nothing listens at first; the events wait in the journal."""
    with Taker() as early:
        port = early.port
    opened = writer(f"http://127.0.0.1:{port}")
    for number in range(10):
        _start(opened, str(number))
    assert len(lines_in(folder)) == 10
    with Taker(port=port) as late:
        eventually(lambda: len(late.calls()) == 10)
        opened.close()
        assert late.goodbyes()[0]["dropped"] == 0


def test_an_application_gets_its_own_random_numbers(tmp_path: Path) -> None:
    """Trying again is spread by chance, and not by what the application has seeded."""
    program = (
        "import random, time; random.seed(7); before = random.getstate()\n"
        "from demurrage_recorder.writers import writer_for\n"
        f"writer = writer_for('http://127.0.0.1:1', folder={str(tmp_path)!r})\n"
        "writer.note('container.created', 'default', {'container_id': 'cntr_1'})\n"
        "time.sleep(1.5); writer.close(); assert random.getstate() == before"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert ended.returncode == 0


@pytest.mark.parametrize("status", [500, 503, 429, 408, 401, 403, 404, 421, 302])
def test_nothing_is_lost_over_a_daemon_that_takes_nothing(
    status: int, writer: Open, taker: Taker
) -> None:
    """Whatever it answers that is not about an event, the events are offered again."""
    healed = threading.Event()
    taker.answer = lambda _batch: ACCEPTED if healed.is_set() else (status, {"detail": "no"})
    opened = writer(taker.url)
    began = time.monotonic()
    for number in range(20):
        _start(opened, str(number))
    assert time.monotonic() - began < _PROMPT
    eventually(lambda: taker.asked >= 2)
    healed.set()
    eventually(lambda: len(taker.calls()) == 20)
    opened.close()
    assert taker.goodbyes()[0]["dropped"] == 0


def test_a_slow_daemon_delays_nobody(writer: Open, taker: Taker) -> None:
    """Notes return at once while an answer is outstanding."""
    go_on = threading.Event()

    def answer(_batch: object) -> Answer:
        go_on.wait()
        return ACCEPTED

    taker.answer = answer
    opened = writer(taker.url)
    _start(opened, "first")
    eventually(lambda: taker.asked == 1)
    began = time.monotonic()
    for number in range(100):
        _start(opened, str(number))
    assert time.monotonic() - began < _PROMPT
    assert taker.calls() == []
    go_on.set()
    eventually(lambda: len(taker.calls()) == 101)


def test_a_slow_daemon_still_hears_heartbeats(writer: Open, taker: Taker) -> None:
    """However long a backlog takes, the process shows that it lives in the midst of it."""
    healed = threading.Event()

    def answer(batch: list[dict[str, Any]]) -> Answer:
        if not healed.is_set():
            return 500, {}
        time.sleep(0.1)
        assert batch
        return ACCEPTED

    taker.answer = answer
    opened = writer(taker.url, heartbeat=0.05)
    for number in range(2000):
        _start(opened, str(number))
    healed.set()
    eventually(lambda: len(taker.calls()) == 2000)
    opened.close()
    (source,) = taker.sources
    beats = [event["data"] for event in taker.of(source) if "in_flight" in event["data"]]
    assert len([beat for beat in beats if beat["last_sequence"] >= 2000]) >= 3


def test_a_carrier_that_fails_in_its_own_way_is_tried_again(
    writer: Open, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No failure makes the thread spin or give up."""
    failures = 0
    post = OverHttp.carry

    def carry(self: OverHttp, lines: Sequence[bytes]) -> None:
        nonlocal failures
        failures += 1
        if failures < 4:
            raise ArithmeticError
        post(self, lines)

    monkeypatch.setattr(OverHttp, "carry", carry)
    opened = writer(taker.url)
    _start(opened, "a")
    eventually(lambda: taker.calls() == ["a"])
    assert failures < 20


def test_a_daemon_that_never_answers_delays_the_end_by_two_seconds_at_most(
    writer: Open, taker: Taker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it did not take is left for whoever comes next."""
    monkeypatch.setattr("demurrage_recorder.writer._PATIENCE", _PATIENCE)
    go_on = threading.Event()

    def answer(_batch: object) -> Answer:
        go_on.wait()
        return 500, {}

    taker.answer = answer
    opened = writer(taker.url)
    _start(opened, "a")
    began = time.monotonic()
    opened.close()
    assert 1.5 < time.monotonic() - began < 15.0
    go_on.set()
    assert lines_in(folder)[-1]["data"]["final"]


def test_what_is_noted_and_closed_at_once_is_not_taken_for_delivered(
    writer: Open, taker: Taker, folder: Path
) -> None:
    """However the thread is caught at its start, nothing is removed that was not taken."""
    taker.answer = lambda _batch: (500, {})
    for _ in range(30):
        opened = writer(taker.url)
        _start(opened, "a")
        opened.close()
    assert len(lines_in(folder)) == 60


def _refusing(bad: set[str]) -> Answering:
    def answer(batch: list[dict[str, Any]]) -> Answer:
        for place, event in enumerate(batch):
            if event["data"].get("call_id") in bad:
                return 400, {"detail": f"/{place}/data/call_id: must not be bad"}
        return ACCEPTED

    return answer


def test_a_refused_event_takes_no_other_with_it(
    writer: Open, taker: Taker, recwarn: pytest.WarningsRecorder
) -> None:
    """It is found, counted and reported with the daemon's reason; all others arrive."""
    bad = {"3", "77", "78"}
    healed = threading.Event()

    def answer(batch: list[dict[str, Any]]) -> Answer:
        return _refusing(bad)(batch) if healed.is_set() else (500, {})

    taker.answer = answer
    opened = writer(taker.url, heartbeat=0.05)
    for number in range(100):
        _start(opened, str(number))
    healed.set()
    eventually(lambda: any(event["data"].get("dropped") == 3 for event in taker.taken))
    opened.close()
    assert "must not be bad" in str(recwarn.pop(RuntimeWarning).message)
    assert len(taker.calls()) == 97
    assert taker.goodbyes()[0]["dropped"] == 3
    assert not bad & set(taker.calls())


def test_a_target_that_nobody_watches_ends_in_no_loop(
    writer: Open, taker: Taker, recwarn: pytest.WarningsRecorder
) -> None:
    """Each event is refused once; the daemon is then left alone."""
    taker.answer = lambda _batch: (400, {"detail": "/0/data/target: no such target"})
    opened = writer(taker.url, heartbeat=3600.0)
    _start(opened, "a", target="wrong")
    eventually(lambda: taker.asked >= 2)
    opened.close()
    assert "no such target" in str(recwarn.pop(RuntimeWarning).message)
    # The start, the heartbeat that admits its loss, and the goodbye, each alone or halved.
    assert taker.asked <= 8


def test_a_refused_token_is_told_of(
    writer: Open, taker: Taker, folder: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """A person must act; meanwhile nothing is lost."""
    taker.answer = lambda _batch: (401, {"detail": "send the token"})
    opened = writer(taker.url)
    _start(opened, "a")
    eventually(lambda: taker.asked >= 1)
    opened.close()
    assert "send the token" in str(recwarn.pop(RuntimeWarning).message)
    assert [event["sequence"] for event in lines_in(folder)] == [1, 2]


def test_without_a_folder_the_events_go_from_memory(
    writer: Open, taker: Taker, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """A read-only home costs durability, not delivery."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    opened = writer(taker.url, folder=nowhere)
    for number in range(1200):
        _start(opened, str(number))
    assert "takes no events" in str(recwarn.pop(RuntimeWarning).message)
    opened.close()
    assert len(taker.calls()) == 1200
    assert taker.goodbyes()[0]["dropped"] == 0


def test_straight_into_the_log(writer: Open, tmp_path: Path, folder: Path) -> None:
    """A database URL appends to the event log itself."""
    url = f"sqlite:///{tmp_path}/log.sqlite"
    opened = writer(url)
    for number in range(10):
        _start(opened, str(number))
    opened.close()
    log = EventLog.open(url, clock=time.time)
    sequences = [kept.record.event.sequence for kept in log.recent(100)]  # type: ignore[union-attr] # no line was set aside
    log.close()
    assert sequences == list(range(1, 12))
    assert not list(folder.iterdir())


@pytest.mark.parametrize("source", ["demurrage:person/x", " Demurrage:resolver"])
def test_the_way_into_the_log_takes_no_word_of_the_daemons_own(source: str, tmp_path: Path) -> None:
    """As over HTTP, an application speaks in no name that decides for others."""
    url = f"sqlite:///{tmp_path}/log.sqlite"
    data = {"target": "default", "container_id": "cntr_1"}
    line = render(source, 1, "container.released", data, 1_800_000_000.0)
    carrier = carrier_for(url, None)
    with pytest.raises(RefusedError, match="source"):
        carrier.carry([line])
    carrier.close()


def test_a_locked_database_is_waited_for(
    writer: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's transaction delays the events; nothing is lost."""
    monkeypatch.setattr("demurrage_recorder.over_sql._BUSY_TIMEOUT", 0.05)
    path = tmp_path / "log.sqlite"
    url = f"sqlite:///{path}"
    EventLog.open(url, clock=time.time).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    opened = writer(url)
    began = time.monotonic()
    _start(opened, "a")
    assert time.monotonic() - began < _PROMPT
    keeper = opened._keeper
    assert keeper is not None
    delivery = keeper.delivery
    assert delivery is not None
    eventually(lambda: delivery.blocked)
    other.execute("ROLLBACK")
    other.close()
    opened.close()
    log = EventLog.open(url, clock=time.time)
    assert log.verify().sound
    assert len(log.recent(10)) == 2
    log.close()
