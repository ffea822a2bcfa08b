"""What makes containers out of the recorder's sight is logged as a maker without an end."""

from operator import attrgetter
from typing import Any

import openai
import pytest
from openai.resources.responses import AsyncResponses, Responses

import demurrage_recorder as recorder
from demurrage_recorder import clients

from .conftest import CONTAINER, Notes, http, response, watched

API = "https://api.openai.com/v1"
ANYTHING = [{"tool": "unknown", "tier": None, "container": "auto"}]


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """No warning was given yet."""
    monkeypatch.setattr("demurrage_recorder.warn._told", set())


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("batches", {"endpoint": "/v1/responses"}, "a batch of responses"),
        ("batches", {}, "a batch of responses"),
        ("live/sessions", {}, "a live session"),
        ("live/sessions/live_1/accept", {}, "a live session"),
        ("realtime/calls", {}, "a live session"),
        ("agents/sessions", {}, "an agent session"),
        ("agents/automations/a_1/invocations", {}, "an agent session"),
        ("agents/automations", {}, "an agent session"),
        ("chatkit/sessions", {}, "a ChatKit session"),
        ("threads/runs", {}, "a run of a thread"),
        ("threads/thread_1/runs", {}, "a run of a thread"),
        ("evals/eval_1/runs", {"tools": "code_interpreter"}, "an evaluation's run"),
    ],
)
def test_makers_by_http(notes: Notes, path: str, body: dict[str, str], what: str) -> None:
    """A warning, a start that may make anything, and no end unless it was refused."""
    status = 200
    with watched(lambda: http.Response(status, json={"id": "x"}), notes) as client:
        with pytest.warns(RuntimeWarning, match=what):
            client.post(f"{API}/{path}", json=body)
        assert notes.kinds() == ["started"]
        assert notes.last()["slots"] == ANYTHING
        assert notes.last()["labels"] == {"unwatched": what}
        status = 400
        client.post(f"{API}/{path}", json=body)
    assert notes.kinds() == ["started", "started", "finished refused"]


@pytest.mark.parametrize("path", ["live/sessions", "agents/sessions"])
def test_what_its_request_names_is_in_use(notes: Notes, path: str) -> None:
    """A session may be given a container that somebody else made."""
    body = {"environment": {"type": "container_reference", "container_id": CONTAINER}}
    with (
        watched(lambda: http.Response(200, json={}), notes) as client,
        pytest.warns(RuntimeWarning, match="session"),
    ):
        client.post(f"{API}/{path}", json=body)
    assert notes.last()["containers"] == [CONTAINER]
    assert notes.last()["opaque"] is True


def test_an_evaluation_without_such_tools_makes_nothing(notes: Notes) -> None:
    """Its request shows them all."""
    with watched(lambda: http.Response(200, json={}), notes) as client:
        client.post(f"{API}/evals/eval_1/runs", json={"data_source": {"type": "jsonl"}})
        client.post(f"{API}/threads/thread_1/messages", json={})
    assert notes.told == []


def test_other_batches_make_nothing(notes: Notes) -> None:
    """A batch of embeddings is of no concern."""
    with watched(lambda: http.Response(200, json={}), notes) as client:
        client.post(f"{API}/batches", json={"endpoint": "/v1/embeddings"})
    assert notes.told == []


@pytest.mark.skipif(not hasattr(Responses, "connect"), reason="this SDK has no WebSockets")
@pytest.mark.parametrize("made", [openai.OpenAI, openai.AsyncOpenAI])
@pytest.mark.parametrize("place", ["responses", "beta.responses", "realtime", "beta.realtime"])
def test_a_websocket(notes: Notes, monkeypatch: pytest.MonkeyPatch, made: Any, place: str) -> None:
    """Connecting through an instrumented client is logged; through another it is not."""
    monkeypatch.setattr(clients, "writer_for", lambda *_, **__: notes)
    client = made(api_key="k")
    try:
        connect = attrgetter(f"{place}.connect")
        given = {"model": "m"} if "realtime" in place else {}
        connect(client)(**given)
    except AttributeError:
        pytest.skip("this SDK has no such WebSocket")
    assert notes.told == []
    recorder.instrument(client)
    with pytest.warns(RuntimeWarning, match="WebSocket|realtime"):
        connect(client)(**given)
    assert notes.told[0][2]["slots"] == ANYTHING
    assert AsyncResponses.connect.__name__ == "connect"


def test_a_response_is_no_such_maker(notes: Notes) -> None:
    """What can be watched brings no warning."""
    with watched(lambda: http.Response(200, json=response()), notes) as client:
        client.post(f"{API}/responses", json={})
    assert notes.kinds() == ["started", "finished completed"]
