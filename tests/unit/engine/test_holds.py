"""Holds between the engine and the person who answers."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.integration.engine.hooks import Recorded

from demurrage.decide import holds as rules_of_holds
from demurrage.decide.holds import join, open_hold, resume
from demurrage.engine.holds import Holds
from demurrage.model.plan import Hold, Judgement, PlannedDelete, Rail
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


async def test_an_answer_given_in_the_moment_of_a_change_is_not_undone_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the hold and writing it nobody can answer, or the answer would be lost."""
    url = f"sqlite:///{tmp_path}/store.db"
    with open_store(url) as store, open_store(url) as another:
        hold = open_hold(
            "h", "default", Rail.DELETES_PER_HOUR, [_due("a")], now=100.0, summary="many"
        )
        store.save_hold(hold)
        holds = Holds("default", store, Recorded())
        await holds.load()
        answered = Event()

        def answer() -> None:
            another.save_hold(resume(hold, now=101.0, until=500.0, by="a person"))
            answered.set()

        person = Thread(target=answer)

        def changed_meanwhile(hold: Hold, deletes: Sequence[PlannedDelete]) -> Hold:
            person.start()
            answered.wait(0.3)
            return join(hold, deletes)

        monkeypatch.setattr(rules_of_holds, "join", changed_meanwhile)
        await holds.apply(Judgement((), held=(_due("b"),)), 102.0)
        person.join()
        kept = store.hold("h")
        assert kept is not None
        assert (kept.resumed_by, kept.containers) == ("a person", frozenset({"a"}))
