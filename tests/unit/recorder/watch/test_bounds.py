"""What would bound the births of a response is told only where it does."""

from typing import Any

import pytest
from openai.types import responses

from demurrage_recorder.listeners import _MODELS_OWN

from .conftest import AUTO, CALL_ITEM, CONTAINER, URL, Notes, Pieces, http, response, sse, watched
from .test_ids import kinds_of

EVENTS = {"content-type": "text/event-stream"}
OPENING = {"type": "response.created", "response": response("in_progress")}
# They come before the model says anything, or say that its context has changed meanwhile.
PREPARING = {
    "additional_tools",
    "compaction",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_list_tools",
    "program",
    "tool_search_call",
}


def added(item: dict[str, Any]) -> dict[str, Any]:
    """An output item as the stream begins it."""
    return {"type": "response.output_item.added", "output_index": 0, "item": item}


def ask(notes: Notes, *events: dict[str, Any], **body: Any) -> list[str]:
    """What is told of a request whose stream brings these events and breaks off."""
    pieces = Pieces([sse(OPENING, *events)])
    with (
        watched(
            lambda: http.Response(200, headers=EVENTS, stream=pieces), notes, direct=True
        ) as client,
        client.stream("POST", URL, json={"stream": True, "tools": [AUTO], **body}) as answer,
    ):
        list(answer.iter_raw())
    return notes.kinds()


@pytest.mark.parametrize("kind", [*sorted(PREPARING), "later"])
def test_what_prepares_the_ground_closes_no_window(notes: Notes, kind: str) -> None:
    """The container may be made after it; what nobody knows may be such."""
    listing = {"type": "response.mcp_list_tools.in_progress", "output_index": 0}
    told = ask(notes, added({"type": kind}), listing)
    assert told == ["started", "created", "finished lost"]


@pytest.mark.parametrize("kind", sorted(_MODELS_OWN))
def test_what_the_model_puts_out_does(notes: Notes, kind: str) -> None:
    """Also after what prepared the ground."""
    told = ask(notes, added({"type": "mcp_list_tools"}), added({"type": kind}))
    assert told == ["started", "created", "output", "finished lost"]


def test_every_item_of_the_sdk_is_the_one_or_the_other() -> None:
    """A new kind of item is looked at before it closes anything."""
    kinds = set(kinds_of(responses.ResponseOutputItem))
    assert {each for each in kinds if not each.endswith("_output")} - PREPARING <= _MODELS_OWN


def test_a_response_of_many_agents_is_not_bounded(notes: Notes) -> None:
    """Each of them has a context of its own, which may need a container at any time."""
    told = ask(notes, added(CALL_ITEM), multi_agent={"enabled": True})
    assert told == ["started", "created", "created", "finished lost"]
    assert {"direct": True, "background": True}.items() <= notes.told[0][2].items()
    assert all("status" not in data for kind, _, data in notes.told if "created" in kind)


def test_the_end_of_an_agent_s_response_is_not_the_end_of_the_call(notes: Notes) -> None:
    """Its container may be named after that; where nobody spoke of agents, the end is the end."""
    agents = response(id="resp_2", output=[])
    end = {"type": "response.completed", "response": agents, "agent": {"agent_name": "one"}}
    told = ask(notes, end, added(CALL_ITEM), multi_agent={"enabled": True})
    assert told[-1] == "finished lost"
    assert CONTAINER in notes.last()["containers"]
    whole = {"type": "response.completed", "response": response()}
    assert ask(notes, end, whole, multi_agent={})[-1] == "finished completed"


@pytest.mark.parametrize(("tier", "direct"), [("flex", False), ("default", True)])
def test_a_request_that_may_wait_at_the_api(notes: Notes, tier: str, *, direct: bool) -> None:
    """Nothing tells when it is begun, so nothing is said of when it was sent."""
    ask(notes, service_tier=tier)
    assert ("direct" in notes.told[0][2]) is direct
    assert all(("sent_at" in data) is direct for _, _, data in notes.told[1:])


@pytest.mark.parametrize("said", [None, True, False])
def test_whose_word_it_is(notes: Notes, said: bool | None) -> None:  # noqa: FBT001 - pytest's way
    """Only what the application itself says holds wherever the other end is."""
    with watched(lambda: http.Response(200, json=response()), notes, direct=said) as client:
        client._transport._pool = object()
        client._transport._plain = True
        client.post(URL, json={"tools": [AUTO]})
    assert [vouched for *_, vouched in notes.sending.fresh] == (
        [] if said is False else [said is True]
    )
