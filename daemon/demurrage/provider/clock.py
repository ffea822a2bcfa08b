"""The provider's clock, measured from the `Date` headers of its answers.

Progress comes from a monotonic source, so that a step of the local wall clock never moves
`now()`. The wall clock is watched all the same: writers stamp their events with it, and a step
of it, or of the provider's clock, makes what was measured doubtful until several answers agree.
So is a first answer that the wall clock does not bear out: one `Date` alone may be wrong.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from demurrage.provider.headers import http_date
from demurrage.provider.offset import DRIFT, OffsetBounds

# A wall clock that gains or loses this much between two looks was set, not slewed.
_STEP = 1.0
# So many answers in a row must agree after a step.
_AGREEING = 3
# A machine whose clock is kept is not further than this from the provider's; seconds.
_KEPT = 5.0
# September 2001. A server that says 1970 has no clock at all.
_EARLIEST = 1e9


class HeaderClock:
    """One target's provider clock.

    Args:
        wall: local epoch seconds; may step.
        monotonic: seconds from any origin; never steps.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._wall_lead = wall() - monotonic()
        self._known: OffsetBounds | None = None
        self._rival: OffsetBounds | None = None
        self._jumped = False
        self._steps = 0

    def now(self) -> float:
        """Provider time in epoch seconds; the local clock until a header was seen."""
        self._watch_wall()
        if self._known is None:
            return self._wall()
        return self._monotonic() + self._known.middle

    @property
    def jumped(self) -> bool:
        """True while one answer's word would have to be taken for the time.

        That is from a step of either clock, or from a first answer that this machine's own clock
        contradicts, until several answers agree.
        """
        self._watch_wall()
        return self._jumped

    @property
    def trusted(self) -> bool:
        """True while `now` is the provider's time: an answer has told it, and it is in no doubt."""
        return self._known is not None and not self.jumped

    @property
    def steps(self) -> int:
        """How many signs of a step of either clock there were; stays once answers agree again.

        Answers that contradict each other by a fraction of a second come from servers that keep
        the time worse than others.

        Who was not there while a step was in doubt finds it here: a few answers of one look may
        settle it.
        """
        self._watch_wall()
        return self._steps

    @property
    def offset(self) -> float | None:
        """Provider time minus local time in seconds, None until measured."""
        if self._known is None:
            return None
        self._watch_wall()
        return self._known.middle - self._wall_lead

    @property
    def doubt(self) -> float:
        """By how many seconds `now` may be off at the most; +inf until an answer has told."""
        known = self._known
        if known is None:
            return inf
        return (known.high - known.low) / 2 + DRIFT * max(0.0, self._monotonic() - known.at)

    def ticks(self) -> float:
        """The monotonic reading to hand to `observe` as `sent_at`."""
        return self._monotonic()

    def observe(self, headers: Mapping[str, str], sent_at: float) -> None:
        """Learn from an answer that has just come; never raises.

        Args:
            headers: the answer's headers, lower-case. Without a readable `Date`, or with an
                `Age` that says the answer comes out of a cache, they prove nothing.
            sent_at: `ticks()` from just before the call.
        """
        self._watch_wall()
        date = http_date(headers.get("date"))
        if date is None or date < _EARLIEST or headers.get("age", "0").strip() != "0":
            return
        sample = OffsetBounds.of_answer(date, sent_at, self._monotonic())
        if self._known is None:
            self._known = sample
            if not sample.low - _KEPT <= self._wall_lead <= sample.high + _KEPT:
                self._jumped, self._rival = True, None
            return
        agreed = self._known.meet(sample)
        if agreed is not None and not self._jumped:
            self._known = agreed
            return
        self._jumped = True
        self._steps += agreed is None and self._known.apart(sample) > _STEP
        self._settle(sample, agreed)

    def _settle(self, sample: OffsetBounds, agreed: OffsetBounds | None) -> None:
        """After a step: the old offset and a new one compete; three answers in a row decide."""
        self._known = agreed if agreed is not None else self._doubted()
        rival = self._rival.meet(sample) if self._rival is not None else None
        self._rival = rival if rival is not None else sample
        if agreed is not None and agreed.samples >= _AGREEING:
            self._jumped, self._rival = False, None
        elif self._rival.samples >= _AGREEING:
            self._known, self._rival, self._jumped = self._rival, None, False

    def _doubted(self) -> OffsetBounds | None:
        return replace(self._known, samples=0) if self._known is not None else None

    def _watch_wall(self) -> None:
        lead = self._wall() - self._monotonic()
        if abs(lead - self._wall_lead) > _STEP:
            self._jumped = True
            self._steps += 1
            self._rival = None
            self._known = self._doubted()
        self._wall_lead = lead
