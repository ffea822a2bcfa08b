"""Connections to the log's database, and what its troubles are called."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from demurrage.eventlog.server import server_engine
from demurrage.model.error import LogUnreadableError, StoreUnusableError

_IN_MEMORY = (None, "", ":memory:")
_WAL_PAUSE = 0.02
# The low byte of an extended error code.
_PRIMARY_CODE = 0xFF


def make_engine(url: str, *, busy_timeout: float) -> Engine:
    """An engine for the log.

    On SQLite a commit is on the disk when it returns (`synchronous=FULL`), readers and the one
    writer do not wait for each other (WAL), and a writer waits `busy_timeout` seconds for
    another. Parameters stay out of error messages: they hold the applications' ids.

    Raises:
        StoreUnusableError: it is no URL, or of a database without a driver here.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # from None: the text that could not be parsed may hold a password
        raise StoreUnusableError("the event log's URL is not a database URL") from None
    if parsed.get_backend_name() != "sqlite":
        return server_engine(parsed, patience=busy_timeout)
    if parsed.database in _IN_MEMORY:
        # Another connection would be another, empty database.
        engine = create_engine(
            parsed,
            hide_parameters=True,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )
    else:
        engine = create_engine(parsed, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        try:
            # The driver would begin transactions by itself, but not before a SELECT.
            connection.isolation_level = None
            connection.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")
            connection.execute("PRAGMA synchronous=FULL")
            _use_wal(connection, busy_timeout)
        except BaseException:
            connection.close()  # the pool does not know of it yet
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Switch the file to WAL, where it stays; several processes may try in the same moment.

    SQLite does not wait for the lock that the switch needs, so the waiting is done here.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            primary = error.sqlite_errorcode & _PRIMARY_CODE
            if primary != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_WAL_PAUSE)
        else:
            return


@contextmanager
def one_view(engine: Engine) -> Iterator[Connection]:
    """A connection all of whose reading shows one moment of the log.

    SQLite gives that by itself; elsewhere every statement would see what was committed, or
    pruned, since the one before.
    """
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def dispose(engine: Engine) -> None:
    """Close every connection, those that threads are still at work on when they are done."""

    def returned(connection: Any, _record: object) -> None:
        if connection is not None:
            connection.close()

    event.listen(engine.pool, "checkin", returned)
    engine.dispose()


def plain_words(error: SQLAlchemyError) -> str:
    """What the database said, without the statement and its parameters."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return said.splitlines()[0] if said else type(error).__name__


@contextmanager
def troubles_named() -> Iterator[None]:
    """Turn whatever the database raises into LogUnreadableError."""
    try:
        yield
    except SQLAlchemyError as error:
        # from None: the original would carry the statement's parameters into tracebacks
        raise LogUnreadableError(f"the event log's database: {plain_words(error)}") from None
