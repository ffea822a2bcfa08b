"""What instrumenting does to a client, and what it refuses."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import demurrage_recorder as recorder
from demurrage_recorder.transports import kit_for
from demurrage_recorder.watch import Watch

from .conftest import LIBRARY, Notes, http

KIT = kit_for(LIBRARY)
WATCHING = (KIT.blocking, KIT.asynchronous)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A folder for events, without a goodbye from an earlier test."""
    made = f"file://{tmp_path}"
    yield made
    recorder.writer_for(made).close()


@pytest.mark.parametrize(
    "client",
    [
        openai.OpenAI(api_key="k"),
        openai.AsyncOpenAI(api_key="k"),
        openai.AzureOpenAI(api_key="k", azure_endpoint="https://a.example", api_version="1"),
        openai.AsyncAzureOpenAI(api_key="k", azure_endpoint="https://a.example", api_version="1"),
        openai.OpenAI(api_key="k", http_client=http.Client(mounts={"http://": None})),
        http.Client(proxy="http://127.0.0.1:9", mounts={"https://": http.HTTPTransport()}),
        http.AsyncClient(),
    ],
    ids=lambda client: type(client).__name__,
)
def test_every_transport_is_watched_once(client: Any, url: str) -> None:
    """Each kind of client, its mounts too; instrumenting again changes nothing."""
    assert recorder.instrument(client, url=url) is client
    http_client = getattr(client, "_client", client)
    transports = [http_client._transport, *http_client._mounts.values()]
    recorder.instrument(client, url=url)
    assert transports == [http_client._transport, *http_client._mounts.values()]
    for transport in transports:
        assert transport is None or isinstance(transport, WATCHING)
        assert not isinstance(getattr(transport, "inner", None), WATCHING)


@pytest.mark.parametrize(
    ("told", "error", "says"),
    [
        ({"client": object()}, TypeError, "OpenAI client"),
        ({"target": "a\nb"}, ValueError, "target"),
        ({"labels": {"a": 1}}, ValueError, "labels"),
        ({"labels": {str(n): "" for n in range(65)}}, ValueError, "labels"),
        ({"url": "gopher://x"}, ValueError, "gopher"),
    ],
)
def test_what_is_refused(url: str, told: dict[str, Any], error: type[Exception], says: str) -> None:
    """A wrong argument is named."""
    with http.Client() as client, pytest.raises(error, match=says):
        recorder.instrument(**{"client": client, "url": url, **told})


@pytest.mark.parametrize(
    ("url", "made", "direct"),
    [
        ("https://api.openai.com/v1/responses", {}, True),
        ("https://eu.api.openai.com/v1/responses", {}, True),
        ("https://res.openai.azure.com/openai/v1/responses", {}, True),
        ("https://api.openai.com.evil.example/v1/responses", {}, False),
        ("http://127.0.0.1:4000/v1/responses", {}, False),
        ("https://api.openai.com/v1/responses", {"proxy": "http://127.0.0.1:9"}, False),
        ("https://api.openai.com/v1/responses", {"uds": "/run/x.sock"}, False),
    ],
)
def test_what_is_direct(notes: Notes, url: str, made: dict[str, str], direct: bool) -> None:  # noqa: FBT001
    """Only the provider's own hosts, by a plain transport, without a proxy."""
    transport = KIT.blocking(http.HTTPTransport(**made), KIT, Watch(notes, "default"), direct=None)
    transport._begin(http.Request("POST", url, json={}))
    assert notes.last().get("direct", False) == direct


def test_a_proxy_of_the_environment_is_no_direct_way(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mounts that the environment brings are proxies."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with openai.OpenAI(api_key="k") as client:
        recorder.instrument(client, url=url)
        url_of_api = http.URL("https://api.openai.com/v1/responses")
        used: Any = client._client._transport_for_url(url_of_api)
        assert not used._goes_straight(url_of_api)


def test_what_the_application_says_goes_first(notes: Notes, url: str) -> None:
    """A client that was instrumented unasked is instrumented anew by the application's own word."""
    with http.Client() as client:
        client._transport = KIT.blocking(
            client._transport, KIT, Watch(notes, "unasked", unasked=True), direct=None
        )
        recorder.instrument(client, url=url, target="asked", direct=True)
        assert (client._transport.watch.target, client._transport.direct) == ("asked", True)
        recorder.instrument(client, url=url, target="late")
        assert client._transport.watch.target == "asked"


def test_neither_library_is_imported() -> None:
    """The recorder brings nothing along that the application does not use."""
    code = (
        "import sys, demurrage_recorder\n"
        "print(sorted({'httpx', 'httpx2', 'openai', 'asyncio', 'pydantic'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout == "[]\n"
