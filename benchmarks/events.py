"""Events appended and folded, SQLite on one core, beside raw inserts of the same bytes.

Bodies as the recorder posts them are read, checked and appended with the production pragmas
(every batch is on the disk before the next), then the log is read back and folded into a ledger
as the daemon does. The rival is the database alone: the same bytes as rows of a table with a
key, in the same batches, as durable, and read back.
"""

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.measured import Measured, Options, figure

from demurrage.decide.ledger import Ledger
from demurrage.engine.evidence import BATCH
from demurrage.eventlog.log import EventLog
from demurrage.eventlog.parse import parse_batch

GOAL = 10_000
POSTED = 500
WRITERS = 8
ROUNDS = 3
START = 1_790_000_000


class _Writer:
    """One process that logs."""

    def __init__(self, number: int) -> None:
        self._source = f"app-{number}/1f0e6ab2-{number:04d}"
        self._number = number
        self._sequence = 0

    def call(self, number: int) -> Iterator[dict[str, Any]]:
        """The four events of one call; every tenth brings a heartbeat."""
        call = f"call-{self._number}-{number:08d}"
        response = f"resp_{self._number:02d}{number:046d}"
        container = f"cntr_{self._number:02d}{number:046d}"
        known = {"call_id": call, "response_id": response}
        slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
        at = START + number
        yield self._event(
            "response.started", at, call_id=call, slots=slots, model="gpt-5", containers=[]
        )
        yield self._event("response.created", at + 1, **known, created_at=at + 0.5)
        yield self._event("response.output", at + 4, **known, containers=[container])
        yield self._event(
            "response.finished",
            at + 9,
            **known,
            status="completed",
            created_at=at + 0.5,
            completed_at=at + 8.5,
            containers=[container],
        )
        if number % 10 == 0:
            yield self._event(
                "writer.heartbeat",
                at + 10,
                complete_through=at + 9.0,
                last_sequence=self._sequence,
                in_flight=[],
                clock_offset=0.01,
                dropped=0,
            )

    def _event(self, kind: str, at: float, **data: Any) -> dict[str, Any]:
        self._sequence += 1
        return {
            "specversion": "1.0",
            "id": f"{self._source}/{self._sequence}",
            "source": self._source,
            "sequence": self._sequence,
            "type": f"demurrage.{kind}",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
            "data": {"target": "default", **data},
        }


def bodies(count: int) -> list[bytes]:
    """What is posted: `count` events or a few more, a writer's in its order."""
    writers = [_Writer(number) for number in range(WRITERS)]
    calls = -(-count // (4 * WRITERS))
    posted = []
    for writer in writers:
        events = [event for number in range(calls) for event in writer.call(number)]
        posted += [events[start : start + POSTED] for start in range(0, len(events), POSTED)]
    return [json.dumps(batch).encode() for batch in posted]


def ours(folder: Path, posted: Sequence[bytes]) -> tuple[float, float, int]:
    """Seconds to append, seconds to read and fold, events."""
    log = EventLog.open(f"sqlite:///{folder / 'log.db'}", clock=time.time)
    begun = time.perf_counter()
    for body in posted:
        log.append(parse_batch(body), appended_at=time.time())
    appended = time.perf_counter() - begun
    ledger, position, count = Ledger(), 0, 0
    begun = time.perf_counter()
    while True:
        batch = log.read(position, BATCH)
        ledger.fold(batch.records)
        position = batch.cursor
        count += len(batch.records)
        if len(batch.records) < BATCH:
            break
    folded = time.perf_counter() - begun
    log.close()
    if any(source.gap for source in ledger.sources.values()):
        raise ValueError("an event was lost")
    return appended, folded, count


def raw(folder: Path, posted: Sequence[bytes]) -> float:
    """Seconds that the database alone takes for the same bytes."""
    batches = [
        [json.dumps(event, separators=(",", ":")).encode() for event in json.loads(body)]
        for body in posted
    ]
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE raw (position INTEGER PRIMARY KEY, body BLOB)")
        begun = time.perf_counter()
        for batch in batches:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO raw (body) VALUES (?)", [(each,) for each in batch])
            database.execute("COMMIT")
        for _ in database.execute("SELECT position, body FROM raw ORDER BY position"):
            pass
        return time.perf_counter() - begun


def measure(options: Options) -> Iterator[Measured]:
    """Take turns, and tell the medians."""
    posted = bodies(200_000 if options.full else 40_000)
    times = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            times.append((*ours(folder, posted), raw(folder, posted)))
    count = times[0][2]
    appended, folded, _, alone = (statistics.median(column) for column in zip(*times, strict=True))
    rate = count / statistics.median(each[0] + each[1] for each in times)
    yield Measured(
        "events appended and folded",
        rate,
        "events/s",
        GOAL,
        at_least=True,
        rival=f"raw inserts of the same bytes: {figure(count / alone)}/s",
        detail={"events": count, "batch": POSTED, "rounds": times},
    )
    yield Measured("events appended, durably", count / appended, "events/s")
    yield Measured("events read back and folded", count / folded, "events/s")
