"""What every request must pass, as plain ASGI around the application.

A web page or another process on the machine must not be able to speak for an application or a
person: names other than the daemon's own are refused (DNS rebinding), so are requests that
change anything on behalf of another site, and nothing here ever sends a CORS header.
"""

import re
from http import HTTPStatus
from secrets import token_hex

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demurrage.web.doors import Doors, bears
from demurrage.web.problems import ProblemError

EVENTS_PATH = "/v1/events"
WEBHOOKS_PATH = "/webhooks/openai/"
PAGE_PATH = "/"
# They tell nothing of any application; probes and scrapers bring no token. The page decides for
# itself, so that a browser can be shown where to sign in.
_OPEN = frozenset({"/healthz", "/readyz", "/metrics", PAGE_PATH, "/page.css", "/page.js"})
# A webhook says little; the largest seen are far below this. In bytes.
_MAX_WEBHOOK = 64 * 1024
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_OWN_SITE = frozenset({"same-origin", "none"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Shell:
    """The outermost layer: headers on every answer, and an answer for every failure."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            failure_id = token_hex(8)
            route = getattr(scope.get("route"), "path", None)
            structlog.get_logger("demurrage").error(
                "http_failed",
                failure_id=failure_id,
                method=scope["method"],
                route=route,
                exc_info=error,
            )
            if started:
                raise
            detail = "the daemon failed; its log tells more under this id"
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            answer = ProblemError(status, "internal-error", detail, id=failure_id).response()
            await answer(scope, receive, send_guarded)


class Guards:
    """Host, origin and tokens, before anything of the body is read; then the body's size."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # A webhook comes from outside, under whatever name the proxy before us has, and bears
        # no token: its signature is checked over its body, so that must be small.
        signed = scope["method"] == "POST" and scope["path"].startswith(WEBHOOKS_PATH)
        most = min(self._doors.max_body, _MAX_WEBHOOK) if signed else self._doors.max_body
        try:
            self._check_host(headers, any_name=signed)
            _check_origin(scope["method"], headers)
            if not signed:
                self._check_token(scope, headers)
            _check_length(headers, most)
        except ProblemError as refusal:
            await refusal.response()(scope, receive, send)
            return
        await self._app(scope, _limited(receive, most), send)

    def _check_host(self, headers: Headers, *, any_name: bool) -> None:
        hosts = headers.getlist("host")
        found = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if found is None:
            detail = "the request must have exactly one Host header, a name or an address"
            raise ProblemError(HTTPStatus.BAD_REQUEST, "bad-host", detail)
        if not (any_name or self._doors.addressed(found["name"])):
            detail = "this daemon does not answer to that host; use the address that it is bound to"
            raise ProblemError(HTTPStatus.MISDIRECTED_REQUEST, "wrong-host", detail)

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        path = scope["path"]
        if path in _OPEN:
            return
        appending = path == EVENTS_PATH and scope["method"] == "POST"
        token = self._doors.events_token if appending else self._doors.admin_token
        if token is None or bears(headers.get("authorization"), token):
            return
        which = "http.events_token_env" if appending else "http.admin_token_env"
        detail = f"send `Authorization: Bearer` with the token of the setting {which}"
        challenge = {"WWW-Authenticate": 'Bearer realm="demurrage"'}
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers=challenge)


def _check_origin(method: str, headers: Headers) -> None:
    """Refuse what a page of another site sends, other ports of this machine included."""
    if method in _READING:
        return
    origin = headers.get("origin")
    own = origin is None or origin.partition("://")[2].lower() == headers["host"].lower()
    if not own or headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        detail = "requests on behalf of another site are refused"
        raise ProblemError(HTTPStatus.FORBIDDEN, "foreign-site", detail)


def _check_length(headers: Headers, most: int) -> None:
    length = headers.get("content-length", "")
    # A length that is no number is the server's business; what really comes is counted anyway.
    if length.isascii() and length.isdecimal() and int(length[:20]) > most:
        detail = f"a body has at most {most} bytes; send smaller batches"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail)


def _limited(receive: Receive, most: int) -> Receive:
    """Count what arrives, whatever its announced length."""
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return receive_counted
