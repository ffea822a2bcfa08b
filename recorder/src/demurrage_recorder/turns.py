"""For how long the head of an answer may have waited, unread, for a busy event loop."""

import sys
from collections import deque
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary

from demurrage_recorder.clock import steady

# Seconds between two ticks, while answers are awaited.
_TICK_EVERY = 0.1
# An answer is read in a few turns of its loop: the socket is found readable, each part that TLS
# or HTTP is read in wakes its task, and that runs on. All of these can be long. A turn has one
# tick at most, so that the first of so many ticks was before the last look that has found nothing.
_TICKS = 8


class _Turns:
    """Notes when one event loop turns, as long as answers are awaited in it.

    It keeps no loop from ending, and none of a request's context alive.
    """

    def __init__(self) -> None:
        self.awaited = 0
        self._ticks: deque[float] = deque(maxlen=_TICKS)
        self._ticking = False
        self._context = Context()

    def begin(self, loop: Any) -> None:
        """An answer is awaited in this loop, which runs."""
        if not self._ticking:
            self._wait(loop)
        self.awaited += 1

    def looked_at(self) -> float | None:
        """A moment on the steady clock, before the loop last looked and had nothing to read.

        None where it has not turned often enough since anybody has awaited an answer in it.
        """
        return self._ticks[0] if len(self._ticks) == _TICKS else None

    def _wait(self, loop: Any) -> None:
        loop.call_later(_TICK_EVERY, self._tick, loop, context=self._context)
        self._ticking = True

    def _tick(self, loop: Any) -> None:
        self._ticks.append(steady())
        self._ticking = False
        if self.awaited:
            try:
                self._wait(loop)
            except Exception:  # noqa: BLE001 - without ticks answers tell less, and nothing wrong
                self._ticks.clear()


# Without the loops themselves, which would then never be forgotten.
_known: "WeakKeyDictionary[Any, _Turns]" = WeakKeyDictionary()


def _turns() -> _Turns | None:
    """Those of the loop that runs in this thread, begun; None where it is none of asyncio's."""
    # What an application has not imported runs no loop.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        loop = asyncio._get_running_loop()  # noqa: SLF001 - the public one raises where none runs
        if loop is None:
            return None
        turns = _known.get(loop)
        if turns is None:
            turns = _known.setdefault(loop, _Turns())
        turns.begin(loop)
    except Exception:  # noqa: BLE001 - the application is never disturbed
        return None
    return turns


class Unread:
    """How long an answer may wait unread: made when its request is about to leave."""

    __slots__ = ("_asked_at", "_turns")

    def __init__(self) -> None:
        self._turns = _turns()
        self._asked_at = steady()

    def end(self) -> float:
        """The answer is awaited no longer; called once.

        Returns:
            For how many seconds at most its head has waited, where one has come: no longer than
            since the request has left, and, in a loop of asyncio's, since that last looked.
        """
        since, turns = self._asked_at, self._turns
        if turns is not None:
            turns.awaited -= 1
            since = max(since, turns.looked_at() or since)
        return steady() - since
