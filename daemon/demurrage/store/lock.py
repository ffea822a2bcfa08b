"""One daemon to a store."""

import fcntl
import json
import os
import time
from types import TracebackType
from typing import Self

from demurrage.model.error import AlreadyRunningError, StoreUnusableError
from demurrage.store.place import Place


class StoreLock:
    """The right to act on a store, held by one process at a time.

    It is the kernel's lock on the file `<database>.lock`, so it dies with its holder, however
    that dies. The file's content only tells people who holds it. The file stays: removing it
    would let two processes hold locks on two files of the same name.
    """

    def __init__(self, url: str) -> None:
        """Name the store; nothing is locked yet.

        Raises:
            StoreUnusableError: `url` is no SQLite store.
        """
        path = Place.parse(url).beside(".lock")
        if path is None:
            raise StoreUnusableError(
                "database_url: a daemon's own state must be in SQLite in this version"
            )
        self.path = path
        self._held: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunningError: another process holds it; the message names its pid.
            StoreUnusableError: the lock's file cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreUnusableError(
                f"database_url: {self.path} cannot be written: {error.strerror}; "
                "point database_url at a folder that this user may write"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(file)
            os.close(file)
            raise AlreadyRunningError(
                f"another daemon runs on this store ({holder}); "
                "stop it first, or give this one another database_url"
            ) from error
        note = json.dumps({"pid": os.getpid(), "started_at": time.time()})
        os.ftruncate(file, 0)
        os.pwrite(file, note.encode(), 0)
        self._held = file

    def release(self) -> None:
        """Give the lock back; without one, nothing happens."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def holder(self) -> str | None:
        """Who holds the lock now, in words; None for nobody. Changes nothing.

        Raises:
            StoreUnusableError: the lock's file cannot be read.
        """
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnusableError(
                f"database_url: {self.path} cannot be read: {error.strerror}"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(file)
        finally:
            os.close(file)
        return None

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


def _holder(file: int) -> str:
    """Who holds the lock, from what it wrote; it may just be about to."""
    try:
        note = json.loads(os.pread(file, 1024, 0))
        pid, since = int(note["pid"]), float(note["started_at"])
    except (ValueError, KeyError, TypeError):
        return "pid not known yet"
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    return f"pid {pid}, started {started}"
