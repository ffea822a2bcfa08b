from tests.unit.store.build import DAY, NOW, intent, ruling, sighting

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.record import Conclusion
from demurrage.model.rules import RetentionRules
from demurrage.model.totals import Tally
from demurrage.model.verdict import VerdictKind
from demurrage.store import SqlStore


def swept(store: SqlStore, id_: str, *, age: float) -> None:
    """Judge a container an orphan, and delete it at the given age."""
    verdict_ids = store.record_verdicts("t", [ruling(id_)])
    (made,) = store.intend("t", [intent(verdict_ids[id_], id_)], NOW + age - 1)
    store.conclude([Conclusion(made.id, DeleteOutcome.DELETED, NOW + age, saved_usd=0.5)])


def test_a_container_counts_once_however_often_it_is_seen_and_judged(store: SqlStore) -> None:
    """Created, referenced and orphans count containers, not listings or verdicts."""
    for _ in range(2):
        store.save_sightings("t", [sighting("x"), sighting("y", tier=None)])
        store.record_verdicts("t", [ruling("x"), ruling("y", VerdictKind.REFERENCED)])
        store.record_verdicts("t", [ruling("x", VerdictKind.REFERENCED)])
    figures = store.totals("t", 300)
    assert figures.all == Tally(created=2, referenced=2, orphans=1)
    assert {tier: each.created for tier, each in figures.by_tier.items()} == {
        "1g": 1,
        "unknown": 1,
    }


def test_the_floor_is_the_callers(store: SqlStore) -> None:
    """A sweep at exactly the minimum is not before the floor, whatever the minimum is."""
    for id_, age in (("a", 2.9), ("b", 3.0), ("c", 299.9), ("d", 300.0), ("e", 90_000.0)):
        swept(store, id_, age=age)
    assert store.totals("t", 300).all.swept == 5
    assert store.totals("t", 300).all.swept_before_floor == 3
    assert store.totals("t", 3).all.swept_before_floor == 1


def test_rows_that_were_long_gone_when_first_seen_were_not_created_here(store: SqlStore) -> None:
    """Expired rows stay listed for ever; a first look at them counts nothing."""
    old = sighting("old", born=NOW - 2 * DAY, status="expired")
    old = type(old)(old.container, first_seen_at=NOW, listed_at=NOW)
    store.save_sightings("t", [old, sighting("new", status="expired")])
    assert store.totals("t", 300).all.created == 1


def test_totals_survive_pruning(store: SqlStore) -> None:
    """When every detail is gone the figures are the same."""
    swept(store, "x", age=10)
    store.predict("t", {"x": VerdictKind.ORPHAN}, NOW)
    before = store.totals("t", 300)
    store.prune(NOW + 1000 * DAY, RetentionRules())
    assert store.case("x") is None
    assert store.totals("t", 300) == before
    assert before.all.swept_before_floor == 1


def test_the_score_of_predictions(store: SqlStore) -> None:
    """The first claim of a container counts, and its refutation once; the rest stands."""
    store.save_sightings("t", [sighting("x"), sighting("y", tier="4g")])
    store.predict("t", {"x": VerdictKind.PENDING}, NOW)
    store.predict("t", {"x": VerdictKind.ORPHAN, "y": VerdictKind.RELEASED}, NOW)
    store.predict("t", {"x": VerdictKind.RELEASED}, NOW + 1)
    assert store.refute("t", ["x", "never-predicted"], NOW + 2) == 1
    assert store.refute("t", ["x"], NOW + 3) == 0
    figures = store.totals("t", 300)
    assert (figures.all.predicted, figures.all.refuted, figures.all.standing) == (2, 1, 1)
    assert figures.by_tier["4g"].standing == 1
    case = store.case("x")
    assert case is not None
    assert case.prediction is not None
    assert case.prediction.refuted_at == NOW + 2
