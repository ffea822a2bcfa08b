"""One line in an application, and the daemon learns what it does with the Responses API."""

import os
from collections.abc import Mapping
from typing import Any, TypeVar

from demurrage_recorder.calls import Directory
from demurrage_recorder.ids import is_word
from demurrage_recorder.sockets import watch_sockets
from demurrage_recorder.transports import kit_for, library_of
from demurrage_recorder.watch import Watch
from demurrage_recorder.writers import writer_for

TARGET_VARIABLE = "DEMURRAGE_RECORDER_TARGET"
DEFAULT_TARGET = "default"

_LONGEST = 512
_MOST_LABELS = 64

_Client = TypeVar("_Client")

# A response may be looked at through another client than the one that made it.
_directory = Directory()


def instrument(
    client: _Client,
    *,
    url: str | None = None,
    target: str | None = None,
    token: str | None = None,
    labels: Mapping[str, str] | None = None,
    direct: bool | None = None,
) -> _Client:
    """Have what a client does with the Responses API logged; results and errors stay the same.

    Args:
        client: an `OpenAI`, `AsyncOpenAI`, `AzureOpenAI` or `AsyncAzureOpenAI`, or the bare
            `Client` or `AsyncClient` of httpx or httpx2 that such a client is built on.
        url: where the daemon takes events; None means `DEMURRAGE_RECORDER_URL`,
            else the daemon's default address on this machine.
        target: the target's name in the daemon's settings; None means
            `DEMURRAGE_RECORDER_TARGET`, else `default`.
        token: the bearer token for events; None means `DEMURRAGE_RECORDER_TOKEN`.
        labels: short texts that each request is labelled with, such as the application's name.
        direct: whether requests go straight to the API, with nothing between that could hold
            one back and pass it on after this process has died. None finds out: true for
            OpenAI's and Azure's own hosts without a proxy, and for nothing else. A server on
            this machine may be such a proxy.

    Returns:
        The same client. Instrumenting it again changes nothing.

    Raises:
        TypeError: it is no such client.
        ValueError: the URL, the target's name or a label is not what the event log takes.
    """
    _attach(client, _watch(url, target, token, labels), direct)
    watch_sockets()
    return client


def instrument_unasked(client: Any) -> None:
    """Instrument a client by the environment alone; what the application says itself goes first.

    Raises:
        ValueError: the environment's URL or target name is not what the event log takes.
    """
    _attach(client, _watch(None, None, None, None, unasked=True), None)
    watch_sockets()


def _watch(
    url: str | None,
    target: str | None,
    token: str | None,
    labels: Mapping[str, str] | None,
    *,
    unasked: bool = False,
) -> Watch:
    writer = writer_for(url, token=token)
    return Watch(writer, target_name(target), _labels(labels), _directory, unasked=unasked)


def _attach(client: Any, watch: Watch, direct: bool | None) -> None:  # noqa: FBT001 - private
    http, found = client, library_of(client)
    if found is None:
        http = getattr(client, "_client", None)
        found = library_of(http)
    if found is None:
        raise TypeError(
            f"cannot instrument {type(client).__name__}: give an OpenAI client, "
            "or the httpx or httpx2 client that it is built on"
        )
    library, asynchronous = found
    kit = kit_for(library)
    kind = kit.asynchronous if asynchronous else kit.blocking

    def watched(transport: Any) -> Any:
        if not isinstance(transport, kind):
            return kind(transport, kit, watch, direct=direct)
        if transport.watch.unasked and not watch.unasked:
            transport.watch, transport.direct = watch, direct
        return transport

    http._transport = watched(http._transport)  # noqa: SLF001 - there is no public way in
    for pattern, transport in http._mounts.items():  # noqa: SLF001 - likewise
        if transport is not None:
            http._mounts[pattern] = watched(transport)  # noqa: SLF001 - likewise


def target_name(target: str | None) -> str:
    """The target that is meant.

    Args:
        target: its name; None means `DEMURRAGE_RECORDER_TARGET`, else `default`.

    Raises:
        ValueError: no target can have this name.
    """
    name = target or os.environ.get(TARGET_VARIABLE) or DEFAULT_TARGET
    if not is_word(name, _LONGEST):
        raise ValueError(f"target must be a line of at most {_LONGEST} characters")
    return name


def _labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    told = dict(labels or {})
    if len(told) > _MOST_LABELS:
        raise ValueError(f"labels: at most {_MOST_LABELS} are taken, not {len(told)}")
    for name, value in told.items():
        if not all(isinstance(each, str) for each in (name, value)):
            raise ValueError(f"labels: {name!r} and its value must be texts")
    return told
