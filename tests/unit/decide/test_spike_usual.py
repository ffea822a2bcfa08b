"""What is learned to be usual."""

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.decide.streams import DAY, HOUR, RULES, WARM_DAYS, warm

from demurrage.decide.binomial import upper_bound
from demurrage.decide.spike_usual import usual_at
from demurrage.model.condition import ConditionKind
from demurrage.model.spike import Alarm, Scope, Tally, Usual

NOW = WARM_DAYS * DAY


def known(scope: Scope, now: float = NOW) -> Usual:
    """What is usual, where there is enough to say so."""
    usual = usual_at(scope, now, RULES)
    assert usual is not None
    return usual


@pytest.mark.parametrize("share", [0.05, 0.5, 0.92])
def test_a_steady_past_is_told_closely_and_from_above(share: float) -> None:
    """Nor is chance taken for a difference between hours."""
    usual = known(warm(share))
    assert share - 0.005 < usual.share < share + 0.01
    assert usual.dispersion == 1.0
    assert usual.rates["1g"].per_hour == pytest.approx(100 * share, rel=0.1)


def test_a_short_or_thin_past_says_nothing() -> None:
    """A day of whole hours before the lag, and two hundred containers, or nothing."""
    begun = DAY + 6 * HOUR
    assert usual_at(replace(warm(0.5), until=begun), begun - 1.0, RULES) is None
    assert usual_at(replace(warm(0.5), until=begun), begun, RULES) is not None
    assert usual_at(warm(0.5, per_hour=1, days=8), 8 * DAY, RULES) is None
    assert usual_at(Scope(0.0, 0.0), 0.0, RULES) is None


def test_no_orphan_yet_is_no_certainty() -> None:
    """A share of nothing cannot be tested against."""
    usual = known(warm(0.0))
    assert usual.share == 0.01
    assert usual.rates == {} or usual.rates["1g"].per_hour < 0.1


def test_the_last_hours_are_not_learned() -> None:
    """A leak must be found before it is usual."""
    scope = warm(0.05)
    leak = {number: Tally(100, {"1g": 100}) for number in range(WARM_DAYS * 24 - 6, WARM_DAYS * 24)}
    assert known(replace(scope, bins={**scope.bins, **leak})) == known(scope)


def test_what_an_alarm_covers_is_not_learned() -> None:
    """Nor what was skipped; a standing leak is no reason to learn nothing."""
    scope = warm(0.05)
    leak = {number: Tally(100, {"1g": 100}) for number in range(300, 330)}
    spoilt = replace(scope, bins={**scope.bins, **leak})
    assert known(spoilt).share > 0.1
    skipped = replace(spoilt, skips=((300 * HOUR + 60, 330 * HOUR - 60),))
    assert known(skipped).share < 0.06
    alarm = Alarm(300 * HOUR, 301 * HOUR)
    assert known(replace(spoilt, alarms={ConditionKind.ORPHAN_COST: alarm})).share < 0.06
    assert known(replace(spoilt, alarms={ConditionKind.STANDING_LEAK: alarm})) == known(spoilt)


def test_hours_of_the_week_that_differ_have_their_own_share() -> None:
    """From two weeks on; before that the whole stands for each."""
    rng = random.Random(1)

    def nights(days: int) -> Scope:
        shares = (0.6 if number % 24 < 6 else 0.05 for number in range(days * 24))
        bins = {
            number: Tally(100, {"1g": sum(rng.random() < share for _ in range(100))})
            for number, share in enumerate(shares)
        }
        return Scope(0.0, days * DAY, bins=bins, binned=days * 1440)

    aware, new = nights(22), nights(8)
    night, noon = 3 * HOUR, 12 * HOUR
    assert known(aware, 22 * DAY + night).share > 0.5
    assert known(aware, 22 * DAY + noon).share < 0.08
    assert known(aware, 22 * DAY + noon).dispersion == 1.0
    by_night, by_day = known(new, 8 * DAY + night), known(new, 8 * DAY + noon)
    assert by_night.share == pytest.approx(by_day.share, abs=0.02)
    assert by_night.dispersion > 10


