"""Appending to the log and reading it back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from demurrage.eventlog.log import EventLog
from demurrage.eventlog.parse import parse, parse_batch
from demurrage.model.error import MalformedEventError, StoreUnusableError
from demurrage.model.event import Entry, SetAside

Make = Callable[..., dict[str, Any]]


def test_what_is_appended_is_read_back(log: EventLog, event: Make) -> None:
    """In order, whole, with the log's generation and the clock's time."""
    raws = [event(id=str(n), sequence=n) for n in range(1, 6)]
    result = log.append(raws, appended_at=0.0)
    batch = log.read(0, 100)
    assert (result.accepted, result.duplicates) == (5, 0)
    assert [record.position for record in batch.records] == list(result.positions)
    assert [r.event for r in batch.records if isinstance(r, Entry)] == [parse(r) for r in raws]
    assert batch.generation == log.generation
    assert batch.read_at == 1_800_000_000.0
    assert batch.cursor == log.head().position


def test_reading_goes_on_from_its_cursor(log: EventLog, event: Make) -> None:
    """Pages follow each other without overlap, and the end is an empty page."""
    log.append([event(id=str(n)) for n in range(7)], appended_at=5.0)
    seen, after = [], 0
    while (batch := log.read(after, 3)).records:
        assert len(batch.records) <= 3
        seen += [record.position for record in batch.records]
        after = batch.cursor
    assert len(seen) == len(set(seen)) == 7
    assert log.read(after, 3).cursor == after


def test_an_exact_duplicate_is_passed_over(log: EventLog, event: Make) -> None:
    """Across batches and within one; its place in the answer is empty."""
    first = log.append([event()], appended_at=0.0)
    again = log.append([event(), event(id="2"), event(id="2")], appended_at=9.0)
    assert first.positions == (1,)
    assert (again.accepted, again.duplicates) == (1, 2)
    assert again.positions[0] is None
    assert again.positions[2] is None
    assert len(log.read(0, 10).records) == 2


def test_one_id_with_two_contents_is_kept_twice(log: EventLog, event: Make) -> None:
    """The ledger must see the conflict, so both come out, with different digests."""
    log.append([event(), event(data={"call_id": "call_2"})], appended_at=0.0)
    entries = [record for record in log.read(0, 10).records if isinstance(record, Entry)]
    assert len({entry.event.id for entry in entries}) == 1
    assert len({entry.event.digest for entry in entries}) == 2


def test_a_batch_is_appended_whole_or_not_at_all(log: EventLog, event: Make) -> None:
    """One malformed event is named by its index, and nothing is appended."""
    with pytest.raises(MalformedEventError) as caught:
        log.append([event(), event(id="2", time="noon")], appended_at=0.0)
    assert (caught.value.index, caught.value.path) == (1, "/time")
    assert log.read(0, 10).records == ()


def test_lines_already_read_are_appended_as_they_are(log: EventLog) -> None:
    """A caller that has looked at a batch need not have it read twice."""
    body = b'{"specversion":"1.0","id":"1","source":"s","type":"x","time":"2026-11-22T10:00:00Z"}'
    assert log.append(parse_batch(body), appended_at=0.0).accepted == 1


def test_an_empty_batch_is_nothing(log: EventLog) -> None:
    """It is accepted and moves nothing."""
    assert log.append([], appended_at=7.0).positions == ()
    assert log.head().position == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(moments=st.lists(st.floats(0, 4e9), min_size=1, max_size=5))
def test_positions_only_grow(log: EventLog, event: Make, moments: list[float]) -> None:
    """Whatever the clock does."""
    for moment in moments:
        before = log.head().position
        content = event(id=f"{before}")
        (position,) = log.append([content], appended_at=moment).positions
        assert position is not None
        assert position > before


def test_a_line_set_aside_holds_its_place(log: EventLog, event: Make) -> None:
    """It is read in order with the events, with what could be made out of it; once."""
    log.append([event()], appended_at=0.0)
    raw = b'{"source": "host/1", "sequence": "2", "id": ""}'
    position = log.set_aside(raw, "/id: is empty", appended_at=0.0)
    assert log.set_aside(raw, "/id: is empty", appended_at=1.0) is None
    log.append([event(id="3", sequence=3)], appended_at=0.0)
    _, aside, _ = log.read(0, 10).records
    assert aside == SetAside(position or 0, "/id: is empty", "host/1", 2, at=0.0)


@pytest.mark.parametrize(
    ("raw", "source", "sequence"),
    [
        (b'{"source": "host/1", "sequence": [2]}', "host/1", None),
        (b'{"sequence": 2}', None, None),
        (b'{"source": "host/1"', None, None),
        (b"[]", None, None),
        (b"\xff", None, None),
    ],
)
def test_a_line_is_salvaged_as_far_as_it_goes(
    log: EventLog, raw: bytes, source: str | None, sequence: int | None
) -> None:
    """Without a source, a reader must hold every source."""
    log.set_aside(raw, "bad", appended_at=0.0)
    (aside,) = log.read(0, 10).records
    assert isinstance(aside, SetAside)
    assert (aside.source, aside.sequence) == (source, sequence)


def test_the_events_about_an_id_are_found(log: EventLog, event: Make) -> None:
    """By container, response or call, oldest first, with all that the writer said."""
    log.append(
        [
            event(id="1", extra="kept", data={"slots": [{"tool": "shell", "container": "cntr_9"}]}),
            event("response.created", id="2", data={"containers": ["cntr_9"]}),
            event("response.finished", id="3", data={"call_id": "call_2", "response_id": "r"}),
            event("writer.heartbeat", id="4", data={"in_flight": ["call_1"]}),
        ],
        appended_at=12.0,
    )

    def found(*ids: str) -> list[str]:
        return [str((kept.raw or {})["id"]) for kept in log.events_about(ids)]

    assert found("cntr_9") == ["1", "2"]
    assert found("resp_1") == ["2"]
    assert found("call_1", "call_2") == ["1", "2", "3"]
    assert found("cntr_8") == []
    about = log.events_about(["cntr_9"])[0]
    assert about.appended_at == 12.0
    assert (about.raw or {})["extra"] == "kept"


def test_the_most_recent_records_are_given_oldest_first(log: EventLog, event: Make) -> None:
    """As a person reads a tail, lines set aside included."""
    log.append([event(id=str(n)) for n in range(4)], appended_at=0.0)
    log.set_aside(b"?", "bad", appended_at=0.0)
    tail = log.recent(2)
    assert [kept.record.position for kept in tail] == [4, 5]
    assert tail[1].raw is None


def test_a_log_keeps_its_generation_and_a_new_one_gets_another(
    log: EventLog, url: str, other_url: str, event: Make
) -> None:
    """Reopening is not replacing."""
    log.append([event()], appended_at=0.0)
    again = EventLog.open(url, clock=lambda: 0.0)
    other = EventLog.open(other_url, clock=lambda: 0.0)
    assert again.head() == log.head()
    assert other.generation != log.generation
    again.close()
    other.close()


def test_a_given_engine_stays_its_owners(url: str, event: Make) -> None:
    """The log works on any engine of the caller's, and leaves it open."""
    engine = create_engine(url)
    log = EventLog.open(engine, clock=lambda: 0.0)
    log.append([event()], appended_at=0.0)
    log.close()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM event_log")) == 1
    engine.dispose()


def test_a_log_in_memory_serves_one_process() -> None:
    """Every use sees the same tables."""
    log = EventLog.open("sqlite://", clock=lambda: 0.0)
    assert log.read(0, 10).generation == log.generation
    log.close()


def test_a_newer_layout_is_refused(log: EventLog, url: str) -> None:
    """An old daemon must not write into what it does not understand."""
    with log._engine.begin() as connection:
        connection.execute(text("UPDATE event_log_head SET version = version + 1"))
    with pytest.raises(StoreUnusableError):
        EventLog.open(url, clock=lambda: 0.0)
