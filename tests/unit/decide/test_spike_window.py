"""Sums over the latest past of a scope, in whole grains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.decide.streams import HOUR, RULES

from demurrage.decide.spike_window import Window, cost, fast_windows, slow_windows, window
from demurrage.model.spike import Scope, Tally

GRAIN = RULES.grain
MANY = {number: Tally(2, {"1g": 1}) for number in range(1000)}


# In seconds, to the millisecond: the thinnest of fractions are lost in a division.
MOMENTS = st.integers(0, int(900_000 * GRAIN)).map(lambda number: number / 1000)


@given(until=MOMENTS, seconds=MOMENTS)
def test_a_window_holds_whole_grains_and_never_more(until: float, seconds: float) -> None:
    """Those that begin within it, and its hours are those since the first began."""
    found = window(Scope(-1e6, until, grains=MANY), seconds, RULES)
    inside = [each for each in MANY if until - seconds <= each * GRAIN <= until]
    assert found.tally.settled == 2 * len(inside)
    assert found.tally.orphaned == len(inside)
    if until >= seconds:
        assert seconds - GRAIN <= found.hours * HOUR + 1e-6 <= seconds + 2e-6


def test_a_window_is_no_longer_than_the_scope_is_old() -> None:
    """What was before its first birth is no quiet time."""
    young = Scope(100 * GRAIN - 90.0, 100 * GRAIN, grains=MANY)
    assert window(young, 900.0, RULES).hours == 90.0 / HOUR


def test_windows_are_the_fast_and_the_slow_ones() -> None:
    """Each pair begins with the long one."""
    scope = Scope(0.0, 900 * GRAIN, grains=MANY)
    for pair, long, short in (
        (fast_windows(scope, RULES), RULES.fast_window, RULES.fast_confirm),
        (slow_windows(scope, RULES), RULES.slow_window, RULES.slow_confirm),
    ):
        assert pair.long == window(scope, long, RULES)
        assert pair.short == window(scope, short, RULES)
        assert pair.long.hours == long / HOUR > pair.short.hours == short / HOUR


def test_money_is_that_of_its_orphans_an_hour() -> None:
    """A tier without a price counts as nothing, and no time costs nothing."""
    tally = Tally(9, {"1g": 2, "unknown": 3, "64g": 1})
    assert cost(tally, {"1g": 0.5, "64g": 2.0}) == 3.0
    assert Window(tally, 0.25).usd_per_hour({"1g": 0.5, "64g": 2.0}) == pytest.approx(12.0)
    assert Window(tally, 0.0).usd_per_hour({"1g": 0.5}) == 0.0
