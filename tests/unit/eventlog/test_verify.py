"""The report on the whole log."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, update

from demurrage.eventlog import tables, verifying
from demurrage.eventlog.log import EventLog
from demurrage.model.event import PERSON_PREFIX, RESOLVER, WEBHOOK

Make = Callable[..., dict[str, Any]]


def test_an_empty_log_is_sound(log: EventLog) -> None:
    """There is nothing to be missing."""
    report = log.verify()
    assert report.sound
    assert (report.events, report.sources) == (0, ())


def test_a_gapless_writer_is_sound(log: EventLog, event: Make) -> None:
    """First, last, heartbeat and farewell are told."""
    log.append([event(id=str(n), sequence=n) for n in (1, 2)], appended_at=0.0)
    beat = event("writer.heartbeat", id="3", sequence=3, data={"last_sequence": 3, "final": True})
    log.append([beat], appended_at=0.0)
    report = log.verify()
    (source,) = report.sources
    assert report.sound
    assert (source.first, source.last, source.promised, source.events) == (1, 3, 3, 3)
    assert source.final
    assert source.last_heartbeat == 1_795_341_600.0


def test_gaps_are_told_below_what_is_held_and_promised(log: EventLog, event: Make) -> None:
    """Before the first, between, and up to what a heartbeat speaks of."""
    log.append([event(id=str(n), sequence=n) for n in (3, 4, 7)], appended_at=0.0)
    beat = event("writer.heartbeat", id="8", sequence=8, data={"last_sequence": 10})
    log.append([beat], appended_at=0.0)
    (source,) = log.verify().sources
    assert source.gaps == [(1, 2), (5, 6), (9, 10)]
    assert not source.sound


def test_conflicts_are_told(log: EventLog, event: Make) -> None:
    """One id with two contents, and one sequence given to two ids."""
    log.append([event(), event(time="2026-11-22T10:00:01Z")], appended_at=0.0)
    log.append([event(id="2", source="host/2"), event(id="3", source="host/2")], appended_at=0.0)
    first, second = log.verify().sources
    assert (first.conflicts, second.conflicts) == (1, 1)
    assert not first.sound


def test_lines_set_aside_are_told(log: EventLog, event: Make) -> None:
    """By source where it is known, damaged rows included; the rest are nameless."""
    log.append([event(id=str(n), sequence=n) for n in (1, 2)], appended_at=0.0)
    log.set_aside(b'{"source": "host/1", "sequence": 3}', "bad", appended_at=0.0)
    log.set_aside(b"?", "bad", appended_at=0.0)
    with log._engine.begin() as connection:
        connection.execute(
            update(tables.events).where(tables.events.c.position == 1).values(body=b"\0")
        )
    report = log.verify()
    (source,) = report.sources
    assert (source.set_aside, report.nameless, report.events) == (2, 1, 1)
    assert [each.reason for each in report.set_aside] == [
        "the stored event is damaged",
        "bad",
        "bad",
    ]
    assert not report.sound


def test_what_is_pruned_meanwhile_is_no_gap(
    log: EventLog, url: str, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is of one moment, whatever others do between its questions."""
    log.append([event(id=str(n), sequence=n) for n in (1, 2, 3)], appended_at=0.0)
    find_gaps = verifying._find_gaps

    def meanwhile(connection: Connection, sources: dict[str, verifying.SourceReport]) -> None:
        other = EventLog.open(url, clock=lambda: 0.0)
        assert other.prune(before=1.0, through=2, keep=()) == 2
        other.append([event(id="5", sequence=5)], appended_at=2.0)
        other.close()
        find_gaps(connection, sources)

    monkeypatch.setattr(verifying, "_find_gaps", meanwhile)
    report = log.verify()
    assert report.sound
    assert (report.sources[0].first, report.sources[0].last) == (1, 3)


def test_a_source_without_sequence_is_not_sound(log: EventLog, event: Make) -> None:
    """Nobody can tell whether all of it is there."""
    log.append([event(sequence=None)], appended_at=0.0)
    (source,) = log.verify().sources
    assert source.unsequenced == 1
    assert not source.sound


def test_the_daemons_own_hand_counts_nothing(log: EventLog, event: Make) -> None:
    """A person's word and what the daemon has read come one by one; nothing waits for them."""
    for number, source in enumerate((f"{PERSON_PREFIX}ops", RESOLVER, WEBHOOK)):
        log.append([event(id=str(number), source=source, sequence=None)], appended_at=0.0)
    report = log.verify()
    assert len(report.sources) == 3
    assert report.sound
