"""The SDK's own WebSocket transport against the harbour."""

import time
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from demurrage.simulator.serve import HarbourServer

from .conftest import AUTO, TALK, USE, cases


def _events(connection: Any) -> list[Any]:
    """What comes up to the end of one response, or an error."""
    told: list[Any] = []
    for event in connection:
        told.append(event)
        if event.type in ("response.completed", "response.failed", "error"):
            break
    return told


def test_each_turn_over_one_connection_leaks_as_over_http(
    server: HarbourServer, client: OpenAI
) -> None:
    """Events have the real names and order; a turn that uses the tool names its container."""
    with client.responses.connect() as connection:
        connection.response.create(model="gpt-5", input=TALK, tools=[AUTO])
        events = _events(connection)
        first = events[-1].response
        connection.response.create(
            model="gpt-5", input=USE, tools=[AUTO], previous_response_id=first.id
        )
        second = _events(connection)[-1].response
    names = [event.type for event in events]
    assert names[:2] == ["response.created", "response.in_progress"]
    assert "response.output_text.delta" in names
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [case["orphan"] for case in cases(server)] == [True, False]
    assert second.output[0].container_id == cases(server)[1]["id"]
    assert server.admin.calls()["counts"] == {"WEBSOCKET /v1/responses": 2}


def test_lanes_run_beside_each_other(client: OpenAI, server: HarbourServer) -> None:
    """Events name their lane; a short turn overtakes a long one on another lane."""
    server.admin.settings(scale=60)
    with client.responses.connect() as connection:
        for lane, words in (("slow", "[[seconds=120]]"), ("quick", "[[seconds=1]]")):
            connection.response.create(model="gpt-5", input=words, stream_id=lane)
        (*_, end) = _events(connection)
        assert (end.type, end.stream_id) == ("response.completed", "quick")
        (*_, end) = _events(connection)
        assert (end.type, end.stream_id) == ("response.completed", "slow")


def test_what_goes_wrong_is_an_event_and_the_connection_stays(
    server: HarbourServer, client: OpenAI
) -> None:
    """A refusal, a rate limit, background, steering, an unknown event."""
    server.admin.fault("rate_limited", match="WEBSOCKET /v1/responses", count=1)
    with client.responses.connect() as connection:
        connection.response.create(model="gpt-5", input=TALK)
        connection.response.create(model="gpt-5", input=TALK, previous_response_id="resp_none")
        connection.response.create(model="gpt-5", input=TALK, background=True)
        told: list[Any] = [_events(connection)[-1] for _ in range(3)]
        assert [(event.type, event.status) for event in told] == [
            ("error", 429),
            ("error", 400),
            ("error", 400),
        ]
        connection.response.steer(input="More", previous_response_id="resp_none")
        assert connection.recv().type == "response.steer.failed"
        connection.send_raw("[]")
        assert connection.recv().type == "error"
        connection.response.create(model="gpt-5", input=TALK)
        assert _events(connection)[-1].type == "response.completed"


def test_a_broken_connection_leaves_the_response_running(
    server: HarbourServer, client: OpenAI
) -> None:
    """Its answer is lost, its container is made."""
    server.admin.fault("lost_answer", match="WEBSOCKET /v1/responses", count=1)
    with client.responses.connect() as connection:
        connection.response.create(model="gpt-5", input=TALK, tools=[AUTO])
        with pytest.raises(ConnectionClosedError):
            connection.recv()
    deadline = time.monotonic() + 20
    while not cases(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.admin.calls()["counts"] == {"WEBSOCKET /v1/responses": 1}


async def test_the_async_client_speaks_it_too(server: HarbourServer) -> None:
    """With a key; one container leaks."""
    async with (
        AsyncOpenAI(base_url=server.base_url, api_key="key") as client,
        client.responses.connect() as connection,
    ):
        await connection.response.create(model="gpt-5", input=TALK, tools=[AUTO])
        async for event in connection:
            if event.type == "response.completed":
                break
    assert len(cases(server)) == 1


def test_without_a_key_the_handshake_is_refused(client: OpenAI) -> None:
    """With 401, as over HTTP."""
    bare: Any = {"Authorization": ""}
    with pytest.raises(InvalidStatus, match="401"), client.responses.connect(extra_headers=bare):
        pass


def test_a_client_that_leaves_leaves_its_response_running(
    server: HarbourServer, client: OpenAI
) -> None:
    """What it began goes on, and counts as a call."""
    with client.responses.connect() as connection:
        connection.response.create(model="gpt-5", input="[[seconds=60]]", tools=[AUTO])
        assert connection.recv().type == "response.created"
    deadline = time.monotonic() + 20
    while not (cases(server) and cases(server)[0]["orphan"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.admin.calls()["counts"] == {"WEBSOCKET /v1/responses": 1}
