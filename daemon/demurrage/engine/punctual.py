"""Noticing that the database hung.

A call to it may take minutes and then succeed, with a disk or a network behind it that stalls. The
event loop goes on meanwhile, but what applications have to tell hangs as well, and is still under
way when the daemon is answered first.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any


class Punctual:
    """Passes everything on to a store or a log, and says which calls took too long.

    Args:
        inner: the store, or the log.
        longest: seconds that a call may take.
        late: told of each that took longer, however it ended, in the thread that made it.
        clock: seconds from any origin; never steps.
    """

    def __init__(
        self,
        inner: Any,
        longest: float,
        late: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._longest = longest
        self._late = late
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        """What it has under that name; a method with a look at the clock around it."""
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        @wraps(found)
        def timed(*given: Any, **more: Any) -> Any:
            began = self._clock()
            try:
                return found(*given, **more)
            finally:
                if self._clock() - began > self._longest:
                    self._late()

        return timed
