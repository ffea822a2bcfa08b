"""One database: transactions, and its driver's errors by the project's names."""

import errno
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from demurrage.model.error import StoreFailedError
from demurrage.store.dialect import WRITES, is_disk_full, prepare_sqlite, read_only_url
from demurrage.store.place import Place

_T = TypeVar("_T")

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
# Ids in one IN list: well under what any SQLite takes.
_IN_LIST = 500


def connect(place: Place, *, read_only: bool) -> Engine:
    """An engine for the place; nothing is opened yet.

    Statement parameters are kept out of errors, as these reach logs.
    """
    url = place.url
    if place.path is not None and read_only:
        url = read_only_url(url, place.path)
    engine = create_engine(url, hide_parameters=True)
    if place.path is not None:
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


class Database:
    """Hands out transactions, to any thread; writers of one process take turns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._turn = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the store.

        Raises:
            StoreFailedError: the database cannot be read.
        """
        with named_failures(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable once the block ends, and undone if it raises.

        Raises:
            StoreFailedError: the database cannot be written; nothing was changed.
        """
        with named_failures(), self._turn, self.engine.connect() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection; SQLite folds its write-ahead file back in."""
        self.engine.dispose()


class Repository:
    """A part of the store: methods that share one database."""

    _database: Database


def slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The items in runs that are short enough for an IN list."""
    for start in range(0, len(items), _IN_LIST):
        yield items[start : start + _IN_LIST]
