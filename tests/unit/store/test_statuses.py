from tests.unit.store.build import NOW

from demurrage.store import SqlStore


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
