"""Putting lines into the log, one appender at a time whatever the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from demurrage.eventlog import tables
from demurrage.eventlog.facts import containers_of, mentions_of
from demurrage.eventlog.parse import Line
from demurrage.eventlog.salvage import fingerprint, salvage

_LOOKUPS_AT_ONCE = 500
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of a batch.

    `positions`: one for each event, in order; None for an exact duplicate of an earlier one.
    """

    accepted: int
    duplicates: int
    positions: tuple[int | None, ...]


def append_lines(connection: Connection, lines: Sequence[Line], appended_at: float) -> AppendResult:
    """Append within the caller's transaction; events that are already held are passed over."""
    last = lock_head(connection)
    digests = [bytes.fromhex(line.event.digest) for line in lines]
    held = held_digests(connection, digests)
    position = first_position(last, appended_at)
    positions: list[int | None] = []
    rows: list[tuple[Any, ...]] = []
    mentions: list[tuple[Any, ...]] = []
    for line, digest in zip(lines, digests, strict=True):
        if digest in held:
            positions.append(None)
            continue
        held.add(digest)
        rows.append(_row(line, digest, position, appended_at))
        fact = line.event.fact
        mentions += [(one, position) for one in mentions_of(fact, containers_of(fact))]
        positions.append(position)
        position += 1
    if rows:
        _insert_many(connection, tables.events, rows)
        move_head(connection, position - 1)
    if mentions:
        _insert_many(connection, tables.mentions, mentions)
    return AppendResult(len(rows), len(lines) - len(rows), tuple(positions))


def note_line(
    connection: Connection,
    raw: bytes,
    reason: str,
    appended_at: float,
    *,
    source: str | None = None,
) -> int | None:
    """Note a line that is no event within the caller's transaction; None if it was before.

    Args:
        connection: in a transaction.
        raw: the line; its content is not kept.
        reason: why it is no event.
        appended_at: when, in epoch seconds.
        source: in whose name the file is written; the same text in two of them is two lines.
    """
    told, sequence = salvage(raw)
    digest = fingerprint(raw if source is None else source.encode() + b"\n" + raw)
    last = lock_head(connection)
    if held_digests(connection, [digest]):
        return None
    position = first_position(last, appended_at)
    note = insert(tables.events).values(
        position=position,
        digest=digest,
        source=told if told is not None else source,
        sequence=sequence,
        appended_at=appended_at,
        reason=reason,
    )
    connection.execute(note)
    move_head(connection, position)
    return position


def lock_head(connection: Connection) -> int:
    """Wait for the head row, keep it until the transaction ends, return the last position.

    The update must be the transaction's first statement: on SQLite it takes the write lock
    before anything is read, so that nothing read can be stale.
    """
    connection.execute(update(tables.head).values(position=tables.head.c.position))
    return int(connection.execute(select(tables.head.c.position)).scalar_one())


def first_position(last: int, appended_at: float) -> int:
    """The next position: never one given out before, were the log set back to an older copy.

    Following the clock in microseconds, positions given after a restore lie beyond those that
    readers of the lost part remember, who thus neither skip the new nor take it for the old.
    """
    return max(last + 1, int(appended_at * _MICROSECONDS))


def move_head(connection: Connection, position: int) -> None:
    """Remember the last position given out."""
    connection.execute(update(tables.head).values(position=position))


def held_digests(connection: Connection, digests: Sequence[bytes]) -> set[bytes]:
    """Which of the contents the log already holds."""
    held: set[bytes] = set()
    for start in range(0, len(digests), _LOOKUPS_AT_ONCE):
        some = digests[start : start + _LOOKUPS_AT_ONCE]
        known = select(tables.events.c.digest).where(tables.events.c.digest.in_(some))
        held.update(connection.scalars(known))
    return held


def _row(line: Line, digest: bytes, position: int, appended_at: float) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    event = line.event
    return (
        position,
        digest,
        event.source,
        event.id,
        event.sequence,
        line.type,
        event.target,
        event.time,
        appended_at,
        line.body,
        None,
    )


def _insert_many(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values stand in the order of the table's columns.

    SQLAlchemy would look at every value of every row, which takes a third of an append; none of
    these types needs it, so the rows go to the driver in its own style.
    """
    compiled = insert(table).compile(dialect=connection.dialect)
    order = compiled.positiontup
    names = [column.name for column in table.columns]
    if order == names:
        connection.exec_driver_sql(str(compiled), list(rows))
    else:
        named = [dict(zip(names, row, strict=True)) for row in rows]
        connection.exec_driver_sql(str(compiled), named)
