"""What people ask about containers: one whole case, or a page of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from demurrage.model.case import (
    ContainerCase,
    ContainerEntry,
    Prediction,
    Protection,
    VerdictRecord,
)
from demurrage.model.verdict import VerdictKind
from demurrage.store.database import Repository
from demurrage.store.deletions import read_deletion
from demurrage.store.inventory import SIGHTING, read_sighting
from demurrage.store.rails import read_holds
from demurrage.store.tables import (
    containers,
    deletions,
    hold_containers,
    holds,
    predictions,
    protections,
    verdicts,
)
from demurrage.store.verdicts import VERDICT, read_record


class Cases(Repository):
    """Case files."""

    def case(self, container_id: str, target: str | None = None) -> ContainerCase | None:
        """All that is known of one container, None when nothing is.

        Without a target, the one that listed the container last, else the one whose audit
        names it.
        """
        with self._database.read() as connection:
            owner = target if target is not None else _owner(connection, container_id)
            if owner is None:
                return None
            found = _case(connection, owner, container_id)
        return None if found == ContainerCase(owner, container_id) else found

    def containers(
        self,
        target: str | None = None,
        verdict: VerdictKind | None = None,
        *,
        alive: bool | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> tuple[ContainerEntry, ...]:
        """A page of the inventory, the newest birth first.

        Args:
            target: of this target alone.
            verdict: whose latest verdict this is.
            alive: only those that live, or only those that are gone.
            limit: rows at most.
            after: the id of the last container of the page before; an id that is not known
                (any more) gives an empty page.

        Returns:
            Entries; a page shorter than `limit` is the last.
        """
        query = (
            select(containers.c.target, *SIGHTING, *VERDICT)
            .outerjoin(verdicts, verdicts.c.id == containers.c.verdict_id)
            .order_by(containers.c.created_at.desc(), containers.c.container_id.desc())
            .limit(limit)
        )
        if target is not None:
            query = query.where(containers.c.target == target)
        if verdict is not None:
            query = query.where(containers.c.verdict == verdict)
        if alive is not None:
            query = query.where(containers.c.alive.is_(alive))
        if after is not None:
            birth = (
                select(containers.c.created_at)
                .where(containers.c.container_id == after)
                .limit(1)
                .scalar_subquery()
            )
            query = query.where(
                or_(
                    containers.c.created_at < birth,
                    and_(containers.c.created_at == birth, containers.c.container_id < after),
                )
            )
        with self._database.read() as connection:
            return tuple(_entry(row) for row in connection.execute(query))

    def containers_made_by(self, target: str, calls: Sequence[str]) -> tuple[ContainerEntry, ...]:
        """The containers whose latest verdict calls one of the requests their maker, oldest first.

        Args:
            target: whose containers.
            calls: call ids.
        """
        query = (
            select(containers.c.target, *SIGHTING, *VERDICT)
            .join(verdicts, verdicts.c.id == containers.c.verdict_id)
            .where(containers.c.target == target, verdicts.c.maker.in_(calls))
            .order_by(containers.c.created_at, containers.c.container_id)
        )
        with self._database.read() as connection:
            return tuple(_entry(row) for row in connection.execute(query))


def _entry(row: Any) -> ContainerEntry:
    latest = row[1 + len(SIGHTING) :]
    return ContainerEntry(
        target=row[0],
        sighting=read_sighting(row[1:]),
        latest=read_record(latest) if latest[0] is not None else None,
    )


def _owner(connection: Connection, container_id: str) -> str | None:
    sources = (
        select(containers.c.target)
        .where(containers.c.container_id == container_id)
        .order_by(containers.c.listed_at.desc()),
        select(deletions.c.target)
        .where(deletions.c.container_id == container_id)
        .order_by(deletions.c.id.desc()),
    )
    for query in sources:
        owner: str | None = connection.execute(query.limit(1)).scalar()
        if owner is not None:
            return owner
    return None


def _case(connection: Connection, target: str, container_id: str) -> ContainerCase:
    key = {"target": target, "container_id": container_id}
    sighting = connection.execute(
        select(*SIGHTING, containers.c.observed_at, containers.c.observed_usd).filter_by(**key)
    ).first()
    audit = select(deletions).filter_by(**key).order_by(deletions.c.id)
    held = select(hold_containers.c.hold_id).where(hold_containers.c.container_id == container_id)
    return ContainerCase(
        target=target,
        container_id=container_id,
        sighting=read_sighting(sighting) if sighting is not None else None,
        verdicts=_verdicts(connection, key),
        deletions=tuple(read_deletion(row) for row in connection.execute(audit).mappings()),
        holds=read_holds(connection, and_(holds.c.target == target, holds.c.id.in_(held))),
        protection=_protection(connection, key),
        prediction=_prediction(connection, key),
        observed_at=sighting.observed_at if sighting is not None else None,
        observed_usd=(sighting.observed_usd or 0.0) if sighting is not None else 0.0,
    )


def _verdicts(connection: Connection, key: Mapping[str, str]) -> tuple[VerdictRecord, ...]:
    query = select(*VERDICT).select_from(verdicts).filter_by(**key).order_by(verdicts.c.id)
    return tuple(read_record(row) for row in connection.execute(query))


def _protection(connection: Connection, key: Mapping[str, str]) -> Protection | None:
    query = select(protections.c.since, protections.c.until, protections.c.by).filter_by(**key)
    row = connection.execute(query).first()
    return Protection(*row) if row is not None else None


def _prediction(connection: Connection, key: Mapping[str, str]) -> Prediction | None:
    query = select(
        predictions.c.kind, predictions.c.predicted_at, predictions.c.refuted_at
    ).filter_by(**key)
    row = connection.execute(query).first()
    return Prediction(VerdictKind(row[0]), row[1], row[2]) if row is not None else None
