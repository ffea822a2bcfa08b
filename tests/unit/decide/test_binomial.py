"""The statistics of the share rail."""

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.binomial import (
    lower_bound,
    overdispersion,
    rate_lower_bound,
    upper_bound,
    upper_tail,
)


class TestUpperTail:
    """The binomial tail."""

    @given(trials=st.integers(0, 60), successes=st.integers(0, 60), percent=st.integers(0, 100))
    def test_equals_the_exact_sum(self, trials: int, successes: int, percent: int) -> None:
        """Against fractions, over small cases."""
        successes = min(successes, trials)
        share = Fraction(percent, 100)
        exact = sum(
            comb(trials, k) * share**k * (1 - share) ** (trials - k)
            for k in range(successes, trials + 1)
        )
        assert upper_tail(successes, trials, float(share)) == pytest.approx(
            float(exact), rel=1e-9, abs=1e-300
        )

    @given(trials=st.integers(1, 20_000), share=st.floats(0, 1), data=st.data())
    def test_stays_a_probability_at_any_size(
        self, trials: int, share: float, data: st.DataObject
    ) -> None:
        """No overflow and no underflow leads out of 0 to 1."""
        successes = data.draw(st.integers(0, trials))
        assert 0.0 <= upper_tail(successes, trials, share) <= 1.0

    @given(trials=st.integers(1, 500), share=st.floats(0.01, 0.99), data=st.data())
    def test_falls_with_the_count(self, trials: int, share: float, data: st.DataObject) -> None:
        """More successes are less likely."""
        successes = data.draw(st.integers(1, trials))
        more, fewer = (upper_tail(k, trials, share) for k in (successes, successes - 1))
        assert more <= fewer + 1e-12

    @pytest.mark.parametrize(("successes", "trials", "share"), [(3, 2, 0.5), (1, 2, 1.5)])
    def test_refuses_nonsense(self, successes: int, trials: int, share: float) -> None:
        """More successes than trials, or a share above one, is no case."""
        with pytest.raises(ValueError, match="no binomial case"):
            upper_tail(successes, trials, share)


class TestUpperBound:
    """Wilson's bound."""

    @given(trials=st.integers(1, 10_000), data=st.data())
    def test_lies_between_the_share_and_one(self, trials: int, data: st.DataObject) -> None:
        """It errs upwards only."""
        successes = data.draw(st.integers(0, trials))
        assert successes / trials - 1e-12 <= upper_bound(successes, trials, 3.0) <= 1.0

    def test_narrows_with_more_trials(self) -> None:
        """A long past is trusted more than a short one; none is not trusted at all."""
        bounds = [upper_bound(0.05 * n, n, 3.0) for n in (20, 100, 1000, 100_000)]
        assert bounds == sorted(bounds, reverse=True)
        assert bounds[-1] == pytest.approx(0.05, abs=0.003)
        assert upper_bound(0, 0, 3.0) == 1.0


class TestRateLowerBound:
    """The score bound of a rate."""

    @given(count=st.integers(0, 1000), exposure=st.floats(0.1, 100), z=st.floats(0.5, 4))
    def test_is_the_rate_under_which_so_many_are_so_far_off(
        self, count: int, exposure: float, z: float
    ) -> None:
        """The count lies `z` of the bound's own standard errors above what it makes expected."""
        expected = rate_lower_bound(count, exposure, z) * exposure
        assert count - expected == pytest.approx(z * expected**0.5, abs=1e-5)

    def test_of_nothing_seen_is_nothing(self) -> None:
        """However many there are said to be."""
        assert rate_lower_bound(3, 0.0, 3.0) == 0.0


