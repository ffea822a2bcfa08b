"""What people did: who, when, what, to what."""

from sqlalchemy import Connection, insert, select

from demurrage.model.record import Act
from demurrage.store.database import Repository
from demurrage.store.tables import acts


def record_act(
    connection: Connection,
    at: float,
    by: str,
    what: str,
    *,
    target: str | None = None,
    about: str | None = None,
    detail: str = "",
) -> None:
    """Append to the audit of acts, in the transaction of the act itself."""
    row = {
        "at": at,
        "by": by,
        "what": what,
        "target": target,
        "about": about,
        "detail": detail,
    }
    connection.execute(insert(acts), [row])


class Acts(Repository):
    """The audit of acts."""

    def acts(self, limit: int = 100) -> tuple[Act, ...]:
        """The latest acts, newest first."""
        query = select(acts).order_by(acts.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(Act(**row) for row in connection.execute(query).mappings())
