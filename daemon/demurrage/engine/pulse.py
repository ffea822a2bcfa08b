"""Noticing that this process stood still.

Events may be delivered late by so much as the rules allow, and whoever decides waits for so long.
That holds only while they can be delivered: a process that is stopped, swapped out or busy with
one thing takes none in, and what waited outside is then still to come. How often the log is read
tells nothing of it, for a target may be looked at once in minutes, and an answer of the API may
take as long. So the event loop itself, which serves the door for events, has to beat, and two
beats that lie too far apart are a standstill. Where nothing beats, every reading that comes later
than that passes for one.
"""

import asyncio
from collections.abc import Iterable

from demurrage.model.rules import Rules

# The share of `max_event_delay` for which the door may be closed: what is left of it is for a
# writer that waits before it knocks again.
_SHARE = 1 / 3
# Beats within that time: what a busy loop may be late is most of it.
_BEATS = 5
# Seconds; a delay of nothing must not keep the loop busy.
_LEAST_PACE = 0.01


def longest_pause(rules: Iterable[Rules]) -> float:
    """For how many seconds the process may stand still, by the strictest of several targets."""
    return _SHARE * min(each.evidence.max_event_delay for each in rules)


class Pulse:
    """Counts in `pauses` how often the process stood still, or could take no event in.

    Args:
        longest: seconds between two beats beyond which it did.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._felt_at: float | None = None
        self._beating: asyncio.Task[None] | None = None
        self.pauses = 0

    def begin(self) -> None:
        """Beat from here on, in the running event loop."""
        self._beating = asyncio.create_task(self._beat())

    def end(self) -> None:
        """Beat no more."""
        if self._beating is not None:
            self._beating.cancel()

    def feel(self) -> float:
        """Notice whether the process has stood still until now; returns the loop's time."""
        now = asyncio.get_running_loop().time()
        if self._felt_at is not None and now - self._felt_at > self._longest:
            self.pauses += 1
        self._felt_at = now
        return now

    def miss(self) -> None:
        """The log was out of reach: whatever is told now comes as late as by a standstill."""
        self.pauses += 1

    async def _beat(self) -> None:
        while True:
            self.feel()
            await asyncio.sleep(max(_LEAST_PACE, self._longest / _BEATS))
