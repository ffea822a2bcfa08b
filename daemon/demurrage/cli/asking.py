"""Asking the running daemon over its own HTTP address."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from demurrage.cli.show import clean
from demurrage.model.error import DemurrageError

if TYPE_CHECKING:
    from demurrage.app.settings import Settings

_TIMEOUT = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


class NoAnswerError(DemurrageError):
    """The daemon gave no answer that can be used; the message says why, as a sentence.

    Args:
        message: the sentence.
        running: True where something listens there all the same.
    """

    def __init__(self, message: str, *, running: bool = False) -> None:
        super().__init__(message)
        self.running = running


def url_of(settings: "Settings") -> str:
    """The URL under which a program on this machine reaches the daemon."""
    host, port = _address(settings)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def ask(settings: "Settings", path: str) -> Any:
    """What the daemon answers to a GET.

    Raises:
        NoAnswerError: nobody listens there, or the answer is no good.
    """
    token = settings.secrets.admin_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
    status, body = _get(settings, path, headers)
    if status == HTTPStatus.UNAUTHORIZED:
        raise NoAnswerError(_refused(settings), running=True)
    if status != HTTPStatus.OK:
        raise NoAnswerError(f"what listens at {url_of(settings)} answers with HTTP {status}")
    try:
        return json.loads(body)
    except ValueError:
        raise NoAnswerError(f"what listens at {url_of(settings)} answers without JSON") from None


def ask_alive(settings: "Settings") -> None:
    """Return if the daemon's loop turns, by its own probe, which asks for no token.

    Raises:
        NoAnswerError: it does not turn, or nobody answers; the message says which.
    """
    status, body = _get(settings, "/healthz", {})
    if status == HTTPStatus.OK:
        return
    try:
        detail = clean(f": {json.loads(body)['detail']}")
    except (ValueError, TypeError, KeyError):
        detail = ""
    where = url_of(settings)
    raise NoAnswerError(f"what listens at {where} answers with HTTP {status}{detail}", running=True)


def _get(settings: "Settings", path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """The status of an answer, and its body."""
    host, port = _address(settings)
    connection = HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        if isinstance(error, TimeoutError):
            reason = f"no answer within {_TIMEOUT:g} s"
        raise NoAnswerError(
            f"the daemon does not answer at {url_of(settings)}: {reason.lower()}"
        ) from None
    finally:
        connection.close()


def _refused(settings: "Settings") -> str:
    """What is wrong with the admin token, and where it comes from."""
    variable, where = settings.http.admin_token_env, url_of(settings)
    if not variable:
        return (
            f"the daemon at {where} asks for an admin token; set http.admin_token_env to the name "
            "of the variable that holds it"
        )
    if settings.secrets.admin_token is None:
        return (
            f"the daemon at {where} asks for an admin token; {variable}, which "
            "http.admin_token_env names, is not set here"
        )
    return (
        f"the daemon at {where} refuses the admin token; {variable}, which http.admin_token_env "
        "names, holds another one than the daemon's"
    )


def _address(settings: "Settings") -> tuple[str, int]:
    address = settings.http.address
    return _EVERYWHERE.get(address.host, address.host), address.port
