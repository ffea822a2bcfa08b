"""One scope through simulated time: what it finds, how soon, and what leaves it quiet."""

import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.decide.streams import DAY, HOUR, RULES, USD, births, delay, looks, warm

from demurrage.decide.spike_memory import add, skip
from demurrage.decide.spike_scope import COST, FAST, SLOW, STANDING, advance
from demurrage.model.condition import ConditionKind
from demurrage.model.spike import Scope, Settlement, Tally

SEEDS = 60
# Seconds until an orphan's verdict, on top of what the test itself takes.
SETTLING = 45.0


def delays(
    before: Scope,
    kind: ConditionKind,
    share: float,
    within: float,
    *,
    per_hour: float = 100.0,
    tier: str = "1g",
) -> list[float]:
    """How long a change takes to be found, from one seed to the next."""
    start = before.until + HOUR
    usual = before.bins[0].share
    found = []
    for seed in range(SEEDS):
        rng = random.Random(seed)
        last = births(rng, usual, before.until, start, tier=tier)
        scope = advance(before, last, start, RULES, usd_each=USD)
        stream = births(rng, share, start, start + within, per_hour=per_hour, tier=tier)
        took = delay(scope, stream, kind, within=within)
        found.append(float("inf") if took is None else took + SETTLING)
    return sorted(found)


def test_a_leak_is_found_in_minutes() -> None:
    """From 5 % to 60 % at a hundred an hour."""
    found = delays(warm(0.05), FAST, 0.6, 40 * 60.0)
    assert statistics.median(found) <= 600.0
    assert sum(each > 1200.0 for each in found) <= 1


def test_a_slow_leak_is_found_in_hours() -> None:
    """From 5 % to 15 %: six hours at most, and a warning only."""
    scope = warm(0.05)
    for seed in range(20):
        stream = births(random.Random(seed), 0.15, scope.until, scope.until + 6 * HOUR)
        assert delay(scope, stream, SLOW, within=6 * HOUR, step=120.0) is not None


@pytest.mark.parametrize("share", [0.5, 0.92])
def test_five_times_the_volume_is_found_in_minutes(share: float) -> None:
    """The share is as always; the dollars are not."""
    found = delays(warm(share), COST, share, 30 * 60.0, per_hour=500.0)
    assert statistics.median(found) <= 600.0


def test_five_times_as_few_are_found_in_an_hour() -> None:
    """Twenty-five dear orphans an hour for five; the best of tests takes thirty-eight minutes."""
    found = delays(warm(0.05, tier="64g"), COST, 0.05, 3 * HOUR, per_hour=500.0, tier="64g")
    assert statistics.median(found) <= 75 * 60.0
    assert sum(each == float("inf") for each in found) <= 1


def test_a_dearer_tier_is_found() -> None:
    """As many orphans as always, of the tier that costs 64 times as much."""
    scope = warm(0.5)
    start = scope.until
    stream = births(random.Random(3), 0.5, start, start + HOUR, tier="64g")
    assert delay(scope, stream, COST, within=HOUR) is not None


@pytest.mark.parametrize(("share", "later"), [(0.05, 0.05), (0.5, 0.5), (0.92, 0.92), (0.92, 0.99)])
def test_a_steady_target_pages_nobody(share: float, later: float) -> None:
    """Not in two weeks, and a high share is told of once; the benchmark takes a thousand days."""
    scope = warm(share)
    stream = births(random.Random(7), later, scope.until, scope.until + 14 * DAY)
    begun: list[ConditionKind] = []
    for each in looks(scope, stream, scope.until + 14 * DAY, step=300.0):
        begun += [kind for kind in each.alarms if kind not in scope.alarms]
        scope = each
    assert begun == ([STANDING] if share >= RULES.standing_share else [])


@pytest.mark.parametrize("share", [0.05, 0.6, 1.0])
def test_a_cold_start_pages_nobody(share: float) -> None:
    """What was always so is no change, however high."""
    stream = births(random.Random(5), share, 0.0, 3 * DAY)
    for each in looks(Scope(0.0, 0.0), stream, 3 * DAY, step=300.0):
        assert not set(each.alarms) - {STANDING}
        if each.until < DAY + 6 * HOUR:
            assert not each.alarms


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), per_hour=st.integers(1, 30), share=st.floats(0.0, 1.0))
def test_too_few_are_no_spike(seed: int, per_hour: int, share: float) -> None:
    """While the window holds fewer than the least, nothing pages, whatever they are."""
    scope = warm(0.02)
    start = scope.until
    stream = births(random.Random(seed), share, start, start + 6 * HOUR, per_hour=per_hour)
    for each in looks(scope, stream, start + 6 * HOUR, step=300.0):
        if FAST in each.alarms:
            opened = each.alarms[FAST].opened_at
            since = opened - RULES.fast_window
            assert sum(since <= one.born_at < opened for one in stream) >= RULES.min_containers
            break


