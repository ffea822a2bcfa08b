"""The right of one daemon to act, as the database itself knows it.

Each daemon that takes the store over moves the store's epoch on. A writing transaction compares
it, in the database, with the epoch of its own: whoever slept through a change of daemons, and
wakes up believing that it holds the lock, cannot write down the intent to delete any more.
"""

from collections.abc import Callable

from sqlalchemy import Connection, select, update

from demurrage.model.error import LockLostError
from demurrage.store.lock import StoreLock
from demurrage.store.tables import meta

_EPOCH = select(meta.c.epoch)
_OUSTED = "another daemon has taken the store over; this one acts no more, and has to end"


class Lease:
    """A daemon's hold of the store, from its opening on; the fence of its writes.

    Args:
        lock: held by this process.
        returned: called when the lock was lost with its connection and taken again, to see
            whether the store is still itself; it raises if not.
    """

    def __init__(self, lock: StoreLock, returned: Callable[[], None]) -> None:
        self._lock = lock
        self._returned = returned
        self._epoch: int | None = None
        self._look_again = False

    @property
    def held(self) -> bool:
        """False as soon as another may have the store; never waits."""
        return self._lock.held

    def begin(self, connection: Connection) -> None:
        """Begin an epoch, in the transaction that opens the store."""
        self._lock.prove()
        moved = update(meta).values(epoch=meta.c.epoch + 1).returning(meta.c.epoch)
        self._epoch = connection.execute(moved).scalar_one()

    def approach(self) -> None:
        """Make sure of the lock; one that was lost with its connection is taken again.

        Raises:
            LockLostError: it cannot be had.
        """
        if self._lock.ousted:
            raise LockLostError(_OUSTED)
        self._look_again |= self._lock.prove()
        if self._look_again:
            self._returned()
            self._look_again = False

    def pass_through(self, connection: Connection) -> None:
        """Let nothing be written in an epoch that is over.

        Raises:
            LockLostError: another daemon has begun one since.
        """
        epoch = connection.execute(_EPOCH).scalar_one()
        if epoch != self._epoch:
            self._lock.oust()
            raise LockLostError(_OUSTED)
