"""A delete that never got its answer stays an open question until something really answers it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.engine.test_look import Clock, T
from tests.unit.engine.test_sweep import Api

from demurrage.decide.census import Census
from demurrage.engine.look import Target
from demurrage.engine.recovery import Recovery
from demurrage.model.container import Container, Sighting
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.plan import Mode, PlannedDelete
from demurrage.model.record import Conclusion, Intent, Ruling
from demurrage.model.rules import Rules
from demurrage.model.verdict import Verdict, VerdictKind
from demurrage.store import SqlStore, open_store

ROW = Container("cntr_1", int(T) - 300, "running", int(T) - 300)
VERDICT = Verdict(ROW.id, VerdictKind.ORPHAN, (), due_at=T, proven_at=T)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store that holds one orphan."""
    with open_store(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.save_sightings("default", [Sighting(ROW, T, T)])
        yield opened


def intended(store: SqlStore) -> Deletion:
    """One more delete of the orphan, written down before its call."""
    ids = store.record_verdicts("default", [Ruling(ROW, VERDICT, T)])
    planned = PlannedDelete(ROW.id, VERDICT, ROW.created_at, "1g", 0.02, T)
    (deletion,) = store.intend("default", [Intent(planned, ids[ROW.id])], T)
    return deletion


@pytest.mark.parametrize("later", [DeleteOutcome.FAILED, DeleteOutcome.REFUSED])
async def test_a_later_delete_that_tells_nothing_leaves_the_earlier_one_open(
    store: SqlStore, later: DeleteOutcome
) -> None:
    """Once the listing shows that the container went, the lost delete is what took it."""
    recovery = Recovery(
        Target("default", Api(Clock(), lambda _: None, 1), Rules(), Mode.ENFORCE), store
    )
    lost = intended(store)
    await recovery.recover(T)
    again = intended(store)
    conclusion = Conclusion(again.id, later, T)
    store.conclude([conclusion])
    recovery.note([(again, conclusion)])

    gone = Sighting(ROW, T, T, gone_at=T + 20.0, missing_since=T + 10.0)
    assert await recovery.resolve(Census(T + 20.0, {ROW.id: gone}), T + 20.0) == (ROW.id,)
    outcomes = {each.id: each.outcome for each in store.deletions("default")}
    assert outcomes == {lost.id: DeleteOutcome.DELETED, again.id: later}
    assert store.totals("default", 300.0).all.swept == 1
