from pathlib import Path

import pytest
from tests.unit.store.build import NOW, intent, planned, put_back, ruling, sighting

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.error import StoreFailedError
from demurrage.model.record import Conclusion
from demurrage.store import SqlStore, open_store


def meant(store: SqlStore, *ids: str) -> list[int]:
    """Record an orphan verdict and an intent for each container; returns the deletions' ids."""
    verdict_ids = store.record_verdicts("t", [ruling(id_) for id_ in ids])
    intents = [intent(verdict_ids[id_], id_) for id_ in ids]
    return [each.id for each in store.intend("t", intents, NOW + 1)]


def test_a_crash_after_the_intent_leaves_it_to_be_found(url: str) -> None:
    """What was intended and not concluded is unfinished after a restart."""
    with open_store(url) as store:
        first, second = meant(store, "x", "y")
        store.conclude([Conclusion(first, DeleteOutcome.DELETED, NOW + 2, saved_usd=0.1)])
    with open_store(url) as store:
        (left,) = store.unfinished("t")
        assert (left.id, left.container_id, left.outcome) == (second, "y", None)
        store.conclude([Conclusion(second, DeleteOutcome.UNCERTAIN, NOW + 3)])
        assert store.unfinished("t") == ()


def test_intents_come_back_in_their_order(store: SqlStore) -> None:
    """Each deletion belongs to the intent at its place, however many there are."""
    ids = [f"c{number}" for number in range(2500)]
    verdict_ids = store.record_verdicts("t", [ruling(id_) for id_ in ids])
    made = store.intend("t", [intent(verdict_ids[id_], id_) for id_ in ids], NOW)
    assert [each.container_id for each in made] == ids
    assert store.unfinished("t") == made


def test_no_delete_without_a_recorded_verdict(store: SqlStore) -> None:
    """The database itself refuses an intent whose verdict it does not hold (invariant 5)."""
    with pytest.raises(StoreFailedError):
        store.intend("t", [intent(4711)], NOW)
    assert store.unfinished("t") == ()


def test_no_delete_by_a_store_that_went_back_until_that_is_taken_note_of(
    url: str, path: Path
) -> None:
    """What stood against it may be forgotten, and nobody has been asked."""
    put_back(url, path)
    with open_store(url) as store:
        with pytest.raises(StoreFailedError):
            meant(store, "x")
        assert store.unfinished("t") == ()
        store.acknowledge_restore(NOW + 30)
        assert meant(store, "y")


@pytest.mark.parametrize("outcome", DeleteOutcome)
def test_only_a_done_delete_buries_its_container(store: SqlStore, outcome: DeleteOutcome) -> None:
    """Deleted and 404 mark the sighting; every other outcome leaves it alive."""
    (id_,) = meant(store, "x")
    store.conclude([Conclusion(id_, outcome, NOW + 2)])
    held = store.sightings("t", alive_or_born_after=0)["x"]
    assert held.alive is not outcome.done
    assert held.deleted_at == (NOW + 2 if outcome.done else None)
    assert ("x" in store.current_verdicts("t")) is not outcome.done


def test_an_uncertain_delete_may_turn_out_done_but_not_back(store: SqlStore) -> None:
    """A later conclusion corrects the totals; what is done stays done and counts once."""
    (id_,) = meant(store, "x")
    store.conclude([Conclusion(id_, DeleteOutcome.FAILED, NOW + 2)])
    assert store.totals("t", 300).all.failed == 1
    store.conclude([Conclusion(id_, DeleteOutcome.DELETED, NOW + 3, saved_usd=0.25)])
    store.conclude([Conclusion(id_, DeleteOutcome.DELETED, NOW + 4, saved_usd=0.25)])
    store.conclude([Conclusion(id_, DeleteOutcome.FAILED, NOW + 5)])
    figures = store.totals("t", 300).all
    assert (figures.failed, figures.swept, figures.saved_usd) == (0, 1, 0.25)
    assert store.deletions("t")[0].finished_at == NOW + 3


def test_concluding_what_was_never_meant_changes_nothing(store: SqlStore) -> None:
    """An unknown id fails the whole call, the known ones beside it included."""
    (id_,) = meant(store, "x")
    with pytest.raises(StoreFailedError):
        store.conclude(
            [
                Conclusion(id_, DeleteOutcome.DELETED, NOW),
                Conclusion(4711, DeleteOutcome.DELETED, NOW),
            ]
        )
    assert [each.id for each in store.unfinished("t")] == [id_]


def test_observing_counts_each_container_once(store: SqlStore) -> None:
    """What observe mode would have deleted has its own counter and touches no other."""
    store.save_sightings("t", [sighting("x"), sighting("y")])
    assert store.observe("t", [planned("x"), planned("y")], NOW) == {"x", "y"}
    assert store.observe("t", [planned("x"), planned("stranger")], NOW + 10) == frozenset()
    figures = store.totals("t", 300).all
    assert (figures.observed, figures.observed_usd, figures.swept) == (2, 1.0, 0)
    case = store.case("x")
    assert case is not None
    assert (case.observed_at, case.observed_usd) == (NOW, 0.5)
    assert store.observe("t", [], NOW) == frozenset()
