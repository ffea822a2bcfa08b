"""The benchmark of spikes: what it skips is nothing."""

import pytest
from benchmarks.spike import CHANGES, NEVER, Change, best_delay, births, dice, hour, looks, warm

from demurrage.model.spike import Scope


@pytest.mark.parametrize(
    ("begun", "shares", "per_hour", "alarms"),
    [
        (warm(0.5), (0.5, 0.5, 0.5), 100, 1),
        (warm(0.92), (0.92, 0.99, 0.99), 100, 1),
        (warm(0.05), (0.05, 0.5, 0.05), 100, 1),
        (warm(0.5), (0.5, 0.5, 0.5), 500, 2),
        (Scope(0.0, 0.0), (0.5,) * 40, 30, 1),
    ],
)
def test_an_hour_that_is_skipped_ends_as_if_each_look_had_been_taken(
    begun: Scope, shares: tuple[float, ...], per_hour: float, alarms: int
) -> None:
    """Exactly, with and without alarms: levels, grains, what is usual, and what stands."""
    rng, some, all_, seen = dice(3), begun, begun, 0
    for share in shares:
        stream = births(rng, share, some.until, some.until + 3600.0, per_hour=per_hour)
        before = all_
        *_, some = hour(some, stream)
        *_, all_ = looks(all_, stream, all_.until + 3600.0)
        assert some == all_
        seen += len(all_.alarms.keys() - before.alarms.keys())
    assert seen == alarms


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_best_possible_test_is_silent_before_the_change(change: Change) -> None:
    """It strikes after the change, and not in a day without one."""
    steady = births(dice(4), change.before, 0.0, 86_400.0, tier=change.tier)
    assert best_delay(change, steady, 0.0) == NEVER
    end = 86_400.0 + change.window
    changed = births(
        dice(4), change.after, 86_400.0, end, per_hour=change.per_hour, tier=change.tier
    )
    assert 0.0 < best_delay(change, changed, 86_400.0) < change.window
