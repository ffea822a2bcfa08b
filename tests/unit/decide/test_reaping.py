"""A reaper that never reaps is told from a quiet one."""

import pytest

from demurrage.decide.reaping import NEVER, OVERDUE, idle, stuck
from demurrage.model.condition import ConditionKind, Severity
from demurrage.model.plan import PlannedDelete
from demurrage.model.totals import Tally
from demurrage.model.verdict import Verdict, VerdictKind

NOW = 1_800_000_000.0


def due(ago: float) -> PlannedDelete:
    """One that has been due for so many seconds."""
    verdict = Verdict("cntr_1", VerdictKind.ORPHAN, (), due_at=NOW - ago)
    return PlannedDelete("cntr_1", verdict, int(NOW - 8000), "1g", 0.5, NOW + 30)


def test_what_stays_due_is_told() -> None:
    """From a quarter of an hour on without any delete, ever graver."""
    assert stuck("t", [due(OVERDUE - 1)], None, NOW) is None
    first = stuck("t", [due(OVERDUE), due(10)], None, NOW)
    assert first is not None
    assert (first.kind, first.severity) == (ConditionKind.REAPER_NEVER_REAPS, Severity.WARNING)
    assert first.target == "t"
    assert "1 container due for up to 15 minutes" in first.summary
    later = stuck("t", [due(3600)], NOW - OVERDUE, NOW)
    assert later is not None
    assert later.severity is Severity.PAGE
    assert "up to 60 minutes" in later.summary


def test_whoever_deletes_is_not_stuck() -> None:
    """A long queue under a tight budget is worked off, and that is no incident."""
    assert stuck("t", [due(7200)], NOW - OVERDUE + 1, NOW) is None
    assert stuck("t", [], None, NOW) is None


def test_not_one_delete_in_days() -> None:
    """Many were created, many of them unused, and none ever went."""
    found = idle("t", Tally(referenced=100), 200, watched_for=NEVER)
    assert found is not None
    assert (found.kind, found.target) == (ConditionKind.REAPER_NEVER_REAPS, "t")
    assert "200 containers were created in 24 hours" in found.summary
    few = idle("t", Tally(), 100, watched_for=100 * NEVER)
    assert few is not None
    assert "100 containers were created in 2400 hours" in few.summary


@pytest.mark.parametrize(
    ("totals", "births", "watched_for"),
    [
        (Tally(referenced=100, swept=1), 200, NEVER),
        (Tally(referenced=180), 200, NEVER),
        (Tally(created=900), 99, NEVER),
        (Tally(), 200, NEVER - 1),
        (Tally(), 0, NEVER),
    ],
)
def test_quiet_is_not_always_idle(totals: Tally, births: int, watched_for: float) -> None:
    """A delete, use of nearly all, few containers or a short time explain it."""
    assert idle("t", totals, births, watched_for=watched_for) is None
