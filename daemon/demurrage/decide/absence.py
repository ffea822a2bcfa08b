"""What a listing proves by not showing a row.

A list page shows what it shows; that a row is *not* there is a claim, and it needs its own
proof: a finished stretch, newest first without a break in the order, whose two edges enclose
the row's place. Rows of one second come in no known order, so the edges themselves prove
nothing. Even then a single absence may be a fault of one answer: belief takes two.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from demurrage.decide.billing import expires_at
from demurrage.model.container import Container, Sighting
from demurrage.model.listing import Listing, Stretch
from demurrage.model.rules import BillingRules

# From this many live rows on, more than half of them gone at once is the list's fault.
_SHRINK_POPULATION = 5


@dataclass(frozen=True, slots=True)
class Absences:
    """Live rows that a listing should have shown and did not, by container id.

    `shrank`: so many are absent at once, or the list is so empty, that the listing is at fault;
    `absent` is then empty, for nothing may be concluded.
    """

    absent: frozenset[str] = frozenset()
    shrank: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    """Births strictly between the two edges are shown by this reading, or absent."""

    newest: float
    oldest: float

    def holds(self, container: Container) -> bool:
        return self.oldest < container.created_at < self.newest


def find_absences(
    known: Mapping[str, Sighting],
    listing: Listing,
    billing: BillingRules,
    now: float,
    *,
    own_deletes: Collection[str] = frozenset(),
    explicit: Collection[str] = frozenset(),
) -> Absences:
    """Look for live rows that the listing proves to be absent.

    The listing has shrunk if it is empty from top to end while live rows are known, or if more
    than half of at least five live rows are absent at once. Rows past their idle expiry do not
    count for that: they may go in a body, and a list that truly lost everything is believed at
    the latest when nothing known can still be alive. What applications created themselves they
    may delete in a body, too, so that it has not shrunk where most of all else is there.

    Args:
        known: The inventory before this listing.
        listing: The listing, with unfinished stretches or without.
        billing: For the idle expiry.
        now: Provider time in epoch seconds.
        own_deletes: What we tried to delete. Like the expired these do not count for a shrunken
            list: where the answers were lost, they go in a body.
        explicit: What applications created themselves, as far as the log has told.
    """
    spans = [span for stretch in listing.stretches if (span := _span(stretch))]
    if not spans:
        return Absences()
    shown = {row.id for stretch in listing.stretches for row in stretch.rows}
    enclosed = {
        sighting.id: sighting.container
        for sighting in known.values()
        if sighting.alive and any(span.holds(sighting.container) for span in spans)
    }
    unexpired = {
        container_id
        for container_id, container in enclosed.items()
        if container_id not in own_deletes and now < expires_at(container, billing)
    }
    others = unexpired - set(explicit)
    shrank = _mostly_lost(others, shown) and any(
        len(some) >= _SHRINK_POPULATION and _mostly_lost(some, shown)
        for some in (others, unexpired)
    )
    lost = others - shown
    if shrank or (lost and any(_empty_list(stretch) for stretch in listing.stretches)):
        return Absences(shrank=True)
    return Absences(frozenset(enclosed.keys() - shown))


def _mostly_lost(some: Collection[str], shown: Collection[str]) -> bool:
    """True when more than half of some containers are not among those shown."""
    return 2 * sum(each not in shown for each in some) > len(some)


def shows_tail(stretch: Stretch) -> bool:
    """True for a stretch that provably shows the newest rows down to its lower edge."""
    return stretch.region.after is None and stretch.finished and _ordered(stretch.rows)


def _span(stretch: Stretch) -> _Span | None:
    """The births that a stretch accounts for, None if it accounts for none."""
    rows, region = stretch.rows, stretch.region
    if not stretch.finished or not _ordered(rows):
        return None
    newest = float("inf")
    if region.after is not None:
        if not rows:
            # What the API makes of a cursor that is gone is unknown: an empty list, perhaps.
            return None
        newest = region.born_by if region.born_by is not None else rows[0].created_at
        if rows[0].created_at > newest:
            return None  # the cursor was ignored
    if stretch.reached_end:
        oldest = float("-inf")
    elif rows:
        oldest = rows[-1].created_at
    else:
        return None
    return _Span(newest, oldest)


def _ordered(rows: Sequence[Container]) -> bool:
    return all(newer.created_at >= older.created_at for newer, older in pairwise(rows))


def _empty_list(stretch: Stretch) -> bool:
    return shows_tail(stretch) and stretch.reached_end and not stretch.rows
