"""What the rest of the recorder talks to: `note` an event, and it will be known."""

import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from demurrage_recorder.backlog import Answer, Backlog, Told
from demurrage_recorder.carrier import Carrier
from demurrage_recorder.clock import Offset
from demurrage_recorder.delivery import Delivery
from demurrage_recorder.journal import SPOOL_BYTES, Journal
from demurrage_recorder.keeper import Keeper
from demurrage_recorder.locks import close_inherited
from demurrage_recorder.process import own_id
from demurrage_recorder.sending import Sending
from demurrage_recorder.source import Source
from demurrage_recorder.warn import warn_once
from demurrage_recorder.workers import at_end_of_worker

# Short beside the daemon's `writer_timeout`, and the events are few beside the responses.
_HEARTBEAT = 5.0
# How many seconds the end of an application may be delayed by a daemon that does not answer.
_PATIENCE = 2.0

WRITERS: "weakref.WeakSet[Writer]" = weakref.WeakSet()
"""All writers of this process."""

_inherited: list[Keeper | None] = []


class Writer:
    """Writes down what a process does, and sees to it that the daemon hears of it.

    Safe to use from any thread, from finalizers and signal handlers, and across forks: a child
    is a source of its own. A process that has noted nothing is no source.

    Args:
        folder: where the journal lies.
        connect: makes the carrier that delivers; None where the daemon reads the folder itself.
        label: the daemon's address without secrets, kept beside the journal.
        spool: bytes that may lie undelivered; past them events are dropped, and that is admitted.
        heartbeat: seconds between two heartbeats.
        may_end: False where the daemon would not believe that something has ended.
    """

    def __init__(
        self,
        folder: Path,
        connect: Callable[[], Carrier] | None,
        *,
        label: str,
        spool: int = SPOOL_BYTES,
        heartbeat: float = _HEARTBEAT,
        may_end: bool = True,
    ) -> None:
        self.may_end = may_end
        self.lock = threading.RLock()
        self._folder = folder
        self._connect = connect
        self._label = label
        self._spool = spool
        self._heartbeat = heartbeat
        self._pid = own_id()
        self._offset = Offset()
        self._backlog = Backlog(self._note_all)
        self.sending = Sending()
        self._source: Source | None = None
        self._keeper: Keeper | None = None
        self._words: deque[Callable[[], None]] = deque()
        self._at_it = False
        self._failed = 0
        WRITERS.add(self)

    def note(
        self, kind: str, target: str, data: dict[str, Any], *, at: float | None = None
    ) -> None:
        """Write an event down; it survives the death of the process when this returns.

        Never raises and never waits for a network.

        Args:
            kind: the event's type without its `demurrage.` prefix, such as `response.started`.
            target: the target that it is about, by its name in the daemon's settings.
            data: its data without `target`; None values are left out.
            at: when it happened, in epoch seconds; None means now.
        """
        try:
            if own_id() != self._pid:
                self.begin_anew()
            if self._backlog.hears((kind, target, data, at)):
                return
            self._exclusively(self._note, kind, target, data, at)
            keeper = self._keeper
            if keeper is not None:
                keeper.nudge()
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            self._fail(error, 1)

    def start(self, target: str, call_id: str, before: str, after: str, pid: int) -> float:
        """Write down the start of a call, as `note` would.

        Args:
            target: the target that it asks, by its name in the daemon's settings.
            call_id: the call's id.
            before: the event's data as JSON, `target` included, up to the call's id.
            after: the same from there on.
            pid: the id of this process.

        Returns:
            The moment that it is dated, in epoch seconds.
        """
        moment = None
        try:
            if pid != self._pid:
                self.begin_anew()
            # As `_exclusively` would, in fewer steps, since the application waits.
            with self.lock:
                source = self._source
                if source is None or self._at_it or self._failed:
                    self._exclusively(self._start, target, call_id, before, after)
                else:
                    try:
                        self._at_it = True
                        moment = source.start(target, call_id, before, after)
                        if self._words:
                            self._hear_words()
                    finally:
                        self._at_it = False
            keeper = self._keeper
            if keeper is not None:
                keeper.news = True
                if not keeper.awake:
                    keeper.wake()
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            self._fail(error, 1)
        return time.time() if moment is None else moment

    def read_later(self, answer: Answer) -> None:
        """Have an answer read beside the application, or at once where too much waits for that.

        It is read before the next `flush` or `close` returns, and no heartbeat passes it.
        """
        keeper = self._keeper
        if keeper is None or not keeper.alive or not self._backlog.put(answer):
            answer.read()
            return
        keeper.news = True
        if not keeper.awake:
            keeper.wake()
        if self._keeper is not keeper:  # it has ended meanwhile, and may not have seen this
            self.flush()

    def flush(self) -> None:
        """Write down what the answers that have come until now say."""
        with self.lock:
            within = self._at_it
        # From within a word, as in a finalizer, there is no waiting for who waits for that word.
        if not within:
            self._backlog.read(_PATIENCE)

    def observe_date(
        self, date_header: str | None, at: float | None = None, unread: float = 0.0
    ) -> None:
        """Learn the clock's offset from the `Date` header of an answer.

        Args:
            date_header: the header; None where the answer has none.
            at: when it was read, in epoch seconds; None means just now.
            unread: for how many seconds at most it had waited by then.
        """
        if date_header is not None:
            self._offset.observe(date_header, time.time() if at is None else at, unread)

    @property
    def knows_clock(self) -> bool:
        """True once anybody has told how far this machine's clock is ahead."""
        return self._offset.known

    def tell_clock(self, date_header: str | None, at: float, unread: float = 0.0) -> None:
        """Learn the clock's offset from a first answer, and write it down before returning.

        Who is killed before the answer itself is read, or a heartbeat is due, has told it as well.
        Never raises.

        Args:
            date_header: the answer's `Date`; None where it has none.
            at: when it was read, in epoch seconds.
            unread: for how many seconds at most it had waited by then.
        """
        try:
            self.observe_date(date_header, at, unread)
            if self.knows_clock:
                self._exclusively(self._beat)
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            self._fail(error, 0)

    def _beat(self) -> None:
        if self._source is not None:
            self._source.beat()

    def close(self) -> None:
        """Say goodbye, and deliver what is left if the daemon takes it within two seconds.

        What is left after that is delivered by whoever comes next. An event that is noted
        later begins a new source. Runs at exit by itself.
        """
        keeper = self._keeper
        if own_id() != self._pid or keeper is None:
            return
        patience_ends = time.monotonic() + _PATIENCE
        self.flush()
        if not self._offset.known:
            # A daemon's answer tells the time, and only the goodbye can tell the log of it yet.
            keeper.deliver(_PATIENCE / 2)
        self._exclusively(self._say_goodbye)
        keeper.stop(max(0.0, patience_ends - time.monotonic()))

    def begin_anew(self) -> None:
        """In a forked child: leave the parent's source alone; the next event begins another."""
        close_inherited()
        self._pid = own_id()
        self.lock = threading.RLock()
        self._words = deque()
        self._at_it = False
        self._failed = 0
        self.sending = Sending()
        self._backlog = Backlog(self._note_all)  # what waits is the parent's to tell
        if self._source is not None:
            self._source.journal.abandon()
        # Collecting the parent's connections could end them for the parent.
        _inherited.append(self._keeper)
        self._source = self._keeper = None

    def _exclusively(self, word: Callable[..., None], *about: Any) -> None:
        """Run a word alone; one that comes from within another's run is run after it."""
        with self.lock:
            if self._at_it:
                self._words.append(partial(word, *about))
                return
            try:
                self._at_it = True
                word(*about)
                self._hear_words()
            finally:
                self._at_it = False

    def _hear_words(self) -> None:
        while self._words:
            self._words.popleft()()

    def _note(self, kind: str, target: str, data: dict[str, Any], at: float | None) -> None:
        source = self._source or self._begin()
        source.note(kind, target, data, at)
        if self._failed:
            self._admit()

    def _start(self, target: str, call_id: str, before: str, after: str) -> None:
        (self._source or self._begin()).start(target, call_id, before, after)
        if self._failed:
            self._admit()

    def _note_all(self, told: Sequence[Told]) -> None:
        """Write down what answers told. Never raises."""
        try:
            if told:
                self._exclusively(self._gather, told)
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            self._fail(error, len(told))

    def _gather(self, told: Sequence[Told]) -> None:
        journal = (self._source or self._begin()).journal
        with journal.gathering():
            for each in told:
                self._try(*each)

    def _try(self, *told: Any) -> None:
        try:
            self._note(*told)
        except Exception as error:  # noqa: BLE001 - the others can be told all the same
            self._fail(error, 1)

    def _fail(self, error: Exception, count: int) -> None:
        warn_once(f"note {type(error).__name__}", f"{type(error).__name__} at an event")
        self._failed += count
        with suppress(Exception):
            self._exclusively(self._admit)

    def _admit(self) -> None:
        """Have the log know of events that an error has lost; else nobody would miss them."""
        if self._failed and self._source is not None:
            count, self._failed = self._failed, 0
            self._source.drop("an event met with an error", count)

    def _begin(self) -> Source:
        name = str(uuid.uuid4())
        journal = Journal(
            self._folder,
            name,
            spool=self._spool,
            note=self._label,
            shared=self._connect is None,
        )
        source = Source(name, journal, self._offset, self._backlog)
        delivery = None
        if self._connect is not None:
            carrier = self._connect()
            carrier.hear = self._offset.hear
            delivery = Delivery(carrier, source, self._exclusively, self._label)
        keeper = Keeper(
            source,
            self._exclusively,
            delivery,
            self._heartbeat,
            self._backlog,
            sending=self.sending,
        )
        keeper.start()
        self._source, self._keeper = source, keeper
        at_end_of_worker(self.close)
        return source

    def _say_goodbye(self) -> None:
        source, self._source, self._keeper = self._source, None, None
        if source is not None:
            source.beat(final=True)
