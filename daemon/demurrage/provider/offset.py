"""What answers prove of the distance between two clocks: intervals, never points."""

from dataclasses import dataclass

# Two clocks of ordinary quality drift apart by less than this, seconds per second.
DRIFT = 200e-6
# Answers come from many machines, whose clocks differ a little.
SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class OffsetBounds:
    """The provider's time minus our monotonic time lies in `[low, high]`, as known at `at`.

    `samples` is how many answers in a row have agreed.
    """

    low: float
    high: float
    at: float
    samples: int = 1

    @classmethod
    def of_answer(cls, date: float, sent_at: float, received_at: float) -> "OffsetBounds":
        """The bounds that one answer proves.

        The server wrote `date` at some moment between sending and receiving, and cut its
        fraction off.

        Args:
            date: the `Date` header, whole epoch seconds.
            sent_at: monotonic seconds just before the call.
            received_at: monotonic seconds just after it.
        """
        return cls(date - received_at - SPREAD, date + 1 - sent_at + SPREAD, received_at)

    @property
    def middle(self) -> float:
        """The best estimate."""
        return (self.low + self.high) / 2

    def apart(self, other: "OffsetBounds") -> float:
        """Seconds that lie between the two at the least."""
        return max(0.0, self.low - other.high, other.low - self.high)

    def meet(self, other: "OffsetBounds") -> "OffsetBounds | None":
        """Both together, widened by drift since then; None when they contradict each other."""
        slack = DRIFT * max(0.0, other.at - self.at)
        low, high = max(self.low - slack, other.low), min(self.high + slack, other.high)
        if low > high:
            return None
        return OffsetBounds(low, high, other.at, self.samples + other.samples)
