from tests.unit.store.build import NOW

from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.record import ConditionChanges
from demurrage.store import SqlStore

GAP = Condition(ConditionKind.SEQUENCE_GAP, "t", "A gap at 7.", Severity.WARNING)
FULL = Condition(ConditionKind.DISK_FULL, "t", "No space.", Severity.PAGE)


def test_a_condition_opens_stands_and_resolves(store: SqlStore) -> None:
    """Only changes are reported; the record keeps the whole life."""
    assert store.sync_conditions("t", [GAP], NOW) == ConditionChanges((GAP,), ())
    assert store.sync_conditions("t", [GAP, FULL], NOW + 1) == ConditionChanges((FULL,), ())
    assert store.sync_conditions("t", [FULL], NOW + 2) == ConditionChanges((), (GAP,))
    (standing,) = store.open_conditions("t")
    assert (standing.condition, standing.opened_at) == (FULL, NOW + 1)
    assert standing.last_seen_at == NOW + 2
    (past,) = store.past_conditions("t")
    assert (past.condition, past.last_seen_at, past.resolved_at) == (GAP, NOW + 1, NOW + 2)


def test_one_that_comes_back_is_a_new_one(store: SqlStore) -> None:
    """A resolved condition stays resolved, with its own times."""
    for at, now in enumerate(([GAP], [], [GAP])):
        store.sync_conditions("t", now, NOW + at)
    assert [each.opened_at for each in store.open_conditions()] == [NOW + 2]
    assert [each.opened_at for each in store.past_conditions()] == [NOW]


def test_changed_words_do_not_make_a_new_condition(store: SqlStore) -> None:
    """A number in the summary moves on, the condition stays the same."""
    store.sync_conditions("t", [GAP], NOW)
    grown = Condition(GAP.kind, "t", "Gaps at 7 and 9.", Severity.PAGE)
    assert store.sync_conditions("t", [grown], NOW + 1) == ConditionChanges((), ())
    (standing,) = store.open_conditions()
    assert (standing.condition, standing.opened_at) == (grown, NOW)


def test_several_of_a_kind_are_one_with_the_worst_severity(store: SqlStore) -> None:
    """Nothing that was said gets lost, and doubles are said once."""
    worse = Condition(GAP.kind, "t", "A gap at 9.", Severity.PAGE)
    (opened,) = store.sync_conditions("t", [GAP, worse, GAP], NOW).opened
    assert opened.severity is Severity.PAGE
    assert GAP.summary in opened.summary
    assert worse.summary in opened.summary


def test_targets_have_their_own_conditions(store: SqlStore) -> None:
    """What ends for one target goes on for another."""
    store.sync_conditions("a", [GAP], NOW)
    store.sync_conditions("b", [], NOW)
    assert [each.condition.target for each in store.open_conditions()] == ["a"]
    assert store.open_conditions("b") == ()


def test_the_last_status_of_each_target_is_kept(store: SqlStore) -> None:
    """A snapshot replaces the one before and comes back as plain values."""
    store.save_status("b", NOW, {"mode": "observe"})
    store.save_status("a", NOW, {"due": 1})
    store.save_status("a", NOW + 1, {"due": 2, "lag": [0.5, None]})
    kept = [(each.target, each.at, each.status) for each in store.statuses()]
    assert kept == [
        ("a", NOW + 1, {"due": 2, "lag": [0.5, None]}),
        ("b", NOW, {"mode": "observe"}),
    ]
