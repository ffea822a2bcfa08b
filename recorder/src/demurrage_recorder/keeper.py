"""The thread beside one source: it beats, mends, delivers, and looks after the dead."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from demurrage_recorder.backlog import Backlog
from demurrage_recorder.delivery import Delivery
from demurrage_recorder.sending import Sending
from demurrage_recorder.source import Source
from demurrage_recorder.warn import warn_once

# While the daemon takes nothing, beats would only fill the spool.
_BEAT_WHILE_BLOCKED = 60.0
# How often, in seconds, it looks for news while there are some: what begins in the same moment is
# delivered together.
_LOOK_EVERY = 0.05
# For how many seconds after the last news it looks on, rather than have the next one wake it.
_AWAKE_FOR = 2.0
# Seconds between two looks whether a turn of its thread is over.
_POLL = 0.005
# Seconds between two tries to start its thread, in a process that is at its limit.
_TRY_EVERY = 5.0

Exclusively = Callable[[Callable[[], None]], None]
"""Runs a word when no other thread, nor this one further up, is at the source."""


class Keeper:
    """Keeps one source alive in the log.

    Args:
        source: whose.
        exclusively: how to touch the source.
        delivery: how its lines get to the log; None where somebody else reads the files.
        heartbeat: seconds between two heartbeats.
        backlog: the answers that are to be read.
        sending: the requests that may have reached the API.

    Attributes:
        alive: its thread was started; where none could be, events try again.
        news: there may be something to read or to deliver.
        awake: it looks for news by itself; else it must be woken.
    """

    def __init__(
        self,
        source: Source,
        exclusively: Exclusively,
        delivery: Delivery | None,
        heartbeat: float,
        backlog: Backlog,
        *,
        sending: Sending,
    ) -> None:
        self.alive = False
        self._starting = threading.Lock()
        self.delivery = delivery
        if delivery is not None:
            delivery.between = self._beat_if_due
        self._source = source
        self._exclusively = exclusively
        self._heartbeat = heartbeat
        self._beaten_at = time.monotonic()
        # Reentrant, so that whatever interrupts a nudge may nudge again.
        self._words: SimpleQueue[bool] = SimpleQueue()
        self.news = False
        self.awake = False
        self._awake_until = 0.0
        self._backlog = backlog
        self._sending = sending
        self._thread: threading.Thread | None = None
        self._next_try = 0.0
        self._turns = 0

    def start(self) -> None:
        """Start the thread, unless it was; where none can be started now, an event tries again.

        Where the interpreter starts none any more, whoever comes next delivers.
        """
        # At the very end some interpreters take a thread, never run it and wait for it for ever.
        if sys.is_finalizing() or not self._starting.acquire(blocking=False):
            return
        try:
            if not self.alive:
                self._next_try = time.monotonic() + _TRY_EVERY
                # One that could not be started is taken for started by some interpreters.
                self._thread = threading.Thread(
                    target=self._run, name="demurrage-recorder", daemon=True
                )
                self._thread.start()
        except RuntimeError as error:
            if "shutdown" not in str(error):
                warn_once("thread", "no thread can be started; until one can nothing is delivered")
        finally:
            # Whatever interrupts a start, the thread may have begun.
            self.alive = self._thread is not None and self._thread.ident is not None
            self._starting.release()

    def nudge(self) -> None:
        """Say that there is something to read or to deliver. Costs next to nothing."""
        self.news = True
        if not self.awake:
            self.wake()

    def wake(self) -> None:
        """Wake its thread.

        That costs its waker more than all else, so the thread stays awake for a while.
        """
        if not self.alive and time.monotonic() >= self._next_try:
            self.start()
        if self.alive:
            self.awake = True
            self._words.put(False)

    def deliver(self, patience: float) -> None:
        """Have all that is noted delivered, and wait for that for `patience` seconds at most."""
        delivery, ends = self.delivery, time.monotonic() + patience
        # The turn that goes on may have begun before the last was noted.
        turns = self._turns + 2
        self.nudge()
        while (
            delivery is not None
            and self.alive
            and not delivery.blocked
            and self._turns < turns
            and time.monotonic() < ends
        ):
            time.sleep(_POLL)

    def stop(self, patience: float) -> None:
        """Deliver what is left, if the daemon takes it within `patience` seconds, and end."""
        if self.delivery is not None:
            self.delivery.hurried = True
        self.start()
        self._words.put(True)
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(patience)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._wait()
            self._turn(stopping=stopping)
        self._end()

    def _wait(self) -> bool:
        """Wait for news or the next thing due; True when it is time to stop."""
        stopping = False
        with suppress(Empty):
            if self.awake:
                stopping = self._words.get(timeout=_LOOK_EVERY)
            else:
                due = min(self._beaten_at + self._beat_every(), self._sending.due_at)
                if self.delivery is not None:
                    due = min(due, self.delivery.due_at)
                stopping = self._words.get(timeout=max(0.0, due - time.monotonic()))
                if not stopping:
                    stopping = self._words.get(timeout=_LOOK_EVERY)
        return stopping

    def _turn(self, *, stopping: bool) -> None:
        try:
            self._work(stopping=stopping)
        except Exception as error:  # noqa: BLE001 - no failure may end the heartbeats
            warn_once(f"keeper {type(error).__name__}", f"{type(error).__name__} in its thread")
        self._turns += 1

    def _work(self, *, stopping: bool) -> None:
        journal, delivery = self._source.journal, self.delivery
        self._backlog.read()
        self._sending.look()
        news = self._hear_news()
        beaten = not stopping and self._beat_if_due()
        if journal.unwritten:
            self._exclusively(journal.mend)
        wanted = news or beaten or stopping
        if delivery is not None and (wanted or time.monotonic() >= delivery.due_at):
            delivery.run()

    def _hear_news(self) -> bool:
        """True when there is something new to deliver; once there has been none, rest."""
        now = time.monotonic()
        if self.news:
            self.news = False
            self._awake_until = now + _AWAKE_FOR
            return True
        if now >= self._awake_until:
            self.awake = False
            # Whoever told of news in this very moment may have seen it awake.
            self.awake = self.news
        return False

    def _beat_if_due(self) -> bool:
        now = time.monotonic()
        if now - self._beaten_at < self._beat_every() and not self._source.clock_was_set:
            return False
        self._beaten_at = now
        self._backlog.read()
        self._exclusively(self._beat)
        return True

    def _beat(self) -> None:
        if not self._source.ended:
            self._source.journal.look()
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
