"""The whole store, put together from its parts."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from demurrage.store.acts import Acts
from demurrage.store.backup import Backup
from demurrage.store.breaks import Breaks
from demurrage.store.cases import Cases
from demurrage.store.database import Database
from demurrage.store.deletions import Deletions
from demurrage.store.deliveries import Deliveries
from demurrage.store.facts import Facts
from demurrage.store.findings import Findings
from demurrage.store.identity import Identity, Restore
from demurrage.store.incidents import Incidents
from demurrage.store.inventory import Inventory
from demurrage.store.lease import Lease
from demurrage.store.people import People
from demurrage.store.place import Place
from demurrage.store.predictions import Predictions
from demurrage.store.rails import Rails
from demurrage.store.retention import Retention
from demurrage.store.spikes import Spikes
from demurrage.store.stamp import StampFile
from demurrage.store.statuses import Statuses
from demurrage.store.totals import RunningTotals
from demurrage.store.verdicts import Verdicts


class SqlStore(
    Identity,
    Inventory,
    Verdicts,
    Deletions,
    Predictions,
    Facts,
    Breaks,
    People,
    Rails,
    Incidents,
    Deliveries,
    Statuses,
    Findings,
    RunningTotals,
    Spikes,
    Cases,
    Acts,
    Retention,
    Backup,
):
    """Durable state in a SQL database; the engine's port `Store`, and more for people.

    Every method is one transaction unless it says otherwise, may be called from any thread,
    and raises StoreFailedError when the database does. Get one from `open_store`.
    """

    def __init__(
        self,
        database: Database,
        place: Place,
        *,
        stamp: StampFile | None,
        found: Restore | None,
        clock: Callable[[], float],
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._place = place
        self._stamp = stamp
        self._found = found
        self._clock = clock
        self._lease = lease

    @property
    def held(self) -> bool:
        """False as soon as another process may act on the store; never waits.

        A store that was opened without a lock is nobody's to lose.
        """
        return self._lease is None or self._lease.held

    def keep(self) -> None:
        """Renew the proof that this process may act on the store, by asking.

        Raises:
            LockLostError: it may not, or nobody knows.
        """
        self._database.approach()

    @property
    def place(self) -> str:
        """Where the store is, in words for people; a password stays hidden."""
        return self._place.shown

    def close(self) -> None:
        """Close every connection. Calling it again does no harm."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
