"""What a PostgreSQL server is told when the log is on one."""

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import NoSuchModuleError

from demurrage.model.error import StoreUnusableError

# Seconds (the last: milliseconds) for a connection to come about, and until a peer that went
# without a word is given up. What the URL says goes before.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SETTINGS = (
    # A process that is stopped between its append and its commit lets the others go on.
    "SET idle_in_transaction_session_timeout = '60s'",
    # A commit is durable when it returns, even where the server's default is to be quicker.
    """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'
    """,
)


def server_engine(url: URL, *, patience: float) -> Engine:
    """An engine for a log on a server.

    Whatever the server's default is, each statement of an append sees what was committed
    before it: the head row's lock, once it was waited for, shows the newest position.

    Args:
        url: of the database.
        patience: for how many seconds an append waits for another.

    Raises:
        StoreUnusableError: there is no driver for it.
    """
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    wanted = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            # A connection that went with its server is replaced before it is used.
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args=wanted,
        )
    except (NoSuchModuleError, ImportError) as error:
        raise StoreUnusableError(
            f"the event log needs a driver for {url.drivername} that is not installed; "
            "in the project's folder: pip install '.[postgres]'"
        ) from error
    settings = (f"SET lock_timeout = {max(1, int(patience * 1000))}", *_SETTINGS)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            for setting in settings:
                cursor.execute(setting)
        connection.commit()

    return engine
