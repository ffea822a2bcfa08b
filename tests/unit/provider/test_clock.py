import random
from dataclasses import dataclass
from email.utils import formatdate
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.provider.fake import BASE

from demurrage.provider.clock import HeaderClock


@dataclass(slots=True)
class World:
    """A provider's clock, a local wall clock, and true time, all of which we hold."""

    true: float = float(BASE)
    provider_ahead: float = 0.3
    wall_ahead: float = -40.0

    def clock(self) -> HeaderClock:
        """A clock under test in this world."""
        return HeaderClock(lambda: self.true + self.wall_ahead, lambda: self.true - BASE + 5.0)

    @property
    def provider(self) -> float:
        """What the provider's clock shows."""
        return self.true + self.provider_ahead

    def call(self, clock: HeaderClock, *, there: float = 0.04, back: float = 0.04) -> None:
        """One call and its answer."""
        ticks = clock.ticks()
        self.true += there
        date = formatdate(self.provider, usegmt=True)
        self.true += back
        clock.observe({"date": date}, ticks)

    def calls(self, clock: HeaderClock, count: int, every: float = 10.0) -> None:
        """Calls at a steady beat."""
        for _ in range(count):
            self.true += every
            self.call(clock)


def test_before_any_header_it_is_the_local_clock() -> None:
    """There is nothing better yet, and the offset says so."""
    world = World()
    clock = world.clock()
    assert clock.now() == world.true - 40.0
    assert clock.offset is None
    assert not clock.jumped


def test_one_header_brings_it_within_a_second() -> None:
    """A Date is cut to whole seconds, so one is good for half a second and the round trip."""
    world = World()
    clock = world.clock()
    world.call(clock)
    assert clock.now() == pytest.approx(world.provider, abs=0.6)
    assert clock.offset == pytest.approx(40.3, abs=0.6)


@pytest.mark.parametrize(("there", "back"), [(0.04, 0.04), (14.0, 0.0), (0.0, 14.0)])
def test_it_knows_how_well_it_knows(there: float, back: float) -> None:
    """A slow answer may have been dated at its beginning or at its end."""
    world = World()
    clock = world.clock()
    assert clock.doubt == inf
    world.call(clock, there=there, back=back)
    assert abs(clock.now() - world.provider) <= clock.doubt
    assert (clock.doubt > 5) is (there + back > 5)
    before = clock.doubt
    world.true += 3600.0
    assert clock.doubt > before


@pytest.mark.parametrize("wall_ahead", [-4.0, 4.0])
def test_a_first_answer_is_believed_where_the_wall_clock_bears_it_out(wall_ahead: float) -> None:
    """Two clocks that agree are right."""
    world = World(wall_ahead=wall_ahead)
    clock = world.clock()
    world.call(clock)
    assert not clock.jumped


def test_where_the_wall_clock_contradicts_it_three_answers_have_to_agree() -> None:
    """From then on the wall clock counts for nothing."""
    world = World(wall_ahead=-40.0)
    clock = world.clock()
    for _ in range(2):
        world.call(clock)
        assert clock.jumped
    world.call(clock)
    assert not clock.jumped


def test_it_is_trusted_once_an_answer_has_told_the_time_and_not_while_that_is_in_doubt() -> None:
    """Neither is enough: that nothing is in doubt, nor that an answer came."""
    world = World(wall_ahead=0.0)
    clock = world.clock()
    assert not clock.trusted
    world.call(clock)
    assert clock.trusted
    world.wall_ahead += 40.0
    assert not clock.trusted


@pytest.mark.parametrize("off", [-1200.0, 1200.0])
def test_a_wrong_date_at_the_start_is_found_out(off: float) -> None:
    """Nothing goes by it in the meantime."""
    world = World(wall_ahead=0.0, provider_ahead=off)
    clock = world.clock()
    world.call(clock)
    world.provider_ahead = 0.0
    for _ in range(3):
        assert clock.jumped
        world.calls(clock, 1)
    assert not clock.jumped
    assert clock.now() == pytest.approx(world.provider, abs=0.6)


def test_many_headers_bring_it_close() -> None:
    """Intervals intersect: fractions of seconds come out although no header shows them."""
    world = World()
    clock = world.clock()
    world.calls(clock, 60, every=7.37)
    assert clock.now() == pytest.approx(world.provider, abs=0.1)


@given(
    ahead=st.floats(-1e5, 1e5),
    seed=st.integers(0, 2**32),
    drift=st.floats(-1e-4, 1e-4),
)
def test_without_steps_it_stays_near_and_never_jumps(ahead: float, seed: int, drift: float) -> None:
    """Any offset, any round trips, a drifting quartz: no false alarm, and within a second."""
    world = World(provider_ahead=ahead)
    clock = world.clock()
    dice = random.Random(seed)
    for number in range(100):
        wait = dice.uniform(0, 120)
        world.true += wait
        world.provider_ahead += drift * wait
        world.call(clock, there=dice.uniform(0, 2), back=dice.uniform(0, 2))
        assert number < 2 or not clock.jumped
        assert clock.now() == pytest.approx(world.provider, abs=3)


