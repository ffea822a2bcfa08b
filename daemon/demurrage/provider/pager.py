"""Our own pager: bounded, suspicious, and honest about where it stopped.

The SDK's iterator ends silently on a malformed page and never ends on a server that ignores
its cursor. A stretch read here is `finished` only on proof: a row born before the region's
lower edge was shown, or the API said in a plain boolean that nothing follows. A `has_more`
that is null or missing is neither, so the stretch stays unfinished, and so does an empty page
that promises more. Rows out of order, or shown twice, prove that the cursor means something
else to the server than to us.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container
from demurrage.model.listing import Failure, Listing, Region, Stretch
from demurrage.provider.budget import Priority
from demurrage.provider.calls import Caller, Reply
from demurrage.provider.clock import HeaderClock
from demurrage.provider.rows import Page, malformed, read_page

PAGE_SIZE = 100
# A hundred thousand rows; at sixty calls a minute that is a quarter of an hour of reading.
MAX_PAGES = 1000
_REGIONS_AT_A_TIME = 4
# These say something about one region's pages; after any other failure the rest is not tried.
_LOCAL = frozenset(
    {
        ConditionKind.MALFORMED_PAGE,
        ConditionKind.ENDLESS_LISTING,
        ConditionKind.REPEATED_CURSOR,
        ConditionKind.UNEXPECTED_ANSWER,
    }
)

# `client.containers.with_raw_response.list`
ListCall = Callable[..., Awaitable[Any]]


@dataclass(slots=True)
class _Reading:
    """One region while it is read."""

    region: Region
    rows: list[Container] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    listed_at: float | None = None
    calls: int = 0
    reached_end: bool = False
    reached_edge: bool = False
    failure: Failure | None = None

    @property
    def cursor(self) -> str | None:
        """Where the next page starts: the last row's own id."""
        return self.rows[-1].id if self.rows else self.region.after

    def take(self, page: Page) -> bool:
        """Add a page; True when another is needed."""
        self.failure = self._objection(page)
        if self.failure is not None:
            return False
        self.rows.extend(page.rows)
        self.seen.update(row.id for row in page.rows)
        # A birth lies within the second after `created_at`.
        edge = self.region.down_to
        self.reached_edge = edge is not None and any(
            row.created_at + 1 <= edge for row in page.rows
        )
        self.reached_end = page.has_more is False
        if self.reached_edge or self.reached_end:
            return False
        if page.has_more is None:
            self.failure = malformed("the page does not say whether more follows")
        elif not page.rows:
            self.failure = malformed("an empty page promises more")
        return self.failure is None

    def _objection(self, page: Page) -> Failure | None:
        """Why the page cannot continue what was read so far."""
        if self.region.after is not None:
            born_by = self.region.born_by
            ignored = any(row.id == self.region.after for row in page.rows) or (
                born_by is not None and any(row.created_at > born_by for row in page.rows)
            )
            if ignored:
                return _repeated("the cursor was ignored")
        if any(row.id in self.seen for row in page.rows):
            return _repeated("rows were shown again")
        births = [row.created_at for row in (*self.rows[-1:], *page.rows)]
        if any(later > earlier for earlier, later in pairwise(births)):
            return malformed("rows are out of order")
        return None


def _repeated(detail: str) -> Failure:
    return Failure(ConditionKind.REPEATED_CURSOR, detail)


class Pager:
    """Reads stretches of one target's listing.

    Args:
        caller: sends the calls.
        list_call: the SDK's raw listing.
        clock: the provider's clock.
        max_pages: pages of one region after which the listing counts as endless.
    """

    def __init__(
        self, caller: Caller, list_call: ListCall, clock: HeaderClock, max_pages: int = MAX_PAGES
    ) -> None:
        self._caller = caller
        self._list = list_call
        self._clock = clock
        self._max_pages = max_pages

    async def read(self, regions: Sequence[Region]) -> Listing:
        """Read the regions, several at a time; one stretch for each, in their order.

        A stretch's `listed_at` is the provider time at which its first page was asked for:
        every row shown is at least that fresh. After a failure that concerns the whole target,
        regions not yet begun come back empty and unfinished. Never raises for API faults.
        """
        begun = self._clock.ticks()
        readings = [_Reading(region) for region in regions]
        slots = asyncio.Semaphore(_REGIONS_AT_A_TIME)
        failures: list[Failure] = []

        async def run(reading: _Reading) -> None:
            async with slots:
                if any(failure.kind not in _LOCAL for failure in failures):
                    return
                await self._read_one(reading)
                if reading.failure is not None:
                    failures.append(reading.failure)

        async with asyncio.TaskGroup() as group:
            for reading in readings:
                group.create_task(run(reading))
        started_at = self._clock.now() - (self._clock.ticks() - begun)
        return Listing(
            started_at=started_at,
            stretches=tuple(_stretch(reading, started_at) for reading in readings),
            calls=sum(reading.calls for reading in readings),
            failure=failures[0] if failures else None,
        )

    async def _read_one(self, reading: _Reading) -> None:
        for _ in range(self._max_pages):
            reply = await self._page(reading.cursor)
            reading.calls += reply.sent
            if reply.value is None:
                reading.failure = reply.failure
                return
            if reading.listed_at is None:
                reading.listed_at = reply.sent_at
            if not reading.take(reply.value):
                return
        reading.failure = Failure(
            ConditionKind.ENDLESS_LISTING, f"no end after {self._max_pages} pages"
        )

    async def _page(self, after: str | None) -> Reply[Page]:
        cursor = {"after": after} if after is not None else {}

        async def send() -> Any:
            return await self._list(limit=PAGE_SIZE, order="desc", **cursor)

        return await self._caller.call(Priority.LIST, send, read_page)


def _stretch(reading: _Reading, started_at: float) -> Stretch:
    finished = reading.failure is None and (reading.reached_edge or reading.reached_end)
    return Stretch(
        region=reading.region,
        rows=tuple(reading.rows),
        finished=finished,
        reached_end=finished and reading.reached_end,
        listed_at=reading.listed_at if reading.listed_at is not None else started_at,
    )
