"""Taking records out of the log; a row that cannot be read becomes a line set aside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select
from sqlalchemy.exc import DBAPIError

from demurrage.eventlog import tables
from demurrage.eventlog.parse import digest_of, event_of
from demurrage.model.error import MalformedEventError
from demurrage.model.event import Batch, Entry, Record, SetAside

_DAMAGED = "the stored event is damaged"


@dataclass(frozen=True, slots=True)
class Kept:
    """A record for people: when it was appended, and all that its writer said.

    `raw` is None for a line set aside, of which no content is kept.
    """

    record: Record
    appended_at: float
    raw: Mapping[str, Any] | None


def read_batch(connection: Connection, after: int, limit: int, read_at: float) -> Batch:
    """Records above `after`, oldest first.

    The row at `after` itself is fetched too: a reader has read it, so where it is missing and
    was not pruned, the log is not the one that the reader knew. Then the batch is empty, sends
    the reader back to the start, and bears a generation of its own.
    """
    rows = connection.execute(_rows(tables.events.c.position >= after).limit(limit + 1)).all()
    # Read after the rows, so that a row pruned meanwhile is known to be.
    generation, pruned_through = connection.execute(
        select(tables.head.c.generation, tables.head.c.pruned_through)
    ).one()
    anchored = bool(rows) and rows[0].position == after
    if after > pruned_through and not anchored:
        return Batch(f"{generation} not at {after}", (), 0, read_at)
    fresh = rows[1:] if anchored else rows[:limit]
    records = tuple(record_of(connection, row.position, row.digest, row.body) for row in fresh)
    cursor = records[-1].position if records else after
    return Batch(generation, records, cursor, read_at)


def kept(connection: Connection, chosen: Select[*tuple[Any, ...]]) -> tuple[Kept, ...]:
    """The records of the chosen positions, oldest first."""
    rows = connection.execute(_rows(tables.events.c.position.in_(chosen))).all()
    return tuple(_kept(connection, row) for row in rows)


def record_of(connection: Connection, position: int, digest: bytes, body: bytes | None) -> Record:
    """The event of a row, checked against its fingerprint, or the line set aside."""
    if body is None or digest_of(body) != digest.hex():
        return _set_aside(connection, position)
    try:
        return Entry(position, event_of(body, digest.hex()))
    except MalformedEventError:
        return _set_aside(connection, position)


def _rows(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    # No column of text: a damaged one fails the whole fetch.
    columns = (
        tables.events.c.position,
        tables.events.c.digest,
        tables.events.c.body,
        tables.events.c.appended_at,
    )
    return select(*columns).where(where).order_by(tables.events.c.position)


def _set_aside(connection: Connection, position: int) -> SetAside:
    here = tables.events.c.position == position
    at = float(connection.execute(select(tables.events.c.appended_at).where(here)).scalar_one())
    columns = (tables.events.c.reason, tables.events.c.source, tables.events.c.sequence)
    try:
        reason, source, sequence = connection.execute(select(*columns).where(here)).one()
    except DBAPIError:
        # Not even the source can be read: every source is held.
        return SetAside(position, _DAMAGED, at=at)
    return SetAside(position, reason or _DAMAGED, source, sequence, at)


def _kept(connection: Connection, row: Row[*tuple[Any, ...]]) -> Kept:
    record = record_of(connection, row.position, row.digest, row.body)
    raw = json.loads(row.body) if isinstance(record, Entry) else None
    return Kept(record, row.appended_at, raw)


def positions_mentioning(ids: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """The positions of events that mention any of the ids."""
    return select(tables.mentions.c.position).where(tables.mentions.c.id.in_(ids))