@pytest.mark.parametrize("step", [-3600.0, -5.0, 5.0, 86400.0])
def test_a_step_of_the_wall_clock_is_noticed_and_moves_nothing(step: float) -> None:
    """Somebody sets the local clock: provider time goes on, until three answers it is doubtful."""
    world = World()
    clock = world.clock()
    world.calls(clock, 5)
    before = clock.now() - world.true
    world.wall_ahead += step
    assert clock.jumped
    assert clock.now() - world.true == pytest.approx(before)
    world.calls(clock, 2)
    assert clock.jumped
    world.calls(clock, 1)
    assert not clock.jumped
    assert clock.now() == pytest.approx(world.provider, abs=0.6)
    assert clock.offset == pytest.approx(0.3 - world.wall_ahead, abs=0.6)


def test_a_step_is_counted_though_answers_have_settled_it_since() -> None:
    """Who asks only after a look of several pages finds that there was one."""
    world = World()
    clock = world.clock()
    world.calls(clock, 5)
    assert clock.steps == 0
    world.wall_ahead += 600
    world.calls(clock, 3)
    assert not clock.jumped
    slept = clock.steps
    assert slept > 0
    world.calls(clock, 5)
    assert clock.steps == slept


def test_a_second_step_is_counted_while_the_first_is_in_doubt() -> None:
    """A machine that is paused twice tells it by its answers alone, and settles but once."""
    world = World()
    clock = world.clock()
    world.calls(clock, 5)
    world.provider_ahead += 600
    world.calls(clock, 1)
    once = clock.steps
    assert once > 0
    world.provider_ahead += 600
    world.calls(clock, 3)
    assert not clock.jumped
    assert clock.steps > once


def test_a_step_of_the_wall_clock_before_any_header_is_noticed() -> None:
    """Even unmeasured, the local clock must not be trusted after a step."""
    world = World()
    clock = world.clock()
    world.wall_ahead += 100
    assert clock.jumped
    world.calls(clock, 2)
    assert clock.jumped
    world.calls(clock, 1)
    assert not clock.jumped


@pytest.mark.parametrize("step", [-3600.0, -3.0, 3.0, 3600.0])
def test_a_step_of_the_providers_clock_is_noticed_and_followed(step: float) -> None:
    """A lasting step is believed once three answers agree on it, and not before."""
    world = World()
    clock = world.clock()
    world.calls(clock, 5)
    world.provider_ahead += step
    assert not clock.jumped
    world.calls(clock, 1)
    assert clock.jumped
    assert clock.now() == pytest.approx(world.provider - step, abs=0.6)
    world.calls(clock, 1)
    assert clock.jumped
    world.calls(clock, 1)
    assert not clock.jumped
    assert clock.now() == pytest.approx(world.provider, abs=0.6)


def test_one_answer_from_elsewhere_is_got_over() -> None:
    """A single wrong Date raises doubt, and three good ones settle it on the old offset."""
    world = World()
    clock = world.clock()
    world.calls(clock, 5)
    world.provider_ahead -= 600
    world.call(clock)
    assert clock.jumped
    world.provider_ahead += 600
    world.calls(clock, 2)
    assert clock.jumped
    world.calls(clock, 1)
    assert not clock.jumped
    assert clock.now() == pytest.approx(world.provider, abs=0.6)


def test_clocks_that_never_agree_stay_in_doubt() -> None:
    """Answers from two worlds in turn never settle."""
    world = World()
    clock = world.clock()
    world.calls(clock, 5)
    for _ in range(20):
        world.provider_ahead += 500
        world.calls(clock, 1)
        assert clock.jumped


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "yesterday"},
        {"date": "Sun, 99 Nov 2026 99:00:00 GMT"},
        {"date": "Sun, 01 Nov 0000 12:00:00 GMT"},
        {"date": "\x00" * 100},
        {"date": "9" * 400},
        {"date": "Sun, 01 Nov 2020 12:00:00 GMT", "age": "60"},
    ],
)
def test_missing_and_garbage_dates_teach_nothing(headers: dict[str, str]) -> None:
    """They never raise and never move the clock; a cached answer's Date is as useless."""
    world = World()
    clock = world.clock()
    clock.observe(headers, clock.ticks())
    assert clock.offset is None
    world.calls(clock, 3)
    before = clock.now()
    clock.observe(headers, clock.ticks())
    assert clock.now() == before
    assert not clock.jumped


@given(st.text())
def test_no_date_header_can_raise(text: str) -> None:
    """Whatever a server writes there."""
    clock = World().clock()
    clock.observe({"date": text}, clock.ticks())


def test_servers_that_keep_the_time_badly_are_no_step() -> None:
    """Their answers are weighed against each other, but nothing has stood still."""
    world = World(wall_ahead=0.0)
    clock = world.clock()
    world.calls(clock, 60, every=7.37)
    world.provider_ahead -= 1.6
    world.calls(clock, 1)
    assert clock.jumped
    assert clock.steps == 0
    world.calls(clock, 3)
    assert not clock.jumped
    world.provider_ahead -= 9.0
    world.calls(clock, 1)
    assert clock.steps == 1


def test_slow_slewing_is_no_step() -> None:
    """A clock that is disciplined gently may move far, and is never suspected."""
    world = World(wall_ahead=0.0)
    clock = world.clock()
    for _ in range(1000):
        world.wall_ahead += 0.005
        world.calls(clock, 1)
        assert not clock.jumped
