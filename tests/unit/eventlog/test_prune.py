"""Letting go of old events."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from demurrage.eventlog import tables
from demurrage.eventlog.log import EventLog
from demurrage.model.floor import Floor

Make = Callable[..., dict[str, Any]]

_ALL = 10**18


def _positions(log: EventLog) -> list[int]:
    return [record.position for record in log.read(0, 100).records]


def _floors(log: EventLog) -> dict[str, int]:
    return {source: floor.sequence for source, floor in log.floors().items()}


def test_old_events_go_and_leave_a_floor(log: EventLog, event: Make) -> None:
    """Only those before the moment; what they mentioned is forgotten with them."""
    for n in (1, 2, 3):
        raw = event(id=str(n), sequence=n, data={"call_id": f"call_{n}"})
        log.append([raw], appended_at=n / 1e6)
    assert log.prune(before=2.5 / 1e6, through=_ALL, keep=()) == 2
    assert _positions(log) == [3]
    assert _floors(log) == {"host/1": 3}
    assert log.events_about(["call_1"]) == ()
    assert len(log.events_about(["call_3"])) == 1
    assert log.verify().sound


def test_evidence_the_unread_and_the_last_event_stay(log: EventLog, event: Make) -> None:
    """The caller's list and cursor bind, and the end of the log is never lost."""
    log.append([event(id=str(n), sequence=n) for n in range(1, 7)], appended_at=0.0)
    assert log.prune(before=1.0, through=4, keep={2}) == 3
    assert _positions(log) == [2, 5, 6]
    assert log.prune(before=1.0, through=_ALL, keep={2}) == 1
    assert _positions(log) == [2, 6]


def test_a_reader_at_a_pruned_place_goes_on(log: EventLog, event: Make) -> None:
    """A cursor whose event is gone is not taken for one of another log."""
    log.append([event(id=str(n), sequence=n) for n in range(1, 7)], appended_at=0.0)
    log.prune(before=1.0, through=4, keep=())
    for after in range(1, 7):
        batch = log.read(after, 10)
        assert batch.generation == log.generation
        assert batch.cursor == 6


def test_events_beyond_a_gap_stay_until_it_heals(log: EventLog, event: Make) -> None:
    """Were they forgotten, the healed gap would look like one without end."""
    log.append([event(id=str(n), sequence=n) for n in (1, 3, 4)], appended_at=0.0)
    log.append([event(id="x", source="host/2")], appended_at=9.0)
    assert log.prune(before=1.0, through=_ALL, keep=()) == 1
    assert _floors(log) == {"host/1": 1}
    log.append([event(id="2", sequence=2)], appended_at=0.0)
    log.append([event(id="5", sequence=5)], appended_at=9.0)
    assert log.prune(before=1.0, through=_ALL, keep=()) == 3
    assert _floors(log) == {"host/1": 5}


@pytest.mark.parametrize("twin", [{"id": "other", "sequence": 2}, {"id": "2", "sequence": 7}])
def test_what_contradicts_itself_stays(log: EventLog, event: Make, twin: dict[str, Any]) -> None:
    """Two contents of one place, or of one id: a reader that starts anew must come upon them."""
    log.append([event(id=str(n), sequence=n) for n in range(1, 5)], appended_at=0.0)
    log.append([event(**twin, data={"call_id": "another"})], appended_at=0.0)
    log.append([event(id="x", source="host/2")], appended_at=9.0)
    assert log.prune(before=1.0, through=_ALL, keep=()) == 1
    assert _floors(log) == {"host/1": 1}
    assert not log.verify().sound


def test_what_contradicts_a_place_that_was_dropped_stays(log: EventLog, event: Make) -> None:
    """What stood there is gone, and still a reader that starts anew comes upon the second."""
    log.append([event(id=str(n), sequence=n) for n in (1, 2, 3)], appended_at=0.0)
    log.append([event(id="x", source="host/2")], appended_at=0.0)
    assert log.prune(before=1.0, through=_ALL, keep={3}) == 2
    (first,) = log.floors().values()
    log.append([event(id="again", sequence=2), event(id="4", sequence=4)], appended_at=0.0)
    log.append([event(id="y", source="host/2", sequence=2)], appended_at=9.0)
    again, fourth = (each.position for each in log.read(first.position, 2).records)
    assert log.prune(before=1.0, through=_ALL, keep={3}) == 1
    assert {again, fourth} <= set(_positions(log))
    assert log.floors()["host/1"] == first
    assert first.met_again(2, again)


