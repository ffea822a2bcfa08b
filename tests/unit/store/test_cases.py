from tests.unit.store.build import DAY, NOW, intent, ruling, sighting

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.plan import Hold, Rail
from demurrage.model.record import Conclusion, Cursor
from demurrage.model.rules import RetentionRules
from demurrage.model.verdict import VerdictKind
from demurrage.store import SqlStore


def test_a_case_tells_the_whole_story(store: SqlStore) -> None:
    """Sighting, every verdict with its time, deletes, holds and protection are in one value."""
    store.save_sightings("t", [sighting("x")])
    store.record_verdicts("t", [ruling("x", VerdictKind.PENDING, at=NOW)])
    ids = store.record_verdicts("t", [ruling("x", VerdictKind.ORPHAN, at=NOW + 10)])
    hold = Hold("h1", "t", Rail.DELETED_SHARE, NOW, "Held.", frozenset({"x", "y"}))
    store.save_hold(hold)
    store.protect("t", "x", NOW + 5, "ann")
    (made,) = store.intend("t", [intent(ids["x"], "x")], NOW + 11)
    store.conclude([Conclusion(made.id, DeleteOutcome.DELETED, NOW + 12, "ok", 0.5)])
    case = store.case("x")
    assert case is not None
    assert case == store.case("x", "t")
    assert case.sighting is not None
    assert case.sighting.deleted_at == NOW + 12
    assert [(each.decided_at, each.verdict.kind) for each in case.verdicts] == [
        (NOW, VerdictKind.PENDING),
        (NOW + 10, VerdictKind.ORPHAN),
    ]
    assert case.verdicts[1].id == ids["x"]
    assert [each.outcome for each in case.deletions] == [DeleteOutcome.DELETED]
    assert case.holds == (hold,)
    assert case.protection is not None
    assert case.protection.by == "ann"


def test_unheard_of_containers_have_no_case(store: SqlStore) -> None:
    """Neither in general nor in a target that knows it not."""
    store.save_sightings("t", [sighting("x")])
    assert store.case("y") is None
    assert store.case("x", "other") is None


def test_a_protection_alone_is_a_case(store: SqlStore) -> None:
    """A person may protect what the daemon has not seen yet."""
    store.protect("t", "x", None, "ann")
    case = store.case("x", "t")
    assert case is not None
    assert case.sighting is None


def test_the_reason_of_a_delete_can_be_read_long_after(store: SqlStore) -> None:
    """When history and row are gone, the audit still holds the delete and its verdict."""
    store.record_verdicts("t", [ruling("x", VerdictKind.PENDING)])
    ids = store.record_verdicts("t", [ruling("x")])
    (made,) = store.intend("t", [intent(ids["x"], "x")], NOW + 1)
    store.conclude([Conclusion(made.id, DeleteOutcome.DELETED, NOW + 2)])
    store.prune(NOW + 100 * DAY, RetentionRules())
    case = store.case("x")
    assert case is not None
    assert case.sighting is None
    assert [each.id for each in case.verdicts] == [ids["x"]]
    assert [each.id for each in case.deletions] == [made.id]


def test_containers_come_in_pages_newest_first(store: SqlStore) -> None:
    """Following the last id visits every row once, births in the same second included."""
    rows = [sighting(f"c{number:02}", born=NOW + number // 3) for number in range(20)]
    store.save_sightings("t", rows)
    store.save_sightings("u", [sighting("elsewhere")])
    seen: list[str] = []
    after = None
    while page := store.containers("t", limit=7, after=after):
        seen += [each.sighting.id for each in page]
        after = seen[-1]
    assert seen == sorted((each.id for each in rows), reverse=True)
    assert store.containers("t", after="unheard-of") == ()


def test_containers_can_be_picked_by_verdict_and_life(store: SqlStore) -> None:
    """Filters go by the latest verdict; entries carry it."""
    store.record_verdicts("t", [ruling("x"), ruling("y")])
    store.record_verdicts("t", [ruling("y", VerdictKind.REFERENCED)])
    store.save_sightings("t", [sighting("gone", gone_at=NOW), sighting("new")])
    (orphan,) = store.containers("t", VerdictKind.ORPHAN)
    assert orphan.sighting.id == "x"
    assert orphan.latest is not None
    assert orphan.latest.verdict == ruling("x").verdict
    assert {each.sighting.id for each in store.containers(alive=True)} == {"x", "y", "new"}
    (gone,) = store.containers(alive=False)
    assert (gone.sighting.id, gone.latest) == ("gone", None)


def test_deletions_are_listed_newest_first(store: SqlStore) -> None:
    """Of one target or of all, up to a limit."""
    for target in ("t", "u"):
        ids = store.record_verdicts(target, [ruling("x"), ruling("y")])
        store.intend(target, [intent(ids["x"], "x"), intent(ids["y"], "y")], NOW)
    assert [each.container_id for each in store.deletions("t")] == ["y", "x"]
    assert [each.target for each in store.deletions(limit=3)] == ["u", "u", "t"]


def test_the_cursor_is_remembered(store: SqlStore) -> None:
    """None before the first reading, then the last one saved."""
    assert store.cursor() is None
    for position in (5, 9):
        store.save_cursor(Cursor("g", position, NOW))
    assert store.cursor() == Cursor("g", 9, NOW)
