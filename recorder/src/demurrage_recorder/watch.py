"""Which requests concern the daemon, and the first word about each before it leaves."""

import json
import re
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import ref

from demurrage_recorder.asking import copied_by, unreadable
from demurrage_recorder.backlog import Answer
from demurrage_recorder.bodies import Listener
from demurrage_recorder.calls import Call, Directory
from demurrage_recorder.exchange import Exchange, Head
from demurrage_recorder.keys import borne_by
from demurrage_recorder.late import Followed, LateExchange
from demurrage_recorder.listeners import Copying, Founding, Looking, Making
from demurrage_recorder.process import own
from demurrage_recorder.sending import Sent
from demurrage_recorder.starts import Asks, Starts, asked_by
from demurrage_recorder.warn import warn_once

_PLACES = re.compile(
    r"/(?:(?P<responses>responses)(?:/(?P<id>[^/]+)(?P<cancel>/cancel)?)?"
    r"|(?P<containers>containers)"
    r"|(?P<batches>batches)"
    r"|(?P<conversations>conversations)(?:/(?P<into>[^/]+)/items)?"
    r"|(?P<live>live/sessions(?:/[^/]+/(?:accept|fork|attach))?|realtime/calls(?:/[^/]+/accept)?)"
    r"|(?P<agents>agents/sessions|agents/automations(?:/[^/]+(?:/(?:invocations|resume))?)?)"
    r"|(?P<evals>evals/[^/]+/runs)"
    r"|(?P<chats>chatkit/sessions)"
    r"|(?P<threads>threads/(?:[^/]+/)?runs)"
    r")/?$"
)
# Below `/responses/`, but no id.
_NO_IDS = frozenset({"compact", "input_tokens"})
# What makes containers at the API's side, by the name of its place.
_UNWATCHED = {
    "batches": "a batch of responses",
    "live": "a live session",
    "agents": "an agent session",
    "evals": "an evaluation's run",
    "chats": "a ChatKit session",
    "threads": "a run of a thread",
}
# Those whose request shows the tools.
_SHOWING = frozenset({"evals"})
_MAKERS = (b"code_interpreter", b"shell")


class Caring(Protocol):
    """What looks after requests that go straight to the API."""

    @property
    def fresh(self) -> deque[Sent]:
        """To be added to: requests that are about to leave."""


class Writing(Protocol):
    """What writes events down."""

    @property
    def sending(self) -> Caring:
        """What looks after the requests that are under way."""

    def note(
        self, kind: str, target: str, data: dict[str, Any], *, at: float | None = None
    ) -> None:
        """Write an event down before returning."""

    def start(self, target: str, call_id: str, before: str, after: str, pid: int) -> float:
        """Write down the start of a call before returning when that was.

        Its data is JSON before and after its id; `pid` is the id of this process.
        """

    def read_later(self, answer: Answer) -> None:
        """Have an answer read soon, and by the time of the next `flush`."""

    def flush(self) -> None:
        """Have all answers read that have come until now."""

    def observe_date(self, date_header: str | None, at: float, unread: float) -> None:
        """Learn from an answer's `Date`, when it was read, and how long it had waited at most."""

    @property
    def knows_clock(self) -> bool:
        """True once a `Date` has told of the clock."""

    def tell_clock(self, date_header: str | None, at: float, unread: float) -> None:
        """Learn from a first answer's `Date`, and write it down before returning."""


class Asked(Protocol):
    """A request as it is about to leave."""

    @property
    def method(self) -> str:
        """The HTTP method in capitals."""

    @property
    def content(self) -> bytes:
        """Its body; raises where that is a stream."""

    @property
    def headers(self) -> Any:
        """Its headers; `raw` has their names and values as they leave."""


