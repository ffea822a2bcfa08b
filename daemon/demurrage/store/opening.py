"""Open the store: find it, make sure it is ours, bring it up to date, see if it is itself."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from demurrage.model.error import NoStoreError, StoreFailedError, StoreUnusableError
from demurrage.store.database import Database, connect, say
from demurrage.store.identity import adopt_restore, find_restore, found_store
from demurrage.store.place import Place
from demurrage.store.schema import (
    STEPS,
    ForeignDatabaseError,
    known_revisions,
    migrate,
    read_revision,
)
from demurrage.store.sqlstore import SqlStore
from demurrage.store.stamp import StampFile


def open_store(
    url: str,
    *,
    read_only: bool = False,
    clock: Callable[[], float] = time.time,
    steps: Path = STEPS,
) -> SqlStore:
    """Open the store at a `database_url`, migrated to this version's schema.

    Args:
        url: `sqlite:////absolute/file.db` or `postgresql+psycopg://…`.
        read_only: change nothing, create nothing, migrate nothing.
        clock: epoch seconds, for acts that come without a moment of their own.
        steps: where the migration scripts are.

    Raises:
        StoreUnusableError: no store can be opened there; the message says why, and the fix.
    """
    place = Place.parse(url)
    with _named_refusals(place):
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
            raise StoreUnusableError(
                f"database_url: {place.shown} "
                + ("is empty" if found is None else f"has the old schema {found}")
                + "; start the daemon once, it brings the store up to date"
            )
        database = Database(connect(place, read_only=read_only))
        try:
            return _assemble(place, database, read_only=read_only, clock=clock, steps=steps)
        except BaseException:
            database.close()
            raise


def _assemble(
    place: Place,
    database: Database,
    *,
    read_only: bool,
    clock: Callable[[], float],
    steps: Path,
) -> SqlStore:
    path = place.beside(".stamp")
    file = StampFile(path) if path is not None else None
    stamp = file.read() if file is not None else None
    if read_only:
        with database.read() as connection:
            found = find_restore(connection, stamp)
        return SqlStore(database, place, stamp=file, found=found, clock=clock)
    with database.write() as connection:
        if read_revision(connection) != known_revisions(steps)[-1]:
            migrate(connection, steps)
        found_store(connection, clock())
        restore = find_restore(connection, stamp)
        if restore is not None and restore.fresh:
            adopt_restore(connection, restore, stamp)
    store = SqlStore(database, place, stamp=file, found=None, clock=clock)
    store.restamp()
    return store


def _look(place: Place) -> str | None:
    """The revision of what is there, looked up without changing a byte; None for nothing."""
    if place.path is not None and not place.path.exists():
        return None
    database = Database(connect(place, read_only=True))
    try:
        with database.read() as connection:
            return read_revision(connection)
    finally:
        database.close()


def _make_room(place: Place, *, read_only: bool) -> None:
    """Create the parent folder, and refuse what cannot be written.

    Raises:
        StoreUnusableError: a file that is not there and may not be made, or may not be written.
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
            raise StoreUnusableError(
                f"database_url: {needed} cannot be written by this user; "
                "change its owner, or point database_url elsewhere"
            )


@contextmanager
def _named_refusals(place: Place) -> Iterator[None]:
    """Say in one line what keeps the store from opening.

    Raises:
        StoreUnusableError: always instead of what was raised inside.
    """
    where = f"database_url: {place.shown}"
    try:
        yield
    except ForeignDatabaseError as error:
        raise StoreUnusableError(
            f"{where} holds somebody else's tables; point database_url at a file of its own"
        ) from error
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreUnusableError(
            f"{where} needs a driver that is not installed: {error}"
        ) from error
    except OSError as error:
        raise StoreUnusableError(
            f"{where} cannot be used: {error.strerror}; point database_url at a folder that "
            "this user may write"
        ) from error
    except (SQLAlchemyError, StoreFailedError) as error:
        cause = error.__cause__ if isinstance(error, StoreFailedError) else error
        raise StoreUnusableError(
            f"{where} cannot be used: {say(cause or error)}; "
            "point database_url at a demurrage store or a new file, or restore a backup"
        ) from error
