"""Reads one response and its input items, for the containers that they name.

Like listing, this trusts no auto-paging: raw pages, capped, stopping on a repeated cursor. What
did not provably come whole is a failure by name, and the response stays unread.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from demurrage.model.condition import ConditionKind
from demurrage.model.listing import Failure
from demurrage.model.resolution import Resolution, ResolveOutcome, ResponseReading
from demurrage.provider.answer import Answer, BrokenJsonError, NotJsonError
from demurrage.provider.budget import Priority
from demurrage.provider.calls import Caller, Reply
from demurrage.provider.clock import HeaderClock
from demurrage.provider.echo import UnreadableEchoError, read_echo
from demurrage.provider.faults import about_response, broken_json, fault_of, not_json
from demurrage.provider.guard import safe_id
from demurrage.provider.items import Brought, brought_by
from demurrage.provider.rows import malformed
from demurrage.provider.tools import few

PAGE_SIZE = 100
# Five thousand items; longer inputs do not fit a model's context.
MAX_PAGES = 50

# `client.responses.with_raw_response.retrieve` and
# `client.responses.input_items.with_raw_response.list`
RawCall = Callable[..., Awaitable[Any]]


class Resolver:
    """Reads responses of one target. It never touches a container.

    Args:
        caller: sends the calls.
        retrieve: the SDK's raw retrieve of responses.
        items: the SDK's raw listing of input items.
        clock: the provider's time.
    """

    def __init__(
        self, caller: Caller, retrieve: RawCall, items: RawCall, clock: HeaderClock
    ) -> None:
        self._caller = caller
        self._retrieve = retrieve
        self._items = items
        self._clock = clock

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """Read a response, with its input items if asked. Never raises for API faults.

        Args:
            response_id: as the API gave it; an odd one is never sent.
            items: True to read what its input names, too.
        """
        if not safe_id(response_id):
            return _failed(response_id, _unexpected("not sent: the id is no plain path segment"))

        async def send() -> Any:
            return await self._retrieve(response_id)

        gone = False

        def judge(answer: Answer) -> Any | Failure:
            nonlocal gone
            gone = about_response(answer, response_id)
            return _document(answer)

        reply = await self._caller.call(Priority.RESOLVE, send, judge)
        if reply.value is None:
            return _failed(response_id, reply.failure, gone=gone)
        steps = self._clock.steps
        reading = self._reading(reply, response_id)
        if isinstance(reading, Failure):
            return _failed(response_id, reading)
        found = await self._with_items(reading) if items else _done(reading)
        if self._clock.steps != steps:
            return _failed(response_id, _untimed(ConditionKind.CLOCK_JUMP))
        return found

    def _reading(self, reply: Reply[Any], response_id: str) -> ResponseReading | Failure:
        """What a good answer says.

        It bears the moment of the reading for good: one that turns out wrong later would have the
        response's window close, or open, where it does not.
        """
        if self._clock.offset is None:
            return _untimed(ConditionKind.CLOCK_UNKNOWN)
        if not self._clock.trusted:
            return _untimed(ConditionKind.CLOCK_JUMP)
        try:
            return read_echo(
                reply.value,
                response_id,
                asked_at=reply.sent_at,
                answered_at=self._clock.now(),
            )
        except UnreadableEchoError as error:
            return _unexpected(f"the response's {error} cannot be relied on")

    async def _with_items(self, reading: ResponseReading) -> Resolution:
        brought = await self._brought(reading.response_id)
        if isinstance(brought, Failure):
            return _failed(reading.response_id, brought)
        return _done(
            replace(
                reading,
                slots=few(
                    (
                        *reading.slots,
                        *(each for each in brought.slots if each not in reading.slots),
                    )
                ),
                carried=brought.named,
                opaque=brought.opaque,
            )
        )

    async def _brought(self, response_id: str) -> Brought | Failure:
        """What its input items bring along, read to their provable end."""
        found = Brought()
        seen: set[str] = set()
        cursor: dict[str, str] = {}
        for _ in range(MAX_PAGES):

            async def send(cursor: dict[str, str] = cursor) -> Any:
                return await self._items(response_id, limit=PAGE_SIZE, order="asc", **cursor)

            reply = await self._caller.call(Priority.RESOLVE, send, _page)
            if reply.value is None:
                return reply.failure or malformed("the page is empty")
            data, more, last = reply.value
            found |= brought_by(data)
            if not more:
                return found
            if last is None or last in seen:
                text = "the listing of input items goes round in a circle"
                return Failure(ConditionKind.REPEATED_CURSOR, text)
            seen.add(last)
            cursor = {"after": last}
        return Failure(ConditionKind.ENDLESS_LISTING, f"no end after {MAX_PAGES} pages")


def _document(answer: Answer) -> Any | Failure:
    """The parsed body of a good answer; null is no body."""
    fault = fault_of(answer)
    if fault is not None:
        return fault
    try:
        body = answer.json()
    except NotJsonError:
        return broken_json(answer) if not answer.body else not_json(answer)
    except BrokenJsonError:
        return broken_json(answer)
    return _unexpected("the answer is no object") if body is None else body


def _page(answer: Answer) -> tuple[list[Any], bool, str | None] | Failure:
    """The items of a page, whether more follow, and the id from which they do."""
    body = _document(answer)
    if isinstance(body, Failure):
        return body
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        return malformed("the page has no data")
    more = body.get("has_more")
    if not isinstance(more, bool):
        return malformed("the page does not say whether more follows")
    last = data[-1].get("id") if data and isinstance(data[-1], dict) else None
    return data, more, last if isinstance(last, str) and last else None


def _done(reading: ResponseReading) -> Resolution:
    outcome = ResolveOutcome.RUNNING if reading.ending is None else ResolveOutcome.ENDED
    return Resolution(reading.response_id, outcome, reading)


def _failed(response_id: str, failure: Failure | None, *, gone: bool = False) -> Resolution:
    outcome = ResolveOutcome.GONE if gone else ResolveOutcome.FAILED
    return Resolution(response_id, outcome, failure=failure)


def _untimed(kind: ConditionKind) -> Failure:
    return Failure(kind, "when it was read is not known: no clock is to be trusted just now")


def _unexpected(detail: str) -> Failure:
    return Failure(ConditionKind.UNEXPECTED_ANSWER, detail)
