"""A process that stands still takes no events, and must not pass for one that listened."""

import asyncio
import time

import pytest
from tests.unit.engine.test_look import Clock, EmptyLog, T

from demurrage.engine.evidence import Evidence, Reading
from demurrage.engine.lapses import Lapses
from demurrage.engine.pulse import Pulse, longest_pause
from demurrage.model.rules import EvidenceRules, Rules, WatchRules

PATIENCE = 0.2


async def read(evidence: Evidence) -> Reading:
    """The log, read to its end by a clock that always says the same."""
    reading = await evidence.read(Clock())
    assert isinstance(reading, Reading)
    return reading


@pytest.mark.parametrize("interval", [1.0, 10.0, 3600.0])
def test_how_long_it_may_stand_still_is_told_by_how_late_events_may_be(interval: float) -> None:
    """By the strictest target, and by nothing that tells how often anybody looks."""
    watch = WatchRules(interval=interval)
    delays = (300.0, 30.0, 60.0)
    some = [Rules(EvidenceRules(max_event_delay=each), watch=watch) for each in delays]
    assert longest_pause(some) == pytest.approx(10.0)


@pytest.mark.looptime
async def test_readings_far_apart_are_one_series_while_the_loop_beats() -> None:
    """An interval of minutes, or an API that takes as long to answer, puts nothing off."""
    evidence = Evidence(EmptyLog(), None, 10.0)
    evidence.pulse.begin()
    clock = Clock()
    for seconds in (0, 40, 600):
        await asyncio.sleep(seconds)
        clock.time += seconds
        reading = await evidence.read(clock)
        assert isinstance(reading, Reading)
        assert reading.since == T
    evidence.pulse.end()


@pytest.mark.looptime
async def test_readings_far_apart_are_no_series_where_nothing_beats() -> None:
    """Nobody knows what the process did meanwhile; one whose pulse has ended begins anew."""
    evidence = Evidence(EmptyLog(), None, 10.0)
    evidence.pulse.begin()
    await read(evidence)
    evidence.pulse.end()
    await asyncio.sleep(9)
    assert (await read(evidence)).since == T - 9
    await asyncio.sleep(11)
    assert (await read(evidence)).since == T


async def test_a_standstill_between_two_readings_breaks_the_series() -> None:
    """Whether the loop has beaten since, or the reading is the first to find out."""
    evidence = Evidence(EmptyLog(), None, PATIENCE)
    evidence.pulse.begin()
    for beats_first in (True, False):
        await read(evidence)
        await asyncio.sleep(0)
        assert (await read(evidence)).since < T
        time.sleep(PATIENCE * 1.5)  # noqa: ASYNC251 - that the loop stands still is the point
        if beats_first:
            await asyncio.sleep(PATIENCE / 2)
        assert (await read(evidence)).since == T
    assert evidence.pulse.pauses == 2
    evidence.pulse.end()


async def test_what_could_not_be_taken_in_breaks_the_series() -> None:
    """It is told again, but nobody knows when."""
    evidence = Evidence(EmptyLog(), None, PATIENCE)
    evidence.pulse.begin()
    await read(evidence)
    evidence.pulse.miss()
    assert (await read(evidence)).since == T
    evidence.pulse.end()


async def test_a_standstill_while_the_log_is_read_breaks_the_series_after_it() -> None:
    """The log was asked before it, so the next reading is the first that comes after."""
    evidence = Evidence(EmptyLog(), None, PATIENCE)
    evidence.pulse.begin()
    await read(evidence)
    reading = asyncio.ensure_future(evidence.read(Clock()))
    await asyncio.sleep(0)
    time.sleep(PATIENCE * 1.5)  # noqa: ASYNC251 - that the loop stands still is the point
    assert isinstance(await reading, Reading)
    assert (await read(evidence)).since == T
    evidence.pulse.end()


@pytest.mark.looptime
async def test_a_pulse_of_no_length_leaves_the_loop_to_others() -> None:
    """Events that are never late make every pause one too long."""
    pulse = Pulse(0.0)
    pulse.begin()
    await asyncio.sleep(1)
    assert 50 < pulse.pauses < 150
    pulse.end()
    before = pulse.pauses
    await asyncio.sleep(1)
    assert pulse.pauses == before


def test_what_lasts_for_some_cycles_is_said() -> None:
    """Once is a machine that slept."""
    lapses = Lapses("default")
    slow = [len(lapses.noted(slow=True, pauses=0)) for _ in range(4)]
    assert slow == [0, 0, 1, 1]
    still = [len(lapses.noted(slow=False, pauses=count)) for count in (1, 2, 2, 3, 4, 5)]
    assert still == [0, 0, 0, 0, 0, 1]
