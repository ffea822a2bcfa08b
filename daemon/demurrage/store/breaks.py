"""Breaches of the operator's word that every maker logs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, func, select, update

from demurrage.model.facts import BreakKind, CoverageBreak
from demurrage.store.database import Repository, slices
from demurrage.store.dialect import upsert
from demurrage.store.tables import coverage_breaks

# One open break makes a target partial. Past this many a target's further ones are dropped,
# so that a writer which is always late cannot fill the disk.
MOST_OPEN = 1000

_Key = tuple[str, str]

_OPEN = (
    select(
        coverage_breaks.c.target,
        coverage_breaks.c.kind,
        coverage_breaks.c.about,
        coverage_breaks.c.at,
        coverage_breaks.c.detail,
    )
    .where(coverage_breaks.c.target == bindparam("target"), coverage_breaks.c.settled_at.is_(None))
    .order_by(coverage_breaks.c.at, coverage_breaks.c.kind, coverage_breaks.c.about)
)


def open_breaks(connection: Connection, target: str) -> tuple[CoverageBreak, ...]:
    """The target's breaks that no person has confirmed away, oldest first."""
    return tuple(
        CoverageBreak(row[0], BreakKind(row[1]), row[2], row[3], row[4])
        for row in connection.execute(_OPEN, {"target": target}).all()
    )


def settle_breaks(connection: Connection, target: str, at: float) -> int:
    """Settle every open break of a target; returns how many there were.

    A break may bear a moment ahead of the person's clock. It is settled at its own moment
    then, which keeps the same break from opening again.
    """
    settled = update(coverage_breaks).where(
        coverage_breaks.c.target == target, coverage_breaks.c.settled_at.is_(None)
    )
    ahead = settled.where(coverage_breaks.c.at > at).values(settled_at=coverage_breaks.c.at)
    return (
        connection.execute(ahead).rowcount
        + connection.execute(settled.values(settled_at=at)).rowcount
    )


class Breaks(Repository):
    """The record of breaches."""

    def add_breaks(self, breaks: Iterable[CoverageBreak]) -> None:
        """Record breaches of coverage; the same (target, kind, about) is recorded once.

        One that a person has settled opens again only if it has happened again since.
        """
        by_target: defaultdict[str, dict[_Key, CoverageBreak]] = defaultdict(dict)
        for each in breaks:
            held = by_target[each.target].setdefault((each.kind, each.about), each)
            if each.at > held.at:
                by_target[each.target][each.kind, each.about] = each
        if not by_target:
            return
        with self._database.write() as connection:
            for target, some in by_target.items():
                _add(connection, target, some)


def _add(connection: Connection, target: str, breaks: dict[_Key, CoverageBreak]) -> None:
    known = _settled(connection, target, [about for _, about in breaks])
    room = MOST_OPEN - _count_open(connection, target)
    fresh = [
        each
        for key, each in breaks.items()
        if key not in known or ((settled := known[key]) is not None and each.at > settled)
    ]
    rows = [
        {
            "target": target,
            "kind": each.kind,
            "about": each.about,
            "at": each.at,
            "detail": each.detail,
            "settled_at": None,
        }
        for each in fresh[: max(room, 0)]
    ]
    upsert(connection, coverage_breaks, rows, replace=("at", "detail", "settled_at"))


def _settled(
    connection: Connection, target: str, abouts: Sequence[str]
) -> dict[_Key, float | None]:
    found: dict[_Key, float | None] = {}
    for some in slices(abouts):
        query = select(
            coverage_breaks.c.kind, coverage_breaks.c.about, coverage_breaks.c.settled_at
        ).where(coverage_breaks.c.target == target, coverage_breaks.c.about.in_(some))
        found.update(((row[0], row[1]), row[2]) for row in connection.execute(query))
    return found


def _count_open(connection: Connection, target: str) -> int:
    query = (
        select(func.count())
        .select_from(coverage_breaks)
        .where(coverage_breaks.c.target == target, coverage_breaks.c.settled_at.is_(None))
    )
    return connection.execute(query).scalar_one()
