"""How far each file was read, kept beside the events so that both move in one transaction."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, insert, select, update

from demurrage.eventlog import tables
from demurrage.eventlog.files.following import Progress

_FILE = tables.files.c
_LOCK = tables.locks.c


def load_progress(connection: Connection) -> dict[str, Progress]:
    """By identity: every file that was read."""
    columns = (
        _FILE.identity,
        _FILE.name,
        _FILE.position,
        _FILE.lines,
        _FILE.mark,
        _FILE.skipping,
        _FILE.source,
        _FILE.set_aside,
    )
    rows = connection.execute(select(*columns)).all()
    return {row.identity: Progress(*row) for row in rows}


def save_progress(connection: Connection, progress: Progress) -> None:
    """Replace what is known of one file."""
    connection.execute(delete(tables.files).where(_FILE.identity == progress.identity))
    connection.execute(
        insert(tables.files).values(
            identity=progress.identity,
            name=progress.name,
            position=progress.position,
            lines=progress.lines,
            mark=progress.mark,
            skipping=progress.skipping,
            source=progress.source,
            set_aside=progress.set_aside,
        )
    )


def forget_departed(
    connection: Connection, present: Collection[str], now: float, patience: float
) -> None:
    """Drop what is known of files that are gone for longer than the patience, in seconds."""
    rows = connection.execute(select(_FILE.identity, _FILE.gone_since)).all()
    for identity, since in rows:
        here = tables.files.update().where(_FILE.identity == identity)
        if identity in present:
            if since is not None:
                connection.execute(here.values(gone_since=None))
        elif since is None:
            connection.execute(here.values(gone_since=now))
        elif now - since > patience:
            connection.execute(delete(tables.files).where(_FILE.identity == identity))


def load_held(connection: Connection, boot: str) -> dict[str, str]:
    """By uuid: the identity of each lock that was seen held since the kernel booted."""
    query = select(_LOCK.uuid, _LOCK.identity).where(_LOCK.boot == boot)
    return dict(connection.execute(query).all())


def save_held(connection: Connection, held: Iterable[tuple[str, str]], boot: str) -> None:
    """Remember locks that are held now, by uuid and identity."""
    for uuid, identity in held:
        changed = update(tables.locks).where(_LOCK.uuid == uuid)
        if connection.execute(changed.values(identity=identity, boot=boot)).rowcount == 0:
            row = {"uuid": uuid, "identity": identity, "boot": boot}
            connection.execute(insert(tables.locks).values(row))


def forget_lock(connection: Connection, uuid: str) -> None:
    """Drop a lock whose file was removed."""
    connection.execute(delete(tables.locks).where(_LOCK.uuid == uuid))
