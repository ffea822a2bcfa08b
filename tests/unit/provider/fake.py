"""A fake API on the SDK's own mock transport, for whichever generation is installed."""

import itertools
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from demurrage.provider.client import HTTP

DATE = "Sun, 01 Nov 2026 12:00:00 GMT"
BASE = 1_793_534_400  # the same moment


def row(index: int, born: int, **fields: Any) -> dict[str, Any]:
    """One row as the API lists it."""
    return {
        "id": f"cntr_{index:048x}",
        "object": "container",
        "name": "auto",
        "created_at": born,
        "status": "running",
        "last_active_at": born,
        "expires_after": {"anchor": "last_active_at", "minutes": 20},
        "memory_limit": "1g",
        "network_policy": None,
        **fields,
    }


def rows(count: int, *, newest: int = BASE, spacing: int = 1) -> list[dict[str, Any]]:
    """Rows newest first, `spacing` seconds apart."""
    return [row(index, newest - index * spacing) for index in range(count)]


def reply(status: int = 200, body: Any = None, **headers: str) -> Any:
    """A JSON answer, or the raw text or bytes given."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str | bytes):
        return HTTP.Response(status, content=body, headers=names)
    return HTTP.Response(
        status,
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json", "date": DATE, **names},
    )


def page(data: Iterable[Any], *, has_more: Any = False, **fields: Any) -> Any:
    """One page of the listing."""
    body = {"object": "list", "data": list(data), "first_id": None, "last_id": None}
    return reply(200, {**body, "has_more": has_more, **fields})


def error(
    status: int,
    code: str | None = None,
    message: str = "no",
    type_: str | None = None,
    **headers: str,
) -> Any:
    """An error as OpenAI words it."""
    body = {"error": {"code": code, "message": message, "param": None, "type": type_}}
    return reply(status, body, **headers)


def listing(data: Sequence[dict[str, Any]]) -> Callable[[Any], Any]:
    """A handler that lists truthfully: newest first, `after`, `limit`."""

    def handle(request: Any) -> Any:
        query = dict(request.url.params)
        ids = [item["id"] for item in data]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        stop = start + int(query["limit"])
        return page(data[start:stop], has_more=stop < len(data))

    return handle


Handler = Callable[[Any], Any]


@dataclass(slots=True)
class FakeApi:
    """Answers with `handler` (or its answers in turn), and records every request and call."""

    handler: Handler
    requests: list[Any] = field(default_factory=list)
    calls: list[tuple[str, str, float]] = field(default_factory=list)

    async def handle(self, request: Any) -> Any:
        """The transport's handler."""
        self.requests.append(request)
        answer = self.handler(request)
        return await answer if isinstance(answer, Awaitable) else answer

    @property
    def wire(self) -> set[tuple[str, str]]:
        """Method and path of every request."""
        return {(request.method, request.url.path) for request in self.requests}

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Kind and outcome of every reported call."""
        return [(kind, outcome) for kind, outcome, _ in self.calls]


def in_turn(answers: Sequence[Any]) -> Handler:
    """Answers one after the other, the last one for ever; exceptions are raised."""
    rest = itertools.chain(answers, itertools.repeat(answers[-1]))

    def handle(_: Any) -> Any:
        answer = next(rest)
        if isinstance(answer, Exception):
            raise answer
        return HTTP.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return handle
