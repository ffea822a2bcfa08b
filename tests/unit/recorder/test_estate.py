"""What a killed process leaves: all it wrote, delivered once by whoever comes next."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.recorder.conftest import Open, eventually, lines_in, run
from tests.unit.recorder.taker import ACCEPTED, Answer, Taker

from demurrage.decide.ledger import Ledger
from demurrage.decide.watermark import watermark
from demurrage.eventlog.parse import parse
from demurrage.model.event import Entry
from demurrage.model.rules import EvidenceRules
from demurrage_recorder import origin
from demurrage_recorder.carrier import NotNowError, carrier_for, label_of
from demurrage_recorder.deliver import Delivered, deliver
from demurrage_recorder.delivery import hand_over
from demurrage_recorder.estate import Estate, dead_locks

KILLED = """
import os, signal, sys
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1], folder=sys.argv[2])
writer.observe_date("Tue, 24 Nov 2026 10:00:00 GMT")
for number in range(int(sys.argv[3])):
    writer.note("response.started", "default", {"call_id": str(number), "direct": True})
    if number % 2:
        writer.note("response.finished", "default", {"call_id": str(number), "status": "lost"})
os.kill(os.getpid(), signal.SIGKILL)
"""
NOWHERE = "http://127.0.0.1:1"


def leave(folder: Path, url: str, count: int = 5) -> None:
    """Have a process note `count` starts, finish every other, and be killed."""
    assert run(KILLED, url, folder, count).returncode == -9


def _settle(estate: Estate, url: str) -> None:
    carrier = carrier_for(url, None)
    try:
        while estate.settle_some(carrier, hand_over):
            pass
    finally:
        carrier.close()


def _deliver_all(folder: Path, url: str) -> Delivered:
    carrier = carrier_for(url, None)
    try:
        return deliver(folder, None, carrier)
    finally:
        carrier.close()


def _ledger(events: list[dict[str, Any]]) -> Ledger:
    ledger = Ledger()
    ledger.fold(Entry(place, parse(event)) for place, event in enumerate(events, 1))
    return ledger


def test_the_next_process_delivers_it_and_says_goodbye(
    writer: Open, taker: Taker, folder: Path
) -> None:
    """Nothing that a note returned for is missing, and the dead source is whole."""
    taker.answer = lambda _batch: (503, {})
    leave(folder, taker.url, 5)
    taker.answer = lambda _batch: ACCEPTED
    opened = writer(taker.url)
    opened.note("response.known", "default", {"response_id": "r"})
    eventually(lambda: taker.goodbyes() and len(list(folder.glob("*.lock"))) == 1)
    opened.close()
    (dead,) = {event["source"] for event in taker.taken if event["data"].get("call_id")}
    events = taker.of(dead)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert taker.calls() == ["0", "1", "2", "3", "4"]
    goodbye = events[-1]["data"]
    assert goodbye["in_flight"] == ["0", "2", "4"]
    assert (goodbye["dropped"], goodbye["final"]) == (0, True)
    assert goodbye["clock_offset"] is not None
    assert not list(folder.iterdir())


def test_its_death_frees_the_watermark_and_ends_no_call(taker: Taker, folder: Path) -> None:
    """The daemon waits for it no more, and knows which of its calls never ended."""
    leave(folder, NOWHERE, 3)
    before = _ledger(lines_in(folder))
    rules = EvidenceRules()
    assert watermark(before, "default", {}, rules, time.time()).holder is not None
    (path,) = dead_locks(folder)
    estate = Estate.claim(path)
    assert estate is not None
    _settle(estate, taker.url)
    estate.let_go()
    after = _ledger(taker.taken)
    assert watermark(after, "default", {}, rules, time.time()).holder is None
    responses = after.book("default").responses.values()
    assert {r.call_id for r in responses if not r.ended} >= {"0", "2"}
    assert taker.goodbyes()[0]["in_flight"] == ["0", "2"]


def test_the_goodbye_is_dated_after_the_death(taker: Taker, folder: Path) -> None:
    """What it sent in its last moment may make a container until a while after that."""
    began = time.time()
    leave(folder, NOWHERE, 1)
    (path,) = dead_locks(folder)
    estate = Estate.claim(path)
    assert estate is not None
    _settle(estate, taker.url)
    estate.let_go()
    assert taker.goodbyes()[0]["complete_through"] >= began
    times = [parse(event).time for event in taker.taken]
    assert times == sorted(times)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells on what file system it is")
@pytest.mark.parametrize(("kind", "takes"), [("nfs4", 0), (None, 0), ("ext4", 1)])
def test_a_lock_of_another_boot_proves_a_death_on_this_machines_disks_alone(
    kind: str | None, takes: int, taker: Taker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a network file system it may be held, unseen, on the machine that made it."""
    leave(folder, NOWHERE, 1)
    monkeypatch.setattr(origin, "_boot", lambda: "another")
    monkeypatch.setattr(origin, "file_system", lambda _: kind)
    done = _deliver_all(folder, taker.url)
    assert (done.sources, len(done.troubles)) == (takes, 1 - takes)
    assert len(taker.goodbyes()) == takes