class TestOverdispersion:
    """How much hourly shares vary."""

    def test_is_near_one_for_independent_cases(self) -> None:
        """Independent cases are worth what they number."""
        dice = random.Random(1)
        week = [(sum(dice.random() < 0.3 for _ in range(100)), 100) for _ in range(168)]
        assert overdispersion(week) == pytest.approx(1.0, abs=0.3)

    def test_is_near_the_size_of_clusters(self) -> None:
        """Cases that come five at a time with one fate are worth a fifth."""
        dice = random.Random(2)
        week = [(5 * sum(dice.random() < 0.3 for _ in range(20)), 100) for _ in range(168)]
        assert overdispersion(week) == pytest.approx(5.0, abs=1.2)

    def test_guesses_with_caution_while_the_past_is_short(self) -> None:
        """One hour tells nothing of clusters, nor do hours without any success."""
        assert overdispersion([(5, 100)]) == 3.0
        assert overdispersion([]) == 3.0
        assert overdispersion([(0, 100)] * 50) == 3.0

    @given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 100)), max_size=40))
    def test_is_never_below_one(self, groups: list[tuple[int, int]]) -> None:
        """Shares more alike than chance make do not count for more than they number."""
        assert overdispersion(groups) >= 1.0


class TestEdges:
    """Values at the very ends of their ranges."""

    def test_a_certain_share_makes_every_count_likely(self) -> None:
        """And an impossible one makes any success impossible."""
        assert upper_tail(3, 3, 1.0) == 1.0
        assert upper_tail(1, 3, 0.0) == 0.0
        assert upper_tail(0, 3, 0.0) == 1.0

    @pytest.mark.parametrize("share", [-0.01, 1.01])
    def test_a_share_beyond_them_is_refused(self, share: float) -> None:
        """As is a count beyond the trials."""
        with pytest.raises(ValueError, match="no binomial case"):
            upper_tail(1, 2, share)
        with pytest.raises(ValueError, match="no binomial case"):
            upper_tail(3, 2, 0.5)

    def test_rounding_makes_no_more_than_certainty(self) -> None:
        """Sums of thousands of terms round, and a probability stays one."""
        assert all(upper_tail(1, trials, 0.999) <= 1.0 for trials in range(1, 300))

    def test_wilsons_bound_is_the_known_one(self) -> None:
        """Solved for the share p at which the observed one lies z deviations below."""
        for successes, trials, z in ((3, 10, 1.96), (1, 1, 1.0), (0, 1, 2.0), (40, 50, 3.0)):
            bound = upper_bound(successes, trials, z)
            spread = (bound * (1 - bound) / trials) ** 0.5
            assert bound - successes / trials == pytest.approx(z * spread, abs=1e-9)
        assert upper_bound(0, 0, 2.0) == 1.0

    def test_wilsons_lower_bound_is_the_upper_one_of_the_others(self) -> None:
        """Solved for the share p at which the observed one lies z deviations above."""
        for successes, trials, z in ((3, 10, 1.96), (0, 1, 1.0), (1, 1, 2.0), (40, 50, 3.0)):
            bound = lower_bound(successes, trials, z)
            spread = (bound * (1 - bound) / trials) ** 0.5
            assert successes / trials - bound == pytest.approx(z * spread, abs=1e-6)
        assert lower_bound(0, 0, 2.0) == 0.0

    @pytest.mark.parametrize("z", [1.0, 2.0, 3.0])
    def test_rounding_leads_no_bound_beyond_certainty(self, z: float) -> None:
        """Where all or none were successes."""
        assert all(upper_bound(trials, trials, z) <= 1.0 for trials in range(1, 300))
        assert all(lower_bound(0, trials, z) >= 0.0 for trials in range(1, 300))

    def test_hours_without_a_container_say_nothing(self) -> None:
        """Nor do hours of one fate: both leave the guess as it is."""
        varied = [(1, 10), (9, 10), (5, 10), (8, 10)]
        assert overdispersion([*varied, (0, 0)]) == overdispersion(varied)
        assert overdispersion([*varied, (1, 1)]) != overdispersion(varied)
        assert overdispersion([]) == overdispersion([(0, 9), (0, 9)]) == 3.0
