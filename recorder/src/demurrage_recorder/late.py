"""An exchange whose answer is read when the application has long got it."""

import time
from collections.abc import Callable
from typing import Protocol

from demurrage_recorder.backlog import Answer
from demurrage_recorder.bodies import LONGEST_BODY, Decode
from demurrage_recorder.calls import Call
from demurrage_recorder.exchange import OK, Exchange, Head, Headers, streams
from demurrage_recorder.starts import Asks


class Followed(Protocol):
    """What follows an answer; none of its methods raises."""

    @property
    def reads_on(self) -> bool:
        """True while the answer's body is of interest."""

    def answered(
        self,
        status: int,
        headers: Headers,
        decoder: Callable[[Head], Decode],
        *,
        unread: float = 0.0,
    ) -> "Followed":
        """The head of the answer has come; gives what is to follow its body.

        It has waited for `unread` seconds at most.
        """

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


class Reading(Protocol):
    """What an answer that is no stream needs, now and once it is whole.

    Attributes:
        knows_clock: something has told of the clock.
    """

    knows_clock: bool

    def call_of(self, asks: Asks, begun: tuple[str, int]) -> Call:
        """Make what the log is told of a call that has begun."""

    def reader_of(self, call: Call, begun_at: float, *, direct: bool) -> Exchange:
        """Make what reads the answer to a call."""

    def read_later(self, answer: Answer) -> None:
        """Have an answer read soon."""

    def tell_clock(self, head: Head, at: float, unread: float) -> None:
        """Write down what an answer's `Date` says of the clock, if nothing did yet."""


class LateExchange:
    """Keeps an answer that is no stream as it comes, and has it read once it is whole.

    Until it is read the call counts as running: whatever it made is kept. Should the process die
    before that, nobody will ever know how it ended, which keeps it as well.

    Args:
        reading: sees to it that the answer is read.
        asks: what the request may bring about.
        begun: the call's name, and the id of the process that has begun it.
        asked_at: when the request was about to leave, in epoch seconds.
        direct: nothing lies between this process and the API.
    """

    # Made while its application waits, and kept until it is read: so it is kept small.
    __slots__ = (
        "_answer",
        "_asked_at",
        "_asks",
        "_begun",
        "_chunks",
        "_direct",
        "_done",
        "_made",
        "_reading",
        "_sent_at",
        "_unread",
        "begun_at",
        "size",
        "whole_at",
    )

    def __init__(
        self,
        reading: Reading,
        asks: Asks,
        begun: tuple[str, int],
        asked_at: float,
        *,
        direct: bool,
    ) -> None:
        self._reading = reading
        self._asks = asks
        self._begun = begun
        self._asked_at = asked_at
        self._direct = direct
        self._answer: tuple[int, Headers, Callable[[Head], Decode]] | None = None
        self._made: Call | None = None
        self._chunks: list[bytes] = []
        self._done = False
        self._sent_at: float | None = None
        self._unread = 0.0
        self.begun_at = 0.0
        self.size = 0
        self.whole_at: float | None = None

    @property
    def waits(self) -> bool:
        """True while nothing has come of it, and nothing tells when its request had left."""
        return not self._done and self._answer is None and self._sent_at is None

    def arrived(self, at: float) -> None:
        """The whole request has reached the API, by `at` in epoch seconds."""
        self._sent_at = at
        self._reading.call_of(self._asks, self._begun).arrived(at)

    @property
    def reads_on(self) -> bool:
        """True while the answer's body is of interest."""
        return not self._done

    def answered(
        self,
        status: int,
        headers: Headers,
        decoder: Callable[[Head], Decode],
        *,
        unread: float = 0.0,
    ) -> Followed:
        """The head of the answer has come; a stream and a refusal are read as they come."""
        if status not in OK or streams(headers):
            self._done = True
            return self._exchange().answered(status, headers, decoder, unread=unread)
        self._answer = status, headers, decoder
        self._unread = unread
        self.begun_at = time.time()
        if not self._reading.knows_clock:
            self._reading.tell_clock(Head(status, headers), self.begun_at, unread)
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
                self._reading.read_later(self)
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
        exchange, call = self._exchange(), self._call()
        call.moment = self.whole_at
        try:
            self._tell(exchange)
            exchange.end()
        finally:
            # Half read, as by an interrupt, its end is unknown.
            exchange.cut()
            call.moment = None

    def _exchange(self) -> Exchange:
        return self._reading.reader_of(self._call(), self._asked_at, direct=self._direct)

    def _call(self) -> Call:
        call = self._made
        if call is None:
            call = self._made = self._reading.call_of(self._asks, self._begun)
            call.sent_at = self._sent_at
        return call

    def _tell(self, exchange: Exchange) -> None:
        if self._answer is not None:
            (status, headers, decoder), self._answer = self._answer, None
            exchange.answered(status, headers, decoder, self.begun_at, unread=self._unread)
            for chunk in self._chunks:
                exchange.feed(chunk)
            self._chunks.clear()
