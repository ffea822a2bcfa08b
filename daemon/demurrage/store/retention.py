"""What may be forgotten, and when: never what concerns a living container."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Table, and_, delete, func, not_, or_, select, tuple_

from demurrage.model.finding import Answer
from demurrage.model.rules import RetentionRules
from demurrage.store.database import Repository
from demurrage.store.tables import (
    acts,
    containers,
    coverage_breaks,
    deletions,
    findings,
    holds,
    hourly_births,
    incidents,
    predictions,
    protections,
    settled_births,
    verdicts,
)

# A gone container bears on the living ones born around it: it may have taken the slot that
# could have made them (P4). No response runs for this long, in seconds. Containers that are
# gone are kept for at least as long, so that a row that is still listed counts as new no more.
NEIGHBOURHOOD = 86_400.0
_HOUR = 3600
# The rails look a week back.
_TALLY_HOURS = 8 * 24
# Rows that one transaction deletes at most, and transactions for each table in one call.
BATCH = 5_000
_BATCHES = 20

_live = containers.alias("live")
_later = findings.alias("later")


class Retention(Repository):
    """Keeps the store bounded."""

    def prune(self, now: float, retention: RetentionRules) -> Mapping[str, int]:
        """Forget what is over for longer than it is to be kept. Counts by table.

        Works in several short transactions, so that nobody waits long for a turn; what one
        call leaves, the next one takes. The running totals stay as they are.
        """
        done: dict[str, int] = {}
        for table, condition in _forgettable(now, retention):
            done[table.name] = 0
            for _ in range(_BATCHES):
                count = self._forget(table, condition)
                done[table.name] += count
                if count < BATCH:
                    break
        return done

    def _forget(self, table: Table, condition: ColumnElement[bool]) -> int:
        keys = list(table.primary_key)
        some = select(*keys).where(condition).limit(BATCH).correlate(None)
        with self._database.write() as connection:
            return connection.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount


def _forgettable(
    now: float, retention: RetentionRules
) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """Tables with the rows that may go; the order keeps references whole."""
    old = now - retention.verdicts
    ancient = now - max(retention.deletions, retention.verdicts)
    return (
        (
            deletions,
            and_(
                deletions.c.outcome.is_not(None),
                deletions.c.finished_at < ancient,
                not_(_alive(deletions)),
            ),
        ),
        (containers, _gone(now - max(retention.verdicts, NEIGHBOURHOOD))),
        (
            verdicts,
            and_(
                verdicts.c.decided_at < old,
                not_(_alive(verdicts)),
                not_(_names_verdict(containers)),
                not_(_names_verdict(deletions)),
            ),
        ),
        (predictions, and_(predictions.c.predicted_at < old, not_(_alive(predictions)))),
        (protections, and_(protections.c.until < old, not_(_alive(protections)))),
        (
            incidents,
            or_(
                incidents.c.resolved_at < old,
                and_(incidents.c.revision == 0, incidents.c.last_seen_at < old),
            ),
        ),
        (findings, and_(findings.c.at < old, _superseded())),
        (hourly_births, hourly_births.c.hour < now // _HOUR - _TALLY_HOURS),
        # The watch over orphans forgets sooner by itself, but for a target that is watched no more.
        (settled_births, settled_births.c.born_at < old),
        (holds, holds.c.lapsed_at < ancient),
        (acts, and_(acts.c.at < ancient, not_(_about_the_living()))),
        (coverage_breaks, coverage_breaks.c.settled_at < ancient),
    )


def _alive(table: Table) -> ColumnElement[bool]:
    """The row's container lives."""
    return (
        select(_live.c.container_id)
        .where(
            _live.c.target == table.c.target,
            _live.c.container_id == table.c.container_id,
            _live.c.alive,
        )
        .correlate(table)
        .exists()
    )


def _about_the_living() -> ColumnElement[bool]:
    """The act was done to a container that lives."""
    return (
        select(_live.c.container_id)
        .where(_live.c.target == acts.c.target, _live.c.container_id == acts.c.about, _live.c.alive)
        .correlate(acts)
        .exists()
    )


def _superseded() -> ColumnElement[bool]:
    """A later run has answered the same question clearly."""
    return (
        select(_later.c.id)
        .where(
            _later.c.target == findings.c.target,
            _later.c.question == findings.c.question,
            _later.c.id > findings.c.id,
            _later.c.answer != Answer.UNCLEAR.value,
        )
        .correlate(findings)
        .exists()
    )


def _gone(before: float) -> ColumnElement[bool]:
    """Containers gone for long that bear on no living one and await no outcome."""
    neighbour = (
        select(_live.c.container_id)
        .where(
            _live.c.target == containers.c.target,
            _live.c.alive,
            _live.c.created_at >= containers.c.created_at - NEIGHBOURHOOD,
            _live.c.created_at <= containers.c.created_at + NEIGHBOURHOOD,
        )
        .correlate(containers)
        .exists()
    )
    unfinished = (
        select(deletions.c.id)
        .where(
            deletions.c.target == containers.c.target,
            deletions.c.container_id == containers.c.container_id,
            deletions.c.outcome.is_(None),
        )
        .correlate(containers)
        .exists()
    )
    ended = func.coalesce(containers.c.gone_at, containers.c.deleted_at, containers.c.listed_at)
    return and_(not_(containers.c.alive), ended < before, not_(neighbour), not_(unfinished))


def _names_verdict(table: Table) -> ColumnElement[bool]:
    """Some row of the table points at the verdict."""
    return (
        select(table.c.verdict_id)
        .where(table.c.verdict_id == verdicts.c.id)
        .correlate(verdicts)
        .exists()
    )
