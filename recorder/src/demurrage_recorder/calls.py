"""One HTTP attempt at a response, from the word before it leaves to its end."""

import contextlib
from collections.abc import Callable, Collection
from typing import Any

from demurrage_recorder.process import own, own_id
from demurrage_recorder.telling import FINAL, response_id_of, status_of, times_of

Note = Callable[[str, "dict[str, Any]", "float | None"], None]
"""Writes an event down: its kind, its data, and when it happened if that is not now."""

_MOST_REMEMBERED = 20_000
_STATUSES = range(100, 600)


class Call:
    """What the log has been told of one attempt, so that it is told each thing once.

    A call belongs to the process that began it: what a fork inherited of it stays silent.

    Args:
        note: where its events go.
        directory: learns which response the call turned out to be.
        background: it may outlive its answer.
        begun: its name and the id of the process that has begun it, where it was begun before;
            None begins it.

    Attributes:
        began: an output item was seen.
        spreads: it makes containers as long as it runs, so nothing is told that would bound it.
        moment: when what is being read had come, in epoch seconds; None where it is read as it
            comes.
    """

    # As a call begins. It begins while its application waits, so nothing is made for it by then.
    response_id: str | None = None
    closed = False
    sent_at: float | None = None
    moment: float | None = None
    began = False
    spreads = False
    _status: str | None = None
    _lost = False
    _told: frozenset[str] = frozenset()
    _seen: frozenset[str] = frozenset()
    _request_id: str | None = None

    def __init__(
        self,
        note: Note,
        directory: "Directory",
        *,
        background: bool,
        begun: tuple[str, int] | None = None,
    ) -> None:
        if begun is None:
            me = own()
            begun = f"{me.before}{next(me.numbers)}", me.pid
        self.id, self._pid = begun
        self.background = background
        self._note = note
        self._directory = directory

    def started(self, data: dict[str, Any]) -> None:
        """The request is about to leave."""
        data["call_id"] = self.id
        self._note("response.started", data, None)

    @property
    def waits(self) -> bool:
        """True while nothing has come of it, and nothing tells when its request had left."""
        return self.sent_at is None and not self.closed and not self._lost

    def arrived(self, at: float) -> None:
        """The whole request has reached the API, by `at` in epoch seconds."""
        self.sent_at = at
        self._tell("response.sent", {"sent_at": at})

    def answered(self, request_id: str | None, sent_at: float | None) -> None:
        """The answer's head has come.

        Args:
            request_id: what the provider calls the request.
            sent_at: a moment by which the last byte had certainly left, in epoch seconds.
        """
        self._request_id = request_id
        if self.sent_at is None:
            self.sent_at = sent_at

    def alive(self, response: dict[str, Any], ids: Collection[str], asked_at: float | None) -> None:
        """The response has an id and runs, or waits; told when that is news.

        Args:
            response: the response as the provider shows it.
            ids: the containers that it names.
            asked_at: when it was asked for; by the time the answer came it may have begun. None
                where it was so at some moment before: that it waited then proves nothing.
        """
        if self.closed:
            return
        self._identify(response)
        self._seen = self._seen.union(ids)
        status = status_of(response)
        if self._status not in (None, "queued") or (status == "queued" and asked_at is None):
            self._mention()
            return
        self._status = status or "in_progress"
        told = {"status": status, **times_of(response), "completed_at": None}
        if self.spreads and status != "queued":
            del told["status"]
        self._created(told, at=asked_at if status == "queued" else None)

    def passing(self, ids: Collection[str], *, output: bool) -> None:
        """Container ids have passed by; `output`: in or after the first output item.

        What came before that item may be an echo of the request, and proves no container's use.
        """
        self._seen = self._seen.union(ids)
        if output and not self.began and not self.spreads:
            self.began = True
            self._told = self._told.union(ids)
            self._tell(
                "response.output", {"response_id": self.response_id, "containers": sorted(ids)}
            )
        self._mention()

    def ended(self, response: dict[str, Any], status: str, ids: Collection[str]) -> None:
        """The provider says how it ended."""
        if self.response_id is None:
            self.response_id = response_id_of(response)
        self._seen = self._seen.union(ids)
        self._finish(status, times_of(response))

    def copied(self, conversation: str) -> None:
        """It was no response: items were written into this conversation, and that is done."""
        self._finish("completed", {"conversation": conversation})

    def ended_unread(self, status: str) -> None:
        """The provider says how it ended, in an event too long to be read."""
        self._finish(status, {})

    def refused(self, http_status: int) -> None:
        """The provider will not run it."""
        self._finish("refused", {"http_status": http_status})

    def lost(self, http_status: int | None = None) -> None:
        """Nobody knows how it ended, unless a later look tells."""
        if not self.closed and not self._lost:
            self._lost = True
            # A gateway may answer with a number that is none; the log takes no such event.
            known = {"http_status": http_status} if http_status in _STATUSES else {}
            self._tell("response.finished", self._end("lost", known))

    @property
    def ours(self) -> bool:
        """True in the process that began the call, False in a fork of it."""
        return self._pid == own_id()

    def _identify(self, response: dict[str, Any]) -> None:
        found = response_id_of(response)
        if found is not None and self.response_id is None:
            self.response_id = found
            self._directory.remember(found, self)

    def _mention(self) -> None:
        """Have the log know of a reference before the application can use it."""
        if self.response_id is not None and not self._seen <= self._told:
            self._created({})

    def _created(self, data: dict[str, Any], *, at: float | None = None) -> None:
        fresh = sorted(self._seen - self._told)
        self._told |= self._seen
        told = {"response_id": self.response_id, "sent_at": self.sent_at, "containers": fresh}
        self._tell("response.created", {**told, "request_id": self._request_id, **data}, at=at)

    def _finish(self, status: str, data: dict[str, Any]) -> None:
        if self.closed:
            return
        self.closed = True
        if self.response_id is not None:
            self._directory.remember(self.response_id, None)
        self._tell("response.finished", self._end(status, data))

    def _end(self, status: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "status": status,
            "response_id": self.response_id,
            "sent_at": self.sent_at,
            "request_id": self._request_id,
            "containers": sorted(self._seen),
            **data,
        }

    def _tell(self, kind: str, data: dict[str, Any], *, at: float | None = None) -> None:
        if self._pid == own_id():
            data["call_id"] = self.id
            self._note(kind, data, self.moment if at is None else at)


