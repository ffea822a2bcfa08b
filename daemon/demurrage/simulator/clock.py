"""The harbour's two times: an inner one that only runs, and the one it shows to the world."""

import time
from collections.abc import Callable


class HarbourClock:
    """Inner time orders what happens; shown time is what headers and rows carry.

    Stepping the shown clock (an offset of the settings) therefore moves no birth and no expiry.

    Args:
        source: inner time in epoch seconds; tests hand in their own.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        """Inner time in seconds."""
        return self._source()

    def shown(self, at: float | None = None) -> float:
        """The time that the harbour shows for an inner moment (default: now)."""
        return (self.now() if at is None else at) + self.offset


class ManualClock:
    """A source of time that moves only when told to."""

    def __init__(self, at: float = 1_750_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        """The present moment."""
        return self.at

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds
