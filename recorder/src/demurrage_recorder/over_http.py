"""To the daemon by `POST /v1/events`, over TCP or a unix socket."""

import json
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from math import isfinite
from urllib.parse import unquote, urlsplit

from demurrage_recorder.carrier import (
    TOKEN_VARIABLE,
    Hear,
    NotNowError,
    RefusedError,
    unheard,
)

_PATH = "/v1/events"
_TIME = "demurrage-time"
_TIMEOUT = 10.0
_MOST_TOLD = 4096
# They speak of the way rather than of an event: no event is given up for them.
_WAY_BARRED = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.MISDIRECTED_REQUEST,
    }
)
_TRY_AGAIN = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_CLIENT_ERRORS = range(400, 500)


class OverHttp:
    """A carrier that posts batches to a daemon.

    Args:
        url: the daemon's root.
        token: the bearer token for events, None if it wants none.

    Raises:
        ValueError: the URL names no host, port or socket that there can be.
    """

    def __init__(self, url: str, token: str | None) -> None:
        split = urlsplit(url)
        self.hear: Hear = unheard
        self._scheme = split.scheme
        self._connection: HTTPConnection | None = None
        self._headers = {"Content-Type": "application/cloudevents-batch+json"}
        if token is not None:
            if not token.isascii() or not token.isprintable():
                raise ValueError(f"{TOKEN_VARIABLE} must be printable ASCII")
            self._headers["Authorization"] = f"Bearer {token}"
        if split.scheme == "http+unix":
            self._place = unquote(split.path)
            self._path = _PATH
            if split.netloc or not self._place.startswith("/"):
                raise ValueError("write http+unix:///path/to.sock")
            return
        if not split.hostname:
            raise ValueError(f"write {split.scheme}://host:port")
        host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
        self._place = host if split.port is None else f"{host}:{split.port}"
        self._path = f"{split.path.rstrip('/')}{_PATH}"

    def carry(self, lines: Sequence[bytes]) -> None:
        """Post the lines as one batch.

        Raises:
            NotNowError: the daemon cannot be reached, or cannot take them now.
            RefusedError: it refuses one of them for what it says.
        """
        body = b"[%b]" % b",".join(lines)
        kept = self._connection is not None
        try:
            status, told = self._post(body)
        except (OSError, HTTPException) as error:
            self.close()
            if not kept or isinstance(error, TimeoutError):
                raise NotNowError(type(error).__name__) from error
            # The daemon closes connections that were idle; that says nothing of it.
            self.carry(lines)
            return
        if status == HTTPStatus.ACCEPTED:
            return
        detail = f"HTTP {status}{told}"
        if status in _WAY_BARRED or status < HTTPStatus.BAD_REQUEST:
            raise NotNowError(detail, lasting=True)
        if status in _CLIENT_ERRORS and status not in _TRY_AGAIN:
            raise RefusedError(detail)
        raise NotNowError(detail)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes) -> tuple[int, str]:
        if self._connection is None:
            self._connection = self._connect()
        asked = time.time()
        self._connection.request("POST", self._path, body, self._headers)
        with self._connection.getresponse() as answer:
            moment = _moment(answer.headers.get(_TIME))
            if moment is not None:
                self.hear(moment, asked, time.time())
            told = _detail(answer)
            # What is left of an answer would be taken for the beginning of the next.
            if answer.read(1) or answer.will_close:
                self.close()
            return answer.status, told

    def _connect(self) -> HTTPConnection:
        if self._scheme == "http+unix":
            return _UnixConnection(self._place)
        if self._scheme == "https":
            return HTTPSConnection(self._place, timeout=_TIMEOUT)
        return HTTPConnection(self._place, timeout=_TIMEOUT)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._socket_path = path

    def connect(self) -> None:
        """Connect to the socket."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(self._socket_path)
        except OSError:
            connection.close()
            raise
        self.sock = connection


def _moment(told: str | None) -> float | None:
    """A moment in epoch seconds; None for what is none."""
    try:
        moment = float(told or "nan")
    except ValueError:
        return None
    return moment if isfinite(moment) else None


def _detail(answer: HTTPResponse) -> str:
    """What a problem+json answer says; the daemon's never quote what was sent."""
    told = answer.read(_MOST_TOLD)
    if not answer.headers.get_content_type().endswith("json"):
        return ""
    with suppress(ValueError, AttributeError, TypeError):
        detail = json.loads(told).get("detail")
        if isinstance(detail, str) and detail.isprintable():
            return f": {detail}"
    return ""
