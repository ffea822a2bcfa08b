"""For how long an answer may have waited for its event loop."""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from tests.unit.recorder.watch.conftest import LIBRARY, URL, Notes, http, response

from demurrage_recorder import turns
from demurrage_recorder.transports import kit_for
from demurrage_recorder.turns import Unread
from demurrage_recorder.watch import Watch

# What it takes at most, by the tests' clock, in a loop that turns every tenth of a second.
FLUENT = 1.0


class Clock:
    """A steady clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 5_000.0
        self.read = 0

    def __call__(self) -> float:
        """Seconds since some moment."""
        self.read += 1
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the ticks are dated by; there is a tick in each turn."""
    made = Clock()
    monkeypatch.setattr(turns, "steady", made)
    monkeypatch.setattr(turns, "_TICK_EVERY", 0)
    return made


async def turn(clock: Clock, times: int, seconds: float) -> None:
    """Have the loop turn so many times, each of which takes so long."""
    for _ in range(times):
        clock.now += seconds
        await asyncio.sleep(0)


async def test_a_fluent_loop_reads_what_has_come(clock: Clock) -> None:
    """However long the answer took, its head has just come."""
    unread = Unread()
    await turn(clock, 6_000, 0.1)
    assert unread.end() <= FLUENT


@pytest.mark.parametrize("later", range(5))
async def test_a_busy_loop_may_have_let_it_wait(clock: Clock, later: int) -> None:
    """Also where the loop's tick comes at the end of a long turn, and reading takes some more."""
    unread = Unread()
    await turn(clock, 100, 0.1)
    clock.now += 12.0
    await turn(clock, later, 0.1)
    assert unread.end() >= 12.0


async def test_long_turns_one_after_the_other_add_up(clock: Clock) -> None:
    """What came in the first is read in the last."""
    unread = Unread()
    await turn(clock, 100, 0.1)
    await turn(clock, 5, 3.0)
    assert unread.end() >= 15.0


async def test_a_loop_that_was_busy_before_reads_on_time(clock: Clock) -> None:
    """What has come since waits no longer than in any other."""
    unread = Unread()
    await turn(clock, 5, 30.0)
    await turn(clock, 20, 0.1)
    assert unread.end() <= FLUENT


async def test_no_answer_is_older_than_its_request(clock: Clock) -> None:
    """A first answer that comes at once tells of the clock before the loop has turned often."""
    other = Unread()
    await turn(clock, 20, 3.0)
    unread = Unread()
    clock.now += 0.3
    assert unread.end() == pytest.approx(0.3)
    other.end()


def test_without_a_loop_of_asyncios_it_may_have_waited_all_the_time(clock: Clock) -> None:
    """As under Trio, whose loop nothing here can ask."""
    unread = Unread()
    clock.now += 40.0
    assert unread.end() == pytest.approx(40.0)


def test_without_asyncio_likewise(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the application does not use is not imported for this."""
    monkeypatch.delitem(sys.modules, "asyncio")
    unread = Unread()
    clock.now += 40.0
    assert unread.end() == pytest.approx(40.0)


@pytest.mark.parametrize("times", [0, 20])
async def test_a_loop_that_takes_no_timers_disturbs_nobody(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """From the start, or from some moment on."""
    loop, failed = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: failed.append(context))

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError

    before = Unread()
    await turn(clock, times, 0.1)
    monkeypatch.setattr(loop, "call_later", refuse)
    unread = Unread()
    await turn(clock, 100, 0.1)
    assert unread.end() == pytest.approx(10.0)
    assert before.end() >= 10.0
    assert failed == []


async def test_nothing_ticks_once_nothing_is_awaited(clock: Clock) -> None:
    """However many were awaited, and whatever became of them."""
    awaited = [Unread() for _ in range(3)]
    await turn(clock, 10, 0.1)
    for each in awaited:
        each.end()
    await turn(clock, 3, 0.1)
    read = clock.read
    await turn(clock, 10, 0.1)
    assert clock.read == read


async def test_ticks_keep_nothing_of_a_request(clock: Clock) -> None:
    """What its context holds is not held for those that come after it."""
    variable: ContextVar[object] = ContextVar("variable")
    seen: list[object] = []

    def read() -> float:
        seen.append(variable.get(None))
        return clock.now

    variable.set(object())
    unread = Unread()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "steady", read)
        await turn(clock, 5, 0.1)
    unread.end()
    assert seen
    assert set(seen) == {None}


def test_each_loop_has_its_own(clock: Clock) -> None:
    """One that stands still learns nothing from one in another thread."""

    async def run(work: Callable[[], Any]) -> float:
        unread = Unread()
        await turn(clock, 20, 0.1)
        work()
        return unread.end()

    def other() -> None:
        thread = threading.Thread(target=asyncio.run, args=(run(lambda: None),))
        thread.start()
        thread.join()

    clock.now = 5_000.0
    assert asyncio.run(run(other)) > FLUENT


@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
@pytest.mark.parametrize(("known", "status"), [(True, 200), (False, 200), (True, 404)])
async def test_the_clock_hears_how_long_an_answer_has_waited(
    clock: Clock, kind: bytes, *, known: bool, status: int
) -> None:
    """Whether it is read as it comes, later, or at once, where the clock is not known."""

    class Busy(http.AsyncBaseTransport):  # type: ignore[misc] # found at run time
        async def handle_async_request(self, _: Any) -> Any:
            await turn(clock, 100, 0.1)
            clock.now += 12.0
            headers = {"date": "Tue, 24 Nov 2026 10:00:00 GMT", "content-type": kind.decode()}
            return http.Response(status, headers=headers, json=response())

    class Heard(Notes):
        knows_clock = known

        def observe_date(self, date_header: str | None, at: float, unread: float) -> None:
            told.append(unread)

        def tell_clock(self, date_header: str | None, at: float, unread: float) -> None:
            told.append(unread)

    told: list[float] = []
    kit = kit_for(LIBRARY)
    transport = kit.asynchronous(Busy(), kit, Watch(Heard(), "main"), direct=None)
    async with http.AsyncClient(transport=transport) as client:
        await client.post(URL, json={"input": "x"})
    assert told
    assert min(told) >= 12.0
