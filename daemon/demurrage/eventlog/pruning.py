"""Letting go of old events without ever making what was held look like a gap."""

from collections.abc import Container, Iterable, Mapping, Sequence
from math import inf
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, insert, select
from sqlalchemy import update as sql_update

from demurrage.eventlog import tables
from demurrage.eventlog.appending import lock_head
from demurrage.eventlog.database import one_view
from demurrage.eventlog.facts import containers_of, mentions_of
from demurrage.eventlog.reading import record_of
from demurrage.model.event import Entry

# Appenders wait while a page is deleted.
_PAGE = 1000
_EVENT = tables.events.c


def prune(engine: Engine, *, before: float, through: int, keep: Container[int]) -> int:
    """Delete page by page, each in a transaction of its own; returns how many went."""
    with one_view(engine) as connection:
        floors = _floors(connection)
    deleted, after = 0, 0
    while True:
        with engine.begin() as connection:
            last = lock_head(connection)
            rows = _page(connection, after, before, min(through, last - 1))
            if not rows:
                _forget_departed(connection)
                return deleted
            gone = [row for row in rows if row.position not in keep and _dispensable(row, floors)]
            deleted += _delete(connection, gone)
            _raise_floors(connection, {row.source for row in gone}, floors)
            after = rows[-1].position


def _floors(connection: Connection) -> dict[str, int]:
    """By source: up to which sequence everything is held, or was once, and nothing is in doubt.

    Two contents of one place or of one id are as bad as a gap: a reader that starts anew has to
    come upon them again.
    """
    floors = dict(
        connection.execute(select(tables.floors.c.source, tables.floors.c.sequence)).all()
    )
    held = (
        select(_EVENT.source, _EVENT.sequence)
        .where(_EVENT.body.is_not(None), _EVENT.sequence.is_not(None))
        .order_by(_EVENT.source, _EVENT.sequence)
    )
    doubtful = _doubtful(connection)
    for source, sequence in connection.execute(held):
        if sequence == floors.get(source, 0) + 1 and sequence < doubtful.get(source, inf):
            floors[source] = sequence
    return floors


def _doubtful(connection: Connection) -> dict[str, int]:
    """By source: the lowest sequence that has two contents, or an id that has."""
    found: dict[str, int] = {}
    for same in (_EVENT.sequence, _EVENT.id):
        query = (
            select(_EVENT.source, func.min(_EVENT.sequence))
            .where(_EVENT.body.is_not(None), _EVENT.sequence.is_not(None))
            .group_by(_EVENT.source, same)
            .having(func.count() > 1)
        )
        for source, sequence in connection.execute(query):
            found[source] = min(sequence, found.get(source, sequence))
    return found


def _page(
    connection: Connection, after: int, before: float, through: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = (
        select(
            _EVENT.position,
            _EVENT.digest,
            _EVENT.body,
            _EVENT.appended_at,
            _EVENT.source,
            _EVENT.sequence,
        )
        .where(_EVENT.position > after, _EVENT.position <= through, _EVENT.appended_at < before)
        .order_by(_EVENT.position)
        .limit(_PAGE)
    )
    return connection.execute(query).all()


def _dispensable(row: Row[*tuple[Any, ...]], floors: Mapping[str, int]) -> bool:
    """False for what would leave or hide a gap: beyond the floor, or set aside and not healed."""
    if row.sequence is None:
        return row.body is not None
    return bool(row.sequence <= floors.get(row.source, 0))


def _delete(connection: Connection, rows: Iterable[Row[*tuple[Any, ...]]]) -> int:
    positions: list[dict[str, Any]] = []
    mentions: list[dict[str, Any]] = []
    for row in rows:
        position = row.position
        if row.body is not None:
            record = record_of(connection, position, row.digest, row.body)
            if not isinstance(record, Entry):
                continue
            fact = record.event.fact
            mentions += [
                {"i": one, "p": position} for one in mentions_of(fact, containers_of(fact))
            ]
        positions.append({"p": position})
    if mentions:
        one = tables.mentions.c
        connection.execute(
            delete(tables.mentions).where(one.id == bindparam("i"), one.position == bindparam("p")),
            mentions,
        )
    if positions:
        connection.execute(
            delete(tables.events).where(_EVENT.position == bindparam("p")), positions
        )
        connection.execute(sql_update(tables.head).values(pruned_through=positions[-1]["p"]))
    return len(positions)


def _raise_floors(
    connection: Connection, sources: Iterable[str | None], floors: Mapping[str, int]
) -> None:
    floor = tables.floors.c
    for source in sources:
        if source is None or source not in floors:
            continue
        raised = sql_update(tables.floors).where(floor.source == source)
        if connection.execute(raised.values(sequence=floors[source])).rowcount == 0:
            connection.execute(insert(tables.floors).values(source=source, sequence=floors[source]))


def _forget_departed(connection: Connection) -> None:
    """Drop the floors of sources that are wholly pruned: they were silent all the time.

    Should one speak again, its past looks like a gap, which only holds its watermark.
    """
    held = select(func.distinct(_EVENT.source)).where(_EVENT.source.is_not(None))
    connection.execute(delete(tables.floors).where(tables.floors.c.source.not_in(held)))
