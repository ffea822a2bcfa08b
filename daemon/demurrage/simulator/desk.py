"""What every request passes through: key, faults, record, errors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demurrage.simulator.calls import Call, caller_of
from demurrage.simulator.fault_answers import after, before
from demurrage.simulator.faults import Fault, FaultKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.refusal import Refusal

Body = dict[str, Any]
Handler = Callable[[Harbour, Request], Awaitable[Response | Body]]

AZURE = "/openai"


class Desk:
    """Turns a handler into a route of both flavours, `/v1/…` and `/openai/v1/…`."""

    def __init__(self, harbour: Harbour) -> None:
        self._harbour = harbour

    def routes(self, method: str, path: str, handler: Handler) -> list[Route]:
        """The handler's routes; `path` starts with `/v1` and names its id `{id}`."""

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, path, handler)

        return [Route(flavour + path, endpoint, methods=[method]) for flavour in ("", AZURE)]

    async def _answer(self, request: Request, template: str, handler: Handler) -> Response:
        harbour, azure = self._harbour, request.url.path.startswith(AZURE)
        harbour.port.advance()
        fault = harbour.faults.struck(request.method, request.url.path.removeprefix(AZURE))
        request.state.fault = fault
        key = ""
        try:
            key = key_of(request)
            response = await self._work(request, handler, fault)
        except Refusal as refusal:
            response = JSONResponse(refusal.body(azure=azure), refusal.status)
        harbour.calls.add(
            Call(
                at=harbour.clock.now(),
                caller=caller_of(key),
                method=request.method,
                path=template,
                about=request.path_params.get("id"),
                query=request.url.query,
                status=response.status_code,
                fault=fault.kind if fault else None,
            )
        )
        return response

    async def _work(self, request: Request, handler: Handler, fault: Fault | None) -> Response:
        if fault is None:
            return _response(await handler(self._harbour, request))
        if fault.kind == FaultKind.HANG:
            await asyncio.sleep(fault.seconds)
            raise Refusal(504, "The request timed out.", kind="server_error")
        azure = request.url.path.startswith(AZURE)
        early = before(fault, azure=azure, container_id=request.path_params.get("id"))
        if early is not None:
            return early
        made = await handler(self._harbour, request)
        if isinstance(made, Response):
            return made
        return after(fault, made, request.query_params.get("after"))


def _response(made: Response | Body) -> Response:
    return made if isinstance(made, Response) else JSONResponse(made)


def key_of(request: HTTPConnection) -> str:
    """The key that the caller shows.

    Raises:
        Refusal: 401, it shows none.
    """
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    key = request.headers.get("api-key") or bearer
    if not key:
        raise Refusal(401, "You didn't provide an API key.", code="invalid_api_key", param=None)
    return key


async def read_body(request: Request) -> Body:
    """The request's JSON object; an empty body is an empty object.

    Raises:
        Refusal: 400, it is none.
    """
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise Refusal(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body of your request is not an object.")
    return body


class Stamp:
    """Puts the harbour's own `Date` and a request id on every answer."""

    def __init__(self, app: ASGIApp, harbour: Harbour) -> None:
        self._app = app
        self._harbour = harbour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and stamp what comes back."""

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["date"] = formatdate(int(self._harbour.clock.shown()), usegmt=True)
                headers["x-request-id"] = self._harbour.port.ids.of("req")
            await send(message)

        await self._app(scope, receive, stamped)
