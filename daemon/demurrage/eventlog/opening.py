"""Making sure of the log's tables, and that they are of a version that this one understands."""

import uuid

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from demurrage.eventlog import tables
from demurrage.eventlog.database import plain_words
from demurrage.model.away import is_away
from demurrage.model.error import StoreAwayError, StoreUnusableError

HEAD_ID = 1
# PostgreSQL, and engines that commit each statement, let two processes create the log in the same
# moment; then one of them fails, and finds the log made when it looks again.
_ATTEMPTS = 3


def ensure_tables(engine: Engine) -> None:
    """Create the tables and the head row where they are missing.

    Raises:
        StoreUnusableError: the database cannot be used, or is of a newer version.
        StoreAwayError: not now; waiting may help.
    """
    try:
        version = _version_after_creation(engine)
    except SQLAlchemyError as error:
        kind = StoreAwayError if is_away(getattr(error, "orig", None)) else StoreUnusableError
        raise kind(f"the event log cannot be opened: {plain_words(error)}") from None
    if version > tables.VERSION:
        raise StoreUnusableError(
            f"the event log is of version {version}, this daemon knows {tables.VERSION}: "
            "upgrade the daemon, or give it another database"
        )


def _version_after_creation(engine: Engine) -> int:
    for attempt in range(_ATTEMPTS):
        try:
            return _create_and_look(engine)
        except DBAPIError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _whole(connection: Connection) -> bool:
    """True when no table is missing."""
    there = inspect(connection)
    return all(there.has_table(table.name) for table in tables.metadata.sorted_tables)


def _create_and_look(engine: Engine) -> int:
    with engine.begin() as connection:
        # On a server an application may lack the right to create what is there already.
        if connection.dialect.name != "sqlite" and _whole(connection):
            found = connection.scalar(select(tables.head.c.version))
            if found is not None:
                return int(found)
        # Before anything is read, so that SQLite takes its write lock, and waits for it, first.
        for table in tables.metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
        found = connection.scalar(select(tables.head.c.version))
        if found is not None:
            return int(found)
        connection.execute(
            insert(tables.head).values(
                id=HEAD_ID,
                version=tables.VERSION,
                generation=str(uuid.uuid4()),
                position=0,
                pruned_through=0,
            )
        )
    return tables.VERSION
