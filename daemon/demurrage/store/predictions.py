"""Under partial coverage: what complete coverage would have said, and whether it was wrong."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, insert, select, update

from demurrage.model.verdict import VerdictKind
from demurrage.store.database import Repository, slices
from demurrage.store.tables import containers, predictions
from demurrage.store.totals import Ledger

# Only a verdict that lets a container go can be proven wrong by its later use.
_CLAIMS = frozenset({VerdictKind.ORPHAN, VerdictKind.RELEASED})


class Predictions(Repository):
    """The score by which an operator learns that the word "complete" may be given."""

    def predict(self, target: str, predictions_now: Mapping[str, VerdictKind], at: float) -> None:
        """Keep the first prediction of each container that would have let it go."""
        claims = {id_: kind for id_, kind in predictions_now.items() if kind in _CLAIMS}
        if not claims:
            return
        ledger = Ledger(target)
        with self._database.write() as connection:
            held = _held(connection, target, list(claims))
            fresh = {id_: kind for id_, kind in claims.items() if id_ not in held}
            if not fresh:
                return
            rows = [
                {"target": target, "container_id": id_, "kind": kind, "predicted_at": at}
                for id_, kind in fresh.items()
            ]
            connection.execute(insert(predictions), rows)
            _count(connection, target, list(fresh), "predicted", ledger)

    def refute(self, target: str, container_ids: Iterable[str], at: float) -> int:
        """Mark predictions proven wrong (named or used later); returns how many were new."""
        ids = list(dict.fromkeys(container_ids))
        if not ids:
            return 0
        ledger = Ledger(target)
        with self._database.write() as connection:
            wrong = [id_ for id_, refuted in _held(connection, target, ids).items() if not refuted]
            for some in slices(wrong):
                connection.execute(
                    update(predictions)
                    .where(predictions.c.target == target, predictions.c.container_id.in_(some))
                    .values(refuted_at=at)
                )
            _count(connection, target, wrong, "refuted", ledger)
        return len(wrong)


def _held(connection: Connection, target: str, ids: Sequence[str]) -> dict[str, bool]:
    """Those of the ids that bear a prediction, and whether it is refuted."""
    found: dict[str, bool] = {}
    for some in slices(ids):
        query = select(predictions.c.container_id, predictions.c.refuted_at).where(
            predictions.c.target == target, predictions.c.container_id.in_(some)
        )
        found.update((row[0], row[1] is not None) for row in connection.execute(query))
    return found


def _count(
    connection: Connection, target: str, ids: Sequence[str], figure: str, ledger: Ledger
) -> None:
    tiers: dict[str, str | None] = {}
    for some in slices(ids):
        query = select(containers.c.container_id, containers.c.tier).where(
            containers.c.target == target, containers.c.container_id.in_(some)
        )
        tiers.update((row[0], row[1]) for row in connection.execute(query))
    for id_ in ids:
        ledger.add(tiers.get(id_), figure)
    ledger.write(connection)
