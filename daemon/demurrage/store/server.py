"""What a PostgreSQL server needs to be told, and what it must be.

SQLite lets one writer in at a time and gives every reader one consistent view. Here the same
is had by a lock that each writing transaction takes first, and by snapshots for reading.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from demurrage.model.error import StoreUnusableError
from demurrage.store.dialect import WRITES

OLDEST = 14
"""The oldest major version that its makers still mend."""

# A writer waits for its turn as long as on SQLite. A process that is stopped in the middle of
# a transaction gives its turn up after a minute.
_SETTINGS = (
    "SET lock_timeout = '15s'",
    "SET idle_in_transaction_session_timeout = '60s'",
    # A commit is durable when it returns, even where the server's default is to be quicker.
    """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'
    """,
)
# Seconds (the last: milliseconds) for a connection to come about, and until a peer that went
# without a word is given up. What the URL says goes before.
_PATIENCE: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# Two stores in two schemas of one database have two keys.
_KEY = "hashtextextended('demurrage turn ' || current_schema(), 0)"


def arguments(query: Mapping[str, Any], *, read_only: bool) -> dict[str, Any]:
    """What the client library is told beyond the URL with this query."""
    wanted = dict(_PATIENCE)
    if not read_only:
        # A replica, or a primary that has become one, is no place to write to.
        wanted["target_session_attrs"] = "read-write"
    return {name: value for name, value in wanted.items() if name not in query}


def prepare_server(engine: Engine, *, read_only: bool) -> None:
    """Set each new connection up, and each transaction.

    What only reads sees one snapshot; what writes waits for its turn first, and then sees all
    that was committed before it.
    """

    def connected(connection: Any, _record: object) -> None:
        settings = [*_SETTINGS]
        if read_only:
            settings.append("SET default_transaction_read_only = on")
        with connection.cursor() as cursor:
            for setting in settings:
                cursor.execute(setting)
        connection.commit()

    def began(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITES, False):
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_KEY})"))

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)


def refuse_old(connection: Connection) -> None:
    """Refuse a server that is too old.

    Raises:
        StoreUnusableError: it is; the message names both versions.
    """
    if connection.dialect.name == "sqlite":
        return
    major = int((connection.dialect.server_version_info or (0,))[0])
    if major < OLDEST:
        raise StoreUnusableError(
            f"database_url: the server is PostgreSQL {major}; {OLDEST} or newer is needed"
        )
