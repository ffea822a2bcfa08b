"""One call: leave from the budget, a deadline, the clock's lesson, and a name for what came."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import openai

from demurrage.model.listing import Failure
from demurrage.provider.answer import Answer
from demurrage.provider.budget import CallBudget, PausedError, Priority
from demurrage.provider.clock import HeaderClock
from demurrage.provider.faults import fault_of_exception, never_sent

# Told of every call that was sent: its kind ("list", "delete", "resolve"), its outcome ("ok" or the
# failure's name), and how many seconds it took.
OnCall = Callable[[str, str, float], None]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[_T]):
    """What a call came to: a `value`, or the `failure` that stands in its place.

    `sent` is False when the request certainly never left, `answered` is True when an answer
    came, whatever it says. `sent_at` is the provider time of sending.
    """

    value: _T | None
    failure: Failure | None
    sent: bool
    answered: bool
    sent_at: float


@dataclass(frozen=True, slots=True)
class _Silence:
    """No answer came."""

    failure: Failure
    sent: bool


class Caller:
    """Sends calls to one target.

    Args:
        budget: shared by the targets of one organisation.
        clock: learns from every answer.
        timeout: seconds for a whole call; the HTTP library bounds only its parts, and a
            server that sends a byte now and then would keep us for ever.
        on_call: told of every call that was sent.
    """

    def __init__(
        self,
        budget: CallBudget,
        clock: HeaderClock,
        timeout: float,
        on_call: OnCall | None = None,
    ) -> None:
        self._budget = budget
        self._clock = clock
        self._timeout = timeout
        self._on_call = on_call

    async def call(
        self,
        priority: Priority,
        send: Callable[[], Awaitable[Any]],
        judge: Callable[[Answer], _T | Failure],
        hindrance: Callable[[], Failure | None] = lambda: None,
    ) -> Reply[_T]:
        """Send one call and name its outcome. Raises nothing but CancelledError.

        Args:
            priority: what the call is for.
            send: makes the call, through the SDK's raw responses.
            judge: reads an answer of any status.
            hindrance: asked once the budget has granted the call, which may take minutes; what
                it names keeps the call from being sent.
        """
        try:
            granted_at = await self._budget.acquire(priority)
        except PausedError as paused:
            return self._not_sent(
                Failure(
                    paused.kind, "not sent: the API asked for silence", retry_after=paused.seconds
                )
            )
        if (hindered := hindrance()) is not None:
            self._budget.give_back(granted_at)
            return self._not_sent(hindered)
        ticks = self._clock.ticks()
        exchanged = await self._exchange(send)
        seconds = self._clock.ticks() - ticks
        if isinstance(exchanged, Answer):
            outcome, headers, sent = judge(exchanged), exchanged.headers, True
        else:
            outcome, headers, sent = exchanged.failure, {}, exchanged.sent
        fault = outcome if isinstance(outcome, Failure) else None
        if fault is None:
            # What stands between may answer with a fault, and with a clock, of its own.
            self._clock.observe(headers, ticks)
        self._budget.note(granted_at, fault, headers)
        if self._on_call is not None:
            self._on_call(priority.value, "ok" if fault is None else fault.kind.value, seconds)
        return Reply(
            value=None if isinstance(outcome, Failure) else outcome,
            failure=fault,
            sent=sent,
            answered=isinstance(exchanged, Answer),
            sent_at=self._clock.now() - seconds,
        )

    def _not_sent(self, failure: Failure) -> Reply[Any]:
        return Reply(None, failure, sent=False, answered=False, sent_at=self._clock.now())

    async def _exchange(self, send: Callable[[], Awaitable[Any]]) -> Answer | _Silence:
        try:
            async with asyncio.timeout(self._timeout):
                raw = await send()
        except openai.APIStatusError as error:
            return Answer.of(error.response)
        except Exception as error:  # noqa: BLE001 - whatever the SDK lets out is the call's failure, and not all of it is an OpenAIError
            return _Silence(fault_of_exception(error), sent=not never_sent(error))
        return Answer.of(raw.http_response)
