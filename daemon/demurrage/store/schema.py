"""Which schema a database has, and how it gets the newest."""

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from demurrage.store import migrations
from demurrage.store.tables import metadata

VERSION_TABLE = "store_version"
# The event log may live in the same database; it looks after its own tables.
_LOG = "event_log"
STEPS = Path(migrations.__file__).parent
_STEP = re.compile(r"v(?P<revision>\d{4})_\w+\.py")


class ForeignDatabaseError(Exception):
    """The database holds tables, and they are not the store's."""


def known_revisions(steps: Path = STEPS) -> list[str]:
    """The revisions that this version can make, oldest first."""
    found = (_STEP.fullmatch(path.name) for path in (steps / "versions").iterdir())
    return sorted(match["revision"] for match in found if match)


def read_revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database.

    Raises:
        ForeignDatabaseError: somebody else's tables are in it.
    """
    names = {each for each in inspect(connection).get_table_names() if not each.startswith(_LOG)}
    if VERSION_TABLE in names:
        # A table name cannot be a parameter, and this one is a constant.
        query = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608
        revision = connection.execute(text(query)).scalar()
        return str(revision) if revision is not None else None
    if connection.dialect.name != "sqlite":
        # On a server a database may be shared; only our own names must be free.
        names &= metadata.tables.keys()
    if names:
        raise ForeignDatabaseError
    return None


def migrate(connection: Connection, steps: Path = STEPS) -> None:
    """Bring the schema up to the newest revision, inside the connection's transaction."""
    # Alembic weighs 12 MB in memory, and most starts have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # Percent signs would be taken for interpolation by the configuration's parser.
    config.set_main_option("script_location", str(steps).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")
