"""Where a lock was made, so that one which can be taken elsewhere passes for no proof of a death.

That a lock is free proves a death only where being held would have shown: not on a copy of the
file, nor from another machine through a file system whose locks do not reach that far.
"""

import os
import sys
from pathlib import Path

# Whose locks are the kernel's own. On an overlay, a file that is written lies in the upper layer.
_LOCAL = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs", "xfs", "zfs"}
)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def origin_of(descriptor: int) -> str:
    """Names this very file, and this run of the kernel where it can be told."""
    return f"{os.fstat(descriptor).st_ino} {_boot()}"


def doubt(descriptor: int, origin: str) -> str | None:
    """Why a file that could be locked proves no death; None if it does.

    Args:
        descriptor: the lock file's.
        origin: what `origin_of` said of it when its process made it.
    """
    inode, _, boot = origin.partition(" ")
    if inode != str(os.fstat(descriptor).st_ino):
        return "it is a copy, whose process may live elsewhere"
    if sys.platform != "linux" or (boot and boot == _boot()):
        return None
    # The machine was booted since, or it is another one's.
    kind = file_system(descriptor)
    if kind in _LOCAL:
        return None
    return f"its process may live on another machine, as the folder is on {kind or 'no known disk'}"


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def file_system(descriptor: int) -> str | None:
    """The kind of file system that an opened file is on, None where it cannot be told."""
    try:
        info = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="utf-8", errors="replace")
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    mount = next((line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:")), "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[0] == mount and after:
            return after.split()[0]
    return None
