"""What reaches the application is what the server sent, when it sent it."""

import asyncio
import gzip
import importlib
import itertools
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage_recorder import listeners, starts

from .conftest import (
    AUTO,
    CONTAINER,
    STREAM,
    URL,
    Notes,
    Pieces,
    Server,
    http,
    response,
    sse,
    watched,
    watched_async,
)

EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
JSON = {"content-type": "application/json"}
WHOLE = ["started", "created", "output", "created", "finished completed"]


def cut(text: bytes, places: list[int]) -> list[bytes]:
    """The text in pieces."""
    marks = sorted({0, len(text), *(place % len(text) for place in places)})
    return [text[a:b] for a, b in itertools.pairwise(marks)]


@given(places=st.lists(st.integers(0, 5000), max_size=40))
def test_a_stream_passes_unchanged_however_it_is_cut(places: list[int]) -> None:
    """The same chunks, and the same events in the log, wherever the chunks end."""
    notes = Notes()
    pieces = cut(sse(*STREAM), places)
    with (
        watched(lambda: http.Response(200, headers=EVENTS, stream=Pieces(pieces)), notes) as client,
        client.stream("POST", URL, json={"model": "m", "tools": [AUTO]}) as answer,
    ):
        assert list(answer.iter_raw()) == pieces
    assert notes.kinds() == WHOLE
    assert notes.last()["containers"] == [CONTAINER]


def test_what_the_opening_echoes_is_not_put_out(notes: Notes) -> None:
    """An id in the request's own metadata is a reference, but tells of no slot what it made."""
    opening = response("in_progress", metadata={"container_id": CONTAINER})
    events = (
        {"type": "response.created", "response": opening},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
        {"type": "response.completed", "response": response(metadata=opening["metadata"])},
    )
    with watched(lambda: http.Response(200, headers=EVENTS, content=sse(*events)), notes) as client:
        client.post(URL, json={"tools": [AUTO]})
    named = {kind: data.get("containers") for kind, _, data in notes.told}
    assert named["response.created"] == [CONTAINER]
    assert named["response.output"] == []
    assert named["response.finished"] == [CONTAINER]


def test_each_chunk_arrives_before_the_next_is_asked_for(notes: Notes) -> None:
    """Nothing is read ahead, and what a chunk tells is logged before it is handed on."""
    body = Pieces([sse(event) for event in STREAM])
    with (
        watched(lambda: http.Response(200, headers=EVENTS, stream=body), notes) as client,
        client.stream("POST", URL, json={"tools": [AUTO]}) as answer,
    ):
        seen = [(body.asked, len(notes.told)) for _ in answer.iter_raw()]
    assert seen == [(1, 2), (2, 2), (3, 3), (4, 4), (5, 4), (6, 5)]
    assert body.closed


async def test_each_chunk_arrives_before_the_next_in_a_task(notes: Notes) -> None:
    """The same for the asynchronous client."""
    body = Pieces([sse(event) for event in STREAM])
    async with (
        watched_async(lambda: http.Response(200, headers=EVENTS, stream=body), notes) as client,
        client.stream("POST", URL, json={"tools": [AUTO]}) as answer,
    ):
        seen = [(body.asked, len(notes.told)) async for _ in answer.aiter_raw()]
    assert seen == [(1, 2), (2, 2), (3, 3), (4, 4), (5, 4), (6, 5)]
    assert body.closed


def encodings() -> dict[str, Callable[[bytes], bytes]]:
    """How an answer may be packed, as far as this Python can."""
    known: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    for name, module in (("br", "brotli"), ("zstd", "zstandard"), ("zstd", "compression.zstd")):
        try:
            known[name] = importlib.import_module(module).compress
        except ImportError:
            continue
    return known


