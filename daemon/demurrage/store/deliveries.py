"""What each sink has been told of the incidents, and what it is still owed.

A sink that is new is owed what is open, and nothing of the past. An incident that was over before
a sink had heard of it is no news to it any more.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, or_, select

from demurrage.model.incident import Delivery, Incident
from demurrage.store.database import Repository
from demurrage.store.dialect import insert
from demurrage.store.incidents import incident_of
from demurrage.store.tables import deliveries, incidents

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


class Deliveries(Repository):
    """The bookkeeping of the sinks; a sink is known by its name."""

    def undelivered(self, sink: str, now: float) -> tuple[Incident, ...]:
        """What a sink is to be told now, the oldest change first.

        Not what is silenced, nor what a person has acknowledged before the sink had heard of it,
        unless it has ended or escalated since.
        """
        told = func.coalesce(deliveries.c.revision, 0)
        query = (
            select(incidents)
            .outerjoin(
                deliveries,
                and_(deliveries.c.incident_id == incidents.c.id, deliveries.c.sink == sink),
            )
            .where(
                incidents.c.revision > told,
                or_(incidents.c.silenced_until.is_(None), incidents.c.silenced_until <= now),
                or_(
                    and_(incidents.c.resolved_at.is_(None), incidents.c.acknowledged_at.is_(None)),
                    and_(incidents.c.resolved_at.is_not(None), told > 0),
                ),
            )
            .order_by(incidents.c.changed_at, incidents.c.id)
        )
        with self._database.read() as connection:
            return tuple(incident_of(row) for row in connection.execute(query).mappings())

    def told(self, sink: str) -> tuple[Incident, ...]:
        """What is open and was told to a sink, silenced or acknowledged or not, oldest first."""
        query = (
            select(incidents)
            .join(
                deliveries,
                and_(deliveries.c.incident_id == incidents.c.id, deliveries.c.sink == sink),
            )
            .where(incidents.c.resolved_at.is_(None), deliveries.c.revision > 0)
            .order_by(incidents.c.id)
        )
        with self._database.read() as connection:
            return tuple(incident_of(row) for row in connection.execute(query).mappings())

    def note_delivered(self, sink: str, incident_id: int, revision: int, at: float) -> None:
        """A sink was told a revision; an older one that arrives late changes nothing."""
        told = {"revision": revision, "delivered_at": at, "attempts": 0, "last_error": ""}
        with self._database.write() as connection:
            statement = insert(connection, deliveries).values(
                sink=sink, incident_id=incident_id, tried_at=at, **told
            )
            _note(connection, statement, {**told, "tried_at": at}, revision, incident_id)

    def note_undelivered(
        self, sink: str, incident_id: int, revision: int, at: float, error: str
    ) -> None:
        """A sink could not be told a revision, for a reason in words without secrets."""
        failed = {"tried_at": at, "last_error": error}
        with self._database.write() as connection:
            statement = insert(connection, deliveries).values(
                sink=sink, incident_id=incident_id, revision=0, attempts=1, **failed
            )
            again = {**failed, "attempts": deliveries.c.attempts + 1}
            _note(connection, statement, again, revision - 1, incident_id)

    def deliveries(self, incident_id: int) -> tuple[Delivery, ...]:
        """What every sink has been told of one incident, by the sink's name."""
        query = (
            select(
                deliveries.c.sink,
                deliveries.c.revision,
                deliveries.c.delivered_at,
                deliveries.c.attempts,
                deliveries.c.tried_at,
                deliveries.c.last_error,
            )
            .where(deliveries.c.incident_id == incident_id)
            .order_by(deliveries.c.sink)
        )
        with self._database.read() as connection:
            return tuple(Delivery(**row) for row in connection.execute(query).mappings())


def _note(
    connection: Connection,
    statement: "sqlite.Insert | postgresql.Insert",
    changes: dict[str, Any],
    newest: int,
    incident_id: int,
) -> None:
    """Insert, or change what no newer revision than `newest` was noted on.

    An incident that retention took meanwhile is nobody's business any more.
    """
    known = select(incidents.c.id).where(incidents.c.id == incident_id)
    if connection.execute(known).first() is None:
        return
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["sink", "incident_id"],
            set_=changes,
            where=deliveries.c.revision <= newest,
        )
    )