def test_the_next_process_leaves_a_lock_in_doubt_alone(
    writer: Open, taker: Taker, folder: Path
) -> None:
    """Also by itself: it goes on to the next, and takes that over."""
    taker.answer = lambda _batch: (503, {})
    leave(folder, taker.url, 1)
    leave(folder, taker.url, 1)
    taker.answer = lambda _batch: ACCEPTED
    doubted, certain = dead_locks(folder)
    doubted.write_text(f"{label_of(taker.url)}\n")
    opened = writer(taker.url)
    opened.note("response.known", "default", {"response_id": "r"})
    eventually(lambda: taker.goodbyes() and not certain.exists())
    opened.close()
    assert doubted.exists()
    assert taker.calls() == ["0"]


def test_an_interrupted_takeover_says_the_same_goodbye_again(taker: Taker, folder: Path) -> None:
    """Whoever takes over after a taker that died repeats it word for word."""
    leave(folder, NOWHERE, 3)
    (path,) = dead_locks(folder)
    refusing = threading.Event()

    def answer(batch: list[dict[str, Any]]) -> Answer:
        final = any(event["data"].get("final") for event in batch)
        return (503, {}) if final and not refusing.is_set() else ACCEPTED

    taker.answer = answer
    first = Estate.claim(path)
    assert first is not None
    with pytest.raises(NotNowError):
        _settle(first, taker.url)
    first.let_go()
    (written,) = [event for event in lines_in(folder) if event["data"].get("final")]
    refusing.set()
    second = Estate.claim(path)
    assert second is not None
    _settle(second, taker.url)
    second.let_go()
    assert [event for event in taker.taken if event["data"].get("final")] == [written]
    assert not list(folder.iterdir())


def test_only_one_takes_over(folder: Path) -> None:
    """While one is at it no other is; once it is done there is nothing to take."""
    leave(folder, NOWHERE, 1)
    (path,) = dead_locks(folder)
    first = Estate.claim(path)
    assert first is not None
    assert Estate.claim(path) is None
    first.let_go()
    again = Estate.claim(path)
    assert again is not None
    again.let_go()
    path.unlink()
    assert Estate.claim(path) is None


def test_the_living_are_left_alone(writer: Open, taker: Taker, folder: Path) -> None:
    """Nobody says goodbye for a process that can still speak."""
    living = writer()
    living.note("response.started", "default", {"call_id": "living"})
    (path,) = dead_locks(folder)
    assert Estate.claim(path) is None
    opened = writer(taker.url, heartbeat=0.02)
    opened.note("response.started", "default", {"call_id": "other"})
    eventually(lambda: len(taker.taken) > 5)
    assert taker.calls() == ["other"]
    assert taker.goodbyes() == []


def test_journals_for_another_daemon_are_left_alone(
    writer: Open, taker: Taker, folder: Path
) -> None:
    """Events are never delivered to a daemon that they were not meant for."""
    leave(folder, NOWHERE, 1)
    opened = writer(taker.url, heartbeat=0.02)
    opened.note("response.started", "default", {"call_id": "own"})
    eventually(lambda: len(taker.taken) > 5)
    opened.close()
    assert taker.calls() == ["own"]
    assert label_of(NOWHERE) in next(dead_locks(folder)).read_text()


