"""Conditions with their lives, and the status that the engine last gave."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.record import ConditionChanges, ConditionRecord, StatusSnapshot
from demurrage.store.database import Repository
from demurrage.store.dialect import upsert
from demurrage.store.tables import conditions, statuses

_RANK = list(Severity)

_TOUCH = (
    update(conditions)
    .where(conditions.c.id == bindparam("of_id"))
    .values(
        last_seen_at=bindparam("at"), severity=bindparam("to_severity"), summary=bindparam("to_say")
    )
)
_RESOLVE = (
    update(conditions)
    .where(conditions.c.id == bindparam("of_id"))
    .values(resolved_at=bindparam("at"))
)


class Conditions(Repository):
    """What is wrong now, what was, and how the targets stand."""

    def sync_conditions(
        self, target: str, conditions_now: Sequence[Condition], at: float
    ) -> ConditionChanges:
        """Open new conditions, touch standing ones, resolve those that are over.

        A target has each kind at most once: several of a kind become one, with the highest
        severity and all their summaries.
        """
        now = _merge(target, conditions_now)
        with self._database.write() as connection:
            standing = {each.condition.kind: each for each in _open(connection, target)}
            opened = tuple(each for kind, each in now.items() if kind not in standing)
            if opened:
                connection.execute(insert(conditions), [_row(each, at) for each in opened])
            touched = [
                {
                    "of_id": record.id,
                    "at": at,
                    "to_severity": now[kind].severity,
                    "to_say": now[kind].summary,
                }
                for kind, record in standing.items()
                if kind in now
            ]
            if touched:
                connection.execute(_TOUCH, touched)
            over = [record for kind, record in standing.items() if kind not in now]
            if over:
                connection.execute(_RESOLVE, [{"of_id": each.id, "at": at} for each in over])
        return ConditionChanges(opened, tuple(each.condition for each in over))

    def open_conditions(self, target: str | None = None) -> tuple[ConditionRecord, ...]:
        """The conditions that stand now, of one target or of all, oldest first."""
        with self._database.read() as connection:
            return _open(connection, target)

    def past_conditions(
        self, target: str | None = None, limit: int = 100
    ) -> tuple[ConditionRecord, ...]:
        """The latest conditions that are over, newest first."""
        query = (
            select(conditions)
            .where(conditions.c.resolved_at.is_not(None))
            .order_by(conditions.c.id.desc())
            .limit(limit)
        )
        if target is not None:
            query = query.where(conditions.c.target == target)
        with self._database.read() as connection:
            return tuple(_record(row) for row in connection.execute(query).mappings())

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


def _merge(target: str, some: Sequence[Condition]) -> dict[ConditionKind, Condition]:
    merged: dict[ConditionKind, Condition] = {}
    for each in some:
        held = merged.get(each.kind)
        if held is None:
            merged[each.kind] = replace(each, target=target)
        elif each.summary not in held.summary:
            severity = max(held.severity, each.severity, key=_RANK.index)
            summary = f"{held.summary} {each.summary}"
            merged[each.kind] = replace(held, severity=severity, summary=summary)
    return merged


def _open(connection: Connection, target: str | None) -> tuple[ConditionRecord, ...]:
    query = select(conditions).where(conditions.c.resolved_at.is_(None)).order_by(conditions.c.id)
    if target is not None:
        query = query.where(conditions.c.target == target)
    return tuple(_record(row) for row in connection.execute(query).mappings())


def _record(row: RowMapping) -> ConditionRecord:
    condition = Condition(
        kind=ConditionKind(row["kind"]),
        target=row["target"],
        summary=row["summary"],
        severity=Severity(row["severity"]),
    )
    return ConditionRecord(
        row["id"], condition, row["opened_at"], row["last_seen_at"], row["resolved_at"]
    )


def _row(condition: Condition, at: float) -> dict[str, Any]:
    return {
        "target": condition.target,
        "kind": condition.kind,
        "severity": condition.severity,
        "summary": condition.summary,
        "opened_at": at,
        "last_seen_at": at,
    }
