import pytest
from tests.unit.store.build import DAY, NOW, intent, ruling, sighting

from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.facts import BreakKind, CoverageBreak
from demurrage.model.incident import Incident
from demurrage.model.plan import Hold, Rail
from demurrage.model.record import BirthTally, Conclusion
from demurrage.model.rules import RetentionRules
from demurrage.model.verdict import VerdictKind
from demurrage.store import SqlStore, retention

RULES = RetentionRules()
NONE_AT_ALL = RetentionRules(verdicts=0, events=0, deletions=0)


def bury(store: SqlStore, id_: str, outcome: DeleteOutcome | None, *, born: float = NOW) -> None:
    """Judge, intend and (unless the outcome is None) conclude."""
    ids = store.record_verdicts("t", [ruling(id_, born=born, at=born)])
    (made,) = store.intend("t", [intent(ids[id_], id_)], born)
    if outcome is not None:
        store.conclude([Conclusion(made.id, outcome, born)])


def test_evidence_of_the_living_is_never_pruned(store: SqlStore) -> None:
    """However old, and however short the retention: what concerns a living container stays."""
    for at in range(3):
        store.record_verdicts("t", [ruling("x", VerdictKind.PENDING, at=NOW + at)])
    bury(store, "x", DeleteOutcome.FAILED)
    store.predict("t", {"x": VerdictKind.ORPHAN}, NOW)
    store.protect("t", "x", NOW + 1, "ann")
    before = store.case("x")
    assert not any(store.prune(NOW + 9000 * DAY, NONE_AT_ALL).values())
    assert store.case("x") == before


def test_gone_neighbours_of_the_living_stay(store: SqlStore) -> None:
    """A gone container may have taken the slot of one that still lives; others may go."""
    far = NOW - 2 * retention.NEIGHBOURHOOD
    store.save_sightings(
        "t",
        [
            sighting("alive"),
            sighting("near", born=NOW - 60, gone_at=NOW),
            sighting("far", born=far, gone_at=far),
        ],
    )
    store.save_sightings("u", [sighting("elsewhere", born=NOW - 60, gone_at=NOW)])
    assert store.prune(NOW + 90 * DAY, RULES)["containers"] == 2
    assert set(store.sightings("t", alive_or_born_after=0)) == {"alive", "near"}


def test_what_is_gone_goes_after_its_time(store: SqlStore) -> None:
    """History and row go with the verdicts' retention, not before."""
    store.record_verdicts("t", [ruling("x")])
    store.save_sightings("t", [sighting("x", gone_at=NOW)])
    assert not any(store.prune(NOW + RULES.verdicts - 1, RULES).values())
    counts = store.prune(NOW + RULES.verdicts + 1, RULES)
    assert (counts["containers"], counts["verdicts"]) == (1, 1)
    assert store.case("x") is None


def test_the_audit_of_deletes_is_kept_longest(store: SqlStore) -> None:
    """A done delete and its verdict stay a year; an unfinished one stays for ever."""
    bury(store, "x", DeleteOutcome.DELETED)
    bury(store, "open", None)
    store.save_sightings("t", [sighting("open", gone_at=NOW)])
    store.prune(NOW + RULES.deletions - 1, RULES)
    assert {each.container_id for each in store.deletions("t")} == {"x", "open"}
    store.prune(NOW + RULES.deletions + 1, RULES)
    assert [each.container_id for each in store.deletions("t")] == ["open"]
    assert store.case("open") is not None
    assert store.case("x") is None


def test_what_is_over_goes_and_what_stands_stays(store: SqlStore) -> None:
    """Incidents, holds, breaks, protections, tallies and acts are bounded, too."""
    hour = int(NOW // 3600)
    slow = Condition(ConditionKind.TIMEOUT, "t", "Slow.")
    full = Condition(ConditionKind.DISK_FULL, "t", "Full.")
    brief = Condition(ConditionKind.RATE_LIMITED, "t", "Often.")
    over, *_ = store.save_incidents(
        [
            Incident(0, slow, NOW, NOW, NOW, revision=2, resolved_at=NOW),
            Incident(0, full, NOW, NOW, NOW),
            Incident(0, brief, NOW, NOW, NOW, revision=0),
        ]
    )
    store.note_delivered("pager", over.id, 2, NOW)
    store.save_hold(Hold("over", "t", Rail.DELETED_SHARE, NOW, "", frozenset("a"), lapsed_at=NOW))
    store.save_hold(Hold("open", "t", Rail.DELETED_SHARE, NOW, "", frozenset("a")))
    store.add_breaks([CoverageBreak("t", BreakKind.LATE_START, "settled", NOW, "")])
    store.confirm_coverage("t", NOW, "ann")
    store.add_breaks([CoverageBreak("t", BreakKind.LATE_START, "open", NOW + 1, "")])
    store.protect("t", "ended", NOW, "ann")
    store.protect("t", "for ever", None, "ann")
    store.tally("t", [BirthTally(hour, births=1), BirthTally(hour + 24 * 1000, births=1)])
    counts = store.prune(NOW + 1000 * DAY, RULES)
    assert {name: count for name, count in counts.items() if count} == {
        "incidents": 2,
        "holds": 1,
        "coverage_breaks": 1,
        "protections": 1,
        "hourly_births": 1,
        "acts": 3,
    }
    assert [each.condition.kind for each in store.open_incidents()] == [ConditionKind.DISK_FULL]
    assert store.deliveries(over.id) == ()
    assert [each.id for each in store.holds("t")] == ["open"]
    assert [each.about for each in store.facts("t", NOW).breaks] == ["open"]
    assert store.facts("t", NOW + 1000 * DAY).protected == {"for ever"}


def test_one_call_takes_a_bounded_part(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog is worked off over several calls, in short transactions."""
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "_BATCHES", 3)
    store.save_sightings("t", [sighting(f"c{number}", gone_at=NOW) for number in range(10)])
    taken = [store.prune(NOW + 90 * DAY, RULES)["containers"] for _ in range(3)]
    assert taken == [6, 4, 0]


def test_ids_of_the_verdict_log_are_never_used_again(store: SqlStore) -> None:
    """A pruned verdict's id stays free, so that no old note can point at a new verdict."""
    old = store.record_verdicts("t", [ruling("x")])["x"]
    store.save_sightings("t", [sighting("x", gone_at=NOW)])
    store.prune(NOW + 90 * DAY, RULES)
    assert store.record_verdicts("t", [ruling("y")])["y"] > old
