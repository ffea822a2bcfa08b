"""What lasts and keeps everything for ever, with no fault anywhere: cycles that are too slow.

One that takes longer than evidence may be old deletes nothing, and a process that stands still puts
proof off by `evidence.max_event_delay`. One now and then is a busy hour, or a machine that slept.
"""

from demurrage.model.condition import Condition, ConditionKind

# Cycles in a row that are no accident any more.
_ROW = 3
_SLOW = (
    "a cycle takes longer than three times watch.interval, so that what it has listed is too old "
    "to delete anything by: raise watch.interval"
)
_STILL = (
    "the process stands still, or waits for its database, for long in every cycle, so that no "
    "event can be delivered meanwhile and proof is put off each time: does the machine have too "
    "little processor or memory, or a disk that stalls?"
)


class Lapses:
    """Counts the cycles of a target, one after the other, that come to nothing."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._seen = 0
        self._slow = 0
        self._still = 0

    def noted(self, *, slow: bool, pauses: int) -> tuple[Condition, ...]:
        """What was so in each of the last cycles; to be asked once in each.

        Args:
            slow: the cycle took longer than evidence may be old.
            pauses: how often the process has stood still so far.
        """
        self._slow = self._slow + 1 if slow else 0
        self._still = self._still + 1 if pauses != self._seen else 0
        self._seen = pauses
        return tuple(
            Condition(ConditionKind.EVIDENCE_STALE, self._target, text)
            for row, text in ((self._slow, _SLOW), (self._still, _STILL))
            if row >= _ROW
        )
