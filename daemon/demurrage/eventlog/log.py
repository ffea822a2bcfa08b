"""The event log on SQL: one table, one order, the same code on SQLite and PostgreSQL."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, Engine, select

from demurrage.eventlog import tables
from demurrage.eventlog.appending import (
    AppendResult,
    append_lines,
    note_line,
)
from demurrage.eventlog.database import dispose, make_engine, one_view, troubles_named
from demurrage.eventlog.floors import floors_of
from demurrage.eventlog.opening import ensure_tables
from demurrage.eventlog.parse import Line, read_lines
from demurrage.eventlog.pruning import prune
from demurrage.eventlog.reading import Kept, kept, positions_mentioning, read_batch
from demurrage.eventlog.verifying import LogReport, verify
from demurrage.model.event import Batch
from demurrage.model.floor import Floor

_BUSY_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends. `generation` stays with the log for its life."""

    generation: str
    position: int


class EventLog:
    """The shared, append-only record of what applications did.

    Safe to use from several threads and processes. An append is on the disk when it returns,
    provided that a given engine commits durably, as the log's own does. Every method raises
    LogUnreadableError for any trouble of the database.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float], *, owned: bool) -> None:
        self._engine = engine
        self._clock = clock
        self._owned = owned

    @classmethod
    def open(
        cls,
        where: str | Engine,
        *,
        clock: Callable[[], float],
        busy_timeout: float = _BUSY_TIMEOUT,
    ) -> Self:
        """Open a log, creating its tables where they are missing.

        Args:
            where: a database URL, or an engine that the caller keeps and disposes of.
            clock: what `Batch.read_at` is taken from, in epoch seconds.
            busy_timeout: for how many seconds an append waits for another writer; ignored for
                a given engine.

        Raises:
            StoreUnusableError: the database cannot be used, or is of a newer version.
        """
        if isinstance(where, Engine):
            log = cls(where, clock, owned=False)
        else:
            log = cls(make_engine(where, busy_timeout=busy_timeout), clock, owned=True)
        try:
            ensure_tables(log._engine)
        except BaseException:
            log.close()
            raise
        return log

    def close(self) -> None:
        """Close the connections that the log opened itself.

        One that a thread is still at work on is closed when it is done.
        """
        if self._owned:
            dispose(self._engine)

    def append(
        self, raws: Sequence[Mapping[str, Any] | bytes | Line], *, appended_at: float
    ) -> AppendResult:
        """Append a batch, all of it or nothing; on return it is durable.

        An exact duplicate is passed over and counted. The same id with other content is kept:
        the ledger must see the conflict.

        Args:
            raws: events, or lines that `parse_batch` has read already.
            appended_at: when, in epoch seconds.

        Raises:
            MalformedEventError: names the first event that breaks the format, and its index.
            LogUnreadableError: nothing was appended, or whether it was cannot be known; to
                append the same again is safe.
        """
        lines = read_lines(raws)
        with self.transaction() as connection:
            return append_lines(connection, lines, appended_at)

    def set_aside(self, raw: bytes, reason: str, *, appended_at: float) -> int | None:
        """Keep note of a line that is no event; its content is not kept.

        Its source and sequence are made out as far as they go.

        Returns:
            The note's position; None when the very line was noted before.
        """
        with self.transaction() as connection:
            return note_line(connection, raw, reason, appended_at)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction, for what must be stored together with events."""
        with troubles_named(), self._engine.begin() as connection:
            yield connection

    def read(self, after: int, limit: int) -> Batch:
        """Records with positions above `after`, at most `limit`, oldest first.

        Nothing is skipped whatever writers do. Where the log is not the one in which `after`
        was read (it was restored from an older copy, or replaced), the batch is empty, its
        cursor is 0 and its generation differs from the log's own.
        """
        with troubles_named(), one_view(self._engine) as connection:
            return read_batch(connection, after, limit, self._clock())

    def head(self) -> Head:
        """The end of the log."""
        with troubles_named(), one_view(self._engine) as connection:
            query = select(tables.head.c.generation, tables.head.c.position)
            return Head(*connection.execute(query).one())

    @property
    def generation(self) -> str:
        """The name that the log was given at its creation."""
        return self.head().generation

    def recent(self, count: int) -> tuple[Kept, ...]:
        """The last records, oldest first."""
        position = tables.events.c.position
        with troubles_named(), one_view(self._engine) as connection:
            return kept(connection, select(position).order_by(position.desc()).limit(count))

    def events_about(self, ids: Sequence[str]) -> tuple[Kept, ...]:
        """The events that mention any of the given containers, responses or calls."""
        with troubles_named(), one_view(self._engine) as connection:
            return kept(connection, positions_mentioning(ids))

    def floors(self) -> Mapping[str, Floor]:
        """By source, what is known of its events that were pruned.

        Only for sources of which something was. A reader that starts anew must not take what was
        pruned for a gap.
        """
        with troubles_named(), one_view(self._engine) as connection:
            return floors_of(connection)

    def verify(self) -> LogReport:
        """Read the whole log and report on every source."""
        with troubles_named(), one_view(self._engine) as connection:
            return verify(connection)

    def appended_before(self, moment: float) -> int:
        """The position up to which all was appended before a moment, in epoch seconds.

        Never that of the last event, which pruning leaves.
        """
        event = tables.events.c
        later = select(event.position).where(event.appended_at >= moment).order_by(event.position)
        with troubles_named(), one_view(self._engine) as connection:
            first = connection.scalar(later.limit(1))
            if first is None:
                first = connection.execute(select(tables.head.c.position)).scalar_one()
            return int(first) - 1

    def prune(self, *, before: float, through: int, keep: Container[int]) -> int:
        """Delete old events.

        What is still needed stays, whatever the caller says: the last event, lines set aside
        whose gap has not healed, damaged rows, and events beyond a gap of their source.

        Args:
            before: only what was appended before this moment, in epoch seconds.
            through: only positions that the reader has read: its cursor.
            keep: positions that are evidence.

        Returns:
            How many were deleted.
        """
        with troubles_named():
            return prune(self._engine, before=before, through=through, keep=keep)
