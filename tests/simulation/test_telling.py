"""The check of the check: when lines reach the log."""

from math import inf

import pytest
from tests.simulation.faults import Dice
from tests.simulation.shape import Shape
from tests.simulation.story import tell
from tests.simulation.telling import Letter, write

_TROUBLES = ("late_lines", "missing_lines", "corrupt_lines")
_PROMPT = 0.3


def _letters(*faults: str, calm: float, seed: int = 3) -> list[Letter]:
    shape = Shape(seed=seed, faults=frozenset(faults), fury=30, containers=60)
    dice = Dice(shape.seed, shape.faults, shape.fury)
    story = tell(shape, dice)
    dice.calm_from = calm
    post = write(story, dice, story.over + shape.calm)
    return [each for letters in post.by_source.values() for each in letters]


@pytest.mark.parametrize("fault", _TROUBLES)
def test_once_all_is_calm_every_line_comes_at_once(fault: str) -> None:
    """What was held up until then comes too: nothing of the log is missing any more."""
    calm = 60.0
    letters = _letters(fault, calm=calm)
    assert any(each.at > calm for each in letters)
    assert all(each.arrives <= max(each.at, calm) + 2 * _PROMPT for each in letters)
    assert not any(calm <= each.at and each.garbled_at < each.arrives for each in letters)


@pytest.mark.parametrize("fault", _TROUBLES)
def test_until_then_lines_are_held_up(fault: str) -> None:
    """The faults do strike before."""
    held_up = [each for each in _letters(fault, calm=600.0) if each.arrives > each.at + _PROMPT]
    assert held_up


@pytest.mark.parametrize("seed", range(20))
def test_a_garbled_line_comes_before_it_is_healed(seed: int) -> None:
    """Also one that a dead writer left, which comes when its successor does."""
    letters = _letters("deaths", "corrupt_lines", calm=200.0, seed=seed)
    assert all(each.garbled_at < each.arrives for each in letters if each.garbled_at < inf)
