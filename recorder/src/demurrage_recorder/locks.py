"""The lock that a source holds for its life, and whose loss proves its death."""

import errno
import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from demurrage_recorder.origin import doubt, origin_of

SUFFIX = ".lock"

# In place of where the file was made. Then a taker that does not know it leaves it alone as well.
_DISOWNED = "disowned"

# By descriptor: the process that opened it, and the file's name. A fork hands them down; unless
# the child closes them, its life would prolong the parent's.
_held: dict[int, tuple[int, str]] = {}


@dataclass(frozen=True)
class Lock:
    """A lock file that this process holds.

    Whoever can lock the file of another knows that its process is dead, unless there is a doubt:
    the file gets its name only once it is locked, and the kernel unlocks it in the very moment of
    death. The process itself raises one where its journal has a hole and the file stays.
    """

    path: Path
    descriptor: int

    @classmethod
    def make(cls, folder: Path, name: str, text: str, mode: int) -> "Lock":
        """Make and hold the lock file of a new source.

        Args:
            folder: where it lies.
            name: the source's uuid.
            text: what the file tells whoever finds it; no secrets.
            mode: its permissions.

        Raises:
            OSError: the folder takes no file, or its file system knows no locks.
        """
        unnamed = folder / f".{name}{SUFFIX}.new"
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW
        lock = cls(folder / f"{name}{SUFFIX}", os.open(unnamed, flags, mode))
        lock._hold()
        try:
            fcntl.flock(lock.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(lock.descriptor, f"{text}\n{origin_of(lock.descriptor)}\n".encode())
            unnamed.rename(lock.path)
        except BaseException:  # broken off, it would be in the way of the next attempt
            lock.let_go()
            with suppress(OSError):
                unnamed.unlink()
            raise
        return lock

    @classmethod
    def seize(cls, path: Path) -> "Lock | None":
        """Take the lock of a dead source; None if it lives, or another is at it already.

        Raises:
            OSError: whether it can be locked cannot be told.
        """
        # Network file systems lock by process: there this one would get its own lock again, and
        # lose it on closing the file.
        if (os.getpid(), path.name) in _held.values():
            return None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        lock = cls(path, descriptor)
        lock._hold()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have finished, and removed the file from under its name.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return lock
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            lock.let_go()
            raise
        lock.let_go()
        return None

    def _hold(self) -> None:
        _held[self.descriptor] = (os.getpid(), self.path.name)

    @property
    def text(self) -> str:
        """What the file was made to tell."""
        return self._lines()[0]

    @property
    def doubt(self) -> str | None:
        """Why having seized it proves no death; None if it does."""
        origin = self._lines()[1].rstrip()
        if origin == _DISOWNED:
            return "its process could not write down all that it had to tell"
        return doubt(self.descriptor, origin)

    def _lines(self) -> list[str]:
        text = os.pread(self.descriptor, 4096, 0).decode(errors="replace")
        return [*text.split("\n"), ""]

    def withdraw(self) -> None:
        """Remove the file, so that it proves no death; it stays held until it is let go."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def disown(self) -> None:
        """Have the file tell that its loss proves no death, also where it cannot be removed.

        Raises:
            OSError: the file cannot be written to either.
        """
        self._say_of_origin(_DISOWNED)

    def own(self) -> None:
        """Take back that it was disowned.

        Raises:
            OSError: the file cannot be written to.
        """
        self._say_of_origin(origin_of(self.descriptor))

    def _say_of_origin(self, said: str) -> None:
        # In the same place and at once, so that a full disk has room for it.
        before, _, line = os.pread(self.descriptor, 4096, 0).partition(b"\n")
        told = said.encode().ljust(len(line.rstrip(b"\n"))) + b"\n"
        if os.pwrite(self.descriptor, told, len(before) + 1) != len(told):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def let_go(self) -> None:
        """Unlock it; the file, if it still has its name, proves the source's death from now on."""
        _held.pop(self.descriptor, None)
        os.close(self.descriptor)


def close_inherited() -> None:
    """In a forked child: close what was inherited. The parent goes on holding its locks."""
    for descriptor, (opened_by, _) in list(_held.items()):
        if opened_by != os.getpid():
            del _held[descriptor]
            with suppress(OSError):
                os.close(descriptor)
