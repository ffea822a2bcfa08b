"""Which slot can have made which container, given that every one of them has a maker.

Of all the complete matchings of a set of births, which pair a given birth with a given span? By
Régin's filtering, from one of them: a pair that it does not hold is in another exactly if it lies
on an alternating path that ends in a free span, or on an alternating circle. In terms of births:
the span is free; or its owner can move on until somebody ends in a free one (`loose`); or birth
and owner can move on until one of them takes the other's (they share a `circle`, a strongly
connected component).

Births are points and spans are intervals, so no edge is ever written down: each birth and each
span is handed out once, for the logarithm of their number.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from demurrage.decide.matching import Birth, Search, Span


@dataclass(frozen=True, slots=True)
class Alternatives:
    """All complete matchings of some births, seen from one of them.

    `owners`: the birth that this matching pairs with a span, by span number. `loose`: births that
    can leave their span so that in the end one that is free now is taken. `circles`: for the
    others a number that those share who can take each other's span in turns. Both by container id.
    """

    spans: Sequence[Span]
    owners: Mapping[int, Birth]
    loose: frozenset[str]
    circles: Mapping[str, int]

    def circle(self, number: int) -> int | None:
        """The circle that a span is bound to; None where it is free or can be made free."""
        owner = self.owners.get(number)
        return None if owner is None else self.circles.get(owner.container_id)

    def pairs(self, birth: Birth, number: int) -> bool:
        """True when some complete matching pairs the birth with the span."""
        bound_to = self.circle(number)
        return self.spans[number].admits(birth) and (
            bound_to is None or bound_to == self.circles.get(birth.container_id)
        )


def find_alternatives(
    births: Sequence[Birth], spans: Sequence[Span], pairs: Mapping[str, int]
) -> Alternatives:
    """See all complete matchings of the births from one.

    Args:
        births: all of them are paired.
        spans: whatever may have made them, and more.
        pairs: a matching: numbers of spans by container id; of others than these births too.
    """
    owners = {pairs[birth.container_id]: birth for birth in births}
    loose = _loose(births, spans, owners, pairs)
    bound = [birth for birth in births if birth.container_id not in loose]
    return Alternatives(spans, owners, frozenset(loose), _circles(bound, spans, pairs))


class _Points:
    """Births, to be found by the spans that admit them; each is handed out once."""

    def __init__(self, births: Sequence[Birth]) -> None:
        self._births: dict[str | None, list[Birth]] = {}
        for birth in sorted(births, key=lambda each: each.created_at):
            self._births.setdefault(birth.tier, []).append(birth)
        self._moments = {
            tier: [birth.created_at for birth in each] for tier, each in self._births.items()
        }
        # For every place the first from there on that is not handed out yet.
        self._next = {tier: list(range(len(each) + 1)) for tier, each in self._births.items()}

    def admitted(self, span: Span) -> Iterator[Birth]:
        """The births not handed out that the span admits, each marked as handed out."""
        for tier in tuple(self._births) if span.tier is None else (span.tier, None):
            births = self._births.get(tier)
            if births is None:
                continue
            following = self._next[tier]
            place = self._remaining(following, bisect_left(self._moments[tier], span.low))
            while place < len(births) and births[place].created_at <= span.high:
                following[place] = place + 1
                yield births[place]
                place = self._remaining(following, place + 1)

    @staticmethod
    def _remaining(following: list[int], place: int) -> int:
        while following[place] != place:
            following[place] = following[following[place]]
            place = following[place]
        return place


def _loose(
    births: Sequence[Birth],
    spans: Sequence[Span],
    owners: Mapping[int, Birth],
    pairs: Mapping[str, int],
) -> set[str]:
    """The births that can leave their span, found backwards from the free spans."""
    points = _Points(births)
    frontier = [number for number in range(len(spans)) if number not in owners]
    loose: set[str] = set()
    while frontier:
        for birth in points.admitted(spans[frontier.pop()]):
            loose.add(birth.container_id)
            frontier.append(pairs[birth.container_id])
    return loose


def _circles(
    births: Sequence[Birth], spans: Sequence[Span], pairs: Mapping[str, int]
) -> dict[str, int]:
    """Strongly connected components, by two searches: there, then back from the last to end."""
    points = _Points(births)
    circles: dict[str, int] = {}
    for root in reversed(_in_order_of_ending(births, spans, pairs)):
        if root.container_id in circles:
            continue
        circle = len(circles)
        frontier = [root]
        while frontier:
            number = pairs[frontier.pop().container_id]
            for birth in points.admitted(spans[number]):
                circles[birth.container_id] = circle
                frontier.append(birth)
    return circles


def _in_order_of_ending(
    births: Sequence[Birth], spans: Sequence[Span], pairs: Mapping[str, int]
) -> list[Birth]:
    """Every birth once all that it leads to has been seen; it leads to whose spans it can take."""
    owners = dict(enumerate(births))
    search = Search([spans[pairs[birth.container_id]] for birth in births])
    seen: set[str] = set()
    ended: list[Birth] = []
    for root in births:
        if root.container_id in seen:
            continue
        seen.add(root.container_id)
        path = [(root, search.fitting(root))]
        while path:
            birth, onward = path[-1]
            number = next(onward, None)
            if number is None:
                ended.append(birth)
                path.pop()
                continue
            owner = owners[number]
            if owner.container_id not in seen:
                seen.add(owner.container_id)
                path.append((owner, search.fitting(owner)))
    return ended
