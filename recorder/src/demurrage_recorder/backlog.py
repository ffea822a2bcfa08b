"""Answers that have come and are still to be read, so that no application waits for that."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from demurrage_recorder.warn import warn_once

MOST_WAITING = 1024
"""How many answers may wait."""

MOST_BYTES = 8 << 20
"""How many bytes of answers may wait, but for what came last."""


# All that an answer tells. What interrupts the reading, and tells anything else, is not to wait.
_HEARD = frozenset({"response.created", "response.output", "response.finished"})

Told = tuple[str, str, "dict[str, Any]", "float | None"]
"""An event: its kind, target and data, and when it happened if that is not now."""


class Answer(Protocol):
    """An answer that has come whole.

    Attributes:
        begun_at: a moment before it had come whole, in epoch seconds.
        whole_at: when it had; None until it waits, so that whoever finds nothing waiting may say
            that nothing had come by the moment before he looked.
        size: its bytes.
    """

    begun_at: float
    whole_at: float | None
    size: int

    def read(self) -> None:
        """Write down what it says. Called again only where the first time was broken off."""


class Backlog:
    """The answers of one process that wait to be read, in the order in which they came.

    `put` takes no lock: it may be called from anywhere, and nobody waits in it.

    Args:
        write: writes down what was told, all at once.
    """

    def __init__(self, write: Callable[[list[Told]], None]) -> None:
        self._write = write
        self._told: list[Told] = []
        self._reader: int | None = None
        self._waiting: deque[Answer] = deque()
        self._bytes = 0
        self._lock = threading.RLock()

    def put(self, answer: Answer) -> bool:
        """Have an answer read later; False where too much waits already."""
        if len(self._waiting) >= MOST_WAITING or self._bytes >= MOST_BYTES:
            return False
        # Two threads may get in each other's way here. It is put right whenever nothing waits,
        # and the bound on their number holds anyway.
        self._bytes += answer.size
        self._waiting.append(answer)
        answer.whole_at = time.time()
        return True

    def read(self, patience: float = -1) -> None:
        """Read what waits now.

        Args:
            patience: how many seconds to wait for another thread that is at it; negative means
                for as long as it takes.
        """
        if not self._waiting or not self._lock.acquire(timeout=patience):
            return
        try:
            if self._reader is None:  # else a signal's handler has interrupted this very call
                self._read()
        finally:
            self._lock.release()

    def hears(self, told: Told) -> bool:
        """Take what is told by an answer that is being read; False where none is, in this thread.

        To write is to let go of the interpreter, and to get it back from an application that is
        at work takes long, for both: so all that is read at a time is written at once.
        """
        if told[0] not in _HEARD or self._reader != threading.get_ident():
            return False
        self._told.append(told)
        return True

    def complete_through(self, now: float) -> float:
        """The moment before which nothing has come that is not written down, at most `now`."""
        return min([now, *(answer.begun_at for answer in self._waiting.copy())])

    def _read(self) -> None:
        answers = self._waiting.copy()
        try:
            self._reader = threading.get_ident()
            for answer in answers:
                _read(answer)
        finally:
            self._reader = None
            told, self._told = self._told, []
            self._write(told)
        # Only now: a heartbeat must not pass what is not written.
        for answer in answers:
            self._waiting.popleft()
            self._bytes -= answer.size
        if not self._waiting:
            self._bytes = 0


def _read(answer: Answer) -> None:
    try:
        answer.read()
    except Exception as error:  # noqa: BLE001 - the next one can be read all the same
        warn_once("reading", f"{type(error).__name__} at an answer; its call stays unfinished")
