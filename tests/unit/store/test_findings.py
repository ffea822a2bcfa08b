from tests.unit.store.build import DAY, NOW

from demurrage.model.finding import Answer, Finding
from demurrage.model.rules import RetentionRules
from demurrage.store import SqlStore

YES = Finding("q", Answer.YES, "in so many words", {"seconds": 1.5, "name": None}, NOW)
NO = Finding("q", Answer.NO, "", {}, NOW + 1)
UNCLEAR = Finding("q", Answer.UNCLEAR, "the turn failed", {}, NOW + 2)


def test_an_answer_that_changes_stays_open_until_it_is_confirmed(store: SqlStore) -> None:
    """The next run that says the same settles the change."""
    assert store.record_finding("t", YES).changed_from is None
    assert store.record_finding("t", NO).changed_from == YES.words
    (changed,) = store.changed_findings("t")
    assert (changed.finding, changed.open_change) == (NO, True)
    assert store.record_finding("t", NO).changed_from is None
    assert store.changed_findings("t") == ()


def test_a_person_can_take_note(store: SqlStore) -> None:
    """Once acknowledged it is open no more, and the act is on record."""
    store.record_finding("t", YES)
    store.record_finding("t", NO)
    assert store.acknowledge_findings("t", NOW + 5, "ann") == 1
    assert store.acknowledge_findings("t", NOW + 6, "ann") == 0
    assert store.changed_findings("t") == ()
    (act,) = store.acts()
    assert (act.what, act.by, act.detail) == ("acknowledge_findings", "ann", "q")


def test_an_unclear_answer_neither_changes_nor_settles(store: SqlStore) -> None:
    """It is kept, but only clear answers are compared."""
    store.record_finding("t", UNCLEAR)
    store.record_finding("t", YES)
    assert store.record_finding("t", UNCLEAR).changed_from is None
    assert store.record_finding("t", NO).changed_from == YES.words
    store.record_finding("t", UNCLEAR)
    assert [each.finding for each in store.changed_findings("t")] == [NO]
    assert store.findings("t")["q"].finding == UNCLEAR


def test_figures_that_move_are_no_change(store: SqlStore) -> None:
    """What was measured is kept and not compared."""
    store.record_finding("t", YES)
    again = Finding("q", Answer.YES, YES.says, {"seconds": 7.0}, NOW + 9)
    assert store.record_finding("t", again).changed_from is None
    assert store.findings("t")["q"].finding == again
    assert store.findings("u") == {}


def test_the_last_answer_is_never_forgotten(store: SqlStore) -> None:
    """However old: without it nobody would notice the next change."""
    store.record_finding("t", YES)
    store.record_finding("t", NO)
    store.record_finding("t", UNCLEAR)
    assert store.prune(NOW + 90 * DAY, RetentionRules())["findings"] == 1
    assert [each.finding for each in store.changed_findings("t")] == [NO]
    assert store.findings("t")["q"].finding == UNCLEAR
