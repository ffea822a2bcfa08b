"""Invariant 10 on a server: whatever the order of commits, a reader skips nothing."""

import multiprocessing
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from demurrage.eventlog.appending import append_lines
from demurrage.eventlog.log import EventLog
from demurrage.eventlog.parse import read_lines
from demurrage.model.event import Entry

WRITERS = 8
EACH = 12_500
BATCH = 50


def _events(writer: int) -> Iterator[list[dict[str, Any]]]:
    """A writer's events in its order, in batches."""
    for first in range(1, EACH + 1, BATCH):
        yield [
            {
                "specversion": "1.0",
                "id": str(number),
                "source": f"host/{writer}",
                "sequence": number,
                "type": "demurrage.response.known",
                "time": "2026-11-22T10:00:00Z",
                "data": {"target": "default", "response_id": f"resp_{writer}_{number}"},
            }
            for number in range(first, min(first + BATCH, EACH + 1))
        ]


class _ChangedItsMindError(Exception):
    """A transaction that is undone."""


def _change_mind() -> None:
    raise _ChangedItsMindError


def _write(url: str, writer: int) -> None:
    """Append in order, with everything in between that can change the order of commits."""
    rng = random.Random(writer)
    log = EventLog.open(url, clock=time.time, busy_timeout=60.0)
    for batch in _events(writer):
        lines = read_lines(batch)
        while True:
            fate = rng.random()
            try:
                with log._engine.begin() as connection:
                    append_lines(connection, lines, rng.choice([0.0, 1.0, 1e9]))
                    if fate < 0.1:
                        time.sleep(rng.uniform(0.0, 0.004))
                    elif fate < 0.15:
                        _change_mind()
                    elif fate < 0.17:
                        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
            except (_ChangedItsMindError, SQLAlchemyError):
                continue
            break
    log.close()


@pytest.mark.process
@pytest.mark.timeout(600)
def test_eight_adversarial_writers_and_a_reader_that_skips_nothing(database: str) -> None:
    """Of 100,000 events each comes once, by growing positions, each source in its order.

    Writers pause between taking their positions and committing them, undo their transactions,
    and have their sessions killed, while the reader follows by the last position that it saw.
    """
    log = EventLog.open(database, clock=time.time, busy_timeout=60.0)
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write, args=(database, writer), daemon=True)
        for writer in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    seen: dict[str, list[int | None]] = {}
    after, looks_when_done, reads = 0, 0, 0
    while looks_when_done < 2:
        looks_when_done += not any(writer.is_alive() for writer in writers)
        while (batch := log.read(after, 997)).records:
            reads += 1
            for record in batch.records:
                assert isinstance(record, Entry)
                assert record.position > after
                after = record.position
                seen.setdefault(record.event.source, []).append(record.event.sequence)
            assert batch.cursor == after
    log.close()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert reads > WRITERS  # the reader did follow
    whole = list(range(1, EACH + 1))
    assert seen == {f"host/{writer}": whole for writer in range(WRITERS)}
