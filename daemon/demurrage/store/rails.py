"""Holds, and the past that the rails judge a plan against."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.history import Figure, HourTally, RailHistory
from demurrage.model.plan import RESTORE_RAILS, Hold, Rail
from demurrage.model.record import BirthTally
from demurrage.store.acts import record_act
from demurrage.store.database import Repository, slices
from demurrage.store.dialect import upsert
from demurrage.store.facts import distrust
from demurrage.store.statuses import not_before_the_last_look
from demurrage.store.tables import (
    containers,
    deletions,
    hold_containers,
    holds,
    hourly_births,
)

_HOUR = 3600
_WEEK_HOURS = 7 * 24

_FIGURES = ("births", "logged", "deleted")
_TALLIED = {
    "logged": containers.c.tallied_logged,
    "deleted": containers.c.tallied_deleted,
}

_HOLD = (
    holds.c.id,
    holds.c.target,
    holds.c.rail,
    holds.c.opened_at,
    holds.c.summary,
    holds.c.resumed_at,
    holds.c.resumed_until,
    holds.c.resumed_by,
    holds.c.lapsed_at,
)


def read_holds(connection: Connection, condition: ColumnElement[bool]) -> tuple[Hold, ...]:
    """The holds that meet the condition, oldest first, with the containers they hold."""
    query = select(*_HOLD).where(condition).order_by(holds.c.opened_at, holds.c.id)
    found: list[Hold] = []
    for row in connection.execute(query).all():
        held = select(hold_containers.c.container_id).where(hold_containers.c.hold_id == row.id)
        found.append(
            Hold(
                id=row.id,
                target=row.target,
                rail=Rail(row.rail),
                opened_at=row.opened_at,
                summary=row.summary,
                containers=frozenset(connection.scalars(held)),
                resumed_at=row.resumed_at,
                resumed_until=row.resumed_until,
                resumed_by=row.resumed_by,
                lapsed_at=row.lapsed_at,
            )
        )
    return tuple(found)


class Rails(Repository):
    """What holds a sweep, and what is normal for a target."""

    def holds(self, target: str) -> tuple[Hold, ...]:
        """Holds that have not ended."""
        with self._database.read() as connection:
            return read_holds(
                connection, and_(holds.c.target == target, holds.c.lapsed_at.is_(None))
            )

    def hold(self, hold_id: str) -> Hold | None:
        """One hold by its id, ended or not."""
        with self._database.read() as connection:
            found = read_holds(connection, holds.c.id == hold_id)
        return found[0] if found else None

    def save_hold(self, hold: Hold) -> None:
        """Insert or replace by id; a new yes of a person goes into the audit of acts.

        With the yes to a restore distrust has its end, which is no earlier than the last look: the
        person's clock may be behind.
        """
        with self._database.write() as connection:
            _save_hold(connection, hold)

    def amend_hold(self, hold_id: str, change: Callable[[Hold], Hold]) -> Hold | None:
        """Change a hold as it stands, with nobody else's word in between.

        Returns:
            The hold as it is now; None where there is none, or nothing about it has changed.
        """
        with self._database.write() as connection:
            found = read_holds(connection, holds.c.id == hold_id)
            changed = change(found[0]) if found else None
            if changed is None or changed is found[0]:
                return None
            _save_hold(connection, changed)
        return changed

    def history(self, target: str, now: float) -> RailHistory:
        """The past week by the hour and the last hour's deletes.

        A delete counts from its intent, unless the API is known to have refused or failed it:
        one whose answer never came may have happened.
        """
        hour = int(now // _HOUR)
        weekly = select(
            hourly_births.c.hour,
            hourly_births.c.births,
            hourly_births.c.logged,
            hourly_births.c.deleted,
        ).where(
            hourly_births.c.target == target,
            hourly_births.c.hour > hour - _WEEK_HOURS,
            hourly_births.c.hour <= hour,
        )
        recent = select(func.count(func.distinct(deletions.c.container_id))).where(
            deletions.c.target == target,
            deletions.c.intended_at > now - _HOUR,
            deletions.c.hold_id.is_(None),
            or_(
                deletions.c.outcome.is_(None),
                deletions.c.outcome.not_in([DeleteOutcome.REFUSED, DeleteOutcome.FAILED]),
            ),
        )
        # What went under a resumed hold is a person's doing, and counts for neither side.
        answered_for = select(deletions.c.container_id).where(
            deletions.c.target == target, deletions.c.hold_id.is_not(None)
        )
        born = select(func.count(), func.count(containers.c.deleted_at)).where(
            containers.c.target == target,
            containers.c.created_at > now - _HOUR,
            containers.c.container_id.not_in(answered_for),
        )
        last = select(func.max(deletions.c.intended_at)).where(deletions.c.target == target)
        with self._database.read() as connection:
            born_last_hour, deleted_of_those = connection.execute(born).one()
            return RailHistory(
                hours={row[0]: HourTally(*row[1:]) for row in connection.execute(weekly)},
                deletes_last_hour=connection.execute(recent).scalar_one(),
                born_last_hour=born_last_hour,
                deleted_of_those=deleted_of_those,
                last_sweep_at=connection.execute(last).scalar_one(),
            )

    def tally(self, target: str, tallies: Iterable[BirthTally]) -> None:
        """Add to the hourly figures."""
        sums: dict[int, dict[str, int | str]] = {}
        for each in tallies:
            held = sums.setdefault(
                each.hour,
                {"target": target, "hour": each.hour, **dict.fromkeys(_FIGURES, 0)},
            )
            for figure in _FIGURES:
                held[figure] = int(held[figure]) + getattr(each, figure)
        if not sums:
            return
        with self._database.write() as connection:
            upsert(connection, hourly_births, list(sums.values()), add=_FIGURES)

    def tally_once(self, target: str, figure: Figure, container_ids: Iterable[str]) -> None:
        """Add containers to a figure of their hours of birth, each once however often it is told.

        What the inventory does not hold (any more) is left out.
        """
        with self._database.write() as connection:
            born = _untallied(connection, target, figure, sorted(set(container_ids)))
            if not born:
                return
            for some in slices(sorted(born)):
                connection.execute(
                    update(containers)
                    .where(containers.c.target == target, containers.c.container_id.in_(some))
                    .values({_TALLIED[figure]: True})
                )
            rows = [
                {"target": target, "hour": hour, **dict.fromkeys(_FIGURES, 0), figure: count}
                for hour, count in sorted(Counter(at // _HOUR for at in born.values()).items())
            ]
            upsert(connection, hourly_births, rows, add=_FIGURES)


def _save_hold(connection: Connection, hold: Hold) -> None:
    row = {column.name: getattr(hold, column.name) for column in _HOLD}
    known = connection.execute(select(holds.c.resumed_at).where(holds.c.id == hold.id)).scalar()
    upsert(connection, holds, [row], replace=[name for name in row if name != "id"])
    _hold_containers(connection, hold)
    if hold.resumed_at is not None and hold.resumed_at != known:
        if hold.rail in RESTORE_RAILS:
            at = not_before_the_last_look(connection, hold.target, hold.resumed_at)
            distrust(connection, hold.target, at)
        until = "" if hold.resumed_until is None else f"until {hold.resumed_until:.0f}"
        record_act(
            connection,
            hold.resumed_at,
            hold.resumed_by or "unknown",
            "resume",
            target=hold.target,
            about=hold.id,
            detail=f"{hold.rail} {until}".strip(),
        )


def _untallied(
    connection: Connection, target: str, figure: Figure, ids: Sequence[str]
) -> dict[str, int]:
    """When those of the containers were born that do not stand in the figure yet."""
    found: dict[str, int] = {}
    for some in slices(ids):
        query = select(containers.c.container_id, containers.c.created_at).where(
            containers.c.target == target,
            containers.c.container_id.in_(some),
            _TALLIED[figure].is_(False),
        )
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _hold_containers(connection: Connection, hold: Hold) -> None:
    """Bring the list of held containers to the hold's, touching only what differs."""
    query = select(hold_containers.c.container_id).where(hold_containers.c.hold_id == hold.id)
    known = set(connection.scalars(query))
    if fresh := hold.containers - known:
        rows = [{"hold_id": hold.id, "container_id": each} for each in sorted(fresh)]
        connection.execute(insert(hold_containers), rows)
    for some in slices(sorted(known - hold.containers)):
        connection.execute(
            delete(hold_containers).where(
                hold_containers.c.hold_id == hold.id, hold_containers.c.container_id.in_(some)
            )
        )
