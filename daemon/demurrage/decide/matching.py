"""Which slot may have made which container, and which containers the count leaves over (P4).

A birth may be paired with a span (an auto slot and its window) that admits its second and
its tier; a span makes at most one container. All births in a group are matched to spans in a
maximum matching. A birth that *some* maximum matching leaves over is a suspect: somebody who
does not log may have made it. By alternating paths: a birth is left over by some maximum
matching exactly if one that this matching leaves over can take its span, directly or in
turns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from operator import itemgetter
from typing import NamedTuple

from demurrage.decide.stabbing import Stabbing
from demurrage.decide.window import Window
from demurrage.model.container import Container


class Birth(NamedTuple):
    """One container that an auto slot may have made. A `tier` of None fits any span."""

    created_at: int
    container_id: str
    tier: str | None


class Span(NamedTuple):
    """One auto slot that has named no container of its own, and the seconds it admits.

    A birth at second t fits if `low <= t <= high`. A `tier` of None fits any birth.
    """

    call_id: str
    low: float
    high: float
    tier: str | None

    def admits(self, birth: Birth) -> bool:
        """True when the slot can have made the container."""
        return self.low <= birth.created_at <= self.high and (
            self.tier is None or birth.tier is None or self.tier == birth.tier
        )


def birth_of(container: Container) -> Birth:
    """A container as something to be matched."""
    return Birth(container.created_at, container.id, container.tier)


def span_of(call_id: str, span: Window, tier: str | None) -> Span:
    """A free slot as something to match; births are whole seconds, so it opens one earlier."""
    return Span(call_id, span.opens - 1, span.closes, tier)


# An order that does not depend on the order in which the log was read.
SPANS = itemgetter(*map(Span._fields.index, ("low", "high", "call_id")))


@dataclass(frozen=True, slots=True)
class Matching:
    """One maximum matching: span numbers by container id, and who is or may be left over.

    `suspects` holds every container that some maximum matching leaves over, `left_over` those
    that this one does.
    """

    spans: Sequence[Span]
    pairs: Mapping[str, int]
    left_over: frozenset[str]
    suspects: frozenset[str]


def match(births: Iterable[Birth], spans: Sequence[Span]) -> Matching:
    """Match births to spans, as many as can be, and find the suspects."""
    ordered = sorted(births)
    pairs = _greedy(ordered, spans)
    if len(pairs) == len(ordered):
        return Matching(spans, pairs, frozenset(), frozenset())
    left = [birth for birth in ordered if birth.container_id not in pairs]
    owners = {
        number: birth for birth in ordered if (number := pairs.get(birth.container_id, -1)) >= 0
    }
    while left and _augment(left, spans, pairs, owners):
        left = [birth for birth in left if birth.container_id not in pairs]
    suspects = _reachable(left, spans, owners)
    return Matching(
        spans, pairs, frozenset(birth.container_id for birth in left), frozenset(suspects)
    )


def _greedy(births: Sequence[Birth], spans: Sequence[Span]) -> dict[str, int]:
    """Birth by birth, the fitting span that closes first; its own tier before an open one.

    Among births and spans of one tier this is already a maximum matching, because the spans
    are intervals; across tiers `_augment` mends it.
    """
    opening = sorted(range(len(spans)), key=[span.low for span in spans].__getitem__)
    heaps: dict[str | None, list[tuple[float, int]]] = {}
    pairs: dict[str, int] = {}
    place = 0
    for second, container_id, own_tier in births:
        while place < len(opening):
            number = opening[place]
            _, low, high, tier = spans[number]
            if low > second:
                break
            heappush(heaps.setdefault(tier, []), (high, number))
            place += 1
        for tier in (own_tier, None) if own_tier is not None else heaps:
            heap = heaps.get(tier)
            while heap and heap[0][0] < second:
                heappop(heap)
            if heap:
                pairs[container_id] = heappop(heap)[1]
                break
    return pairs


class Search:
    """Spans, to be found by the births that they admit."""

    def __init__(self, spans: Sequence[Span]) -> None:
        by_tier: dict[str | None, list[int]] = {}
        for number, span in enumerate(spans):
            by_tier.setdefault(span.tier, []).append(number)
        self._numbers = by_tier
        self._stabbings = {
            tier: Stabbing([(spans[number].low, spans[number].high) for number in numbers])
            for tier, numbers in by_tier.items()
        }

    def admits(self, birth: Birth) -> bool:
        """True when some unvisited span admits the birth; nothing is marked."""
        tiers = (birth.tier, None) if birth.tier is not None else tuple(self._stabbings)
        return any(
            tier in self._stabbings and self._stabbings[tier].hits(birth.created_at)
            for tier in tiers
        )

    def fitting(self, birth: Birth) -> Iterator[int]:
        """The unvisited spans that admit the birth, each marked as visited."""
        tiers = (birth.tier, None) if birth.tier is not None else tuple(self._stabbings)
        for tier in tiers:
            stabbing = self._stabbings.get(tier)
            if stabbing is not None:
                for place in stabbing.take(birth.created_at):
                    yield self._numbers[tier][place]


def _augment(
    left: Sequence[Birth],
    spans: Sequence[Span],
    pairs: dict[str, int],
    owners: dict[int, Birth],
) -> bool:
    """One round of augmenting paths from every birth left over; False when none was found."""
    search = Search(spans)
    found = False
    for root in left:
        came_from: dict[int, Birth] = {}
        free = _free_span(root, search, owners, came_from)
        if free is None:
            continue
        found = True
        number: int | None = free
        while number is not None:
            birth = came_from[number]
            previous = pairs.get(birth.container_id)
            pairs[birth.container_id] = number
            owners[number] = birth
            number = previous
    return found


def _free_span(
    root: Birth, search: Search, owners: Mapping[int, Birth], came_from: dict[int, Birth]
) -> int | None:
    """The end of an augmenting path from a birth, with the way back in `came_from`."""
    frontier = [root]
    while frontier:
        birth = frontier.pop()
        for number in search.fitting(birth):
            came_from[number] = birth
            owner = owners.get(number)
            if owner is None:
                return number
            frontier.append(owner)
    return None


def _reachable(
    left: Sequence[Birth], spans: Sequence[Span], owners: Mapping[int, Birth]
) -> set[str]:
    """Every birth that some maximum matching leaves over."""
    suspects = {birth.container_id for birth in left}
    if not left:
        return suspects
    search = Search(spans)
    frontier = list(left)
    while frontier:
        birth = frontier.pop()
        for number in search.fitting(birth):
            owner = owners[number]
            if owner.container_id not in suspects:
                suspects.add(owner.container_id)
                frontier.append(owner)
    return suspects
