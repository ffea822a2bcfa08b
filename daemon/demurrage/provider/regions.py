"""Plans what to list: jumps to the regions of the listing that hold live rows.

Expired rows stay listed for ever, so the cost of a full listing grows without end while the
living stay few. A known row's id works as a cursor, so each cluster of wanted rows can be
reached directly. Nothing here is needed for truth: a plan from incomplete knowledge costs more
calls, yet still shows every wanted row that the API lists.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from demurrage.model.container import Container
from demurrage.model.listing import Region

# The API's largest page; one row of it is spent on proving that the lower edge was passed.
_PAGE_SIZE = 100


def plan_tail(foot: float | None, overlap: float) -> Region:
    """The top of the listing, down to `overlap` seconds past its foot.

    A container can become visible half a minute after its birth, so what was the top at the
    last look is read again.

    Args:
        foot: the latest birth up to which every row is known; None reads everything.
        overlap: seconds.
    """
    if foot is None:
        return Region()
    return Region(down_to=foot - overlap)


def plan_regions(wanted: Iterable[Container], cursors: Iterable[Container]) -> tuple[Region, ...]:
    """Few regions that together show every wanted row, for as few calls as known rows allow.

    A cursor must be born in an earlier listed second than the newest row that it is to show:
    the order within one second is unknown, and a row that comes before its cursor would be
    missed. Without such a cursor the region starts at the top. Regions are about one page
    each; neighbours that cost less together are merged, and when the plan would cost as much
    as one reading from the top down to the oldest wanted row, it is that reading.

    Args:
        wanted: rows that need to be listed afresh, in any order.
        cursors: rows whose ids may serve as cursors: known, not deleted by us, listed not
            long ago, in any order. Gone rows serve well, wanted rows may be among them.

    Returns:
        Regions, newest first; empty when nothing is wanted.
    """
    targets = sorted(wanted, key=lambda row: (-row.created_at, row.id))
    if not targets:
        return ()
    chart = _Chart.of(targets, sorted(cursors, key=lambda row: (row.created_at, row.id)))
    spans = _merged(chart, _spans(chart, targets))
    whole = _Span(None, targets[-1].created_at)
    if chart.pages(whole) <= sum(chart.pages(span) for span in spans):
        spans = [whole]
    return tuple(
        Region(
            after=span.cursor.id if span.cursor is not None else None,
            down_to=float(span.oldest),
            born_by=span.cursor.created_at if span.cursor is not None else None,
        )
        for span in spans
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """From the row after `cursor` down past the second `oldest`."""

    cursor: Container | None
    oldest: int


@dataclass(frozen=True, slots=True)
class _Chart:
    """The known rows of the listing, oldest first: `births` of all, `cursors` among them."""

    births: Sequence[int]
    cursors: Sequence[Container]

    @classmethod
    def of(cls, wanted: Sequence[Container], cursors: Sequence[Container]) -> "_Chart":
        rows = {row.id: row.created_at for row in (*wanted, *cursors)}
        return cls(sorted(rows.values()), cursors)

    def cursor_above(self, created_at: int) -> Container | None:
        """The closest usable row that is surely listed before all rows of that second."""
        place = bisect_right(self.cursors, created_at, key=lambda row: row.created_at)
        return self.cursors[place] if place < len(self.cursors) else None

    def pages(self, span: _Span) -> int:
        """Calls that reading the span takes, if the known rows are all."""
        below = bisect_left(self.births, span.oldest)
        if span.cursor is None:
            rows = len(self.births) - below
        else:
            # Others of the cursor's second may follow it.
            rows = bisect_right(self.births, span.cursor.created_at) - below - 1
        return rows // _PAGE_SIZE + 1


def _spans(chart: _Chart, targets: Sequence[Container]) -> list[_Span]:
    """From the newest wanted row on: start as low as possible, take what the pages hold."""
    spans: list[_Span] = []
    pages = 0
    for row in targets:
        if spans:
            longer = _Span(spans[-1].cursor, row.created_at)
            if chart.pages(longer) <= pages:
                spans[-1] = longer
                continue
        spans.append(_Span(chart.cursor_above(row.created_at), row.created_at))
        pages = chart.pages(spans[-1])
    return spans


def _merged(chart: _Chart, spans: Sequence[_Span]) -> list[_Span]:
    """Join neighbours that overlap, or that cost less as one."""
    merged: list[_Span] = []
    for span in spans:
        if merged:
            last = merged[-1]
            joined = _Span(last.cursor, span.oldest)
            apart = chart.pages(last) + chart.pages(span)
            overlap = span.cursor is None or span.cursor.created_at > last.oldest
            if chart.pages(joined) < apart or (overlap and chart.pages(joined) <= apart):
                merged[-1] = joined
                continue
        merged.append(span)
    return merged
