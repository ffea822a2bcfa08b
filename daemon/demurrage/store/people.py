"""A person's word: on single containers, and on writers that will not return."""

from collections.abc import Callable

from sqlalchemy import delete

from demurrage.store.acts import record_act
from demurrage.store.database import Repository
from demurrage.store.dialect import upsert
from demurrage.store.tables import protections, retired_writers


class People(Repository):
    """Protections and retired writers."""

    _clock: Callable[[], float]

    def protect(self, target: str, container_id: str, until: float | None, by: str) -> None:
        """A person protects a container, for ever or until a moment; the last word counts."""
        now = self._clock()
        row = {
            "target": target,
            "container_id": container_id,
            "since": now,
            "until": until,
            "by": by,
        }
        detail = "for ever" if until is None else f"until {until:.0f}"
        with self._database.write() as connection:
            upsert(connection, protections, [row], replace=("since", "until", "by"))
            record_act(
                connection, now, by, "protect", target=target, about=container_id, detail=detail
            )

    def unprotect(self, target: str, container_id: str, by: str) -> bool:
        """Take a protection back; False when there was none."""
        statement = delete(protections).where(
            protections.c.target == target, protections.c.container_id == container_id
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount == 0:
                return False
            record_act(
                connection, self._clock(), by, "unprotect", target=target, about=container_id
            )
        return True

    def retire_writer(self, source: str, at: float, by: str) -> None:
        """A person's word that a writer will not return."""
        row = {"source": source, "at": at, "by": by}
        with self._database.write() as connection:
            upsert(connection, retired_writers, [row], replace=("at", "by"))
            record_act(connection, at, by, "retire_writer", about=source)
