"""How many calls a minute: a token bucket inside a sliding window, with a rate that adapts."""

from collections import deque

WINDOW = 60.0
# The bucket holds what five seconds refill: a cycle's few calls go out together, no more.
_BURST_SECONDS = 5.0
# The rate falls by half and comes back by a twentieth of the limit a minute: ten minutes from
# one complaint to full speed.
_RECOVERY_PER_MINUTE = 1 / 20
_SLOWEST_SHARE = 1 / 16


class Pace:
    """The arithmetic of a call budget; it knows no waiting and no reasons.

    All moments are seconds of one monotonic clock. At most `limit` calls are spent in any
    sixty seconds; below that, the bucket sets the pace.

    Args:
        per_minute: the limit.

    Raises:
        ValueError: the limit is not at least one call a minute.
    """

    def __init__(self, per_minute: float) -> None:
        if not per_minute >= 1:
            raise ValueError("a budget needs at least one request a minute")
        self._configured = per_minute
        self._limit = per_minute
        self._rate = per_minute
        self._rated_at: float | None = None
        self._tokens = self._burst
        self._filled_at: float | None = None
        self._spent: deque[float] = deque()

    @property
    def limit(self) -> float:
        """The settings' figure, or the API's own where that is lower."""
        return self._limit

    @property
    def _burst(self) -> float:
        return max(1.0, self._limit * _BURST_SECONDS / WINDOW)

    def rate(self, now: float) -> float:
        """Calls a minute at which the bucket refills now."""
        elapsed = max(0.0, now - self._rated_at) if self._rated_at is not None else 0.0
        recovered = self._rate + elapsed / 60 * self._limit * _RECOVERY_PER_MINUTE
        return min(self._limit, recovered)

    def used(self, now: float) -> int:
        """Calls spent in the last sixty seconds."""
        return sum(1 for moment in tuple(self._spent) if moment > now - WINDOW)

    def cap(self, per_minute: int) -> None:
        """The API told its own limit; never above it, nor above the settings."""
        self._limit = max(1.0, min(self._configured, per_minute))
        self._tokens = min(self._tokens, self._burst)

    def halve(self, now: float) -> None:
        """The API complained: half the rate, down to a floor, and nothing saved up."""
        self._refill(now)
        self._rate = max(self._limit * _SLOWEST_SHARE, self.rate(now) / 2)
        self._rated_at = now
        self._tokens = min(self._tokens, 1.0)

    def keep_at_most(self, now: float, tokens: int) -> None:
        """The API told what remains; a burst may not exceed it."""
        self._refill(now)
        self._tokens = min(self._tokens, float(tokens))

    def delay(self, now: float) -> float:
        """Seconds until a call may be spent; 0 means now."""
        self._refill(now)
        missing = max(0.0, 1.0 - self._tokens)
        delay = missing * 60 / self.rate(now)
        whole = int(self._limit)
        if len(self._spent) >= whole:
            delay = max(delay, self._spent[-whole] + WINDOW - now)
        return delay if delay > 1e-9 else 0.0  # noqa: PLR2004 - rounding, not time

    def within(self, now: float, seconds: float) -> int:
        """How many calls may be spent from `now` until so many seconds later."""
        if seconds < 0:
            return 0
        paced = self._level(now) + seconds / 60 * self.rate(now)
        still_counted = sum(1 for moment in self._spent if moment > now + seconds - WINDOW)
        windows = 1 + int(seconds // WINDOW)
        return max(0, int(min(paced, int(self._limit) * windows - still_counted) + 1e-9))

    def spend(self, now: float) -> None:
        """A call goes out."""
        self._tokens -= 1.0
        self._spent.append(now)
        while self._spent and self._spent[0] <= now - WINDOW:
            self._spent.popleft()

    def give_back(self, spent_at: float) -> None:
        """A call that was granted never went out."""
        if spent_at in self._spent:
            self._spent.remove(spent_at)
            self._tokens = min(self._burst, self._tokens + 1.0)

    def _refill(self, now: float) -> None:
        self._tokens = self._level(now)
        self._filled_at = now

    def _level(self, now: float) -> float:
        """What the bucket holds at a moment, now or later."""
        elapsed = max(0.0, now - self._filled_at) if self._filled_at is not None else 0.0
        return min(self._burst, self._tokens + elapsed / 60 * self.rate(now))
