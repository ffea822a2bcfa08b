"""The sequential tests: what they promise holds by arithmetic, not by simulation."""

import math
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from demurrage.decide.spike_test import rate_level, share_level

NEVER = 1e300
SHARES = st.floats(0.01, 0.9)


@given(usual=SHARES, changed=SHARES, length=st.integers(1, 8))
def test_while_nothing_changes_a_share_gains_one_for_each_container(
    usual: float, changed: float, length: int
) -> None:
    """So before it reaches a level there have been as many containers on average."""
    assume(changed > usual)
    mean = sum(
        usual ** sum(fates)
        * (1 - usual) ** (length - sum(fates))
        * share_level(0.0, fates, usual, changed, dispersion=1.0, ceiling=NEVER)
        for fates in product((True, False), repeat=length)
    )
    assert mean == pytest.approx(length)


@given(expected=st.floats(0.01, 5.0), factor=st.floats(1.1, 5.0), level=st.floats(0.0, 100.0))
def test_while_nothing_changes_a_rate_gains_what_is_expected(
    expected: float, factor: float, level: float
) -> None:
    """The sum over all counts by their probability."""
    mean = sum(
        math.exp(-expected + count * math.log(expected) - math.lgamma(count + 1))
        * rate_level(level, count, expected, factor, dispersion=1.0, ceiling=NEVER)
        for count in range(120)
    )
    assert mean == pytest.approx(level + expected, rel=1e-6)


@given(
    fates=st.lists(st.booleans(), min_size=1, max_size=60),
    place=st.integers(0, 59),
    usual=SHARES,
    changed=SHARES,
    dispersion=st.floats(1.0, 5.0),
)
def test_one_more_orphan_never_speaks_against_a_change(
    fates: list[bool], place: int, usual: float, changed: float, dispersion: float
) -> None:
    """Whatever came before and after."""
    assume(changed > usual)
    more = list(fates)
    more[place % len(fates)] = True
    before, after = (
        share_level(0.0, some, usual, changed, dispersion=dispersion, ceiling=1e7)
        for some in (fates, more)
    )
    assert after >= before


@given(count=st.integers(0, 10_000), expected=st.floats(0.0, 1e4), level=st.floats(0.0, 1e7))
def test_a_rate_stays_within_its_ceiling(count: int, expected: float, level: float) -> None:
    """A flood overflows nothing, and one more orphan never lowers it."""
    one, more = (
        rate_level(level, each, expected, 3.0, dispersion=1.0, ceiling=1e7)
        for each in (count, count + 1)
    )
    assert 0.0 <= one <= more <= 1e7


def test_what_varies_more_counts_for_less() -> None:
    """Each container is worth a half where the past varies twice as much."""
    once = share_level(0.0, [True] * 5, 0.1, 0.5, dispersion=1.0, ceiling=NEVER)
    twice = share_level(0.0, [True] * 5, 0.1, 0.5, dispersion=2.0, ceiling=NEVER)
    assert twice < once


def test_dispersion_takes_the_root_of_all_evidence() -> None:
    """For a change and against it, of a share and of a rate."""
    for orphan, expected in ((True, 3.0**0.5), (False, 0.5**0.5)):
        level = share_level(0.0, [orphan], 0.2, 0.6, dispersion=2.0, ceiling=NEVER)
        assert level == pytest.approx(expected)
    level = rate_level(1.0, 2, 0.5, 3.0, dispersion=2.0, ceiling=NEVER)
    assert level == pytest.approx(1.5 * 3.0 * math.exp(-0.5))


def test_of_no_time_there_is_no_evidence() -> None:
    """Whatever came in it."""
    assert rate_level(0.0, 3, 0.0, 3.0, dispersion=1.0, ceiling=NEVER) == 0.0


@pytest.mark.parametrize("ceiling", [1e5, 1e6, 1e7])
def test_what_has_struck_stays_at_the_ceiling(ceiling: float) -> None:
    """To the last digit."""
    assert rate_level(ceiling, 0, 0.0, 3.0, dispersion=1.0, ceiling=ceiling) == ceiling
