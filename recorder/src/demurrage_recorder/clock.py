"""By how much this machine's clock is ahead of the API's."""

from datetime import timezone
from email.utils import parsedate_to_datetime

# The API's `Date` is cut to whole seconds.
_DATE_STEP = 1.0


class Offset:
    """The bounds that the `Date` headers of answers put on the clock's offset, in seconds."""

    def __init__(self) -> None:
        self._ahead: tuple[float, float] | None = None
        self._last: tuple[str | None, float] = (None, 0.0)

    @property
    def known(self) -> bool:
        """True once a date was seen."""
        return self._ahead is not None

    @property
    def seconds(self) -> float | None:
        """By how many seconds this clock is ahead; None until a date was seen."""
        ahead = self._ahead
        return None if ahead is None else sum(ahead) / 2

    def observe(self, date: str, now: float) -> None:
        """Learn from an answer's `Date` header; what is no date is passed over.

        Each header bounds the offset to a second and the answer's way; the bounds of several
        intersect, and a contradiction means that a clock was stepped: start anew.

        Args:
            date: the header.
            now: when it came, in epoch seconds on this machine's clock.
        """
        text, told = self._last
        if text != date:
            try:
                moment = parsedate_to_datetime(date)
            except (ValueError, OverflowError, TypeError, IndexError):
                return
            told = moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp()
            self._last = (date, told)
        highest = now - told
        lowest = highest - _DATE_STEP
        known = self._ahead
        if known is not None:
            low, high = max(lowest, known[0]), min(highest, known[1])
            if low <= high:
                lowest, highest = low, high
        self._ahead = (lowest, highest)
