"""The thread beside one source: it beats, mends, delivers, and looks after the dead."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from demurrage_recorder.delivery import Delivery
from demurrage_recorder.source import Source
from demurrage_recorder.warn import warn_once

# While the daemon takes nothing, beats would only fill the spool.
_BEAT_WHILE_BLOCKED = 60.0
# A start is delivered with those that begin in the same moment.
_GATHER = 0.02

Exclusively = Callable[[Callable[[], None]], None]
"""Runs a word when no other thread, nor this one further up, is at the source."""


class Keeper:
    """Keeps one source alive in the log.

    Args:
        source: whose.
        exclusively: how to touch the source.
        delivery: how its lines get to the log; None where somebody else reads the files.
        heartbeat: seconds between two heartbeats.
    """

    def __init__(
        self,
        source: Source,
        exclusively: Exclusively,
        delivery: Delivery | None,
        heartbeat: float,
    ) -> None:
        self.delivery = delivery
        self._source = source
        self._exclusively = exclusively
        self._heartbeat = heartbeat
        self._beaten_at = time.monotonic()
        # Reentrant, so that whatever interrupts a nudge may nudge again.
        self._words: SimpleQueue[bool] = SimpleQueue()
        self._nudged = False
        self._thread = threading.Thread(target=self._run, name="demurrage-recorder", daemon=True)

    def start(self) -> None:
        """Start the thread; where the interpreter starts none any more, whoever comes next does."""
        try:
            self._thread.start()
        except RuntimeError:
            self._nudged = True

    def nudge(self) -> None:
        """Say that there is something to deliver. Costs next to nothing."""
        if self._nudged or self.delivery is None or self.delivery.blocked:
            return
        self._nudged = True
        self._words.put(False)

    def stop(self, patience: float) -> None:
        """Deliver what is left, if the daemon takes it within `patience` seconds, and end."""
        if self.delivery is not None:
            self.delivery.hurried = True
        self._words.put(True)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(patience)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._wait()
            self._turn(stopping=stopping)
        self._end()

    def _wait(self) -> bool:
        """Wait for a nudge or the next thing due; True when it is time to stop."""
        due = self._beaten_at + self._beat_every()
        if self.delivery is not None:
            due = min(due, self.delivery.due_at)
        try:
            stopping = self._words.get(timeout=max(0.0, due - time.monotonic()))
            if not stopping:
                stopping = self._words.get(timeout=_GATHER)
        except Empty:
            stopping = False
        self._nudged = False
        return stopping

    def _turn(self, *, stopping: bool) -> None:
        try:
            self._work(stopping=stopping)
        except Exception as error:  # noqa: BLE001 - no failure may end the heartbeats
            warn_once(f"keeper {type(error).__name__}", f"{type(error).__name__} in its thread")

    def _work(self, *, stopping: bool) -> None:
        now = time.monotonic()
        journal = self._source.journal
        if not stopping and now - self._beaten_at >= self._beat_every():
            self._beaten_at = now
            self._exclusively(self._beat)
        if journal.unwritten:
            self._exclusively(journal.mend)
        if self.delivery is not None:
            self.delivery.run()

    def _beat(self) -> None:
        if not self._source.ended:
            self._source.beat()

    def _beat_every(self) -> float:
        if self.delivery is not None and self.delivery.blocked:
            return max(self._heartbeat, _BEAT_WHILE_BLOCKED)
        return self._heartbeat

    def _end(self) -> None:
        journal = self._source.journal
        whole = self.delivery is not None and self.delivery.delivered_all
        self._exclusively(journal.remove if whole else journal.let_go)
        if self.delivery is not None:
            self.delivery.close()
