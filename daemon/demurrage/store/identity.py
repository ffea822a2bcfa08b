"""Who the store is, how far it has come, and whether it went back in time."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from demurrage.model.record import Cursor
from demurrage.store.acts import record_act
from demurrage.store.database import Repository, named_failures
from demurrage.store.origin import Origin
from demurrage.store.stamp import Stamp, StampFile
from demurrage.store.tables import meta

_STANDING = select(
    meta.c.store_id,
    meta.c.tick,
    meta.c.tick_at,
    meta.c.backup_at,
    meta.c.restored_since,
    meta.c.origin,
)
_RESTORED = select(meta.c.id).where(meta.c.restored_since.is_not(None))


@dataclass(frozen=True, slots=True)
class Restore:
    """The store went back in time.

    `since` is the last moment that it remembers; `fresh`: nobody has written it down yet.
    """

    since: float
    fresh: bool


def found_store(connection: Connection, at: float) -> None:
    """Give a new store its identity; one that has it keeps it."""
    if connection.execute(select(meta.c.id)).first() is None:
        row = {"id": 1, "store_id": uuid.uuid4().hex, "generation": 1, "tick": 0, "tick_at": at}
        connection.execute(insert(meta), [row])


def find_restore(
    connection: Connection, stamp: Stamp | None, origin: Origin | None = None
) -> Restore | None:
    """Tell whether the database is older than what its stamp or its own mark remembers.

    A stamp of another store means that the database was lost or swapped: nothing that it
    knew then is known now.

    Args:
        connection: a view of the store.
        stamp: what this host remembers of it.
        origin: where on a server it is now, if that is to be judged. A new timeline may have
            lost the end of the old one; only a stamp can tell that it did not.
    """
    row = connection.execute(_STANDING).one()
    behind = stamp is not None and (stamp.store_id != row.store_id or stamp.tick > row.tick)
    moved = False
    if origin is not None and row.origin is not None:
        known = Origin.read(row.origin)
        other_time = stamp is None and known.timeline != origin.timeline
        moved = other_time or not known.same_place(origin)
    if behind or moved or row.backup_at is not None:
        return Restore(row.tick_at, fresh=True)
    if row.restored_since is not None:
        return Restore(row.restored_since, fresh=False)
    return None


def went_back(connection: Connection) -> bool:
    """True from the moment a restore was written down until all that follows from it is."""
    return connection.execute(_RESTORED).first() is not None


def adopt_restore(connection: Connection, restore: Restore, stamp: Stamp | None) -> None:
    """Make a fresh restore last until it is taken note of.

    The generation moves on, and the tick overtakes the stamp, so that the same stamp does not
    tell of the same restore again.
    """
    row = connection.execute(select(meta.c.tick)).one()
    seen = stamp.tick if stamp is not None else 0
    connection.execute(
        update(meta).values(
            restored_since=restore.since,
            backup_at=None,
            generation=meta.c.generation + 1,
            tick=max(row.tick, seen) + 1,
        )
    )


def settle_identity(connection: Connection, stamp: Stamp | None, *, acting: bool) -> bool:
    """Judge whether the store went back in time, and make what is found last.

    Args:
        connection: a writing transaction.
        stamp: what this host remembers of the store.
        acting: by the daemon, which alone judges and remembers the place on a server: a
            command on another host has no stamp to judge a new timeline by.

    Returns:
        True when it did, and nobody had written it down yet.
    """
    origin = Origin.of(connection) if acting else None
    restore = find_restore(connection, stamp, origin)
    fresh = restore is not None and restore.fresh
    if restore is not None and fresh:
        adopt_restore(connection, restore, stamp)
    if origin is not None:
        connection.execute(update(meta).values(origin=origin.written))
    return fresh


class Identity(Repository):
    """The store's own life: its tick, its restores, its place in the event log."""

    _stamp: StampFile | None
    _found: Restore | None

    @property
    def store_id(self) -> str:
        """A random name that tells this store from every other."""
        with self._database.read() as connection:
            return str(connection.execute(select(meta.c.store_id)).scalar_one())

    @property
    def restored_since(self) -> float | None:
        """The last moment before the store went back in time.

        None when it did not, or when that was taken note of.
        """
        if self._found is not None:
            return self._found.since
        with self._database.read() as connection:
            since: float | None = connection.execute(select(meta.c.restored_since)).scalar_one()
            return since

    @property
    def restored(self) -> bool:
        """True from the opening of a restored older copy until that is taken note of."""
        return self.restored_since is not None

    def acknowledge_restore(self, at: float, by: str = "operator") -> bool:
        """All that follows from the restore is written down; False when there was none."""
        with self._database.write() as connection:
            since = connection.execute(select(meta.c.restored_since)).scalar_one()
            if since is None:
                return False
            connection.execute(update(meta).values(restored_since=None))
            record_act(connection, at, by, "acknowledge_restore", detail=f"since {since:.3f}")
        return True

    def touch(self, now: float) -> None:
        """Advance the tick, in the database first and in the stamp after it."""
        with self._database.write() as connection:
            connection.execute(update(meta).values(tick=meta.c.tick + 1, tick_at=now))
        self.restamp()

    def restamp(self) -> None:
        """Bring the stamp up to what the database has committed."""
        if self._stamp is None:
            return
        with self._database.read() as connection:
            row = connection.execute(select(meta.c.store_id, meta.c.tick)).one()
        with named_failures():
            self._stamp.write(Stamp(row.store_id, row.tick))

    def cursor(self) -> Cursor | None:
        """The last saved cursor, None before the first reading."""
        columns = (meta.c.log_generation, meta.c.log_position, meta.c.log_read_at)
        with self._database.read() as connection:
            row = connection.execute(select(*columns)).one()
        return Cursor(*row) if row.log_generation is not None else None

    def save_cursor(self, cursor: Cursor) -> None:
        """Remember how far the log was read."""
        with self._database.write() as connection:
            connection.execute(
                update(meta).values(
                    log_generation=cursor.generation,
                    log_position=cursor.position,
                    log_read_at=cursor.read_at,
                )
            )
