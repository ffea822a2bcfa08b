"""The soak's judgement: what grows is found, what fluctuates is not."""

from random import Random

import pytest
from tests.proof.flat import Sample, trend, trends

TIMES = [10.0 * number for number in range(180)]


def noisy(growth: float, seed: int, outliers: int = 0) -> list[float]:
    """Around a hundred, growing by so much over all, with some samples that are far off."""
    rng = Random(seed)
    values = [100 + growth * at / TIMES[-1] + rng.uniform(-3, 3) for at in TIMES]
    for place in rng.sample(range(len(values)), outliers):
        values[place] += 80
    return values


@pytest.mark.parametrize("seed", range(5))
def test_what_fluctuates_is_flat_and_what_grows_is_not(seed: int) -> None:
    """A tenth of outliers bends nothing."""
    assert trend("x", TIMES, noisy(0, seed, outliers=18), share=0.05, least=0).flat
    grown = trend("x", TIMES, noisy(20, seed, outliers=18), share=0.05, least=0)
    assert not grown.flat
    # Three quarters of the time are looked at.
    assert grown.growth == pytest.approx(15, abs=3)


def test_the_start_is_no_leak_and_shrinking_is_none() -> None:
    """What fills up in the first quarter and stays is flat."""
    values = [min(at, TIMES[40]) for at in TIMES]
    assert trend("x", TIMES, values, share=0.0, least=0).flat
    assert trend("x", TIMES, [-each for each in TIMES], share=0.0, least=0).flat


@pytest.mark.parametrize("name", ["resident", "descriptors", "threads", "database"])
def test_each_figure_is_looked_at(name: str) -> None:
    """A leak of any one of them shows, and the others stay flat."""
    steady = {"resident": 10**8, "descriptors": 20, "threads": 7, "database": 10**7}
    samples = [
        Sample(at=at, **(steady | {name: steady[name] + int(at * steady[name] / 1000)}))
        for at in TIMES
    ]
    assert [each.name for each in trends(samples) if not each.flat] == [name]
