"""One daemon to a SQLite store."""

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from demurrage.model.away import is_away
from demurrage.model.error import (
    AlreadyRunningError,
    LockLostError,
    StoreAwayError,
    StoreUnusableError,
)


class FileLock:
    """The lock of a store in a file.

    It is the kernel's lock on the file `<database>.lock`, so it dies with its holder, however
    that dies. The file's content only tells people who holds it. The file stays: removing it
    would let two processes hold locks on two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: int | None = None

    @property
    def held(self) -> bool:
        """True from taking it to giving it back."""
        return self._held is not None

    def prove(self) -> bool:
        """Make sure that it is held; False: it was all the time.

        Raises:
            LockLostError: it is not.
        """
        if not self.held:
            raise LockLostError("the store's lock was given back: nothing is written any more")
        return False

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunningError: another process holds it; the message names its pid.
            StoreUnusableError: the lock's file cannot be made.
            StoreAwayError: not now; waiting may help.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            kind = StoreAwayError if is_away(error) else StoreUnusableError
            raise kind(
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
        # It is for people only: a full disk is no reason to go without the lock.
        with suppress(OSError):
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


def _holder(file: int) -> str:
    """Who holds the lock, from what it wrote; it may just be about to."""
    try:
        note = json.loads(os.pread(file, 1024, 0))
        pid, since = int(note["pid"]), float(note["started_at"])
    except (ValueError, KeyError, TypeError):
        return "pid not known yet"
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    return f"pid {pid}, started {started}"
