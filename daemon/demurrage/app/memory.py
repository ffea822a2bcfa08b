"""Memory that the C library keeps to itself."""

import ctypes
from contextlib import suppress

# `mallopt(3)`: how many arenas threads are spread over.
_M_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Have threads share what they get memory from; to be called before there are any.

    glibc gives each thread an arena of its own, up to eight for each core, and what is freed in
    one is of no use to the others: the daemon's threads, which do SQL by turns, would come to
    hold tens of megabytes that nobody uses. Where the C library is another, nothing happens.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what is freed: the C library keeps it, in pieces between what is held.

    A large heap takes it a moment, and whoever gets or frees memory meanwhile waits. Where the C
    library is another, nothing happens.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
