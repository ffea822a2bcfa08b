"""What the lock of a process proves.

A recorder holds a kernel lock on `<uuid>.lock` as long as its process lives, whatever ends it.
That a lock is free proves a death only where being held would have shown. It would not on
network file systems, through the walls of a virtual machine, or on a copy of the folder; and
after a crash of the machine the last lines of a journal may be lost with its memory. So a lock
counts only if this very file was seen held before, by a process on this kernel, since it booted.
A process that could not write all that it had to tell removes the file, or says so in it.
"""

import fcntl
import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# Whose locks are the kernel's own. On an overlay, a file that is written lies in the upper layer.
LOCAL = frozenset(
    {
        "bcachefs",
        "btrfs",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "jfs",
        "overlay",
        "tmpfs",
        "xfs",
        "zfs",
    }
)
# Bytes of it that are read.
_LONGEST = 4096
# The second line of the file then, with blanks after it.
_DISOWNED = b"disowned"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Hold(StrEnum):
    """Whether a process holds a lock. UNKNOWN: it could not be tested, or tells nothing."""

    HELD = "held"
    FREE = "free"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tested:
    """One lock now. `identity` tells the file from any other of its name; `why`, if unknown."""

    hold: Hold
    identity: str = ""
    why: str = ""


def boot() -> str | None:
    """The name of this run of the kernel; None where it cannot be told."""
    try:
        return _BOOT.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def lock_fault(folder: int) -> str | None:
    """Why locks in an opened folder can prove nothing; None if they can."""
    kind = _file_system(folder)
    if kind is None or boot() is None:
        return "this system does not tell on what file system the folder is, or since when it runs"
    if kind not in LOCAL:
        return f"the folder is on {kind}, whose locks may not reach all processes"
    return None


def try_lock(folder: int, name: str) -> Tested:
    """Try a lock, never making the file and never keeping it from its process.

    A shared lock is asked for and given back at once. A process takes its own on a file that
    does not bear this name yet, so neither stands in the other's way.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        return _unknown(error)
    try:
        return _tried(folder, name, file)
    except OSError as error:
        return _unknown(error)
    finally:
        os.close(file)


def _tried(folder: int, name: str, file: int) -> Tested:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        return Tested(Hold.UNKNOWN, why="it is no regular file")
    identity = _identity(found)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Tested(Hold.HELD, identity)
    # What was tried must be what bears the name.
    if _identity(os.stat(name, dir_fd=folder, follow_symlinks=False)) != identity:
        return Tested(Hold.UNKNOWN, why="it was replaced just now")
    if _disowned(file):
        return Tested(Hold.UNKNOWN, why="its process could not write down all that it had to tell")
    return Tested(Hold.FREE, identity)


def _disowned(file: int) -> bool:
    lines = os.pread(file, _LONGEST, 0).splitlines()
    return len(lines) > 1 and lines[1].rstrip() == _DISOWNED


def _unknown(error: OSError) -> Tested:
    return Tested(Hold.UNKNOWN, why=(error.strerror or "unreadable").lower())


def _identity(found: os.stat_result) -> str:
    # The time of its last change is the file system's own word, which no copy takes along.
    return f"{found.st_dev}:{found.st_ino}:{found.st_ctime_ns}"


def _file_system(folder: int) -> str | None:
    """The kind of file system that an opened folder is on."""
    try:
        info = Path(f"/proc/self/fdinfo/{folder}").read_text(encoding="utf-8", errors="replace")
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    mount = next((line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:")), "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[0] == mount and after:
            return after.split()[0]
    return None