def test_one_of_one_is_no_spike() -> None:
    """Nor a handful."""
    scope = warm(0.0)
    start = scope.until
    few = [Settlement(f"c{at}", int(start + 10 * at), "1g", orphan=True) for at in range(9)]
    for each in looks(scope, few, start + 2 * HOUR):
        assert not each.alarms


def test_it_ends_when_the_leak_does_and_is_the_same_until_then() -> None:
    """With hysteresis: one alarm from its opening to its end, and it is not learned."""
    scope = warm(0.05)
    start = scope.until
    rng = random.Random(11)
    stream = births(rng, 0.6, start, start + 3 * HOUR)
    stream += births(rng, 0.05, start + 3 * HOUR, start + 60 * HOUR)
    opened = ended = None
    opens = 0
    was = False
    for each in looks(scope, stream, start + 60 * HOUR):
        stands = FAST in each.alarms
        opens += stands and not was
        opened = each.until if stands and opened is None else opened
        ended = each.until if was and not stands else ended
        was = stands
        scope = each
    assert opens == 1
    assert opened is not None
    assert ended is not None
    assert start + 3 * HOUR < ended < start + 4 * HOUR
    assert scope.usual is not None
    assert scope.usual.share < 0.06


def test_what_lasts_becomes_usual() -> None:
    """After a day and the lag the new level is the past; that it always leaks is told instead."""
    scope = warm(0.05)
    start = scope.until
    stream = births(random.Random(13), 0.6, start, start + 3 * DAY)
    last = scope
    for last in looks(scope, stream, start + 3 * DAY, step=300.0):
        if last.until < start + DAY and last.until > start + HOUR:
            assert FAST in last.alarms
    assert set(last.alarms) == {STANDING}
    assert last.usual is not None
    assert last.usual.share == pytest.approx(0.6, abs=0.03)


def test_a_fast_leak_is_told_once() -> None:
    """Neither as a slow one nor by its dollars, for those are in it."""
    scope = warm(0.05)
    start = scope.until
    stream = births(random.Random(17), 0.9, start, start + 5 * HOUR)
    seen: set[ConditionKind] = set()
    for each in looks(scope, stream, start + 5 * HOUR):
        seen |= set(each.alarms)
    assert seen == {FAST}


def test_dollars_below_the_least_are_no_matter() -> None:
    """However many times the usual they are."""
    scope = warm(0.5, per_hour=10)
    start = scope.until
    stream = births(random.Random(19), 0.5, start, start + 3 * HOUR, per_hour=50)
    rules = replace(RULES, cost_warning_usd_per_hour=3.0)
    for each in looks(scope, stream, start + 3 * HOUR, rules=rules):
        assert COST not in each.alarms


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 59), share=st.sampled_from([0.05, 0.3, 0.6]))
def test_a_restart_is_no_restart(seed: int, cut: int, share: float) -> None:
    """The grains are counted again from the births that are kept; all else is the same."""
    begun = warm(0.05)
    start = begun.until
    stream = births(random.Random(seed), share, start, start + HOUR)
    straight = list(looks(begun, stream, start + HOUR))
    before = straight[cut - 1]
    grains: dict[int, Tally] = {}
    add(grains, [each for each in stream if each.born_at < before.until], RULES)
    again = replace(before, grains=grains)
    rest = [each for each in stream if each.born_at >= before.until]
    assert [*looks(again, rest, start + HOUR)][-1] == straight[-1]


def test_a_time_that_nobody_watched_counts_for_nothing() -> None:
    """It is neither quiet nor a past; what comes after it is compared with what was before."""
    scope = warm(0.5)
    gone = skip(scope, scope.until, scope.until + 2 * DAY)
    after = advance(gone, (), gone.until + 60.0, RULES, usd_each=USD)
    assert after.usual is not None
    assert after.usual.hours == pytest.approx(16 * 24 - 1, abs=1.0)
    assert after.rates["1g"] < 2.0


def test_what_is_old_is_let_go() -> None:
    """Neither grains nor bins nor skips grow for ever."""
    scope = replace(warm(0.5, days=27), skips=((0.0, 60.0),))
    end = scope.until + 3 * DAY
    stream = births(random.Random(23), 0.5, scope.until, end)
    last = list(looks(scope, stream, end, step=1800.0))[-1]
    assert len(last.grains) <= RULES.keep / RULES.grain + 2
    assert len(last.bins) <= RULES.baseline / RULES.bin + 2
    assert last.skips == ()
