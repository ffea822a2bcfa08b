"""Whether a database is only away for now: then waiting for it helps, and nothing is wrong."""

import errno
import re
import sqlite3

# SQLSTATEs that begin so: connection exceptions, read-only transactions (a replica, until it is
# promoted), no resources (disk, memory, connections), a lock that was not had in time, operator
# intervention (a server that starts or stops).
_STATES = ("08", "25006", "53", "55P03", "57")
# A connection that does not come about has no SQLSTATE. What the server says when it knows us
# not, and will not know us later either; in another language than English it is waited for.
_UNWELCOME = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to (log|conn)"
    r"|(role|database) \".*\" does not exist|permission denied for database"
)
_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
# The low byte of an extended error code.
_PRIMARY_CODE = 0xFF
# A mount that is missing, read-only, full or broken. An empty mount point belongs to root, so a
# missing mount looks like a lack of rights.
_NUMBERS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EHOSTDOWN,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENODEV,
        errno.ENOSPC,
        errno.ENOTCONN,
        errno.ENXIO,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)


def is_away(error: BaseException | None) -> bool:
    """True when an error of a database's driver or of the file system may go away by itself."""
    if isinstance(error, OSError):
        return error.errno in _NUMBERS
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE in _CODES
    if not hasattr(error, "sqlstate"):
        return False
    state: str | None = getattr(error, "sqlstate", None)
    if state is None:
        return _UNWELCOME.search(str(error)) is None
    return state.startswith(_STATES)
