"""The clock's offset, from the `Date` headers of answers."""

import os
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from tests.unit.recorder.conftest import Open, eventually, lines_in
from tests.unit.recorder.taker import Taker

from demurrage.decide.source import Source
from demurrage.eventlog.parse import parse
from demurrage_recorder import clock
from demurrage_recorder.clock import Offset

NOW = 1_800_000_000.0


def _date(moment: float) -> str:
    return formatdate(int(moment), usegmt=True)


class Clocks:
    """A wall clock that can be set, beside one that cannot; both go on together."""

    def __init__(self) -> None:
        self.passed = 100.0
        self.wall_zero = NOW

    @property
    def now(self) -> float:
        """What the wall clock shows."""
        return self.wall_zero + self.passed


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks that the recorder reads."""
    made = Clocks()
    monkeypatch.setattr(clock, "steady", lambda: made.passed)
    monkeypatch.setattr("demurrage_recorder.clock.time.time", lambda: made.now)
    return made


def test_nothing_is_known_without_a_date() -> None:
    """What is no date tells nothing."""
    offset = Offset()
    for text in ("", "yesterday", "Tue, 99 Nov 2026 10:00:00 GMT", "\x00", "1 2 3 4 5"):
        offset.observe(text, NOW)
    assert offset.seconds is None


def test_many_dates_narrow_it_down() -> None:
    """Seven seconds ahead comes out to a tenth once the second has been seen to turn."""
    offset = Offset()
    for step in range(50):
        now = NOW + step / 10
        offset.observe(_date(now - 7.0), now)
    assert offset.seconds == pytest.approx(7.0, abs=0.1)


def test_a_stepped_clock_starts_anew() -> None:
    """Bounds that contradict each other are no average."""
    offset = Offset()
    offset.observe(_date(NOW), NOW)
    offset.observe(_date(NOW), NOW + 3600.0)
    assert offset.seconds == pytest.approx(3600.0, abs=1.0)


def test_an_answer_that_may_have_waited_tells_nothing_by_itself() -> None:
    """In a busy event loop: its age is no offset, neither of a clock unknown nor of a known one."""
    offset = Offset()
    offset.observe(_date(NOW - 12.0), NOW, unread=12.5)
    assert offset.seconds is None
    offset.observe(_date(NOW), NOW)
    known = offset.seconds
    offset.observe(_date(NOW - 12.0), NOW, unread=12.5)
    offset.observe(_date(NOW - 60.0), NOW, unread=12.5)
    assert offset.seconds == known


def test_an_answer_that_may_have_waited_a_little_is_heard() -> None:
    """The bounds are as much wider; the others narrow them down."""
    offset = Offset()
    offset.observe(_date(NOW), NOW, unread=1.0)
    assert offset.seconds == pytest.approx(-1.0)
    offset.observe(_date(NOW), NOW)
    assert offset.seconds == pytest.approx(-0.5)


def test_an_answer_that_may_have_waited_narrows_what_is_known() -> None:
    """By the time when it was read, the clock was no further ahead than its date allows."""
    offset = Offset()
    offset.observe(_date(NOW), NOW)
    offset.observe(_date(NOW), NOW - 0.5, unread=30.0)
    assert offset.seconds == pytest.approx(-0.75)


def test_a_date_without_a_zone_is_utc() -> None:
    """`-0000` says that the zone is unknown; HTTP knows only one."""
    offset = Offset()
    offset.observe(_date(NOW).replace("GMT", "-0000"), NOW)
    assert offset.seconds == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("step", [-100.0, -0.5, 20.0, 3600.0])
def test_a_step_between_two_dates_is_added(clocks: Clocks, step: float) -> None:
    """A clock that is set goes wrong, or right, by that much, though no answer tells."""
    offset = Offset()
    offset.observe(_date(clocks.now + 20.0), clocks.now)
    assert offset.seconds == pytest.approx(-20.0, abs=1.0)
    known = offset.seconds
    assert known is not None
    clocks.passed += 60.0
    assert offset.seconds == known
    clocks.wall_zero += step
    assert offset.seconds == pytest.approx(known + step)
    clocks.passed += 60.0
    assert offset.seconds == pytest.approx(known + step)


def test_a_step_back_and_forth_leaves_nothing(clocks: Clocks) -> None:
    """What is noticed in pieces adds up."""
    offset = Offset()
    offset.observe(_date(clocks.now), clocks.now)
    known = offset.seconds
    for step in (-300.0, 200.0, 100.0):
        clocks.wall_zero += step
        assert offset.seconds is not None
    assert offset.seconds == known


def test_an_answer_from_before_a_step_tells_nothing_of_the_clock_after_it(clocks: Clocks) -> None:
    """It is read beside the application, when its date may be long past."""
    for step in (-100.0, 20.0):
        offset = Offset()
        offset.observe(_date(clocks.now), clocks.now)
        known = offset.seconds
        assert known is not None
        clocks.passed += 10.0
        date, came = _date(clocks.now), clocks.now
        clocks.wall_zero += step
        clocks.passed += 1.0
        offset.observe(date, came)
        assert offset.seconds == pytest.approx(known + step)
        clocks.wall_zero -= step


def test_an_answer_after_a_step_is_heard(clocks: Clocks) -> None:
    """A clock that was set right says so with the next date."""
    offset = Offset()
    offset.observe(_date(clocks.now + 20.0), clocks.now)
    clocks.wall_zero += 40.0
    assert offset.seconds == pytest.approx(20.0, abs=1.0)
    clocks.passed += 1.0
    offset.observe(_date(clocks.now), clocks.now)
    assert offset.seconds == pytest.approx(0.0, abs=1.0)


def test_a_step_is_told_before_the_next_heartbeat_is_due(
    writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed meanwhile has told on what clock its latest events are."""
    opened = writer(heartbeat=3600.0)
    opened.note("response.started", "default", {"call_id": "a"})
    opened.tell_clock(_date(time.time()), time.time())
    real = time.time
    monkeypatch.setattr("demurrage_recorder.clock.time.time", lambda: real() - 600.0)
    opened.note("response.started", "default", {"call_id": "b"})
    eventually(lambda: len(_offsets(folder)) > 1)
    first, second = _offsets(folder)
    assert second - first == pytest.approx(-600.0, abs=0.1)


