"""One response by itself: what its events make of it, in whatever order they are read."""

import pytest

from demurrage.decide.response import Moment, Response
from demurrage.decide.source import Source

APP = Source("app-1")


@pytest.mark.parametrize(
    ("first", "second", "precedes"),
    [
        ((5.0, 1), (5.0, 1), True),
        ((5.0, 1), (5.0, 2), True),
        ((5.0, 1), (6.0, 2), True),
        ((5.0, 2), (5.0, 1), False),
        ((6.0, 1), (5.0, 2), False),  # its clock was set in between
        ((5.0, 2), (6.0, 1), False),
        ((5.0, None), (5.0, 1), True),
        ((5.0, 2), (5.0, None), True),
        ((5.0, None), (5.0, None), True),
        ((6.0, None), (5.0, None), False),
        ((6.0, None), (5.0, 1), False),
    ],
)
def test_a_writer_s_own_order_is_told_by_its_clock_and_its_count(
    first: tuple[float, int | None], second: tuple[float, int | None], *, precedes: bool
) -> None:
    """Where it has one; both at once is before, too."""
    one, other = (Moment(time, APP, place) for time, place in (first, second))
    assert one.precedes(other) is precedes


def test_what_stepped_back_waits_for_nothing() -> None:
    """Its end is the other's to tell."""
    own, read = Response("a"), Response("resp_a")
    own.absorb(read)
    assert read.ended
    assert not own.ended