@pytest.mark.parametrize("encoding", encodings())
@pytest.mark.parametrize("streamed", [False, True])
def test_packed_answers(notes: Notes, encoding: str, streamed: Any) -> None:
    """The application gets the packed bytes and the text; the log has the ids all the same."""
    text = sse(*STREAM) if streamed else json.dumps(response(output=[CONTAINER_ITEM])).encode()
    packed = encodings()[encoding](text)
    pieces = [packed[:20], packed[20:60], packed[60:]]
    headers = {**(EVENTS if streamed else JSON), "content-encoding": encoding}

    def answer() -> Any:
        return http.Response(200, headers=headers, stream=Pieces(pieces))

    with watched(answer, notes) as client:
        with client.stream("POST", URL, json={"tools": [AUTO]}) as streaming:
            assert list(streaming.iter_raw()) == pieces
        assert client.post(URL, json={"tools": [AUTO]}).content == text
    assert notes.kinds() == (WHOLE if streamed else ["started", "finished completed"]) * 2
    assert notes.last()["containers"] == [CONTAINER]


CONTAINER_ITEM = {"type": "code_interpreter_call", "container_id": CONTAINER}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("error", [http.ReadError("gone"), http.ReadTimeout("slow"), KeyError("?")])
def test_a_body_that_breaks_off(notes: Notes, error: Exception, streamed: Any) -> None:
    """The application gets the very error; the call is lost, and the ids that came are kept."""
    text = sse(*STREAM[:4]) if streamed else json.dumps(response(output=[CONTAINER_ITEM])).encode()
    body = Pieces([text[:-3], error])
    headers = EVENTS if streamed else JSON
    with (
        watched(lambda: http.Response(200, headers=headers, stream=body), notes) as client,
        pytest.raises(type(error)) as raised,
    ):
        client.post(URL, json={"tools": [AUTO]})
    assert raised.value is error
    assert notes.kinds()[-1] == "finished lost"
    assert notes.last()["containers"] == [CONTAINER]


@pytest.mark.parametrize("error", [http.ConnectError("no"), http.ReadTimeout("slow"), KeyError()])
def test_a_request_that_gets_no_answer(notes: Notes, error: Exception) -> None:
    """The application gets the very error; only where nothing left it is known when."""

    def answer() -> Any:
        raise error

    with watched(answer, notes, direct=True) as client, pytest.raises(type(error)) as raised:
        client.post(URL, json={"tools": [AUTO]})
    assert raised.value is error
    assert notes.kinds() == ["started", "finished lost"]
    assert ("sent_at" in notes.last()) == isinstance(error, http.ConnectError)


async def test_a_cancelled_request(notes: Notes) -> None:
    """Cancelling passes through, and leaves a lost call."""

    def answer() -> Any:
        raise asyncio.CancelledError

    async with watched_async(answer, notes) as client:
        with pytest.raises(asyncio.CancelledError):
            await client.post(URL, json={"tools": [AUTO]})
    assert notes.kinds() == ["started", "finished lost"]


@pytest.mark.parametrize(
    "text",
    [b"", b"<!DOCTYPE html>", b"[1]", b"{}", b'{"id": 7, "status": "completed"}', b"\xff" * 50],
)
@pytest.mark.parametrize("headers", [EVENTS, JSON])
def test_an_answer_that_is_none(notes: Notes, text: bytes, headers: dict[str, str]) -> None:
    """Whatever cannot be understood reaches the application, and is lost for the log."""
    with watched(lambda: http.Response(200, headers=headers, content=text), notes) as client:
        assert client.post(URL, json={"tools": [AUTO]}).content == text
    assert notes.kinds() == ["started", "finished lost"]


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (400, "refused"),
        (401, "refused"),
        (404, "refused"),
        (422, "refused"),
        (429, "refused"),
        (307, "lost"),
        (408, "lost"),
        (409, "lost"),
        (499, "lost"),
        (500, "lost"),
        (503, "lost"),
        (504, "lost"),
    ],
)
def test_statuses(notes: Notes, status: int, end: str) -> None:
    """A refusal ends a call; a conflict or a timeout behind which something may run does not."""
    with watched(lambda: http.Response(status, json={"error": {}}), notes) as client:
        client.post(URL, json={"tools": [AUTO]})
    assert notes.kinds() == ["started", f"finished {end}"]
    assert notes.last()["http_status"] == status