def _damage_torn(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"specversion":"1.0","id":"9')


def _damage_gap(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))


def _damage_garbage(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\x00\x00\x00\n")


@pytest.mark.parametrize(
    ("damage", "dropped"), [(_damage_torn, 0), (_damage_gap, 1), (_damage_garbage, 1)]
)
def test_damage_is_admitted(damage: Any, dropped: int, taker: Taker, folder: Path) -> None:
    """A line that was never finished is nothing; one that is missing or no line holds the mark."""
    leave(folder, NOWHERE, 3)
    (journal,) = folder.glob("*.jsonl")
    damage(journal)
    (path,) = dead_locks(folder)
    estate = Estate.claim(path)
    assert estate is not None
    _settle(estate, taker.url)
    estate.let_go()
    goodbye = taker.goodbyes()[0]
    assert (goodbye["dropped"] > 0) == (dropped > 0)
    ledger = _ledger(taker.taken)
    holder = watermark(ledger, "default", {}, EvidenceRules(), time.time()).holder
    assert (holder is not None) == (dropped > 0)


@pytest.mark.parametrize(
    "source", ["demurrage:person/x/{}", "demurrage:resolver", "recorder/h/1/z"]
)
def test_a_journal_speaks_for_nobody_but_its_process(
    source: str, taker: Taker, folder: Path
) -> None:
    """Whoever may write to the folder gets no word of a person's, or of another's, delivered."""
    leave(folder, NOWHERE, 3)
    (journal,) = folder.glob("*.jsonl")
    last = lines_in(folder)[-1]
    forged = {
        **last,
        "id": "forged",
        "source": source.format(journal.name.split(".")[0]),
        "type": "demurrage.container.released",
        "data": {"target": "default", "container_id": "cntr_1"},
    }
    with journal.open("a") as file:
        file.write(json.dumps(forged) + "\n")
    assert _deliver_all(folder, taker.url).refused == 1
    (told,) = taker.sources
    assert told == last["source"]
    assert taker.goodbyes()[0]["dropped"] == 1


def test_events_that_a_dead_process_dropped_stay_dropped(taker: Taker, folder: Path) -> None:
    """What it admitted before its death is repeated in its name."""
    script = KILLED.replace('"direct": True', '"direct": number != 2 or object()')
    done = run(script, NOWHERE, folder, 5)
    assert done.returncode == -9
    (path,) = dead_locks(folder)
    estate = Estate.claim(path)
    assert estate is not None
    _settle(estate, taker.url)
    estate.let_go()
    assert taker.goodbyes()[0]["dropped"] == 1


def test_a_lock_without_a_journal_is_swept(taker: Taker, folder: Path) -> None:
    """A process that died before its first line has nothing to say."""
    (folder / "name.lock").write_text("http://somewhere")
    estate = Estate.claim(folder / "name.lock")
    assert estate is not None
    _settle(estate, taker.url)
    estate.let_go()
    assert not taker.taken
    assert not list(folder.iterdir())


LISTENED_TO = """
import sys
from demurrage_recorder import writer_for
writer = writer_for(sys.argv[1], folder=sys.argv[2])
number = 0
while True:
    writer.note("response.started", "default", {"call_id": str(number)})
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.3])
def test_killed_at_any_moment(moment: float, taker: Taker, folder: Path) -> None:
    """Every note that returned is known, whenever the process was killed."""
    words = [sys.executable, "-c", LISTENED_TO, taker.url, str(folder)]
    taker.answer = lambda _batch: ACCEPTED if taker.asked < 3 else (503, {})
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)  # proves nothing, only varies where the kill strikes
        process.kill()
        noted = process.stdout.read().splitlines(keepends=True)
    last = max([0, *(int(line) for line in noted if line.endswith("\n"))])
    taker.answer = lambda _batch: ACCEPTED
    (path,) = dead_locks(folder)
    estate = Estate.claim(path)
    assert estate is not None
    _settle(estate, taker.url)
    estate.let_go()
    assert {int(call) for call in taker.calls()} >= set(range(last + 1))
    (source,) = taker.sources
    events = taker.of(source)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["data"]["final"]
    assert not list(folder.iterdir())
