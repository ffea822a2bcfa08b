"""Incidents as they are kept, and what people say about them.

The daemon writes what it sees; what a person says lies in columns of its own. So a command beside
the daemon and the daemon itself never undo each other's words, but for an escalation, which takes
an acknowledgement back.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, insert, select, update

from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.incident import Incident
from demurrage.store.acts import record_act
from demurrage.store.database import Repository
from demurrage.store.tables import incidents

_STANDS = incidents.c.resolved_at.is_(None)
_OPEN = and_(_STANDS, incidents.c.revision > 0)


class Incidents(Repository):
    """What is wrong now, and what was."""

    def standing_incidents(self, target: str) -> tuple[Incident, ...]:
        """Those of a target that brood or are open, oldest first."""
        with self._database.read() as connection:
            return _read(connection, and_(_STANDS, incidents.c.target == target))

    def save_incidents(self, some: Iterable[Incident]) -> tuple[Incident, ...]:
        """Keep them as they are now; returns them, the new ones with their ids.

        What people said meanwhile stays, unless an incident has escalated since it was read.
        """
        with self._database.write() as connection:
            return tuple(_saved(connection, each) for each in some)

    def open_incidents(self, target: str | None = None) -> tuple[Incident, ...]:
        """Those that are open, of one target or of all, oldest first."""
        of_target = () if target is None else (incidents.c.target == target,)
        with self._database.read() as connection:
            return _read(connection, and_(_OPEN, *of_target))

    def past_incidents(self, target: str | None = None, limit: int = 100) -> tuple[Incident, ...]:
        """The latest that are over, newest first."""
        query = (
            select(incidents)
            .where(incidents.c.resolved_at.is_not(None))
            .order_by(incidents.c.resolved_at.desc(), incidents.c.id.desc())
            .limit(limit)
        )
        if target is not None:
            query = query.where(incidents.c.target == target)
        with self._database.read() as connection:
            return tuple(incident_of(row) for row in connection.execute(query).mappings())

    def incident(self, incident_id: int) -> Incident | None:
        """One by its id, open or over; None if there is none."""
        with self._database.read() as connection:
            found = _read(connection, _told(incident_id))
        return found[0] if found else None

    def acknowledge(self, incident_id: int, at: float, by: str) -> Incident | None:
        """A person has taken note; None if no such incident is open."""
        return self._say(
            incident_id, at, by, "acknowledge_incident", acknowledged_at=at, acknowledged_by=by
        )

    def silence(self, incident_id: int, until: float, at: float, by: str) -> Incident | None:
        """A person wants to hear nothing of it until a moment; None if no such one is open."""
        return self._say(incident_id, at, by, "silence_incident", silenced_until=until)

    def unsilence(self, incident_id: int, at: float, by: str) -> Incident | None:
        """A person wants to hear of it again; None if no such incident is open."""
        return self._say(incident_id, at, by, "unsilence_incident", silenced_until=None)

    def _say(
        self, incident_id: int, at: float, by: str, what: str, **words: float | str | None
    ) -> Incident | None:
        statement = update(incidents).where(incidents.c.id == incident_id, _OPEN).values(**words)
        with self._database.write() as connection:
            if connection.execute(statement).rowcount == 0:
                return None
            (said,) = _read(connection, incidents.c.id == incident_id)
            kind, until = said.condition.kind, words.get("silenced_until")
            record_act(
                connection,
                at,
                by,
                what,
                target=said.condition.target,
                about=str(incident_id),
                detail=kind if until is None else f"{kind} until {until:.0f}",
            )
        return said


def _told(incident_id: int) -> ColumnElement[bool]:
    return and_(incidents.c.id == incident_id, incidents.c.revision > 0)


def _read(connection: Connection, condition: ColumnElement[bool]) -> tuple[Incident, ...]:
    query = select(incidents).where(condition).order_by(incidents.c.id)
    return tuple(incident_of(row) for row in connection.execute(query).mappings())


def _saved(connection: Connection, incident: Incident) -> Incident:
    row = _row(incident)
    if not incident.id:
        statement = insert(incidents).values(
            **row,
            acknowledged_at=incident.acknowledged_at,
            acknowledged_by=incident.acknowledged_by,
            silenced_until=incident.silenced_until,
        )
        (number,) = connection.execute(statement).inserted_primary_key or (0,)
    else:
        number = incident.id
        held = select(incidents.c.revision).where(incidents.c.id == number)
        if incident.open and connection.execute(held).scalar_one() < incident.revision:
            row |= {"acknowledged_at": None, "acknowledged_by": ""}
        connection.execute(update(incidents).where(incidents.c.id == number).values(**row))
    (saved,) = _read(connection, incidents.c.id == number)
    return saved


def incident_of(row: RowMapping) -> Incident:
    """The incident that a row of the table holds."""
    condition = Condition(
        kind=ConditionKind(row["kind"]),
        target=row["target"],
        summary=row["summary"],
        severity=Severity(row["severity"]),
        scope=row["scope"],
        causes=tuple(Cause(**each) for each in row["causes"]),
        usd_per_hour=row["usd_per_hour"],
    )
    return Incident(
        id=row["id"],
        condition=condition,
        opened_at=row["opened_at"],
        changed_at=row["changed_at"],
        last_seen_at=row["last_seen_at"],
        quiet_since=row["quiet_since"],
        revision=row["revision"],
        resolved_at=row["resolved_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        silenced_until=row["silenced_until"],
    )


def _row(incident: Incident) -> dict[str, Any]:
    """What the daemon knows of it."""
    condition = incident.condition
    return {
        "target": condition.target,
        "kind": condition.kind,
        "scope": condition.scope,
        "severity": condition.severity,
        "summary": condition.summary,
        "causes": [asdict(each) for each in condition.causes],
        "usd_per_hour": condition.usd_per_hour,
        "opened_at": incident.opened_at,
        "changed_at": incident.changed_at,
        "last_seen_at": incident.last_seen_at,
        "quiet_since": incident.quiet_since,
        "revision": incident.revision,
        "resolved_at": incident.resolved_at,
    }
