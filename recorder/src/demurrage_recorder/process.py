"""Which process this is, mostly without asking the kernel: a fork may have made it another one."""

import mmap
import os
import sys
from itertools import count

# Linux's MADV_WIPEONFORK, for which Python has no name.
_WIPED_IN_A_FORK = 18
# What no kernel takes for advice.
_NO_ADVICE = -1


class Own:
    """What is this process's own.

    Attributes:
        pid: its id.
        before: what the names of its calls begin with, at random. JSON writes them as they are.
        numbers: what they end with. To count takes no lock, and less than to ask the kernel for
            random bytes each time.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.before = os.urandom(12).hex()
        # Of as many digits as most will ever need: what is counted in them is quickly written.
        self.numbers = count(10_000_000)


def own() -> Own:
    """What is this process's own, also after a fork of which nobody has told the interpreter."""
    if _mark is not None and _mark[0]:
        return _own
    return _asked()


def own_id() -> int:
    """The id of this process."""
    return own().pid


def _marked() -> mmap.mmap | None:
    """A page that bears a mark here and none in a fork; None where the kernel has no such page."""
    if sys.platform != "linux":
        return None
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(_WIPED_IN_A_FORK)
    except (OSError, ValueError):
        return None
    try:
        # Some that stand in for a kernel, such as emulators, take all advice and follow none.
        page.madvise(_NO_ADVICE)
    except OSError:
        page[0] = 1
        return page
    return None


def _asked() -> Own:
    global _own  # noqa: PLW0603 - a fork begins its own
    if _own.pid != os.getpid():
        _own = Own()
    if _mark is not None:
        _mark[0] = 1
    return _own


_mark = _marked()
_own = Own()
