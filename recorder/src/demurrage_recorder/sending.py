"""Requests on their way: which of them have certainly reached the API, while the answer is awaited.

All is seen from the keeper's thread and nothing is changed. Of what cannot be known for certain
nothing is said: then the daemon waits for the answer, as it would anyway.
"""

import time
from collections import deque
from contextlib import suppress
from math import inf
from typing import Any, NamedTuple, Protocol
from weakref import ref

from demurrage_recorder.arrival import has_arrived
from demurrage_recorder.clock import stepped, zero

_LOOK_AFTER = 1.0
"""How many seconds a request is under way before it is looked at: most are answered by then."""

# One that is not there yet is looked at again after this part of the time that it has taken.
_AGAIN = 0.25
# Of so many new ones the oldest are looked at no more.
_MOST = 4096


class Awaited(Protocol):
    """A call whose answer is awaited."""

    @property
    def waits(self) -> bool:
        """True while nothing has come of it, and nothing tells when its request had left."""

    def arrived(self, at: float) -> None:
        """The whole request has reached the API, by `at` in epoch seconds."""


Sent = tuple[Awaited, ref[Any], Any, bool]
"""A request that is about to leave: its call, whose start is written; itself, as its HTTP library
has it; the library's pool of connections that it leaves by; and whether the application has vouched
for it that nothing lies between. If not, only an address that many share is taken for the API's."""


class _Waiting(NamedTuple):
    """One request; `since`: when it was first seen, on the monotonic clock; `zero`: the clock's."""

    call: Awaited
    request: ref[Any]
    pool: Any
    vouched: bool
    zero: float
    since: float
    due_at: float


class Sending:
    """Looks after the requests of one process that go straight to the API.

    A request is not kept alive.

    Attributes:
        fresh: where the application's threads add requests; all else is the keeper's.
        due_at: when it wants to look again, on the monotonic clock; +inf while nothing waits.
    """

    def __init__(self) -> None:
        self.due_at = inf
        self.fresh: deque[Sent] = deque(maxlen=_MOST)
        # The clock's `zero` at the last two looks: what is fresh at the next began after the first.
        self._zeros = deque([zero()], maxlen=2)
        self._waiting: list[_Waiting] = []

    def look(self) -> None:
        """Tell of each request that has arrived, and let go of those that are answered."""
        now = time.monotonic()
        before = self._zeros[0]
        self._zeros.append(zero())
        with suppress(IndexError):
            while True:
                fresh = self.fresh.popleft()
                if fresh[0].waits and fresh[1]() is not None:  # else it was answered meanwhile
                    self._waiting.append(_Waiting(*fresh, before, now, now + _LOOK_AFTER))
        found = (_followed(each, now) for each in self._waiting)
        self._waiting = [each for each in found if each is not None]
        self.due_at = min((each.due_at for each in self._waiting), default=inf)


def _followed(waiting: _Waiting, now: float) -> _Waiting | None:
    """The request as it goes on; None where nothing is left to be said of it."""
    request = waiting.request()
    if request is None or not waiting.call.waits:
        return None
    if now < waiting.due_at:
        return waiting
    try:
        # Asked last: while the call waits for its answer, no later attempt uses the same request.
        arrived = (
            has_arrived(request.stream, waiting.pool, anywhere=waiting.vouched)
            and waiting.call.waits
        )
    except Exception:  # noqa: BLE001 - then it cannot be known, and nothing is said
        return None
    if not arrived:
        return waiting._replace(due_at=now + max(_LOOK_AFTER, (now - waiting.since) * _AGAIN))
    # On a clock that was set since its start it would tell of another time than that.
    if not stepped(waiting.zero, zero()):
        waiting.call.arrived(time.time())
    return None
