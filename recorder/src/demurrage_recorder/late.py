"""An exchange whose answer is read when the application has long got it."""

import time
from collections.abc import Callable
from typing import Protocol

from demurrage_recorder.backlog import Answer
from demurrage_recorder.bodies import LONGEST_BODY, Decode
from demurrage_recorder.calls import Call
from demurrage_recorder.exchange import OK, Exchange, Head


class Followed(Protocol):
    """What follows an answer; none of its methods raises."""

    @property
    def reads_on(self) -> bool:
        """True while the answer's body is of interest."""

    def answered(self, head: Head, decoder: Callable[[], Decode]) -> "Followed":
        """The head of the answer has come; gives what is to follow its body."""

    def failed(self, error: BaseException) -> None:
        """No answer came."""

    def feed(self, chunk: bytes) -> None:
        """A piece of the body is about to reach the application."""

    def end(self) -> None:
        """The body has come to its end."""

    def cut(self) -> None:
        """The body broke off, or the application turned away."""

    def give_up(self, error: Exception) -> None:
        """The recorder itself has failed."""


class LateExchange:
    """Keeps an answer that is no stream as it comes, and has it read once it is whole.

    Until it is read the call counts as running: whatever it made is kept. Should the process die
    before that, nobody will ever know how it ended, which keeps it as well.

    Args:
        exchange: makes what reads it.
        call: the attempt that it answers.
        read_later: has an answer read soon.
        tell_clock: writes down what the answer's `Date` says of the clock, if nothing did yet.
    """

    def __init__(
        self,
        exchange: Callable[[], Exchange],
        call: Call,
        read_later: Callable[[Answer], None],
        tell_clock: Callable[[str | None, float], None] | None = None,
    ) -> None:
        self.begun_at = 0.0
        self.whole_at: float | None = None
        self.size = 0
        self._exchange = exchange
        self._call = call
        self._read_later = read_later
        self._tell_clock = tell_clock
        self._answer: tuple[Head, Callable[[], Decode]] | None = None
        self._chunks: list[bytes] = []
        self._done = False

    @property
    def reads_on(self) -> bool:
        """True while the answer's body is of interest."""
        return not self._done

    def answered(self, head: Head, decoder: Callable[[], Decode]) -> Followed:
        """The head of the answer has come; a stream and a refusal are read as they come."""
        if head.status not in OK or head.streams:
            self._done = True
            return self._exchange().answered(head, decoder)
        self._answer = head, decoder
        self.begun_at = time.time()
        if self._tell_clock is not None:
            self._tell_clock(head.text(b"date"), self.begun_at)
        return self

    def failed(self, error: BaseException) -> None:
        """No answer came."""
        self._done = True
        self._exchange().failed(error)

    def feed(self, chunk: bytes) -> None:
        """Keep a piece of the body, as long as the whole can still be read."""
        self.size += len(chunk)
        if self.size <= LONGEST_BODY:
            self._chunks.append(chunk)

    def end(self) -> None:
        """Have the whole read."""
        if not self._done:
            self._done = True
            try:
                self._read_later(self)
            except Exception as error:  # noqa: BLE001 - the application is never disturbed
                self._exchange().give_up(error)

    def cut(self) -> None:
        """It broke off: read at once what came."""
        if not self._done:
            self._done = True
            exchange = self._exchange()
            self._tell(exchange)
            exchange.cut()

    def give_up(self, error: Exception) -> None:
        """The recorder itself has failed."""
        self._done = True
        self._exchange().give_up(error)

    def read(self) -> None:
        """Write down what it says, as of when it had come."""
        if self._answer is None:
            return
        self._call.moment = self.whole_at
        exchange = self._exchange()
        try:
            self._tell(exchange)
            exchange.end()
        finally:
            # Half read, as by an interrupt, its end is unknown.
            exchange.cut()
            self._call.moment = None

    def _tell(self, exchange: Exchange) -> None:
        if self._answer is not None:
            (head, decoder), self._answer = self._answer, None
            exchange.answered(head, decoder, self.begun_at)
            for chunk in self._chunks:
                exchange.feed(chunk)
            self._chunks.clear()
