from tests.unit.store.build import NOW
from tests.unit.store.test_incidents import COST, opened, resolved

from demurrage.model.incident import Delivery
from demurrage.store import SqlStore


def test_a_change_is_owed_until_it_is_delivered(store: SqlStore) -> None:
    """Each sink has its own account, and a revision is told once."""
    one = opened(store)
    assert store.undelivered("pager", NOW) == store.undelivered("chat", NOW) == (one,)
    store.note_delivered("pager", one.id, 1, NOW + 1)
    assert store.undelivered("pager", NOW) == ()
    assert store.undelivered("chat", NOW) == (one,)
    over = resolved(store, one)
    assert store.undelivered("pager", NOW) == (over,)
    store.note_delivered("pager", one.id, 2, NOW + 10)
    assert store.undelivered("pager", NOW) == ()


def test_what_a_sink_never_heard_of_is_over_for_it(store: SqlStore) -> None:
    """A new sink hears what is open now and nothing of the past; nor does one that failed."""
    one = opened(store)
    store.note_undelivered("pager", one.id, 1, NOW, "refused")
    resolved(store, one)
    two = opened(store, COST)
    assert store.undelivered("pager", NOW) == store.undelivered("new", NOW) == (two,)


def test_silence_puts_off_and_takes_nothing_away(store: SqlStore) -> None:
    """What is silenced is owed again from the moment at which the silence ends."""
    one = opened(store)
    store.silence(one.id, NOW + 60, NOW, "ann")
    assert store.undelivered("pager", NOW + 59) == ()
    (owed,) = store.undelivered("pager", NOW + 60)
    assert owed.id == one.id


def test_the_end_of_what_was_acknowledged_is_told(store: SqlStore) -> None:
    """Whoever took note needs no first message, but hears of the end of what was told."""
    one = opened(store)
    store.note_delivered("pager", one.id, 1, NOW)
    store.acknowledge(one.id, NOW, "ann")
    assert store.undelivered("chat", NOW) == ()
    over = resolved(store, one)
    assert store.undelivered("chat", NOW) == ()
    assert [each.id for each in store.undelivered("pager", NOW)] == [over.id]


def test_who_was_told_of_what_stands(store: SqlStore) -> None:
    """Whatever people have said of it, until it is over; not what could not be told."""
    one, two = opened(store), opened(store, COST)
    store.note_delivered("pager", one.id, 1, NOW)
    store.note_undelivered("pager", two.id, 1, NOW, "refused")
    store.acknowledge(one.id, NOW, "ann")
    assert [each.id for each in store.told("pager")] == [one.id]
    assert store.told("chat") == ()
    resolved(store, one)
    assert store.told("pager") == ()


def test_failures_are_counted_until_it_goes_through(store: SqlStore) -> None:
    """Attempts and the last reason stand with each sink's account."""
    one = opened(store)
    store.note_undelivered("pager", one.id, 1, NOW, "refused")
    store.note_undelivered("pager", one.id, 1, NOW + 1, "timed out")
    assert store.deliveries(one.id) == (Delivery("pager", 0, None, 2, NOW + 1, "timed out"),)
    store.note_delivered("pager", one.id, 1, NOW + 2)
    assert store.deliveries(one.id) == (Delivery("pager", 1, NOW + 2, 0, NOW + 2, ""),)


def test_what_arrives_late_takes_nothing_back(store: SqlStore) -> None:
    """Neither an older delivery nor an older failure undoes a newer delivery."""
    one = opened(store)
    store.note_delivered("pager", one.id, 2, NOW)
    store.note_delivered("pager", one.id, 1, NOW + 1)
    store.note_undelivered("pager", one.id, 2, NOW + 2, "refused")
    assert store.deliveries(one.id) == (Delivery("pager", 2, NOW, 0, NOW, ""),)


def test_notes_on_what_is_forgotten_are_dropped(store: SqlStore) -> None:
    """Retention may have taken the incident while a sink was at work."""
    store.note_delivered("pager", 404, 1, NOW)
    store.note_undelivered("pager", 404, 1, NOW, "refused")
    assert store.deliveries(404) == ()
