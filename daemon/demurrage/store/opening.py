"""Open the store: find it, make sure it is ours, bring it up to date, see if it is itself."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from demurrage.model.error import (
    NoStoreError,
    OldStoreError,
    StoreAwayError,
    StoreFailedError,
    StoreUnusableError,
)
from demurrage.store.database import Database, connect
from demurrage.store.identity import find_restore, found_store, settle_identity
from demurrage.store.lease import Lease
from demurrage.store.lock import StoreLock
from demurrage.store.place import Place
from demurrage.store.refusals import named_refusals
from demurrage.store.schema import STEPS, known_revisions, migrate, read_revision
from demurrage.store.server import refuse_old
from demurrage.store.sqlstore import SqlStore
from demurrage.store.stamp import StampFile


def open_store(
    url: str,
    *,
    read_only: bool = False,
    lock: StoreLock | None = None,
    state: Path | None = None,
    clock: Callable[[], float] = time.time,
    steps: Path = STEPS,
) -> SqlStore:
    """Open the store at a `database_url`, migrated to this version's schema.

    Args:
        url: `sqlite:////absolute/file.db` or `postgresql+psycopg://…`.
        read_only: change nothing, create nothing, migrate nothing.
        lock: held by a process that acts on the store; from the moment that another takes the
            store over, this one's writes are refused.
        state: this host's folder for the stamp of a store on a server; None, or one that
            cannot be written: none is kept.
        clock: epoch seconds, for acts that come without a moment of their own.
        steps: where the migration scripts are.

    Raises:
        StoreUnusableError: no store can be opened there; the message says why, and the fix.
        StoreAwayError: not now; waiting may help.
    """
    place = Place.parse(url)
    with named_refusals(place):
        _make_room(place, read_only=read_only)
        found = _look(place)
        known = known_revisions(steps)
        if found is not None and found not in known:
            raise StoreUnusableError(
                f"database_url: {place.shown} was written by a newer version of demurrage "
                f"(schema {found}, this version knows {known[-1]}); "
                "install that version, or restore an older backup"
            )
        if read_only and found != known[-1]:
            kind = NoStoreError if found is None else OldStoreError
            raise kind(
                f"database_url: {place.shown} "
                + ("is empty" if found is None else f"has the old schema {found}")
                + "; start the daemon once, it brings the store up to date"
            )
        file = _stamp_file(place, state, read_only=read_only)
        database = Database(connect(place, read_only=read_only))
        try:
            if read_only:
                stamp = file.read() if file is not None else None
                with database.read() as connection:
                    restore = find_restore(connection, stamp)
                return SqlStore(database, place, stamp=file, found=restore, clock=clock)
            _bring_up_to_date(database, clock=clock, steps=steps)
            return _take_over(database, place, file, lock, clock=clock)
        except BaseException:
            database.close()
            raise


def _bring_up_to_date(database: Database, *, clock: Callable[[], float], steps: Path) -> None:
    with database.write() as connection:
        if read_revision(connection) != known_revisions(steps)[-1]:
            migrate(connection, steps)
        found_store(connection, clock())


def _take_over(
    database: Database,
    place: Place,
    file: StampFile | None,
    lock: StoreLock | None,
    *,
    clock: Callable[[], float],
) -> SqlStore:
    """Judge what was found, and with a lock begin an epoch of this process's own."""

    def returned() -> None:
        """The server was away, and may have come back with an older copy."""
        with database.write(fenced=False) as connection:
            fresh = settle_identity(connection, file.read() if file else None, acting=True)
        if fresh:
            # Or a stamp of a store that is lost would tell of it for ever.
            store.restamp()
            raise StoreFailedError("the store went back in time while its server was away")

    lease = Lease(lock, returned) if lock is not None else None
    with database.write() as connection:
        settle_identity(connection, file.read() if file else None, acting=lease is not None)
        if lease is not None:
            lease.begin(connection)
    database.fence = lease
    store = SqlStore(database, place, stamp=file, found=None, lease=lease, clock=clock)
    store.restamp()
    return store


def _stamp_file(place: Place, state: Path | None, *, read_only: bool) -> StampFile | None:
    path = place.stamp(state)
    if path is None:
        return None
    if place.path is None and not read_only:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
    if place.path is None and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        # A daemon whose disk is read-only does without.
        return None
    return StampFile(path)


def _look(place: Place) -> str | None:
    """The revision of what is there, looked up without changing a byte; None for nothing."""
    if place.path is not None and not place.path.exists():
        return None
    database = Database(connect(place, read_only=True))
    try:
        with database.read() as connection:
            refuse_old(connection)
            return read_revision(connection)
    finally:
        database.close()


def _make_room(place: Place, *, read_only: bool) -> None:
    """Create the parent folder, and refuse what cannot be written.

    Raises:
        StoreUnusableError: a file that is not there and may not be made.
        StoreAwayError: it may not be written; an empty mount point is like that, too.
        OSError: the folder cannot be made.
    """
    path = place.path
    if path is None:
        return
    if path.is_dir():
        raise StoreUnusableError(f"database_url: {path} is a folder; name a file in it")
    if read_only:
        if not path.exists():
            raise NoStoreError(
                f"database_url: there is no store at {path} yet; "
                "start the daemon once, or point database_url at its store"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # WAL keeps files beside the database, so the folder must be writable, too.
    for needed in (path.parent, path):
        if needed.exists() and not os.access(needed, os.W_OK):
            raise StoreAwayError(
                f"database_url: {needed} cannot be written by this user; "
                "change its owner, or point database_url elsewhere"
            )
