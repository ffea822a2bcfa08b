"""Answers are read beside the application, and nobody is told of them too early or too late."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.recorder.conftest import Open, eventually, lines_in, run

from demurrage_recorder import Writer, backlog, bodies
from demurrage_recorder.estate import Estate
from demurrage_recorder.late import Followed, LateExchange
from demurrage_recorder.watch import Watch

CONTAINER = "cntr_" + "6ab" * 16
DECODE = lambda _: bytes  # noqa: E731 - what comes is plain


def body(number: int = 1) -> bytes:
    """A whole answer that names a container."""
    item = {"type": "code_interpreter_call", "container_id": CONTAINER}
    answer = {"id": f"resp_{number}", "status": "completed", "output": [item], "created_at": 1.0}
    return json.dumps(answer).encode()


def asked(writer: Writer, *headers: tuple[bytes, bytes]) -> Followed:
    """A request that has left and been answered, but for the body."""
    request = SimpleNamespace(method="POST", content=b'{"tools":[{"type":"code_interpreter"}]}')
    exchange = Watch(writer, "default").begin(request, "/v1/responses", direct=True)
    assert exchange is not None
    return exchange.answered(200, [(b"Content-Type", b"application/json"), *headers], DECODE)


def call(writer: Writer, number: int = 1) -> None:
    """A call from its start to its end."""
    followed = asked(writer)
    followed.feed(body(number))
    followed.end()


def finished(folder: Path) -> list[str]:
    """The responses whose end is in the files."""
    return [
        line["data"]["response_id"]
        for line in lines_in(folder)
        if line["type"] == "demurrage.response.finished"
    ]


@pytest.mark.parametrize("bound", ["MOST_WAITING", "MOST_BYTES"])
def test_past_its_bounds_the_caller_reads(
    bound: str, writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is dropped, and nobody waits for the thread, which may be stuck."""
    monkeypatch.setattr(backlog, bound, {"MOST_WAITING": 3, "MOST_BYTES": 3 * len(body())}[bound])
    opened = writer()
    with opened._backlog._lock:  # the thread cannot read
        for number in range(5):
            call(opened, number)
        assert finished(folder) == ["resp_3", "resp_4"]
    opened.flush()
    assert finished(folder) == ["resp_3", "resp_4", "resp_0", "resp_1", "resp_2"]
    call(opened, 5)
    opened.flush()
    assert finished(folder)[-1] == "resp_5"


def test_the_thread_reads_by_itself(writer: Open, folder: Path) -> None:
    """An application that says nothing more has its answers told all the same."""
    call(writer())
    eventually(lambda: finished(folder) == ["resp_1"])


def test_events_bear_the_moment_at_which_the_answer_came(writer: Open, folder: Path) -> None:
    """However late it is read; so does what is learned of the last byte sent."""
    opened = writer()
    with opened._backlog._lock:
        before = time.time()
        call(opened)
        after = time.time()
        while time.time() < after + 0.01:  # the clock's own step
            time.sleep(0.001)
    opened.flush()
    (line,) = (each for each in lines_in(folder) if "finished" in each["type"])
    assert before - 1e-6 <= datetime.fromisoformat(line["time"]).timestamp() <= after
    assert before <= line["data"]["sent_at"] <= after


def test_the_first_answer_tells_the_clock_at_once(writer: Open, folder: Path) -> None:
    """Who is killed before it is read has told it, or nobody would know what its times mean."""
    opened = writer(heartbeat=3600)
    with opened._backlog._lock:  # the thread cannot read
        for _ in range(2):
            asked(opened, (b"Date", b"Wed, 25 Nov 2026 03:00:00 GMT"))
        told = [line["data"].get("clock_offset") for line in lines_in(folder)]
    assert [line is not None for line in told] == [False, True, False]


def test_no_heartbeat_passes_what_waits(writer: Open, folder: Path) -> None:
    """What a heartbeat calls complete has been told by the line before it."""
    opened = writer(heartbeat=0.01)

    def work() -> None:
        for number in range(150):
            call(opened, number)
            source = opened._source
            if number % 10 == 0 and source is not None:
                opened._exclusively(source.beat)  # as at the first date, or at a drop

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    opened.close()
    through, beats = 0.0, 0
    for line in lines_in(folder):
        if "complete_through" in line["data"]:
            assert line["data"]["complete_through"] >= through
            through, beats = line["data"]["complete_through"], beats + 1
        else:
            # Lines are cut to microseconds.
            assert datetime.fromisoformat(line["time"]).timestamp() >= through - 2e-6
    assert beats > 45
    assert len(finished(folder)) == 450


def test_a_heartbeat_amid_a_stuck_backlog(writer: Open, folder: Path) -> None:
    """It says no more than what was complete before the first answer that waits."""
    opened = writer()
    with opened._backlog._lock:
        call(opened)
        after = time.time()
        assert opened._source is not None
        opened._exclusively(opened._source.beat)
    (beat,) = (each["data"] for each in lines_in(folder) if "heartbeat" in each["type"])
    assert beat["complete_through"] <= after
    assert len(beat["in_flight"]) == 1


