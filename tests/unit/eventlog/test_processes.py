"""Several processes append while a reader follows."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from demurrage.eventlog.log import EventLog
from demurrage.model.event import Entry

_WRITERS = 4
_BATCHES = 25
_BATCH = 8

Make = Callable[..., dict[str, Any]]


def _append(url: str, raws: list[dict[str, Any]]) -> None:
    log = EventLog.open(url, clock=lambda: 0.0, busy_timeout=60.0)
    for start in range(0, len(raws), _BATCH):
        log.append(raws[start : start + _BATCH], appended_at=float(start % 3))
    log.close()


@pytest.mark.process
def test_a_reader_behind_four_writers_skips_nothing(tmp_path: Path, event: Make) -> None:
    """Every event comes exactly once, positions only grow, and each source is in its order."""
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    count = _BATCHES * _BATCH
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(
            target=_append,
            args=(
                url,
                [
                    event(id=str(n), source=f"host/{writer}", sequence=n)
                    for n in range(1, count + 1)
                ],
            ),
        )
        for writer in range(_WRITERS)
    ]
    for writer in writers:
        writer.start()
    log = EventLog.open(url, clock=lambda: 0.0, busy_timeout=60.0)
    entries: list[Entry] = []
    after, rounds_without_writers = 0, 0
    while rounds_without_writers < 2:
        rounds_without_writers += not any(writer.is_alive() for writer in writers)
        while (batch := log.read(after, 13)).records:
            entries += [record for record in batch.records if isinstance(record, Entry)]
            after = batch.cursor
    log.close()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * _WRITERS
    positions = [entry.position for entry in entries]
    assert positions == sorted(set(positions))
    for number in range(_WRITERS):
        own = [e.event.sequence for e in entries if e.event.source == f"host/{number}"]
        assert own == list(range(1, count + 1))


@pytest.mark.parametrize("attempt", range(5))
def test_many_may_open_a_new_log_at_once(url: str, attempt: int) -> None:
    """Whoever creates it, all get the same log, and nobody fails."""
    del attempt  # chance decides who is first
    start = Barrier(8)

    def generation() -> str:
        start.wait()
        log = EventLog.open(url, clock=lambda: 0.0, busy_timeout=60.0)
        try:
            return log.generation
        finally:
            log.close()

    with ThreadPoolExecutor(8) as threads:
        opened = [threads.submit(generation) for _ in range(8)]
        assert len({one.result() for one in opened}) == 1
