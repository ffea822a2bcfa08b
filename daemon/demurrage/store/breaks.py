"""Breaches of the operator's word that every maker logs, and what was decided on that word."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from demurrage.decide.response import Claim
from demurrage.model.facts import BreakKind, CoverageBreak
from demurrage.store.database import Repository, slices
from demurrage.store.dialect import upsert
from demurrage.store.tables import claims, coverage_breaks

# One open break makes a target partial. Past this many a target's further ones are dropped,
# so that a writer which is always late cannot fill the disk.
MOST_OPEN = 1000

_Key = tuple[str, str]
_Known = tuple[CoverageBreak, float | None]

_BREAKS = (
    select(
        coverage_breaks.c.target,
        coverage_breaks.c.kind,
        coverage_breaks.c.about,
        coverage_breaks.c.at,
        coverage_breaks.c.detail,
        coverage_breaks.c.position,
    )
    .where(coverage_breaks.c.target == bindparam("target"))
    .order_by(coverage_breaks.c.at, coverage_breaks.c.kind, coverage_breaks.c.about)
)
_OPEN = _BREAKS.where(coverage_breaks.c.settled_at.is_(None))
# What rests on no line of the log was settled by its moment, or stands.
_SETTLED = _BREAKS.where(coverage_breaks.c.settled_at.is_not(None), coverage_breaks.c.position > 0)


def open_breaks(connection: Connection, target: str) -> tuple[CoverageBreak, ...]:
    """The target's breaks that no person has confirmed away, oldest first."""
    return _breaks(connection, _OPEN, target)


def settled_breaks(connection: Connection, target: str) -> tuple[CoverageBreak, ...]:
    """The target's breaks that a person has confirmed away, as far as the log tells of them."""
    return _breaks(connection, _SETTLED, target)


def settle_breaks(connection: Connection, target: str, at: float) -> int:
    """Settle every open break of a target as of a moment; returns how many there were.

    A break may bear a later moment. What the log said of it by now is settled all the same.
    """
    settled = update(coverage_breaks).where(
        coverage_breaks.c.target == target, coverage_breaks.c.settled_at.is_(None)
    )
    return connection.execute(settled.values(settled_at=at)).rowcount


def _breaks(connection: Connection, query: Select[Any], target: str) -> tuple[CoverageBreak, ...]:
    return tuple(
        CoverageBreak(row[0], BreakKind(row[1]), *row[2:])
        for row in connection.execute(query, {"target": target}).all()
    )


class Breaks(Repository):
    """The record of breaches."""

    def add_breaks(self, breaks: Iterable[CoverageBreak]) -> None:
        """Record breaches of coverage; the same (target, kind, about) is recorded once.

        One that a person has settled opens again only if it has happened again since. Of one
        that is open it is noted how far in the log it reaches: a person's word is about all that.
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

    def claims(self) -> Mapping[str, Claim]:
        """By target, what decisions took for true of the log."""
        with self._database.read() as connection:
            rows = connection.execute(select(claims)).all()
        return {row.target: Claim(row.decided_at, row.starts_before, row.position) for row in rows}

    def save_claim(self, target: str, claim: Claim) -> None:
        """Keep what the target's decisions have taken for true; ahead of what is done for it."""
        row = {
            "target": target,
            "decided_at": claim.decided_at,
            "starts_before": claim.starts_before,
            "position": claim.position,
        }
        with self._database.write() as connection:
            upsert(connection, claims, [row], replace=("decided_at", "starts_before", "position"))

    def forget_places(self) -> None:
        """Let nothing that was settled or decided bear on another log; its places are its own."""
        with self._database.write() as connection:
            connection.execute(update(coverage_breaks).values(position=0))
            connection.execute(delete(claims))


def _add(connection: Connection, target: str, breaks: dict[_Key, CoverageBreak]) -> None:
    known = _known(connection, target, [about for _, about in breaks])
    room = MOST_OPEN - _count_open(connection, target)
    fresh = [each for key, each in breaks.items() if _opens(each, known.get(key))]
    longer = [each for key, each in breaks.items() if _reaches_further(each, known.get(key))]
    rows = [
        {
            "target": target,
            "kind": each.kind,
            "about": each.about,
            "at": each.at,
            "detail": each.detail,
            "settled_at": None,
            "position": each.position,
        }
        for each in (*fresh[: max(room, 0)], *longer)
    ]
    upsert(connection, coverage_breaks, rows, replace=("at", "detail", "settled_at", "position"))


def _opens(found: CoverageBreak, known: _Known | None) -> bool:
    """True where it is a new breach, or one that came after a person's word."""
    if known is None:
        return True
    before, settled_at = known
    return settled_at is not None and found.at >= settled_at and not found.repeats(before)


def _reaches_further(found: CoverageBreak, known: _Known | None) -> bool:
    """True where the log has told more of what is open."""
    return known is not None and known[1] is None and found.position > known[0].position


def _known(connection: Connection, target: str, abouts: Sequence[str]) -> dict[_Key, _Known]:
    """Those of the target's breaks that are about these, each with when it was settled."""
    found: dict[_Key, _Known] = {}
    for some in slices(abouts):
        query = _BREAKS.add_columns(coverage_breaks.c.settled_at).where(
            coverage_breaks.c.about.in_(some)
        )
        for *row, settled_at in connection.execute(query, {"target": target}):
            each = CoverageBreak(row[0], BreakKind(row[1]), *row[2:])
            found[each.kind, each.about] = each, settled_at
    return found


def _count_open(connection: Connection, target: str) -> int:
    query = (
        select(func.count())
        .select_from(coverage_breaks)
        .where(coverage_breaks.c.target == target, coverage_breaks.c.settled_at.is_(None))
    )
    return connection.execute(query).scalar_one()
