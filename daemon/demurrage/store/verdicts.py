"""The verdict log: written before anything is acted on, and the latest of it at hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from demurrage.model.case import VerdictRecord
from demurrage.model.container import Sighting
from demurrage.model.record import Ruling
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind
from demurrage.store.database import Repository, slices
from demurrage.store.inventory import insert_sightings
from demurrage.store.tables import containers, verdicts
from demurrage.store.totals import Ledger

# In the order that `read_verdict` takes apart.
VERDICT = (
    verdicts.c.id,
    verdicts.c.decided_at,
    verdicts.c.status,
    verdicts.c.last_active_at,
    verdicts.c.container_id,
    verdicts.c.kind,
    verdicts.c.reasons,
    verdicts.c.due_at,
    verdicts.c.proven_at,
    verdicts.c.maker,
    verdicts.c.shadow,
)

_POINT_AT = (
    update(containers)
    .where(
        containers.c.target == bindparam("of_target"),
        containers.c.container_id == bindparam("of_container"),
    )
    .values(
        verdict_id=bindparam("to_id"),
        verdict=bindparam("to_kind"),
        verdict_code=bindparam("to_code"),
        was_referenced=bindparam("to_referenced"),
        was_orphan=bindparam("to_orphan"),
    )
)


def read_record(fields: Sequence[Any]) -> VerdictRecord:
    """A line of the log from a row of the columns of VERDICT."""
    id_, decided_at, status, last_active_at, *rest = fields
    return VerdictRecord(id_, decided_at, status, last_active_at, _read_verdict(rest))


def _read_verdict(fields: Sequence[Any]) -> Verdict:
    container_id, kind, reasons, due_at, proven_at, maker, shadow = fields
    return Verdict(
        container_id=container_id,
        kind=VerdictKind(kind),
        reasons=tuple(Reason(Code(each["code"]), each["text"], each["about"]) for each in reasons),
        due_at=due_at,
        proven_at=proven_at,
        maker=maker,
        shadow=VerdictKind(shadow) if shadow is not None else None,
    )


def _row(target: str, ruling: Ruling) -> dict[str, Any]:
    verdict = ruling.verdict
    return {
        "target": target,
        "container_id": verdict.container_id,
        "decided_at": ruling.decided_at,
        "kind": verdict.kind,
        "reasons": [
            {"code": each.code, "text": each.text, "about": each.about} for each in verdict.reasons
        ],
        "due_at": verdict.due_at,
        "proven_at": verdict.proven_at,
        "maker": verdict.maker,
        "shadow": verdict.shadow,
        "status": ruling.container.status,
        "last_active_at": ruling.container.last_active_at,
    }


class Verdicts(Repository):
    """What was thought of each container, and why."""

    def record_verdicts(self, target: str, rulings: Sequence[Ruling]) -> dict[str, int]:
        """Append to the verdict log; returns verdict ids by container id.

        A container that the inventory does not hold yet is added to it from the ruling's row.
        Of several rulings on one container the last one counts.
        """
        latest = {ruling.verdict.container_id: ruling for ruling in rulings}
        if not latest:
            return {}
        ledger = Ledger(target)
        with self._database.write() as connection:
            seen = _judged(connection, target, list(latest))
            _adopt(connection, target, [latest[id_] for id_ in latest if id_ not in seen], ledger)
            rows = [_row(target, ruling) for ruling in latest.values()]
            statement = insert(verdicts).returning(verdicts.c.container_id, verdicts.c.id)
            ids = {row[0]: int(row[1]) for row in connection.execute(statement, rows)}
            pointers = [
                _pointer(target, ruling, ids[id_], seen.get(id_, (False, False)), ledger)
                for id_, ruling in latest.items()
            ]
            connection.execute(_POINT_AT, pointers)
            ledger.write(connection)
        return ids

    def current_verdicts(self, target: str) -> dict[str, tuple[int, Verdict]]:
        """The latest recorded verdict (id, value) of every container that lives."""
        query = (
            select(verdicts.c.id, *VERDICT[4:])
            .join(containers, containers.c.verdict_id == verdicts.c.id)
            .where(containers.c.target == target, containers.c.alive)
        )
        with self._database.read() as connection:
            return {row[1]: (row[0], _read_verdict(row[1:])) for row in connection.execute(query)}

    def standing(self, target: str) -> Mapping[tuple[VerdictKind, str], int]:
        """How many living containers have which verdict, by kind and first reason code.

        Answered from an index alone; containers without a verdict are left out.
        """
        by = (containers.c.verdict, containers.c.verdict_code)
        query = (
            select(*by, func.count())
            .where(
                containers.c.target == target, containers.c.alive, containers.c.verdict.is_not(None)
            )
            .group_by(*by)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {(VerdictKind(kind), code): count for kind, code, count in rows}


def _judged(
    connection: Connection, target: str, ids: Sequence[str]
) -> dict[str, tuple[bool, bool]]:
    """Whether each known container was ever referenced, and ever an orphan."""
    found: dict[str, tuple[bool, bool]] = {}
    for some in slices(ids):
        query = select(
            containers.c.container_id, containers.c.was_referenced, containers.c.was_orphan
        ).where(containers.c.target == target, containers.c.container_id.in_(some))
        found.update((row[0], (row[1], row[2])) for row in connection.execute(query))
    return found


def _adopt(connection: Connection, target: str, rulings: Sequence[Ruling], ledger: Ledger) -> None:
    sightings = [
        Sighting(each.container, first_seen_at=each.decided_at, listed_at=each.decided_at)
        for each in rulings
    ]
    insert_sightings(connection, target, sightings, ledger)


def _pointer(
    target: str, ruling: Ruling, id_: int, was: tuple[bool, bool], ledger: Ledger
) -> dict[str, Any]:
    verdict, tier = ruling.verdict, ruling.container.tier
    referenced = verdict.kind is VerdictKind.REFERENCED
    orphan = verdict.kind is VerdictKind.ORPHAN
    if referenced and not was[0]:
        ledger.add(tier, "referenced")
    if orphan and not was[1]:
        ledger.add(tier, "orphans")
    return {
        "of_target": target,
        "of_container": verdict.container_id,
        "to_id": id_,
        "to_kind": verdict.kind,
        "to_code": verdict.reasons[0].code if verdict.reasons else "",
        "to_referenced": was[0] or referenced,
        "to_orphan": was[1] or orphan,
    }
