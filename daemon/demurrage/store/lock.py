"""One daemon to a store."""

from types import TracebackType
from typing import Protocol, Self

from demurrage.model.error import AlreadyRunningError, LockLostError
from demurrage.store.lock_file import FileLock
from demurrage.store.lock_session import SessionLock
from demurrage.store.place import Place


class Keeper(Protocol):
    """What keeps a second process out."""

    @property
    def held(self) -> bool:
        """False as soon as it may be lost. Asked right before each delete; never waits."""
        ...

    def acquire(self) -> None:
        """Take it."""
        ...

    def release(self) -> None:
        """Give it back; without it, nothing happens."""
        ...

    def holder(self) -> str | None:
        """Who holds it now, in words."""
        ...

    def prove(self) -> bool:
        """Make sure that it is held; True if it was lost meanwhile and could be taken again."""
        ...


class StoreLock:
    """The right to act on a store, held by one process at a time.

    Beside a SQLite file it is the kernel's, on a PostgreSQL server the session's of a
    connection that is kept for it alone; either dies with its holder, however that dies. Who
    holds it opens the store with it, so that the store knows when it is lost.
    """

    def __init__(self, url: str) -> None:
        """Name the store; nothing is locked yet.

        Raises:
            StoreUnusableError: `url` names no store.
        """
        place = Place.parse(url)
        path = place.beside(".lock")
        self._keeper: Keeper = SessionLock(place) if path is None else FileLock(path)
        self._ousted = False
        self._taken = False

    @property
    def taken(self) -> bool:
        """True from taking it to giving it back, be it lost in between."""
        return self._taken

    @property
    def held(self) -> bool:
        """False as soon as it may be lost. Asked right before each delete; never waits."""
        return self._keeper.held and not self._ousted

    @property
    def ousted(self) -> bool:
        """True once another process has taken the store over: this one has to end."""
        return self._ousted

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunningError: another process holds it; the message says which.
            StoreUnusableError: there can be no lock there.
            StoreAwayError: not now; waiting may help.
        """
        self._keeper.acquire()
        self._taken = True

    def release(self) -> None:
        """Give the lock back; without one, nothing happens."""
        self._taken = False
        self._keeper.release()

    def holder(self) -> str | None:
        """Who holds the lock now, in words; None for nobody. Changes nothing.

        Raises:
            StoreUnusableError: that cannot be found out.
        """
        return self._keeper.holder()

    def prove(self) -> bool:
        """Make sure that the lock is held; True if it was lost meanwhile and taken again.

        Whether anybody held it in between, the store knows.

        Raises:
            LockLostError: it is lost, or in doubt.
        """
        try:
            return self._keeper.prove()
        except AlreadyRunningError as error:
            self.oust()
            raise LockLostError(str(error)) from error

    def oust(self) -> None:
        """Another process has acted meanwhile: this one never again."""
        self._ousted = True

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
