"""The status that the engine last gave of each target."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

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

    def provider_now(self, target: str, here: float) -> float:
        """Provider time, as far as a clock that nobody measures and the last look tell it.

        Args:
            target: whose provider.
            here: epoch seconds by the clock of whoever asks.
        """
        with self._database.read() as connection:
            known = snapshot_of(connection, target)
        return here if known is None else known.now(here)

    def time_is_told(self, target: str) -> bool:
        """True where there is a last look, and it knew the provider's time."""
        with self._database.read() as connection:
            known = snapshot_of(connection, target)
        return known is not None and known.looked_at is not None

    def forget_looks(self) -> None:
        """Drop the last status of every target, which speaks of another time's store or log."""
        with self._database.write() as connection:
            connection.execute(delete(statuses))

    def statuses(self) -> tuple[StatusSnapshot, ...]:
        """The last status of every target, by name."""
        query = select(statuses).order_by(statuses.c.target)
        with self._database.read() as connection:
            return tuple(StatusSnapshot(**row) for row in connection.execute(query).mappings())


def snapshot_of(connection: Connection, target: str) -> StatusSnapshot | None:
    """The last status of a target, None if there is none."""
    query = select(statuses).where(statuses.c.target == target)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StatusSnapshot(**row)


def not_before_the_last_look(connection: Connection, target: str, at: float) -> float:
    """A moment that a person's clock tells, which may be behind; provider time.

    Only a look of the same target counts, and only by a clock that was trusted.
    """
    known = snapshot_of(connection, target)
    looked_at = None if known is None else known.looked_at
    return at if looked_at is None else max(at, looked_at)
