"""Which process this is, mostly without asking the kernel: a fork may have made it another one."""

import mmap
import os
import sys

# Linux's MADV_WIPEONFORK, for which Python has no name.
_WIPED_IN_A_FORK = 18


def _marked() -> mmap.mmap | None:
    """A page that bears a mark here and none in a fork; None where the kernel has no such page."""
    if sys.platform != "linux":
        return None
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(_WIPED_IN_A_FORK)
    except (OSError, ValueError):
        return None
    page[0] = 1
    return page


_mark = _marked()
_pid = os.getpid()


def own_id() -> int:
    """The id of this process, also right after a fork of which nobody has told the interpreter."""
    if _mark is not None and _mark[0]:
        return _pid
    return _asked()


def _asked() -> int:
    global _pid  # noqa: PLW0603 - a fork has another one
    _pid = os.getpid()
    if _mark is not None:
        _mark[0] = 1
    return _pid
