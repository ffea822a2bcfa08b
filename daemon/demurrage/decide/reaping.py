"""Does a daemon that may delete ever delete?

A reaper that never reaps looks like a quiet one. Two signs tell them apart: what is due stays
due, and of what has been created for days, much of it never used, nothing was ever deleted.
"""

from collections.abc import Iterable

from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.counted import counted
from demurrage.model.plan import PlannedDelete
from demurrage.model.totals import Tally

# Seconds for which something is due before it is strange that nothing goes: the budget may be
# tight, an outage may be caught up with. After an hour the bill of every container has run out.
OVERDUE = 900.0
_LONG_OVERDUE = 3600.0
# From a day on and so many containers, not one delete is no accident any more, unless nearly all
# of them were used.
NEVER = 86_400.0
_MANY = 100
_NEARLY_ALL = 0.9


def stuck(
    target: str, due: Iterable[PlannedDelete], last_delete_at: float | None, now: float
) -> Condition | None:
    """What is due stays due, and nothing is deleted.

    Args:
        target: whose.
        due: what the last cycle meant to delete.
        last_delete_at: when a delete last succeeded, None if none did.
        now: provider time in epoch seconds, as all times here.
    """
    overdue = [now - each.due_at for each in due if now - each.due_at >= OVERDUE]
    if not overdue or (last_delete_at is not None and now - last_delete_at < OVERDUE):
        return None
    summary = (
        f"{counted(len(overdue), 'container')} due for up to {max(overdue) / 60:.0f} minutes, and "
        "nothing is deleted"
    )
    grave = Severity.PAGE if max(overdue) >= _LONG_OVERDUE else Severity.WARNING
    return Condition(ConditionKind.REAPER_NEVER_REAPS, target, summary, grave)


def idle(target: str, totals: Tally, births: int, *, watched_for: float) -> Condition | None:
    """Containers come for days, and not one was ever deleted.

    Args:
        target: whose.
        totals: its running totals.
        births: how many were born while it was watched.
        watched_for: for how many seconds that is.
    """
    used = totals.referenced >= _NEARLY_ALL * births
    if totals.swept or used or births < _MANY or watched_for < NEVER:
        return None
    summary = (
        f"{births} containers were created in {watched_for / 3600:.0f} hours, no more than "
        f"{totals.referenced} were ever referenced, and not one was ever deleted"
    )
    return Condition(ConditionKind.REAPER_NEVER_REAPS, target, summary)
