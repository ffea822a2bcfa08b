"""One watched request and its answer. Whatever goes wrong in here stays in here."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from demurrage_recorder.bodies import Decode, EventBody, JsonBody, Listener
from demurrage_recorder.calls import Call
from demurrage_recorder.ids import LONGEST_ID, is_word
from demurrage_recorder.warn import warn_once

_TYPE = b"content-type"
_EVENTS = b"text/event-stream"
OK = range(200, 300)
_REFUSALS = range(400, 500)
_OUTAGES = 500
# A timeout, a conflict with another change, a client that went away: what runs behind such an
# answer may run on. The daemon takes a loss for what it is, and keeps.
_UNCERTAIN = frozenset({408, 409, 499})
# Raised before a single byte of the request left.
_NEVER_LEFT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})

Headers = Sequence[tuple[bytes, bytes]]
"""Names and values as they came."""


class Head(NamedTuple):
    """What an answer says before its body."""

    status: int
    headers: Headers

    def text(self, name: bytes) -> str | None:
        """The text of a header, by its name in lower case; None where there is none."""
        length = len(name)
        for each, value in self.headers:
            if len(each) == length and each.lower() == name:
                return value.decode("ascii", "replace")
        return None


def streams(headers: Headers) -> bool:
    """True when the body comes event by event."""
    length = len(_TYPE)
    for name, value in headers:
        if len(name) == length and name.lower() == _TYPE:
            return value.startswith(_EVENTS)
    return False


class Exchange:
    """Follows an answer and tells its listener, once, when nothing more will come.

    Args:
        listener: what the answer means.
        call: the attempt at a response that this is, if it is one.
        direct: nothing lies between this process and the API.
        observe_date: learns the clock's offset from the `Date` of an answer that is no outage.
        silent: what is answered with a good status is not read.
    """

    def __init__(
        self,
        listener: Listener,
        call: Call | None,
        *,
        direct: bool,
        observe_date: Callable[[str | None, float, float], None],
        silent: bool = False,
    ) -> None:
        self._listener = listener
        self._call = call
        self._direct = direct
        self._observe_date = observe_date
        self._silent = silent
        self._body: JsonBody | EventBody | None = None
        self._done = False

    @property
    def reads_on(self) -> bool:
        """True while the answer's body is of interest."""
        return self._body is not None and not self._done

    def answered(
        self,
        status: int,
        headers: Headers,
        decoder: Callable[[Head], Decode],
        at: float | None = None,
        *,
        unread: float = 0.0,
    ) -> "Exchange":
        """The head of the answer has come.

        Args:
            status: its HTTP status.
            headers: its headers.
            decoder: makes what turns the body's bytes, piece by piece, into text.
            at: when it was read, in epoch seconds; None means now.
            unread: for how many seconds at most it had waited by then.

        Returns:
            What is to follow the body.
        """
        try:
            moment = time.time() if at is None else at
            self._hear(Head(status, headers), decoder, moment, unread)
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            self.give_up(error)
        return self

    def failed(self, error: BaseException) -> None:
        """No answer came: the connection broke, time ran out, the task was cancelled."""
        try:
            if self._call is not None and self._direct and type(error).__name__ in _NEVER_LEFT:
                self._call.answered(None, time.time())
            self._over()
        except Exception as failure:  # noqa: BLE001 - the application is never disturbed
            self.give_up(failure)

    # Once for each piece of a body, so without any ado.
    def feed(self, chunk: bytes) -> None:
        """A piece of the body is about to reach the application."""
        body = self._body
        if body is not None and not self._done:
            try:
                body.feed(chunk)
            except Exception as error:  # noqa: BLE001 - the application is never disturbed
                self.give_up(error)

    def end(self) -> None:
        """The body has come to its end."""
        if not self._done:
            try:
                if self._body is not None:
                    self._body.end()
                self._over()
            except Exception as error:  # noqa: BLE001 - likewise
                self.give_up(error)

    def cut(self) -> None:
        """The body broke off, or the application turned away."""
        if not self._done:
            try:
                if self._body is not None:
                    self._body.cut()
                self._over()
            except Exception as error:  # noqa: BLE001 - likewise
                self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """The recorder itself has failed: say so once, and let the daemon keep what it may."""
        warn_once(
            "watching",
            f"{type(error).__name__} while watching a response; it counts as lost",
        )
        try:
            self._over()
        except Exception:  # noqa: BLE001 - then its start stands without an end, which keeps more
            self._done = True

    def _hear(
        self, head: Head, decoder: Callable[[Head], Decode], at: float, unread: float
    ) -> None:
        status, call = head.status, self._call
        # What finds nobody behind it answers so itself, by a clock of its own.
        if status < _OUTAGES:
            self._observe_date(head.text(b"date"), at, unread)
        if call is not None:
            request_id = head.text(b"x-request-id")
            call.answered(
                request_id if request_id and is_word(request_id, LONGEST_ID) else None,
                # The whole request was handed over before its answer was read.
                at if self._direct else None,
            )
        if status in OK:
            self._done = self._silent
            if not self._silent:
                kind = EventBody if streams(head.headers) else JsonBody
                self._body = kind(self._listener, decoder(head))
            return
        self._done = True
        if call is not None:
            if status in _REFUSALS and status not in _UNCERTAIN:
                call.refused(status)
            else:
                call.lost(status)

    def _over(self) -> None:
        if not self._done:
            self._done = True
            self._listener.over()