class Directory:
    """Which call a response was, for the looks that follow it; the latest are remembered.

    Without a lock, which a fork could inherit locked: each step on the dictionary is atomic.
    """

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._calls: dict[str, Call | None] = {}

    def remember(self, response_id: str, call: Call | None) -> None:
        """Remember a call of this process, or (None) that all is said of the response here."""
        self._calls[response_id] = call
        if len(self._calls) > self._most:
            # Another thread may strike out the same one, or change the dictionary meanwhile.
            with contextlib.suppress(KeyError, RuntimeError, StopIteration):
                del self._calls[next(iter(self._calls))]

    def call_of(self, response_id: str) -> Call | None:
        """The call that made the response, if this process did and it has not ended."""
        call = self._calls.get(response_id)
        return call if call is not None and call.ours else None

    def is_news(self, response_id: str) -> bool:
        """True when nothing has been logged of the response here."""
        call = self._calls.get(response_id)
        return response_id not in self._calls or (call is not None and not call.ours)


def follow(call: Call, response: dict[str, Any], ids: Collection[str], asked_at: float) -> bool:
    """Tell the log what a shown response says of its call; False when it says nothing."""
    status = status_of(response) if response_id_of(response) is not None else None
    if status is None:
        return False
    if status in FINAL:
        call.ended(response, status, ids)
    else:
        call.alive(response, ids, asked_at)
    return True