def test_runs_of_orphans_make_it_cautious() -> None:
    """Hours that differ by more than chance, and by no calendar, widen what is usual."""
    rng = random.Random(2)
    bins = {
        number: Tally(100, {"1g": 50 if rng.random() < 0.1 else 1})
        for number in range(WARM_DAYS * 24)
    }
    usual = known(Scope(0.0, NOW, bins=bins, binned=WARM_DAYS * 1440))
    assert usual.dispersion > 5
    assert usual.rates["1g"].dispersion > 5


STEADY = {number: Tally(100, {"1g": 10}) for number in range(1000)}


def past(hours: int, *, since: float = 0.0, **more: Any) -> Scope:
    """So many hours alike in which each tenth of a hundred is an orphan."""
    bins = more.pop("bins", {number: STEADY[number] for number in range(hours)})
    return Scope(since, hours * HOUR, bins=bins, binned=hours * 60, **more)


def test_a_steady_past_is_told_from_one_standard_error_above() -> None:
    """By Wilson's bound for the share, by the root of the count for the rate."""
    hours, now = 100, 106 * HOUR
    usual = known(past(hours), now)
    assert usual.past == Tally(100 * hours, {"1g": 10 * hours})
    assert usual.hours == hours
    assert usual.dispersion == usual.rates["1g"].dispersion == 1.0
    assert usual.share == pytest.approx(upper_bound(1000, 10_000, 1.0))
    assert usual.rates["1g"].per_hour == pytest.approx(10 + (10 / hours) ** 0.5)


@pytest.mark.parametrize(
    ("hours", "each", "enough"), [(24, 9, True), (24, 8, False), (23, 9, False)]
)
def test_a_past_is_a_day_and_two_hundred_containers(hours: int, each: int, *, enough: bool) -> None:
    """At the least."""
    bins = {number: Tally(each, {"1g": 1}) for number in range(hours)}
    rules = replace(RULES, baseline_containers=24 * 9)
    found = usual_at(past(hours, bins=bins), (hours + 6) * HOUR, rules)
    assert (found is not None) is enough


@pytest.mark.parametrize(
    ("changes", "now", "hours"),
    [
        ({}, 106 * HOUR - 1, 99),
        ({"since": 1.0}, 106 * HOUR, 99),
        ({"binned": 60 * 99 + 59}, 106 * HOUR, 99),
        ({"skips": ((50 * HOUR, 51 * HOUR),)}, 106 * HOUR, 99),
        ({"skips": ((50 * HOUR - 1, 51 * HOUR + 1),)}, 106 * HOUR, 97),
        ({"alarms": {ConditionKind.ORPHAN_COST: Alarm(90 * HOUR, 91 * HOUR)}}, 106 * HOUR, 90),
        ({}, 40 * HOUR + RULES.baseline, 60),
        ({}, 40 * HOUR + RULES.baseline + 1, 59),
    ],
)
def test_only_whole_hours_that_may_be_learned_from_are(
    changes: dict[str, Any], now: float, hours: int
) -> None:
    """Each of them to the second."""
    usual = usual_at(replace(past(100), **changes), now, RULES)
    assert usual is not None
    assert usual.hours == hours


def test_a_tier_that_came_once_may_come_again() -> None:
    """In as many hours; those without it count."""
    bins = {**{number: STEADY[number] for number in range(100)}, 50: Tally(100, {"64g": 1})}
    rate = known(past(100, bins=bins), 106 * HOUR).rates["64g"]
    assert rate.per_hour == pytest.approx(0.01 + 0.01)
    assert rate.dispersion == 1.0


