"""One database: transactions, and its driver's errors by the project's names."""

import errno
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from demurrage.model.error import StoreFailedError
from demurrage.store.dialect import WRITES, is_disk_full, prepare_sqlite, read_only_url
from demurrage.store.place import Place
from demurrage.store.server import arguments, prepare_server

_T = TypeVar("_T")

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
# Ids in one IN list: well under what any SQLite takes.
_IN_LIST = 500


def connect(place: Place, *, read_only: bool) -> Engine:
    """An engine for the place; nothing is opened yet.

    Statement parameters are kept out of errors, as these reach logs.
    """
    url = place.url
    if place.path is None:
        engine = create_engine(
            url,
            hide_parameters=True,
            # A connection that went with its server is replaced before it is used.
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args=arguments(url.query, read_only=read_only),
        )
        prepare_server(engine, read_only=read_only)
        return engine
    if read_only:
        url = read_only_url(url, place.path)
    engine = create_engine(url, hide_parameters=True)
    prepare_sqlite(engine, read_only=read_only)
    return engine


def say(error: BaseException) -> str:
    """One line for a person: what the driver said, without SQL and parameters."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn the errors of drivers and of the file system into StoreFailedError.

    Raises:
        StoreFailedError: with `disk_full` when no space is left.
    """
    try:
        yield
    except SQLAlchemyError as error:
        full = isinstance(error, DBAPIError) and is_disk_full(error.orig)
        raise StoreFailedError(f"the store failed: {say(error)}", disk_full=full) from error
    except OSError as error:
        full = error.errno in _NO_SPACE
        raise StoreFailedError(f"the store failed: {error}", disk_full=full) from error


class Fence(Protocol):
    """What a writing transaction has to pass."""

    def approach(self) -> None:
        """Before the transaction."""
        ...

    def pass_through(self, connection: Connection) -> None:
        """As the transaction's first statements; what it raises undoes the transaction."""
        ...


def _close_returned(connection: Any, _record: object) -> None:
    """Close a connection that comes back to a pool which nobody will look into any more."""
    if connection is not None:
        connection.close()


class Database:
    """Hands out transactions, to any thread; writers take turns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.fence: Fence | None = None
        # What a fence finds may itself have to be written down.
        self._turn = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the store.

        Raises:
            StoreFailedError: the database cannot be read.
        """
        with named_failures(), self.engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, fenced: bool = True) -> Iterator[Connection]:
        """A transaction that is durable once the block ends, and undone if it raises.

        Args:
            fenced: False for what is written down even by a process that may act no more.

        Raises:
            StoreFailedError: the database cannot be written; nothing was changed.
            LockLostError: this process may not act on the store now; nothing was changed.
        """
        fence = self.fence if fenced else None
        with named_failures(), self._turn:
            if fence is not None:
                fence.approach()
            with self.engine.connect() as connection:
                connection.execution_options(**{WRITES: True})
                with connection.begin():
                    if fence is not None:
                        fence.pass_through(connection)
                    yield connection

    def approach(self) -> None:
        """Go up to the fence, if there is one, and write nothing.

        Raises:
            LockLostError: this process may not act on the store now.
            StoreFailedError: the store is not what it was.
        """
        with named_failures(), self._turn:
            if self.fence is not None:
                self.fence.approach()

    def close(self) -> None:
        """Close every connection; SQLite folds its write-ahead file back in.

        One that a thread is still at work on is closed when it is done.
        """
        event.listen(self.engine.pool, "checkin", _close_returned)
        self.engine.dispose()


class Repository:
    """A part of the store: methods that share one database."""

    _database: Database


def slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The items in runs that are short enough for an IN list."""
    for start in range(0, len(items), _IN_LIST):
        yield items[start : start + _IN_LIST]
