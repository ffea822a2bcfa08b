"""A database that hangs is noticed, however the call ends in the end."""

import pytest

from demurrage.engine.punctual import Punctual


class Slow:
    """Takes its time, and keeps the time itself."""

    place = "here"

    def __init__(self) -> None:
        self.now = 0.0

    def read(self, seconds: float, *, fails: bool = False) -> str:
        """Answer after so long."""
        self.now += seconds
        if fails:
            raise TimeoutError
        return "read"


def test_calls_that_take_too_long_are_told_of() -> None:
    """Those that fail as well; what is no call has no length."""
    slow = Slow()
    late: list[float] = []
    store = Punctual(slow, 10.0, lambda: late.append(slow.now), lambda: slow.now)
    assert store.place == "here"
    assert store.read(10.0) == "read"
    assert late == []
    assert store.read(10.5) == "read"
    assert late == [20.5]
    with pytest.raises(TimeoutError):
        store.read(300.0, fails=True)
    assert late == [20.5, 320.5]
