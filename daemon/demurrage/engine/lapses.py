"""Cycles so slow that the log is never read in an unbroken series, without which nothing is proven.

Every lapse puts proof off by `evidence.max_event_delay`. One now and then is a machine that slept;
one in every cycle means that the daemon keeps everything for ever, with no fault anywhere.
"""

from demurrage.model.condition import Condition, ConditionKind

# Cycles with a lapse, one after the other, that are no accident any more.
_ROW = 3


class Lapses:
    """Counts the cycles in a row in which the series of readings broke."""

    def __init__(self) -> None:
        self._seen = 0
        self._row = 0

    def persist(self, lapses: int) -> bool:
        """True when the series broke in each of the last cycles; to be asked once in each.

        Args:
            lapses: how often it has broken so far.
        """
        self._row = self._row + 1 if lapses != self._seen else 0
        self._seen = lapses
        return self._row >= _ROW


def lapsing(target: str) -> Condition:
    """Says so of a target."""
    text = (
        "a cycle takes longer than three times watch.interval, so that the event log is not read "
        "without a break, and nothing can be proven or deleted: raise watch.interval"
    )
    return Condition(ConditionKind.EVIDENCE_STALE, target, text)
