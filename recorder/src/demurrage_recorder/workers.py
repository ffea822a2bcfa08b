"""The ends of processes that run no `atexit`."""

import sys
from collections.abc import Callable

# Finalizers of `multiprocessing` run by falling priority; those of applications are positive.
_AFTER_ALL_ELSE = -1000


def at_end_of_worker(word: Callable[[], None]) -> None:
    """Have a word run at the end of this process, if it is a worker of `multiprocessing`."""
    process, util = map(sys.modules.get, ("multiprocessing.process", "multiprocessing.util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, word, exitpriority=_AFTER_ALL_ELSE)
