"""What is to happen in the harbour, in the order of its moments."""

from collections.abc import Callable
from heapq import heappop, heappush


class Agenda:
    """A queue of actions, each due at an inner moment; equal moments keep their order."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0

    def at(self, moment: float, action: Callable[[float], None]) -> None:
        """Do `action(moment)` once the moment has come."""
        self._count += 1
        heappush(self._due, (moment, self._count, action))

    def advance(self, now: float) -> None:
        """Do everything that is due."""
        while self._due and self._due[0][0] <= now:
            moment, _, action = heappop(self._due)
            action(moment)
