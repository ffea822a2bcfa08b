"""A survey of one target's past days from its listing alone; it changes nothing.

Expired rows stay listed, with their birth and their last activity. A container whose activity
never moved past its birth was, by all that the API shows, never used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container
from demurrage.model.listing import Failure, Listing, Region

# Pages that may fail in a row, each after a longer pause, before the survey stays partial.
_PATIENCE = 4
_FIRST_PAUSE = 1.0
# Rows between two cursors that are tried after one another.
_STEP_BACK = 7
_LONGEST_PAUSE = 60.0
# Ten million rows: a listing that goes on beyond them is not to be trusted.
_MOST_PAGES = 100_000
# Trying again cures none of these.
_FINAL = frozenset(
    {
        ConditionKind.UNAUTHORIZED,
        ConditionKind.MISSING_SCOPE,
        ConditionKind.SPEND_LIMIT,
    }
)


class Reader(Protocol):
    """Reads one page of a listing at a time; `provider.api` does, with `max_pages=1`."""

    async def read(self, regions: tuple[Region, ...]) -> Listing:
        """Read one page of each region."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a survey has come: pages, rows, and the share of its days that they cover."""

    pages: int
    rows: int
    share: float
    trouble: Failure | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows born since `since`, newest first, down to where reading got.

    `read_down_to`: births from here on are all in it. Where that is not `since`, `failure` says
    why, or it was `interrupted` from outside.
    """

    since: float
    taken_at: float
    rows: tuple[Container, ...]
    calls: int
    read_down_to: float
    failure: Failure | None = None
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """True when every row of the days asked for was read."""
        return self.failure is None and not self.interrupted


class Survey:
    """One reading of a listing, page by page, newest first, back to a moment.

    It can be asked for what it has at any time, so that whoever interrupts it loses nothing.

    Args:
        reader: reads the pages.
        since: how far back, epoch seconds.
        now: provider time.
        tell: told of progress.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        since: float,
        now: Callable[[], float],
        tell: Callable[[Progress], None] = lambda _: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reader = reader
        self._since = since
        self._now = now
        self._tell = tell
        self._pause = pause
        self._rows: dict[str, Container] = {}
        self._calls = 0
        self._pages = 0
        self._failed = 0
        self._finished = False
        self._failure: Failure | None = None

    async def run(self) -> Sample:
        """Read on until the days are covered, or until trouble stays."""
        while not self._finished and self._pages < _MOST_PAGES:
            before = len(self._rows)
            listing = await self._reader.read((self._next(),))
            self._take(listing)
            self._failure = self._trouble(listing, fresh=len(self._rows) > before)
            self._report()
            if self._failure is None:
                self._failed = 0
                continue
            self._failed += 1
            if self._failure.kind in _FINAL or self._failed == _PATIENCE:
                break
            await self._pause(_how_long(self._failure, self._failed))
        return self.sample()

    def sample(self) -> Sample:
        """What has been read so far."""
        last = self._last
        if self._finished:
            edge = self._since
        else:
            # Rows of the last second may follow on the page that was not read.
            edge = self._now() if last is None else last.created_at + 1.0
        return Sample(
            since=self._since,
            taken_at=self._now(),
            rows=tuple(each for each in self._rows.values() if each.created_at >= self._since),
            calls=self._calls,
            read_down_to=edge,
            failure=self._failure,
            interrupted=not self._finished and self._failure is None,
        )

    @property
    def _last(self) -> Container | None:
        return next(reversed(self._rows.values()), None)

    def _next(self) -> Region:
        """The page after the last row, or after an earlier one where that cursor failed."""
        if not self._rows:
            return Region(down_to=self._since)
        back = min(1 + _STEP_BACK * self._failed, len(self._rows))
        cursor = next(islice(reversed(self._rows.values()), back - 1, None))
        return Region(after=cursor.id, down_to=self._since, born_by=cursor.created_at)

    def _take(self, listing: Listing) -> None:
        (stretch,) = listing.stretches
        self._calls += listing.calls
        for row in stretch.rows:
            self._rows.setdefault(row.id, row)
        # Every page so far promised more, so an empty one after a cursor is no end: the row
        # that served as the cursor may have been deleted meanwhile.
        cut_off = stretch.region.after is not None and not stretch.rows
        self._finished = stretch.finished and not cut_off
        self._pages += bool(stretch.rows)

    def _trouble(self, listing: Listing, *, fresh: bool) -> Failure | None:
        """What went wrong; that one page is not the end of the list is no trouble."""
        if self._finished:
            return None
        failure = listing.failure
        if failure is not None and failure.kind is not ConditionKind.ENDLESS_LISTING:
            return failure
        if not fresh:
            return Failure(ConditionKind.REPEATED_CURSOR, "the list does not go on")
        if self._pages == _MOST_PAGES:
            return Failure(ConditionKind.ENDLESS_LISTING, f"no end after {self._pages} pages")
        return None

    def _report(self) -> None:
        now, last = self._now(), self._last
        oldest = now if last is None else last.created_at
        share = 1.0 if self._finished else (now - oldest) / max(now - self._since, 1.0)
        self._tell(Progress(self._pages, len(self._rows), max(0.0, min(share, 1.0)), self._failure))


def _how_long(failure: Failure, attempt: int) -> float:
    asked = failure.retry_after
    pause = asked if asked is not None else _FIRST_PAUSE * 2 ** (attempt - 1)
    return min(max(pause, 0.0), _LONGEST_PAUSE)
