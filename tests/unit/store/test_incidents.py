from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.unit.store.build import NOW

from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.error import StoreFailedError
from demurrage.model.incident import Incident
from demurrage.store import SqlStore, open_store

GAP = Condition(ConditionKind.SEQUENCE_GAP, "t", "A gap at 7.")
COST = Condition(
    ConditionKind.ORPHAN_COST,
    "t",
    "Orphans cost five times as much.",
    Severity.PAGE,
    scope="team=search",
    causes=(Cause("writer", "web-1", 9, 0.75), Cause("label", "team=search", 3, 0.25)),
    usd_per_hour=12.5,
)


def begun(condition: Condition, *, revision: int = 1) -> Incident:
    """One that opens now."""
    return Incident(0, condition, NOW, NOW, NOW, revision=revision)


def opened(store: SqlStore, condition: Condition = GAP) -> Incident:
    """One that is open."""
    (one,) = store.save_incidents([begun(condition)])
    return one


def resolved(store: SqlStore, incident: Incident, at: float = NOW + 9) -> Incident:
    """The same when it is over."""
    (one,) = store.save_incidents(
        [replace(incident, revision=incident.revision + 1, changed_at=at, resolved_at=at)]
    )
    return one


def test_all_of_an_incident_is_kept(store: SqlStore) -> None:
    """What was saved comes back, scope, causes and money too, with an id of its own."""
    one, other = store.save_incidents([begun(GAP), begun(COST)])
    assert (one, other) == (replace(begun(GAP), id=one.id), replace(begun(COST), id=other.id))
    assert one.id != other.id
    assert store.incident(other.id) == other
    assert store.open_incidents("t") == store.standing_incidents("t") == (one, other)
    assert store.open_incidents("u") == ()


def test_one_that_broods_is_nobodys_business(store: SqlStore) -> None:
    """Until it has opened, only the daemon itself sees it."""
    (one,) = store.save_incidents([begun(GAP, revision=0)])
    assert store.standing_incidents("t") == (one,)
    assert store.open_incidents() == ()
    assert store.incident(one.id) is None
    assert store.acknowledge(one.id, NOW, "ann") is None
    assert store.undelivered("pager", NOW) == ()


def test_what_is_over_is_kept_apart(store: SqlStore) -> None:
    """The latest to end comes first, and a new one of the same kind is another."""
    first = resolved(store, opened(store), NOW + 20)
    second = resolved(store, opened(store, COST), NOW + 10)
    third = opened(store)
    assert store.past_incidents("t") == (first, second)
    assert store.past_incidents(limit=1) == (first,)
    assert store.open_incidents() == (third,)


def test_at_most_one_of_a_key_stands(store: SqlStore) -> None:
    """The database itself refuses a second one while the first stands."""
    opened(store)
    with pytest.raises(StoreFailedError):
        opened(store)
    assert len(store.open_incidents()) == 1


def test_what_people_say_outlives_what_the_daemon_sees(store: SqlStore) -> None:
    """A daemon that writes what it had read before leaves their words alone."""
    one = opened(store)
    store.acknowledge(one.id, NOW + 1, "ann")
    store.silence(one.id, NOW + 60, NOW + 2, "bob")
    (after,) = store.save_incidents([replace(one, last_seen_at=NOW + 3)])
    assert (after.acknowledged_at, after.acknowledged_by) == (NOW + 1, "ann")
    assert after.silenced_until == NOW + 60
    assert after.last_seen_at == NOW + 3
    assert store.unsilence(one.id, NOW + 4, "bob") == replace(after, silenced_until=None)


def test_an_escalation_takes_an_acknowledgement_back(store: SqlStore) -> None:
    """Ann has taken note of a warning; of the page she has not."""
    one = opened(store)
    store.acknowledge(one.id, NOW + 1, "ann")
    (after,) = store.save_incidents([replace(one, revision=2, changed_at=NOW + 2)])
    assert (after.acknowledged_at, after.acknowledged_by) == (None, "")


def test_people_act_on_what_is_open_alone(store: SqlStore) -> None:
    """What they say is written down with their name; what is over takes no words."""
    one = opened(store)
    store.acknowledge(one.id, NOW, "ann")
    store.silence(one.id, NOW + 60, NOW, "ann")
    store.unsilence(one.id, NOW, "bob")
    said = [(each.what, each.by, each.about, each.detail) for each in store.acts()]
    about = str(one.id)
    assert said == [
        ("unsilence_incident", "bob", about, "sequence_gap"),
        ("silence_incident", "ann", about, f"sequence_gap until {NOW + 60:.0f}"),
        ("acknowledge_incident", "ann", about, "sequence_gap"),
    ]
    resolved(store, one)
    assert store.acknowledge(one.id, NOW, "ann") is None
    assert store.silence(one.id, NOW + 60, NOW, "ann") is None
    assert store.unsilence(one.id, NOW, "ann") is None
    assert len(store.acts()) == 3


def test_commands_beside_the_daemon_lose_no_word(store: SqlStore, url: str) -> None:
    """Two connections at once: the daemon writes what it sees, a person what she says."""
    one = opened(store)
    with open_store(url) as beside, ThreadPoolExecutor(2) as pool:

        def see() -> None:
            for each in range(20):
                store.save_incidents([replace(one, last_seen_at=NOW + each)])

        def say() -> None:
            for each in range(20):
                beside.silence(one.id, NOW + each, NOW, "ann")

        futures: list[Future[None]] = [pool.submit(see), pool.submit(say)]
        for future in futures:
            future.result()
    (after,) = store.open_incidents()
    assert (after.last_seen_at, after.silenced_until) == (NOW + 19, NOW + 19)
