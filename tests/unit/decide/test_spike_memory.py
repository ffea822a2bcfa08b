"""Births become grains, grains become bins, and what is old goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.decide.streams import DAY, HOUR, RULES

from demurrage.decide.spike_memory import add, remember, restart_at, skip
from demurrage.model.spike import Rate, Scope, Settlement, Tally, Usual

USUAL = Usual(0.1, 1.0, {"1g": Rate(1.0)}, Tally(10, {"1g": 1}), 10.0)


def born(at: float, tier: str = "1g", *, orphan: bool = True) -> Settlement:
    """A birth."""
    return Settlement(f"c{at}", int(at), tier, orphan)


def test_births_are_counted_by_their_minute() -> None:
    """The settled and the orphans among them, by tier."""
    some = [born(60), born(119, "4g"), born(60, orphan=False), born(120, "4g")]
    grains = {2: Tally(1, {"4g": 1})}
    add(grains, some, RULES)
    assert grains == {1: Tally(3, {"1g": 1, "4g": 1}), 2: Tally(2, {"4g": 2})}


@given(
    ages=st.lists(st.integers(0, int(DAY) - 1), max_size=30),
    stops=st.lists(st.integers(1, int(DAY)), max_size=5),
)
def test_each_birth_is_in_one_bin_once_its_hour_is_over(ages: list[int], stops: list[int]) -> None:
    """However often one looks meanwhile, and whatever the steps."""
    scope, before = Scope(0.0, 0.0), 0
    for until in [*sorted(stops), int(DAY)]:
        scope = remember(scope, [born(at) for at in ages if before <= at < until], until, RULES)
        before = until
        over = until // 3600
        assert scope.until == until
        assert scope.binned == 60 * over
        for hour in range(24):
            count = sum(at // 3600 == hour for at in ages) if hour < over else 0
            assert scope.bins.get(hour, Tally()).settled == count


@pytest.mark.parametrize(("seconds", "grains"), [(3599.0, {}), (3600.0, {0: Tally(2, {"1g": 2})})])
def test_an_hour_goes_to_its_bin_when_it_ends(seconds: float, grains: dict[int, Tally]) -> None:
    """Not before, and the minutes stay meanwhile."""
    scope = remember(Scope(0.0, 0.0), [born(0), born(3540)], seconds, RULES)
    assert scope.bins == grains
    assert set(scope.grains) == {0, 59}


def test_the_first_minute_of_an_hour_waits_for_its_end() -> None:
    """And is counted once."""
    scope = remember(Scope(0.0, 0.0), [born(0), born(3600)], 3700.0, RULES)
    assert scope.bins == {0: Tally(1, {"1g": 1})}
    assert remember(scope, (), 7200.0, RULES).bins[1] == Tally(1, {"1g": 1})


def test_what_is_older_than_it_may_be_learned_from_is_let_go() -> None:
    """Bins and skips before the baseline, and minutes that no window reaches."""
    until = 700 * HOUR
    oldest = until - RULES.baseline
    number, minute = int(oldest / HOUR), int((until - RULES.keep) / RULES.grain)
    scope = Scope(
        0.0,
        until - 60,
        bins={each: Tally(1) for each in range(number - 2, number + 1)},
        grains={each: Tally(1) for each in range(minute - 2, minute + 1)},
        binned=699 * 60,
        skips=((1.0, oldest), (2.0, oldest + 1)),
    )
    after = remember(scope, (), until, RULES)
    assert set(after.bins) == {number - 1, number}
    assert set(after.grains) == {minute}
    assert after.skips == ((2.0, oldest + 1),)


def test_a_skip_moves_the_scope_forward_and_never_back() -> None:
    """It joins those that there are."""
    scope = Scope(0.0, 50.0, skips=((1.0, 2.0),))
    assert skip(scope, 50.0, 90.0) == Scope(0.0, 90.0, skips=((1.0, 2.0), (50.0, 90.0)))
    assert skip(scope, 20.0, 40.0).until == 50.0


def test_a_restart_forgets_what_was_usual() -> None:
    """And of the skips those that ended by then."""
    scope = Scope(0.0, 50.0, skips=((1.0, 20.0), (3.0, 21.0)), usual=USUAL, usual_at=7)
    assert restart_at(scope, 20.0) == Scope(20.0, 50.0, skips=((3.0, 21.0),))