def test_a_floor_tells_of_the_targets_of_what_was_dropped(log: EventLog, event: Make) -> None:
    """And goes on telling when more is dropped."""
    for n, target in ((1, "a"), (2, "b"), (3, "a"), (4, "c")):
        log.append([event(id=str(n), sequence=n, data={"target": target})], appended_at=n / 1e6)
    assert log.prune(before=1.5 / 1e6, through=_ALL, keep=()) == 1
    assert log.floors()["host/1"].targets == {"a"}
    assert log.prune(before=3.5 / 1e6, through=_ALL, keep=()) == 2
    assert log.floors()["host/1"].targets == {"a", "b"}


def test_what_bears_no_sequence_goes_page_by_page_and_again(
    log: EventLog, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its source only the targets are still told, for there it is waited for."""
    monkeypatch.setattr("demurrage.eventlog.pruning._PAGE", 2)
    log.append([event(id="kept", source="loose", sequence=None)], appended_at=9.0)
    for turn in range(2):
        raws = [
            event(id=f"{turn}.{n}", source="loose", sequence=None, data={"target": "a"})
            for n in range(5)
        ]
        log.append(raws, appended_at=0.0)
        log.append([event(id=f"end {turn}")], appended_at=9.0)
        assert log.prune(before=1.0, through=_ALL, keep=()) == 5
    assert log.floors()["loose"] == Floor(0, 0, frozenset({"a"}))


def test_lines_set_aside_stay_until_they_heal(log: EventLog, event: Make) -> None:
    """One whose event has come after all may go; one that nobody can place never does."""
    log.set_aside(b'{"source": "host/1", "sequence": 2}', "bad", appended_at=0.0)
    log.set_aside(b"?", "bad", appended_at=0.0)
    log.append([event(id="1", sequence=1)], appended_at=0.0)
    log.append([event(id="3", sequence=3)], appended_at=9.0)
    assert log.prune(before=1.0, through=_ALL, keep={3}) == 0
    log.append([event(id="2", sequence=2)], appended_at=9.0)
    assert log.prune(before=1.0, through=_ALL, keep={3}) == 1
    assert _positions(log)[0] == 2


def test_a_damaged_row_stays(log: EventLog, event: Make) -> None:
    """What it said is not known, so it goes on holding its source."""
    log.append([event(id=str(n), sequence=n) for n in (1, 2, 3)], appended_at=0.0)
    with log._engine.begin() as connection:
        connection.execute(
            update(tables.events).where(tables.events.c.position == 1).values(body=b"\0")
        )
    assert log.prune(before=1.0, through=_ALL, keep=()) == 1
    assert _positions(log) == [1, 3]


def test_the_floor_of_a_source_goes_with_its_last_event(log: EventLog, event: Make) -> None:
    """Floors do not pile up with every process that ever lived."""
    log.append([event(id=str(n), sequence=n) for n in (1, 2)], appended_at=0.0)
    log.append([event(source="host/2")], appended_at=9.0)
    assert log.prune(before=1.0, through=_ALL, keep=()) == 2
    assert log.floors() == {}


def test_how_far_all_is_old(log: EventLog, event: Make) -> None:
    """To the last before the first that is not, whatever follows it; the end is never old."""
    assert log.appended_before(9.0) < 1
    for n, at in ((1, 1.0), (2, 5.0), (3, 2.0)):
        log.append([event(id=str(n), sequence=n)], appended_at=at)
    first, second, third = _positions(log)
    assert log.appended_before(1.0) == first - 1
    assert first <= log.appended_before(3.0) < second
    assert second <= log.appended_before(9.0) < third


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    order=st.permutations(range(1, 9)).flatmap(
        lambda order: st.integers(0, 8).map(lambda count: order[:count])
    ),
    keep=st.sets(st.integers(1, 8)),
    example=st.uuids(),
)
def test_pruning_never_makes_nor_hides_a_gap(
    log: EventLog, event: Make, order: list[int], keep: set[int], example: object
) -> None:
    """Whatever arrived in whatever order, the gaps of a source are the same after as before."""
    source = f"host/{example}"
    raws = [event(id=str(n), source=source, sequence=n) for n in order]
    log.append(raws, appended_at=0.0)
    log.append([event(id="end", source=source, sequence=9)], appended_at=9e9)

    def gaps() -> list[tuple[int, int]]:
        return next(s.gaps for s in log.verify().sources if s.source == source)

    before = gaps()
    log.prune(before=1.0, through=_ALL, keep=keep)
    assert gaps() == before
