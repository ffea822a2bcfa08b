"""The audit of deletes, from intent to outcome, and what observe mode would have done."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.error import StoreFailedError
from demurrage.model.plan import PlannedDelete
from demurrage.model.record import Conclusion, Intent
from demurrage.store.database import Repository, slices
from demurrage.store.identity import went_back
from demurrage.store.tables import containers, deletions
from demurrage.store.totals import Ledger

_COUNTED = {DeleteOutcome.REFUSED: "refused", DeleteOutcome.FAILED: "failed"}

_CONCLUDE = (
    update(deletions)
    .where(deletions.c.id == bindparam("of_id"))
    .values(
        outcome=bindparam("to_outcome"),
        finished_at=bindparam("to_finished_at"),
        detail=bindparam("to_detail"),
        saved_usd=bindparam("to_saved_usd"),
    )
)

_BURY = (
    update(containers)
    .where(
        containers.c.target == bindparam("of_target"),
        containers.c.container_id == bindparam("of_container"),
    )
    .values(
        deleted_at=func.coalesce(containers.c.deleted_at, bindparam("at")),
        gone_at=func.coalesce(containers.c.gone_at, bindparam("at")),
        alive=False,
    )
)

_OBSERVE = (
    update(containers)
    .where(
        containers.c.target == bindparam("of_target"),
        containers.c.container_id == bindparam("of_container"),
        containers.c.observed_at.is_(None),
    )
    .values(observed_at=bindparam("at"), observed_usd=bindparam("usd"))
)


def read_deletion(row: RowMapping) -> Deletion:
    """A deletion from a complete row of its table."""
    outcome = row["outcome"]
    return Deletion(**{**row, "outcome": DeleteOutcome(outcome) if outcome is not None else None})


class Deletions(Repository):
    """Every delete that was meant, and what became of it."""

    def intend(self, target: str, intents: Sequence[Intent], at: float) -> tuple[Deletion, ...]:
        """Write-ahead: record deletes before the calls go out.

        Returns them in the order given. The database itself refuses an intent whose verdict
        was not recorded.

        Raises:
            StoreFailedError: it could not be written, or the store went back in time since the
                deletes were judged: what stood against them may be forgotten.
        """
        meant = [_meant(target, intent, at) for intent in intents]
        if not meant:
            return ()
        rows = [_row(deletion) for deletion in meant]
        statement = insert(deletions).returning(deletions.c.id, sort_by_parameter_order=True)
        with self._database.write() as connection:
            if went_back(connection):
                raise StoreFailedError("it was restored from an older copy; all is judged anew")
            ids = connection.scalars(statement, rows).all()
        return tuple(replace(each, id=id_) for each, id_ in zip(meant, ids, strict=True))

    def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        """Complete the audit; done outcomes mark their sightings deleted.

        A later conclusion corrects an earlier one (an uncertain delete turns out done), and
        the totals with it; what is done stays done. It may be told even after another process
        has taken the store over: it happened.
        """
        latest = {conclusion.deletion_id: conclusion for conclusion in conclusions}
        if not latest:
            return
        with self._database.write(fenced=False) as connection:
            before = _find(connection, list(latest))
            if missing := latest.keys() - before.keys():
                raise StoreFailedError(f"no such deletions to conclude: {sorted(missing)}")
            changed = [each for id_, each in latest.items() if not _done(before[id_])]
            if not changed:
                return
            connection.execute(_CONCLUDE, [_conclusion(each) for each in changed])
            ledgers: dict[str, Ledger] = {}
            for each in changed:
                deletion = before[each.deletion_id]
                ledger = ledgers.setdefault(deletion.target, Ledger(deletion.target))
                _count(ledger, deletion, each)
            for ledger in ledgers.values():
                ledger.write(connection)
            buried = [
                {
                    "of_target": before[each.deletion_id].target,
                    "of_container": before[each.deletion_id].container_id,
                    "at": each.finished_at,
                }
                for each in changed
                if each.outcome.done
            ]
            if buried:
                connection.execute(_BURY, buried)

    def unfinished(self, target: str) -> tuple[Deletion, ...]:
        """Intents without an outcome: what a crash left behind. Oldest first."""
        query = (
            select(deletions)
            .where(deletions.c.target == target, deletions.c.outcome.is_(None))
            .order_by(deletions.c.id)
        )
        with self._database.read() as connection:
            return tuple(read_deletion(row) for row in connection.execute(query).mappings())

    def observe(self, target: str, planned: Sequence[PlannedDelete], at: float) -> frozenset[str]:
        """Observe mode: note, once per container, that it would have been deleted now.

        Returns the ids of those that are new; containers that the inventory does not hold are
        left out.
        """
        latest = {each.container_id: each for each in planned}
        ledger = Ledger(target)
        fresh: list[dict[str, Any]] = []
        with self._database.write() as connection:
            for id_ in _unobserved(connection, target, list(latest)):
                saves = latest[id_].saves_usd
                ledger.add(latest[id_].tier, "observed")
                ledger.add(latest[id_].tier, "observed_usd", saves)
                fresh.append({"of_target": target, "of_container": id_, "at": at, "usd": saves})
            if fresh:
                connection.execute(_OBSERVE, fresh)
                ledger.write(connection)
        return frozenset(row["of_container"] for row in fresh)

    def deletions(self, target: str | None = None, limit: int = 100) -> tuple[Deletion, ...]:
        """The latest deletions, newest first."""
        query = select(deletions).order_by(deletions.c.id.desc()).limit(limit)
        if target is not None:
            query = query.where(deletions.c.target == target)
        with self._database.read() as connection:
            return tuple(read_deletion(row) for row in connection.execute(query).mappings())


def _meant(target: str, intent: Intent, at: float) -> Deletion:
    planned = intent.planned
    return Deletion(
        id=0,
        target=target,
        container_id=planned.container_id,
        verdict_id=intent.verdict_id,
        intended_at=at,
        due_at=planned.due_at,
        created_at=planned.created_at,
        tier=planned.tier,
        verdict=planned.verdict.kind.value,
        hold_id=intent.hold_id,
    )


def _row(deletion: Deletion) -> dict[str, Any]:
    return {
        each.name: getattr(deletion, each.name) for each in fields(Deletion) if each.name != "id"
    }


def _conclusion(conclusion: Conclusion) -> dict[str, Any]:
    return {
        "of_id": conclusion.deletion_id,
        "to_outcome": conclusion.outcome,
        "to_finished_at": conclusion.finished_at,
        "to_detail": conclusion.detail,
        "to_saved_usd": conclusion.saved_usd,
    }


def _find(connection: Connection, ids: Sequence[int]) -> dict[int, Deletion]:
    found: dict[int, Deletion] = {}
    for some in slices(ids):
        rows = connection.execute(select(deletions).where(deletions.c.id.in_(some))).mappings()
        found.update((row["id"], read_deletion(row)) for row in rows)
    return found


def _unobserved(connection: Connection, target: str, ids: Sequence[str]) -> list[str]:
    found: list[str] = []
    for some in slices(ids):
        query = select(containers.c.container_id).where(
            containers.c.target == target,
            containers.c.container_id.in_(some),
            containers.c.observed_at.is_(None),
        )
        found.extend(connection.scalars(query))
    return found


def _done(deletion: Deletion) -> bool:
    return deletion.outcome is not None and deletion.outcome.done


def _count(ledger: Ledger, before: Deletion, conclusion: Conclusion) -> None:
    if before.outcome in _COUNTED:
        ledger.add(before.tier, _COUNTED[before.outcome], -1)
    if conclusion.outcome in _COUNTED:
        ledger.add(before.tier, _COUNTED[conclusion.outcome])
    if conclusion.outcome.done:
        ledger.swept(before.tier, conclusion.finished_at - before.created_at)
        ledger.add(before.tier, "saved_usd", conclusion.saved_usd)
