"""The standing facts on a target: what the operator said, and what put it in doubt."""

from collections.abc import Callable, Collection
from math import inf
from typing import Any

from sqlalchemy import Column, Connection, Row, bindparam, delete, or_, select, union

from demurrage.model.facts import TargetFacts
from demurrage.model.plan import RESTORE_RAILS
from demurrage.model.verdict import VerdictKind
from demurrage.store.acts import record_act
from demurrage.store.breaks import open_breaks, settle_breaks, settled_breaks
from demurrage.store.database import Repository
from demurrage.store.dialect import upsert
from demurrage.store.identity import Restore, went_back
from demurrage.store.statuses import not_before_the_last_look
from demurrage.store.tables import (
    containers,
    coverage_breaks,
    holds,
    protections,
    retired_writers,
    targets,
    verdicts,
)

_PROVEN_KINDS = (VerdictKind.ORPHAN.value, VerdictKind.RELEASED.value)

# Asked for in every cycle: built once, since to build them takes longer than to execute them.
_STANDING = select(targets).where(targets.c.target == bindparam("target"))
_RETIRED = select(retired_writers.c.source, retired_writers.c.at)
_PROVEN = (
    select(containers.c.container_id, verdicts.c.proven_at)
    .join(verdicts, verdicts.c.id == containers.c.verdict_id)
    .where(
        containers.c.target == bindparam("target"),
        containers.c.alive,
        containers.c.verdict.in_(_PROVEN_KINDS),
        verdicts.c.proven_at.is_not(None),
    )
)
_ASKED = select(holds.c.id).where(
    holds.c.target == bindparam("target"),
    holds.c.lapsed_at.is_(None),
    holds.c.rail.in_(sorted(RESTORE_RAILS)),
)
_REMEMBERED = union(select(targets.c.target), select(containers.c.target))
_PROTECTED = select(protections.c.container_id).where(
    protections.c.target == bindparam("target"),
    or_(protections.c.until.is_(None), protections.c.until > bindparam("now")),
)


class Facts(Repository):
    """Coverage and windows; and, to read, all that stands between us and a delete."""

    _clock: Callable[[], float]
    _found: Restore | None

    def facts(self, target: str, now: float) -> TargetFacts:
        """The standing facts, protections with their `until` applied, holds for a restore, too."""
        asked = {"target": target}
        with self._database.read() as connection:
            row = connection.execute(_STANDING, asked).one_or_none()
            return TargetFacts(
                coverage_since=row.coverage_since if row else None,
                breaks=open_breaks(connection, target),
                settled=settled_breaks(connection, target),
                whole_life_windows=row is not None and row.whole_life_since is not None,
                distrust_before=(
                    inf if self._found is not None else _distrusted(connection, target, row)
                ),
                protected=_protected(connection, target, now),
                retired={row[0]: row[1] for row in connection.execute(_RETIRED).all()},
                proven={row[0]: row[1] for row in connection.execute(_PROVEN, asked).all()},
                confirmed_at=row.confirmed_at if row else None,
            )

    def targets(self) -> frozenset[str]:
        """Every target that something is remembered of, whether the settings have it or not."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_REMEMBERED).all())

    def protected(self, target: str, now: float) -> frozenset[str]:
        """The containers that a person protects at that moment."""
        with self._database.read() as connection:
            return _protected(connection, target, now)

    def declare_coverage(self, target: str, at: float) -> None:
        """The word is given; it counts from the first time since it was last taken back."""
        with self._database.write() as connection:
            if _standing(connection, target, targets.c.coverage_since) is None:
                _stand(connection, target, coverage_since=at)
                record_act(connection, at, "settings", "declare_complete", target=target)

    def withdraw_coverage(self, given: Collection[str]) -> None:
        """Take the word back, and the breaks with it, for all targets but those it is given for."""
        worded = select(targets.c.target).where(
            targets.c.coverage_since.is_not(None), targets.c.target.not_in(given)
        )
        with self._database.write() as connection:
            connection.execute(
                delete(coverage_breaks).where(coverage_breaks.c.target.not_in(given))
            )
            for target in sorted(connection.scalars(worded).all()):
                _stand(connection, target, coverage_since=None)
                record_act(connection, self._clock(), "settings", "declare_partial", target=target)

    def confirm_coverage(self, target: str, at: float, by: str) -> int:
        """A person confirms coverage again; returns how many breaks that settles.

        The word counts from the last look at the earliest: the person's clock may be behind.
        What it settles is what the log told by then, though its moment may lie ahead.
        Where nothing is broken nothing changes: what was proven since it was last given stays so.
        """
        with self._database.write() as connection:
            since = not_before_the_last_look(connection, target, at)
            settled = settle_breaks(connection, target, since)
            if settled:
                _stand(connection, target, confirmed_at=since)
            detail = f"{settled} breaks settled"
            record_act(connection, at, by, "confirm_coverage", target=target, detail=detail)
        return settled

    def note_late_births(self, target: str, at: float) -> None:
        """From now on the target uses whole-life windows."""
        with self._database.write() as connection:
            if _standing(connection, target, targets.c.whole_life_since) is None:
                _stand(connection, target, whole_life_since=at)

    def reset_windows(self, target: str, at: float, by: str) -> None:
        """A person takes whole-life windows back."""
        with self._database.write() as connection:
            _stand(connection, target, whole_life_since=None)
            record_act(connection, at, by, "reset_windows", target=target)


def distrust(connection: Connection, target: str, before: float) -> None:
    """Births before the moment are beyond proof; the latest such moment counts."""
    known = _standing(connection, target, targets.c.distrust_before)
    if known is None or before > known:
        _stand(connection, target, distrust_before=before)


def _distrusted(connection: Connection, target: str, row: Row[Any] | None) -> float | None:
    """Up to when births are beyond proof: for ever, while a person is asked for the moment.

    Or is yet to be asked, for a restore of which nobody has taken note.
    """
    asked = connection.execute(_ASKED, {"target": target}).first()
    if asked is not None or went_back(connection):
        return inf
    known: float | None = row.distrust_before if row else None
    return known


def _protected(connection: Connection, target: str, now: float) -> frozenset[str]:
    return frozenset(connection.scalars(_PROTECTED, {"target": target, "now": now}).all())


def _standing(connection: Connection, target: str, column: Column[float]) -> float | None:
    return connection.execute(select(column).where(targets.c.target == target)).scalar()


def _stand(connection: Connection, target: str, **facts: float | None) -> None:
    upsert(connection, targets, [{"target": target, **facts}], replace=facts)