def test_a_number_that_is_no_status_is_not_told(notes: Notes) -> None:
    """The daemon would refuse the event, and hold everything for the one that is missing."""
    with watched(lambda: http.Response(999, json={}), notes) as client:
        client.post(URL, json={"tools": [AUTO]})
    assert notes.kinds() == ["started", "finished lost"]
    assert "http_status" not in notes.last()


@pytest.mark.parametrize("where", ["value", "event"])
def test_a_failure_of_the_recorder(
    notes: Notes, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The application gets its answer; the call is lost, and a person is told once."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(listeners.Making, where, fail)
    monkeypatch.setattr("demurrage_recorder.warn._told", set())
    streamed = where == "event"
    text = sse(*STREAM) if streamed else json.dumps(response()).encode()
    headers = EVENTS if streamed else JSON
    with watched(lambda: http.Response(200, headers=headers, content=text), notes) as client:
        with pytest.warns(RuntimeWarning, match="ZeroDivisionError"):
            assert client.post(URL, json={"tools": [AUTO]}).content == text
        assert client.post(URL, json={"tools": [AUTO]}).content == text
    assert notes.kinds() == ["started", "finished lost"] * 2


def test_a_failure_before_the_request(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that the recorder fails to read is logged as one that may do anything."""

    def fail(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(starts, "asked_plainly", fail)
    monkeypatch.setattr("demurrage_recorder.warn._told", set())
    with (
        watched(lambda: http.Response(200, json=response()), notes) as client,
        pytest.warns(RuntimeWarning, match="ZeroDivisionError"),
    ):
        assert client.post(URL, json={"tools": [AUTO]}).json() == response()
    assert notes.told[0][2]["slots"] == [{"tool": "unknown", "tier": None, "container": "auto"}]
    assert notes.kinds() == ["started", "finished completed"]


def test_other_requests_do_not_concern_it(notes: Notes) -> None:
    """Other paths and methods pass by, and a streamed request body stays the application's."""
    with watched(lambda: http.Response(200, json={}), notes) as client:
        client.get("https://api.openai.com/v1/containers")
        client.post("https://api.openai.com/v1/chat/completions", json={})
        client.post(f"{URL}/input_tokens", json={})
        client.post(f"{URL}/compact", json={})
        client.delete(f"{URL}/resp_1")
        client.get(f"{URL}/resp_1/input_items")
        assert notes.told == []
        client.post(URL, content=iter([b'{"tools', b'": []}']))
    assert notes.told[0][2]["slots"] == [{"tool": "unknown", "tier": None, "container": "auto"}]


def test_it_stands_before_the_transport_alone(notes: Notes) -> None:
    """Whatever else the application asks of its transport, it gets."""
    server = Server(lambda: http.Response(200, json={}))
    client = watched(server.answer, notes)
    client._transport.inner.colour = "blue"
    assert client._transport.colour == "blue"
    with pytest.raises(AttributeError):
        assert client._transport.shape
    assert isinstance(client._transport, http.BaseTransport)


@pytest.mark.parametrize(("status", "tells"), [(200, True), (400, True), (429, True), (503, False)])
def test_an_outage_tells_nothing_of_the_apis_clock(
    notes: Notes, status: int, *, tells: bool
) -> None:
    """A gateway that finds nobody behind it answers by its own."""
    date = "Sun, 29 Nov 2026 12:00:00 GMT"
    client = watched(lambda: http.Response(status, headers={"date": date}, json={}), notes)
    client.post(URL, json={"model": "gpt-5", "tools": [AUTO]})
    assert notes.dates == ([date] if tells else [])
