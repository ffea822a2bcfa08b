"""One daemon to a store on a PostgreSQL server."""

import os
import select
import socket
import threading
import time
from math import inf
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from demurrage.model.error import AlreadyRunningError, LockLostError, StoreUnusableError
from demurrage.store.place import Place
from demurrage.store.refusals import named_refusals
from demurrage.store.server import arguments

# The server notices within 25 seconds that the connection is dead, and lets the lock go then,
# not earlier. A proof that is no older than this is thus still true, whatever the network does.
_PROOF_LASTS = 10.0
_SETTINGS = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 20000",
    # The session has nothing to say for hours, and is not to end for it.
    "SET idle_session_timeout = 0",
)
_NAME_LENGTH = 63

_KEY = "hashtextextended('demurrage daemon ' || current_schema(), 0)"
_TAKE = text(f"SELECT pg_try_advisory_lock({_KEY}), pg_backend_pid()")
# The server shows a key of 64 bits in two halves.
_HOLDERS = f"""
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = ({_KEY} >> 32) & 4294967295
    AND objid::bigint = {_KEY} & 4294967295
"""  # noqa: S608 (constants)
_MINE = text(f"SELECT EXISTS (SELECT {_HOLDERS} AND pid = pg_backend_pid())")
_WHO = text(
    f"""
    SELECT held.pid, activity.application_name, activity.client_addr::text,
        to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM (SELECT pid {_HOLDERS}) AS held
    LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    """  # noqa: S608 (likewise)
)


class SessionLock:
    """The lock of a store on a server: an advisory lock of one session.

    The connection is kept for the lock alone; when it goes, the server lets the lock go.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        self._pid: int | None = None
        self._proven_at = -inf

    @property
    def held(self) -> bool:
        """False as soon as it may be lost: the proof is old, or the connection has ended.

        The server says nothing of itself on a connection that asks nothing, unless it ends it.
        """
        if _elapsed() - self._proven_at > _PROOF_LASTS:
            return False
        if not self._turn.acquire(blocking=False):
            # It is just being proven; so long the last proof must do.
            return True
        try:
            return self._connection is not None and not _has_spoken(self._connection)
        finally:
            self._turn.release()

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunningError: another process holds it; the message says which.
            StoreUnusableError: the server cannot be used.
        """
        with self._turn, named_refusals(self._place):
            holder = self._take()
        if holder is not None:
            raise AlreadyRunningError(
                f"another daemon runs on this store ({_words(holder)}); "
                "stop it first, or give this one another database_url"
            )

    def release(self) -> None:
        """Give the lock back; without it, nothing happens."""
        with self._turn:
            self._drop()

    def holder(self) -> str | None:
        """Who holds the lock now, in words; None for nobody.

        Raises:
            StoreUnusableError: the server cannot be asked.
        """
        with named_refusals(self._place):
            engine = self._engine()
            with engine.connect() as connection:
                row = connection.execute(_WHO).first()
        return _words(row) if row is not None else None

    def prove(self) -> bool:
        """Ask the server whether the lock is held; True if it was lost and could be taken again.

        Raises:
            LockLostError: it is lost, or nobody knows.
            AlreadyRunningError: another process has it now.
        """
        with self._turn:
            at = _elapsed()
            if self._connection is not None and _is_held(self._connection):
                self._proven_at = at
                return False
            self._drop()
            try:
                holder = self._take()
            except (SQLAlchemyError, StoreUnusableError, ImportError) as error:
                raise LockLostError(
                    "the store's lock is lost with its connection, and cannot be taken again "
                    "now; nothing is written or deleted until it is"
                ) from error
        if holder is None:
            return True
        if holder[0] in (None, self._pid):
            raise LockLostError(
                "the store's lock is held by a session of this process that has not ended yet; "
                "a pooler that gives each transaction another session cannot keep it"
            )
        raise AlreadyRunningError(f"another daemon took the store's lock ({_words(holder)})")

    def _engine(self) -> Engine:
        name = f"demurrage {socket.gethostname()} pid {os.getpid()}"
        return create_engine(
            self._place.url,
            hide_parameters=True,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                **arguments(self._place.url.query, read_only=False),
                "application_name": name[:_NAME_LENGTH],
            },
        )

    def _take(self) -> Any:
        """Take the lock on a new connection; returns its holder if that is another session."""
        at = _elapsed()
        connection = self._engine().connect()
        try:
            for setting in _SETTINGS:
                connection.execute(text(setting))
            taken, pid = connection.execute(_TAKE).one()
            if not taken:
                # It may have gone in between; then nobody can be named.
                row = connection.execute(_WHO).first()
                connection.close()
                return row if row is not None else (None, None, None, None)
        except BaseException:
            connection.close()
            raise
        self._connection, self._pid, self._proven_at = connection, pid, at
        return None

    def _drop(self) -> None:
        self._proven_at = -inf
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _is_held(connection: Connection) -> bool:
    """True when the lock is its session's, by the server's word."""
    try:
        return bool(connection.execute(_MINE).scalar_one())
    except SQLAlchemyError:
        return False


def _words(row: Any) -> str:
    pid, name, address, since = row
    if pid is None:
        return "not known yet"
    parts = [name or f"server process {pid}", f"at {address}" if address else ""]
    return ", ".join([" ".join(filter(None, parts)), f"started {since}" if since else ""]).strip(
        ", "
    )


def _has_spoken(connection: Connection) -> bool:
    """True when something waits to be read on a connection that asked nothing."""
    raw = connection.connection.driver_connection
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)  # type: ignore[union-attr]
    return bool(poll.poll(0))


def _elapsed() -> float:
    """Seconds that also pass while the machine sleeps, where the system tells."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
