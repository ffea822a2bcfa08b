"""Responses that go on from what they do not name, and so may use any container of before.

Nothing links such a response to the lineage that it goes on from. So an end, of whatever lineage,
lets none of the earlier containers go while such a response runs, nor where it, or what goes on
from it, began after that end; unless its own lineage has been ended as well.
"""

from bisect import bisect_right
from itertools import accumulate
from math import inf

from demurrage.decide.book import Book
from demurrage.decide.release import End, end_of, lineages
from demurrage.model.event import Ending
from demurrage.model.rules import EvidenceRules


class Opaque:
    """The lineages of one target that go on from what they do not name, and have not been ended.

    Args:
        book: the folded log.
        rules: what holds of clocks and delays.
    """

    def __init__(self, book: Book, rules: EvidenceRules) -> None:
        unknown, self._skew = rules.max_event_delay, rules.clock_skew
        going_on = {
            each: book.responses[each]
            for each in book.opaque
            if book.responses[each].ending is not Ending.REFUSED
        }
        found: list[tuple[float, float, str]] = []
        for members in lineages(book, going_on):
            if not members or isinstance(end_of(book, members, (), rules), End):
                continue
            reached_back = max(
                (each.begun_latest(unknown) for each in members if each.call_id in going_on),
                default=-inf,
            )
            last, about = max(
                (each.begun_latest(unknown) if each.ended else inf, each.call_id)
                for each in members
            )
            found.append((reached_back, last, about))
        found.sort(reverse=True)
        # Of those that reached back to a birth, the one that was at it last.
        self._reached = [-reached_back for reached_back, _, _ in found]
        self._last = list(accumulate(((last, about) for _, last, about in found), max))

    def holder(self, created_at: float, declared_at: float) -> str | None:
        """A call that may use a container although what named it is over; None if there is none.

        Args:
            created_at: when the container was born, in provider time.
            declared_at: the earliest moment at which what held it can have been declared over.
        """
        count = bisect_right(self._reached, self._skew - created_at)
        if not count:
            return None
        last, about = self._last[count - 1]
        return about if last + self._skew > declared_at else None
