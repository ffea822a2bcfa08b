"""Handing a process's lines over to the daemon, and those of dead processes after them."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from demurrage_recorder.carrier import Carrier, NotNowError, RefusedError
from demurrage_recorder.estate import Estate, dead_locks
from demurrage_recorder.reader import MOST_LINES, Reader
from demurrage_recorder.source import Source, is_heartbeat
from demurrage_recorder.warn import warn_once

_FIRST_PAUSE = 0.25
# Starts that wait for longer than the daemon's `max_event_delay` would break its coverage.
_LONGEST_PAUSE = 10.0
_SEARCH_EVERY = 30.0


def hand_over(carrier: Carrier, lines: Sequence[bytes]) -> list[str]:
    """Have lines taken; where some are refused, find out which, and have the others taken.

    Returns:
        The daemon's reason for each line that it refused.

    Raises:
        NotNowError: offer all of them again later; those that were taken do not mind.
    """
    try:
        carrier.carry(lines)
    except RefusedError as refusal:
        if len(lines) == 1:
            return [str(refusal)]
        half = len(lines) // 2
        return hand_over(carrier, lines[:half]) + hand_over(carrier, lines[half:])
    return []


class Delivery:
    """Delivers one source's journal, then those of the dead in the same folder.

    Args:
        carrier: the way to the log.
        source: whose journal.
        exclusively: how to touch the source.
        label: the daemon's address without secrets; journals for others are left alone.
    """

    def __init__(
        self,
        carrier: Carrier,
        source: Source,
        exclusively: Callable[[Callable[[], None]], None],
        label: str,
    ) -> None:
        self.blocked = False
        self.hurried = False
        self.delivered_all = False
        self._carrier = carrier
        self._source = source
        self._exclusively = exclusively
        self._label = label
        self._reader = Reader(source.journal.folder, source.journal.name)
        self._pause = _FIRST_PAUSE
        self._retry_at = 0.0
        self._search_at = 0.0

    @property
    def due_at(self) -> float:
        """When to run again though nothing new is noted, on the monotonic clock."""
        return self._retry_at if self.blocked else self._search_at

    def run(self) -> None:
        """Deliver all that there is, as far as the daemon takes it.

        When hurried, what waits for a later attempt is tried at once, and the dead are left to
        others.
        """
        if self.blocked and not self.hurried and time.monotonic() < self._retry_at:
            return
        # Asked for first: what is noted during a delivery may not be part of it.
        ended, self.delivered_all = self._source.ended, False
        try:
            self._deliver_own()
            if self.blocked:
                self.blocked = False
                # Nobody nudged for what was noted in the meantime.
                self._deliver_own()
            self.delivered_all = ended
            if not self.hurried:
                self._deliver_others()
        except NotNowError as error:
            self._hold_off(error)
        else:
            self._pause = _FIRST_PAUSE

    def close(self) -> None:
        """Close the connection."""
        self._carrier.close()

    def _hold_off(self, error: NotNowError) -> None:
        self.blocked = True
        # Many processes that lost their daemon together must not come back together.
        self._retry_at = time.monotonic() + self._pause * random.uniform(0.5, 1.0)  # noqa: S311
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        if error.lasting:
            warn_once(f"lasting {error}", f"{self._label} takes no events: {error}")

    def _deliver_own(self) -> None:
        journal = self._source.journal
        while lines := self._read() if journal.has_files else []:
            self._hand_over(lines)
            self._reader.advance()
            if any(map(is_heartbeat, lines)):
                # What the older files tell that still matters, the heartbeat tells as well.
                self._reader.remove_read()
        unwritten = journal.unwritten
        while unwritten:
            kept = list(islice(unwritten, MOST_LINES))
            self._hand_over([line.rstrip(b"\n") for line in kept])
            self._exclusively(partial(journal.forget_unwritten, len(kept)))

    def _read(self) -> list[bytes]:
        try:
            return self._reader.batch()
        except OSError as error:
            reason = f"its journal cannot be read ({error.strerror})"
            raise NotNowError(reason, lasting=True) from error

    def _hand_over(self, lines: Sequence[bytes]) -> None:
        for reason in hand_over(self._carrier, lines):
            why = f"{self._label} refuses an event: {reason}"
            self._exclusively(partial(self._source.drop, why))

    def _deliver_others(self) -> None:
        now = time.monotonic()
        if now < self._search_at:
            return
        self._search_at = now + _SEARCH_EVERY * random.uniform(0.5, 1.0)  # noqa: S311
        for path in dead_locks(self._source.journal.folder):
            estate = Estate.claim(path, self._label)
            if estate is None:
                continue
            try:
                while not self.hurried and estate.settle_some(self._carrier, hand_over):
                    self._deliver_own()
            except OSError:
                continue  # it stays as it is, for whoever comes next
            finally:
                estate.let_go()