def test_a_word_comes_after_the_answers_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container is let go only after the log has heard of it."""
    import demurrage_recorder as recorder  # noqa: PLC0415 - as an application has it

    url = f"file://{folder}"
    opened = recorder.writer_for(url)
    monkeypatch.setattr("demurrage_recorder.keeper._LOOK_EVERY", 3600.0)
    call(opened)
    recorder.release(CONTAINER, url=url)
    kinds = [each["type"].removeprefix("demurrage.") for each in lines_in(folder)]
    assert kinds == ["response.started", "response.finished", "container.released"]
    opened.close()


@pytest.mark.filterwarnings("ignore:demurrage-recorder")
def test_a_failure_to_read_is_an_unknown_end(
    writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application never hears of it, and what the call made is kept."""
    opened = writer()
    with monkeypatch.context() as broken:
        broken.setattr(bodies, "parsed", lambda _: 1 / 0)
        call(opened)
        opened.flush()
    call(opened, 2)
    opened.flush()
    ends = [each["data"] for each in lines_in(folder) if "finished" in each["type"]]
    assert [each["status"] for each in ends] == ["lost", "completed"]


@pytest.mark.filterwarnings("ignore:demurrage-recorder")
def test_a_failure_outside_the_reading_leaves_the_call_in_flight(
    writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where not so much as a loss can be told, the others are, and the goodbye names it."""
    opened = writer()
    with opened._backlog._lock:
        for number in range(3):
            call(opened, number)
        broken, read = opened._backlog._waiting[1], LateExchange.read
        monkeypatch.setattr(
            LateExchange, "read", lambda each: 1 / 0 if each is broken else read(each)
        )
    opened.close()
    assert finished(folder) == ["resp_0", "resp_2"]
    assert len(lines_in(folder)[-1]["data"]["in_flight"]) == 1


def test_an_answer_that_breaks_off_is_lost_at_once(writer: Open, folder: Path) -> None:
    """Its ids are told, and its end is unknown."""
    opened = writer()
    followed = asked(opened)
    followed.feed(body()[:-20])
    followed.cut()
    end = lines_in(folder)[-1]["data"]
    assert (end["status"], end["containers"]) == ("lost", [CONTAINER])


# A program that begins like this has the helpers of this module.
HELPERS = """
import os, sys
sys.path.insert(0, sys.argv[2])
from tests.unit.recorder.test_backlog import asked, call
from demurrage_recorder import writer_for
writer = writer_for(f"file://{sys.argv[1]}")
"""
ROOT = Path(__file__).parents[3]


def _ends(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in lines if each["type"] == "demurrage.response.finished"]


def test_exit_tells_what_waits(folder: Path) -> None:
    """An application that ends right after an answer leaves no call in flight."""
    done = run(HELPERS + "call(writer)", folder, ROOT)
    assert done.returncode == 0, done.stderr
    assert finished(folder) == ["resp_1"]
    assert lines_in(folder)[-1]["data"]["in_flight"] == []


FORKING = """
with writer._backlog._lock:
    call(writer)
    child = os.fork()
    if child == 0:
        call(writer, 2)
        writer.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_fork_leaves_what_waits_to_its_parent(folder: Path) -> None:
    """It is told once, by whom it was told to."""
    done = run(HELPERS + FORKING, folder, ROOT)
    assert done.returncode == 0, done.stderr
    lines = lines_in(folder)
    begun = {each["data"]["call_id"]: each["source"] for each in lines if "started" in each["type"]}
    assert len(set(begun.values())) == 2
    assert {each["data"]["call_id"]: each["source"] for each in _ends(lines)} == begun
    assert len(_ends(lines)) == 2


KILLED = """
from demurrage_recorder import backlog
backlog.MOST_WAITING = 20
writer._backlog._lock.acquire()
for number in range(21):
    call(writer, number)
print("full", flush=True)
sys.stdin.read()
"""


def test_killed_amid_a_full_backlog(folder: Path, taken: Callable[[Path], list[bytes]]) -> None:
    """What began is known, and whoever takes over names every call whose end nobody has read."""
    words = [sys.executable, "-W", "ignore", "-c", HELPERS + KILLED, str(folder), str(ROOT)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"full\n"
        os.kill(process.pid, signal.SIGKILL)
    (lock,) = folder.glob("*.lock")
    lines = [json.loads(line) for line in taken(lock)]
    begun = [each["data"]["call_id"] for each in lines if "started" in each["type"]]
    (end,) = _ends(lines)
    assert len(begun) == 21
    assert lines[-1]["data"]["final"]
    assert {*lines[-1]["data"]["in_flight"], end["data"]["call_id"]} == set(begun)
    assert len(lines[-1]["data"]["in_flight"]) == 20


@pytest.fixture
def taken() -> Callable[[Path], list[bytes]]:
    """Takes over what a dead process left, and gives all its lines."""

    def take(lock: Path) -> list[bytes]:
        lines: list[bytes] = []
        estate = Estate.claim(lock)
        assert estate is not None
        carrier = SimpleNamespace(carry=lines.extend, close=lambda: None)

        def hand_over(_: Any, batch: Any) -> list[str]:
            lines.extend(batch)
            return []

        while estate.settle_some(carrier, hand_over):
            pass
        return lines

    return take