class Watch:
    """Logs what an application asks of one target.

    Args:
        writer: where events go.
        target: the target's name in the daemon's settings.
        labels: what each start is labelled with.
        directory: the responses that this process knows; one for all its clients.
        unasked: the application has not asked for it itself.
    """

    def __init__(
        self,
        writer: Writing,
        target: str,
        labels: Mapping[str, str] | None = None,
        directory: Directory | None = None,
        *,
        unasked: bool = False,
    ) -> None:
        self.writer = writer
        self.target = target
        self.unasked = unasked
        self._labels = dict(labels or {})
        self._directory = directory or Directory()
        self._starts = Starts(target, self._labels)
        self.knows_clock = False
        self.read_later = writer.read_later

    def note(self, kind: str, data: dict[str, Any], at: float | None = None) -> None:
        """Write an event about the target down."""
        self.writer.note(kind, self.target, data, at=at)

    def begin(
        self,
        request: Asked,
        path: str,
        pool: Any = None,
        *,
        direct: bool,
        vouched: bool = False,
    ) -> Followed | None:
        """Log that a request is about to leave; None when it does not concern the daemon.

        Args:
            request: the request.
            path: its URL's path.
            pool: the connections that it leaves by, where they are known.
            direct: it goes straight to the API.
            vouched: that it does is the application's own word.
        """
        try:
            found = _PLACES.search(path)
            if found is None:
                return None
            if request.method == "POST":
                return self._post(request, found, pool, direct=direct, vouched=vouched)
            if request.method == "GET" and found["id"] and not found["cancel"]:
                return self._looking(found["id"])
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            _warn(error)
        return None

    def making(
        self, request: Asked, pool: Any, *, direct: bool, vouched: bool
    ) -> LateExchange | None:
        """Log that a request for a response is about to leave; None where that has failed.

        Args:
            request: the request.
            pool: as for `begin`, and so are the others.
            direct: likewise.
            vouched: likewise.
        """
        try:
            try:
                body = request.content
            except Exception:  # noqa: BLE001 - each library has its own word for a body that streams
                body = None
            try:
                key = borne_by(request.headers.raw)
            except Exception:  # noqa: BLE001 - the request leaves all the same, so it is logged
                key = None
            asks = asked_by(body)
            text, makes, background, at_once, _ = asks
            direct = direct and at_once
            starts, writer, me = self._starts, self.writer, own()
            alike = starts.known.get((key, direct)) or starts.alike(key, direct=direct)
            name = f"{me.before}{next(me.numbers)}"
            asked_at = writer.start(self.target, name, alike, text, me.pid)
            late = LateExchange(self, asks, (name, me.pid), asked_at, direct=direct)
            if direct and pool is not None and makes and not background:
                writer.sending.fresh.append((late, ref(request), pool, vouched))
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            _warn(error)
            return None
        return late

    def unwatched(self, what: str, body: bytes | None = None) -> Call:
        """Log the use of something that makes containers out of the recorder's sight.

        Its end is never seen, so that the daemon keeps whatever it may have made until a
        person settles it.

        Args:
            what: its name, for the warning and the event's label.
            body: its request, which may name containers.
        """
        call = Call(self.note, self._directory, background=True)
        call.started({**unreadable(body or b""), "labels": {**self._labels, "unwatched": what}})
        warn_once(
            f"unwatched {what}",
            f"containers made through {what} cannot be seen; the daemon deletes nothing that may "
            f"stem from there until call {call.id} is settled (demurrage events append --finish)",
        )
        return call

    def _post(
        self, request: Asked, found: re.Match[str], pool: Any, *, direct: bool, vouched: bool
    ) -> Followed | None:
        response_id = found["id"]
        if response_id is not None:
            return self._looking(response_id) if found["cancel"] else None
        if found["responses"]:
            return self.making(request, pool, direct=direct, vouched=vouched)
        if found["containers"]:
            # The answer with its id may be lost; this alone tells then that there may be one.
            self.note("container.requested", {})
            return self._exchange(Founding(self.note), None)
        if found["conversations"]:
            return self._copying(request, found["into"])
        return self._out_of_sight(next(each for each in _UNWATCHED if found[each]), request)

    def _out_of_sight(self, place: str, request: Asked) -> Followed | None:
        body = _body(request)
        if place == "batches" and not _is_for_responses(body):
            return None
        if place in _SHOWING and body is not None and not any(each in body for each in _MAKERS):
            return None
        call = self.unwatched(_UNWATCHED[place], body)
        return self._exchange(Making(call, time.time()), call, silent=True)

    def _copying(self, request: Asked, conversation: str | None) -> Followed | None:
        data = copied_by(_body(request))
        if data is None:
            return None
        call = Call(self.note, self._directory, background=False)
        call.started({**data, "conversation": conversation})
        return self._exchange(Copying(call, conversation), call)

    def call_of(self, asks: Asks, begun: tuple[str, int]) -> Call:
        """Make what the log is told of a call that has begun."""
        call = Call(self.note, self._directory, background=asks.background, begun=begun)
        call.spreads = asks.spreads
        return call

    def reader_of(self, call: Call, begun_at: float, *, direct: bool) -> Exchange:
        """What reads the answer to a request for a response."""
        return self._exchange(Making(call, begun_at), call, direct=direct)

    def tell_clock(self, head: Head, at: float, unread: float) -> None:
        """Write down what an answer's `Date` says of the clock, if nothing did yet."""
        if not self.writer.knows_clock:
            self.writer.tell_clock(head.text(b"date"), at, unread)
        self.knows_clock = self.writer.knows_clock

    def _looking(self, response_id: str) -> Followed | None:
        if response_id in _NO_IDS:
            return None
        # Its call may be one whose answer is still to be read.
        self.writer.flush()
        return self._exchange(Looking(self.note, self._directory, response_id, time.time()), None)

    def _exchange(
        self, listener: Listener, call: Call | None, *, direct: bool = False, silent: bool = False
    ) -> Exchange:
        return Exchange(
            listener,
            call,
            direct=direct,
            observe_date=self.writer.observe_date,
            silent=silent,
        )


def _warn(error: Exception) -> None:
    warn_once(
        "beginning",
        f"{type(error).__name__} before a request; it may be missing in the log",
    )


def _body(request: Asked) -> bytes | None:
    """The JSON that leaves, or None where the request does not show it."""
    try:
        return request.content
    except Exception:  # noqa: BLE001 - each library has its own word for a body that streams
        return None


def _is_for_responses(body: bytes | None) -> bool:
    if body is None:
        return True
    try:
        batch = json.loads(body)
    except ValueError:
        return True
    endpoint = batch.get("endpoint") if isinstance(batch, dict) else None
    return not isinstance(endpoint, str) or endpoint.endswith("/responses")
