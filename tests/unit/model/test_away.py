"""What is waited for, and what is not."""

import errno
import sqlite3

import psycopg
import pytest

from demurrage.model.away import is_away


def sqlite_error(code: int) -> sqlite3.Error:
    """As the driver raises it; extended codes keep the primary one in their low byte."""
    error = sqlite3.OperationalError("said so")
    error.sqlite_errorcode = code | 3 << 8
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EROFS, "read-only"),
        PermissionError(errno.EACCES, "a mount point of root's"),
        OSError(errno.ENOSPC, "full"),
        sqlite_error(sqlite3.SQLITE_CANTOPEN),
        sqlite_error(sqlite3.SQLITE_FULL),
        sqlite_error(sqlite3.SQLITE_IOERR),
        psycopg.OperationalError("connection failed: Connection refused"),
        psycopg.OperationalError("FATAL:  the database system is starting up"),
        psycopg.errors.AdminShutdown("bye"),
        psycopg.errors.TooManyConnections("full house"),
        psycopg.errors.ReadOnlySqlTransaction("a replica"),
        psycopg.errors.DiskFull("full"),
    ],
    ids=repr,
)
def test_what_may_go_away_by_itself_is_waited_for(error: BaseException) -> None:
    """A server that is down or starts, a mount that is not there, a full disk."""
    assert is_away(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("our own mistake"),
        NotADirectoryError(errno.ENOTDIR, "a file where a folder should be"),
        sqlite_error(sqlite3.SQLITE_CORRUPT),
        sqlite_error(sqlite3.SQLITE_NOTADB),
        psycopg.OperationalError('FATAL:  password authentication failed for user "u"'),
        psycopg.OperationalError('FATAL:  role "u" does not exist'),
        psycopg.OperationalError('FATAL:  database "d" does not exist'),
        psycopg.OperationalError("fe_sendauth: no password supplied"),
        psycopg.OperationalError('FATAL:  no pg_hba.conf entry for host "h"'),
        psycopg.errors.InvalidPassword("wrong"),
        psycopg.errors.UndefinedTable("gone"),
        psycopg.errors.InsufficientPrivilege("not yours"),
    ],
    ids=repr,
)
def test_what_waiting_does_not_help_is_an_error(error: BaseException | None) -> None:
    """Damage, strangers, wrong credentials, our own mistakes."""
    assert not is_away(error)
