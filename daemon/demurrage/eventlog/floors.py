"""What the log still tells of the writers whose events retention has dropped."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from math import inf

from sqlalchemy import Connection, delete, func, insert, select, update

from demurrage.eventlog import tables
from demurrage.model.floor import Floor

_EVENT = tables.events.c
_FLOOR = tables.floors.c
_SPOKEN = tables.floor_targets.c


def floors_of(connection: Connection, among: Collection[str] | None = None) -> dict[str, Floor]:
    """The floors, by source; of all, or of some of them."""
    targets: defaultdict[str, set[str]] = defaultdict(set)
    spoken = select(_SPOKEN.source, _SPOKEN.target)
    floors = select(_FLOOR.source, _FLOOR.sequence, _FLOOR.position)
    if among is not None:
        spoken = spoken.where(_SPOKEN.source.in_(among))
        floors = floors.where(_FLOOR.source.in_(among))
    for source, target in connection.execute(spoken):
        targets[source].add(target)
    return {
        source: Floor(sequence, position, frozenset(targets[source]))
        for source, sequence, position in connection.execute(floors)
    }


def next_floors(connection: Connection) -> dict[str, Floor]:
    """By source, the floor that may stand once what it tells of is dropped.

    Everything up to it is held, or was once, and nothing of it is in doubt: two contents of one
    place or of one id are as bad as a gap, and a reader that starts anew has to come upon them.
    """
    floors = floors_of(connection)
    last = connection.execute(select(tables.head.c.position)).scalar_one()
    doubtful = _doubtful(connection)
    held = (
        select(_EVENT.source, _EVENT.sequence)
        .where(_EVENT.body.is_not(None), _EVENT.sequence.is_not(None))
        .order_by(_EVENT.source, _EVENT.sequence)
    )
    for source, sequence in connection.execute(held):
        floor = floors.get(source, Floor(0, 0))
        if sequence == floor.sequence + 1 and sequence < doubtful.get(source, inf):
            floors[source] = Floor(sequence, last, floor.targets)
    return floors


def _doubtful(connection: Connection) -> dict[str, int]:
    """By source: the lowest sequence that has two contents, or an id that has."""
    held = _EVENT.body.is_not(None), _EVENT.sequence.is_not(None)
    lowest = func.min(_EVENT.sequence)
    twins = [
        select(_EVENT.source, lowest)
        .where(*held)
        .group_by(_EVENT.source, same)
        .having(func.count() > 1)
        for same in (_EVENT.sequence, _EVENT.id)
    ]
    # Of what is dropped only the places are known.
    again = (
        select(_EVENT.source, lowest)
        .join(tables.floors, _FLOOR.source == _EVENT.source)
        .where(*held, _EVENT.sequence <= _FLOOR.sequence, _EVENT.position > _FLOOR.position)
        .group_by(_EVENT.source)
    )
    found: dict[str, int] = {}
    for query in (*twins, again):
        for source, sequence in connection.execute(query):
            found[source] = min(sequence, found.get(source, sequence))
    return found


def raise_floors(
    connection: Connection,
    spoken: Collection[tuple[str | None, str | None]],
    floors: Mapping[str, Floor],
) -> None:
    """Note what was dropped.

    Args:
        connection: in the transaction that drops it.
        spoken: the sources of what is dropped, each with a target that it speaks of.
        floors: by source, what `next_floors` found.
    """
    sources = {source for source, _ in spoken if source is not None}
    known = floors_of(connection, sources)
    for source in sources:
        # What bears no sequence leaves no gap, but its targets count all the same.
        floor = floors.get(source, Floor(0, 0))
        values = {"sequence": floor.sequence, "position": floor.position}
        if source not in known:
            connection.execute(insert(tables.floors).values(source=source, **values))
        elif known[source].sequence < floor.sequence:
            raised = update(tables.floors).where(_FLOOR.source == source)
            connection.execute(raised.values(**values))
    new = [
        {"source": source, "target": target}
        for source, target in spoken
        if source is not None
        and target is not None
        and (source not in known or target not in known[source].targets)
    ]
    if new:
        connection.execute(insert(tables.floor_targets), new)


def forget_departed(connection: Connection) -> None:
    """Drop the floors of sources that are wholly pruned: they were silent all the time.

    Should one speak again, its past looks like a gap, which only holds its watermark.
    """
    held = select(func.distinct(_EVENT.source)).where(_EVENT.source.is_not(None))
    for table in (tables.floors, tables.floor_targets):
        connection.execute(delete(table).where(table.c.source.not_in(held)))
