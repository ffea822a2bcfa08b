"""By how much this machine's clock is ahead of the API's."""

import time
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime
from functools import partial
from math import inf

# The API's `Date` is cut to whole seconds.
_DATE_STEP = 1.0
# An answer that may have waited for longer tells too little to begin with: what the log is told
# is the middle between the bounds.
_MOST_UNREAD = 2.0
# A daemon measures the time at the API by such dates, and tells it again: no better than this.
_DAEMON_SPREAD = 1.5
# For so many seconds after a daemon has told the time no date counts: a proxy writes its own. It
# tells the time every few seconds, as long as it can be reached.
_DAEMON_COUNTS = 30.0
# What is less may be a clock that is read slowly; no `Date` tells the offset so exactly.
_SLIGHTEST_STEP = 0.05
_TRIES = 3
# Goes on while the machine sleeps, as the wall clock does. Where there is none a sleep looks like
# a step: the daemon then knows the clock less exactly until the next `Date`.
_STEADY = getattr(time, "CLOCK_BOOTTIME", None)


steady: Callable[[], float] = (
    time.monotonic if _STEADY is None else partial(time.clock_gettime, _STEADY)
)
"""Seconds that have passed since some moment, whatever the wall clock is set to."""


def zero() -> float:
    """What the wall clock shows when the steady one is at zero: it changes only by a step."""
    found, least = 0.0, float("inf")
    for _ in range(_TRIES):
        before = steady()
        wall = time.time()
        took = steady() - before
        if took < least:
            found, least = wall - before - took / 2, took
        if took < _SLIGHTEST_STEP / 10:
            break
    return found


def stepped(since: float, until: float) -> bool:
    """True where the wall clock was set between two values of `zero`."""
    return abs(until - since) > _SLIGHTEST_STEP


class Offset:
    """The bounds that the time at the API puts on the clock's offset, in seconds.

    It is told by the `Date` headers of its answers, and better by a daemon that takes events. A
    clock that is set between two dates takes its bounds along. Any thread may ask and tell: what
    is known is replaced as one, with the value of `zero` that it holds for.
    """

    def __init__(self) -> None:
        self._known: tuple[float, float, float] | None = None
        self._last: tuple[str | None, float] = (None, 0.0)
        # What `zero` was before the last step, and when that was noticed on the steady clock.
        self._step: tuple[float, float] | None = None
        # The least and the most that `zero` was since `begin`. Where two threads look at once, one
        # may strike out what the other has found; that is found again as long as it holds.
        self._zeros = (inf, -inf)
        # When a daemon last told the time, on the steady clock.
        self._daemon_told_at = -inf

    def begin(self) -> None:
        """From now on events bear this clock, whatever its offset turns out to be."""
        found = zero()
        self._zeros = (found, found)

    @property
    def known(self) -> bool:
        """True once the time at the API was told."""
        return self._known is not None

    @property
    def seconds(self) -> float | None:
        """By how many seconds this clock is ahead; None until the time at the API was told."""
        known = self._look()
        return None if known is None else (known[1] + known[2]) / 2

    @property
    def others(self) -> list[float]:
        """The least and the most that it was since `begin`, in seconds, but for what it is now."""
        known = self._look()
        if known is None:
            return []
        now, low, high = known
        return [(low + high) / 2 + each - now for each in self._zeros if stepped(each, now)]

    def observe(self, date: str, now: float, unread: float = 0.0) -> None:
        """Learn from an answer's `Date` header; what is no date is passed over.

        Each header bounds the offset to a second, the answer's way, and the time for which it may
        have waited to be read; the bounds of several intersect, and a contradiction means that a
        clock was stepped: start anew. One that may have waited for long only narrows what others
        have told. An answer that may have come before the last step tells nothing of the clock as
        it is now.

        Args:
            date: the header.
            now: when it was read, in epoch seconds on this machine's clock.
            unread: for how many seconds at most it had waited by then.
        """
        text, told = self._last
        if text != date:
            try:
                moment = parsedate_to_datetime(date)
            except (ValueError, OverflowError, TypeError, IndexError):
                return
            told = moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp()
            self._last = (date, told)
        if steady() - self._daemon_told_at > _DAEMON_COUNTS:
            self._learn(now - told - unread - _DATE_STEP, now - told, now, unread)

    def hear(self, told: float, asked: float, now: float) -> None:
        """Learn from the time at the API, as a daemon has told it.

        Args:
            told: in epoch seconds.
            asked: when it was asked, in epoch seconds on this machine's clock.
            now: when its answer was read, on the same clock.
        """
        low, high = asked - told - _DAEMON_SPREAD, now - told + _DAEMON_SPREAD
        if self._learn(low, high, asked, now - asked):
            self._daemon_told_at = steady()

    def _learn(self, lowest: float, highest: float, since: float, doubt: float) -> bool:
        """Take bounds in, unless they may be of before a step, or leave too much in doubt.

        Args:
            lowest: by how many seconds this clock is ahead at the least.
            highest: at the most.
            since: the earliest moment that they may be of, on this machine's clock.
            doubt: how many seconds of what lies between them come of waiting.
        """
        known, step = self._look(), self._step
        if lowest > highest:
            # The clock was set back while the answer was under way.
            return False
        if step is not None and since - step[0] <= step[1]:
            return False
        if known is not None:
            low, high = max(lowest, known[1]), min(highest, known[2])
            if low <= high:
                self._known = (known[0], low, high)
                return True
        if doubt > _MOST_UNREAD:
            return False
        self._known = (zero() if known is None else known[0], lowest, highest)
        return True

    def _look(self) -> tuple[float, float, float] | None:
        """What is known, once a step since the last look has been taken in."""
        known = self._known
        found = zero()
        self._zeros = min(self._zeros[0], found), max(self._zeros[1], found)
        if known is not None:
            before, low, high = known
            if stepped(before, found):
                self._step = (before, steady())
                step = found - before
                self._known = known = (found, low + step, high + step)
        return known
