"""The files that one source writes its events to, before anybody else hears of them."""

import errno
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path

from demurrage_recorder.locks import Lock
from demurrage_recorder.warn import warn_once

FILE_BYTES = 1 << 20
"""A file that has grown past this is followed by a new one."""

SPOOL_BYTES = 64 << 20
"""How many undelivered bytes of one process are kept before events are dropped."""

MOST_IN_MEMORY = 8 << 20
"""How many bytes wait in memory where the folder takes none."""

# How often, in seconds, a full spool is looked at again: its files may have been removed.
_RECOUNT_EVERY = 1.0

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def file_of(folder: Path, name: str, number: int) -> Path:
    """The path of a source's n-th file."""
    return folder / f"{name}.{number}.jsonl"


class Journal:
    """One source's lines, in files beside its lock, each line whole or not there.

    A line is in the kernel's hands when `append` returns: it survives the process, though not
    a crash of the machine. What the folder does not take waits in memory and is written when
    it takes lines again; meanwhile the lock file is withdrawn, or disowned where it cannot be,
    since a journal with a hole must not pass for whole when its process dies.

    The caller sees to it that only one thread at a time is in here.

    Args:
        folder: where the files lie.
        name: the source's uuid.
        spool: how many bytes may lie here undelivered.
        note: what the lock file tells whoever finds it.
        shared: other users may read the files, as far as the umask lets them.
    """

    def __init__(self, folder: Path, name: str, *, spool: int, note: str, shared: bool) -> None:
        self.folder = folder
        self.name = name
        self.unwritten: deque[bytes] = deque()
        self._spool = spool
        self._note = note
        self._mode = 0o666 if shared else 0o600
        self._lock: Lock | None = None
        self._lockless = False
        self._disowned = False
        self._first = 1
        self._number = 0
        self._descriptor: int | None = None
        self._size = 0
        self._spooled = 0
        self._in_memory = 0
        self._found_full_at = -inf
        self._gathered: list[bytes] | None = None

    @property
    def has_files(self) -> bool:
        """True once anything was written."""
        return self._number > 0

    def append(self, line: bytes, *, bounded: bool = False) -> bool:
        """Write a line down, in memory where the folder does not take it. Never raises OSError.

        Args:
            line: the line.
            bounded: only if it keeps the spool within its bounds.

        Returns:
            False where there was no room.
        """
        # First what mostly holds, since an application waits.
        full = self.unwritten or self._spooled + len(line) > self._spool
        if bounded and full and not self._has_room(len(line)):
            return False
        if self._gathered is not None:
            self._gathered.append(line)
        elif self.unwritten:
            self._keep(line)
        else:
            try:
                self._write(line)
            except OSError as error:
                self._fall_back(error)
                self._keep(line)
        return True

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Write the lines that are appended meanwhile at once, at the end of the outermost."""
        if self._gathered is not None:
            yield
            return
        self._gathered = []
        try:
            yield
        finally:
            lines, self._gathered = self._gathered, None
            try:
                if lines and not self.unwritten:
                    self._write(b"".join(lines))
                    lines = []
            except OSError as error:
                self._fall_back(error)
            for line in lines:
                self._keep(line)

    def mend(self) -> None:
        """Try again to write what waits in memory."""
        try:
            while self.unwritten:
                self._write(self.unwritten[0])
                self.forget_unwritten(1)
            self._make_lock()
        except OSError as error:
            self._fall_back(error)

    def look(self) -> None:
        """Notice a file that was removed from under its name: nobody reads what goes into it."""
        if self._descriptor is None:
            return
        path = file_of(self.folder, self.name, self._number)
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._descriptor), path.stat()):
                return
        self._fall_back(OSError(errno.ENOENT, os.strerror(errno.ENOENT)))

    def forget_unwritten(self, count: int) -> None:
        """Drop the first lines that wait in memory: they are written or delivered."""
        for _ in range(count):
            length = len(self.unwritten.popleft())
            self._in_memory -= length
            self._spooled -= length

    def let_go(self) -> None:
        """Stop writing and unlock: whoever comes next may take the files over."""
        self._shut()
        if self._lock is not None:
            self._lock.let_go()
            self._lock = None

    def remove(self) -> None:
        """Stop writing, and remove the files and the lock."""
        self._shut()
        for number in range(self._first, self._number + 1):
            with suppress(OSError):
                file_of(self.folder, self.name, number).unlink()
        if self._lock is not None:
            with suppress(OSError):
                self._lock.withdraw()
        self.let_go()

    def abandon(self) -> None:
        """In a forked child: close the parent's file. Its lock was closed with all others."""
        self._shut()

    def _has_room(self, length: int) -> bool:
        """True when a line of this many bytes keeps the spool within its bounds."""
        if self.unwritten and self._in_memory + length > MOST_IN_MEMORY:
            return False
        if self._spooled + length <= self._spool:
            return True
        if time.monotonic() - self._found_full_at < _RECOUNT_EVERY:
            return False
        self._recount()
        if self._spooled + length <= self._spool:
            return True
        self._found_full_at = time.monotonic()
        return False

    def _keep(self, line: bytes) -> None:
        self.unwritten.append(line)
        self._in_memory += len(line)
        self._spooled += len(line)

    def _write(self, line: bytes) -> None:
        if self._descriptor is None or self._size > FILE_BYTES:
            self._open_next()
        descriptor = self._descriptor
        assert descriptor is not None  # noqa: S101 - for the type checker: it was just opened
        written = os.write(descriptor, line)
        if written != len(line):
            os.ftruncate(descriptor, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written
        self._spooled += written

    def _open_next(self) -> None:
        # With a hole, the lock would prove too much; without one, it comes before the first line.
        if not self.unwritten:
            self._make_lock()
        path = file_of(self.folder, self.name, self._number + 1)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags, self._mode)
        except FileExistsError:
            # Opened just before something broke this off, as a signal's handler may; it is empty.
            self._number += 1
            raise
        self._shut()
        self._number += 1
        self._descriptor = descriptor
        self._size = 0

    def _make_lock(self) -> None:
        if self._lock is not None:
            if self._disowned:
                with suppress(OSError):
                    self._lock.own()
                    self._disowned = False
            return
        if self._lockless:
            return
        try:
            self._lock = Lock.make(self.folder, self.name, self._note, self._mode)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            self._lockless = True
            warn_once(
                "locks",
                f"the file system of {self.folder} knows no locks: should this process be killed, "
                "a person must retire it (`demurrage writers retire`)",
            )

    def _shut(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _fall_back(self, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        warn_once(
            "folder",
            f"the folder {self.folder} takes no events ({reason}); they wait in memory, and are "
            "lost if the process is killed. Set DEMURRAGE_RECORDER_DIR to a writable folder.",
        )
        # A torn line may have stayed at the end: what follows goes to a new file.
        self._shut()
        if self._lock is not None:
            try:
                self._lock.withdraw()
            except OSError:
                # Held on, so that nobody takes the living for dead. Where it cannot be disowned
                # either, the next attempt to write tries both again.
                self._disowned = True
                with suppress(OSError):
                    self._lock.disown()
                return
            self._lock.let_go()
            self._lock = None

    def _recount(self) -> None:
        total = self._in_memory
        for number in range(self._first, self._number + 1):
            size = _size_of(file_of(self.folder, self.name, number))
            total += size or 0
            if size is None and number == self._first:
                self._first += 1
        self._spooled = total


def _size_of(path: Path) -> int | None:
    """In bytes; None where there is no such file any more."""
    try:
        return path.stat().st_size
    except OSError:
        return None
