"""One look at a scope whose past is given: what begins, what stands, and what ends."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.decide.streams import HOUR, RULES

from demurrage.decide.binomial import lower_bound
from demurrage.decide.spike_scope import (
    COST,
    FAST,
    SLOW,
    STANDING,
    advance,
    least_rise,
    sought,
    usual_usd_per_hour,
)
from demurrage.decide.spike_test import rate_level, share_level
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Alarm, Rate, Scope, Settlement, Tally, Usual

NOW = 100 * HOUR
TOP = RULES.false_alarm_every
# One dollar an hour is usual; each orphan of the last 15 minutes is another, and one of the last
# five minutes is three there.
USUAL = Usual(0.1, 1.0, {"1g": Rate(4.0)}, Tally(1000, {"1g": 100}), 100.0)
USD = {"1g": 0.25}
# The first minutes of the windows, the long ones first.
FAST_LONG, FAST_SHORT, SLOW_LONG, SLOW_SHORT = 5985, 5995, 5640, 5940


def of(settled: int, orphans: int) -> Tally:
    """A tally of one tier."""
    return Tally(settled, {"1g": orphans} if orphans else {})


def scope(grains: Mapping[int, Tally], usual: Usual = USUAL, **more: Any) -> Scope:
    """One that has looked at all of this hour but the last moment."""
    return Scope(0.0, NOW, grains=grains, binned=6000, usual=usual, usual_at=100, **more)


def look(before: Scope, rules: SpikeRules = RULES, **more: Any) -> Scope:
    """A look at which nothing is born."""
    return advance(before, (), NOW, rules, usd_each=USD, **more)


def begun(before: Scope, rules: SpikeRules = RULES, **more: Any) -> Mapping[ConditionKind, Alarm]:
    """The alarms after it."""
    return look(before, rules, **more).alarms


@pytest.mark.parametrize(
    ("share", "fast", "slow", "fast_sought"),
    [(0.1, 0.2, 0.05, 0.475), (0.6, 0.3, 0.3, 0.925), (0.9, 0.45, 0.45, 1.35)],
)
def test_the_least_rise_is_the_larger_of_two(
    share: float, fast: float, slow: float, fast_sought: float
) -> None:
    """A number of points, or half of the usual; the fast test looks for more."""
    usual = replace(USUAL, share=share)
    assert least_rise(usual, FAST, RULES) == pytest.approx(fast)
    assert least_rise(usual, SLOW, RULES) == pytest.approx(slow)
    assert sought(usual, FAST, RULES) == pytest.approx(fast_sought)
    assert sought(usual, SLOW, RULES) == pytest.approx(share + slow)


def test_the_usual_dollars_are_those_of_each_tier() -> None:
    """One without a price costs nothing."""
    usual = replace(USUAL, rates={"1g": Rate(4.0), "64g": Rate(0.5), "unknown": Rate(9.0)})
    assert usual_usd_per_hour(usual, {"1g": 0.25, "64g": 2.0}) == 2.0


@pytest.mark.parametrize(
    ("kind", "long", "short", "window"),
    [
        (FAST, FAST_LONG, FAST_SHORT, RULES.fast_window),
        (SLOW, SLOW_LONG, SLOW_SHORT, RULES.slow_window),
    ],
)
class TestBeginning:
    """A test has struck: do both windows agree?"""

    def _struck(self, kind: ConditionKind, grains: Mapping[int, Tally], level: float) -> Scope:
        return scope(grains, fast=level) if kind is FAST else scope(grains, slow=level)

    def test_an_alarm_covers_its_window(
        self, kind: ConditionKind, long: int, short: int, window: float
    ) -> None:
        """With ten containers of which the least are enough, but not a level below the top."""
        grains = {long: of(5, 5), short: of(5, 5)}
        alarm = {kind: Alarm(NOW - window, NOW)}
        assert begun(self._struck(kind, grains, TOP)) == alarm
        assert begun(self._struck(kind, grains, TOP - 1)) == {}
        assert begun(self._struck(kind, grains, TOP), muted=frozenset({kind})) == {}

    def test_nine_are_too_few(
        self, kind: ConditionKind, long: int, short: int, window: float
    ) -> None:
        """All that lies before the window is none of it."""
        grains = {long - 1: of(5, 5), long: of(4, 4), short: of(5, 5)}
        assert begun(self._struck(kind, grains, TOP)) == {}

    def test_what_chance_may_make_is_none(
        self, kind: ConditionKind, long: int, short: int, window: float
    ) -> None:
        """Five of twenty may come of a tenth, six of ten hardly."""
        assert lower_bound(5, 20, RULES.confidence) < USUAL.share
        assert begun(self._struck(kind, {short: of(20, 5)}, TOP)) == {}
        assert set(begun(self._struck(kind, {short: of(10, 6)}, TOP))) == {kind}
        edge = replace(USUAL, share=lower_bound(6, 10, RULES.confidence))
        struck = replace(self._struck(kind, {short: of(10, 6)}, TOP), usual=edge)
        assert begun(struck) == {}

    def test_it_must_go_on(self, kind: ConditionKind, long: int, short: int, window: float) -> None:
        """In the short window the share is half way up at least."""
        least = {FAST: 5, SLOW: 8}[kind]
        for settled, alarmed in ((least, {kind}), (least + 1, set())):
            grains = {long: of(40, 30), short: of(settled, 1)}
            assert set(begun(self._struck(kind, grains, TOP))) == alarmed


def test_a_fast_alarm_begins_alone() -> None:
    """However the other tests stand, and while it stands they count nothing."""
    grains = {FAST_LONG: of(20, 20), FAST_SHORT: of(20, 20)}
    struck = scope(grains, fast=TOP, slow=TOP, rates={"1g": TOP})
    assert set(begun(struck)) == {FAST}
    stands = replace(struck, alarms={FAST: Alarm(NOW - 900, NOW - 60)})
    after = look(stands)
    assert after.alarms == stands.alarms
    assert (after.fast, after.slow, after.rates) == (0.0, 0.0, {})


class TestDollars:
    """When a rate has struck."""

    def _struck(self, old: int, fresh: int, **more: Any) -> Scope:
        rates = more.pop("rates", {"1g": TOP})
        return scope({FAST_LONG: of(90, old), FAST_SHORT: of(90, fresh)}, rates=rates, **more)

    def test_an_alarm_covers_the_fast_window(self) -> None:
        """And takes a level at the top."""
        assert begun(self._struck(4, 1)) == {COST: Alarm(NOW - RULES.fast_window, NOW)}
        assert begun(self._struck(4, 1, rates={"1g": TOP - 1})) == {}
        assert begun(self._struck(4, 1), muted=frozenset({COST})) == {}

    def test_it_is_no_fluke(self) -> None:
        """Four in a quarter of an hour may come of four an hour."""
        assert begun(self._struck(3, 1)) == {}

    def test_only_a_rate_that_has_struck_counts(self) -> None:
        """A tier that was never seen, nor is now, makes none."""
        assert begun(self._struck(9, 1, rates={"64g": TOP})) == {}
        assert set(begun(self._struck(9, 1, rates={"64g": TOP, "1g": TOP}))) == {COST}

    @pytest.mark.parametrize(("least", "begins"), [(5.0, True), (5.01, False)])
    def test_it_costs_enough_to_matter(self, least: float, *, begins: bool) -> None:
        """In the long window."""
        rules = replace(RULES, cost_warning_usd_per_hour=least)
        assert bool(begun(self._struck(4, 1), rules)) is begins

    @pytest.mark.parametrize(
        ("usually", "factor", "begins"),
        [(4.0, 3.0, True), (4.0, 3.01, False), (2.0, 6.0, True), (2.0, 6.01, False)],
    )
    def test_it_costs_several_times_the_usual(
        self, usually: float, factor: float, *, begins: bool
    ) -> None:
        """In the short window."""
        rules = replace(RULES, cost_factor=factor)
        usual = replace(USUAL, rates={"1g": Rate(usually)})
        assert bool(begun(self._struck(4, 1, usual=usual), rules)) is begins


class TestStanding:
    """A target that always leaks."""

    @pytest.mark.parametrize(("above", "begins"), [(0.0, True), (1e-9, False)])
    def test_it_is_told_from_its_line_on(self, above: float, *, begins: bool) -> None:
        """By the least that the past makes plausible."""
        least = lower_bound(100, 1000, RULES.confidence)
        rules = replace(RULES, standing_share=least + above)
        expected = {STANDING: Alarm(NOW, NOW)} if begins else {}
        assert begun(scope({}), rules) == expected
        assert begun(scope({}), rules, muted=frozenset({STANDING})) == {}

    def test_it_is_told_once(self) -> None:
        """From when it began."""
        stands = {STANDING: Alarm(NOW - 60, NOW - 60)}
        leaky = replace(USUAL, past=of(1000, 500))
        assert begun(scope({}, leaky, alarms=stands)) == stands

    @pytest.mark.parametrize(("orphans", "stands"), [(12, True), (11, False)])
    def test_it_ends_at_once_well_below(self, orphans: int, *, stands: bool) -> None:
        """And what it covers was no exception."""
        leaky = replace(USUAL, past=of(100, orphans))
        after = look(scope({}, leaky, alarms={STANDING: Alarm(NOW - 60, NOW - 60)}))
        assert set(after.alarms) == ({STANDING} if stands else set())
        assert after.skips == ()


class TestEnding:
    """An alarm stands until it has been calm for long enough."""

    @pytest.mark.parametrize(
        ("kind", "first"), [(FAST, FAST_LONG), (SLOW, SLOW_LONG)], ids=["fast", "slow"]
    )
    @pytest.mark.parametrize(("orphans", "calm"), [(2, True), (3, False)])
    def test_a_share_is_calm_a_third_of_the_way_up(
        self, kind: ConditionKind, first: int, orphans: int, *, calm: bool
    ) -> None:
        """In its own long window, whatever was before that."""
        fast, slow = (0.375, 0.9) if kind is FAST else (0.9, 0.375)
        rules = replace(RULES, fast_rise=fast, slow_rise=slow)
        usual = replace(USUAL, share=0.25)
        alarm = Alarm(NOW - 900, NOW - 600, calm_since=NOW - 60)
        before = scope({first - 1: of(9, 9), first: of(8, orphans)}, usual, alarms={kind: alarm})
        assert begun(before, rules) == {kind: alarm if calm else replace(alarm, calm_since=None)}

    @pytest.mark.parametrize(
        ("factor", "least", "orphans", "calm"),
        [
            (3.0, 1.0, 1, True),
            (3.0, 1.0, 2, False),
            (4.0, 1.0, 2, False),
            (4.01, 1.0, 2, True),
            (3.0, 9.0, 2, True),
            (3.0, 9.0, 3, False),
        ],
    )
    def test_dollars_are_calm_a_third_of_the_way_up(
        self, factor: float, least: float, orphans: int, *, calm: bool
    ) -> None:
        """Or below a third of what matters at all."""
        rules = replace(RULES, cost_factor=factor, cost_warning_usd_per_hour=least)
        alarm = Alarm(NOW - 900, NOW - 600)
        before = scope({FAST_LONG: of(9, orphans)}, alarms={COST: alarm})
        assert begun(before, rules) == {COST: replace(alarm, calm_since=NOW if calm else None)}

    @pytest.mark.parametrize(("ago", "ends"), [(300, True), (299, False)])
    def test_it_ends_after_its_quiet_time(self, ago: float, *, ends: bool) -> None:
        """What it covered is never learned from."""
        alarm = Alarm(NOW - 900, NOW - 600, calm_since=NOW - ago)
        after = look(scope({}, alarms={SLOW: alarm}, skips=((1.0, 2.0),)))
        assert after.alarms == ({} if ends else {SLOW: alarm})
        assert after.skips == ((1.0, 2.0), *(((NOW - 900, NOW),) if ends else ()))

    def test_one_that_goes_on_keeps_no_other(self) -> None:
        """Each ends by itself."""
        slow = Alarm(NOW - 900, NOW - 600)
        alarms = {SLOW: slow, COST: replace(slow, calm_since=NOW - 300)}
        assert begun(scope({SLOW_LONG: of(90, 80)}, alarms=alarms)) == {SLOW: slow}


@pytest.mark.parametrize(("later", "adopted"), [(0, True), (1, False)])
def test_what_has_lasted_for_a_whole_past_is_the_new_usual(later: float, *, adopted: bool) -> None:
    """But for a standing leak, all begins anew where the first alarm began."""
    first = NOW - RULES.baseline_minimum - RULES.baseline_lag - 2 * RULES.bin + later
    grains = {SLOW_LONG: of(90, 80), FAST_LONG: of(90, 80)}
    standing = {STANDING: Alarm(5.0, 5.0)}
    alarms = {SLOW: Alarm(first, first), COST: Alarm(first + 60, first + 60), **standing}
    leaky = replace(USUAL, past=of(1000, 500))
    before = scope(grains, leaky, alarms=alarms, fast=7.0, rates={"1g": 7.0})
    after = look(before)
    if adopted:
        assert after == replace(
            before, since=first, alarms=standing, fast=0.0, rates={}, usual=None, usual_at=-1
        )
    else:
        assert after.alarms == alarms
        assert after.fast == 7.0


@pytest.mark.parametrize("kind", [SLOW, COST])
def test_a_new_usual_begins_without_evidence(kind: ConditionKind) -> None:
    """Of whatever test."""
    alarms = {kind: Alarm(0.0, 0.0)}
    grains = {SLOW_LONG: of(90, 80), FAST_LONG: of(90, 80)}
    rules = replace(RULES, baseline_minimum=HOUR)
    after = look(scope(grains, alarms=alarms, fast=7.0, slow=7.0, rates={"1g": 7.0}), rules)
    assert after.alarms == {}
    assert (after.fast, after.slow, after.rates) == (0.0, 0.0, {})


class TestCounting:
    """What births add to the tests."""

    BIRTHS = (
        Settlement("a", int(NOW), "1g", orphan=True),
        Settlement("b", int(NOW), "1g", orphan=False),
        Settlement("c", int(NOW), "1g", orphan=True),
        Settlement("d", int(NOW), "64g", orphan=True),
    )

    def test_each_test_takes_its_own(self) -> None:
        """The tiers that are usual, those that were born, and those that were looked for."""
        usual = replace(USUAL, dispersion=2.0, rates={"1g": Rate(4.0, 1.5), "4g": Rate(1.0)})
        before = scope({}, usual, fast=3.0, slow=5.0, rates={"1g": 0.5, "16g": 2.0})
        after = advance(before, self.BIRTHS, NOW + 1800, RULES, usd_each=USD)
        fates = [each.orphan for each in self.BIRTHS]
        for level, start, kind in ((after.fast, 3.0, FAST), (after.slow, 5.0, SLOW)):
            changed = sought(usual, kind, RULES)
            assert level == share_level(start, fates, 0.1, changed, dispersion=2.0, ceiling=TOP)
        expected = {
            "1g": (0.5, 2, 2.0, 1.5),
            "4g": (0.0, 0, 0.5, 1.0),
            "16g": (2.0, 0, 0.005, 1.0),
            "64g": (0.0, 1, 0.005, 1.0),
        }
        assert after.rates == {
            tier: rate_level(start, count, usually, 3.0, dispersion=varies, ceiling=TOP)
            for tier, (start, count, usually, varies) in expected.items()
        }

    def test_what_is_muted_or_cannot_be_told_counts_nothing(self) -> None:
        """Nothing is more than all."""
        rules = replace(RULES, slow_rise=0.2, rise_factor=1.0)
        before = scope({}, replace(USUAL, share=0.8), fast=3.0, slow=5.0, rates={"1g": 2.0})
        muted = frozenset({FAST, COST})
        after = advance(before, self.BIRTHS, NOW + 60, rules, usd_each=USD, muted=muted)
        assert (after.fast, after.slow, after.rates) == (0.0, 0.0, {})
        assert after.until == NOW + 60


def test_what_is_usual_is_worked_out_once_an_hour() -> None:
    """Where the past has become too short to say, what was usual still is."""
    before = replace(scope({}), bins={number: of(100, 50) for number in range(100)})
    same = advance(before, (), NOW + 3599, RULES, usd_each=USD)
    assert (same.usual, same.usual_at) == (USUAL, 100)
    after = advance(before, (), NOW + 3600, RULES, usd_each=USD)
    assert after.usual is not None
    assert (after.usual.past.share, after.usual_at) == (0.5, 101)
    short = advance(scope({}), (), NOW + 3600, RULES, usd_each=USD)
    assert (short.usual, short.usual_at) == (USUAL, 101)
