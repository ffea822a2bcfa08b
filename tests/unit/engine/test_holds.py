"""Holds between the engine and the person who answers."""

from pathlib import Path

from tests.integration.engine.hooks import Recorded

from demurrage.decide.holds import open_hold, resume
from demurrage.engine.holds import Holds
from demurrage.model.plan import Judgement, PlannedDelete, Rail
from demurrage.model.verdict import Verdict, VerdictKind
from demurrage.store import open_store


def _due(container_id: str) -> PlannedDelete:
    verdict = Verdict(container_id, VerdictKind.ORPHAN, (), due_at=100.0, proven_at=100.0)
    return PlannedDelete(container_id, verdict, 0, "1g", 0.02, 160.0)


async def test_an_answer_given_during_a_cycle_is_not_undone_by_it(tmp_path: Path) -> None:
    """What becomes due meanwhile does not join a hold that a person has just resumed."""
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        hold = open_hold(
            "h", "default", Rail.DELETES_PER_HOUR, [_due("a")], now=100.0, summary="many"
        )
        store.save_hold(hold)
        holds = Holds("default", store, Recorded())
        await holds.load()
        store.save_hold(resume(hold, now=101.0, until=500.0, by="a person"))
        await holds.apply(Judgement((), held=(_due("b"),)), 102.0)
        kept = store.hold("h")
        assert kept is not None
        assert (kept.resumed_by, kept.containers) == ("a person", frozenset({"a"}))
