"""One request through the real SDK, logged the way an application should."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from openai import APIStatusError, AsyncOpenAI, NotFoundError, OpenAIError

from demurrage.simulator.plans import Mode
from demurrage.simulator.references import finish_of, named_containers, start_of
from demurrage.simulator.writer import Writer

_FINAL = ("completed", "failed", "incomplete", "cancelled")
_CLIENT_ERROR, _SERVER_ERROR, _TIMED_OUT = 400, 500, 408


@dataclass(slots=True)
class Call:
    """One request and what is known of it so far."""

    client: AsyncOpenAI
    writer: Writer | None
    request: dict[str, Any]
    poll: float
    id: str = field(default_factory=lambda: str(uuid4()))

    def note(self, kind: str, **data: Any) -> None:
        """Log an event about this call, unless its application logs nothing."""
        if self.writer is not None:
            self.writer.note(f"response.{kind}", call_id=self.id, **data)


class CallFailed(Exception):  # noqa: N818 - an outcome that applications meet every day
    """The request brought no completed response; `status` is the HTTP status, if any."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"status {status}")
        self.status = status


async def logged_call(
    client: AsyncOpenAI,
    writer: Writer | None,
    request: dict[str, Any],
    *,
    mode: Mode,
    poll: float,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Send one request and return the completed response as plain JSON.

    Args:
        client: without retries of its own, since every attempt is a call to be logged.
        writer: None for an application that does not log.
        request: the arguments of `responses.create`.
        mode: how to wait for the answer.
        poll: real seconds between two looks at a background response.
        labels: labels for the start event.

    Raises:
        CallFailed: it was refused, got lost or did not complete; that is logged already.
    """
    call = Call(client, writer, request, poll)
    call.note("started", **start_of(request, background=mode == "background", labels=labels))
    send = {"blocking": _blocking, "streamed": _streamed, "background": _background}[mode]
    try:
        response = await send(call)
    except APIStatusError as error:
        status = error.status_code
        refused = _CLIENT_ERROR <= status < _SERVER_ERROR and status != _TIMED_OUT
        call.note("finished", status="refused" if refused else "lost", http_status=status)
        raise CallFailed(status) from None
    except (OpenAIError, ValueError, AttributeError, asyncio.CancelledError) as error:
        call.note("finished", status="lost")
        if isinstance(error, asyncio.CancelledError):
            raise
        raise CallFailed(None) from None
    call.note("finished", **finish_of(response))
    if response["status"] != "completed":
        raise CallFailed(None)
    return response


async def _blocking(call: Call) -> dict[str, Any]:
    raw = await call.client.responses.with_raw_response.create(**call.request)
    _learn(call, raw.headers)
    return _plain(raw.parse())


async def _streamed(call: Call) -> dict[str, Any]:
    raw = await call.client.responses.with_raw_response.create(**call.request, stream=True)
    _learn(call, raw.headers)
    last: dict[str, Any] = {}
    began = False
    async for event in raw.parse():
        told = _plain(event)
        if "response" in told:
            if not last:
                _created(call, told["response"], raw.headers)
            last = told["response"]
        elif event.type == "response.output_item.added" and not began:
            began = True
            call.note("output", response_id=last["id"], containers=named_containers(told))
    return _ended(last)


async def _background(call: Call) -> dict[str, Any]:
    raw = await call.client.responses.with_raw_response.create(**call.request, background=True)
    _learn(call, raw.headers)
    response = _plain(raw.parse())
    _created(call, response, raw.headers)
    while response["status"] not in _FINAL:
        queued = response["status"] == "queued"
        await asyncio.sleep(call.poll)
        try:
            response = _plain(await call.client.responses.retrieve(response["id"]))
        except NotFoundError:
            raise ValueError("the response is gone") from None
        except OpenAIError:
            continue  # a failed look is no end: look again
        if queued:
            _created(call, response, raw.headers)
    return response


def _plain(model: Any) -> dict[str, Any]:
    plain: dict[str, Any] = model.model_dump(mode="json", warnings=False)
    return plain


def _created(call: Call, response: dict[str, Any], headers: Any) -> None:
    call.note(
        "created",
        response_id=response["id"],
        created_at=response["created_at"],
        status=response["status"],
        request_id=headers.get("x-request-id"),
        conversation=(response.get("conversation") or {}).get("id"),
        containers=named_containers(response),
    )


def _ended(response: dict[str, Any]) -> dict[str, Any]:
    if response.get("status") not in _FINAL:
        raise ValueError("the stream broke off")
    return response


def _learn(call: Call, headers: Any) -> None:
    if call.writer is not None:
        call.writer.observe_date(headers.get("date"))
