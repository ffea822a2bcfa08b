"""Intervals that can be taken out one by one by a point that they contain."""

from collections.abc import Iterator, Sequence
from math import inf


class Stabbing:
    """A fixed set of closed intervals; each is handed out at most once.

    Every interval that is handed out costs O(log n), and a point that hits nothing costs
    O(log n), so a search over all intervals is near-linear however much they overlap.
    """

    def __init__(self, intervals: Sequence[tuple[float, float]]) -> None:
        """Take (low, high) pairs; an interval's number is its place in the sequence."""
        self._order = sorted(range(len(intervals)), key=lambda each: intervals[each][0])
        self._lows = [intervals[each][0] for each in self._order]
        size = 1
        while size < max(1, len(intervals)):
            size *= 2
        self._size = size
        self._highs = [-inf] * (2 * size)
        for place, each in enumerate(self._order):
            self._highs[size + place] = intervals[each][1]
        for node in range(size - 1, 0, -1):
            self._highs[node] = max(self._highs[2 * node], self._highs[2 * node + 1])

    def take(self, point: float) -> Iterator[int]:
        """Hand out every remaining interval that contains the point."""
        while (number := self.take_one(point)) is not None:
            yield number

    def take_one(self, point: float) -> int | None:
        """Hand out one remaining interval that contains the point, None if there is none."""
        place = self._find(1, 0, self._size, point)
        if place is None:
            return None
        self._remove(place)
        return self._order[place]

    def hits(self, point: float) -> bool:
        """True when a remaining interval contains the point; nothing is handed out."""
        return self._find(1, 0, self._size, point) is not None

    def _find(self, node: int, left: int, width: int, point: float) -> int | None:
        """The leftmost place whose interval starts at or before the point and reaches it."""
        stack = [(node, left, width)]
        while stack:
            node, left, width = stack.pop()
            if self._highs[node] < point:
                continue
            if left >= len(self._lows) or self._lows[left] > point:
                continue
            if width == 1:
                return left
            half = width // 2
            stack.append((2 * node + 1, left + half, half))
            stack.append((2 * node, left, half))
        return None

    def _remove(self, place: int) -> None:
        node = self._size + place
        self._highs[node] = -inf
        node //= 2
        while node:
            highest = max(self._highs[2 * node], self._highs[2 * node + 1])
            if self._highs[node] == highest:
                break
            self._highs[node] = highest
            node //= 2