@pytest.mark.parametrize(("off", "dispersion"), [(8, 6.4), (4, 1.6), (3, None)])
def test_hours_that_differ_by_no_calendar_widen_a_rate(off: int, dispersion: float | None) -> None:
    """By the root of how much more than chance they differ, where that is evident."""
    hours = 192
    bins = {n: Tally(100, {"1g": 10 - off if n % 2 else 10 + off}) for n in range(hours)}
    rate = known(past(hours, bins=bins), (hours + 6) * HOUR).rates["1g"]
    expected = 1.0 if dispersion is None else dispersion * hours / (hours - 1)
    assert rate.dispersion == pytest.approx(expected)
    assert rate.per_hour == pytest.approx(10 + (10 * rate.dispersion / hours) ** 0.5)


def test_a_burst_of_a_rare_tier_is_evident() -> None:
    """Ten in one hour of a hundred vary ten times as much as chance."""
    bins = {**{number: STEADY[number] for number in range(100)}, 50: Tally(100, {"64g": 10})}
    assert known(past(100, bins=bins), 106 * HOUR).rates["64g"].dispersion == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("filled", "dispersion"),
    [
        ((Tally(150, {"1g": 84}), Tally(150, {"1g": 66})), 4.32),
        ((Tally(150, {"1g": 83}), Tally(150, {"1g": 67})), 1.0),
        ((Tally(300, {"1g": 90}),), 1.0),
    ],
)
def test_hours_without_a_container_say_nothing_of_shares(
    filled: tuple[Tally, ...], dispersion: float
) -> None:
    """Two that differ are a difference, and one is none."""
    bins = {**dict.fromkeys(range(24), Tally()), **dict(enumerate(filled))}
    assert known(past(24, bins=bins), 30 * HOUR).dispersion == pytest.approx(dispersion)


@pytest.mark.parametrize(("hour", "value"), [(3, 120), (12, 10)], ids=["night", "day"])
def test_after_two_weeks_an_hour_of_the_week_is_drawn_towards_the_whole(
    hour: int, value: int
) -> None:
    """By as much as chance may make of the difference; a day less, and the whole stands for it."""
    bins = {number: Tally(100, {"1g": 60 if number % 24 < 6 else 5}) for number in range(336)}
    now = (14 * 24 + 24 + hour) * HOUR
    usual = known(past(336, bins=bins), now)

    def drawn(exposure: float, mean: float, variance: float) -> tuple[float, float]:
        chi = (off * off / (exposure * variance) for off in (82.5, *(3 * [-27.5])))
        pull = exposure / (42 * sum(chi) / 167 - 1)
        return (value + pull * mean) / (exposure + pull), exposure + pull

    share, worth = drawn(200, 0.1875, 0.1875 * 0.8125)
    assert usual.share == pytest.approx(upper_bound(share * worth, worth, 1.0))
    rate, worth = drawn(2, 18.75, 18.75)
    assert usual.rates["1g"].per_hour == pytest.approx(rate + (rate / worth) ** 0.5)
    assert usual.dispersion == usual.rates["1g"].dispersion == 1.0

    young = known(past(336, bins=bins, since=1.0), now)
    assert young.share == pytest.approx(0.1875, abs=0.1)
    assert young.dispersion > 5


def test_an_hour_of_the_week_that_was_always_empty_is_like_the_whole() -> None:
    """With as little weight as the whole has for the others."""
    shares = {number: 60 if number % 24 < 12 else 5 for number in range(336)}
    bins = {n: Tally() if n % 24 == 3 else Tally(100, {"1g": of}) for n, of in shares.items()}
    mean = (77 * 120 + 84 * 10) / (161 * 200)
    off = 77 * (120 - 200 * mean) ** 2 + 84 * (10 - 200 * mean) ** 2
    pull = 200 / (off / (200 * mean * (1 - mean)) / 160 - 1)
    usual = known(past(336, bins=bins), (15 * 24 + 3) * HOUR)
    assert usual.share == pytest.approx(upper_bound(mean * pull, pull, 1.0))
