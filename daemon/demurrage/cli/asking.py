"""Asking the running daemon over its own HTTP address."""

import json
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from demurrage.model.error import DemurrageError

if TYPE_CHECKING:
    from demurrage.app.settings import Settings

_TIMEOUT = 5.0
_OK = 200
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


class NoAnswerError(DemurrageError):
    """The daemon gave no answer that can be used; the message says why."""


def url_of(settings: "Settings") -> str:
    """The URL under which a program on this machine reaches the daemon."""
    host, port = _address(settings)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def ask(settings: "Settings", path: str) -> Any:
    """What the daemon answers to a GET.

    Raises:
        NoAnswerError: nobody listens there, or the answer is no good.
    """
    host, port = _address(settings)
    token = settings.secrets.admin_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
    connection = HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != _OK:
            raise NoAnswerError(f"{url_of(settings)} answers with HTTP {response.status}")
        return json.loads(body)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NoAnswerError(f"nobody answers at {url_of(settings)}: {reason}".lower()) from None
    finally:
        connection.close()


def _address(settings: "Settings") -> tuple[str, int]:
    address = settings.http.address
    return _EVERYWHERE.get(address.host, address.host), address.port
