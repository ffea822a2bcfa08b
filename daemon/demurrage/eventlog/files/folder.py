"""The shared folder: what lies in it, opened without following or waiting for anything."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demurrage.eventlog.files.naming import counts, latest_journals, lock_of, printable
from demurrage.model.error import LogUnreadableError


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file that holds events, as it was when the folder was looked at.

    `identity`: its device and inode. `changed` differs whenever its content may. `modified` is
    in epoch seconds.
    """

    identity: str
    name: str
    size: int
    modified: float
    changed: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the folder: files by identity, locks and latest journals by uuid."""

    files: dict[str, Found]
    locks: dict[str, str]
    latest: dict[str, int]


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The folder's descriptor.

    Raises:
        LogUnreadableError: it cannot be opened.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(folder, "", error) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def look(folder: Path, descriptor: int) -> Listing:
    """List what counts; links, pipes and devices do not, nor what goes meanwhile.

    Raises:
        LogUnreadableError: it cannot be listed.
    """
    files: dict[str, Found] = {}
    locks: dict[str, str] = {}
    try:
        names = os.listdir(descriptor)
    except OSError as error:
        raise unreadable(folder, "", error) from None
    for name in names:
        uuid = lock_of(name)
        if uuid is not None:
            locks[uuid] = name
        elif counts(name):
            found = _found(folder, descriptor, name)
            if found is not None:
                files[found.identity] = found
    return Listing(files, locks, latest_journals(each.name for each in files.values()))


def _found(folder: Path, descriptor: int, name: str) -> Found | None:
    try:
        seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(folder, name, error) from None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Found(
        identity_of(seen),
        name,
        seen.st_size,
        seen.st_mtime,
        (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns),
    )


def identity_of(seen: os.stat_result) -> str:
    """Device and inode."""
    return f"{seen.st_dev}:{seen.st_ino}"


@contextmanager
def file_opened(folder: Path, descriptor: int, found: Found) -> Iterator[int | None]:
    """The file's descriptor; None where the name is another's, or nobody's, by now.

    Raises:
        LogUnreadableError: it cannot be opened.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(found.name, flags, dir_fd=descriptor)
    except OSError as error:
        if _identity_now(descriptor, found.name) == found.identity:
            raise unreadable(folder, found.name, error) from None
        yield None
        return
    try:
        yield file if identity_of(os.fstat(file)) == found.identity else None
    except OSError as error:
        raise unreadable(folder, found.name, error) from None
    finally:
        os.close(file)


def remove(descriptor: int, found: Found) -> bool:
    """Remove a file; False where that is not allowed, or the name is another's by now."""
    try:
        if _identity_now(descriptor, found.name) != found.identity:
            return False
        os.unlink(found.name, dir_fd=descriptor)
    except OSError:
        return False
    return True


def _identity_now(descriptor: int, name: str) -> str | None:
    try:
        return identity_of(os.stat(name, dir_fd=descriptor, follow_symlinks=False))
    except OSError:
        return None


def unreadable(folder: Path, name: str, error: OSError) -> LogUnreadableError:
    """What is said of trouble with the folder or a file in it."""
    where = printable(str(folder / name) if name else str(folder))
    reason = (error.strerror or "unreadable").lower()
    return LogUnreadableError(f"the event files: {where} cannot be read: {reason}")
