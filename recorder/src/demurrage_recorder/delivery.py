"""Handing a process's lines over to the daemon, and those of dead processes after them."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from random import Random

from demurrage_recorder.carrier import Carrier, NotNowError, RefusedError
from demurrage_recorder.estate import Estate, dead_locks
from demurrage_recorder.reader import MOST_LINES, Reader
from demurrage_recorder.source import Source, is_heartbeat
from demurrage_recorder.warn import warn_once

_FIRST_PAUSE = 0.25
# Starts that wait for longer than the daemon's `max_event_delay` would break its coverage.
_LONGEST_PAUSE = 10.0
_SEARCH_EVERY = 30.0
# A generator of our own: an application that seeds the module's must get its own numbers.
_jitter = Random()  # noqa: S311 - it spreads retries
# A daemon that is being restarted is no news; one that has been away for longer is.
_LONG_BLOCKED = 60.0


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

    Attributes:
        between: called after each batch, since a slow daemon can take very long over many.
        blocked: the daemon did not take what it was last offered.
        hurried: set by another thread that waits for the end.
        delivered_all: the source has ended, and the daemon has taken its last line.
    """

    def __init__(
        self,
        carrier: Carrier,
        source: Source,
        exclusively: Callable[[Callable[[], None]], None],
        label: str,
    ) -> None:
        self.between: Callable[[], object] = lambda: None
        self.blocked = False
        self.hurried = False
        self.delivered_all = False
        self._carrier = carrier
        self._source = source
        self._exclusively = exclusively
        self._label = label
        self._reader = Reader(source.journal.folder, source.journal.name)
        self._pause = _FIRST_PAUSE
        self._blocked_since = 0.0
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
            self._hold_off(str(error), lasting=error.lasting)
        except Exception as error:  # noqa: BLE001 - whatever it is, later it may have gone
            self._hold_off(type(error).__name__, lasting=True)
        else:
            self._pause = _FIRST_PAUSE

    def close(self) -> None:
        """Close the connection."""
        self._carrier.close()

    def _hold_off(self, reason: str, *, lasting: bool) -> None:
        now = time.monotonic()
        if not self.blocked:
            self._blocked_since = now
        self.blocked = True
        # Many processes that lost their daemon together must not come back together.
        self._retry_at = now + self._pause * _jitter.uniform(0.5, 1.0)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        if lasting or now - self._blocked_since > _LONG_BLOCKED:
            folder = self._source.journal.folder
            message = f"{self._label} takes no events ({reason}); they wait in {folder}"
            warn_once(f"blocked {reason}", message)

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
        self.blocked = False
        self.between()

    def _deliver_others(self) -> None:
        now = time.monotonic()
        if now < self._search_at:
            return
        self._search_at = now + _SEARCH_EVERY * _jitter.uniform(0.5, 1.0)
        for path in dead_locks(self._source.journal.folder):
            estate = Estate.claim(path)
            if estate is None:
                continue
            try:
                if estate.meant_for == self._label and estate.doubt is None:
                    self._settle(estate)
            except OSError:
                continue  # it stays as it is, for whoever comes next
            finally:
                estate.let_go()

    def _settle(self, estate: Estate) -> None:
        while not self.hurried and estate.settle_some(self._carrier, hand_over):
            # However much the dead left, the living are heard at once.
            self._deliver_own()