def _offsets(folder: Path) -> list[float]:
    told = [line["data"].get("clock_offset") for line in lines_in(folder)]
    return [each for each in told if each is not None]


def _await_lines(folder: Path, more: int) -> None:
    before = len(lines_in(folder))
    eventually(lambda: len(lines_in(folder)) >= before + more)


def _set_ahead(patch: pytest.MonkeyPatch, seconds: float, real: Callable[[], float]) -> None:
    patch.setattr("demurrage_recorder.clock.time.time", lambda: real() + seconds)


@pytest.mark.parametrize("steps", [(15.0, 0.0), (0.0, 15.0), (15.0, -20.0, 3.0)])
def test_steps_before_the_first_date_are_told_with_it(
    writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch, steps: tuple[float, ...]
) -> None:
    """For the daemon the clock may have been any of those when an earlier event was dated."""
    real = time.time
    # What came before the first event is of no concern.
    _set_ahead(monkeypatch, 900.0, real)
    opened = writer(heartbeat=0.05)
    for number, ahead in enumerate(steps):
        _set_ahead(monkeypatch, ahead, real)
        opened.note("response.started", "default", {"call_id": f"{number}"})
        _await_lines(folder, 2)
    opened.tell_clock(_date(real()), time.time())
    opened.close()
    source = Source("the recorder's")
    for number, line in enumerate(lines_in(folder)):
        source.fold(parse(line), number)
    low, high = source.offsets(30.0)
    assert (low, high) == pytest.approx((min(steps), max(steps)), abs=1.2)
    assert _offsets(folder)[-1] == pytest.approx(steps[-1], abs=1.2)


