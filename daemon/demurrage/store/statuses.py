"""The status that the engine last gave of each target."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from demurrage.model.record import StatusSnapshot
from demurrage.store.database import Repository
from demurrage.store.dialect import upsert
from demurrage.store.tables import statuses


class Statuses(Repository):
    """How the targets stand."""

    def save_status(self, target: str, at: float, status: Mapping[str, Any]) -> None:
        """Replace the target's status snapshot."""
        row = {"target": target, "at": at, "status": dict(status)}
        with self._database.write() as connection:
            upsert(connection, statuses, [row], replace=("at", "status"))

    def statuses(self) -> tuple[StatusSnapshot, ...]:
        """The last status of every target, by name."""
        query = select(statuses).order_by(statuses.c.target)
        with self._database.read() as connection:
            return tuple(StatusSnapshot(**row) for row in connection.execute(query).mappings())
