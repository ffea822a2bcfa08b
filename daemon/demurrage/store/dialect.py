"""Everything that differs between databases in what is said to them, in one place.

The rest of this room speaks plain SQLAlchemy Core. What a server needs besides is in `server`.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

# How long a writer of another process is waited for before the call fails, in milliseconds.
_BUSY_TIMEOUT = 15_000
# The write-ahead file is cut back to this many bytes after a checkpoint.
_JOURNAL_LIMIT = 64 * 1024 * 1024

WRITES = "demurrage_writes"


def read_only_url(url: URL, path: Path) -> URL:
    """A URL that can neither create nor change the SQLite file at `path`."""
    return url.set(database=path.as_uri(), query={"mode": "ro", "uri": "true"})


def prepare_sqlite(engine: Engine, *, read_only: bool) -> None:
    """Set each new SQLite connection up: WAL, durable commits, foreign keys, own BEGIN.

    `synchronous = FULL` is what makes a commit survive a power cut in WAL mode. A writer
    begins IMMEDIATE, so that it waits for its turn at the start instead of failing half-way.
    """

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        pragmas = [f"busy_timeout = {_BUSY_TIMEOUT}"]
        if not read_only:
            pragmas += [
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                f"journal_size_limit = {_JOURNAL_LIMIT}",
            ]
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()  # the pool does not know of it yet
            raise

    def began(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)


def is_disk_full(error: BaseException | None) -> bool:
    """True when a driver's error says that no space is left, in SQLite's or PostgreSQL's way."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) == "53100"


def insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An insert of the connection's own dialect, which knows ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def _insert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 2 MB, for those who use it

    return postgresql.insert(table)


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    replace: Iterable[str] = (),
    add: Iterable[str] = (),
) -> None:
    """Insert rows; where the primary key is taken, replace some columns and add to others.

    Args:
        connection: an open transaction.
        table: where to.
        rows: complete rows, at most one for each key.
        replace: columns that take the new row's value.
        add: columns to which the new row's value is added.
    """
    if not rows:
        return
    connection.execute(_upsert(connection.dialect.name, table, tuple(replace), tuple(add)), rows)


@lru_cache(maxsize=128)
def _upsert(
    dialect: str, table: Table, replace: tuple[str, ...], add: tuple[str, ...]
) -> "sqlite.Insert | postgresql.Insert":
    """One statement for each of the handful of ways in which tables are written.

    To build it, and to find it among the compiled ones, takes longer than to execute it.
    """
    statement = _insert(dialect, table)
    new = statement.excluded
    changes: dict[str, Any] = {name: new[name] for name in replace}
    changes |= {name: table.c[name] + new[name] for name in add}
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def copy_sqlite(engine: Engine, destination: Path, mark: tuple[str, tuple[Any, ...]]) -> None:
    """Copy a live SQLite database by its online backup API into one self-contained file.

    The copy is taken in a single read transaction, which in WAL mode neither waits for
    writers nor makes them wait.

    Args:
        engine: of the database to copy.
        destination: a file to write; what it holds is replaced.
        mark: a statement and its parameters, executed in the copy alone.

    Raises:
        sqlite3.Error: reading, writing, or the check of the finished copy failed.
    """
    with engine.connect() as connection, closing(sqlite3.connect(destination)) as copy:
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise sqlite3.NotSupportedError("only SQLite stores are copied; use pg_dump")
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").close()
        copy.execute("PRAGMA synchronous = FULL").close()
        with copy:
            copy.execute(*mark)
        (answer,) = copy.execute("PRAGMA quick_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {answer}")
