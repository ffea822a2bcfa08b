"""The inventory: every container that was ever listed, until retention takes it."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select

from demurrage.model.container import Container, Sighting
from demurrage.store.database import Repository, slices
from demurrage.store.dialect import upsert
from demurrage.store.tables import containers, targets
from demurrage.store.totals import Ledger

# In the order of the fields of Container, then of Sighting.
SIGHTING = (
    containers.c.container_id,
    containers.c.created_at,
    containers.c.status,
    containers.c.last_active_at,
    containers.c.tier,
    containers.c.name,
    containers.c.idle_expiry,
    containers.c.first_seen_at,
    containers.c.listed_at,
    containers.c.gone_at,
    containers.c.deleted_at,
    containers.c.missing_since,
)
_CONTAINER_FIELDS = 7
# Gone containers that are younger than this at first sight still count, in seconds.
_RECENT = 86_400.0
_SAVED = (*(column.name for column in SIGHTING[1:]), "alive")


def read_sighting(fields: Sequence[Any]) -> Sighting:
    """A sighting from a row that begins with the columns of SIGHTING."""
    container = Container(*fields[:_CONTAINER_FIELDS])
    return Sighting(container, *fields[_CONTAINER_FIELDS : len(SIGHTING)])


def _row(target: str, sighting: Sighting) -> dict[str, Any]:
    container = sighting.container
    return {
        "target": target,
        "container_id": container.id,
        "created_at": container.created_at,
        "status": container.status,
        "last_active_at": container.last_active_at,
        "tier": container.tier,
        "name": container.name,
        "idle_expiry": container.idle_expiry,
        "first_seen_at": sighting.first_seen_at,
        "listed_at": sighting.listed_at,
        "gone_at": sighting.gone_at,
        "deleted_at": sighting.deleted_at,
        "missing_since": sighting.missing_since,
        "alive": sighting.alive,
    }


def known_ids(connection: Connection, target: str, ids: Sequence[str]) -> set[str]:
    """Those of the ids that the inventory holds."""
    found: set[str] = set()
    for some in slices(ids):
        query = select(containers.c.container_id).where(
            containers.c.target == target, containers.c.container_id.in_(some)
        )
        found.update(connection.scalars(query))
    return found


def insert_sightings(
    connection: Connection, target: str, sightings: Sequence[Sighting], ledger: Ledger
) -> None:
    """Add containers that the inventory does not hold yet, and count them as created.

    A row that was gone long before it was first seen is history, not something that was
    created under our eyes; it may even be one that retention took and that is still listed.
    """
    for sighting in sightings:
        age = sighting.first_seen_at - sighting.container.created_at
        if sighting.alive or age < _RECENT:
            ledger.add(sighting.container.tier, "created")
    if sightings:
        connection.execute(insert(containers), [_row(target, each) for each in sightings])


class Inventory(Repository):
    """What the listings have shown."""

    def sightings(self, target: str, *, alive_or_born_after: float) -> dict[str, Sighting]:
        """Known containers that live, or were born or went after the given moment.

        A birth lies somewhere in its second, so one in the moment's own second counts as after.
        """
        query = select(*SIGHTING).where(
            containers.c.target == target,
            or_(
                containers.c.alive,
                containers.c.created_at > alive_or_born_after - 1,
                containers.c.gone_at > alive_or_born_after,
            ),
        )
        with self._database.read() as connection:
            return {row[0]: read_sighting(row) for row in connection.execute(query).all()}

    def newest_birth(self, target: str, listed_for: float = 0.0) -> int | None:
        """When the latest of the target's remembered containers was born, None without any.

        A row that was listed before the birth that it tells of is none to go by.

        Args:
            target: whose containers.
            listed_for: how long after it was first seen a row must still have been listed; seconds.
        """
        last = select(func.max(containers.c.created_at)).where(
            containers.c.target == target,
            containers.c.created_at <= containers.c.listed_at,
            containers.c.listed_at - containers.c.first_seen_at >= listed_for,
        )
        with self._database.read() as connection:
            born: int | None = connection.execute(last).scalar()
        return born

    def watched_since(self, target: str) -> float | None:
        """When the first of the target's containers that are remembered was seen."""
        first = select(func.min(containers.c.first_seen_at)).where(containers.c.target == target)
        with self._database.read() as connection:
            return connection.execute(first).scalar()

    def save_sightings(self, target: str, sightings: Iterable[Sighting]) -> None:
        """Insert or replace by (target, container id); of doubles the last one counts."""
        latest = {sighting.id: sighting for sighting in sightings}
        if not latest:
            return
        ledger = Ledger(target)
        with self._database.write() as connection:
            known = known_ids(connection, target, list(latest))
            fresh = [sighting for id_, sighting in latest.items() if id_ not in known]
            insert_sightings(connection, target, fresh, ledger)
            upsert(
                connection,
                containers,
                [_row(target, latest[id_]) for id_ in known],
                replace=_SAVED,
            )
            ledger.write(connection)

    def listed_whole(self, target: str) -> bool:
        """True once the target's whole list was read to its end."""
        query = select(targets.c.listed_whole).where(targets.c.target == target)
        with self._database.read() as connection:
            return bool(connection.execute(query).scalar())

    def note_listed_whole(self, target: str) -> None:
        """The whole list was read to its end."""
        row = {"target": target, "listed_whole": True}
        with self._database.write() as connection:
            upsert(connection, targets, [row], replace=("listed_whole",))