def test_the_offsets_before_and_after_a_step_are_written_at_once(
    writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is killed in between would have told of the wrong clock alone."""
    real, write = time.time, os.write
    told: list[int] = []

    def count(descriptor: int, data: bytes) -> int:
        told.append(data.count(b'"clock_offset":'))
        return write(descriptor, data)

    opened = writer(heartbeat=3600.0)
    opened.note("response.started", "default", {"call_id": "a"})
    _set_ahead(monkeypatch, 15.0, real)
    monkeypatch.setattr("demurrage_recorder.journal.os.write", count)
    opened.tell_clock(_date(real()), time.time())
    assert told == [2]
    first, second = _offsets(folder)
    assert second - first == pytest.approx(15.0, abs=0.1)


def test_a_clock_that_nobody_set_is_told_once(writer: Open, folder: Path) -> None:
    """One heartbeat, one offset."""
    opened = writer(heartbeat=3600.0)
    opened.note("response.started", "default", {"call_id": "a"})
    opened.tell_clock(_date(time.time()), time.time())
    assert len(_offsets(folder)) == 1


def test_a_daemon_tells_the_time_as_well(clocks: Clocks) -> None:
    """To a second and a half, and the time that its answer took."""
    offset = Offset()
    offset.hear(clocks.now - 7.0, clocks.now - 1.0, clocks.now)
    assert offset.seconds == pytest.approx(6.5)
    offset.hear(clocks.now - 7.0, clocks.now, clocks.now)
    assert offset.seconds == pytest.approx(7.0, abs=0.5)


def test_a_daemon_that_answers_late_tells_nothing_new(clocks: Clocks) -> None:
    """It narrows what is known, and is not believed against it."""
    offset = Offset()
    offset.hear(clocks.now, clocks.now - 2.5, clocks.now)
    assert offset.seconds is None
    offset.hear(clocks.now - 7.0, clocks.now, clocks.now)
    offset.hear(clocks.now, clocks.now - 2.5, clocks.now)
    assert offset.seconds == pytest.approx(7.0)


def test_where_a_daemon_tells_the_time_no_date_counts(clocks: Clocks) -> None:
    """A proxy on this very machine writes its own, by the clock that is in question."""
    offset = Offset()
    offset.observe(_date(clocks.now), clocks.now)
    offset.hear(clocks.now - 20.0, clocks.now, clocks.now)
    offset.observe(_date(clocks.now), clocks.now)
    assert offset.seconds == pytest.approx(20.0)
    clocks.passed += 31.0
    offset.observe(_date(clocks.now), clocks.now)
    assert offset.seconds == pytest.approx(-0.5)


def test_what_a_daemon_was_asked_before_the_clock_was_set_tells_nothing(clocks: Clocks) -> None:
    """Nobody knows on which side of the step it looked."""
    offset = Offset()
    offset.hear(clocks.now, clocks.now, clocks.now)
    asked = clocks.now
    clocks.passed += 1.0
    clocks.wall_zero += 60.0
    offset.hear(asked + 1.0, asked, clocks.now)
    assert offset.seconds == pytest.approx(60.0)


def test_who_ends_before_any_answer_has_come_learns_the_time_from_the_daemon(
    writer: Open,
) -> None:
    """Its goodbye tells the log, or nobody would; where nobody listens it ends all the same."""
    with Taker() as taker:
        taker.time = lambda: f"{time.time() - 7.0:.3f}"
        opened = writer(taker.url)
        opened.note("response.started", "default", {"call_id": "a"})
        opened.close()
        (last,) = (each for each in taker.taken if each["data"].get("final"))
    assert last["data"]["clock_offset"] == pytest.approx(7.0, abs=1.5)
    alone = writer("http://127.0.0.1:1")
    alone.note("response.started", "default", {"call_id": "b"})
    began = time.monotonic()
    alone.close()
    assert time.monotonic() - began < 4.0


def test_a_clock_that_was_set_back_under_an_answer_on_the_way_tells_nothing(clocks: Clocks) -> None:
    """By it the answer came before it was asked for."""
    offset = Offset()
    asked, told = clocks.now + 40.0, clocks.now + 0.3
    clocks.passed += 0.6
    offset.hear(told, asked, clocks.now)
    assert offset.seconds is None


def test_the_first_heartbeats_tell_a_clock_though_no_answer_has_come(writer: Open) -> None:
    """An agent's first call may block for minutes, and a clock that nobody knows proves nothing."""
    with Taker() as taker:
        taker.time = lambda: f"{time.time() - 7.0:.3f}"
        opened = writer(taker.url, heartbeat=0.05)
        opened.note("response.started", "default", {"call_id": "a"})
        eventually(
            lambda: any(each["data"].get("clock_offset") is not None for each in taker.taken)
        )
        told = [each["data"].get("clock_offset") for each in taker.taken]
    assert next(each for each in told if each is not None) == pytest.approx(7.0, abs=1.0)


@pytest.mark.parametrize("said", ["soon", "nan", "inf", ""])
def test_a_time_that_is_none_is_passed_over(writer: Open, said: str) -> None:
    """The batch is taken all the same."""
    with Taker() as taker:
        taker.time = lambda: said
        opened = writer(taker.url, heartbeat=0.05)
        opened.note("response.started", "default", {"call_id": "a"})
        eventually(lambda: len(taker.taken) > 2)
        assert all(each["data"].get("clock_offset") is None for each in taker.taken)
