"""Builds the SDK's client the way a budgeted, list-only daemon needs it."""

import importlib
import ssl
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import openai

from demurrage.model.error import DemurrageError, SettingsError
from demurrage.provider.connection import Connection, TokenProvider
from demurrage.provider.guard import gate


def _http_library() -> ModuleType:
    """The module that the SDK's clients derive from: `httpx` up to 2.x, `httpx2` from 3.x on."""
    for base in openai.DefaultAsyncHttpxClient.__mro__:
        package = base.__module__.partition(".")[0]
        if package in ("httpx", "httpx2"):
            return importlib.import_module(package)
    raise ImportError(
        "this version of the openai package uses an HTTP library unknown to Demurrage"
    )


HTTP = _http_library()

# Sees every request right before it leaves, and raises where it must not.
Check = Callable[[Any], Awaitable[None]]

# Shorter than a whole call's deadline: that a delete never left is worth knowing.
_CONNECT_TIMEOUT = 5.0


class NoTokenError(DemurrageError):
    """The identity service gave no token, so there was nothing to send a request with."""


def _naming(provider: TokenProvider) -> TokenProvider:
    async def token() -> str:
        try:
            return await provider()
        except Exception as error:
            raise NoTokenError(type(error).__name__) from error

    return token


def build_client(
    connection: Connection, transport: Any = None, *, check: Check | None = None
) -> openai.AsyncOpenAI:
    """An SDK client for one target.

    The SDK's own retries are off, so that every call is counted by the budget and a delete is
    never sent twice unseen. Redirects are not followed: a redirected DELETE becomes a GET of
    the container. What the SDK reads from the environment besides (organisation, project,
    proxies) it reads as it does in the applications.

    Args:
        connection: how to reach the target.
        transport: an HTTP transport to use in place of the network's, for tests and
            simulations.
        check: the last gate before the wire; the daemon's own where none is given.

    Raises:
        SettingsError: the CA file cannot be read, or the proxy URL is not usable.
    """
    timeout = HTTP.Timeout(
        connection.timeout, connect=min(_CONNECT_TIMEOUT, connection.timeout / 2)
    )
    options: dict[str, Any] = {}
    if connection.ca_file:
        try:
            options["verify"] = ssl.create_default_context(cafile=connection.ca_file)
        except OSError as error:
            raise SettingsError(f"ca_file {connection.ca_file!r} cannot be used") from error
    if connection.proxy:
        options["proxy"] = connection.proxy
    if transport is not None:
        options["transport"] = transport
    try:
        http_client = openai.DefaultAsyncHttpxClient(
            timeout=timeout,
            follow_redirects=False,
            event_hooks={"request": [check or gate(connection.base_url)]},
            **options,
        )
    except (ValueError, HTTP.InvalidURL):
        # Its message quotes the URL, and a proxy's URL may hold a password.
        raise SettingsError("proxy is not a usable URL") from None
    headers = {"OpenAI-Beta": connection.beta_header} if connection.beta_header else None
    return openai.AsyncOpenAI(
        api_key=_naming(connection.api_key) if callable(connection.api_key) else connection.api_key,
        base_url=connection.base_url,
        timeout=timeout,
        max_retries=0,
        default_headers=headers,
        http_client=http_client,
    )
