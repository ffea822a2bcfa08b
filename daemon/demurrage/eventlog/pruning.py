"""Letting go of old events without ever making what was held look like a gap."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, select
from sqlalchemy import update as sql_update

from demurrage.eventlog import tables
from demurrage.eventlog.appending import lock_head
from demurrage.eventlog.database import one_view
from demurrage.eventlog.facts import containers_of, mentions_of
from demurrage.eventlog.floors import forget_departed, next_floors, raise_floors
from demurrage.eventlog.reading import record_of
from demurrage.model.event import Entry
from demurrage.model.floor import Floor

# Appenders wait while a page is deleted.
_PAGE = 1000
_EVENT = tables.events.c


def prune(engine: Engine, *, before: float, through: int, keep: Container[int]) -> int:
    """Delete page by page, each in a transaction of its own; returns how many went."""
    with one_view(engine) as connection:
        floors = next_floors(connection)
    deleted, after = 0, 0
    while True:
        with engine.begin() as connection:
            last = lock_head(connection)
            rows = _page(connection, after, before, min(through, last - 1))
            if not rows:
                forget_departed(connection)
                return deleted
            gone = [row for row in rows if row.position not in keep and _dispensable(row, floors)]
            deleted += _delete(connection, gone)
            raise_floors(connection, {(row.source, row.target) for row in gone}, floors)
            after = rows[-1].position


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
            _EVENT.target,
        )
        .where(_EVENT.position > after, _EVENT.position <= through, _EVENT.appended_at < before)
        .order_by(_EVENT.position)
        .limit(_PAGE)
    )
    return connection.execute(query).all()


def _dispensable(row: Row[*tuple[Any, ...]], floors: Mapping[str, Floor]) -> bool:
    """False for what would leave or hide a gap, or a contradiction.

    That is what lies beyond the floor, was set aside and not healed, or came to a place of which
    the floor tells already.
    """
    if row.sequence is None:
        return row.body is not None
    floor = floors.get(row.source)
    return floor is not None and row.sequence <= floor.sequence and row.position <= floor.position


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
